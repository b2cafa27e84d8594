"""Table definitions: one row per employee and levy period, what it is judged against, anomalies,
closes.
"""

from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ColumnElement,
    DateTime,
    Dialect,
    Identity,
    Index,
    Integer,
    MetaData,
    Table,
    Text,
    TypeDecorator,
    UniqueConstraint,
    cast,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

metadata = MetaData()
temporary = MetaData()
"""Tables that live as long as a transaction; migrations know nothing of them."""


class Json(TypeDecorator[str]):
    """jsonb that crosses as JSON text: the store decodes it with msgspec, into the domain's own
    types.
    """

    impl = JSONB
    cache_ok = True

    def column_expression(self, column: ColumnElement[Any]) -> ColumnElement[Any]:
        # Read as text: the driver's own codec would make dicts of it first.
        return cast(column, Text)

    def bind_processor(self, dialect: Dialect) -> None:  # noqa: ARG002
        return None

    def result_processor(self, dialect: Dialect, coltype: object) -> None:  # noqa: ARG002
        return None


SIDES = ("roster", "assessed", "posted", "bureau", "withheld")


def _side_columns() -> list[Column[object]]:
    columns: list[Column[object]] = []
    for side in SIDES:
        columns.append(
            Column(f"{side}_version", BigInteger, nullable=False, server_default=text("0"))
        )
        columns.append(Column(side, Json))
    return columns


months = Table(
    "months",
    metadata,
    Column("employee_id", Text, primary_key=True),
    Column("levy_period", Text, primary_key=True),
    Column("employer_id", Text, nullable=False),
    *_side_columns(),
    Column("city", Text, nullable=False, server_default=""),
    Column("account_id", Text, nullable=False, server_default=""),
    Column("department_id", Text, nullable=False, server_default=""),
    Column("cells", Json, nullable=False, server_default="[]"),
    Column("version", BigInteger, nullable=False, server_default=text("0")),
    Column("judged_at", DateTime(timezone=True)),
    Column("next_due_at", DateTime(timezone=True)),
    Column("settled", Boolean, nullable=False, server_default=text("true")),
    Column("anomalous", Boolean, nullable=False, server_default=text("false")),
)
Index("months_of_employer", months.c.employer_id, months.c.levy_period, months.c.employee_id)
Index("months_due", months.c.next_due_at, postgresql_where=months.c.next_due_at.is_not(None))
Index("months_unsettled", months.c.city, postgresql_where=months.c.settled.is_(False))

employees = Table(
    "employees",
    metadata,
    Column("employee_id", Text, primary_key=True),
    Column("employer_id", Text, nullable=False),
    Column("version", BigInteger, nullable=False),
    Column("spells", Json, nullable=False),
    Column("cities", ARRAY(Text), nullable=False),
    Column("rostered", BigInteger, nullable=False, server_default=text("0")),
    Column("roster_due_at", DateTime(timezone=True)),
)
Index("employees_of_employer", employees.c.employer_id)
Index(
    "employees_due",
    employees.c.roster_due_at,
    postgresql_where=employees.c.roster_due_at.is_not(None),
)

# Facts that came before the roster was looked at ask for it here. Rows are only appended: a merge
# that locked the employee's row instead could wait for the opening job, which waits for that
# merge's month.
roster_requests = Table(
    "roster_requests",
    metadata,
    Column("seq", BigInteger, Identity(always=True), primary_key=True),
    Column("employer_id", Text, nullable=False),
    Column("employee_id", Text, nullable=False),
    Column("at", DateTime(timezone=True), nullable=False),
)

