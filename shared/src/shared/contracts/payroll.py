"""What payroll-svc says: who employs whom, where they are insured, what they earned and what was
withheld.
"""

from typing import ClassVar

import msgspec

from shared.contracts.event import (
    IDENTITIES,
    PAYROLL,
    EmployeeEvent,
    EmployeeMonthEvent,
    Event,
    Fact,
)
from shared.values import Insurance


class AccountFact(Fact, frozen=True):
    """单位社保账户: one account of the employer with a city's collector.

    `account_no` is the bureau's number. `auto_debit` accounts file by the working day before the
    debit. `own_rates` maps an insurance to the account's own [employer, employee] millionths:
    work injury by `injury_class` (1 to 8) and `injury_float_percent`, housing fund.
    """

    account_id: str
    account_no: str
    city: str
    collector: str
    bank_account_ref: str
    auto_debit: bool = True
    agency: str = ""
    own_rates: dict[str, tuple[int, int]] = msgspec.field(default_factory=dict)
    injury_class: int = 0
    injury_float_percent: int = 0


class DepartmentFact(Fact, frozen=True):
    department_id: str
    code: str
    name: str


class HrStaffFact(Fact, frozen=True):
    """An HR specialist: the `sub` of their token, and the departments whose tickets are theirs
    (empty: all).
    """

    sub: str
    role: str = "specialist"
    department_ids: tuple[str, ...] = ()


class EmployerChanged(Event, frozen=True, kw_only=True):
    """用人单位 with its accounts, departments and HR staff.

    `cut_over` is the first levy period that is reconciled (YYYY-MM); `payday` the day of the month.
    """

    TOPIC: ClassVar[str] = PAYROLL

    employer_id: str
    group_id: str
    name: str
    uscc: str
    cut_over: str
    payday: int
    accounts: tuple[AccountFact, ...]
    departments: tuple[DepartmentFact, ...]
    hr_staff: tuple[HrStaffFact, ...] = ()

    def key(self) -> str:
        return self.employer_id

    def aggregate(self) -> str:
        return self.employer_id


class SpellFact(Fact, frozen=True):
    """One stretch of employment, both ends inclusive (`until` empty: still running)."""

    since: str
    department_id: str
    city: str
    account_id: str
    until: str = ""


class EmployeeChanged(EmployeeEvent, frozen=True, kw_only=True):
    """员工: kind, spells and what papers are missing; no personal data.

    `person_kind` is a code of the policy pack's catalogue (`regular`, `retired_rehired`,
    `foreigner`, ...); `documents_missing` names papers without which nothing can be assessed; `sub`
    is the token subject. `first_month_wage_fen` is what was agreed for a whole first month;
    `first_fund_member`: was never a member of a housing fund before this employment. The roster's
    monthly wage and 专项附加扣除 are None where an older release told it.
    """

    TOPIC: ClassVar[str] = PAYROLL

    employee_no: str
    person_kind: str
    spells: tuple[SpellFact, ...]
    documents_missing: tuple[str, ...] = ()
    first_month_wage_fen: int = 0
    sub: str = ""
    cost_centre: str = ""
    first_fund_member: bool = False
    agreed_wage_fen: int | None = None
    special_additional_fen: int | None = None


class EmployeeSealed(EmployeeEvent, frozen=True, kw_only=True):
    """The employee's personal data, sealed (see `shared.sealed`): the only event that carries any.

    `sealed` is base64 of the AES-256-GCM ciphertext of a JSON object with name, id_type, id_no,
    phone, email, bank_account; `wrapped_key` the person's key wrapped by root key `root_key_id`.
    """

    TOPIC: ClassVar[str] = IDENTITIES
    # Backups hold no identities: after a restore they come back by replay alone.
    VERSION_IS_FENCE: ClassVar[bool] = True

    sealed: str
    wrapped_key: str
    root_key_id: str


class PayItemFact(Fact, frozen=True):
    """One pay item; `counts_as_wage` by 关于工资总额组成的规定 (1990).

    `belongs_to` is the month that it makes good, empty for the event's own.
    """

    code: str
    amount_fen: int
    counts_as_wage: bool = True
    belongs_to: str = ""


class SalaryComputed(EmployeeMonthEvent, frozen=True, kw_only=True):
    """An employee's gross pay of one wage month.

    `purpose` is `run` (a payroll run; `levy_period` is the month whose contributions it withholds)
    or `history` (`levy_period` is a past wage month; makes no cells). `wage_fen` is the part that
    counts as wage.
    """

    TOPIC: ClassVar[str] = PAYROLL

    purpose: str
    run_id: str
    gross_fen: int
    wage_fen: int
    payday: str = ""
    items: tuple[PayItemFact, ...] = ()

    def aggregate(self) -> str:
        return f"{self.employee_id}/{self.levy_period}/{self.purpose}"


class WithheldFact(Fact, frozen=True):
    """代扣: what the payslip took for one insurance, beside what the employer pays.

    `levy_period` is the month that it is for, empty for the event's own.
    """

    insurance: Insurance
    base_fen: int
    employee_fen: int
    employer_fen: int
    employee_ppm: int = 0
    employer_ppm: int = 0
    levy_period: str = ""


