"""Wage data 变动工资数据 of a month: what departments hand in for a payroll run to compute with."""

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from payroll_svc.domain.faults import Fault
from payroll_svc.domain.pay_items import HIGHEST_AMOUNT_FEN, Entry, PayItem
from payroll_svc.domain.wages import BASE_SALARY, MONTHLY_WAGE, PAY_ITEMS
from shared.values import fen_text

FEN = "fen"
HOUR = "hour"
DAY = "day"
PIECE = "piece"

UNIT_WORDS: dict[str, str] = {FEN: "元", HOUR: "小时", DAY: "天", PIECE: "件"}
HIGHEST_THOUSANDTHS: dict[str, int] = {HOUR: 744_000, DAY: 31_000, PIECE: 1_000_000_000}
"""Of one month: 31 days, 744 hours; a million pieces is a slip of the decimal point."""


@dataclass(frozen=True, slots=True)
class InputItem:
    """A pay item and what it is measured in."""

    code: str
    unit: str


_QUANTITIES: dict[str, InputItem] = {
    "计件数量": InputItem("piece_pay", PIECE),
    "计件件数": InputItem("piece_pay", PIECE),
    "件数": InputItem("piece_pay", PIECE),
    "产量": InputItem("piece_pay", PIECE),
    "工作日加班小时": InputItem("overtime_150", HOUR),
    "平日加班小时": InputItem("overtime_150", HOUR),
    "平时加班小时": InputItem("overtime_150", HOUR),
    "延时加班小时": InputItem("overtime_150", HOUR),
    "加班小时": InputItem("overtime_150", HOUR),
    "休息日加班小时": InputItem("overtime_200", HOUR),
    "周末加班小时": InputItem("overtime_200", HOUR),
    "法定节假日加班小时": InputItem("overtime_300", HOUR),
    "节假日加班小时": InputItem("overtime_300", HOUR),
    "缺勤天数": InputItem("absence", DAY),
    "缺勤": InputItem("absence", DAY),
    "旷工天数": InputItem("absence", DAY),
    "事假天数": InputItem("personal_leave", DAY),
    "事假": InputItem("personal_leave", DAY),
    "全年一次性奖金": InputItem("annual_bonus", FEN),
    "年终奖": InputItem("annual_bonus", FEN),
    "其他应发": InputItem("other_pay", FEN),
    "税后补发": InputItem("after_tax_addition", FEN),
    "税后扣款": InputItem("after_tax_deduction", FEN),
    "法院判决代扣抚养费、赡养费": InputItem("court_maintenance", FEN),
    "法院判决代扣": InputItem("court_maintenance", FEN),
}

_AGREED = (MONTHLY_WAGE, BASE_SALARY)
"""What a person is paid by agreement is no news of a month: a raise has its first day."""

_NOISE = re.compile(r"[\s*_\-:：/（）()\[\]【】]+")
_TAIL = re.compile(r"(?<=.)[数元]$")
"""加班小时数 is 加班小时, 奖金（元） is 奖金; 事假（小时） is not 事假, which is in days."""

INPUT_ITEMS: dict[str, InputItem] = {
    **{
        words: InputItem(code, FEN) for words, (code, _) in PAY_ITEMS.items() if code not in _AGREED
    },
    **_QUANTITIES,
}
"""项目 as people write it as a header or in a row, to our code and unit.

Overtime is told apart by day, since 劳动法 art. 44 pays 150, 200 and 300 per cent.
"""

ITEM_WORDS = {item: words for words, item in reversed(INPUT_ITEMS.items())}
"""The first of its words: how an item is written."""


def _plain(words: str) -> str:
    return _TAIL.sub("", _NOISE.sub("", unicodedata.normalize("NFKC", words)).lower())


_BY_PLAIN_WORDS = {
    **{_plain(item.code): item for item in INPUT_ITEMS.values()},
    **{_plain(words): item for words, item in INPUT_ITEMS.items()},
}

_UNITS = {"amount": FEN, "pieces": PIECE, "hours": HOUR, "days": DAY}
"""What an item of each way is measured in."""

_TAILS = {FEN: ("",), HOUR: ("", "小时"), DAY: ("", "天"), PIECE: ("", "件", "数量")}
"""What an own item's name may be followed by: 夜班 is 夜班小时, where it is reckoned by hours."""

_PRICE = "单价"


class InputItems:
    """Every item that an employer's files may name, by whatever words: ours, and its own by their
    codes and names. A name that means two things means neither.
    """

    def __init__(self, own: Iterable[PayItem] = ()) -> None:
        meant = {words: {item} for words, item in _BY_PLAIN_WORDS.items()}
        self._names: dict[InputItem, str] = dict(ITEM_WORDS)
        for item in own:
            measured = InputItem(item.code, _UNITS[item.way])
            self._names[measured] = item.name
            meant[_plain(item.code)] = {measured}
            for tail in _TAILS[measured.unit]:
                meant.setdefault(_plain(f"{item.name}{tail}"), set()).add(measured)
        self._items = {
            words: next(iter(items)) for words, items in meant.items() if len(items) == 1
        }

    def named(self, words: str) -> InputItem | None:
        """The item that people mean, whatever blanks, width, brackets or 数 they write it with."""
        return self._items.get(_plain(words))

    def priced(self, words: str) -> InputItem | None:
        """The item by pieces whose price these words name: 零件甲单价 is that of 零件甲."""
        plain = _plain(words)
        item = self._items.get(plain.removesuffix(_PRICE)) if plain.endswith(_PRICE) else None
        return item if item is not None and item.unit == PIECE else None

    def words_of(self, item: InputItem) -> str:
        """How it is written."""
        return self._names.get(item, item.code)

    @property
    def words(self) -> list[str]:
        """How each is written, for whoever wrote something else."""
        return [name if self.named(name) else item.code for item, name in self._names.items()]


