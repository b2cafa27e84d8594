"""Wage data of the month 变动工资数据: one item a row (long), or one item a column (wide)."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from payroll_svc.domain.faults import Fault
from payroll_svc.domain.wage_inputs import (
    FEN,
    HIGHEST_THOUSANDTHS,
    PIECE,
    UNIT_WORDS,
    InputItem,
    WageInput,
    input_item,
)
from payroll_svc.files.cells import Cell, CellRefused, fen, is_blank, price, text, thousandths
from payroll_svc.files.grid import Column, Grid, RowReader, find_header, require
from payroll_svc.files.person_rows import (
    DEPARTMENT,
    EMPLOYEE_NO,
    NAME,
    PERIOD,
    employee_of,
    period_of,
    read_rows,
    require_period,
)

ITEM = Column("item", "项目", ("工资项目", "项目名称"))
AMOUNT = Column("amount", "金额", ())
QUANTITY = Column("quantity", "数量", ())
UNIT = Column("unit", "单位", ("计量单位",))

PRICE = Column("price", "计件单价", ("单价", "单件工价"))

COLUMNS = (EMPLOYEE_NO, NAME, PERIOD, DEPARTMENT, ITEM, AMOUNT, QUANTITY, UNIT, PRICE)
_ITEM_PREFIX = "item "


@dataclass(frozen=True, slots=True)
class WageDataFile:
    """What a file of wage data holds: its whole items, how many rows it has, every fault, and
    notes.
    """

    rows: tuple[WageInput, ...]
    row_count: int
    faults: tuple[Fault, ...]
    notes: tuple[str, ...]


def read_wage_data(
    grid: Grid, employer_id: str, known: Mapping[str, str], levy_period: str
) -> WageDataFile:
    """Every item of a file in either form; FileUnreadable without header, rows or month.

    `known` maps employee numbers to employee ids; `levy_period` is the month that the sender named
    (or none), which a column of the file may repeat but not contradict. All items of a row are left
    out when one of them has a fault.
    """
    header = find_header(grid, COLUMNS, _item_column)
    items = {
        name: item
        for name, words in header.words.items()
        if name.startswith(_ITEM_PREFIX) and (item := input_item(words)) is not None
    }
    if not items:
        require(grid, header, (ITEM,))
    require_period(grid, header, levy_period)
    rows, row_count, faults = read_rows(
        grid,
        header,
        lambda reader: _read_row(reader, items, employer_id, known, levy_period),
        lambda row: row.key,
        lambda row: f"{row.levy_period} 的“{row.words}”",
    )
    return WageDataFile(rows, row_count, faults, grid.notes)


def _item_column(cell: Cell) -> str | None:
    item = input_item(cell) if isinstance(cell, str) else None
    return f"{_ITEM_PREFIX}{item.code}" if item is not None else None


def _read_row(
    reader: RowReader,
    items: Mapping[str, InputItem],
    employer_id: str,
    known: Mapping[str, str],
    levy_period: str,
) -> list[WageInput]:
    employee_id, employee_no = employee_of(reader, employer_id, known)
    period = period_of(reader, levy_period)
    values = _wide(reader, items) if items else _long(reader)
    return [
        WageInput(
            row=reader.row,
            employee_id=employee_id,
            employee_no=employee_no,
            levy_period=period,
            code=item.code,
            unit=item.unit,
            amount_fen=value if item.unit == FEN else None,
            quantity_thousandths=None if item.unit == FEN else value,
            unit_price_fen_hundredths=_price(reader) if item.unit == PIECE else 0,
        )
        for item, value in values
    ]


def _price(reader: RowReader) -> int:
    """Pieces are worth nothing without one."""
    return reader.required("price", price) or 0


def _wide(reader: RowReader, items: Mapping[str, InputItem]) -> list[tuple[InputItem, int]]:
    """An empty cell says nothing; 0 says that there is none."""
    found: list[tuple[InputItem, int]] = []
    for column, item in items.items():
        value = reader.optional(column, _parser(item), None)
        if value is not None:
            found.append((item, value))
    return found


def _long(reader: RowReader) -> list[tuple[InputItem, int]]:
    item = reader.required("item", _item)
    if item is None:
        return []
    column, other = ("amount", "quantity") if item.unit == FEN else ("quantity", "amount")
    if not is_blank(reader.cell(other)):
        wanted = "金额" if item.unit == FEN else f"数量（{UNIT_WORDS[item.unit]}）"
        reader.refuse(other, f"“{reader.cell('item')}”应填{wanted}", f"把数值填在{wanted[:2]}列")
        return []
    unit = reader.optional("unit", text, UNIT_WORDS[item.unit])
    if unit != UNIT_WORDS[item.unit]:
        reader.refuse("unit", f"应以{UNIT_WORDS[item.unit]}计", "换算后填写，或改正项目")
    value = reader.required(column, _parser(item))
    return [] if value is None else [(item, value)]


def _parser(item: InputItem) -> Callable[[Cell], int]:
    return fen if item.unit == FEN else lambda cell: _bounded(cell, item.unit)


def _bounded(cell: Cell, unit: str) -> int:
    value = thousandths(cell)
    highest = HIGHEST_THOUSANDTHS[unit]
    if value > highest:
        words = UNIT_WORDS[unit]
        raise CellRefused(f"一个月最多 {highest // 1000:,} {words}", "核对小数点和月份")
    return value


def _item(cell: Cell) -> InputItem:
    """An unknown item is refused: under a wrong name it would be paid by nobody's rule."""
    item = input_item(text(cell))
    if item is None:
        raise CellRefused("不认识的工资项目", "改为：奖金、计件数量、加班小时、事假天数 等")
    return item