class PayslipIssued(EmployeeMonthEvent, frozen=True, kw_only=True):
    """工资条 of a month, all payslips that paid for it together: gross and its items, what was
    withheld per insurance for the month, income tax, other deductions and net, all in fen.

    `earlier` is what its payslips withheld for other months, whose own events tell it as well.
    `origin` is `run`, or `imported` where the company keeps its own payroll (no `run_id` then);
    `reason` says why an imported version follows an earlier one. One that is withdrawn has 0 and
    nothing withheld. To the tax year it adds `income_fen` and `special_additional_fen` (None: not
    said); a bonus taxed apart is in neither, and its tax is in `tax_fen`.
    """

    TOPIC: ClassVar[str] = PAYROLL

    run_id: str
    payday: str
    gross_fen: int
    tax_fen: int
    net_fen: int
    withheld: tuple[WithheldFact, ...]
    items: tuple[PayItemFact, ...] = ()
    earlier: tuple[WithheldFact, ...] = ()
    origin: str = "run"
    other_fen: int = 0
    reason: str = ""
    income_fen: int | None = None
    special_additional_fen: int | None = None
    bonus_apart_fen: int = 0
    bonus_tax_fen: int = 0


class OwnPayItemFact(Fact, frozen=True):
    """An employer's own pay item: `way` amount, pieces, hours or days; `part` gross or after_tax;
    `rate_ppm` multiplies the hourly or daily wage.
    """

    code: str
    name: str
    way: str
    part: str
    deducts: bool
    counts_as_wage: bool
    taxed: bool
    by_days: bool
    rate_ppm: int
    law: str


class PayItemsChanged(Event, frozen=True, kw_only=True):
    """自定薪资项目: all of an employer's own pay items; they are only ever added."""

    TOPIC: ClassVar[str] = PAYROLL

    employer_id: str
    items: tuple[OwnPayItemFact, ...]

    def key(self) -> str:
        return self.employer_id

    def aggregate(self) -> str:
        return self.employer_id


class StandingFact(Fact, frozen=True):
    """What a person gets every month from `since` on (`until` empty: until a later one)."""

    code: str
    since: str
    amount_fen: int
    entered_at: str
    entered_by: str
    until: str = ""


class StandingItemsChanged(EmployeeEvent, frozen=True, kw_only=True):
    """固定薪资项目: all that HR entered for an employee from a day on."""

    TOPIC: ClassVar[str] = PAYROLL

    items: tuple[StandingFact, ...]


class EntryFact(Fact, frozen=True):
    """An amount in fen, or a quantity in thousandths and for pieces a price in hundredths of a fen;
    all 0 where it was taken back.
    """

    code: str
    amount_fen: int
    quantity_thousandths: int
    unit_price_fen_hundredths: int
    entered_at: str
    entered_by: str


class EntriesChanged(EmployeeMonthEvent, frozen=True, kw_only=True):
    """变动薪资数据: all that HR or a department's file entered for an employee's month; what a run
    made of it is told as SalaryComputed.
    """

    TOPIC: ClassVar[str] = PAYROLL

    entries: tuple[EntryFact, ...]


class TaxDeclared(EmployeeEvent, frozen=True, kw_only=True):
    """专项附加扣除 and elections that an employee declared: of children, parents, rent and illness,
    therefore sealed.

    `sealed` is base64 of the ciphertext under the person's own key, which EmployeeSealed alone
    carries: destroying it destroys this too.
    """

    TOPIC: ClassVar[str] = PAYROLL

    sealed: str
    entered_at: str
    entered_by: str


class PayslipReplied(EmployeeEvent, frozen=True, kw_only=True):
    """What was said of one payslip: `kind` is the newest word on it (confirmed, disputed or
    answered); all of them, with who said them, are `sealed` as in TaxDeclared.
    """

    TOPIC: ClassVar[str] = PAYROLL

    run_id: str
    kind: str
    sealed: str

    def aggregate(self) -> str:
        return f"{self.employee_id}/{self.run_id}"


class WageDataDue(Event, frozen=True, kw_only=True):
    """变动工资数据: what one department has to hand in for one levy period, and how it stands.

    `due_on` is a working day, or not `rolled` where its year's holidays were not known. `stage` is
    `ahead`, `due_soon`, `due_today`, `missed`, `handed_in` or `nothing` (there is nothing to hand
    in, as the department confirmed); `late` holds once `due_on` has passed.
    """

    TOPIC: ClassVar[str] = PAYROLL

    employer_id: str
    department_id: str
    department: str
    levy_period: str
    due_on: str
    stage: str
    late: bool = False
    handed_in_at: str = ""
    handed_in_by: str = ""
    rows: int = 0
    remind_days: int = 0
    rolled: bool = True

    def key(self) -> str:
        return self.department_id

    def aggregate(self) -> str:
        return f"{self.department_id}/{self.levy_period}"
