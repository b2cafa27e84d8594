"""The verbs of reconciliation-svc: observe, open, judge what is due, tell, close, and read."""
