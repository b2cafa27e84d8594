"""What people ask about 补差, 补缴 and 滞纳金: a person's lines, and the late fee if paid on a
day.
"""

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime

from contribution_svc.domain.allocation import DueLine, Instalment, Moves
from contribution_svc.domain.difference import SupplementLine
from contribution_svc.domain.figures import Series
from contribution_svc.domain.late_fee import (
    LateFee,
    debited_of,
    due_after_deferral,
    late_fee,
    parts_by_sum,
)
from contribution_svc.domain.lines import Line
from contribution_svc.domain.not_filed import debited_for_now, settled_moves
from contribution_svc.domain.refund import RefundState
from contribution_svc.errors import DeclarationUnknown, EmployeeUnknown
from contribution_svc.policy import Policies
from contribution_svc.store import (
    bases,
    declarations,
    declared,
    deferrals,
    postings,
    refunds,
    roster,
    supplements,
)
from contribution_svc.store.declarations import Declaration
from contribution_svc.usecases.allocation import Rules
from contribution_svc.usecases.supplement import carried_of, with_days
from shared.clock import china_day
from shared.db import Connection
from shared.values import Insurance, LevyPeriod


@dataclass(frozen=True, slots=True)
class Arrear:
    """A line beside the regular ones: `state` is declared or proposed, or of what was paid too
    much refund, refund_requested or refunded.
    """

    levy_period: str
    state: str
    line: SupplementLine


async def arrears_of(
    conn: Connection, policies: Policies, employee_id: str, now: datetime
) -> list[Arrear]:
    """An employee's lines by levy period: what was declared, what is owed, and what was paid too
    much. EmployeeUnknown for another's, as for one that does not exist.
    """
    if not await bases.is_employee(conn, employee_id):
        raise EmployeeUnknown(f"There is no employee {employee_id} that you may see.")
    found = [
        Arrear(period, "declared", line)
        for period, lines in await supplements.declared_of(conn, employee_id)
        for line in lines
    ]
    asked = await refunds.of_employee(conn, employee_id)
    found += [
        Arrear(one.levy_period, "refunded", line)
        for one in asked
        if one.state is RefundState.REFUNDED
        for line in one.lines
    ]
    newest = {one.levy_period: one for one in asked}
    lacking = await supplements.of_employee(conn, employee_id)
    for one in carried_of(policies, lacking, china_day(now)):
        period = one.assessment.levy_period
        found += [Arrear(period, "proposed", line) for line in one.lines]
        before = newest.get(period)
        is_asked = before is not None and before.is_waiting_for(one.refunds)
        state = "refund_requested" if is_asked else "refund"
        found += [Arrear(period, state, line) for line in one.refunds]
    return sorted(found, key=lambda one: one.levy_period)


@dataclass(frozen=True, slots=True)
class DueGroup:
    """Sums that are due on one day and bear a late fee, or bear none: `debited_fen` of `due_fen`
    was debited before they are paid.
    """

    due_on: date
    due_fen: int
    debited_fen: int
    late_fee: LateFee


async def late_fee_if_paid(
    conn: Connection, rules: Rules, declaration_id: str, paid_on: date, now: datetime
) -> list[DueGroup]:
    """The late fee of a declaration whose rest is paid on this day, by due day, deferrals counted;
    each sum rounded once, as the collector does.

    Raises DeclarationUnknown, CalendarYearUnknown.
    """
    declaration = await declarations.seen(conn, declaration_id)
    if declaration is None:
        raise DeclarationUnknown(f"no declaration {declaration_id}")
    today = china_day(now)
    if declaration.number and not declaration.is_approved():
        account = await roster.account(conn, declaration.account_id)
        declaration = with_days(rules, declaration, account, today)
    period = LevyPeriod.parse(declaration.levy_period)
    pack = rules.policies.of(declaration.city)
    deferred = await deferrals.approved(conn, declaration.account_id, declaration.levy_period)
    lines = await _lines(conn, rules, declaration, today)
    moves = [m for m in await postings.moves(conn, declaration_id) if m.booked_on <= paid_on]
    settled = Moves(settled_moves(moves, sum(line.total_fen() for line in lines)))
    sums: dict[tuple[date, Series], _Sum] = {}
    for line in _together(lines, settled.employee_ids()):
        own_day = line.due_on or declaration.due_on
        due_on = due_after_deferral(own_day, line.insurance, period, deferred)
        one = sums.setdefault((due_on, pack.late_fee_of(line.insurance)), _Sum())
        one.due_fen += line.total_fen()
        for part in debited_of(line, settled.of(line.employee_id)):
            one.debit(part)
    left = [one.left_fen() for one in sums.values()]
    # What was taken for the time being pays no line before it has come to all of them.
    for one, parts in zip(
        sums.values(), parts_by_sum(debited_for_now(moves, sum(left)), left), strict=True
    ):
        for part in parts:
            one.debit(part)
    groups = [one.group(due_on, paid_on, rates) for (due_on, rates), one in sums.items()]
    return sorted(groups, key=lambda one: one.due_on)


def _together(lines: Iterable[DueLine], named: Collection[str]) -> Iterator[DueLine]:
    """The lines of an insurance and day as one, but for the people whom an entry names: a whole
    declaration is paid alike for everybody.
    """
    sums: dict[tuple[str, Insurance, date | None], int] = {}
    for line in lines:
        whose = line.employee_id if line.employee_id in named else ""
        key = (whose, line.insurance, line.due_on)
        sums[key] = sums.get(key, 0) + line.total_fen()
    for (whose, insurance, due_on), fen in sums.items():
        yield DueLine(whose, insurance, fen, 0, due_on=due_on)


@dataclass(slots=True)
class _Sum:
    """What is due of a group, and by day what stands debited of it; fen."""

    due_fen: int = 0
    debited_fen: dict[date, int] = field(default_factory=dict)

    def debit(self, part: Instalment) -> None:
        self.debited_fen[part.taken_on] = self.debited_fen.get(part.taken_on, 0) + part.fen

    def left_fen(self) -> int:
        return self.due_fen - sum(self.debited_fen.values())

    def group(self, due_on: date, paid_on: date, rates: Series) -> DueGroup:
        before = [Instalment(fen, on) for on, fen in self.debited_fen.items() if on < paid_on]
        debited_fen = sum(one.fen for one in before)
        fee = late_fee(self.due_fen, due_on, paid_on, rates, before)
        return DueGroup(due_on, self.due_fen, debited_fen, fee)


async def _lines(
    conn: Connection, rules: Rules, declaration: Declaration, today: date
) -> Sequence[DueLine]:
    """What the declaration declares; of a draft what an approval now would."""
    account_id, period = declaration.account_id, declaration.levy_period
    if declaration.is_approved():
        return await declared.due_lines(conn, declaration)
    if declaration.number:
        found = await supplements.of_account(conn, account_id, period)
        return [
            _due(one.assessment.employee_id, line, line.due_on)
            for one in carried_of(rules.policies, found, today)
            for line in one.lines
        ]
    members = await declarations.members(conn, account_id, period)
    return [
        _due(member.employee_id, line, None)
        for member in members.members
        for line in member.lines
        if line.is_due()
    ]


def _due(employee_id: str, line: Line | SupplementLine, due_on: date | None) -> DueLine:
    return DueLine(employee_id, line.insurance, line.employer_fen, line.employee_fen, due_on=due_on)
