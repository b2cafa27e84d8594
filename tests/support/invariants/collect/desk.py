"""SQL: tickets, notices, and the mail server's journal."""

from tests.support.invariants.collect.query import Queries, Query
from tests.support.invariants.facts import Feedback, Gathered, Mail, Mention, Notice, Ticket

QUERIES: Queries = {
    "ticket_svc": (
        Query(
            Ticket,
            """
            SELECT ticket_id, employer_id, employee_id, cause, resolved_at IS NULL, resolved_by,
                   merged_into, reopened_at IS NOT NULL, feedback_count FROM tickets
            """,
        ),
        Query(
            Gathered,
            """
            SELECT DISTINCT ticket_id, i->>'anomaly_id'
              FROM tickets, jsonb_array_elements(items) i
             WHERE i->>'anomaly_id' <> '' AND merged_into = ''
            """,
        ),
        Query(Feedback, "SELECT feedback_id, employee_id, ticket_id FROM feedbacks"),
    ),
    "notify_svc": (
        Query(
            Mention,
            """
            SELECT unnest(anomaly_ids), told_at, dropped
              FROM mentions WHERE template = 'hr_anomalies'
            """,
        ),
        # A try that was begun by a process that then died is given to a person after ten minutes.
        Query(
            Notice,
            """
            SELECT notification_id, employer_id, employee_id, recipient_kind, recipient, channel,
                   template, state, try_at,
                   EXISTS (SELECT 1 FROM tries t
                            WHERE t.notification_id = n.notification_id AND t.ended_at IS NULL
                              AND t.begun_at > clock_timestamp() - interval '12 minutes'),
                   ticket_ids, anomaly_ids
              FROM notifications n
            """,
        ),
    ),
    "sandbox": (Query(Mail, "SELECT message_id, recipients FROM mails"),),
}