# `marked_at` on what months are judged against: it changed, and months that may see it are not
# judged anew yet.
employers = Table(
    "employers",
    metadata,
    Column("employer_id", Text, primary_key=True),
    Column("version", BigInteger, nullable=False),
    Column("cut_over", Text, nullable=False),
    Column("marked_at", DateTime(timezone=True)),
)
policies = Table(
    "policies",
    metadata,
    Column("city", Text, primary_key=True),
    Column("version", BigInteger, nullable=False),
    Column("filing_day", Integer, nullable=False),
    Column("debit_day", Integer, nullable=False),
    Column("scheme", Json, nullable=False),
    Column("look_up_at", Text, nullable=False, server_default="08:00"),
    Column("months_after", Integer, nullable=False, server_default="0"),
    Column("marked_at", DateTime(timezone=True)),
)
authorities = Table(
    "authorities",
    metadata,
    Column("authority", Text, primary_key=True),
    Column("version", BigInteger, nullable=False),
    Column("city", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("closures", Json, nullable=False),
    Column("closed_until", DateTime(timezone=True)),
    Column("marked_at", DateTime(timezone=True)),
)

anomalies = Table(
    "anomalies",
    metadata,
    Column("anomaly_id", Text, primary_key=True),
    Column("employer_id", Text, nullable=False),
    Column("employee_id", Text, nullable=False),
    Column("levy_period", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("occurrence", Integer, nullable=False),
    Column("version", BigInteger, nullable=False),
    Column("insurances", ARRAY(Text), nullable=False),
    Column("raised_at", DateTime(timezone=True), nullable=False),
    Column("tell_at", DateTime(timezone=True)),
    Column("city", Text, nullable=False),
    Column("department_id", Text, nullable=False),
    Column("account_id", Text, nullable=False),
    Column("authority", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("cause_id", Text, nullable=False),
    Column("likely_cause", Text, nullable=False),
    Column("spread", Integer, nullable=False),
    Column("cleared_at", DateTime(timezone=True)),
    Column("outcomes", Json),
    UniqueConstraint("employee_id", "levy_period", "kind", "occurrence"),
)
# One open occurrence per employee, period and kind: the second lock beside the month's row.
Index(
    "anomalies_one_open",
    anomalies.c.employee_id,
    anomalies.c.levy_period,
    anomalies.c.kind,
    unique=True,
    postgresql_where=anomalies.c.cleared_at.is_(None),
)
Index("anomalies_of_employer", anomalies.c.employer_id, anomalies.c.anomaly_id)
Index("anomalies_untold", anomalies.c.tell_at, postgresql_where=anomalies.c.tell_at.is_not(None))

period_closes = Table(
    "period_closes",
    metadata,
    Column("employer_id", Text, primary_key=True),
    Column("levy_period", Text, primary_key=True),
    Column("version", BigInteger, nullable=False),
    Column("cells", Integer, nullable=False),
    Column("states", Json, nullable=False),
    Column("sums_fen", Json, nullable=False),
    Column("closed_at", DateTime(timezone=True), nullable=False),
    Column("closed_by", Text, nullable=False),
    Column("reason", Text, nullable=False),
)

# A copy of where the parked events of employees' months belong, so that a verdict can say that
# something came and could not be taken in. `seq` is the parked event's.
parked_sides = Table(
    "parked_sides",
    metadata,
    Column("seq", BigInteger, primary_key=True, autoincrement=False),
    Column("employer_id", Text, nullable=False),
    Column("employee_id", Text, nullable=False),
    Column("levy_period", Text, nullable=False),
    Column("side", Text, nullable=False),
    Column("version", BigInteger, nullable=False),
)

# When to look whether an authority's look-ups have come. Rows are only appended, as those of
# `roster_requests`: merges run side by side and must not queue at an authority's row.
look_up_watches = Table(
    "look_up_watches",
    metadata,
    Column("seq", BigInteger, Identity(always=True), primary_key=True),
    Column("authority", Text, nullable=False),
    Column("at", DateTime(timezone=True), nullable=False),
)
look_up_alarms = Table(
    "look_up_alarms",
    metadata,
    Column("authority", Text, primary_key=True),
    Column("raised_at", DateTime(timezone=True), nullable=False),
    Column("cells", Integer, nullable=False),
)

incoming = Table(
    "incoming_months",
    temporary,
    Column("employee_id", Text, nullable=False),
    Column("levy_period", Text, nullable=False),
    Column("employer_id", Text, nullable=False),
    *_side_columns(),
    prefixes=["TEMPORARY"],
    postgresql_on_commit="DELETE ROWS",
)
judged = Table(
    "judged_months",
    temporary,
    Column("employee_id", Text, nullable=False),
    Column("levy_period", Text, nullable=False),
    Column("city", Text, nullable=False),
    Column("account_id", Text, nullable=False),
    Column("department_id", Text, nullable=False),
    Column("cells", Json, nullable=False),
    Column("version", BigInteger, nullable=False),
    Column("judged_at", DateTime(timezone=True), nullable=False),
    Column("next_due_at", DateTime(timezone=True)),
    Column("settled", Boolean, nullable=False),
    Column("anomalous", Boolean, nullable=False),
    prefixes=["TEMPORARY"],
    postgresql_on_commit="DELETE ROWS",
)
