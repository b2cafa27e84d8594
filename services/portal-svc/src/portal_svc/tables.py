"""The read models: a row per employee and levy period, and the newest event of all else."""

from sqlalchemy import BigInteger, Boolean, Column, Index, MetaData, Table, Text, text
from sqlalchemy.dialects.postgresql import JSONB, TIMESTAMP

metadata = MetaData()

SIDES = ("payslip", "assessed", "posted", "bureau", "judged")
"""What each row of `months` holds the newest event of; five services tell them, in any order."""


def _side(name: str) -> list[Column[object]]:
    return [
        Column(name, JSONB),
        Column(f"{name}_version", BigInteger, nullable=False, server_default=text("0")),
        Column(f"{name}_event_id", Text, nullable=False, server_default=text("''")),
    ]


months = Table(
    "months",
    metadata,
    Column("employee_id", Text, primary_key=True),
    Column("levy_period", Text, primary_key=True),
    Column("employer_id", Text, nullable=False),
    *(column for name in SIDES for column in _side(name)),
    Index("months_of_employer", "employer_id", "levy_period"),
)


def _newest(name: str, *columns: Column[object] | Index) -> Table:
    """A table that keeps the newest event of each aggregate as `payload`."""
    return Table(
        name,
        metadata,
        *columns,
        Column("version", BigInteger, nullable=False),
        Column("payload", JSONB, nullable=False),
    )


employers = _newest("employers", Column("employer_id", Text, primary_key=True))

employees = _newest(
    "employees",
    Column("employee_id", Text, primary_key=True),
    Column("employer_id", Text, nullable=False),
)

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

policies = _newest("policies", Column("city", Text, primary_key=True))

authorities = _newest("authorities", Column("authority", Text, primary_key=True))

declarations = _newest(
    "declarations",
    Column("declaration_id", Text, primary_key=True),
    Column("employer_id", Text, nullable=False),
    Column("account_id", Text, nullable=False),
    Column("levy_period", Text, nullable=False),
    Index("declarations_of_period", "employer_id", "levy_period"),
)

deadline_risks = _newest(
    "deadline_risks",
    Column("account_id", Text, primary_key=True),
    Column("levy_period", Text, primary_key=True),
    Column("employer_id", Text, nullable=False),
)

anomalies = _newest(
    "anomalies",
    Column("anomaly_id", Text, primary_key=True),
    Column("employer_id", Text, nullable=False),
    Column("employee_id", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("cleared", Boolean, nullable=False),
    Index("anomalies_of_employee", "employee_id"),
)

period_closes = _newest(
    "period_closes",
    Column("employer_id", Text, primary_key=True),
    Column("levy_period", Text, primary_key=True),
)

tickets = _newest(
    "tickets",
    Column("ticket_id", Text, primary_key=True),
    Column("employer_id", Text, nullable=False),
    Column("employee_id", Text, nullable=False),
    Column("open", Boolean, nullable=False),
    Column("opened_at", TIMESTAMP(timezone=True), nullable=False),
    Index("tickets_open", "employer_id", "opened_at", "ticket_id", postgresql_where=text("open")),
    Index("tickets_of_employee", "employee_id"),
)

notifications = _newest(
    "notifications",
    Column("notification_id", Text, primary_key=True),
    Column("employer_id", Text, nullable=False),
    Column("employee_id", Text, nullable=False),
    Column("ticket_id", Text, nullable=False),
    Column("delivered", Boolean, nullable=False),
    Index("notifications_of_ticket", "ticket_id"),
)
