"""What payroll-svc does, one verb a function: load, decide, save, tell."""
