"""portal-svc: read models for people."""
