"""Finished payslips 已发工资条: gross, base and both sides per insurance, tax and net of a person a
row.
"""

from collections.abc import Mapping, Sequence

from payroll_svc.domain.imported_payslips import (
    EMPLOYER_ONLY,
    INSURANCE_NAMES,
    SaidLine,
    SaidPayslip,
    sum_fault,
)
from payroll_svc.files.cells import day, fen
from payroll_svc.files.grid import Column, Grid, RowReader, find_header, require
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
from shared.values import Insurance

PAYDAY = Column("payday", "发薪日期", ("发薪日", "发放日期", "发放日", "支付日期"))
GROSS = Column("gross", "应发合计", ("应发工资", "应发金额", "应发", "应发工资合计"))
CONTRIBUTIONS = Column(
    "contributions",
    "社保公积金个人合计",
    ("个人社保公积金合计", "五险一金个人合计", "社保公积金合计", "代扣社保公积金"),
)
TAX = Column("tax", "个人所得税", ("个税", "代扣个税", "代扣个人所得税", "扣个税"))
OTHER = Column("other", "其他扣款", ("其它扣款", "其他代扣"))
ADDITION = Column("after_tax_addition", "税后补发", ("税后加项", "税后补款", "其他补款"))
INCOME = Column("income", "本期收入", ("本月收入", "应税收入", "计税收入", "应纳税收入"))
SPECIAL = Column(
    "special_additional",
    "专项附加扣除",
    (
        "专项附加扣除合计",
        "专项附加扣除额",
        "本期专项附加扣除",
        "本月专项附加扣除",
        "当月专项附加扣除",
    ),
)
BONUS = Column("bonus_apart", "单独计税奖金", ("全年一次性奖金（单独计税）", "年终奖（单独计税）"))
BONUS_TAX = Column(
    "bonus_tax", "单独计税奖金个税", ("全年一次性奖金个税", "年终奖个税", "奖金个税")
)
NET = Column("net", "实发合计", ("实发工资", "实发金额", "实发", "实发工资合计"))

_SIDES: dict[str, tuple[str, ...]] = {
    "base": ("基数", "缴费基数"),
    "employee": ("个人", "个人缴费", "个人部分", "个人金额", "个人缴纳", "个人扣款"),
    "employer": ("单位", "单位缴费", "单位部分", "单位金额", "单位缴纳", "公司", "企业"),
}
_KNOWN = tuple(name for name in INSURANCE_NAMES if name in set(Insurance))


def _insurance_column(insurance: str, side: str) -> Column:
    """养老保险个人, and every other way to say it, the side before or behind."""
    names, sides = INSURANCE_NAMES[insurance], _SIDES[side]
    said = [f"{name}{of}" for name in names for of in sides]
    said += [f"{of}{name}" for name in names for of in sides]
    return Column(f"{insurance} {side}", said[0], tuple(said[1:]))


INSURANCE_COLUMNS = {
    (insurance, side): _insurance_column(insurance, side) for insurance in _KNOWN for side in _SIDES
}
COLUMNS = (
    *(EMPLOYEE_NO, NAME, PERIOD, DEPARTMENT, PAYDAY, GROSS),
    *INSURANCE_COLUMNS.values(),
    *(CONTRIBUTIONS, INCOME, SPECIAL, BONUS, BONUS_TAX, TAX, OTHER, ADDITION, NET),
)


def read_payslips(
    grid: Grid,
    employer_id: str,
    known: Mapping[str, str],
    levy_period: str,
    names: Mapping[str, str] = NO_NAMES,
) -> RowsRead[SaidPayslip]:
    """Every payslip of a file; FileUnreadable without header, rows, month, or with an insurance of
    which not all sides are there.

    `known` maps employee numbers to employee ids, `names` to what a name beside one must be;
    `levy_period` is the month that the sender named.
    """
    header = find_header(grid, COLUMNS)
    insurances = [
        one for one in _KNOWN if any((f"{one} {side}") in header.places for side in _SIDES)
    ]
    require(grid, header, (GROSS, TAX, NET, *_needed(insurances)))
    require_period(grid, header, levy_period)
    return read_rows(
        grid,
        header,
        lambda reader: _read_row(reader, insurances, employer_id, known, names, levy_period),
        lambda slip: slip.key,
        lambda slip: f"{slip.levy_period} 的工资条",
    )


def _needed(insurances: Sequence[str]) -> list[Column]:
    return [
        INSURANCE_COLUMNS[insurance, side]
        for insurance in insurances
        for side in _SIDES
        if not (side == "employee" and insurance in EMPLOYER_ONLY)
    ]


def _read_row(
    reader: RowReader,
    insurances: Sequence[str],
    employer_id: str,
    known: Mapping[str, str],
    names: Mapping[str, str],
    levy_period: str,
) -> list[SaidPayslip]:
    """The row's payslip; a fault of the row where its own figures do not add up."""
    employee_id, employee_no = employee_of(reader, employer_id, known, names)
    period = period_of(reader, levy_period)
    lines = (_line(reader, insurance) for insurance in insurances)
    slip = SaidPayslip(
        row=reader.row,
        employee_id=employee_id,
        employee_no=employee_no,
        levy_period=period,
        payday=reader.optional("payday", day, None),
        gross_fen=reader.required("gross", fen) or 0,
        tax_fen=reader.required("tax", fen) or 0,
        other_fen=reader.optional("other", fen, 0) - reader.optional(ADDITION.name, fen, 0),
        net_fen=reader.required("net", fen) or 0,
        withheld=tuple(line for line in lines if line is not None),
        said_contributions_fen=reader.optional("contributions", fen, None),
        income_fen=reader.optional("income", fen, None),
        special_additional_fen=reader.optional("special_additional", fen, None),
        bonus_apart_fen=reader.optional("bonus_apart", fen, 0),
        bonus_tax_fen=reader.optional("bonus_tax", fen, 0),
    )
    if not reader.faults and (wrong := sum_fault(slip)) is not None:
        reader.refuse(wrong[0], wrong[1], "核对各列金额，精确到分")
    return [slip]


def _line(reader: RowReader, insurance: str) -> SaidLine | None:
    """None where the row says nothing of the insurance: the person is not in it."""
    said = {side: reader.optional(f"{insurance} {side}", fen, None) for side in _SIDES}
    if all(amount is None for amount in said.values()):
        return None
    for side, amount in said.items():
        if amount is None and not (side == "employee" and insurance in EMPLOYER_ONLY):
            reader.refuse(
                f"{insurance} {side}", "该险种的其他列有金额，这一列是空的", "补上金额或填 0"
            )
    return SaidLine(insurance, said["base"] or 0, said["employee"] or 0, said["employer"] or 0)
