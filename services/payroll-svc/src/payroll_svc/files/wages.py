"""Wages of past months 历史工资: one amount a row (long), or one month a column (wide)."""

from collections.abc import Iterable, Mapping
from datetime import date, datetime

from payroll_svc.domain.pay_items import PayItem
from payroll_svc.domain.wages import MONTHLY_WAGE, PAY_ITEMS, WageRow
from payroll_svc.files.cells import Cell, CellRefused, fen, month, text, yes_or_no
from payroll_svc.files.grid import Column, Grid, RowReader, find_header, require
from payroll_svc.files.person_rows import (
    EMPLOYEE_NO,
    NAME,
    NO_NAMES,
    RowsRead,
    employee_of,
    read_rows,
)

WAGE_MONTH = Column("wage_month", "工资月份", ("月份", "工资所属月", "所属月份"))
ITEM = Column("item", "项目", ("工资项目", "项目名称"))
AMOUNT = Column("amount", "金额", ("工资", "应发工资", "应发金额"))
COUNTS = Column("counts_as_wage", "计入工资总额", ("是否计入工资总额",))

COLUMNS = (EMPLOYEE_NO, NAME, WAGE_MONTH, ITEM, AMOUNT, COUNTS)
_MONTH_PREFIX = "month "


def read_wages(
    grid: Grid,
    employer_id: str,
    known: Mapping[str, str],
    today: date,
    own: Iterable[PayItem] = (),
    names: Mapping[str, str] = NO_NAMES,
) -> RowsRead[WageRow]:
    """Every amount of a file in the long or the wide form; FileUnreadable without header or rows.

    `known` maps employee numbers to employee ids, `names` to what a name beside one must be; an
    item of the employer's `own` counts as wage or not as it says. All amounts of a row are left out
    when one of them has a fault.
    """
    header = find_header(grid, COLUMNS, _month_column)
    months = [name for name in header.places if name.startswith(_MONTH_PREFIX)]
    items = dict(PAY_ITEMS)
    for item in own:
        named = (item.code, item.counts_as_wage)
        items = {item.name: named, item.code: named, **items}
    if not months:
        require(grid, header, (WAGE_MONTH, AMOUNT))
    return read_rows(
        grid,
        header,
        lambda reader: _read_row(reader, months, items, employer_id, known, names, today),
        lambda row: f"{row.employee_no}/{row.wage_month}/{row.code}",
        lambda row: f"{row.wage_month} 的同一项目",
    )


def _month_column(cell: Cell) -> str | None:
    """A header that is a month: text, a whole number, or the date that a spreadsheet made of it."""
    if not isinstance(cell, str | float | int | date | datetime):
        return None
    try:
        return _MONTH_PREFIX + month(cell)
    except CellRefused:
        return None


def _read_row(
    reader: RowReader,
    months: list[str],
    items: Mapping[str, tuple[str, bool]],
    employer_id: str,
    known: Mapping[str, str],
    names: Mapping[str, str],
    today: date,
) -> list[WageRow]:
    employee_id, employee_no = employee_of(reader, employer_id, known, names)
    if months:
        return _wide(reader, months, employee_id, employee_no, today)
    return _long(reader, items, employee_id, employee_no, today)


def _wide(
    reader: RowReader, months: list[str], employee_id: str, employee_no: str, today: date
) -> list[WageRow]:
    """An empty month is one without wage: before joining, or after leaving."""
    rows: list[WageRow] = []
    for column in months:
        amount_fen = reader.optional(column, fen, None)
        wage_month = column.removeprefix(_MONTH_PREFIX)
        if amount_fen is None:
            continue
        if wage_month > _month_of(today):
            reader.refuse(column, "工资月份还没有到", "删去将来月份的金额")
        rows.append(
            WageRow(reader.row, employee_id, employee_no, wage_month, MONTHLY_WAGE, amount_fen)
        )
    return rows


def _long(
    reader: RowReader,
    items: Mapping[str, tuple[str, bool]],
    employee_id: str,
    employee_no: str,
    today: date,
) -> list[WageRow]:
    wage_month = reader.required("wage_month", month)
    if wage_month is not None and wage_month > _month_of(today):
        reader.refuse("wage_month", "工资月份还没有到", "核对年月")
    amount_fen = reader.required("amount", fen)
    item, counts = reader.optional("item", lambda cell: _item(items, cell), items[""])
    counts = reader.optional("counts_as_wage", yes_or_no, counts)
    if wage_month is None or amount_fen is None:
        return []
    return [WageRow(reader.row, employee_id, employee_no, wage_month, item, amount_fen, counts)]


def _item(items: Mapping[str, tuple[str, bool]], cell: Cell) -> tuple[str, bool]:
    """A pay item that we do not know keeps its own name and counts as wage: 关于工资总额组成的规定
    art. 4 is the rule.
    """
    words = text(cell)
    if len(words) > 40:
        raise CellRefused("项目名称超过 40 个字符", "缩短名称")
    return items.get(words, (words, True))


def _month_of(today: date) -> str:
    return f"{today.year:04d}-{today.month:02d}"
