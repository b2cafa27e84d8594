"""What declared months lack: differences, deferrals, and what is assessed provisionally."""

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    Index,
    Table,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY

from contribution_svc.tables.columns import (
    count,
    day,
    document,
    key,
    metadata,
    moment,
    owner,
    words,
)

differences = Table(
    "differences",
    metadata,
    key("employee_id"),
    key("levy_period"),
    owner(),
    words("account_id"),
    document("lines", "[]"),
    moment("found_at"),
    Index("differences_of_account", "account_id", "levy_period"),
)
"""Difference lines that no supplementary declaration carries yet."""

deferrals = Table(
    "deferrals",
    metadata,
    key("deferral_id"),
    owner(),
    words("account_id"),
    Column("insurances", ARRAY(Text), nullable=False),
    words("first_period"),
    words("last_period"),
    day("until"),
    words("ground"),
    words("document_no"),
    words("granted_by"),
    Column("state", Text, nullable=False, server_default=text("'proposed'")),
    words("recorded_by"),
    moment("recorded_at"),
    words("approved_by"),
    moment("approved_at", optional=True),
    words("refused_by"),
    moment("refused_at", optional=True),
    words("reason"),
    CheckConstraint("approved_by <> recorded_by", name="deferrals_two_people"),
    Index("deferrals_of_account", "account_id", "state"),
    Index("deferrals_of_employer", "employer_id", "deferral_id"),
)

refunds = Table(
    "refunds",
    metadata,
    key("refund_id"),
    owner(),
    words("account_id"),
    Column("employee_id", Text, nullable=False),
    words("levy_period"),
    count("number"),
    document("lines", "[]"),
    words("document_no"),
    words("requested_by"),
    moment("requested_at"),
    words("state"),
    count("version"),
    words("answered_by"),
    moment("answered_at", optional=True),
    Column("refunded_fen", BigInteger),
    day("refunded_on", optional=True),
    words("reason"),
    UniqueConstraint("employee_id", "levy_period", "number", name="refunds_once"),
    Index("refunds_of_account", "account_id", "levy_period"),
    Index("refunds_of_employer", "employer_id", "refund_id"),
)
"""What was paid too much and is applied for at the collector; `lines` below zero."""

provisional_assessments = Table(
    "provisional_assessments",
    metadata,
    key("declaration_id"),
    owner(),
    words("account_id"),
    words("levy_period"),
    Column("last_fen", BigInteger),
    Column("assessed_fen", BigInteger),
    day("assessed_on"),
    words("explanation"),
    moment("settled_at", optional=True),
    Column("settled_fen", BigInteger),
    words("settlement"),
    Index("provisional_of_employer", "employer_id", "declaration_id"),
)
