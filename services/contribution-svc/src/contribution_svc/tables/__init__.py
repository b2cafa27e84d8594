"""What contribution-svc keeps: its copy of the roster, bases, assessments, declarations, statements
and postings; what declared months lack, the yearly bases and how policy comes into force apart.
"""

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Date,
    Index,
    Integer,
    LargeBinary,
    Table,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY

from contribution_svc.tables import arrears, campaigns, releases
from contribution_svc.tables.columns import count as _count
from contribution_svc.tables.columns import day as _day
from contribution_svc.tables.columns import document as _json
from contribution_svc.tables.columns import key as _key
from contribution_svc.tables.columns import metadata
from contribution_svc.tables.columns import moment as _at
from contribution_svc.tables.columns import owner as _owner
from contribution_svc.tables.columns import words as _text

__all__ = ["arrears", "campaigns", "metadata", "releases"]

employers = Table("employers", metadata, _key("employer_id"), _count("version"), _text("cut_over"))
"""Version 0: the employer's own event has not come yet; the row is there to be locked."""

accounts = Table(
    "accounts",
    metadata,
    _key("account_id"),
    _owner(),
    _text("account_no"),
    _text("city"),
    _text("collector"),
    _text("bank_account_ref"),
    Column("auto_debit", Boolean, nullable=False),
    _text("next_period"),
    _at("open_at", optional=True),
    _json("own_rates", "{}"),
    Index("accounts_of_employer", "employer_id", "account_no"),
    Index("accounts_to_open", "open_at", postgresql_where=text("open_at IS NOT NULL")),
)
"""`next_period` opens next, and is looked at when `open_at` has come. `own_rates`: by insurance the
employer's and the employee's millionths.
"""

bank_accounts = Table(
    "bank_accounts",
    metadata,
    _key("account_ref"),
    _owner(),
    _at("list_at"),
    _day("listed_through", optional=True),
    Index("bank_accounts_to_list", "list_at"),
)

employees = Table(
    "employees",
    metadata,
    _key("employee_id"),
    _owner(),
    _count("version"),
    _text("employee_no"),
    _text("person_kind"),
    Column("documents_missing", ARRAY(Text), nullable=False),
    _count("first_month_wage_fen"),
    Column("first_fund_member", Boolean, nullable=False, server_default=text("false")),
    Index("employees_by_no", "employer_id", "employee_no"),
)

spells = Table(
    "spells",
    metadata,
    _key("employee_id"),
    Column("since", Date, primary_key=True),
    _day("until", optional=True),
    _owner(),
    _text("account_id"),
    _text("department_id"),
    _text("city"),
    Index("spells_of_employer", "employer_id"),
)

wages = Table(
    "wages",
    metadata,
    _key("employee_id"),
    _key("wage_month"),
    _key("purpose"),
    _owner(),
    _count("version"),
    _count("wage_fen"),
    _json("items", "[]"),
    _at("heard_at", server_default=text("'epoch'")),
    _json("before", "[]"),
)
"""`before`: what corrections replaced, each {heard_at, wage_fen, items}, the oldest first."""

policies = Table(
    "policies",
    metadata,
    _key("city"),
    _count("version"),
    _text("content_sha256"),
    _json("body", "{}"),
    _at("published_at"),
)
"""`body` is the pack in force as it was read, whole. The service itself reads `policy_packs`, the
file; `make verify` takes from here on which day a levy period opens, which no event tells.
"""

bases = Table(
    "bases",
    metadata,
    _key("employee_id"),
    _key("contribution_year"),
    _owner(),
    _count("version"),
    _text("levy_period"),
    _json("body", "{}"),
)
"""`levy_period` is the latest one assessed with this base: an older one never replaces it."""

declarations = Table(
    "declarations",
    metadata,
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
    _count("number"),
    _text("filing_serial"),
    UniqueConstraint("account_id", "levy_period", "number", name="declarations_once"),
    Index("declarations_of_employer", "employer_id", "levy_period", "declaration_id"),
    Index("declarations_at_risk", "risk_at", postgresql_where=text("risk_at IS NOT NULL")),
    Index("declarations_by_serial", "filing_serial", postgresql_where=text("filing_serial <> ''")),
)
"""`number` 0 is the regular declaration; 1, 2, ... are supplementary ones of the same account and
levy period.
"""

assessments = Table(
    "assessments",
    metadata,
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
    _at("assessed_at", optional=True),
    Column("facts_parked", Boolean, nullable=False, server_default=text("false")),
    _json("policy_warnings", "[]"),
    _json("supplements", "[]"),
    _count("declared_version"),
    _at("compare_at", optional=True),
    CheckConstraint("declaration_id IS NULL OR assess_at IS NULL", "assessments_declared_stay"),
    Index("assessments_of_employer", "employer_id", "levy_period", "employee_id"),
    Index("assessments_of_account", "account_id", "levy_period"),
    Index(
        "assessments_declared",
        "declaration_id",
        postgresql_where=text("declaration_id IS NOT NULL"),
    ),
    Index(
        "assessments_to_do",
        "assess_at",
        "employee_id",
        postgresql_where=text("assess_at IS NOT NULL"),
    ),
    Index("assessments_parked", "employee_id", postgresql_where=text("facts_parked")),
    Index("assessments_to_compare", "compare_at", postgresql_where=text("compare_at IS NOT NULL")),
    Index(
        "assessments_supplemented",
        "account_id",
        "levy_period",
        postgresql_where=text("supplements <> '[]'"),
    ),
)
"""`assess_at`: when to assess (again); null while up to date. `declaration_id` freezes what was
declared, under `declared_version` (0: under this version). `facts_parked`: it was made while events
about its employee were parked. `supplements` are declared lines beside `lines`; `compare_at`: when
to look what a declared month lacks by what is known now.
"""

postings = Table(
    "postings",
    metadata,
    _key("employee_id"),
    _key("levy_period"),
    _owner(),
    _text("account_id"),
    _text("declaration_id"),
    _text("city"),
    _count("version"),
    _json("lines", "[]"),
    Index("postings_of_employer", "employer_id", "levy_period"),
)

bureau_rows = Table(
    "bureau_rows",
    metadata,
    _key("employee_id"),
    _key("levy_period"),
    _owner(),
    _count("version"),
    _json("rows", "[]"),
)

bank_webhooks = Table(
    "bank_webhooks",
    metadata,
    _key("webhook_id"),
    Column("body", LargeBinary, nullable=False),
    _at("received_at"),
)
"""Kept for ever: a webhook that comes again years later is still known."""

offered_statements = Table(
    "offered_statements",
    metadata,
    _key("bank_id"),
    _text("account_ref"),
    _text("sha256"),
    _text("state"),
    _at("fetch_at", optional=True),
    _count("tries"),
    Index("offered_to_fetch", "fetch_at", postgresql_where=text("fetch_at IS NOT NULL")),
)
"""What the bank said it published: state wanted, imported or refused."""

statement_files = Table(
    "statement_files",
    metadata,
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
"""The raw bytes as they came; state received, imported or refused."""

statements = Table(
    "statements",
    metadata,
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
    Index("statements_of_employer", "employer_id", "day", "statement_id"),
)

entries = Table(
    "entries",
    metadata,
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
    Index("entries_of_declaration", "declaration_id"),
    Index(
        "entries_in_suspense",
        "employer_id",
        "entry_id",
        postgresql_where=text("state = 'suspense'"),
    ),
)
"""State allocated (to `scope` of a declaration), suspense (with the reason) or no_effect (with the
reason).
"""
