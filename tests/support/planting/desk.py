"""Plants against I5 and I6: tickets, notices, mails."""

from tests.support.planting.plant import Plant, changed, deleted, doubled

ARRIVED = "template = 'records_arrived' AND channel = 'inbox'"

PLANTS = (
    Plant(
        "an employee has two open tickets for one cause",
        "two_open_tickets",
        "ticket_svc",
        (
            "DROP INDEX tickets_one_open",
            *doubled("tickets", "resolved_at IS NULL", ticket_id="'planted'", number="'DZ-0'"),
        ),
    ),
    Plant(
        "an open anomaly is in no ticket",
        "anomaly_without_ticket",
        "ticket_svc",
        changed("anomalies", "ticket_id = ''", "cleared_at IS NULL"),
    ),
    Plant(
        "a ticket is closed with its anomaly open",
        "ticket_resolved_too_early",
        "ticket_svc",
        changed("tickets", "resolved_at = now(), state = 'resolved'", "resolved_at IS NULL"),
    ),
    Plant(
        "two tickets list one anomaly",
        "anomaly_in_two_tickets",
        "ticket_svc",
        changed(
            "tickets",
            "items = items || (SELECT t.items FROM tickets t WHERE t.resolved_at IS NULL LIMIT 1)",
            "resolved_at IS NOT NULL",
        ),
    ),
    Plant(
        "a ticket was given to another employee",
        "ticket_gathers_a_stranger",
        "ticket_svc",
        changed(
            "tickets", "employee_id = (SELECT max(employee_id) FROM tickets)", order="employee_id"
        ),
    ),
    Plant(
        "a ticket stays open though all has cleared",
        "ticket_open_for_nothing",
        "ticket_svc",
        changed(
            "tickets",
            "resolved_at = NULL, state = 'assigned'",
            "resolved_at IS NOT NULL AND feedback_count = 0",
        ),
    ),
    Plant("a mail went out twice", "mail_sent_twice", "sandbox", doubled("mails", mail_id="-1")),
    Plant(
        "a mail that is marked as delivered never reached the mail server",
        "mail_not_sent",
        "sandbox",
        deleted("mails"),
    ),
    Plant(
        "a notice is deleted after its mail went out",
        "mail_of_nobody",
        "notify_svc",
        deleted("notifications", "channel = 'email'"),
    ),
    Plant(
        "a message hangs in the middle of being sent",
        "notice_stuck",
        "notify_svc",
        changed("notifications", "state = 'sending', try_at = NULL", "channel = 'email'"),
    ),
    Plant(
        "an employee never reads that the records have arrived",
        "resolution_not_told",
        "notify_svc",
        deleted("notifications", ARRIVED),
    ),
    Plant(
        "an employee reads it twice",
        "resolution_not_told",
        "notify_svc",
        doubled(
            "notifications", ARRIVED, notification_id="'planted'", transition="'arrived again'"
        ),
    ),
    Plant(
        "nothing waits to tell HR of an anomaly",
        "anomaly_not_told_to_hr",
        "notify_svc",
        deleted("mentions", "template = 'hr_anomalies'"),
    ),
    Plant(
        "the messages to HR that name anomalies are deleted",
        "anomaly_not_told_to_hr",
        "notify_svc",
        ("DELETE FROM notifications WHERE template = 'hr_anomalies'",),
    ),
)
