"""Pay items 薪资项目: the catalogue, what was entered for a person, and what came of it."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Generic, TypeVar

NotedT = TypeVar("NotedT")

GROSS = "gross"
AFTER_TAX = "after_tax"
BASE_SALARY = "base_salary"
ANNUAL_BONUS = "annual_bonus"

HIGHEST_AMOUNT_FEN = 1_000_000_000
"""10 million yuan a month: above it a wage is a slip of the decimal point."""

WAYS = {
    "amount": "直接给金额",
    "pieces": "数量 × 单价",
    "hours": "小时工资 × 小时数 × 倍率",
    "days": "日工资 × 天数 × 比例",
}
"""How an item's amount comes about."""


@dataclass(frozen=True, slots=True)
class PayItem:
    """One item of the catalogue, the statutory one or an employer's own.

    `way` is one of WAYS, `part` gross or after_tax; `rate_ppm` multiplies the hourly or daily wage;
    `by_days`: as a standing item it is paid by the days of employment. `law` says why it counts as
    wage and is taxed, or not.
    """

    code: str
    name: str
    way: str = "amount"
    part: str = GROSS
    deducts: bool = False
    counts_as_wage: bool = True
    taxed: bool = True
    by_days: bool = False
    rate_ppm: int = 1_000_000
    law: str = ""


@dataclass(frozen=True, slots=True)
class Standing:
    """What a person gets every month from `since` on; a later one of the same code follows it.

    `until` is the last day (None: until a later one). 0 fen ends an item.
    """

    code: str
    since: date
    amount_fen: int
    until: date | None = None


@dataclass(frozen=True, slots=True)
class Entry:
    """What was entered for one person and month under one code.

    An amount in fen, or a quantity in thousandths (pieces, hours or days) and for pieces a unit
    price in hundredths of a fen. All 0 takes the entry back.
    """

    code: str
    amount_fen: int = 0
    quantity_thousandths: int = 0
    unit_price_fen_hundredths: int = 0

    @property
    def is_empty(self) -> bool:
        return not (self.amount_fen or self.quantity_thousandths)

    @property
    def pieces_fen(self) -> int:
        """Quantity x unit price, rounded once."""
        return half_up(self.quantity_thousandths * self.unit_price_fen_hundredths, 1000 * 100)


@dataclass(frozen=True, slots=True)
class Noted(Generic[NotedT]):
    """What was entered, when, and by whom: a `sub`, or the import that brought it."""

    what: NotedT
    entered_at: datetime
    entered_by: str


@dataclass(frozen=True, slots=True)
class Step:
    """One figure of a reckoning: what it is, its whole number, and that number's unit."""

    label: str
    value: int
    unit: str = "fen"


@dataclass(frozen=True, slots=True)
class Reckoned:
    """One item of a run: `amount_fen` is signed, `reckoning` the sentence that it comes from.

    `belongs_to` is the month that a difference makes good, empty for the run's own.
    """

    code: str
    name: str
    amount_fen: int
    part: str = GROSS
    counts_as_wage: bool = True
    taxed: bool = True
    belongs_to: str = ""
    reckoning: str = ""
    steps: tuple[Step, ...] = ()


def gross_fen_of(items: Iterable[Reckoned]) -> int:
    return sum(item.amount_fen for item in items if item.part == GROSS)


def wage_fen_of(items: Iterable[Reckoned]) -> int:
    """The part that counts as wage and so into the contribution base."""
    return sum(item.amount_fen for item in items if item.counts_as_wage)


def taxed_fen_of(items: Iterable[Reckoned], code: str | None = None) -> int:
    """The taxed part, of one code if it is named."""
    return sum(item.amount_fen for item in items if item.taxed and code in (None, item.code))


def after_tax_fen_of(items: Iterable[Reckoned]) -> int:
    """Signed: additions after tax less deductions after tax."""
    return sum(item.amount_fen for item in items if item.part == AFTER_TAX)


def percent(ppm: int) -> str:
    """For sentences: 80_000 -> '8%', 2_000 -> '0.2%'."""
    whole, rest = divmod(ppm, 10_000)
    return f"{whole}.{rest:04d}".rstrip("0").rstrip(".") + "%"


def thousandths(value: int) -> str:
    """For sentences: 7_500 -> '7.5'."""
    return f"{value // 1000}.{value % 1000:03d}".rstrip("0").rstrip(".")


def price_text(fen_hundredths: int) -> str:
    """A unit price for sentences, down to a hundredth of a fen: 1250 -> '0.125'."""
    whole, rest = divmod(fen_hundredths, 10_000)
    return f"{whole}.{rest:04d}".rstrip("0").rstrip(".")


def half_up(numerator: int, denominator: int) -> int:
    """The quotient rounded once to a whole fen: a half goes away from zero."""
    sign = -1 if numerator < 0 else 1
    return sign * ((abs(numerator) * 2 + denominator) // (denominator * 2))
