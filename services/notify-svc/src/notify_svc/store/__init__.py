"""All SQL of notify-svc: `copies` of others' facts, `payslips` as last told, `mentions` to gather,
`notifications` and their sending.
"""

from notify_svc.store import copies, mentions, notifications, payslips

__all__ = ["copies", "mentions", "notifications", "payslips"]
