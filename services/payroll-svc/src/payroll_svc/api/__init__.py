"""HTTP door: parse, one use case, reply."""

from payroll_svc.api import (
    employees,
    employers,
    imports,
    pay_items,
    payroll_runs,
    payslips,
    tax,
)

__all__ = ["employees", "employers", "imports", "pay_items", "payroll_runs", "payslips", "tax"]
