"""The evidence chain of a ticket: five links from payslip to record, and where it breaks."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace

from portal_svc.domain.facts import Month, Ticket
from portal_svc.domain.months import Line, lines_of
from shared.values import Insurance, Outcome, fen_text

GREEN = "green"
RED = "red"
MISSING = "missing"

PAYSLIP, DETAIL, DEBIT, RECEIPT, RECORD = (
    "工资扣款",
    "缴费明细",
    "银行扣款",
    "申报回执",
    "社保局记录",
)

_BLAMED: dict[Outcome, str] = {
    Outcome.NOT_ASSESSED_LATE: DETAIL,
    Outcome.ASSESSMENT_BLOCKED: DETAIL,
    Outcome.UNDECLARED_DEBIT: DEBIT,
    Outcome.DUPLICATE_DEBIT: DEBIT,
    Outcome.DEBIT_REFUSED: DEBIT,
    Outcome.DEBIT_REVERSED: DEBIT,
    Outcome.DEBIT_DIFFERS: DEBIT,
    Outcome.DEBIT_MISSING: DEBIT,
    Outcome.OUTCOME_UNKNOWN_LATE: DEBIT,
    Outcome.RECORD_WITHOUT_DEBIT: DEBIT,
    Outcome.NOT_FILED: RECEIPT,
    Outcome.VERIFIED_DIFFERS: RECEIPT,
    Outcome.UNEXPECTED_RECORD: RECORD,
    Outcome.DUPLICATE_RECORD: RECORD,
    Outcome.RECORD_REJECTED: RECORD,
    Outcome.ENROLMENT_INTERRUPTED: RECORD,
    Outcome.BASE_DIFFERS: RECORD,
    Outcome.AMOUNT_DIFFERS: RECORD,
    Outcome.ARRIVED_IN_PART: RECORD,
}
"""Which link an anomaly points at. RecordMissing points at none: its link is missing."""

_WITHHELD_DIFFERS = "WithheldDiffers"


@dataclass(frozen=True, slots=True)
class Link:
    """One link: `state` green, red or missing; `broken_here` marks the first that is not green."""

    name: str
    state: str
    at: str = ""
    detail: str = ""
    event_id: str = ""
    broken_here: bool = False


@dataclass(frozen=True, slots=True)
class Chain:
    """The evidence for the insurances that a ticket gathers in one levy period."""

    levy_period: str
    insurances: tuple[Insurance, ...]
    links: tuple[Link, ...]


def chains(ticket: Ticket, months: Iterable[Month]) -> tuple[Chain, ...]:
    """One chain per levy period of the ticket, the oldest first."""
    known = {month.levy_period: month for month in months}
    gathered: dict[str, set[Insurance]] = {}
    for item in ticket.items:
        gathered.setdefault(item.levy_period, set()).add(item.insurance)
    return tuple(
        Chain(
            period,
            tuple(one for one in Insurance if one in insurances),
            _links(
                known.get(period) or Month(ticket.employee_id, ticket.employer_id, period),
                insurances,
            ),
        )
        for period, insurances in sorted(gathered.items())
    )


def _links(month: Month, insurances: set[Insurance]) -> tuple[Link, ...]:
    named = {line.insurance: line for line in lines_of(month)}
    lines = [named.get(one) or Line(one, (), None, None, None) for one in sorted(insurances)]
    links = [
        _payslip(month, insurances),
        _detail(month, lines),
        _debit(month, lines),
        _receipt(month, lines),
        _record(month, lines),
    ]
    links = [_blamed(link, lines) for link in links]
    broken = next((index for index, link in enumerate(links) if link.state != GREEN), None)
    if broken is not None:
        links[broken] = replace(links[broken], broken_here=True)
    return tuple(links)


def _blamed(link: Link, lines: Sequence[Line]) -> Link:
    """A link is red where the verdict points at it; the verdict's own sentence says why."""
    for line in lines:
        verdict = line.verdict
        if verdict is None or link.state == MISSING:
            continue
        withheld = link.name == PAYSLIP and _WITHHELD_DIFFERS in verdict.annotations
        if withheld or _BLAMED.get(verdict.outcome) == link.name:
            return replace(link, state=RED, detail=verdict.reason or link.detail)
    return link


def _payslip(month: Month, insurances: set[Insurance]) -> Link:
    """Employer-only insurances take nothing from the payslip: having one is enough for them."""
    if month.payslip is None:
        return Link(PAYSLIP, MISSING)
    taken = sum(
        line.employee_fen for line in month.payslip.withheld if line.insurance in insurances
    )
    return Link(
        PAYSLIP,
        GREEN,
        month.payslip.payday,
        f"代扣个人 {fen_text(taken)}",
        month.event_ids.get("payslip", ""),
    )


def _detail(month: Month, lines: Sequence[Line]) -> Link:
    event_id = month.event_ids.get("assessed", "")
    if not all(line.assessed for line in lines):
        return Link(DETAIL, MISSING, event_id=event_id)
    assessed = [one for line in lines for one in line.assessed]
    if blocked := [one for one in assessed if one.state == "blocked"]:
        return Link(DETAIL, RED, detail=blocked[0].reason, event_id=event_id)
    employer = sum(one.employer_fen for one in assessed)
    employee = sum(one.employee_fen for one in assessed)
    detail = f"应缴单位 {fen_text(employer)}、个人 {fen_text(employee)}"
    return Link(DETAIL, GREEN, detail=detail, event_id=event_id)


def _debit(month: Month, lines: Sequence[Line]) -> Link:
    event_id = month.event_ids.get("posted", "")
    posted = [line.posted for line in lines if line.posted is not None]
    if len(posted) < len(lines):
        return Link(DEBIT, MISSING, event_id=event_id)
    at = max(one.debited_on for one in posted)
    if failed := [one for one in posted if one.debit_state != "posted"]:
        return Link(DEBIT, RED, at, failed[0].reason, event_id)
    taken = sum(one.employer_fen + one.employee_fen for one in posted)
    return Link(DEBIT, GREEN, at, f"扣款 {fen_text(taken)}，凭证 {posted[0].voucher}", event_id)


def _receipt(month: Month, lines: Sequence[Line]) -> Link:
    return _bureau_link(
        month,
        lines,
        RECEIPT,
        lambda line: bool(line.row and line.row.verified_employer_fen is not None),
    )


def _record(month: Month, lines: Sequence[Line]) -> Link:
    return _bureau_link(
        month, lines, RECORD, lambda line: bool(line.row and line.row.stage == "recorded")
    )


def _bureau_link(
    month: Month, lines: Sequence[Line], name: str, holds: Callable[[Line], bool]
) -> Link:
    """Green when the bureau shows it for every insurance; red when it refused one; else missing."""
    rows = [line.row for line in lines if line.row is not None]
    event_id = month.event_ids.get("bureau", "")
    at = max((row.looked_up_at for row in rows), default="")
    if rows and all(holds(line) for line in lines):
        return Link(name, GREEN, at, event_id=event_id)
    open_rows = [line.row for line in lines if line.row is not None and not holds(line)]
    if refused := [row for row in open_rows if row.stage in ("rejected", "interrupted")]:
        return Link(name, RED, at, refused[0].reason, event_id)
    reason = next((row.reason for row in open_rows if row.reason), "")
    return Link(name, MISSING, at, reason, event_id)
