"""The tables of ticket-svc; every one has the employer whose rows it holds."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    DateTime,
    Index,
    Integer,
    MetaData,
    PrimaryKeyConstraint,
    Table,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

metadata = MetaData()


def _moment(name: str, *, nullable: bool = True) -> Column[object]:
    return Column(name, DateTime(timezone=True), nullable=nullable)


def _words(name: str) -> Column[str]:
    return Column(name, Text, nullable=False, server_default="")


# Copy of EmployerChanged: the HR staff and their departments.
employers = Table(
    "employers",
    metadata,
    Column("employer_id", Text, primary_key=True),
    Column("version", BigInteger, nullable=False),
    Column("staff", JSONB, nullable=False),
)

# Copy of EmployeeChanged (version 0: not heard of yet). Its lock guards all their tickets.
employees = Table(
    "employees",
    metadata,
    Column("employee_id", Text, primary_key=True),
    Column("employer_id", Text, nullable=False),
    Column("version", BigInteger, nullable=False, server_default="0"),
    Column("spells", JSONB, nullable=False, server_default="[]"),
)

# Copy of AuthorityStateChanged; not about any employer.
authorities = Table(
    "authorities",
    metadata,
    Column("authority", Text, primary_key=True),
    Column("version", BigInteger, nullable=False),
    Column("state", Text, nullable=False),
    _moment("since", nullable=False),
)

# One per cause; an incident once two people share it. Its lock orders who counts them.
incidents = Table(
    "incidents",
    metadata,
    Column("incident_id", Text, primary_key=True),
    Column("employer_id", Text, nullable=False),
    Column("cause_id", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("authority", Text, nullable=False),
    Column("people", Integer, nullable=False, server_default="0"),
    _moment("first_raised_at", nullable=False),
    UniqueConstraint("employer_id", "cause_id", name="incidents_cause"),
)

anomalies = Table(
    "anomalies",
    metadata,
    Column("anomaly_id", Text, nullable=False),
    Column("occurrence", Integer, nullable=False),
    Column("employer_id", Text, nullable=False),
    Column("employee_id", Text, nullable=False),
    Column("version", BigInteger, nullable=False),
    Column("kind", Text, nullable=False),
    Column("levy_period", Text, nullable=False),
    Column("insurances", ARRAY(Text), nullable=False),
    Column("gone", JSONB, nullable=False),
    Column("authority", Text, nullable=False),
    Column("department_id", Text, nullable=False),
    Column("cause_id", Text, nullable=False),
    _moment("raised_at", nullable=False),
    _moment("cleared_at"),
    Column("ticket_id", Text, nullable=False, server_default=""),
    PrimaryKeyConstraint("anomaly_id", "occurrence", name="anomalies_pkey"),
    Index("anomalies_employee", "employee_id"),
    Index("anomalies_cause", "employer_id", "cause_id"),
)

feedbacks = Table(
    "feedbacks",
    metadata,
    Column("feedback_id", Text, primary_key=True),
    Column("employer_id", Text, nullable=False),
    Column("employee_id", Text, nullable=False),
    _moment("at", nullable=False),
    Column("levy_period", Text, nullable=False),
    Column("insurances", ARRAY(Text), nullable=False),
    Column("kind", Text, nullable=False),
    Column("ticket_id", Text, nullable=False, server_default=""),
    Index("feedbacks_employee", "employee_id"),
)

tickets = Table(
    "tickets",
    metadata,
    Column("ticket_id", Text, primary_key=True),
    Column("employer_id", Text, nullable=False),
    Column("employee_id", Text, nullable=False),
    Column("founder", Text, nullable=False),
    Column("number", Text, nullable=False),
    Column("cause", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("origin", Text, nullable=False),
    Column("state", Text, nullable=False),
    _words("authority"),
    _words("department_id"),
    _words("incident_id"),
    Column("items", JSONB, nullable=False),
    Column("feedback_count", Integer, nullable=False),
    Column("messages", Integer, nullable=False),
    _moment("opened_at", nullable=False),
    _moment("reply_due_at"),
    _moment("first_reply_at"),
    _moment("last_reply_at"),
    _moment("resolve_due_at"),
    Column("resolve_days_left", Integer),
    _words("waiting_on"),
    Column("authority_closed", Boolean, nullable=False),
    _words("assignee"),
    Column("escalation", Integer, nullable=False),
    _moment("escalated_at"),
    _moment("escalate_at"),
    _moment("resolved_at"),
    _words("resolved_by"),
    _moment("reopened_at"),
    _words("merged_into"),
    _words("reason"),
    Column("version", BigInteger, nullable=False),
    UniqueConstraint("employer_id", "number", name="tickets_number"),
    Index(
        "tickets_one_open",
        "employee_id",
        "cause",
        unique=True,
        postgresql_where=text("resolved_at IS NULL"),
    ),
    Index("tickets_employee", "employee_id", "opened_at"),
    Index("tickets_page", "employer_id", text("opened_at DESC"), text("ticket_id DESC")),
    Index("tickets_escalate", "escalate_at", postgresql_where=text("escalate_at IS NOT NULL")),
    Index(
        "tickets_unassigned",
        "opened_at",
        postgresql_where=text("resolved_at IS NULL AND assignee = ''"),
    ),
    Index("tickets_authority", "authority", postgresql_where=text("resolved_at IS NULL")),
)

# The last number given per employer and month of opening (YYYYMM).
ticket_numbers = Table(
    "ticket_numbers",
    metadata,
    Column("employer_id", Text, nullable=False),
    Column("month", Text, nullable=False),
    Column("last", Integer, nullable=False),
    PrimaryKeyConstraint("employer_id", "month", name="ticket_numbers_pkey"),
)

# The conversation; only added to. A message of feedback goes where the feedback goes.
messages = Table(
    "messages",
    metadata,
    Column("message_id", Text, primary_key=True),
    Column("ticket_id", Text, nullable=False),
    Column("employer_id", Text, nullable=False),
    Column("employee_id", Text, nullable=False),
    _moment("at", nullable=False),
    Column("author_kind", Text, nullable=False),
    Column("author", Text, nullable=False),
    Column("text", Text, nullable=False),
    _words("waiting_on"),
    Column("feedback_id", Text),
    Index("messages_ticket", "ticket_id", "at"),
    Index("messages_feedback", "feedback_id", postgresql_where=text("feedback_id IS NOT NULL")),
)

# The timeline: one row per version that was told.
changes = Table(
    "changes",
    metadata,
    Column("ticket_id", Text, nullable=False),
    Column("version", BigInteger, nullable=False),
    Column("employer_id", Text, nullable=False),
    Column("employee_id", Text, nullable=False),
    _moment("at", nullable=False),
    Column("change", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("by", Text, nullable=False),
    PrimaryKeyConstraint("ticket_id", "version", name="changes_pkey"),
)
