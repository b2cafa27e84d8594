"""The verbs of ticket-svc: what facts do to tickets, what people do with them, and what
time does.
"""
