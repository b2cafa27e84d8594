"""An employer 用人单位 with its insurance accounts, departments and HR staff, and how files name
them.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from shared.values import Insurance, derived_id


@dataclass(frozen=True, slots=True)
class Account:
    """单位社保账户: `city_name` is how rosters may write the city; payroll knows no policy and no
    other name.

    `own_rates`: by insurance the employer's and the employee's millionths, where the city leaves
    them to the account. `injury_class` (1 to 8) and `injury_float_percent` say where that of work
    injury comes from; 0: not said.
    """

    account_id: str
    account_no: str
    city: str
    city_name: str
    collector: str
    bank_account_ref: str
    auto_debit: bool
    own_rates: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    injury_class: int = 0
    injury_float_percent: int = 0


@dataclass(frozen=True, slots=True)
class Department:
    department_id: str
    code: str
    name: str


@dataclass(frozen=True, slots=True)
class HrStaff:
    """An HR specialist; no departments means all of them."""

    sub: str
    department_ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Employer:
    """`cut_over` is the first reconciled levy period, `payday` the day of the month."""

    employer_id: str
    group_id: str
    name: str
    uscc: str
    cut_over: str
    payday: int
    accounts: tuple[Account, ...]
    departments: tuple[Department, ...]
    hr_staff: tuple[HrStaff, ...] = ()
    version: int = 1

    def department(self, words: str) -> Department | None:
        """The department that a file names by code or by name."""
        return next((d for d in self.departments if words in (d.code, d.name)), None)

    def accounts_of(self, city: str, account_no: str) -> list[Account]:
        """The accounts that fit what a file says; an empty text fits all."""
        return [
            account
            for account in self.accounts
            if city in ("", account.city, account.city_name)
            and account_no in ("", account.account_no)
        ]


def employer_id_of(uscc: str) -> str:
    """The id of the legal entity with this 统一社会信用代码."""
    return str(derived_id("employer", uscc))


def employee_id_of(employer_id: str, employee_no: str) -> str:
    """One person at one employer; at another employer they are another employee."""
    return str(derived_id("employee", employer_id, employee_no))


def account_id_of(employer_id: str, city: str, account_no: str) -> str:
    return str(derived_id("account", employer_id, city, account_no))


def department_id_of(employer_id: str, code: str) -> str:
    return str(derived_id("department", employer_id, code))


def own_rates_of(
    injury: tuple[int, int] | None, fund_ppm: tuple[int, int] | None
) -> dict[str, tuple[int, int]]:
    """An account's own rates in millionths, from the rate of its class and its float in percent,
    and from both sides of its housing fund; None: not said.
    """
    found: dict[str, tuple[int, int]] = {}
    if injury is not None:
        class_ppm, float_percent = injury
        found[Insurance.WORK_INJURY] = (class_ppm * float_percent // 100, 0)
    if fund_ppm is not None:
        found[Insurance.HOUSING_FUND] = fund_ppm
    return found


def repeated(values: Iterable[str]) -> list[str]:
    """The values that occur more than once, in the order of their first place."""
    counts = Counter(values)
    return [value for value, count in counts.items() if count > 1]
