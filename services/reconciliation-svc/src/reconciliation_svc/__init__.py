"""reconciliation-svc: the cells of every employee and month, their sides and their outcome."""
