"""All SQL of ticket-svc: rows in, domain values out; `copies` of others' facts, our `facts`, our
`tickets`.
"""

from ticket_svc.store import copies, facts, tickets

__all__ = ["copies", "facts", "tickets"]
