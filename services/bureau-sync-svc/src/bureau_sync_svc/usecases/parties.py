"""Watch the parties: their notices, what they say in refusing, the state that is told, and the
circuit.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta

import msgspec

from bureau_sync_svc.domain import authority as rules
from bureau_sync_svc.domain.authority import AuthorityState, Notice
from bureau_sync_svc.domain.evidence import digest, masked_body
from bureau_sync_svc.domain.submissions import Outcome
from bureau_sync_svc.domain.wire import Answer, Unreadable
from bureau_sync_svc.store import exchanges, parties
from bureau_sync_svc.store.exchanges import Exchange
from bureau_sync_svc.store.parties import Party
from shared import outbox
from shared.clock import china_day, china_time
from shared.contracts import AuthorityStateChanged
from shared.db import Connection
from shared.logs import get_logger
from shared.values import derived_id

_NOTICES_DAILY_AT = "07:30"
"""Half an hour before the look-ups, which should know of an upgrade that began overnight."""

LOOK_UP_TIME = "08:00"
"""Where the city's policy does not say otherwise, or is not known yet."""

_log = get_logger(__name__)


async def take_up_notices(conn: Connection, now: datetime) -> Party | None:
    """The next authority whose notices are to be read, leased; None if none is due."""
    return await parties.claim_notices(conn, now)


async def settle_notices(
    conn: Connection, now: datetime, party: Party, answer: Answer | str
) -> None:
    """Keeps the notices that an authority listed (or why none could be read), and tells a state
    that changed.
    """
    outcome, reason = Outcome.NO_ANSWER, answer if isinstance(answer, str) else ""
    if isinstance(answer, Answer):
        outcome, reason = await _take_notices(conn, now, party.party, answer)
    await note_answer(conn, now, party.party, outcome, answer)
    await exchanges.put(conn, [_exchange(party, now, outcome, reason, answer)])
    await parties.read_notices_at(conn, party.party, next_daily(now, _NOTICES_DAILY_AT))
    await refresh_state(conn, now, party.party)


async def _take_notices(
    conn: Connection, now: datetime, party: str, answer: Answer
) -> tuple[Outcome, str]:
    closure = rules.closure_said(answer, now)
    if closure is not None:
        return Outcome.CLOSED, closure.text
    if answer.status != 200:
        return Outcome.REFUSED, f"HTTP {answer.status}"
    try:
        listed = rules.read_notices(answer.body)
    except Unreadable as fault:
        _log.error("notices_unreadable", party=party, reason=str(fault))
        return Outcome.UNREADABLE, str(fault)
    await parties.put_notices(conn, party, listed)
    await parties.drop_withdrawn(conn, party, [notice.notice_id for notice in listed], now)
    return Outcome.ANSWERED, ""


def _exchange(
    party: Party, now: datetime, outcome: Outcome, reason: str, answer: Answer | str
) -> Exchange:
    exchange_id = str(derived_id("exchange", party.party, "notices", party.exchanges))
    if isinstance(answer, str):
        return Exchange(exchange_id, party.party, "notices", now, outcome, reason=reason)
    return Exchange(
        exchange_id,
        party.party,
        "notices",
        now,
        outcome,
        status=answer.status,
        reply=masked_body(answer.body, {}),
        reply_sha256=digest(answer.body),
        reason=reason,
    )


async def note_answer(
    conn: Connection, now: datetime, name: str, outcome: Outcome, answer: Answer | str
) -> datetime | None:
    """Keeps the party's circuit, and a closure that it named; until when nobody should ask it
    (None: ask on).

    A party that fails several times in a row holds up all of its own work, so that thousands of
    items do not each find out by waiting for the same silence.
    """
    party = await parties.locked(conn, name)
    failures, retry_at = 0, None
    closure = rules.closure_said(answer, now) if isinstance(answer, Answer) else None
    if closure is not None:
        retry_at = closure.until
        await _keep_closure(conn, name, closure)
        await parties.read_notices_soon(conn, name)
        await refresh_state(conn, now, name)
    elif outcome is Outcome.LIMITED:
        wait = answer.retry_after if isinstance(answer, Answer) else None
        retry_at = now + timedelta(seconds=wait or 1)
    elif outcome in (Outcome.NO_ANSWER, Outcome.NOT_SENT):
        failures = party.failures + 1
        if failures >= rules.FAILURES_TO_OPEN:
            retry_at = now + rules.backoff(failures - rules.FAILURES_TO_OPEN + 1)
            _log.warning("circuit_open", party=name, failures=failures)
    await parties.set_circuit(conn, name, failures, retry_at)
    return retry_at


async def _keep_closure(conn: Connection, party: str, closure: Notice) -> None:
    """A closure that was announced for the same stretch is not kept twice."""
    known = await parties.notices(conn, party)
    if any(
        one.kind == "closure" and one.since <= closure.since and one.until == closure.until
        for one in known
    ):
        return
    await parties.put_notices(conn, party, [closure])


async def turn_next_state(conn: Connection, now: datetime) -> bool:
    """Tells the state of one party for which a known notice begins or ends by now; False if there
    is none.
    """
    party = await parties.changing(conn, now)
    if party is None:
        return False
    await refresh_state(conn, now, party)
    return True


async def refresh_state(conn: Connection, now: datetime, name: str) -> None:
    """Works out the party's state at `now`, and tells it if it is another than was told."""
    party = await parties.locked(conn, name)
    notices = await parties.notices(conn, name)
    state = rules.state_at(now, notices)
    closures = rules.closures(notices, china_day(now).year)
    await parties.set_change(conn, name, state.changes_at)
    if _told(party) == _content(state, closures):
        return
    version = party.version + 1
    await parties.save_state(conn, name, state, msgspec.json.encode(closures).decode(), version)
    await outbox.add(conn, [_event(party, version, state, closures, now)], now)


def _told(party: Party) -> tuple[object, ...]:
    closures = tuple((since, until) for since, until in party.closures)
    since = party.since if party.state != rules.OPEN else None
    return (party.state, since, party.until, party.reason, party.announced, closures)


def _content(state: AuthorityState, closures: Sequence[tuple[str, str]]) -> tuple[object, ...]:
    since = state.since if state.state != rules.OPEN else None
    return (state.state, since, state.until, state.reason, state.announced, tuple(closures))


def _event(
    party: Party,
    version: int,
    state: AuthorityState,
    closures: tuple[tuple[str, str], ...],
    now: datetime,
) -> AuthorityStateChanged:
    return AuthorityStateChanged(
        version=version,
        authority=party.party,
        city=party.city,
        state=state.state,
        since=(state.since or now).isoformat(),
        until=state.until.isoformat() if state.until else "",
        reason=state.reason,
        announced=state.announced,
        closures=closures,
    )


def next_daily(now: datetime, at: str) -> datetime:
    """The next moment after `now` at which it is `at` (`HH:MM`) in Asia/Shanghai, on whatever
    day.
    """
    today = china_time(china_day(now), at)
    return today if today > now else china_time(china_day(now) + timedelta(days=1), at)
