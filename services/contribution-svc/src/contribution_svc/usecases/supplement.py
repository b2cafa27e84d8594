"""补充申报: opening and approving what an account month declares beside its regular declaration."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime

from msgspec import structs

from contribution_svc.domain import back_payment
from contribution_svc.domain.calendar import account_days
from contribution_svc.domain.declaration import Sums, Supplement, declare_supplements
from contribution_svc.domain.difference import Kind, SupplementLine, never_declared
from contribution_svc.domain.lines import LineState
from contribution_svc.domain.policy import Pack
from contribution_svc.errors import (
    DeclarationNotApproved,
    DeclarationNotReady,
    DeclarationUnknown,
    NothingToDeclare,
    WithholdMonthPassed,
)
from contribution_svc.policy import Policies
from contribution_svc.store import declarations, roster, supplements
from contribution_svc.store.assessments import Assessment
from contribution_svc.store.declarations import Declaration
from contribution_svc.store.roster import Account
from contribution_svc.store.supplements import Lacking
from contribution_svc.usecases.allocation import Rules, allocate_waiting
from contribution_svc.usecases.assessment import content_of
from contribution_svc.usecases.declaration import check_is_draft
from contribution_svc.usecases.deferred import debited_later, with_deferred
from contribution_svc.usecases.differences import month_of
from contribution_svc.usecases.told import contribution_assessed, declaration_approved
from contribution_svc.usecases.views import Blocked, blocked_of
from shared import outbox
from shared.clock import china_day
from shared.db import Connection
from shared.values import LevyPeriod

_MOST_MONTHS_AHEAD = 12
"""Nobody plans a deduction from wages for longer."""


@dataclass(frozen=True, slots=True)
class Carried:
    """What a supplementary declaration carries of one employee's month, and what stays proposed."""

    assessment: Assessment
    lines: Sequence[SupplementLine]
    refunds: Sequence[SupplementLine]
    was_declared: bool

    def supplement(self) -> Supplement:
        return Supplement(self.assessment.employee_id, self.assessment.version + 1, self.lines)


@dataclass(frozen=True, slots=True)
class SupplementView:
    """A supplementary declaration; of a draft the sums are those that an approval now would freeze.

    `waiting` counts employees who are still to be compared or assessed; `warnings` are sentences;
    `blocked` are the employees whom a draft leaves out.
    """

    declaration: Declaration
    waiting: int
    warnings: tuple[str, ...] = ()
    blocked: Sequence[Blocked] = ()


async def open_supplement(
    conn: Connection, account_id: str, period: str, now: datetime
) -> Declaration:
    """The account month's open supplementary declaration; a new one if there is none.

    Raises DeclarationUnknown, DeclarationNotApproved while whoever came late can still join the
    regular one.
    """
    regular = await supplements.regular(conn, account_id, period)
    if regular is None:
        raise DeclarationUnknown(f"no declaration of account {account_id} for {period}")
    if not regular.is_approved():
        raise DeclarationNotApproved(
            f"the declaration of {period} is still a draft, and takes in whoever comes; approve it"
        )
    opened = await declarations.locked(conn, await supplements.open_next(conn, regular, now))
    assert opened is not None
    return opened


async def approve_supplement(
    conn: Connection,
    rules: Rules,
    declaration_id: str,
    withhold_in: str | None,
    by: str,
    now: datetime,
) -> Declaration:
    """Freezes and tells what the account month owes; `withhold_in` is the levy period whose payroll
    takes the employees' part of it (None: this month's; of a month that was never declared its
    own).

    Raises DeclarationUnknown, DeclarationApprovedAlready, DeclarationNotReady while somebody is
    still to be compared or assessed, NothingToDeclare, WithholdMonthPassed, CalendarYearUnknown.
    """
    declaration = await declarations.locked(conn, declaration_id)
    if declaration is None or not declaration.number:
        raise DeclarationUnknown(f"no supplementary declaration {declaration_id}")
    check_is_draft(declaration)
    account = await roster.account(conn, declaration.account_id)
    today = china_day(now)
    declaration = with_days(rules, declaration, account, today)
    found = await supplements.of_account(
        conn, declaration.account_id, declaration.levy_period, lock=True
    )
    if waiting := sum(one.waits for one in found):
        raise DeclarationNotReady(
            f"{waiting} employees of {declaration.levy_period} are still being compared; try again"
        )
    month = _withhold_month(withhold_in, today)
    carried = [
        _declared(declaration, one, month if one.was_declared else withhold_in or "")
        for one in carried_of(rules.policies, found, today)
        if one.lines
    ]
    if not carried:
        left_out = "; ".join(
            f"{one.employee_id} is left out: {', '.join(one.reasons)}" for one in _blocked(found)
        )
        raise NothingToDeclare(
            f"nothing is owed beside what was declared for {declaration.levy_period}; "
            + (left_out or "refunds are applied for at the collector")
        )
    sums = declare_supplements(one.supplement() for one in carried)
    return await _save(conn, rules, declaration, account, carried, sums, by, now)


