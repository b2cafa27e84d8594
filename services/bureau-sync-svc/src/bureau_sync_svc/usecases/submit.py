"""Send what is planned and ask what became of it: the intent before the call, the reply after, in a
transaction each.
"""

from collections import defaultdict
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import msgspec

from bureau_sync_svc.domain import authority, filing
from bureau_sync_svc.domain import submissions as rules
from bureau_sync_svc.domain.evidence import digest, masked_body
from bureau_sync_svc.domain.filing import SubmittedLine
from bureau_sync_svc.domain.lines import (
    REJECTED,
    TAKEN,
    UNKNOWN,
    VERIFIED,
    Observation,
    Submitted,
    Sums,
)
from bureau_sync_svc.domain.submissions import Asked, Kind, LineKey, Outcome, State, Verdict
from bureau_sync_svc.domain.wire import Answer
from bureau_sync_svc.store import copies, exchanges, look_ups, submissions
from bureau_sync_svc.store.copies import AccountMonth
from bureau_sync_svc.store.exchanges import Exchange
from bureau_sync_svc.store.submissions import Submission
from bureau_sync_svc.usecases import parties, people
from bureau_sync_svc.usecases.people import Keys
from bureau_sync_svc.usecases.tell import Scope, observe
from shared.db import Connection
from shared.logs import get_logger
from shared.values import derived_id

_POLL_EVERY = timedelta(minutes=15)
_POLL_EVERY_LATER = timedelta(hours=1)
_POLL_LATER_AFTER = timedelta(hours=6)
_IDENTITY_WAIT = timedelta(minutes=5)
_ANNOUNCED_FAILURES = 3
_REFUSED = "refused"
"""An authority's word for a line of a detail that it will not record."""

_log = get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Request:
    """What a job has to send: `body` for the submission itself, None to ask what became of the
    serial.
    """

    submission: Submission
    exchange_id: str
    body: bytes | None


@dataclass(frozen=True, slots=True)
class Silence:
    """That no whole reply came: `sent` tells whether the request may have arrived."""

    sent: bool
    reason: str


Reply = Answer | Silence


async def take_up(conn: Connection, keys: Keys, now: datetime) -> Request | Submission | None:
    """The next submission that is due, leased, with its intent written; None if nothing is due.

    A Submission alone comes back when it cannot be sent yet, and waits with the reason.
    """
    claimed = await submissions.claim(conn, now)
    if claimed is None:
        return None
    await people.index_identities(conn, keys, claimed.employer_id)
    exchange_id = str(derived_id("exchange", claimed.serial, claimed.exchanges))
    if claimed.state in rules.ASKED_ABOUT:
        return Request(claimed, exchange_id, None)
    lines = await submissions.lines(conn, claimed.serial)
    employee_ids = {line.employee_id for line in lines}
    opened = await people.open_people(conn, keys, claimed.employer_id, employee_ids)
    if len(opened) < len(employee_ids):
        missing = len(employee_ids) - len(opened)
        waiting = replace(
            claimed, reason=f"{missing} 人缺少可用的身份资料", next_at=now + _IDENTITY_WAIT
        )
        await submissions.put(conn, waiting)
        return waiting
    content = filing.body_of(
        claimed.kind,
        claimed.serial,
        claimed.account_no,
        claimed.levy_period,
        claimed.debit_on,
        lines,
        opened,
    )
    body = msgspec.json.encode(content)
    ids = {person.id_no: employee_id for employee_id, person in opened.items()}
    await submissions.mark_sending(conn, claimed.serial)
    intent = Exchange(
        exchange_id,
        claimed.party,
        f"send_{claimed.kind}",
        now,
        "sent",
        claimed.employer_id,
        claimed.account_id,
        claimed.levy_period,
        claimed.serial,
        masked_body(body, ids),
        digest(body),
    )
    await exchanges.put(conn, [intent])
    return Request(replace(claimed, state=State.SENDING), exchange_id, body)


async def settle(
    conn: Connection,
    keys: Keys,
    now: datetime,
    request: Request,
    reply: Reply,
    milliseconds: int,
) -> Verdict:
    """Keeps the reply as evidence, moves the submission, and fans the facts out to its
    employees.
    """
    claimed = request.submission
    await copies.lock_account_month(conn, claimed.account_id, claimed.levy_period)
    current = await submissions.locked(conn, claimed.serial)
    lines = await submissions.lines(conn, claimed.serial)
    bodies = [reply.body] if isinstance(reply, Answer) else []
    named = await people.named_in(conn, keys, claimed.employer_id, bodies)
    asked = Asked(frozenset((line.employee_id, line.insurance) for line in lines), named)
    verdict = _verdict(request, reply, asked)
    if verdict.strangers:
        _log.error("strangers_in_reply", serial=claimed.serial, rows=verdict.strangers)
    await exchanges.put(conn, [_exchange(request, now, reply, verdict, named, milliseconds)])
    answer = reply if isinstance(reply, Answer) else reply.reason
    retry_at = await parties.note_answer(conn, now, claimed.party, verdict.outcome, answer)
    if current.exchanges != claimed.exchanges:
        # Another replica took the submission up after our lease had ended: it settles, we only
        # leave evidence.
        return verdict
    settled = await _moved(conn, now, current, verdict, retry_at)
    await submissions.put(conn, settled)
    await _fan_out(conn, now, current, settled, verdict, lines, request.exchange_id)
    if settled.state is not claimed.state:
        await _set_in_motion(conn, now, settled, lines)
    return verdict


