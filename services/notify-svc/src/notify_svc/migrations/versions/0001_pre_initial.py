"""The first schema: messages, what they rest on, and the tries to send them."""

from alembic import op

from shared.migrate import grant, install_plumbing, protect

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

_TABLES = """
CREATE TABLE employers (
    employer_id TEXT NOT NULL,
    version BIGINT NOT NULL,
    staff JSONB NOT NULL,
    cities TEXT[] NOT NULL,
    PRIMARY KEY (employer_id)
);
CREATE TABLE identities (
    employee_id TEXT NOT NULL,
    employer_id TEXT NOT NULL,
    version BIGINT NOT NULL,
    sealed TEXT NOT NULL,
    wrapped_key TEXT NOT NULL,
    root_key_id TEXT NOT NULL,
    PRIMARY KEY (employee_id)
);
CREATE TABLE preferences (
    employer_id TEXT NOT NULL,
    employee_id TEXT NOT NULL,
    email BOOLEAN NOT NULL,
    CONSTRAINT preferences_pkey PRIMARY KEY (employee_id)
);
CREATE TABLE tickets (
    ticket_id TEXT NOT NULL,
    employer_id TEXT NOT NULL,
    employee_id TEXT NOT NULL,
    version BIGINT NOT NULL,
    number TEXT NOT NULL,
    is_resolved BOOLEAN NOT NULL,
    was_replied BOOLEAN NOT NULL,
    feedback_count INTEGER NOT NULL,
    is_settled BOOLEAN NOT NULL,
    items JSONB NOT NULL,
    cause_event TEXT NOT NULL,
    is_told BOOLEAN DEFAULT 'false' NOT NULL,
    PRIMARY KEY (ticket_id)
);
CREATE INDEX tickets_to_tell ON tickets (employee_id) WHERE is_resolved AND NOT is_told;
CREATE TABLE cleared_anomalies (
    anomaly_id TEXT NOT NULL,
    employer_id TEXT NOT NULL,
    employee_id TEXT NOT NULL,
    outcomes JSONB NOT NULL,
    PRIMARY KEY (anomaly_id)
);
CREATE TABLE mentions (
    mention_id TEXT NOT NULL,
    employer_id TEXT NOT NULL,
    template TEXT NOT NULL,
    cause TEXT NOT NULL,
    due_at TIMESTAMP WITH TIME ZONE NOT NULL,
    cause_event TEXT NOT NULL,
    recipient TEXT DEFAULT '' NOT NULL,
    department_id TEXT DEFAULT '' NOT NULL,
    employee_id TEXT DEFAULT '' NOT NULL,
    ticket_id TEXT DEFAULT '' NOT NULL,
    anomaly_ids TEXT[] NOT NULL,
    params JSONB NOT NULL,
    dropped BOOLEAN DEFAULT 'false' NOT NULL,
    told_at TIMESTAMP WITH TIME ZONE,
    PRIMARY KEY (mention_id)
);
CREATE INDEX mentions_due ON mentions (due_at) WHERE told_at IS NULL AND NOT dropped;
CREATE TABLE notifications (
    notification_id TEXT NOT NULL,
    employer_id TEXT NOT NULL,
    employee_id TEXT DEFAULT '' NOT NULL,
    recipient_kind TEXT NOT NULL,
    recipient TEXT NOT NULL,
    channel TEXT NOT NULL,
    template TEXT NOT NULL,
    cause TEXT NOT NULL,
    transition TEXT NOT NULL,
    subject TEXT DEFAULT '' NOT NULL,
    text TEXT NOT NULL,
    at TIMESTAMP WITH TIME ZONE NOT NULL,
    state TEXT NOT NULL,
    reason TEXT DEFAULT '' NOT NULL,
    ticket_ids TEXT[] NOT NULL,
    anomaly_ids TEXT[] NOT NULL,
    cause_event TEXT NOT NULL,
    tries INTEGER DEFAULT '0' NOT NULL,
    try_at TIMESTAMP WITH TIME ZONE,
    delivered_at TIMESTAMP WITH TIME ZONE,
    version BIGINT NOT NULL,
    PRIMARY KEY (notification_id),
    CONSTRAINT notifications_once UNIQUE (cause, transition, recipient_kind, recipient, channel)
);
CREATE INDEX notifications_anomaly ON notifications USING gin (anomaly_ids);
CREATE INDEX notifications_inbox ON notifications (recipient, at DESC, notification_id DESC);
CREATE INDEX notifications_page ON notifications (employer_id, at DESC, notification_id DESC);
CREATE INDEX notifications_ticket ON notifications USING gin (ticket_ids);
CREATE INDEX notifications_try ON notifications (try_at) WHERE try_at IS NOT NULL;
CREATE TABLE tries (
    notification_id TEXT NOT NULL,
    number INTEGER NOT NULL,
    employer_id TEXT NOT NULL,
    begun_at TIMESTAMP WITH TIME ZONE NOT NULL,
    ended_at TIMESTAMP WITH TIME ZONE,
    outcome TEXT DEFAULT '' NOT NULL,
    reply TEXT DEFAULT '' NOT NULL,
    CONSTRAINT tries_pkey PRIMARY KEY (notification_id, number)
);
CREATE INDEX tries_open ON tries (begun_at) WHERE ended_at IS NULL;
"""


def upgrade() -> None:
    for statement in _TABLES.split(";"):
        if statement.strip():
            op.execute(statement)
    install_plumbing(op)
    for table in ("employers", "mentions", "tries", "cleared_anomalies"):
        protect(op, table)
        grant(op, table)
    for table, api in (
        ("identities", ""),
        ("tickets", ""),
        ("preferences", "SELECT, INSERT, UPDATE"),
        ("notifications", "SELECT"),
    ):
        protect(op, table, employee=True)
        grant(op, table, api=api)
