"""The read models, each protected by row-level security."""

from collections.abc import Sequence

from alembic import op
from sqlalchemy import BigInteger, Boolean, Column, Text, text
from sqlalchemy.dialects.postgresql import JSONB, TIMESTAMP

from shared.migrate import grant, install_plumbing, protect

revision = "0001"
down_revision: str | None = None
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None


def _text(name: str, *, key: bool = False) -> Column[str]:
    return Column(name, Text, primary_key=key, nullable=False)


def _newest() -> list[Column[object]]:
    return [
        Column("version", BigInteger, nullable=False),
        Column("payload", JSONB, nullable=False),
    ]


def _side(name: str) -> list[Column[object]]:
    return [
        Column(name, JSONB),
        Column(f"{name}_version", BigInteger, nullable=False, server_default=text("0")),
        Column(f"{name}_event_id", Text, nullable=False, server_default=text("''")),
    ]


def upgrade() -> None:
    install_plumbing(op)
    _create_months()
    _create_people()
    _create_facts_of_employers()
    _create_cases()
    _create_public_facts()


def _create_months() -> None:
    op.create_table(
        "months",
        _text("employee_id", key=True),
        _text("levy_period", key=True),
        _text("employer_id"),
        *_side("payslip"),
        *_side("assessed"),
        *_side("posted"),
        *_side("bureau"),
        *_side("judged"),
    )
    op.create_index("months_of_employer", "months", ["employer_id", "levy_period"])
    _shared_with_readers("months", employee=True)


def _create_people() -> None:
    op.create_table("employers", _text("employer_id", key=True), *_newest())
    _shared_with_readers("employers")
    op.create_table("employees", _text("employee_id", key=True), _text("employer_id"), *_newest())
    _shared_with_readers("employees", employee=True)
    op.create_table(
        "identities",
        _text("employee_id", key=True),
        _text("employer_id"),
        Column("version", BigInteger, nullable=False),
        _text("sealed"),
        _text("wrapped_key"),
        _text("root_key_id"),
    )
    _shared_with_readers("identities", employee=True)


def _create_facts_of_employers() -> None:
    op.create_table(
        "declarations",
        _text("declaration_id", key=True),
        _text("employer_id"),
        _text("account_id"),
        _text("levy_period"),
        *_newest(),
    )
    op.create_index("declarations_of_period", "declarations", ["employer_id", "levy_period"])
    _shared_with_readers("declarations")
    op.create_table(
        "deadline_risks",
        _text("account_id", key=True),
        _text("levy_period", key=True),
        _text("employer_id"),
        *_newest(),
    )
    _shared_with_readers("deadline_risks")
    op.create_table(
        "period_closes",
        _text("employer_id", key=True),
        _text("levy_period", key=True),
        *_newest(),
    )
    _shared_with_readers("period_closes")


def _create_cases() -> None:
    op.create_table(
        "anomalies",
        _text("anomaly_id", key=True),
        _text("employer_id"),
        _text("employee_id"),
        _text("kind"),
        Column("cleared", Boolean, nullable=False),
        *_newest(),
    )
    op.create_index("anomalies_of_employee", "anomalies", ["employee_id"])
    _shared_with_readers("anomalies", employee=True)
    op.create_table(
        "tickets",
        _text("ticket_id", key=True),
        _text("employer_id"),
        _text("employee_id"),
        Column("open", Boolean, nullable=False),
        Column("opened_at", TIMESTAMP(timezone=True), nullable=False),
        *_newest(),
    )
    op.create_index(
        "tickets_open",
        "tickets",
        ["employer_id", "opened_at", "ticket_id"],
        postgresql_where=text("open"),
    )
    op.create_index("tickets_of_employee", "tickets", ["employee_id"])
    _shared_with_readers("tickets", employee=True)
    op.create_table(
        "notifications",
        _text("notification_id", key=True),
        _text("employer_id"),
        _text("employee_id"),
        _text("ticket_id"),
        Column("delivered", Boolean, nullable=False),
        *_newest(),
    )
    op.create_index("notifications_of_ticket", "notifications", ["ticket_id"])
    _shared_with_readers("notifications", employee=True)


def _create_public_facts() -> None:
    """Policies and the state of authorities are about nobody: whoever is signed in sees them."""
    op.create_table("policies", _text("city", key=True), *_newest())
    op.create_table("authorities", _text("authority", key=True), *_newest())
    for table in ("policies", "authorities"):
        grant(op, table, api="SELECT")


def _shared_with_readers(table: str, *, employee: bool = False) -> None:
    grant(op, table, api="SELECT")
    protect(op, table, employee=employee)
