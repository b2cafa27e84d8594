"""Writes the case's input files: a roster of 60 invented people in XLSX and CSV, and last year's
wages.

Run as `python -m sandbox.case.files`; what it writes is committed, so that the case reads files and
not code. Identity numbers have a region code that no place has, and card and phone numbers belong
to nobody.
"""

import csv
import random
from dataclasses import dataclass
from pathlib import Path

import xlsxwriter

FOLDER = Path(__file__).parent / "october"
_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_SURNAMES = "王李张刘陈杨黄赵吴周徐孙马朱胡郭何林高罗郑梁谢宋唐许韩冯邓曹"
_GIVEN = (
    "晓",
    "婷",
    "伟",
    "静",
    "磊",
    "洋",
    "敏",
    "杰",
    "丽",
    "强",
    "燕",
    "军",
    "艳",
    "勇",
    "涛",
    "明",
    "娟",
    "超",
    "霞",
    "平",
)
_DEPARTMENTS = ("运营部", "销售部", "技术部")
_YEAR = 2023
_HEADERS = (
    "工号", "姓名", "证件类型", "证件号码", "部门", "参保地", "单位社保账号", "人员类别",
    "入职日期", "离职日期", "约定月工资", "缺少材料", "手机", "邮箱", "银行账号", "登录账号",
)  # fmt: skip


@dataclass(frozen=True)
class Person:
    """One invented person, and their wages of last year by month (yuan; empty: not employed
    then).
    """

    number: int
    name: str
    city: str
    kind: str
    joined: str
    wage_yuan: int
    wages: tuple[int | None, ...]
    missing: str = ""

    @property
    def row(self) -> tuple[str, ...]:
        """The roster row, all text: a number column would damage identity numbers."""
        foreign = self.kind == "外籍人员"
        return (
            f"E{self.number:04d}",
            self.name,
            "护照" if foreign else "居民身份证",
            f"P99{self.number:06d}"
            if foreign
            else identity_number(self.number, 1962 if self.kind == "退休返聘" else 1990),
            _DEPARTMENTS[(self.number - 1) % 3],
            self.city,
            f"{self.city}-880{1 if self.city == '990100' else 2}",
            self.kind,
            self.joined,
            "",
            f"{self.wage_yuan}.00",
            self.missing,
            f"199{self.number:08d}",
            f"e{self.number:04d}@yunfan.example",
            f"62999901{self.number:011d}",
            "xiaowang" if self.number == 1 else f"e{self.number:04d}",
        )


def identity_number(number: int, year: int) -> str:
    """An 18-character number with a true check digit (GB 11643-1999) of a region that does not
    exist.
    """
    digits = f"119901{year}{number % 12 + 1:02d}{number % 28 + 1:02d}{number:03d}"
    total = sum(int(digit) * weight for digit, weight in zip(digits, _WEIGHTS, strict=True))
    return digits + "10X98765432"[total % 11]


def people() -> list[Person]:
    """36 people in 990100 and 24 in 990200; number 1 is 小王."""
    chance = random.Random(202410)  # noqa: S311  # the same people every time
    made = [Person(1, "王晓", "990100", "在职", "2021-03-15", 10_000, (9_000,) * 6 + (10_000,) * 6)]
    for number in range(2, 61):
        name = chance.choice(_SURNAMES) + chance.choice(_GIVEN) + chance.choice((*_GIVEN, "", ""))
        wage = chance.choice(
            (
                3_800,
                5_200,
                6_400,
                7_500,
                8_800,
                9_600,
                11_200,
                13_500,
                16_800,
                21_000,
                26_500,
                32_000,
            )
        )
        made.append(_person(number, name, wage, chance))
    return made


def _person(number: int, name: str, wage: int, chance: random.Random) -> Person:
    city = "990100" if number <= 36 else "990200"
    wages = tuple(wage + chance.randrange(-5, 6) * 100 for _ in range(12))
    if number == 17:
        return Person(number, name, city, "退休返聘", "2023-01-04", 6_000, (6_000,) * 12)
    if number == 23:
        return Person(
            number, "安德森", city, "外籍人员", "2022-05-09", 28_000, (28_000,) * 12, "工作许可证"
        )
    if number == 29:
        return Person(number, name, city, "在职", "2024-09-23", 8_200, (None,) * 12)
    if number == 44:
        # Joined in the middle of last year: the average is over the months employed.
        return Person(number, name, city, "在职", "2023-06-01", wage, (None,) * 5 + wages[5:])
    return Person(number, name, city, "在职", "2020-07-01", wage, wages)


def write() -> None:
    """roster.xlsx holds the people of 990100, roster.csv (GB18030) those of 990200, wages.csv
    everybody's months.
    """
    everyone = people()
    _write_workbook(
        FOLDER / "roster.xlsx", [person for person in everyone if person.city == "990100"]
    )
    with (FOLDER / "roster.csv").open("w", encoding="gb18030", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(_HEADERS)
        writer.writerows(person.row for person in everyone if person.city == "990200")
    with (FOLDER / "wages.csv").open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["工号", *(f"{_YEAR}-{month:02d}" for month in range(1, 13))])
        for person in everyone:
            if any(person.wages):
                amounts = ["" if wage is None else f"{wage}.00" for wage in person.wages]
                writer.writerow([person.row[0], *amounts])


def _write_workbook(path: Path, rows: list[Person]) -> None:
    workbook = xlsxwriter.Workbook(str(path))
    sheet = workbook.add_worksheet("花名册")
    as_text = workbook.add_format({"num_format": "@"})
    sheet.set_column(0, len(_HEADERS) - 1, 16, as_text)
    for column, header in enumerate(_HEADERS):
        sheet.write_string(0, column, header)
    for number, person in enumerate(rows, 1):
        for column, value in enumerate(person.row):
            sheet.write_string(number, column, value, as_text)
    workbook.close()


if __name__ == "__main__":
    write()
