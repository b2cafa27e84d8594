"""What bureau-sync-svc does, one verb each: keep, plan, submit, look up, watch parties, tell."""
