"""The roster 花名册: columns, and one strictly read row per person."""

import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta

from payroll_svc.domain import identity
from payroll_svc.domain.employers import Account, Employer, employee_id_of
from payroll_svc.domain.faults import Fault
from payroll_svc.domain.people import DOCUMENTS, PERSON_KINDS, RosterRow, Spell
from payroll_svc.files.cells import Cell, CellRefused, code, day, fen, narrow, text, yes_or_no
from payroll_svc.files.grid import (
    Column,
    Grid,
    RowReader,
    data_rows,
    find_header,
    require,
    without_sums,
)

EMPLOYEE_NO = Column("employee_no", "工号", ("员工编号", "员工号", "人员编号", "职工编号"))
NAME = Column("name", "姓名", ("员工姓名", "人员姓名", "名字"))
ID_TYPE = Column("id_type", "证件类型", ("身份证件类型", "证照类型"))
ID_NO = Column("id_no", "证件号码", ("证件号", "身份证号", "身份证号码", "证件号码社会保障号"))
DEPARTMENT = Column("department", "部门", ("所属部门", "部门名称", "部门编码"))
CITY = Column("city", "参保地", ("参保城市", "统筹地区", "参保地编码"))
ACCOUNT_NO = Column("account_no", "单位社保账号", ("单位社保账户", "单位编号", "单位社保号"))
PERSON_KIND = Column("person_kind", "人员类别", ("人员类型", "用工类型"))
JOINED = Column("joined", "入职日期", ("入职时间", "到岗日期"))
LEFT = Column("left", "离职日期", ("离职时间", "终止日期"))
FIRST_WAGE = Column("first_month_wage", "首月工资", ("起薪当月工资",))
AGREED_WAGE = Column(
    "agreed_wage", "约定月工资", ("月工资", "合同工资", "约定工资", "首月工资/约定月工资")
)
SPECIAL = Column("special_additional", "专项附加扣除", ("月专项附加扣除",))
DOCUMENTS_MISSING = Column("documents_missing", "缺少材料", ("缺失材料", "待补材料"))
PHONE = Column("phone", "手机", ("手机号", "手机号码", "联系电话"))
EMAIL = Column("email", "邮箱", ("电子邮箱", "电子邮件"))
BANK_ACCOUNT = Column("bank_account", "银行账号", ("工资卡号", "银行卡号", "银行账户"))
SUB = Column("sub", "登录账号", ("登录账户", "账号"))
COST_CENTRE = Column("cost_centre", "成本中心", ("成本中心编码",))

FIRST_FUND = Column("first_fund_member", "首次缴存公积金", ("首次缴存住房公积金",))

COLUMNS = (
    EMPLOYEE_NO,
    NAME,
    ID_TYPE,
    ID_NO,
    DEPARTMENT,
    CITY,
    ACCOUNT_NO,
    PERSON_KIND,
    JOINED,
    LEFT,
    FIRST_WAGE,
    AGREED_WAGE,
    SPECIAL,
    DOCUMENTS_MISSING,
    PHONE,
    EMAIL,
    BANK_ACCOUNT,
    SUB,
    COST_CENTRE,
    FIRST_FUND,
)
REQUIRED = (EMPLOYEE_NO, NAME, ID_NO, DEPARTMENT, JOINED)

_JOINS_AT_MOST_AHEAD = timedelta(days=366)
_FIRST_JOINING_DAY = date(1949, 10, 1)
_CODE_WORD = re.compile(r"^[a-z][a-z0-9_]{1,39}$")
_SEPARATORS = re.compile(r"[、,，;；/|\s]+")
_PHONE = re.compile(r"^(?:1[3-9][0-9]{9}|00[0-9]{6,15})$")
_EMAIL = re.compile(r"^[A-Za-z0-9._%+-]{1,64}@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+$")
_BANK_ACCOUNT = re.compile(r"^[0-9]{8,32}$")
_SUB = re.compile(r"^[\x21-\x7e]{1,128}$")
_NAME_SCRIPTS = ("CJK UNIFIED", "CJK COMPAT", "LATIN", "IDEOGRAPHIC NUMBER")
_NAME_MARKS = frozenset("·.-' ’・")


