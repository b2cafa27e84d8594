"""What is taken out of the system as files: by whom, why, and in which form."""

from dataclasses import dataclass
from datetime import datetime

ROSTER = "roster"
WAGE_DATA = "wage_data"
PAYSLIPS = "payslips"

XLSX = "xlsx"
CSV = "csv"
ZIP = "zip"

MOST_ROWS = 500_000
"""One export: a group's payslips of a month; more is asked for employer by employer."""

MOST_UNZIPPED_ROWS = 100_000
"""Above it spreadsheets are slow and mails refuse the file: it comes as CSV in a zip."""

KIND_WORDS = {ROSTER: "花名册", WAGE_DATA: "变动工资数据", PAYSLIPS: "工资条"}


@dataclass(frozen=True, slots=True)
class Export:
    """What was asked for: `form` is xlsx or csv, `encoding` that of the CSV; `wide` wage data have
    a row a person and a column an item, others a row an item. `downloads` counts how
    often it was fetched, `sha256` is of the newest of these files.
    """

    export_id: str
    employer_id: str
    kind: str
    levy_period: str
    form: str
    encoding: str
    with_identity: bool
    reason: str
    rows: int
    asked_at: datetime
    asked_by: str
    wide: bool = False
    downloads: int = 0
    downloaded_at: datetime | None = None
    sha256: str = ""

    @property
    def file_form(self) -> str:
        return ZIP if self.rows > MOST_UNZIPPED_ROWS else self.form

    @property
    def file_name(self) -> str:
        month = f"-{self.levy_period}" if self.levy_period else ""
        return f"{KIND_WORDS[self.kind]}{month}.{self.file_form}"


def neutral(text: str) -> str:
    """Text for a CSV cell that no spreadsheet calculates with, or turns into a number that loses
    digits: a leading apostrophe marks it as text (ASVS 1.2.10). Our readers take it off again.
    """
    if text.startswith(_CALCULATING) or (text.isdecimal() and _loses_digits(text)):
        return f"'{text}"
    return text


_CALCULATING = ("=", "+", "-", "@", "\t", "\r", "＝", "＋", "－", "＠", "'")
_SAFE_DIGITS = 11


def _loses_digits(digits: str) -> bool:
    return len(digits) > _SAFE_DIGITS or (digits.startswith("0") and digits != "0")
