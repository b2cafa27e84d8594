"""应缴明细核对表 as agencies write it, and the ways in which it cannot be (reliability.md 4.2)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contribution_svc.domain.lines import StatedLine
from contribution_svc.errors import LinesFileInvalid
from contribution_svc.files.lines_csv import MOST_LINES, StatedRow, read_lines
from shared.values import INSURANCE_WORDS, Insurance

HEADER = "工号,险种,缴费基数,单位费率,个人费率,单位缴费,个人缴费"
GOOD = "E01,医疗险,9500.00,8%,2%,760.00,190.00"
LINE = StatedLine("E01", Insurance.MEDICAL, 950_000, 80_000, 20_000, 76_000, 19_000)


def read(*rows: str, encoding: str = "utf-8") -> list[StatedRow]:
    return read_lines("l.csv", "\n".join(rows).encode(encoding))


def faults(data: bytes) -> list[tuple[str, str]]:
    with pytest.raises(LinesFileInvalid) as refused:
        read_lines("l.csv", data)
    assert refused.value.faults
    assert all(one.todo for one in refused.value.faults), "what to do"
    return [(one.where, one.reason) for one in refused.value.faults]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
@pytest.mark.parametrize("mark", [",", "\t", ";"])
def test_a_file_is_read_as_it_was_written(encoding: str, mark: str) -> None:
    rows = [HEADER.replace(",", mark), "", GOOD.replace(",", mark)]
    assert read(*rows, encoding=encoding) == [StatedRow(3, LINE)]


@pytest.mark.parametrize(
    ("cells", "line"),
    [
        ("E01,基本医疗保险,,,,,", StatedLine("E01", Insurance.MEDICAL)),
        ("E01,公积金,,7.0%,7 %,,", StatedLine("E01", Insurance.HOUSING_FUND, None, 70_000, 70_000)),
        (
            '\'007,地方补充养老保险,"12,345.6",0.0001%,100%,0,',
            StatedLine("007", Insurance.SUPPLEMENTARY_PENSION, 1_234_560, 1, 1_000_000, 0),
        ),
    ],
    ids=["not stated", "a rate in every spelling", "thousands in quotes, text as a number"],
)
def test_a_cell_is_what_it_says(cells: str, line: StatedLine) -> None:
    assert read(HEADER, cells) == [StatedRow(2, line)]


@pytest.mark.parametrize("insurance", list(Insurance))
def test_every_insurance_is_known_by_our_own_word(insurance: Insurance) -> None:
    [found] = read("险种,工号", f"{INSURANCE_WORDS[insurance]},E01")
    assert found.line == StatedLine("E01", insurance)


@pytest.mark.parametrize(
    "cell",
    ["0.08", "8", "=8%", "8%%", "-8%", "8.00001%", "８%", "8％", "1e1%", "1000%", "NaN", "7 ％"],
)
def test_a_rate_has_its_sign_and_nothing_else(cell: str) -> None:
    [(where, reason)] = faults(f"工号,险种,单位费率\nE01,医疗险,{cell}".encode())
    assert (where, reason) == ("l.csv:2:单位费率", "不是费率")


@pytest.mark.parametrize(
    "cell",
    [
        "760.001",
        "¥760",
        "(760)",
        "−760",
        "-760",
        "7.6e2",
        "７６０",
        "=760",
        "1 000",
        '"76,0.00"',
        "∞",
    ],
)
def test_an_amount_is_plain_yuan(cell: str) -> None:
    [(where, reason)] = faults(f"工号,险种,单位缴费\nE01,医疗险,{cell}".encode())
    assert (where, reason) == ("l.csv:2:单位缴费", "不是金额")


@pytest.mark.parametrize(
    ("data", "where", "reason"),
    [
        pytest.param(b"", "l.csv:1:", "文件是空的", id="empty"),
        pytest.param(b"\xef\xbb\xbf\n \n", "l.csv:1:", "文件是空的", id="a BOM and blanks"),
        pytest.param(HEADER.encode(), "l.csv:1:", "只有表头，没有数据", id="header only"),
        pytest.param(b"PK\x03\x04..", "l.csv:1:", "是 .xlsx 工作簿", id="a workbook"),
        pytest.param(b"\xd0\xcf\x11\xe0..", "l.csv:1:", "是旧版 .xls 工作簿", id="an old one"),
        pytest.param(HEADER.encode("utf-16"), "l.csv:1:", "编码是 UTF-16", id="UTF-16"),
        pytest.param(f"{HEADER}\nE\0".encode(), "l.csv:2:", "含有零字节", id="a zero byte"),
        pytest.param(
            f"{HEADER}\n".encode() + GOOD.encode("gb18030"),
            "l.csv:2:",
            "从这一行起不是 UTF-8 编码",
            id="the encoding changes",
        ),
        pytest.param(
            f'{HEADER}\n{GOOD}\n"E02'.encode(),
            "l.csv:3:",
            "从这一行起引号不成对，其后的内容无法读取",
            id="an unclosed quote",
        ),
        pytest.param(
            f"{HEADER}\nE01,医疗险".encode(),
            "l.csv:2:",
            "有 2 个单元格，表头有 7 列",
            id="a ragged row",
        ),
        pytest.param("工号,险种,险种\n".encode(), "l.csv:1:险种", "这一列重复了", id="repeated"),
        pytest.param("工号,险种,=x\n".encode(), "l.csv:1:=x", "不认识这一列", id="unknown"),
        pytest.param("险种\n".encode(), "l.csv:1:工号", "缺少这一列", id="missing"),
        pytest.param("工号,险种\nE\u202e1,医疗险".encode(), "l.csv:2:工号", "不是工号", id="bidi"),
        pytest.param("工号,险种\n=E1,医疗险".encode(), "l.csv:2:工号", "不是工号", id="a formula"),
        pytest.param(
            "工号,险种\nE1,人寿险".encode(), "l.csv:2:险种", "不认识这个险种", id="dental"
        ),
        pytest.param(
            "工号,险种\nE1,医疗险\n\nE1,医保险\nE1,基本医疗".encode(),
            "l.csv:4:险种",
            "不认识这个险种",
            id="nearly",
        ),
        pytest.param(
            "工号,险种\nE1,医疗险\n\nE1,基本医疗".encode(),
            "l.csv:4:工号",
            "与第 2 行是同一人、同一险种",
            id="twice",
        ),
        pytest.param(
            ("工号,险种\n" + "E1,医疗险\n" * (MOST_LINES + 1)).encode(),
            f"l.csv:{MOST_LINES + 2}:",
            f"超过 {MOST_LINES} 行",
            id="too many",
        ),
    ],
)
def test_what_cannot_be_read_is_refused_by_row_and_column(
    data: bytes, where: str, reason: str
) -> None:
    assert (where, reason) in faults(data)


def test_every_fault_of_a_file_is_in_one_report() -> None:
    rows = [HEADER, "E 1,x,a,b,c,d,e", GOOD, "E02,养老险,1,1,1,1,1"]
    found = faults("\n".join(rows).encode())
    assert [where.split(":")[1] for where, _ in found] == ["2"] * 7 + ["4"] * 2


@given(st.binary(max_size=200) | st.text(max_size=80).map(str.encode))
def test_whatever_bytes_come_are_read_or_refused(data: bytes) -> None:
    assert lines_or_faults(data)
    assert lines_or_faults(f"{HEADER}\n{GOOD}\n".encode() + data)


def lines_or_faults(data: bytes) -> object:
    try:
        return read_lines("l.csv", data)
    except LinesFileInvalid as refused:
        return refused.faults