@dataclass(frozen=True, slots=True)
class WageInput:
    """One item of one employee's month: an amount in fen or a quantity in thousandths of its unit,
    pieces with their price in hundredths of a fen; `row` is where the file has it, `name` what an
    employer calls an item of its own.
    """

    row: int
    employee_id: str
    employee_no: str
    levy_period: str
    code: str
    unit: str
    amount_fen: int | None = None
    quantity_thousandths: int | None = None
    unit_price_fen_hundredths: int = 0
    name: str = ""

    @property
    def key(self) -> str:
        return f"{self.employee_id}/{self.levy_period}/{self.code}"

    @property
    def state(self) -> dict[str, str | int]:
        """What of it may change: the unit, and its value in fen or thousandths."""
        value = self.amount_fen if self.unit == FEN else self.quantity_thousandths
        assert value is not None
        found: dict[str, str | int] = {"unit": self.unit, "value": value}
        return {**found, "price": self.unit_price_fen_hundredths} if self.unit == PIECE else found

    @property
    def words(self) -> str:
        return self.name or ITEM_WORDS.get(InputItem(self.code, self.unit), self.code)

    @property
    def price_words(self) -> str:
        """What the column of its price is called: an own item has one of its own."""
        return f"{self.name or '计件'}{_PRICE}"


def entry_of(one: WageInput) -> Entry:
    """What a payroll run computes with; all 0 where the file says that there is none."""
    return Entry(
        one.code,
        one.amount_fen or 0,
        one.quantity_thousandths or 0,
        one.unit_price_fen_hundredths,
    )


def unit_of(code: str, amount_fen: int, own_way: str | None) -> str:
    """What an entry of this code that no file brought is measured in; an item of the employer's own
    by its way.
    """
    if own_way is not None:
        return _UNITS[own_way]
    units = [item.unit for item in INPUT_ITEMS.values() if item.code == code and item.unit != FEN]
    return FEN if amount_fen or not units else units[0]


def excess_of(entry: Entry, way: str) -> str:
    """Why an entry is more than a month may hold, if it is: a slip of the decimal point."""
    unit = _UNITS[way]
    if unit != FEN and entry.quantity_thousandths > HIGHEST_THOUSANDTHS[unit]:
        return f"一个月最多 {HIGHEST_THOUSANDTHS[unit] // 1000:,} {UNIT_WORDS[unit]}"
    if way == "pieces" and entry.pieces_fen > HIGHEST_AMOUNT_FEN:
        return f"数量乘单价超过 {fen_text(HIGHEST_AMOUNT_FEN)} 元"
    return ""


def fixed_words(levy_period: str) -> str:
    return f"{levy_period} 的工资核算已复核或审批"


def with_state(one: WageInput, state: Mapping[str, Any], row: int) -> WageInput:
    """The item brought to a state that `WageInput.state` gave, from this row of its file."""
    unit, value = str(state["unit"]), int(state["value"])
    return replace(
        one,
        row=row,
        unit=unit,
        amount_fen=value if unit == FEN else None,
        quantity_thousandths=None if unit == FEN else value,
        unit_price_fen_hundredths=int(state.get("price", 0)),
    )


def value_text(one: WageInput) -> str:
    """1200.00 or 8.5, without the unit's word: as a file has it."""
    if one.amount_fen is not None:
        return decimals_text(one.amount_fen, 2, 2)
    assert one.quantity_thousandths is not None
    return decimals_text(one.quantity_thousandths, 3, 0)


def decimals_text(value: int, places: int, least: int) -> str:
    """A whole number of 10^-places as plain decimal text with at least `least` decimals."""
    whole, rest = divmod(value, 10**places)
    decimals = f"{rest:0{places}d}".rstrip("0").ljust(least, "0")
    return f"{whole}.{decimals}" if decimals else str(whole)


def input_faults(
    rows: Sequence[WageInput],
    departments: Mapping[tuple[str, str], str],
    known: Mapping[str, WageInput],
    corrects: bool,
    fixed_periods: Sequence[str],
) -> list[Fault]:
    """What of a file does not fit the roster, or contradicts the wage data taken in before.

    `departments` maps (employee id, levy period) to where they are employed in it; `known` the keys
    to what is stored; no wage data are taken in for `fixed_periods`, whose run is checked.
    """
    faults: dict[tuple[int, str], Fault] = {}
    for one in rows:
        if one.levy_period in fixed_periods:
            todo = "未审批的先重新计算工资；已审批的在以后月份的工资核算里补差"
            reason = fixed_words(one.levy_period)
            fault = Fault(one.row, "所属月份", one.levy_period, reason, todo)
        elif (one.employee_id, one.levy_period) not in departments:
            todo = "核对工号和月份，或先在花名册里登记任职"
            reason = f"{one.levy_period} 不在职"
            fault = Fault(one.row, "工号", one.employee_no, reason, todo)
        elif not corrects and known.get(one.key, one).state != one.state:
            reason = f"{one.levy_period} 的“{one.words}”已导入或录入过，数值不同"
            todo = "如确需更正，上传时选择“更正已导入的数据”"
            fault = Fault(one.row, one.words, value_text(one), reason, todo)
        else:
            continue
        faults.setdefault((fault.row, fault.column), fault)
    return list(faults.values())
