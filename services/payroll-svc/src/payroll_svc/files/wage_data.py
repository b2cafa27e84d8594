"""Wage data of the month 变动工资数据: one item a row (long), or one item a column (wide)."""

from collections.abc import Callable, Iterable, Mapping

from payroll_svc.domain.pay_items import PayItem
from payroll_svc.domain.wage_inputs import (
    FEN,
    HIGHEST_THOUSANDTHS,
    ITEM_WORDS,
    PIECE,
    UNIT_WORDS,
    InputItem,
    InputItems,
    WageInput,
    entry_of,
    excess_of,
)
from payroll_svc.files.cells import Cell, CellRefused, fen, is_blank, price, text, thousandths
from payroll_svc.files.grid import (
    Column,
    Grid,
    Header,
    RowReader,
    find_header,
    require,
    unreadable,
)
from payroll_svc.files.person_rows import (
    DEPARTMENT,
    EMPLOYEE_NO,
    NAME,
    NO_NAMES,
    PERIOD,
    RowsRead,
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


def read_wage_data(
    grid: Grid,
    employer_id: str,
    known: Mapping[str, str],
    levy_period: str,
    own: Iterable[PayItem] = (),
    names: Mapping[str, str] = NO_NAMES,
) -> RowsRead[WageInput]:
    """Every item of a file in either form, ours and the employer's `own`; FileUnreadable without
    header, rows or month.

    `known` maps employee numbers to employee ids, `names` to what a name beside one must be;
    `levy_period` is the month that the sender named (or none), which a column of the file may
    repeat but not contradict. All items of a row are left out when one of them has a fault.
    """
    items = InputItems(own)
    header = find_header(grid, COLUMNS, lambda cell: _item_column(items, cell), items.words)
    columns = {
        name: item
        for name, words in header.words.items()
        if name.startswith(_ITEM_PREFIX) and (item := items.named(words)) is not None
    }
    if not columns:
        require(grid, header, (ITEM,))
    _require_prices(grid, header, columns.values(), items)
    require_period(grid, header, levy_period)
    return read_rows(
        grid,
        header,
        lambda reader: _read_row(reader, items, columns, employer_id, known, names, levy_period),
        lambda row: row.key,
        lambda row: f"{row.levy_period} 的“{row.words}”",
    )


def _item_column(items: InputItems, cell: Cell) -> str | None:
    if not isinstance(cell, str):
        return None
    if (item := items.named(cell)) is not None:
        return f"{_ITEM_PREFIX}{item.code} {item.unit}"
    priced = items.priced(cell)
    return _price_column(priced) if priced is not None else None


def _price_column(item: InputItem) -> str:
    return f"{PRICE.name} {item.code}"


def _require_prices(
    grid: Grid, header: Header, found: Iterable[InputItem], items: InputItems
) -> None:
    """FileUnreadable where one column would price the pieces of several items."""
    shared = [
        items.words_of(item)
        for item in found
        if item.unit == PIECE and _price_column(item) not in header.places
    ]
    if len(shared) > 1:
        todo = f"给每个项目加一列单价，如“{shared[-1]}单价”"
        raise unreadable(grid.file, f"{'、'.join(shared)} 共用一列单价", todo, header.row)


def _read_row(
    reader: RowReader,
    items: InputItems,
    columns: Mapping[str, InputItem],
    employer_id: str,
    known: Mapping[str, str],
    names: Mapping[str, str],
    levy_period: str,
) -> list[WageInput]:
    employee_id, employee_no = employee_of(reader, employer_id, known, names)
    period = period_of(reader, levy_period)
    values = _wide(reader, columns) if columns else _long(reader, items)
    read = [
        WageInput(
            row=reader.row,
            employee_id=employee_id,
            employee_no=employee_no,
            levy_period=period,
            code=item.code,
            unit=item.unit,
            amount_fen=value if item.unit == FEN else None,
            quantity_thousandths=None if item.unit == FEN else value,
            unit_price_fen_hundredths=_price(reader, item) if item.unit == PIECE else 0,
            name="" if item in ITEM_WORDS else items.words_of(item),
        )
        for item, value in values
    ]
    for one in read:
        if one.unit == PIECE and (reason := excess_of(entry_of(one), "pieces")):
            reader.refuse(one.price_words, f"{one.words}：{reason}", "核对数量、单价的小数点")
    return read


def _price(reader: RowReader, item: InputItem) -> int:
    """Pieces are worth nothing without one."""
    own = _price_column(item)
    return reader.required(own if own in reader.header.places else PRICE.name, price) or 0


def _wide(reader: RowReader, columns: Mapping[str, InputItem]) -> list[tuple[InputItem, int]]:
    """An empty cell says nothing; 0 says that there is none."""
    found: dict[str, tuple[InputItem, int]] = {}
    for column, item in columns.items():
        value = reader.optional(column, _parser(item), None)
        if value is not None and item.code in found:
            reader.refuse(column, "这一项目既给了金额又给了数量", "金额和数量只填一个")
        if value is not None:
            found[item.code] = (item, value)
    return list(found.values())


def _long(reader: RowReader, items: InputItems) -> list[tuple[InputItem, int]]:
    item = reader.required("item", lambda cell: _item(items, cell))
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


def _item(items: InputItems, cell: Cell) -> InputItem:
    """An unknown item is refused: under a wrong name it would be paid by nobody's rule."""
    item = items.named(text(cell))
    if item is None:
        raise CellRefused("不认识的工资项目", f"改为其中之一：{'、'.join(items.words)}")
    return item
