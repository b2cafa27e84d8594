"""SQL: outbox, inbox, parked events and kept answers of every service, and what answers name."""

from tests.support.invariants.collect.query import Queries, Query
from tests.support.invariants.facts import Kept, Parked, Resource, Taken, Told

PLUMBING = (
    Query(
        Told,
        """
        SELECT seq, id::text, aggregatetype, aggregateid, type, family, subject, version,
               sha256(payload), created_at, q.seq IS NOT NULL
          FROM outbox LEFT JOIN outbox_queue q USING (seq)
        """,
    ),
    Query(Taken, "SELECT event_id, content_hash FROM inbox"),
    Query(Parked, "SELECT topic, key, event_id, state, reason FROM parked"),
    Query(
        Kept,
        """
        SELECT caller, key, operation,
               (SELECT coalesce(jsonb_object_agg(name, value), '{}')
                  FROM jsonb_each_text(convert_from(answer, 'UTF8')::jsonb) AS a(name, value)
                 WHERE name LIKE '%\\_id' AND value IS NOT NULL)
          FROM http_writes WHERE answer IS NOT NULL
        """,
    ),
)
"""Of every service's database."""


def _resources(name: str, table: str) -> Query:
    return Query(Resource, f"SELECT '{name}', {name} FROM {table}")  # noqa: S608


QUERIES: Queries = {
    "payroll_svc": (
        _resources("employer_id", "employers"),
        _resources("import_id", "imports"),
        _resources("run_id", "payroll_runs"),
    ),
    "contribution_svc": (
        _resources("declaration_id", "declarations"),
        _resources("account_id", "accounts"),
        _resources("account_ref", "bank_accounts"),
        _resources("file_id", "statement_files"),
    ),
    "bureau_sync_svc": (_resources("serial", "submissions"),),
    "ticket_svc": (
        _resources("ticket_id", "tickets"),
        _resources("feedback_id", "feedbacks"),
    ),
    "notify_svc": (_resources("notification_id", "notifications"),),
}
