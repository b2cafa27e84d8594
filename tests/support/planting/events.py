"""Plants against I3, I4, I9 and I12: outbox, inbox, versions, parked keys, kept answers."""

from tests.support.planting.plant import Plant, changed, deleted, doubled

PLANTS = (
    Plant("an inbox row is deleted", "event_not_taken", "ticket_svc", deleted("inbox")),
    Plant(
        "an inbox row has another content hash",
        "event_taken_with_other_content",
        "contribution_svc",
        changed("inbox", "content_hash = decode(repeat('00', 16), 'hex')"),
    ),
    Plant(
        "an event was taken that nobody told",
        "inbox_row_of_nothing",
        "notify_svc",
        ("INSERT INTO inbox VALUES ('never-told', decode(repeat('00', 16), 'hex'))",),
    ),
    Plant(
        "an outbox row says something else than was sent",
        "topic_differs_from_outbox",
        "payroll_svc",
        changed("outbox", "payload = payload || ' '::bytea"),
    ),
    Plant(
        "an event is in a topic and its outbox row is gone",
        "event_of_nobody",
        "contribution_svc",
        deleted("outbox", "family = 'BaseChanged'"),
    ),
    Plant(
        "an outbox row is marked as sent and was never sent",
        "sent_event_not_in_topic",
        "reconciliation_svc",
        doubled(
            "outbox",
            "family = 'CellsJudged'",
            seq="1000000",
            id="gen_random_uuid()",
            version="version + 1000",
        ),
    ),
    Plant(
        "a copy is a version ahead of its owner",
        "version_ahead",
        "reconciliation_svc",
        changed("months", "assessed_version = assessed_version + 1", "posted IS NOT NULL"),
    ),
    Plant(
        "a copy stayed a version behind",
        "version_behind",
        "portal_svc",
        changed("tickets", "version = version - 1"),
    ),
    Plant(
        "an employee's sealed identity is missing from one store",
        "version_behind",
        "notify_svc",
        deleted("identities"),
    ),
    Plant(
        "an outbox row is not sent",
        "outbox_not_drained",
        "bureau_sync_svc",
        ("INSERT INTO outbox_queue (seq) SELECT max(seq) FROM outbox",),
    ),
    Plant(
        "a key is parked that nobody meant to park",
        "key_parked",
        "ticket_svc",
        (
            "INSERT INTO parked (topic, partition, position, key, headers, event_id, type,"
            " content_hash, reason, error, dead_letter_topic) VALUES ('payroll.events', 0, 0,"
            " 'an employee', '[]', 'an event', '', decode(repeat('00', 16), 'hex'), 'handler',"
            " 'ValueError', 'payroll.events.ticket-svc.dlq')",
        ),
    ),
    Plant(
        "a window has ended and nobody has judged its month",
        "job_overdue",
        "reconciliation_svc",
        changed("months", "next_due_at = '2024-10-17Z'", "posted IS NOT NULL"),
    ),
    Plant(
        "an answer was kept and its effect is gone",
        "kept_answer_without_effect",
        "payroll_svc",
        ("DELETE FROM import_effects", *deleted("imports")),
    ),
)
