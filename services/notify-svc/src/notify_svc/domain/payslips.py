"""Payslips 工资条 of a month as they were told, and what a correction changed."""

from dataclasses import dataclass

from notify_svc.domain.words import more_or_less


@dataclass(frozen=True, slots=True, kw_only=True)
class Payslip:
    """What all payslips of an employee's month say together; a correction, which another payslip
    makes, is its next version.
    """

    employer_id: str
    employee_id: str
    levy_period: str
    version: int
    gross_fen: int
    tax_fen: int
    net_fen: int
    cause_event: str = ""

    @property
    def withheld_fen(self) -> int:
        """个人社保公积金 and other deductions."""
        return self.gross_fen - self.tax_fen - self.net_fen


def changes_text(before: Payslip, after: Payslip) -> str:
    """What differs, in yuan; empty where only what employers pay, or another month withheld, is
    new: that month's own payslip is told.
    """
    parts = (
        ("应发", after.gross_fen - before.gross_fen),
        ("代扣社保公积金及其他", after.withheld_fen - before.withheld_fen),
        ("个人所得税", after.tax_fen - before.tax_fen),
        ("实发", after.net_fen - before.net_fen),
    )
    return "，".join(f"{words}{more_or_less(fen)}" for words, fen in parts if fen)
