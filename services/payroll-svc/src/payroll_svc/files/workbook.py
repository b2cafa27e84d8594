"""XLSX workbooks to grids: the first visible sheet that has the wanted header, cells as the file
types them.
"""

import posixpath
from collections.abc import Sequence

from python_calamine import CalamineError, CalamineWorkbook, SheetVisibleEnum

from payroll_svc.files.archive import rewritten, vetted_parts
from payroll_svc.files.cells import BrokenCell, Cell, Formula, is_blank
from payroll_svc.files.grid import MOST_CELLS, MOST_COLUMNS, MOST_ROWS, Grid, unreadable
from payroll_svc.files.markup import MarkupRefused, SheetMarks, elements, sheet_marks

_NAMED_ROWS = 20
_ROWS_WITH_MARGIN = MOST_ROWS + 100
"""Header and blank rows come on top of the data; the exact bound is checked where rows are counted.
"""

_Book = dict[str, bytes]


def workbook_grid(file: str, data: bytes) -> Grid:
    """The first visible sheet with data; FileUnreadable for what is not a plain, vetted .xlsx.

    Formulas and error values become marks that no column accepts: their cached value is not to be
    trusted.
    """
    parts = vetted_parts(file, data)
    try:
        marks = _marks_of_sheets(file, parts)
        with CalamineWorkbook.from_filelike(rewritten(parts)) as book:
            return _first_visible(file, book, marks)
    except (MarkupRefused, CalamineError) as error:
        raise unreadable(
            file, "工作簿内容已损坏或含有不允许的定义", "用表格软件打开并另存为 .xlsx，再上传"
        ) from error


def _marks_of_sheets(file: str, parts: _Book) -> dict[str, SheetMarks]:
    """Marks by sheet name; refuses 1904 dates and sheets whose cells reach too far before anything
    is unfolded.
    """
    targets = {
        attributes.get("Id", ""): attributes.get("Target", "")
        for _, attributes in elements(parts.get("xl/_rels/workbook.xml.rels", b""), "Relationship")
    }
    marks: dict[str, SheetMarks] = {}
    for element, attributes in elements(parts["xl/workbook.xml"], "sheet", "workbookPr"):
        if element == "workbookPr":
            if attributes.get("date1904") in ("1", "true"):
                raise unreadable(
                    file, "工作簿使用 1904 日期系统", "在选项中关闭 1904 日期系统后另存"
                )
            continue
        target = posixpath.normpath(posixpath.join("xl", targets.get(attributes.get("id", ""), "")))
        part = parts.get(target.lstrip("/"))
        if part is not None:
            marks[attributes.get("name", "")] = _bounded(file, sheet_marks(part))
    return marks


def _bounded(file: str, marks: SheetMarks) -> SheetMarks:
    is_long = marks.rows > _ROWS_WITH_MARGIN or marks.columns > MOST_COLUMNS
    if is_long or marks.rows * marks.columns > MOST_CELLS:
        used = f"已用区域到第 {marks.rows} 行、第 {marks.columns} 列"
        reason = f"{used}，超出 {MOST_ROWS} 行、{MOST_COLUMNS} 列或 {MOST_CELLS} 个单元格"
        raise unreadable(file, reason, "删去数据之外的行列（包括只有格式的），或分成几个文件")
    return marks


def _first_visible(file: str, book: CalamineWorkbook, marks: dict[str, SheetMarks]) -> Grid:
    notes: list[str] = []
    chosen: Grid | None = None
    for sheet in book.sheets_metadata:
        if sheet.visible != SheetVisibleEnum.Visible:
            notes.append(f"隐藏的工作表“{sheet.name}”未读取")
        elif sheet.name in marks and chosen is None:
            chosen = _grid(file, book, sheet.name, marks[sheet.name])
        else:
            notes.append(f"工作表“{sheet.name}”未读取")
    if chosen is None or not chosen.rows:
        raise unreadable(file, "没有可见的、有数据的工作表", "把数据放在第一张可见的工作表上")
    return Grid(file, chosen.rows, (*chosen.notes, *notes))


def _grid(file: str, book: CalamineWorkbook, name: str, marks: SheetMarks) -> Grid | None:
    cells = book.get_sheet_by_name(name).to_python(skip_empty_area=False)
    rows: list[tuple[int, Sequence[Cell]]] = [
        (number, _marked(number, row, marks)) for number, row in enumerate(cells, start=1)
    ]
    filled = [(number, row) for number, row in rows if not all(map(is_blank, row))]
    return Grid(file, filled, tuple(_notes(marks))) if filled else None


def _marked(number: int, row: Sequence[Cell], marks: SheetMarks) -> list[Cell]:
    return [
        Formula()
        if (number, column) in marks.formulas
        else BrokenCell()
        if (number, column) in marks.errors
        else cell
        for column, cell in enumerate(row, start=1)
    ]


def _notes(marks: SheetMarks) -> list[str]:
    notes: list[str] = []
    if marks.hidden_rows:
        named = "、".join(str(row) for row in marks.hidden_rows[:_NAMED_ROWS])
        notes.append(f"有 {len(marks.hidden_rows)} 个隐藏行也已读入：第 {named} 行")
    if marks.hidden_columns:
        notes.append("有隐藏列，也已读入")
    if marks.merged:
        named = "、".join(marks.merged[:_NAMED_ROWS])
        notes.append(f"有合并单元格，只有左上角有值：{named}")
    return notes
