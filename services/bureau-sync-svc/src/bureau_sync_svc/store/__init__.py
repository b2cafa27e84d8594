"""All SQL of bureau-sync-svc, by what it is about; rows come out as domain values."""
