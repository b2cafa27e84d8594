"""What every file with one person's figures a row has: who, for which month, and nothing twice."""

import unicodedata
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Generic, Protocol, TypeVar

from payroll_svc.domain.employers import employee_id_of
from payroll_svc.domain.faults import Fault
from payroll_svc.files.cells import code, month, text
from payroll_svc.files.grid import (
    Column,
    Grid,
    Header,
    RowReader,
    data_rows,
    unreadable,
    without_sums,
)

EMPLOYEE_NO = Column("employee_no", "工号", ("员工编号", "员工号", "人员编号", "职工编号"))
NAME = Column("name", "姓名", ("员工姓名", "人员姓名"))
PERIOD = Column("levy_period", "所属月份", ("工资月份", "月份", "费款所属期", "工资所属月"))
DEPARTMENT = Column("department", "部门", ("所属部门", "部门名称"))


NO_NAMES: Mapping[str, str] = MappingProxyType({})
_LONGEST_NUMBER = 32


class _PersonRow(Protocol):
    @property
    def row(self) -> int: ...

    @property
    def employee_no(self) -> str: ...


RowT = TypeVar("RowT", bound=_PersonRow)


@dataclass(frozen=True, slots=True)
class RowsRead(Generic[RowT]):
    """What a file holds: its whole rows, how many there are at all, every fault, and notes."""

    rows: tuple[RowT, ...]
    row_count: int
    faults: tuple[Fault, ...]
    notes: tuple[str, ...]


def employee_of(
    reader: RowReader, employer_id: str, known: Mapping[str, str], names: Mapping[str, str]
) -> tuple[str, str]:
    """(employee id, employee number); a fault where the roster, `known` by number, has no such
    number, or has it under another of its `names`: one column sorted without the others pays
    everybody somebody else's wage.
    """
    employee_no = reader.required("employee_no", code) or ""
    if employee_no and employee_no not in known:
        reader.refuse("employee_no", "花名册里没有这个工号", _todo(employee_no, known))
    name = reader.optional("name", text, "")
    if name and names.get(employee_no) and _letters(name) != _letters(names[employee_no]):
        todo = "核对这一行的工号和姓名是不是同一个人；改过名的先更新花名册"
        reader.refuse("name", "花名册里这个工号是另一个姓名", todo)
    return known.get(employee_no, employee_id_of(employer_id, employee_no)), employee_no


def _letters(name: str) -> str:
    """A name as compared: without width, case, blanks and dots."""
    return "".join(ch for ch in unicodedata.normalize("NFKC", name) if ch.isalnum()).casefold()


def _todo(employee_no: str, known: Mapping[str, str]) -> str:
    """A spreadsheet takes 00123 for the number 123."""
    widths = range(len(employee_no) + 1, _LONGEST_NUMBER + 1)
    padded = [employee_no.zfill(width) for width in widths if employee_no.zfill(width) in known]
    if padded:
        return f"花名册里有 {'、'.join(padded)}：把该列设为文本格式，补上前面的 0"
    return "先导入花名册，或改正工号"


def period_of(reader: RowReader, levy_period: str) -> str:
    """The row's month: the one that the sender named, which a column may repeat, not contradict."""
    period = reader.optional("levy_period", month, levy_period)
    if not period:
        reader.refuse("levy_period", "必填，却是空的", "填写月份，如 202410")
    elif levy_period and period != levy_period:
        reader.refuse("levy_period", f"不是所选的月份 {levy_period}", "核对月份，或另行上传")
    return period


def require_period(grid: Grid, header: Header, levy_period: str) -> None:
    """FileUnreadable where neither the sender nor the file says which month the data are of."""
    if not levy_period and PERIOD.name not in header.places:
        todo = "上传时选择月份，或在文件里加“所属月份”列"
        raise unreadable(grid.file, "没有写明是哪个月份的数据", todo, header.row)


def read_rows(
    grid: Grid,
    header: Header,
    read: Callable[[RowReader], list[RowT]],
    key: Callable[[RowT], str],
    what: Callable[[RowT], str],
) -> RowsRead[RowT]:
    """The rows of a file; FileUnreadable without any.

    All that a row of the file says is left out when a part of it has a fault, or when it repeats
    the `key` of an earlier one; `what` says which thing is there twice.
    """
    grid = without_sums(grid, header)
    found: list[RowT] = []
    faults = [*grid.faults, *header.faults]
    count = 0
    for reader in data_rows(grid, header):
        count += 1
        rows = read(reader)
        faults += reader.faults
        # A row with a fault repeats nothing: what it means is not known yet.
        found += [] if reader.faults else rows
    faults += _repeats(found, header, key, what)
    broken = {fault.row for fault in faults}
    whole = tuple(row for row in found if row.row not in broken)
    return RowsRead(whole, count, tuple(faults), grid.notes)


def _repeats(
    rows: Sequence[RowT],
    header: Header,
    key: Callable[[RowT], str],
    what: Callable[[RowT], str],
) -> list[Fault]:
    """A fault for every row but the first with the same key."""
    first: dict[str, int] = {}
    return [
        Fault(
            row.row,
            header.words["employee_no"],
            row.employee_no,
            f"{what(row)}与第 {first[key(row)]} 行重复",
            "同一人、同一月、同一项目只保留一行",
        )
        for row in rows
        if first.setdefault(key(row), row.row) != row.row
    ]
