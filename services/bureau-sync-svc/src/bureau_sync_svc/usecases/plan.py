"""Plan an account month: what of its declarations can be filed or passed on now, and what it waits
for.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime

from bureau_sync_svc.domain import filing
from bureau_sync_svc.domain.filing import SubmittedLine
from bureau_sync_svc.domain.submissions import MAY_BE_ALIVE, Kind, State
from bureau_sync_svc.store import copies, submissions
from bureau_sync_svc.store.copies import AccountMonth, Declaration
from bureau_sync_svc.store.submissions import Submission
from shared.db import Connection

_UNSENT = frozenset({State.WAITING, State.CONFLICT, State.WITHDRAWN})
_REPLACEABLE = frozenset({State.WAITING, State.CONFLICT, State.READY})


ASKS_FIRST = "数据恢复后先按流水号查询, 再决定是否报送"


@dataclass(frozen=True, slots=True)
class _Plan:
    """What a submission should be now."""

    state: State
    reason: str = ""
    lines: tuple[SubmittedLine, ...] = ()


async def plan_next(conn: Connection, now: datetime) -> bool:
    """Plans one account month about which something changed; False if there is none.

    The outcome depends on the facts held, never on the order in which they came.
    """
    month = await copies.take_stale(conn)
    if month is None:
        return False
    for declaration in await copies.declarations(conn, month):
        known = await submissions.of_declaration(conn, declaration.declaration_id)
        await _plan_filing(conn, now, month, declaration, known)
        if await copies.passes_detail_on(conn, declaration.city):
            await _plan_details(conn, now, month, declaration, known)
    return True


async def _plan_filing(
    conn: Connection,
    now: datetime,
    month: AccountMonth,
    declaration: Declaration,
    known: dict[str, Submission],
) -> None:
    serial = filing.filing_serial(declaration.declaration_id, declaration.version)
    filings = [one for one in known.values() if one.kind is Kind.FILING]
    mine = known.get(serial)
    if mine is not None and mine.state not in _UNSENT:
        return
    alive = [one for one in filings if one.state in MAY_BE_ALIVE]
    if any(one.lines_hash == declaration.lines_hash for one in alive):
        return
    for other in filings:
        if other.serial != serial and other.state in _REPLACEABLE:
            await submissions.put(conn, _moved(other, now, State.WITHDRAWN, "已由新批准的申报取代"))
    plan = (
        _Plan(State.CONFLICT, f"同一申报已有流水号 {alive[0].serial} 在途或已核定, 不得再次申报")
        if alive
        else await _filing(conn, month, declaration)
    )
    rounds = 1 + sum(one.state is State.REFUSED for one in filings)
    fresh = Submission(
        serial=serial,
        kind=Kind.FILING,
        declaration_id=declaration.declaration_id,
        declaration_version=declaration.version,
        round=rounds,
        employer_id=declaration.employer_id,
        account_id=declaration.account_id,
        account_no=declaration.account_no,
        city=declaration.city,
        levy_period=declaration.levy_period,
        party=declaration.collector,
        lines_hash=declaration.lines_hash,
        debit_on=declaration.debit_on,
        state=State.WAITING,
        reason="",
        since=now,
        next_at=None,
        failures=0,
        exchanges=0,
    )
    await _put(conn, now, month, mine or fresh, plan)


async def _filing(conn: Connection, month: AccountMonth, declaration: Declaration) -> _Plan:
    assessed = await copies.due_assessments(conn, month)
    assessments = filing.carried_by(declaration.carrier(), assessed)
    held = filing.lines_hash((one.employee_id, one.version) for one in assessments)
    if held != declaration.lines_hash:
        return _Plan(
            State.WAITING,
            f"持有 {len(assessments)} 人的应缴明细, 批准的申报为 {declaration.people} 人,"
            " 版本尚不一致",
        )
    lines = filing.filing_lines(assessments)
    objection = filing.objection(lines, declaration.sums_fen, declaration.total_fen)
    if objection:
        return _Plan(State.CONFLICT, objection)
    return _Plan(State.READY, lines=tuple(lines))


async def _plan_details(
    conn: Connection,
    now: datetime,
    month: AccountMonth,
    declaration: Declaration,
    known: dict[str, Submission],
) -> None:
    """One paid detail per authority, once everything that was filed for it is posted."""
    for filed in known.values():
        if filed.kind is not Kind.FILING or filed.state not in (State.TAKEN, State.VERIFIED):
            continue
        lines = await submissions.lines(conn, filed.serial)
        people = (line.employee_id for line in lines)
        found = await copies.posted_lines(conn, declaration.levy_period, people)
        carrier = declaration.carrier()
        posted = {
            key: line
            for key, each in found.items()
            for line in each
            if line.declaration_id == carrier
        }
        for authority in sorted({line.authority for line in lines}):
            theirs = [line for line in lines if line.authority == authority]
            ready, missing = filing.detail_lines(theirs, posted)
            if ready:
                serial = filing.detail_serial(filed.serial, authority)
                planned = known.get(serial) or _detail_of(filed, serial, authority, now)
                await _plan_detail(conn, now, month, planned, ready, missing)


async def _plan_detail(
    conn: Connection,
    now: datetime,
    month: AccountMonth,
    planned: Submission,
    ready: Iterable[SubmittedLine],
    missing: int,
) -> None:
    if planned.state not in _UNSENT:
        return
    plan = _Plan(State.READY, lines=tuple(ready))
    if missing:
        plan = _Plan(State.WAITING, f"还有 {missing} 项明细未入账")
    await _put(conn, now, month, planned, plan)


def _detail_of(filed: Submission, serial: str, authority: str, now: datetime) -> Submission:
    return replace(
        filed,
        serial=serial,
        kind=Kind.DETAIL,
        party=authority,
        state=State.WAITING,
        reason="",
        since=now,
        next_at=None,
        failures=0,
        exchanges=0,
    )


async def _put(
    conn: Connection, now: datetime, month: AccountMonth, submission: Submission, plan: _Plan
) -> None:
    state, reason = plan.state, plan.reason
    if state is State.READY and month.ask_first:
        state, reason = State.UNKNOWN, ASKS_FIRST
    await submissions.put(conn, _moved(submission, now, state, reason))
    if plan.state is State.READY:
        await submissions.put_lines(conn, submission.serial, submission.employer_id, plan.lines)


def _moved(submission: Submission, now: datetime, state: State, reason: str) -> Submission:
    return replace(
        submission,
        state=state,
        reason=reason,
        since=now,
        next_at=now if state in (State.READY, State.UNKNOWN) else None,
    )
