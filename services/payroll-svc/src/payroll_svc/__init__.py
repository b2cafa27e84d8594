"""payroll-svc: groups, employers, employees, pay items, payroll runs and payslips."""
