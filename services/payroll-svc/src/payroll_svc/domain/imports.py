"""An import 导入: one file, what was found in it, and what became of it."""

from dataclasses import dataclass
from datetime import datetime

from payroll_svc.domain.faults import Fault, Report
from shared.values import derived_id

ROSTER = "roster"
WAGES = "wages"
WHOLE = "whole"
GOOD_ROWS = "good_rows"


@dataclass(frozen=True, slots=True)
class Upload:
    """A file as it came: `corrects` says that its wages replace those taken in before."""

    employer_id: str
    kind: str
    file_name: str
    sha256: str
    corrects: bool = False

    @property
    def import_id(self) -> str:
        """The same file for the same purpose is the same import."""
        return str(derived_id("import", self.employer_id, self.kind, self.sha256, self.corrects))


@dataclass(frozen=True, slots=True)
class Import:
    """`state` is staged or applied; `faults` are the first of `fault_count`."""

    upload: Upload
    state: str
    row_count: int
    good_rows: int
    fault_count: int
    faults: tuple[Fault, ...]
    notes: tuple[str, ...]
    staged_at: datetime
    applied_at: datetime | None = None
    applied_rows: int | None = None


def staged_import(
    upload: Upload, row_count: int, found: Report, notes: tuple[str, ...], at: datetime
) -> Import:
    """The import of a file just read: nothing of it is applied yet."""
    return Import(
        upload=upload,
        state="staged",
        row_count=row_count,
        good_rows=max(0, row_count - len(found.rows)),
        fault_count=found.count,
        faults=found.listed,
        notes=notes,
        staged_at=at,
    )
