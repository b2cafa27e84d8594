"""What runs and payslips hold as JSON, to domain values."""

from collections.abc import Sequence
from typing import Any

from payroll_svc.domain.income_tax import Withholding
from payroll_svc.domain.pay import DueLine
from payroll_svc.domain.pay_items import Reckoned, Step


def items_of(stored: Sequence[dict[str, Any]]) -> tuple[Reckoned, ...]:
    """Pay items with their steps."""
    return tuple(
        Reckoned(**{**item, "steps": tuple(Step(**step) for step in item["steps"])})
        for item in stored
    )


def lines_of(stored: Sequence[dict[str, Any]] | None) -> tuple[DueLine, ...]:
    return tuple(DueLine(**line) for line in stored or ())


def tax_of(stored: dict[str, Any] | None) -> Withholding | None:
    """None where a payslip was issued before the reckoning was kept."""
    if stored is None:
        return None
    lists = {name: tuple(stored.get(name, ())) for name in ("elections", "imported")}
    special = tuple(Step(**step) for step in stored.get("special", ()))
    return Withholding(**{**stored, **lists, "special": special})
