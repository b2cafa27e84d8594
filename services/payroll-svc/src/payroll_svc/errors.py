"""What payroll-svc refuses, each named as a statement."""

from dataclasses import dataclass
from typing import ClassVar

from shared.refusal import Refusal


@dataclass(eq=False)
class EmployerKnown(Refusal):
    """An employer with this 统一社会信用代码 exists already."""

    code: ClassVar[str] = "employer-known"
    status: ClassVar[int] = 409
    title: ClassVar[str] = "The employer exists already"


@dataclass(eq=False)
class EmployerInconsistent(Refusal):
    """The employer's accounts, departments and staff do not fit each other."""

    code: ClassVar[str] = "employer-inconsistent"
    status: ClassVar[int] = 422
    title: ClassVar[str] = "The employer's data contradict each other"


@dataclass(eq=False)
class FileUnreadable(Refusal):
    """Not one row of the file can be read as what it should be; `faults` say why and what to do."""

    code: ClassVar[str] = "file-unreadable"
    status: ClassVar[int] = 422
    title: ClassVar[str] = "The file cannot be read"


@dataclass(eq=False)
class FileTooLarge(Refusal):
    """The file has more bytes than one upload may have."""

    code: ClassVar[str] = "file-too-large"
    status: ClassVar[int] = 413
    title: ClassVar[str] = "The file is too large"


@dataclass(eq=False)
class ImportHasFaults(Refusal):
    """Rows of the import are broken, so that it cannot be applied as asked."""

    code: ClassVar[str] = "import-has-faults"
    status: ClassVar[int] = 409
    title: ClassVar[str] = "The import has faults"


@dataclass(eq=False)
class ImportApplied(Refusal):
    """The import was applied before; it is applied once."""

    code: ClassVar[str] = "import-applied"
    status: ClassVar[int] = 409
    title: ClassVar[str] = "The import was applied before"


@dataclass(eq=False)
class ImportNotApplied(Refusal):
    """The import is not applied, or no longer."""

    code: ClassVar[str] = "import-not-applied"
    status: ClassVar[int] = 409
    title: ClassVar[str] = "The import is not applied"


@dataclass(eq=False)
class ImportStays(Refusal):
    """What the import brought was built on, or changed since; `faults` say by what."""

    code: ClassVar[str] = "import-stays"
    status: ClassVar[int] = 409
    title: ClassVar[str] = "The import cannot be undone any more"


@dataclass(eq=False)
class FileNotKept(Refusal):
    """The uploaded file is destroyed: a roster's once it is applied."""

    code: ClassVar[str] = "file-not-kept"
    status: ClassVar[int] = 409
    title: ClassVar[str] = "The file is no longer kept"


@dataclass(eq=False)
class PayslipsImported(Refusal):
    """The month was paid by the company's own payroll, whose payslips were imported."""

    code: ClassVar[str] = "payslips-imported"
    status: ClassVar[int] = 409
    title: ClassVar[str] = "The company's own payroll paid this month"


@dataclass(eq=False)
class DeadlineInconsistent(Refusal):
    """A deadline for wage data names a department that the employer has not, or names one twice."""

    code: ClassVar[str] = "deadline-inconsistent"
    status: ClassVar[int] = 422
    title: ClassVar[str] = "The deadlines do not fit the employer"


@dataclass(eq=False)
class ExportTooLarge(Refusal):
    """More rows than one export may have."""

    code: ClassVar[str] = "export-too-large"
    status: ClassVar[int] = 409
    title: ClassVar[str] = "The export is too large"


@dataclass(eq=False)
class IdentityStillNeeded(Refusal):
    """The person is employed, is owed a payslip, or left too recently: the law has it kept."""

    code: ClassVar[str] = "identity-still-needed"
    status: ClassVar[int] = 409
    title: ClassVar[str] = "The identity must be kept"


@dataclass(eq=False)
class PayrollRunExists(Refusal):
    """The employer has a payroll run for this levy period."""

    code: ClassVar[str] = "payroll-run-exists"
    status: ClassVar[int] = 409
    title: ClassVar[str] = "The payroll run exists already"


@dataclass(eq=False)
class PaydayUnknown(Refusal):
    """The holidays of the payday's year are not announced, so it cannot be rolled."""

    code: ClassVar[str] = "payday-unknown"
    status: ClassVar[int] = 409
    title: ClassVar[str] = "The payday cannot be told yet"


@dataclass(eq=False)
class PayrollRunNotReady(Refusal):
    """The payroll run is not in the state that this step needs; `faults` name who holds it up."""

    code: ClassVar[str] = "payroll-run-not-ready"
    status: ClassVar[int] = 409
    title: ClassVar[str] = "The payroll run is not ready for this"


@dataclass(eq=False)
class PayrollRunPaid(Refusal):
    """A paid payroll run is never edited."""

    code: ClassVar[str] = "payroll-run-paid"
    status: ClassVar[int] = 409
    title: ClassVar[str] = "The payroll run is paid"


@dataclass(eq=False)
class ApproverChecked(Refusal):
    """Two people stand for a payroll run: who checked it does not approve it."""

    code: ClassVar[str] = "approver-checked"
    status: ClassVar[int] = 409
    title: ClassVar[str] = "A second person approves the payroll run"


@dataclass(eq=False)
class TaxNotKnown(Refusal):
    """No income tax rules are known for the day."""

    code: ClassVar[str] = "tax-not-known"
    status: ClassVar[int] = 409
    title: ClassVar[str] = "The income tax cannot be told"


@dataclass(eq=False)
class PayItemKnown(Refusal):
    """A pay item of this code exists, with another meaning: what was paid by it keeps its own."""

    code: ClassVar[str] = "pay-item-known"
    status: ClassVar[int] = 409
    title: ClassVar[str] = "The pay item exists already"


@dataclass(eq=False)
class EntriesRefused(Refusal):
    """What was entered does not fit the roster or the pay items; `faults` name each place."""

    code: ClassVar[str] = "entries-refused"
    status: ClassVar[int] = 422
    title: ClassVar[str] = "The entries cannot be taken in"


@dataclass(eq=False)
class TaxDeclarationRefused(Refusal):
    """The law does not allow what was declared for the income tax; `faults` say what."""

    code: ClassVar[str] = "tax-declaration-refused"
    status: ClassVar[int] = 422
    title: ClassVar[str] = "The tax declaration cannot be taken in"


@dataclass(eq=False)
class ReplyOutOfTurn(Refusal):
    """What was said of the payslip before does not allow this reply."""

    code: ClassVar[str] = "reply-out-of-turn"
    status: ClassVar[int] = 409
    title: ClassVar[str] = "The payslip is not open for this reply"
