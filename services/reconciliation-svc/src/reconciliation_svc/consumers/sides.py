"""The sides of an employee's month, from the events that tell them; a cell's lines of all kinds add
up.
"""

from collections.abc import Callable
from datetime import date, datetime

from reconciliation_svc.domain.month import Arrival, Side, SideName
from reconciliation_svc.domain.sides import (
    AssessedLine,
    AssessedSide,
    BureauLine,
    BureauSide,
    PostedLine,
    PostedSide,
    Supplement,
    WithheldLine,
    WithheldSide,
)
from shared.contracts import (
    AssessedLine as AssessedFact,
)
from shared.contracts import (
    BureauAck,
    BureauRow,
    ContributionAssessed,
    ContributionPosted,
    PayslipIssued,
)
from shared.contracts import (
    PostedLine as PostedFact,
)
from shared.values import Insurance, LevyPeriod

SideEvent = ContributionAssessed | ContributionPosted | BureauAck | PayslipIssued

_STATE_RANK = {"due": 0, "blocked": 1, "exempt": 2}


def arrival_of(event: SideEvent) -> Arrival:
    """One side of an employee's month. ValueError for a levy period or a day that is none."""
    name, side = _side(event)
    return Arrival(
        employer_id=event.employer_id,
        employee_id=event.employee_id,
        levy_period=LevyPeriod.parse(event.levy_period),
        name=name,
        version=event.version,
        side=side,
    )


def _side(event: SideEvent) -> tuple[SideName, Side]:
    if isinstance(event, ContributionAssessed):
        return "assessed", _assessed(event)
    if isinstance(event, ContributionPosted):
        return "posted", _posted(event)
    if isinstance(event, BureauAck):
        return "bureau", _bureau(event)
    return "withheld", _withheld(event)


def _assessed(event: ContributionAssessed) -> AssessedSide:
    lines: dict[Insurance, AssessedLine] = {}
    for fact in event.lines:
        line = _assessed_line(fact)
        other = lines.get(fact.insurance)
        lines[fact.insurance] = _added(line, other, fact.kind) if other else line
    return AssessedSide(
        city=event.city,
        account_id=event.account_id,
        department_id=event.department_id,
        file_by=date.fromisoformat(event.file_by),
        debit_by=date.fromisoformat(event.debit_by),
        lines=lines,
        deferred={
            fact.insurance: date.fromisoformat(fact.debit_by)
            for fact in event.lines
            if fact.debit_by and not fact.declaration_id
        },
    )


def _assessed_line(fact: AssessedFact) -> AssessedLine:
    return AssessedLine(
        state=fact.state,
        authority=fact.authority,
        reason=fact.reason,
        base_fen=fact.base_fen,
        employer_fen=fact.employer_fen,
        employee_fen=fact.employee_fen,
        supplements=_supplements(fact),
    )


def _supplements(fact: AssessedFact) -> tuple[Supplement, ...]:
    if not fact.declaration_id:
        return ()
    return (
        Supplement(
            declaration_id=fact.declaration_id,
            employer_fen=fact.employer_fen,
            employee_fen=fact.employee_fen,
            debit_by=_day(fact.debit_by),
            withhold_in=fact.withhold_in,
        ),
    )


def _added(line: AssessedLine, other: AssessedLine, kind: str) -> AssessedLine:
    """Two kinds of one cell: amounts add up, the base is the regular line's if it has one, due wins
    over blocked over exempt.
    """
    first, second = (line, other) if kind == "regular" else (other, line)
    return AssessedLine(
        state=min(line.state, other.state, key=lambda state: _STATE_RANK.get(state, 1)),
        authority=line.authority or other.authority,
        reason=line.reason or other.reason,
        base_fen=first.base_fen or second.base_fen,
        employer_fen=line.employer_fen + other.employer_fen,
        employee_fen=line.employee_fen + other.employee_fen,
        supplements=first.supplements + second.supplements,
    )


def _posted(event: ContributionPosted) -> PostedSide:
    by_insurance: dict[Insurance, list[PostedFact]] = {}
    for fact in event.lines:
        by_insurance.setdefault(fact.insurance, []).append(fact)
    return PostedSide(
        city=event.city,
        account_id=event.account_id,
        lines={insurance: _posted_line(facts) for insurance, facts in by_insurance.items()},
    )


def _posted_line(facts: list[PostedFact]) -> PostedLine:
    """What was posted adds up; what was not only speaks where nothing was."""
    posted = [fact for fact in facts if fact.debit_state == "posted"] or facts[:1]
    first = posted[0]
    # Each declaration has its own due day: one that was paid late speaks for the cell.
    late = [fact for fact in posted if fact.due_on and fact.debited_on > fact.due_on]
    by_day = max(late or posted, key=lambda fact: fact.debited_on)
    return PostedLine(
        debit_state=first.debit_state,
        debits=max(fact.debits for fact in posted),
        employer_fen=sum(fact.employer_fen for fact in posted),
        employee_fen=sum(fact.employee_fen for fact in posted),
        debited_on=_last(posted, lambda fact: fact.debited_on),
        record_by=_last(posted, lambda fact: fact.record_by),
        due_on=_day(by_day.due_on),
        late_fee_fen=sum(fact.late_fee_fen for fact in posted),
        reason=first.reason,
        voucher=first.voucher,
        supplements=tuple(
            fact.declaration_id
            for fact in posted
            if fact.declaration_id and fact.debit_state == "posted"
        ),
    )


def _last(facts: list[PostedFact], text_of: Callable[[PostedFact], str]) -> date | None:
    return _day(max(text_of(fact) for fact in facts))


def _day(text: str) -> date | None:
    return date.fromisoformat(text) if text else None


def _bureau(event: BureauAck) -> BureauSide:
    return BureauSide(
        account_id=event.account_id,
        lines={row.insurance: _bureau_line(row) for row in event.rows},
    )


def _bureau_line(row: BureauRow) -> BureauLine:
    return BureauLine(
        stage=row.stage,
        filed_fen=_pair(row.filed_employer_fen, row.filed_employee_fen),
        verified_fen=_pair(row.verified_employer_fen, row.verified_employee_fen),
        record_base_fen=row.record_base_fen,
        record_fen=_pair(row.record_employer_fen, row.record_employee_fen),
        records=row.records,
        fully_arrived=row.fully_arrived,
        recorded_on=row.recorded_on,
        looked_up_at=datetime.fromisoformat(row.looked_up_at) if row.looked_up_at else None,
        authority=row.authority,
        reason=row.reason,
    )


def _pair(employer_fen: int | None, employee_fen: int | None) -> tuple[int, int] | None:
    """Both amounts, or None where the bureau shows neither."""
    if employer_fen is None and employee_fen is None:
        return None
    return employer_fen or 0, employee_fen or 0


def _withheld(event: PayslipIssued) -> WithheldSide:
    lines: dict[Insurance, WithheldLine] = {}
    for fact in event.withheld:
        other = lines.get(fact.insurance, WithheldLine(0, 0))
        lines[fact.insurance] = WithheldLine(
            employer_fen=other.employer_fen + fact.employer_fen,
            employee_fen=other.employee_fen + fact.employee_fen,
        )
    return WithheldSide(lines)