def _withhold_month(withhold_in: str | None, today: date) -> str:
    """The month before this one may still be paid; WithholdMonthPassed for any earlier one."""
    this_month = LevyPeriod.of(today)
    first, last = this_month.shifted(-1), this_month.shifted(_MOST_MONTHS_AHEAD)
    if withhold_in and not first <= LevyPeriod.parse(withhold_in) <= last:
        raise WithholdMonthPassed.of(withhold_in, first, last)
    return withhold_in or str(this_month)


async def _save(
    conn: Connection,
    rules: Rules,
    declaration: Declaration,
    account: Account,
    carried: Sequence[Carried],
    sums: Sums,
    by: str,
    now: datetime,
) -> Declaration:
    declaration = await debited_later(conn, declaration, sums.by_insurance)
    approved = await declarations.approve(conn, declaration, sums, by, now)
    rows = await with_deferred(conn, [_assessed(declaration, one) for one in carried])
    changed = [structs.replace(row, told=content_of(row)) for row in rows]
    left = [(one.assessment, one.refunds) for one in carried if one.was_declared]
    await supplements.freeze(conn, declaration.declaration_id, changed, left, now)
    await outbox.add(conn, [contribution_assessed(row) for row in changed], now)
    await outbox.add(conn, [declaration_approved(approved, account, now)], now)
    pair = (declaration.account_id, declaration.levy_period)
    await declarations.risk_again(conn, [pair], now, china_day(now))
    await allocate_waiting(conn, rules, {account.bank_account_ref}, now)
    return approved


async def supplement_view(
    conn: Connection, policies: Policies, declaration: Declaration, today: date
) -> SupplementView:
    if declaration.is_approved():
        return SupplementView(declaration, 0)
    found = await supplements.of_account(conn, declaration.account_id, declaration.levy_period)
    carried = [one for one in carried_of(policies, found, today) if one.lines]
    sums = declare_supplements(one.supplement() for one in carried)
    waiting = sum(one.waits for one in found)
    warned = _warnings(policies.of(declaration.city), declaration, carried, today)
    return SupplementView(declaration.with_sums(sums), waiting, warned, _blocked(found))


def _blocked(found: Sequence[Lacking]) -> list[Blocked]:
    """Of what was never declared: a declared month that is blocked now stays as it is."""
    return blocked_of(one.owed.assessment for one in found if one.proposed is None)


def _warnings(
    pack: Pack, declaration: Declaration, carried: Sequence[Carried], today: date
) -> tuple[str, ...]:
    kinds = {line.kind for one in carried for line in one.lines}
    if Kind.BACK_PAYMENT not in kinds:
        return ()
    warned = back_payment.warning(pack, LevyPeriod.parse(declaration.levy_period), today)
    return (warned,) if warned else ()


def carried_of(policies: Policies, found: Sequence[Lacking], today: date) -> list[Carried]:
    """What each month owes, apart from what is to be refunded."""
    carried = []
    for one in found:
        row = one.owed.assessment
        if one.proposed is not None:
            refunds = [line for line in one.proposed if line.is_refund()]
            lines = [line for line in one.proposed if not line.is_refund()]
            carried.append(Carried(row, lines, refunds, was_declared=True))
        else:
            period = LevyPeriod.parse(row.levy_period)
            terms = policies.pack_for(row.city, period, today).terms(period, today)
            terms_of = {each.insurance: each for each in terms}
            lines = never_declared(month_of(one.owed), row.lines, terms_of, today)
            carried.append(Carried(row, lines, (), was_declared=False))
    return carried


def with_days(rules: Rules, declaration: Declaration, account: Account, today: date) -> Declaration:
    """With the account's next days: it is filed, paid and due with the month that runs, or with the
    next one once that has been filed.
    """
    this_month = LevyPeriod.of(today)
    for period in (this_month, this_month.shifted(1)):
        days = rules.policies.of(declaration.city).days_at(period)
        assert days is not None
        rolled = account_days(days, period, account.auto_debit, rules.work_days)
        if rolled.file_by >= today:
            break
    return replace(
        declaration, file_by=rolled.file_by, debit_by=rolled.debit_by, due_on=rolled.due_on
    )


def _declared(declaration: Declaration, one: Carried, withhold_in: str) -> Carried:
    """The lines as this declaration declares them."""
    lines = [
        replace(
            line,
            due_on=line.due_on or declaration.due_on,
            declaration_id=declaration.declaration_id,
            declared_version=one.assessment.version + 1,
            withhold_in=withhold_in,
            debit_by=declaration.debit_by,
        )
        for line in one.lines
    ]
    return replace(one, lines=lines)


def _assessed(declaration: Declaration, one: Carried) -> Assessment:
    """The next version of the month: what was declared, with what is declared beside it now. Of a
    month that was never declared the due lines are the supplement's, and so are its days.
    """
    row = one.assessment
    lines, declared_version = row.lines, row.declared_version or row.version
    if not one.was_declared:
        lines = [line for line in row.lines if line.state is not LineState.DUE]
        declared_version = 0
    return structs.replace(
        row,
        version=row.version + 1,
        lines=lines,
        supplements=[*row.supplements, *one.lines],
        declared_version=declared_version,
        file_by=row.file_by if one.was_declared else declaration.file_by,
        debit_by=row.debit_by if one.was_declared else declaration.debit_by,
    )
