"""bureau-sync-svc: every exchange with collectors and authorities, and its evidence."""
