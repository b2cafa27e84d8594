"""The first schema: the roster's copy, bases, assessments, declarations, statements and postings,
all protected.
"""

from collections.abc import Sequence

from alembic import op
from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Date,
    Integer,
    LargeBinary,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB, TIMESTAMP

from shared.migrate import grant, install_plumbing, protect

revision = "0001"
down_revision: str | None = None
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None


def _key(name: str) -> Column[str]:
    return Column(name, Text, primary_key=True)


def _text(name: str) -> Column[str]:
    return Column(name, Text, nullable=False, server_default=text("''"))


def _count(name: str) -> Column[int]:
    """A version, a number of fen or of things; 0 until something is known."""
    return Column(name, BigInteger, nullable=False, server_default=text("0"))


def _json(name: str, empty: str) -> Column[object]:
    return Column(name, JSONB, nullable=False, server_default=text(f"'{empty}'"))


def _at(name: str, *, optional: bool = False) -> Column[object]:
    return Column(name, TIMESTAMP(timezone=True), nullable=optional)


def _day(name: str, *, optional: bool = False) -> Column[object]:
    return Column(name, Date, nullable=optional)


def _owner() -> Column[str]:
    return Column("employer_id", Text, nullable=False)


def upgrade() -> None:
    install_plumbing(op)
    _create_roster()
    _create_assessments()
    _create_statements()
    _create_outcomes()


def _create_roster() -> None:
    op.create_table("employers", _key("employer_id"), _count("version"), _text("cut_over"))
    protect(op, "employers")
    grant(op, "employers", api="SELECT")
    op.create_table(
        "accounts",
        _key("account_id"),
        _owner(),
        _text("account_no"),
        _text("city"),
        _text("collector"),
        _text("bank_account_ref"),
        Column("auto_debit", Boolean, nullable=False),
        _text("next_period"),
        _at("open_at", optional=True),
    )
    op.create_index("accounts_of_employer", "accounts", ["employer_id", "account_no"])
    op.create_index(
        "accounts_to_open", "accounts", ["open_at"], postgresql_where=text("open_at IS NOT NULL")
    )
    protect(op, "accounts")
    grant(op, "accounts", api="SELECT")
    op.create_table(
        "bank_accounts",
        _key("account_ref"),
        _owner(),
        _at("list_at"),
        _day("listed_through", optional=True),
    )
    op.create_index("bank_accounts_to_list", "bank_accounts", ["list_at"])
    protect(op, "bank_accounts")
    grant(op, "bank_accounts", api="SELECT")
    op.create_table(
        "employees",
        _key("employee_id"),
        _owner(),
        _count("version"),
        _text("employee_no"),
        _text("person_kind"),
        Column("documents_missing", ARRAY(Text), nullable=False),
        _count("first_month_wage_fen"),
    )
    op.create_index("employees_by_no", "employees", ["employer_id", "employee_no"])
    protect(op, "employees", employee=True)
    grant(op, "employees", api="SELECT")
    op.create_table(
        "spells",
        _key("employee_id"),
        Column("since", Date, primary_key=True),
        _day("until", optional=True),
        _owner(),
        _text("account_id"),
        _text("department_id"),
        _text("city"),
    )
    op.create_index("spells_of_employer", "spells", ["employer_id"])
    protect(op, "spells", employee=True)
    grant(op, "spells")
    op.create_table(
        "wages",
        _key("employee_id"),
        _key("wage_month"),
        _key("purpose"),
        _owner(),
        _count("version"),
        _count("wage_fen"),
    )
    protect(op, "wages", employee=True)
    grant(op, "wages")