@dataclass(frozen=True, slots=True)
class RosterFile:
    """What a roster file holds: its whole rows, how many rows it has at all, every fault, and
    notes.
    """

    rows: tuple[RosterRow, ...]
    row_count: int
    faults: tuple[Fault, ...]
    notes: tuple[str, ...]


def read_roster(grid: Grid, employer: Employer, today: date) -> RosterFile:
    """Every row against the employer's departments and accounts; FileUnreadable without header or
    rows.

    `rows` are those without a fault of their own; a row that repeats another one's number has a
    fault as well.
    """
    header = find_header(grid, COLUMNS)
    require(grid, header, REQUIRED)
    grid = without_sums(grid, header)
    read = [_read_row(reader, employer, today) for reader in data_rows(grid, header)]
    whole = [row for row, _ in read if row is not None]
    repeats = [
        *_repeats(whole, header.words["employee_no"], lambda row: row.employee_no),
        *_repeats(whole, header.words["id_no"], lambda row: row.id_no, hidden=True),
        *_repeats(whole, header.words.get("sub", ""), lambda row: row.sub),
    ]
    faults = [*grid.faults, *header.faults, *repeats]
    faults += [fault for _, found in read for fault in found]
    repeated_rows = {fault.row for fault in repeats}
    return RosterFile(
        rows=tuple(row for row in whole if row.row not in repeated_rows),
        row_count=len(read),
        faults=tuple(faults),
        notes=grid.notes,
    )


def _read_row(
    reader: RowReader, employer: Employer, today: date
) -> tuple[RosterRow | None, list[Fault]]:
    employee_no = reader.required("employee_no", code)
    name = reader.required("name", _person_name)
    joined = reader.required("joined", lambda cell: _joining_day(cell, today))
    department = reader.required("department", lambda cell: _department(employer, cell))
    account = _account(reader, employer)
    papers = _identity(reader, name or "", today)
    row = RosterRow(
        row=reader.row,
        employee_id=employee_id_of(employer.employer_id, employee_no or ""),
        employee_no=employee_no or "",
        person_kind=reader.optional("person_kind", _person_kind, "regular"),
        spell=Spell(
            since=joined or today,
            department_id=department or "",
            city=account.city if account else "",
            account_id=account.account_id if account else "",
            until=_leaving_day(reader, joined),
        ),
        documents_missing=reader.optional("documents_missing", _documents, ()),
        agreed_wage_fen=reader.optional("agreed_wage", fen, 0),
        first_month_wage_fen=reader.optional("first_month_wage", fen, 0),
        special_additional_fen=reader.optional("special_additional", fen, 0),
        sub=reader.optional("sub", _matching(_SUB, "应为登录账号，不含空格或中文"), ""),
        cost_centre=reader.optional("cost_centre", code, ""),
        first_fund_member=reader.optional("first_fund_member", yes_or_no, False),
        identity=papers,
    )
    return (None if reader.faults else row), reader.faults


def _repeats(
    rows: list[RosterRow], header: str, key: Callable[[RosterRow], str], hidden: bool = False
) -> list[Fault]:
    """A fault for every row but the first that has the same value."""
    first: dict[str, int] = {}
    faults: list[Fault] = []
    for row in rows:
        value = key(row)
        if value and first.setdefault(value, row.row) != row.row:
            seen = "" if hidden else value
            reason = f"与第 {first[value]} 行重复"
            faults.append(Fault(row.row, header, seen, reason, "同一人只保留一行，或改正号码"))
    return faults


def _person_name(cell: Cell) -> str:
    name = text(cell)
    if not name or len(name) > 60 or not all(_is_name_letter(ch) for ch in name):
        raise CellRefused("姓名只能含汉字、拉丁字母和间隔号", "按证件上的姓名填写")
    return name


def _is_name_letter(ch: str) -> bool:
    # Rare characters of names live in planes 2 and 3, some newer than this interpreter's tables.
    if ch in _NAME_MARKS or 0x20000 <= ord(ch) < 0x40000:
        return True
    return unicodedata.name(ch, "").startswith(_NAME_SCRIPTS)


