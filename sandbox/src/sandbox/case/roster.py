"""The case's own reading of its input files: what the services' counts are checked against."""

import csv
import tomllib
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from pathlib import Path
from typing import Any

from python_calamine import CalamineWorkbook

FOLDER = Path(__file__).parent / "october"
ROSTERS = (FOLDER / "roster.xlsx", FOLDER / "roster.csv")
WAGES = FOLDER / "wages.csv"


@dataclass(frozen=True)
class RosterPerson:
    """One roster row, as far as the case needs it."""

    employee_no: str
    name: str
    city: str
    kind: str
    joined: date
    missing: str
    sub: str


class Case:
    """The numbers of case.toml and the people of the roster files."""

    def __init__(self) -> None:
        self.facts: dict[str, Any] = tomllib.loads((FOLDER / "case.toml").read_text())
        self.levy_period: str = self.facts["levy_period"]

    @cached_property
    def people(self) -> tuple[RosterPerson, ...]:
        rows = [*_workbook_rows(ROSTERS[0]), *_csv_rows(ROSTERS[1])]
        return tuple(
            RosterPerson(
                employee_no=row["工号"],
                name=row["姓名"],
                city=row["参保地"],
                kind=row["人员类别"],
                joined=date.fromisoformat(row["入职日期"]),
                missing=row["缺少材料"],
                sub=row["登录账号"],
            )
            for row in rows
        )

    @property
    def xiaowang(self) -> RosterPerson:
        [found] = [person for person in self.people if person.sub == "xiaowang"]
        return found

    def count_cells(self) -> int:
        """K: people employed in the levy period × the insurances of their city's scheme."""
        year, month = (int(part) for part in self.levy_period.split("-"))
        last = date(year + month // 12, month % 12 + 1, 1)
        return sum(len(self.facts["schemes"][p.city]) for p in self.people if p.joined < last)


def _workbook_rows(path: Path) -> list[dict[str, str]]:
    header, *rows = CalamineWorkbook.from_path(str(path)).get_sheet_by_index(0).to_python()
    return [dict(zip(map(str, header), map(str, row), strict=True)) for row in rows]


def _csv_rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="gb18030", newline="") as file:
        return list(csv.DictReader(file))
