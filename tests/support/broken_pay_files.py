"""Files of wage data and of finished payslips that are broken, by the classes of reliability.md
4.2.
"""

from tests.support.broken_files import KNOWN, BrokenRow

WAGE_DATA_HEADER = ("工号", "姓名", "所属月份", "项目", "金额", "数量", "单位", "计件单价")
WIDE_HEADER = ("工号", "姓名", "奖金", "计件数量", "计件单价", "加班小时数", "事假天数")
PAYSLIP_HEADER = (
    *("工号", "姓名", "所属月份", "应发合计"),
    *("养老保险基数", "养老保险个人", "养老保险单位"),
    *("医疗基数", "医疗个人", "医疗单位", "工伤基数", "工伤单位"),
    *("公积金基数", "公积金个人", "公积金单位"),
    *("本期收入", "专项附加扣除", "单独计税奖金", "奖金个税", "个税", "其他扣款", "实发合计"),
)


def data_row(**changes: object) -> dict[str, object]:
    """A good row: a bonus of 1,200.00 for KNOWN in 2024-10."""
    row = {"工号": KNOWN, "姓名": "王小二", "所属月份": "202410", "项目": "奖金", "金额": "1200.00"}
    return {**row, **changes}


def slip_row(**changes: object) -> dict[str, object]:
    """A good row: KNOWN's October, whose sums add up."""
    row = {
        **{"工号": KNOWN, "姓名": "王小二", "所属月份": "2024-10", "应发合计": "10,000.00"},
        **{"养老保险基数": "9500", "养老保险个人": "760.00", "养老保险单位": "1520.00"},
        **{"医疗基数": "9500", "医疗个人": "190.00", "医疗单位": "760.00"},
        **{"工伤基数": "9500", "工伤单位": "38.00"},
        **{"公积金基数": "9500", "公积金个人": "665", "公积金单位": "665"},
        **{"个税": "71.55", "其他扣款": "", "实发合计": "8313.45"},
    }
    return {**row, **changes}


BROKEN_DATA_ROWS = (
    BrokenRow("(2) a formula for a number", data_row(工号="=HYPERLINK(1)"), "工号"),
    BrokenRow("(2) formula-like text", data_row(项目="@SUM(1)"), "项目"),
    BrokenRow("(2) a formula for an amount", data_row(金额="=1+1"), "金额"),
    BrokenRow("(4) separators in the wrong place", data_row(金额="1,00,00"), "金额"),
    BrokenRow("(4) brackets", data_row(金额="(9500.00)"), "金额"),
    BrokenRow("(4) a minus of Unicode", data_row(金额="−9500"), "金额"),
    BrokenRow("(4) scientific notation", data_row(金额="9.5E3"), "金额"),
    BrokenRow("(4) more than two decimals", data_row(金额="0.005"), "金额"),
    BrokenRow("(4) a quantity with a unit", data_row(项目="事假天数", 金额="", 数量="2天"), "数量"),
    BrokenRow("(4) a negative quantity", data_row(项目="事假", 金额="", 数量="-1"), "数量"),
    BrokenRow("(4) four decimals", data_row(项目="事假", 金额="", 数量="0.0001"), "数量"),
    BrokenRow("(4) days out of this world", data_row(项目="事假", 金额="", 数量="32"), "数量"),
    BrokenRow("(4) an amount for hours", data_row(项目="加班小时"), "金额"),
    BrokenRow("(4) hours for days", data_row(项目="事假", 金额="", 数量="8", 单位="小时"), "单位"),
    BrokenRow("(4) pieces without a price", data_row(项目="产量", 金额="", 数量="8"), "计件单价"),
    BrokenRow("(6) month thirteen", data_row(所属月份="202413"), "所属月份"),
    BrokenRow("(6) a serial number", data_row(所属月份="45200"), "所属月份"),
    BrokenRow("(7) an unknown item", data_row(项目="神秘补助"), "项目"),
    BrokenRow("(8) look-alike letters", data_row(工号="Е0001"), "工号"),
    BrokenRow("(9) a direction override", data_row(项目="奖\u202e金"), "项目"),
    BrokenRow("(9) an invisible character", data_row(工号="E0\u200b001"), "工号"),
    BrokenRow("(12) another employer's number", data_row(工号="X-77"), "工号"),
    BrokenRow("(14) an empty cell that must not be", data_row(金额=""), "金额"),
)

BROKEN_SLIP_ROWS = (
    BrokenRow("(2) a formula for an amount", slip_row(应发合计="=1+1"), "应发合计"),
    BrokenRow("(4) brackets", slip_row(个税="(71.55)"), "个税"),
    BrokenRow("(4) more than two decimals", slip_row(医疗个人="190.005"), "医疗个人"),
    BrokenRow("(4) a tax of a bonus alone", slip_row(奖金个税="1"), "奖金个税"),
    BrokenRow("(4) a part above its whole", slip_row(单独计税奖金="1", 奖金个税="99"), "奖金个税"),
    BrokenRow("(4) sums that do not add up", slip_row(实发合计="8313.46"), "实发合计"),
    BrokenRow("(6) month thirteen", slip_row(所属月份="202413"), "所属月份"),
    BrokenRow("(12) another employer's number", slip_row(工号="X-77"), "工号"),
    BrokenRow("(14) one side of an insurance", slip_row(公积金单位=""), "公积金单位"),
    BrokenRow("(14) no net", slip_row(实发合计=""), "实发合计"),
)


def after(good: dict[str, object], broken: tuple[BrokenRow, ...]) -> list[dict[str, object]]:
    """A good row, one row of each class, then the good one once more (3); the header is row 1."""
    return [good, *(dict(row.cells) for row in broken), good]


def places(broken: tuple[BrokenRow, ...]) -> set[tuple[int, str]]:
    """(row, column) of every fault of `after`."""
    found = {(number, row.column) for number, row in enumerate(broken, start=3)}
    return {*found, (3 + len(broken), "工号")}
