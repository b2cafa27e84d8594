"""ticket-svc: tickets, incidents, assignment, service levels, conversation."""
