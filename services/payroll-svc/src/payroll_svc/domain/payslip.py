"""Payslips 工资条 as issued, what a month's payslips say together, and what people say of them."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime

from payroll_svc.domain.differences import differences
from payroll_svc.domain.income_tax import Withholding
from payroll_svc.domain.pay import DueLine, late_owed
from payroll_svc.domain.pay_items import Reckoned
from shared.values import derived_id


@dataclass(frozen=True, slots=True)
class Payslip:
    """工资条 as issued and never edited: pay items, each insurance withheld, income tax with its
    reckoning, net, and what the employer pays beside it; fen.

    A payslip before items were kept has none, and no tax reckoning.
    """

    employee_id: str
    levy_period: str
    employer_id: str
    run_id: str
    payday: date
    gross_fen: int
    contributions_fen: int
    special_additional_fen: int
    tax_fen: int
    net_fen: int
    withheld: tuple[DueLine, ...]
    issued_at: datetime
    kind: str = "regular"
    items: tuple[Reckoned, ...] = ()
    tax: Withholding | None = None
    income_fen: int | None = None
    bonus_apart_fen: int = 0
    bonus_tax_fen: int = 0
    employer_fen: int = 0
    agreed_wage_fen: int = 0
    department_id: str = ""
    person_version: int = 0
    warnings: tuple[str, ...] = ()

    @property
    def employer_cost_fen(self) -> int:
        """用工成本: gross and the employer's part of every insurance."""
        return self.gross_fen + self.employer_fen

    @property
    def taxed_fen(self) -> int:
        """What of it the year's cumulation has."""
        return self.gross_fen if self.income_fen is None else self.income_fen

    def lines_for(self, levy_period: str) -> list[DueLine]:
        """What it withheld for a month, its own or an earlier one."""
        return [
            line for line in self.withheld if (line.levy_period or self.levy_period) == levy_period
        ]


@dataclass(frozen=True, slots=True)
class MonthPaid:
    """What all payslips together paid for, and withheld for, one employee's month."""

    last: Payslip
    gross_fen: int
    tax_fen: int
    net_fen: int
    items: tuple[Reckoned, ...]
    withheld: tuple[DueLine, ...]
    earlier: tuple[DueLine, ...]
    income_fen: int
    special_additional_fen: int
    bonus_apart_fen: int
    bonus_tax_fen: int


def month_paid(levy_period: str, slips: Sequence[Payslip]) -> MonthPaid:
    """`slips` are all that paid for the month or withheld for it, at least one its own, in the
    order of their issue.
    """
    own = [slip for slip in slips if slip.levy_period == levy_period]
    return MonthPaid(
        last=own[-1],
        gross_fen=sum(slip.gross_fen for slip in own),
        tax_fen=sum(slip.tax_fen for slip in own),
        net_fen=sum(slip.net_fen for slip in own),
        items=tuple(item for slip in own for item in slip.items),
        withheld=added_up(line for slip in slips for line in slip.lines_for(levy_period)),
        earlier=tuple(
            line
            for slip in own
            for line in slip.withheld
            if line.levy_period not in ("", levy_period)
        ),
        income_fen=sum(slip.taxed_fen for slip in own),
        special_additional_fen=sum(slip.special_additional_fen for slip in own),
        bonus_apart_fen=sum(slip.bonus_apart_fen for slip in own),
        bonus_tax_fen=sum(slip.bonus_tax_fen for slip in own),
    )


def added_up(lines: Iterable[DueLine]) -> tuple[DueLine, ...]:
    """One line an insurance, in the order that they came: both sides' amounts added up."""
    sums: dict[str, DueLine] = {}
    for line in lines:
        known = sums.get(line.insurance)
        sums[line.insurance] = (
            line
            if known is None
            else replace(
                known,
                base_fen=max(known.base_fen, line.base_fen),
                employer_fen=known.employer_fen + line.employer_fen,
                employee_fen=known.employee_fen + line.employee_fen,
            )
        )
    return tuple(sums.values())


def rest_of(told: Payslip, known: Sequence[Payslip]) -> Payslip | None:
    """What a month's payslips were told to say in all, less those that a restored store has; None
    where they say it. `known` are all that paid for the month or withheld for it.
    """
    month = told.levy_period
    own = [slip for slip in known if slip.levy_period == month]
    taken = [line for slip in known for line in slip.lines_for(month)]
    lines = list(late_owed(month, told.lines_for(month), taken))
    for earlier in sorted({line.levy_period for line in told.withheld} - {"", month}):
        before = [line for slip in own for line in slip.lines_for(earlier)]
        lines += late_owed(earlier, told.lines_for(earlier), before)
    if not own:
        return replace(told, withheld=tuple(lines), contributions_fen=_own_part(lines))
    rest = replace(
        told,
        # No run of this store has issued it: it is what its lost ones did.
        run_id=str(derived_id("restored-payslip", told.run_id)),
        kind="correction",
        items=differences(
            told.levy_period, told.items, [item for slip in own for item in slip.items]
        ),
        gross_fen=told.gross_fen - sum(slip.gross_fen for slip in own),
        tax_fen=told.tax_fen - sum(slip.tax_fen for slip in own),
        net_fen=told.net_fen - sum(slip.net_fen for slip in own),
        contributions_fen=_own_part(lines),
        income_fen=told.taxed_fen - sum(slip.taxed_fen for slip in own),
        special_additional_fen=told.special_additional_fen
        - sum(slip.special_additional_fen for slip in own),
        bonus_apart_fen=told.bonus_apart_fen - sum(slip.bonus_apart_fen for slip in own),
        bonus_tax_fen=told.bonus_tax_fen - sum(slip.bonus_tax_fen for slip in own),
        withheld=tuple(lines),
    )
    says_more = rest.items or lines or rest.gross_fen or rest.tax_fen or rest.net_fen
    return rest if says_more else None


def _own_part(lines: Iterable[DueLine]) -> int:
    return sum(line.employee_fen for line in lines)


CONFIRMED = "confirmed"
DISPUTED = "disputed"
ANSWERED = "answered"


@dataclass(frozen=True, slots=True)
class Reply:
    """What the employee said of a payslip (confirmed, disputed), or HR of a dispute (answered).

    An answer names the correction run that it led to, or gives its reason in words.
    """

    employee_id: str
    run_id: str
    ordinal: int
    kind: str
    words: str
    said_by: str
    said_at: datetime
    correction_run_id: str | None = None


def may_follow(replies: Sequence[Reply], kind: str) -> bool:
    """Only a dispute is answered; an open dispute is answered before anything else is said; who
    confirmed may dispute later, and what was answered may be disputed again or confirmed.
    """
    last = replies[-1].kind if replies else ""
    if kind == ANSWERED:
        return last == DISPUTED
    return last != DISPUTED and not (kind == CONFIRMED and last == CONFIRMED)