def _joining_day(cell: Cell, today: date) -> date:
    joined = day(cell)
    if not _FIRST_JOINING_DAY <= joined <= today + _JOINS_AT_MOST_AHEAD:
        raise CellRefused("入职日期不在可能的范围内", "核对年份")
    return joined


def _leaving_day(reader: RowReader, joined: date | None) -> date | None:
    left = reader.optional("left", day, None)
    if left is not None and joined is not None and left < joined:
        reader.refuse("left", "离职日期早于入职日期", "核对两个日期")
    return left


def _department(employer: Employer, cell: Cell) -> str:
    department = employer.department(text(cell))
    if department is None:
        known = "、".join(item.name for item in employer.departments[:10])
        raise CellRefused("本单位没有这个部门", f"改为已登记的部门，如：{known}")
    return department.department_id


def _account(reader: RowReader, employer: Employer) -> Account | None:
    city = reader.optional("city", text, "")
    account_no = reader.optional("account_no", narrow, "")
    fitting = employer.accounts_of(city, account_no)
    if len(fitting) == 1:
        return fitting[0]
    column = "account_no" if account_no else "city"
    if fitting:
        reader.refuse(column, "不能确定用哪个单位社保账户", "写明参保地和单位社保账号")
    elif not employer.accounts_of(city, ""):
        reader.refuse("city", "本单位在该参保地没有社保账户", "改为已登记的参保地，或先登记账户")
    else:
        reader.refuse(column, "本单位没有这个社保账户", "核对单位社保账号")
    return None


def _person_kind(cell: Cell) -> str:
    words = narrow(cell)
    kind = PERSON_KINDS.get(words, words if words in PERSON_KINDS.values() else None)
    if kind is None:
        known = "、".join(word for word in PERSON_KINDS if len(word) == 2 or word == "退休返聘")
        raise CellRefused("不认识的人员类别", f"改为：{known}")
    return kind


def _documents(cell: Cell) -> tuple[str, ...]:
    named = [word for word in _SEPARATORS.split(text(cell)) if word and word != "无"]
    codes = [DOCUMENTS.get(word, word if _CODE_WORD.match(word) else "") for word in named]
    if "" in codes:
        raise CellRefused("不认识的材料名称", f"改为：{'、'.join(DOCUMENTS)}")
    return tuple(dict.fromkeys(codes))


def _identity(reader: RowReader, name: str, today: date) -> tuple[tuple[str, str], ...]:
    """What will be sealed: name, id_type, id_no, phone, email, bank_account."""
    id_no = (reader.required("id_no", narrow) or "").upper()
    words = reader.optional("id_type", text, "")
    id_type = identity.id_type_of(words, id_no)
    if id_type is None:
        reader.refuse("id_type", "不认识的证件类型", f"改为：{'、'.join(identity.ID_TYPES)}")
    elif id_no:
        reason = identity.number_fault(id_type, id_no, today)
        if reason:
            reader.refuse("id_no", reason, "按证件逐位核对后重新填写")
    return (
        ("name", name),
        ("id_type", id_type or ""),
        ("id_no", id_no),
        ("phone", reader.optional("phone", _phone, "")),
        ("email", reader.optional("email", _matching(_EMAIL, "应为邮箱地址"), "")),
        ("bank_account", reader.optional("bank_account", _bank_account, "")),
    )


def _phone(cell: Cell) -> str:
    tidy = narrow(cell.replace("+86", "").replace("-", "") if isinstance(cell, str) else cell)
    if not _PHONE.match(tidy):
        raise CellRefused("应为 11 位手机号码", "核对位数；境外号码以 00 开头")
    return tidy


def _bank_account(cell: Cell) -> str:
    tidy = narrow(cell)
    if not _BANK_ACCOUNT.match(tidy):
        raise CellRefused("应为 8 至 32 位数字的银行账号", "核对位数")
    return tidy


def _matching(form: re.Pattern[str], reason: str) -> Callable[[Cell], str]:
    def parse(cell: Cell) -> str:
        tidy = narrow(cell)
        if not form.match(tidy):
            raise CellRefused(reason, "核对后重新填写")
        return tidy

    return parse
