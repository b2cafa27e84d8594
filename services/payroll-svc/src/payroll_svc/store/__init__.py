"""All SQL of payroll-svc: rows in, domain values out."""
