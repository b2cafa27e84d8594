"""What people ask about 补差, 补缴 and 滞纳金: a person's lines, and the late fee if paid on a
day.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from contribution_svc.domain.allocation import DueLine
from contribution_svc.domain.difference import SupplementLine
from contribution_svc.domain.figures import Series
from contribution_svc.domain.late_fee import LateFee, due_after_deferral, late_fee, parts_by_sum
from contribution_svc.domain.lines import Line
from contribution_svc.domain.not_filed import debited_for_now
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
    supplements,
)
from contribution_svc.store.declarations import Declaration
from contribution_svc.usecases.allocation import Rules
from contribution_svc.usecases.supplement import carried_of
from shared.clock import china_day
from shared.db import Connection
from shared.values import LevyPeriod


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
    requested = {one.levy_period for one in asked if one.state is RefundState.REQUESTED}
    lacking = await supplements.of_employee(conn, employee_id)
    for one in carried_of(policies, lacking, china_day(now)):
        period = one.assessment.levy_period
        found += [Arrear(period, "proposed", line) for line in one.lines]
        state = "refund_requested" if period in requested else "refund"
        found += [Arrear(period, state, line) for line in one.refunds]
    return sorted(found, key=lambda one: one.levy_period)


@dataclass(frozen=True, slots=True)
class DueGroup:
    """Sums that are due on one day and bear a late fee, or bear none: `debited_fen` of `due_fen`
    was debited for a provisional assessment before they are paid.
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

    Raises DeclarationUnknown.
    """
    declaration = await declarations.seen(conn, declaration_id)
    if declaration is None:
        raise DeclarationUnknown(f"no declaration {declaration_id}")
    period = LevyPeriod.parse(declaration.levy_period)
    pack = rules.policies.of(declaration.city)
    deferred = await deferrals.approved(conn, declaration.account_id, declaration.levy_period)
    sums: dict[tuple[date, Series], int] = {}
    for line in await _lines(conn, rules, declaration, china_day(now)):
        own_day = line.due_on or declaration.due_on
        due_on = due_after_deferral(own_day, line.insurance, period, deferred)
        group = (due_on, pack.late_fee_of(line.insurance))
        sums[group] = sums.get(group, 0) + line.total_fen()
    moves = await postings.moves(conn, declaration_id)
    taken = debited_for_now(moves, sum(sums.values()))
    debited = parts_by_sum([one for one in taken if one.taken_on < paid_on], [*sums.values()])
    groups = [
        DueGroup(
            due_on,
            due_fen,
            sum(one.fen for one in parts),
            late_fee(due_fen, due_on, paid_on, rates, parts),
        )
        for ((due_on, rates), due_fen), parts in zip(sums.items(), debited, strict=True)
    ]
    return sorted(groups, key=lambda one: one.due_on)


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
