"""HTTP door: parse, one use case, reply."""

from payroll_svc.api import (
    employees,
    employers,
    exports,
    hand_ins,
    imported_payslips,
    imports,
    pay_items,
    payroll_runs,
    payslips,
    tax,
)

__all__ = [
    "employees",
    "employers",
    "exports",
    "hand_ins",
    "imported_payslips",
    "imports",
    "pay_items",
    "payroll_runs",
    "payslips",
    "tax",
]
