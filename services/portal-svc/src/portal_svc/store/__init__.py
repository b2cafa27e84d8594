"""All SQL of portal-svc: `keeping` takes events in, `reading` answers people."""
