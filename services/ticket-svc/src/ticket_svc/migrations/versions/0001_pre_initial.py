"""The first schema: facts, tickets, conversation, and copies of what others own."""

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
    PRIMARY KEY (employer_id)
);
CREATE TABLE employees (
    employee_id TEXT NOT NULL,
    employer_id TEXT NOT NULL,
    version BIGINT DEFAULT '0' NOT NULL,
    spells JSONB DEFAULT '[]' NOT NULL,
    PRIMARY KEY (employee_id)
);
CREATE TABLE authorities (
    authority TEXT NOT NULL,
    version BIGINT NOT NULL,
    state TEXT NOT NULL,
    since TIMESTAMP WITH TIME ZONE NOT NULL,
    PRIMARY KEY (authority)
);
CREATE TABLE incidents (
    incident_id TEXT NOT NULL,
    employer_id TEXT NOT NULL,
    cause_id TEXT NOT NULL,
    kind TEXT NOT NULL,
    authority TEXT NOT NULL,
    people INTEGER DEFAULT '0' NOT NULL,
    first_raised_at TIMESTAMP WITH TIME ZONE NOT NULL,
    PRIMARY KEY (incident_id),
    CONSTRAINT incidents_cause UNIQUE (employer_id, cause_id)
);
CREATE TABLE anomalies (
    anomaly_id TEXT NOT NULL,
    occurrence INTEGER NOT NULL,
    employer_id TEXT NOT NULL,
    employee_id TEXT NOT NULL,
    version BIGINT NOT NULL,
    kind TEXT NOT NULL,
    levy_period TEXT NOT NULL,
    insurances TEXT[] NOT NULL,
    gone JSONB NOT NULL,
    authority TEXT NOT NULL,
    department_id TEXT NOT NULL,
    cause_id TEXT NOT NULL,
    raised_at TIMESTAMP WITH TIME ZONE NOT NULL,
    cleared_at TIMESTAMP WITH TIME ZONE,
    ticket_id TEXT DEFAULT '' NOT NULL,
    CONSTRAINT anomalies_pkey PRIMARY KEY (anomaly_id, occurrence)
);
CREATE INDEX anomalies_cause ON anomalies (employer_id, cause_id);
CREATE INDEX anomalies_employee ON anomalies (employee_id);
CREATE TABLE feedbacks (
    feedback_id TEXT NOT NULL,
    employer_id TEXT NOT NULL,
    employee_id TEXT NOT NULL,
    at TIMESTAMP WITH TIME ZONE NOT NULL,
    levy_period TEXT NOT NULL,
    insurances TEXT[] NOT NULL,
    kind TEXT NOT NULL,
    ticket_id TEXT DEFAULT '' NOT NULL,
    PRIMARY KEY (feedback_id)
);
CREATE INDEX feedbacks_employee ON feedbacks (employee_id);
CREATE TABLE tickets (
    ticket_id TEXT NOT NULL,
    employer_id TEXT NOT NULL,
    employee_id TEXT NOT NULL,
    founder TEXT NOT NULL,
    number TEXT NOT NULL,
    cause TEXT NOT NULL,
    kind TEXT NOT NULL,
    origin TEXT NOT NULL,
    state TEXT NOT NULL,
    authority TEXT DEFAULT '' NOT NULL,
    department_id TEXT DEFAULT '' NOT NULL,
    incident_id TEXT DEFAULT '' NOT NULL,
    items JSONB NOT NULL,
    feedback_count INTEGER NOT NULL,
    messages INTEGER NOT NULL,
    opened_at TIMESTAMP WITH TIME ZONE NOT NULL,
    reply_due_at TIMESTAMP WITH TIME ZONE,
    first_reply_at TIMESTAMP WITH TIME ZONE,
    last_reply_at TIMESTAMP WITH TIME ZONE,
    resolve_due_at TIMESTAMP WITH TIME ZONE,
    resolve_days_left INTEGER,
    waiting_on TEXT DEFAULT '' NOT NULL,
    authority_closed BOOLEAN NOT NULL,
    assignee TEXT DEFAULT '' NOT NULL,
    escalation INTEGER NOT NULL,
    escalated_at TIMESTAMP WITH TIME ZONE,
    escalate_at TIMESTAMP WITH TIME ZONE,
    resolved_at TIMESTAMP WITH TIME ZONE,
    resolved_by TEXT DEFAULT '' NOT NULL,
    reopened_at TIMESTAMP WITH TIME ZONE,
    merged_into TEXT DEFAULT '' NOT NULL,
    reason TEXT DEFAULT '' NOT NULL,
    version BIGINT NOT NULL,
    PRIMARY KEY (ticket_id),
    CONSTRAINT tickets_number UNIQUE (employer_id, number)
);
CREATE INDEX tickets_authority ON tickets (authority) WHERE resolved_at IS NULL;
CREATE INDEX tickets_employee ON tickets (employee_id, opened_at);
CREATE INDEX tickets_escalate ON tickets (escalate_at) WHERE escalate_at IS NOT NULL;
CREATE UNIQUE INDEX tickets_one_open ON tickets (employee_id, cause) WHERE resolved_at IS NULL;
CREATE INDEX tickets_page ON tickets (employer_id, opened_at DESC, ticket_id DESC);
CREATE INDEX tickets_unassigned ON tickets (opened_at) WHERE resolved_at IS NULL AND assignee = '';
CREATE TABLE ticket_numbers (
    employer_id TEXT NOT NULL,
    month TEXT NOT NULL,
    last INTEGER NOT NULL,
    CONSTRAINT ticket_numbers_pkey PRIMARY KEY (employer_id, month)
);
CREATE TABLE messages (
    message_id TEXT NOT NULL,
    ticket_id TEXT NOT NULL,
    employer_id TEXT NOT NULL,
    employee_id TEXT NOT NULL,
    at TIMESTAMP WITH TIME ZONE NOT NULL,
    author_kind TEXT NOT NULL,
    author TEXT NOT NULL,
    text TEXT NOT NULL,
    waiting_on TEXT DEFAULT '' NOT NULL,
    feedback_id TEXT,
    PRIMARY KEY (message_id)
);
CREATE INDEX messages_feedback ON messages (feedback_id) WHERE feedback_id IS NOT NULL;
CREATE INDEX messages_ticket ON messages (ticket_id, at);
CREATE TABLE changes (
    ticket_id TEXT NOT NULL,
    version BIGINT NOT NULL,
    employer_id TEXT NOT NULL,
    employee_id TEXT NOT NULL,
    at TIMESTAMP WITH TIME ZONE NOT NULL,
    change TEXT NOT NULL,
    state TEXT NOT NULL,
    by TEXT NOT NULL,
    CONSTRAINT changes_pkey PRIMARY KEY (ticket_id, version)
);
"""

_WRITE = "SELECT, INSERT, UPDATE"


def upgrade() -> None:
    for statement in _TABLES.split(";"):
        if statement.strip():
            op.execute(statement)
    install_plumbing(op)
    for table in ("employees", "anomalies", "feedbacks", "tickets"):
        protect(op, table, employee=True)
        grant(op, table, api=_WRITE)
    # What was said and what happened is only added to; a message of feedback may change its ticket.
    for table in ("messages", "changes"):
        protect(op, table, employee=True)
        grant(op, table, api="SELECT, INSERT", worker="SELECT, INSERT")
    for role in ("api", "worker"):
        op.execute(f"GRANT UPDATE (ticket_id) ON messages TO ticket_svc_{role}")
    for table in ("employers", "incidents"):
        protect(op, table)
        grant(op, table, api="SELECT")
    protect(op, "ticket_numbers")
    grant(op, "ticket_numbers", api=_WRITE)
    grant(op, "authorities", api="SELECT")
