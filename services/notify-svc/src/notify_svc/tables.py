"""The tables of notify-svc; every one has the employer whose rows it holds."""

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


# Copy of EmployerChanged: the HR staff with their departments, and the cities of the accounts.
employers = Table(
    "employers",
    metadata,
    Column("employer_id", Text, primary_key=True),
    Column("version", BigInteger, nullable=False),
    Column("staff", JSONB, nullable=False),
    Column("cities", ARRAY(Text), nullable=False),
)

# Copy of EmployeeSealed: sealed personal data, opened only when a message is sent.
identities = Table(
    "identities",
    metadata,
    Column("employee_id", Text, primary_key=True),
    Column("employer_id", Text, nullable=False),
    Column("version", BigInteger, nullable=False),
    Column("sealed", Text, nullable=False),
    Column("wrapped_key", Text, nullable=False),
    Column("root_key_id", Text, nullable=False),
)

# Which channels an employee wants beside the inbox.
preferences = Table(
    "preferences",
    metadata,
    Column("employer_id", Text, nullable=False),
    Column("employee_id", Text, nullable=False),
    Column("email", Boolean, nullable=False),
    PrimaryKeyConstraint("employee_id", name="preferences_pkey"),
)

# Copy of ticket events: what an employee is told of rests on it.
tickets = Table(
    "tickets",
    metadata,
    Column("ticket_id", Text, primary_key=True),
    Column("employer_id", Text, nullable=False),
    Column("employee_id", Text, nullable=False),
    Column("version", BigInteger, nullable=False),
    Column("number", Text, nullable=False),
    Column("is_resolved", Boolean, nullable=False),
    Column("was_replied", Boolean, nullable=False),
    Column("feedback_count", Integer, nullable=False),
    Column("is_settled", Boolean, nullable=False),
    Column("items", JSONB, nullable=False),
    Column("cause_event", Text, nullable=False),
    Column("is_told", Boolean, nullable=False, server_default="false"),
    Index(
        "tickets_to_tell",
        "employee_id",
        postgresql_where=text("is_resolved AND NOT is_told"),
    ),
)

# What the payslips of a month were last told to say: a later version differs from it.
payslips = Table(
    "payslips",
    metadata,
    Column("employee_id", Text, nullable=False),
    Column("levy_period", Text, nullable=False),
    Column("employer_id", Text, nullable=False),
    Column("version", BigInteger, nullable=False),
    Column("gross_fen", BigInteger, nullable=False),
    Column("tax_fen", BigInteger, nullable=False),
    Column("net_fen", BigInteger, nullable=False),
    PrimaryKeyConstraint("employee_id", "levy_period", name="payslips_pkey"),
)

# What each cleared anomaly's insurances have become.
cleared_anomalies = Table(
    "cleared_anomalies",
    metadata,
    Column("anomaly_id", Text, primary_key=True),
    Column("employer_id", Text, nullable=False),
    Column("employee_id", Text, nullable=False),
    Column("outcomes", JSONB, nullable=False),
)

# What HR has to hear of: gathered into one message when `due_at` has come. `dropped` ones have
# passed before anyone was told, or will never need telling.
mentions = Table(
    "mentions",
    metadata,
    Column("mention_id", Text, primary_key=True),
    Column("employer_id", Text, nullable=False),
    Column("template", Text, nullable=False),
    Column("cause", Text, nullable=False),
    _moment("due_at", nullable=False),
    Column("cause_event", Text, nullable=False),
    _words("recipient"),
    _words("department_id"),
    _words("employee_id"),
    _words("ticket_id"),
    Column("anomaly_ids", ARRAY(Text), nullable=False),
    Column("params", JSONB, nullable=False),
    Column("dropped", Boolean, nullable=False, server_default="false"),
    _moment("told_at"),
    Index("mentions_due", "due_at", postgresql_where=text("told_at IS NULL AND NOT dropped")),
)

# One message to one recipient by one channel; `dedupe` is (cause, transition, person, channel).
notifications = Table(
    "notifications",
    metadata,
    Column("notification_id", Text, primary_key=True),
    Column("employer_id", Text, nullable=False),
    _words("employee_id"),
    Column("recipient_kind", Text, nullable=False),
    Column("recipient", Text, nullable=False),
    Column("channel", Text, nullable=False),
    Column("template", Text, nullable=False),
    Column("cause", Text, nullable=False),
    Column("transition", Text, nullable=False),
    _words("subject"),
    Column("text", Text, nullable=False),
    _moment("at", nullable=False),
    Column("state", Text, nullable=False),
    _words("reason"),
    Column("ticket_ids", ARRAY(Text), nullable=False),
    Column("anomaly_ids", ARRAY(Text), nullable=False),
    Column("cause_event", Text, nullable=False),
    Column("tries", Integer, nullable=False, server_default="0"),
    _moment("try_at"),
    _moment("delivered_at"),
    Column("version", BigInteger, nullable=False),
    UniqueConstraint(
        "cause", "transition", "recipient_kind", "recipient", "channel", name="notifications_once"
    ),
    Index("notifications_page", "employer_id", text("at DESC"), text("notification_id DESC")),
    Index("notifications_inbox", "recipient", text("at DESC"), text("notification_id DESC")),
    Index("notifications_ticket", "ticket_ids", postgresql_using="gin"),
    Index("notifications_anomaly", "anomaly_ids", postgresql_using="gin"),
    Index("notifications_try", "try_at", postgresql_where=text("try_at IS NOT NULL")),
)

# One try to send: written before the call, completed after it. An open row whose process died is
# an outcome that nobody knows.
tries = Table(
    "tries",
    metadata,
    Column("notification_id", Text, nullable=False),
    Column("number", Integer, nullable=False),
    Column("employer_id", Text, nullable=False),
    _moment("begun_at", nullable=False),
    _moment("ended_at"),
    _words("outcome"),
    _words("reply"),
    PrimaryKeyConstraint("notification_id", "number", name="tries_pkey"),
    Index("tries_open", "begun_at", postgresql_where=text("ended_at IS NULL")),
)