def _verdict(request: Request, reply: Reply, asked: Asked) -> Verdict:
    claimed = request.submission
    if isinstance(reply, Silence):
        if not reply.sent and request.body is not None:
            return rules.not_sent(reply.reason)
        return rules.no_answer(claimed.state, reply.reason)
    if request.body is not None:
        return rules.after_sending(claimed.kind, claimed.serial, reply, asked)
    return rules.after_asking(claimed.kind, claimed.serial, claimed.state, reply, asked)


async def _moved(
    conn: Connection,
    now: datetime,
    current: Submission,
    verdict: Verdict,
    retry_at: datetime | None,
) -> Submission:
    """The submission after the verdict, with the time of its next exchange."""
    good = verdict.outcome is Outcome.ANSWERED
    counted = verdict.outcome not in (Outcome.CLOSED, Outcome.LIMITED, Outcome.UNKNOWN_SERIAL)
    failures = 0 if good else current.failures + int(counted)
    next_at: datetime | None = now
    if verdict.state in (State.VERIFIED, State.REFUSED):
        next_at = None
    elif good:
        next_at = await _next_poll(conn, now, current)
    elif retry_at is not None:
        next_at = retry_at
    elif counted:
        next_at = now + authority.backoff(failures)
    if verdict.state is State.UNKNOWN and failures >= _ANNOUNCED_FAILURES:
        _log.warning("outcome_stays_unknown", serial=current.serial, failures=failures)
    return replace(
        current,
        state=verdict.state,
        reason=verdict.reason,
        since=now,
        next_at=next_at,
        failures=failures,
    )


async def _next_poll(conn: Connection, now: datetime, current: Submission) -> datetime | None:
    """A filing is asked about until it is verified; a detail daily, until all that it holds is
    recorded.
    """
    if current.kind is Kind.DETAIL:
        done = await look_ups.is_done(conn, current.account_id, current.levy_period, current.party)
        return None if done else parties.next_daily(now, parties.LOOK_UP_TIME)
    waited = now - current.since if current.state is State.TAKEN else timedelta()
    return now + (_POLL_EVERY if waited < _POLL_LATER_AFTER else _POLL_EVERY_LATER)


async def _fan_out(
    conn: Connection,
    now: datetime,
    before: Submission,
    settled: Submission,
    verdict: Verdict,
    lines: list[SubmittedLine],
    evidence_id: str,
) -> None:
    """Every line's fact, to its employee's month. A reply that decided nothing is no fact."""
    is_news = settled.state is not before.state or _REFUSED in verdict.line_states.values()
    if verdict.state not in _FACTS or not is_news:
        return
    sums: dict[LineKey, Sums] = {}
    authorities: dict[LineKey, str] = {}
    for line in lines:
        key = (line.employee_id, line.insurance)
        sums[key] = sums[key].plus(line.sums) if key in sums else line.sums
        authorities[key] = line.authority
    facts = defaultdict(list)
    carrier = await copies.carrier_of(conn, settled.declaration_id)
    for key, own in sums.items():
        fact = Submitted(
            at=now,
            state=_line_state(settled.kind, verdict, key),
            sums=own,
            round=settled.round,
            verified=verdict.verified.get(key),
            reason=verdict.line_reasons.get(key, verdict.reason),
            evidence_id=evidence_id,
        )
        seen = Observation(key[1], authorities[key], settled.kind, fact, carrier)
        facts[key[0]].append(seen)
    await observe(
        conn, now, Scope(settled.employer_id, settled.account_id, settled.levy_period), facts
    )


_FACTS = {
    State.UNKNOWN: UNKNOWN,
    State.TAKEN: TAKEN,
    State.VERIFIED: VERIFIED,
    State.REFUSED: REJECTED,
}


def _line_state(kind: Kind, verdict: Verdict, key: LineKey) -> str:
    if verdict.line_states.get(key) == _REFUSED:
        return REJECTED
    if verdict.state is not State.VERIFIED:
        return _FACTS[verdict.state]
    if kind is Kind.DETAIL or key not in verdict.verified:
        return TAKEN
    return VERIFIED


async def _set_in_motion(
    conn: Connection, now: datetime, settled: Submission, lines: list[SubmittedLine]
) -> None:
    """What a submission's new state makes possible: look-ups from filing on, and whatever the
    planning job finds.
    """
    if settled.kind is Kind.FILING and settled.state in (State.TAKEN, State.VERIFIED):
        at = await copies.look_up_time(conn, settled.city) or parties.LOOK_UP_TIME
        month = AccountMonth(
            settled.account_id, settled.levy_period, settled.employer_id, settled.city
        )
        await look_ups.open_each(
            conn,
            month,
            settled.account_no,
            (line.authority for line in lines),
            parties.next_daily(now, at),
        )
    await copies.plan_again(conn, settled.account_id, settled.levy_period)


def _exchange(
    request: Request,
    now: datetime,
    reply: Reply,
    verdict: Verdict,
    named: dict[str, str],
    milliseconds: int,
) -> Exchange:
    claimed = request.submission
    operation = "send" if request.body is not None else "ask"
    body = reply.body if isinstance(reply, Answer) else b""
    return Exchange(
        exchange_id=request.exchange_id,
        party=claimed.party,
        operation=f"{operation}_{claimed.kind}",
        at=now,
        outcome=verdict.outcome,
        employer_id=claimed.employer_id,
        account_id=claimed.account_id,
        levy_period=claimed.levy_period,
        serial=claimed.serial,
        status=reply.status if isinstance(reply, Answer) else None,
        reply=masked_body(body, named),
        reply_sha256=digest(body) if body else "",
        reason=verdict.reason,
        milliseconds=milliseconds,
    )
