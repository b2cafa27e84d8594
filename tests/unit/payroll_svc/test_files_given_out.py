"""Files that we give out: nothing in them calculates, digits stay, and our readers read them."""

import csv
import io
import zipfile
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from payroll_svc.domain.exports import neutral
from payroll_svc.domain.faults import Fault
from payroll_svc.files import cells
from payroll_svc.files.annotated import annotated
from payroll_svc.files.grid import ERRORS_COLUMN
from payroll_svc.files.reader import read_grid
from payroll_svc.files.wages import read_wages
from payroll_svc.files.written import WrittenCell, table_writer
from tests.support.broken_files import (
    BROKEN_ROWS,
    broken_wages,
    unpacked,
    wage_row,
    wages_csv,
    wages_xlsx,
)
from tests.unit.payroll_svc.test_files import TODAY, wages

HOSTILE = ("=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "＝1+1", "＋1", "－1", "＠A1", "'=1")


@pytest.mark.parametrize("text", HOSTILE)
def test_text_that_would_calculate_is_marked_as_text(text: str) -> None:
    assert neutral(text) == f"'{text}"


def test_long_numbers_and_leading_zeros_stay_whole() -> None:
    assert neutral("110101199003070018") == "'110101199003070018"
    assert neutral("0007") == "'0007"
    assert neutral("13800000001") == "13800000001"
    assert cells.narrow("'110101199003070018") == "110101199003070018"


@given(st.text(max_size=20))
def test_no_csv_cell_begins_with_what_spreadsheets_calculate(text: str) -> None:
    writer = table_writer("csv", "x", "utf-8")
    writer.write([[text, "end"]])
    [row] = csv.reader(io.StringIO(writer.close().decode("utf-8-sig"), newline=""))
    assert not row[0].startswith(("=", "+", "-", "@", "\t", "\r", "＝", "＋", "－", "＠"))
    assert row[0] in (text, f"'{text}")


@pytest.mark.parametrize("encoding", ["utf-8", "gb18030"])
def test_a_csv_is_in_the_encoding_asked_for(encoding: str) -> None:
    writer = table_writer("csv", "x", encoding)
    writer.write([["姓名", "金额"], ["𠮷野", Decimal("1200.00")]])
    data = writer.close()
    assert data.startswith(b"\xef\xbb\xbf") == (encoding == "utf-8")
    assert data.decode("utf-8-sig" if encoding == "utf-8" else encoding) == (
        "姓名,金额\r\n𠮷野,1200.00\r\n"
    )


def test_a_workbook_has_no_formula_and_text_stays_text() -> None:
    writer = table_writer("xlsx", "x", "utf-8")
    rows: list[list[WrittenCell]] = [
        [text, "110101199003070018", Decimal("0.1")] for text in HOSTILE
    ]
    writer.write([["一", "二", "三"], *rows])
    data = writer.close()
    sheet = unpacked(data)["xl/worksheets/sheet1.xml"]
    assert b"<f>" not in sheet
    assert b"hyperlink" not in sheet
    read = [list(cells) for _, cells in read_grid("f", data).rows[1:]]
    assert read == [[text, "110101199003070018", 0.1] for text in HOSTILE]


def test_a_large_table_comes_zipped() -> None:
    writer = table_writer("zip", "工资条", "utf-8")
    writer.write([["工号"]])
    for start in range(0, 100_001, 20_000):
        writer.write([[f"E{number}"] for number in range(start, min(start + 20_000, 100_001))])
    with zipfile.ZipFile(io.BytesIO(writer.close())) as packed:
        [name] = packed.namelist()
        lines = packed.read(name).decode("utf-8-sig").splitlines()
    assert (name, len(lines), lines[0], lines[-1]) == ("工资条.csv", 100_002, "工号", "E100000")


@pytest.mark.parametrize("write", [wages_csv, wages_xlsx])
def test_a_file_comes_back_with_its_faults_and_can_be_sent_again(write: object) -> None:
    rows = broken_wages()
    grid = read_grid("f", write(rows))  # type: ignore[operator]
    faults = read_wages(grid, "employer", {"E0001": "id-1"}, TODAY).faults
    assert len(faults) >= len(BROKEN_ROWS) - 1
    marked = annotated(grid, faults)
    assert b"<f>" not in unpacked(marked)["xl/worksheets/sheet1.xml"]
    back = read_grid("f", marked)
    assert [number for number, _ in back.rows] == [number for number, _ in grid.rows]
    said = {number: row[-1] for number, row in back.rows}
    assert said[1] == ERRORS_COLUMN
    assert {number for number, words in said.items() if words} == {1, *(f.row for f in faults)}
    for fault in faults:
        assert fault.reason in str(said[fault.row])
        assert fault.todo in str(said[fault.row])
    # What is read of it is what was read before, but for formulas, which are text now.
    again = wages(marked)
    assert {fault.row for fault in again.faults} == {fault.row for fault in faults}


def test_a_corrected_answer_is_read_without_its_errors_column() -> None:
    grid = read_grid("f", wages_csv([wage_row(1)]))
    faults = [
        Fault(1, "陌生", "陌生", "不认识的列", "删去该列"),
        Fault(2, "金额", "", "空", "填写"),
    ]
    once = annotated(grid, faults)
    twice = annotated(read_grid("f", once), faults[:1])
    assert wages(once).faults == wages(twice).faults == ()
    assert len(read_grid("f", twice).rows[0][1]) == len(read_grid("f", once).rows[0][1])
