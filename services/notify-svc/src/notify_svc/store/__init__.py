"""All SQL of notify-svc: `copies` of others' facts, `mentions` to gather, `notifications` and their
sending.
"""

from notify_svc.store import copies, mentions, notifications

__all__ = ["copies", "mentions", "notifications"]
