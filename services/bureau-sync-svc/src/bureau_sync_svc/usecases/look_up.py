"""Look records up in bulk: what an authority shows for one account and levy period, and who is
missing there.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from bureau_sync_svc.domain import authority, records
from bureau_sync_svc.domain.evidence import digest, masked_body
from bureau_sync_svc.domain.lines import ABSENT, RECORDED, LookedUp, Observation
from bureau_sync_svc.domain.records import Cells, Found, Page
from bureau_sync_svc.domain.submissions import Outcome
from bureau_sync_svc.domain.wire import Answer, Unreadable, read_json
from bureau_sync_svc.errors import AccountMonthUnknown
from bureau_sync_svc.store import copies, exchanges, look_ups, months
from bureau_sync_svc.store.exchanges import Exchange
from bureau_sync_svc.store.look_ups import LookUp
from bureau_sync_svc.usecases import parties, people
from bureau_sync_svc.usecases.people import Keys
from bureau_sync_svc.usecases.submit import Reply, Silence
from bureau_sync_svc.usecases.tell import Scope, observe
from shared.db import Connection
from shared.logs import get_logger
from shared.values import derived_id

_log = get_logger(__name__)


async def take_up(conn: Connection, keys: Keys, now: datetime) -> LookUp | None:
    """The next look-up that is due, leased, with everyone's blind index made; None if nothing is
    due.
    """
    claimed = await look_ups.claim(conn, now)
    if claimed is not None:
        await people.index_identities(conn, keys, claimed.employer_id)
    return claimed


def next_cursor(answer: Answer) -> str | None:
    """Where the next page begins; None after the last one, and for a reply that is no page."""
    if answer.status != 200:
        return None
    try:
        return read_json(answer.body, Page).next_cursor or None
    except Unreadable:
        return None


async def settle(
    conn: Connection, keys: Keys, now: datetime, claimed: LookUp, replies: Sequence[Reply]
) -> Outcome:
    """Keeps the replies, merges what they show into each employee's month, and sets the next
    look-up.

    Nothing is taken from a look-up of which one page is missing or cannot be read: absence is
    proven by the whole alone.
    """
    await copies.lock_account_month(conn, claimed.account_id, claimed.levy_period)
    current = await look_ups.locked(conn, claimed)
    bodies = [reply.body for reply in replies if isinstance(reply, Answer)]
    named = await people.named_in(conn, keys, claimed.employer_id, bodies)
    outcome, reason, cells = _read(now, replies, claimed, named)
    evidence = _exchanges(claimed, now, replies, outcome, reason, named)
    await exchanges.put(conn, evidence)
    if outcome is Outcome.ANSWERED and reason:
        _log.error("strangers_in_reply", authority=claimed.authority, reason=reason)
    last = replies[-1]
    answer = last if isinstance(last, Answer) else last.reason
    retry_at = await parties.note_answer(conn, now, claimed.authority, outcome, answer)
    if current.exchanges != claimed.exchanges:
        return outcome
    if outcome is not Outcome.ANSWERED:
        failures = current.failures + int(retry_at is None)
        again = retry_at or now + authority.backoff(failures)
        await look_ups.settle(
            conn, replace(current, next_at=again, reason=reason, failures=failures)
        )
        return outcome
    await _take(conn, now, current, cells, [one.exchange_id for one in evidence], reason)
    return outcome


def _read(
    now: datetime, replies: Sequence[Reply], claimed: LookUp, named: Mapping[str, str]
) -> tuple[Outcome, str, Cells]:
    last = replies[-1]
    if isinstance(last, Silence):
        return (Outcome.NO_ANSWER if last.sent else Outcome.NOT_SENT), last.reason, {}
    if last.status != 200:
        return _turned_away(last, now), f"HTTP {last.status}", {}
    try:
        pages = [read_json(one.body, Page) for one in replies if isinstance(one, Answer)]
        if pages[-1].next_cursor:
            raise Unreadable(f"记录超过 {len(pages)} 页仍未结束")
        cells, strangers = records.found(pages, claimed.levy_period, named)
    except Unreadable as fault:
        return Outcome.UNREADABLE, str(fault), {}
    reason = f"有 {strangers} 条记录不属于本单位已知人员" if strangers else ""
    return Outcome.ANSWERED, reason, cells


def _turned_away(answer: Answer, now: datetime) -> Outcome:
    if answer.status == 429:
        return Outcome.LIMITED
    if authority.closure_said(answer, now) is not None:
        return Outcome.CLOSED
    return Outcome.NO_ANSWER if answer.status >= 500 else Outcome.REFUSED


async def _take(
    conn: Connection,
    now: datetime,
    current: LookUp,
    cells: Cells,
    evidence: Sequence[str],
    reason: str,
) -> None:
    expected = await look_ups.filed_cells(conn, current)
    shown = await months.cells_shown(
        conn, current.account_id, current.levy_period, current.authority
    )
    # Whose identity was erased is not recognised in a reply: what is known of them stays as it is.
    gone = await copies.erased(conn, {who for who, _ in expected.keys() | shown})
    expected = {cell: kinds for cell, kinds in expected.items() if cell[0] not in gone}
    shown = {cell for cell in shown if cell[0] not in gone}
    facts = defaultdict(list)
    for employee_id, insurance in sorted(expected.keys() | shown | cells.keys()):
        found = cells.get((employee_id, insurance))
        fact = _fact(now, found, evidence)
        facts[employee_id].append(Observation(insurance, current.authority, "look_up", fact))
    scope = Scope(current.employer_id, current.account_id, current.levy_period)
    told = await observe(conn, now, scope, facts)
    recorded = sum(_is_recorded(cells.get(key), kinds) for key, kinds in expected.items())
    at = await copies.look_up_time(conn, current.city) or parties.LOOK_UP_TIME
    is_done = bool(expected) and recorded == len(expected)
    settled = replace(
        current,
        next_at=None if is_done or not expected else parties.next_daily(now, at),
        looked_up_at=now,
        lines=len(expected),
        recorded=recorded,
        reason=reason,
        failures=0,
    )
    await look_ups.settle(conn, settled)
    _log.info(
        "looked_up",
        authority=current.authority,
        account_id=current.account_id,
        levy_period=current.levy_period,
        lines=len(expected),
        recorded=recorded,
        told=told,
    )


def _is_recorded(found: Found | None, kinds: int) -> bool:
    """Whether all kinds of lines that were filed have arrived."""
    if found is None or found.state != RECORDED or not found.fully_arrived:
        return False
    return found.kinds >= kinds


def _fact(now: datetime, found: Found | None, evidence: Sequence[str]) -> LookedUp:
    if found is None:
        return LookedUp(now, ABSENT, evidence_id=evidence[-1])
    return LookedUp(
        at=now,
        state=found.state,
        sums=found.sums,
        records=found.records,
        fully_arrived=found.fully_arrived,
        recorded_on=found.recorded_on,
        reason=found.reason,
        evidence_id=evidence[found.page],
    )


def _exchanges(
    claimed: LookUp,
    now: datetime,
    replies: Sequence[Reply],
    outcome: Outcome,
    reason: str,
    named: Mapping[str, str],
) -> list[Exchange]:
    kept = []
    for number, reply in enumerate(replies):
        body = reply.body if isinstance(reply, Answer) else b""
        is_last = number == len(replies) - 1
        kept.append(
            Exchange(
                exchange_id=str(
                    derived_id(
                        "exchange",
                        claimed.account_id,
                        claimed.levy_period,
                        claimed.authority,
                        claimed.exchanges,
                        number,
                    )
                ),
                party=claimed.authority,
                operation="look_up",
                at=now,
                outcome=outcome if is_last else Outcome.ANSWERED,
                employer_id=claimed.employer_id,
                account_id=claimed.account_id,
                levy_period=claimed.levy_period,
                status=reply.status if isinstance(reply, Answer) else None,
                reply=masked_body(body, named),
                reply_sha256=digest(body) if body else "",
                reason=reason if is_last else "",
            )
        )
    return kept


async def ask_now(
    conn: Connection, account_id: str, levy_period: str, now: datetime
) -> list[tuple[str, datetime]]:
    """Has every authority of the account month looked up now: (authority, due at).
    AccountMonthUnknown if there is none.
    """
    asked = await look_ups.ask_now(conn, account_id, levy_period, now)
    if not asked:
        raise AccountMonthUnknown(
            f"No contribution is due for account {account_id} in {levy_period}, so there is"
            " nothing to look up; check the account and the levy period."
        )
    return asked
