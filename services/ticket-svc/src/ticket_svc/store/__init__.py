"""All SQL of ticket-svc: rows in, domain values out; `copies` of others' facts, our `facts`, our
`tickets`, and what is `told_before` a restore.
"""

from ticket_svc.store import copies, facts, tickets, told_before

__all__ = ["copies", "facts", "tickets", "told_before"]
