"""HTTP door: parse, one use case, reply."""

from payroll_svc.api import employees, employers, imports, payroll_runs, payslips

__all__ = ["employees", "employers", "imports", "payroll_runs", "payslips"]