def _create_assessments() -> None:
    op.create_table(
        "policies",
        _key("city"),
        _count("version"),
        _text("content_sha256"),
        _json("body", "{}"),
        _at("published_at"),
    )
    grant(op, "policies", api="SELECT")
    op.create_table(
        "bases",
        _key("employee_id"),
        _key("contribution_year"),
        _owner(),
        _count("version"),
        _text("levy_period"),
        _json("body", "{}"),
    )
    protect(op, "bases", employee=True)
    grant(op, "bases", api="SELECT")
    op.create_table(
        "declarations",
        _key("declaration_id"),
        _owner(),
        _text("account_id"),
        _text("levy_period"),
        _text("city"),
        Column("state", Text, nullable=False, server_default=text("'draft'")),
        _count("version"),
        _day("file_by"),
        _day("debit_by"),
        _day("due_on"),
        _at("opened_at"),
        _count("people"),
        _json("sums", "{}"),
        _count("total_fen"),
        _text("lines_hash"),
        _text("approved_by"),
        _at("approved_at", optional=True),
        _at("risk_at", optional=True),
        _count("risk_version"),
        _json("risk", "{}"),
        UniqueConstraint("account_id", "levy_period", name="declarations_once"),
    )
    op.create_index(
        "declarations_of_employer", "declarations", ["employer_id", "levy_period", "declaration_id"]
    )
    op.create_index(
        "declarations_at_risk",
        "declarations",
        ["risk_at"],
        postgresql_where=text("risk_at IS NOT NULL"),
    )
    protect(op, "declarations")
    grant(op, "declarations", api="SELECT, UPDATE")
    op.create_table(
        "assessments",
        _key("employee_id"),
        _key("levy_period"),
        _owner(),
        _text("account_id"),
        _text("department_id"),
        _text("city"),
        _count("version"),
        _at("assess_at", optional=True),
        Column("declaration_id", Text),
        _text("rests_on"),
        _text("contribution_year"),
        _json("lines", "[]"),
        _text("base_explanation"),
        _text("policy_known_since"),
        _text("told"),
        _day("file_by"),
        _day("debit_by"),
    )
    op.create_index(
        "assessments_of_employer", "assessments", ["employer_id", "levy_period", "employee_id"]
    )
    op.create_index("assessments_of_account", "assessments", ["account_id", "levy_period"])
    op.create_index("assessments_declared", "assessments", ["declaration_id"])
    op.create_index(
        "assessments_to_do",
        "assessments",
        ["assess_at"],
        postgresql_where=text("assess_at IS NOT NULL"),
    )
    protect(op, "assessments", employee=True)
    grant(op, "assessments", api="SELECT, UPDATE")


def _create_statements() -> None:
    op.create_table(
        "statement_files",
        _key("file_id"),
        _owner(),
        _text("sha256"),
        _text("name"),
        _text("origin"),
        _text("state"),
        Column("content", LargeBinary, nullable=False),
        _json("faults", "[]"),
        _at("received_at"),
        UniqueConstraint("employer_id", "sha256", name="statement_files_once"),
    )
    protect(op, "statement_files")
    grant(op, "statement_files", api="SELECT, INSERT, UPDATE")
    op.create_table(
        "statements",
        _key("statement_id"),
        _owner(),
        _text("file_id"),
        _text("account_ref"),
        _text("bank_id"),
        _day("day"),
        Column("sequence", BigInteger),
        _count("opening_fen"),
        _count("closing_fen"),
        Column("entries", Integer, nullable=False),
        _text("content_sha256"),
        _at("imported_at"),
        UniqueConstraint("account_ref", "bank_id", name="statements_once"),
    )
    op.create_index("statements_of_employer", "statements", ["employer_id", "day", "statement_id"])
    protect(op, "statements")
    grant(op, "statements", api="SELECT, INSERT")
    op.create_table(
        "entries",
        _key("entry_id"),
        _owner(),
        _text("statement_id"),
        _text("account_ref"),
        _count("amount_fen"),
        Column("is_debit", Boolean, nullable=False),
        Column("is_return", Boolean, nullable=False),
        _day("booked_on"),
        _text("reference"),
        _text("voucher"),
        _text("remark"),
        _text("return_reason"),
        _text("state"),
        _text("reason"),
        _text("declaration_id"),
        _text("scope"),
        _text("insurance"),
        _text("employee_id"),
    )
    op.create_index("entries_of_declaration", "entries", ["declaration_id"])
    op.create_index(
        "entries_in_suspense",
        "entries",
        ["employer_id", "entry_id"],
        postgresql_where=text("state = 'suspense'"),
    )
    protect(op, "entries")
    grant(op, "entries", api="SELECT, INSERT, UPDATE")
    op.create_table(
        "bank_webhooks",
        _key("webhook_id"),
        Column("body", LargeBinary, nullable=False),
        _at("received_at"),
    )
    grant(op, "bank_webhooks")
    op.create_table(
        "offered_statements",
        _key("bank_id"),
        _text("account_ref"),
        _text("sha256"),
        _text("state"),
        _at("fetch_at", optional=True),
        _count("tries"),
    )
    op.create_index(
        "offered_to_fetch",
        "offered_statements",
        ["fetch_at"],
        postgresql_where=text("fetch_at IS NOT NULL"),
    )
    grant(op, "offered_statements")


def _create_outcomes() -> None:
    op.create_table(
        "postings",
        _key("employee_id"),
        _key("levy_period"),
        _owner(),
        _text("account_id"),
        _text("declaration_id"),
        _text("city"),
        _count("version"),
        _json("lines", "[]"),
    )
    op.create_index("postings_of_employer", "postings", ["employer_id", "levy_period"])
    protect(op, "postings", employee=True)
    grant(op, "postings", api="SELECT, INSERT, UPDATE")
    op.create_table(
        "bureau_rows",
        _key("employee_id"),
        _key("levy_period"),
        _owner(),
        _count("version"),
        _json("rows", "[]"),
    )
    protect(op, "bureau_rows", employee=True)
    grant(op, "bureau_rows", api="SELECT")
