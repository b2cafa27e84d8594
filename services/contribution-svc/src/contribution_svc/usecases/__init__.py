"""What contribution-svc does, one function per verb: load, decide, save, tell."""
