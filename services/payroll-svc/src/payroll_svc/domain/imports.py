"""An import 导入: one file, what was found in it, and what became of it."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from payroll_svc.domain.faults import Fault, Report
from shared.values import derived_id

ROSTER = "roster"
WAGES = "wages"
WAGE_DATA = "wage_data"
PAYSLIPS = "payslips"
STAGED = "staged"
APPLIED = "applied"
UNDONE = "undone"
WHOLE = "whole"
GOOD_ROWS = "good_rows"


@dataclass(frozen=True, slots=True)
class Upload:
    """A file as it came: `corrects` says that it replaces amounts taken in before; `levy_period` is
    the month that it is for, where its kind has one.
    """

    employer_id: str
    kind: str
    file_name: str
    sha256: str
    corrects: bool = False
    levy_period: str = ""

    @property
    def import_id(self) -> str:
        """The same file for the same purpose is the same import."""
        month = (self.levy_period,) if self.levy_period else ()
        purpose = (self.employer_id, self.kind, self.sha256, self.corrects, *month)
        return str(derived_id("import", *purpose))


@dataclass(frozen=True, slots=True)
class Import:
    """`state` is staged, applied or undone; `faults` are the first of `fault_count`; `changes`
    counts what applying it would have changed when it was staged.
    """

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
    changes: Mapping[str, int] | None = None
    staged_by: str = ""
    applied_by: str = ""
    undone_at: datetime | None = None
    undone_by: str = ""
    undo_reason: str = ""


ADDED = "added"
CHANGED = "changed"
UNCHANGED = "unchanged"
MISSING = "missing"


@dataclass(frozen=True, slots=True)
class Effect:
    """What one row does to one thing: `before` and `after` are its states as JSON objects (None:
    there is no such thing), `what` says for people which thing of the employee it is.

    `hidden_before` and `hidden_after` are what only `write` may see; `before` has a mark of it.
    """

    row: int
    employee_id: str
    employee_no: str
    what: str
    key: str
    before: Mapping[str, Any] | None
    after: Mapping[str, Any] | None
    hidden_before: Mapping[str, Any] | None = None
    hidden_after: Mapping[str, Any] | None = None

    @property
    def change(self) -> str:
        if self.after is None:
            return MISSING
        if self.before is None:
            return ADDED
        return UNCHANGED if self.before == self.after else CHANGED

    def differences(self) -> dict[str, tuple[Any, Any]]:
        """(before, after) of every part of the state that differs; None where there is none."""
        before, after = self.before or {}, self.after or {}
        names = [*before, *(name for name in after if name not in before)]
        pairs = {name: (before.get(name), after.get(name)) for name in names}
        return {name: pair for name, pair in pairs.items() if pair[0] != pair[1]}


def missing_person(employee_id: str, employee_no: str) -> Effect:
    """Someone of the roster of whom the file says nothing."""
    return Effect(0, employee_id, employee_no, "", employee_id, None, None)


def counted(effects: Iterable[Effect]) -> dict[str, int]:
    """How many are added, changed, unchanged and missing."""
    counts = Counter(effect.change for effect in effects)
    return {change: counts[change] for change in (ADDED, CHANGED, UNCHANGED, MISSING)}


def changed_since(
    effects: Sequence[Effect], now: Mapping[str, Mapping[str, Any] | None]
) -> list[Effect]:
    """Effects whose thing is no longer as the import left it; `now` has its state by key."""
    return [effect for effect in effects if now.get(effect.key) != effect.after]


def staged_import(
    upload: Upload,
    row_count: int,
    found: Report,
    notes: tuple[str, ...],
    changes: Mapping[str, int],
    by: str,
    at: datetime,
) -> Import:
    """The import of a file just read: nothing of it is applied yet."""
    return Import(
        upload=upload,
        state=STAGED,
        row_count=row_count,
        good_rows=max(0, row_count - len(found.rows)),
        fault_count=found.count,
        faults=found.listed,
        notes=notes,
        staged_at=at,
        changes=changes,
        staged_by=by,
    )
