"""What runs and payslips hold as JSON, to domain values and back."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

import msgspec

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


def columns_of(value: Any) -> dict[str, Any]:
    """A dataclass by the names of its fields, what is nested in it as JSON has it.

    `dataclasses.asdict` copies every single number as if it could be changed: it was two fifths of
    checking or paying 5,000 people.
    """
    made: dict[str, Any] = msgspec.to_builtins(value, builtin_types=(date, datetime))
    return made
