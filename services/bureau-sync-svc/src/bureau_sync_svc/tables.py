"""Table definitions: local copies of what others say, submissions and look-ups, the rows told, and
the sync log.
"""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    DateTime,
    Identity,
    Index,
    Integer,
    MetaData,
    PrimaryKeyConstraint,
    Table,
    Text,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB

metadata = MetaData()

MOMENT = DateTime(timezone=True)


def _text(name: str) -> Column[str]:
    return Column(name, Text, nullable=False)


def _words(name: str) -> Column[str]:
    """Text that may be empty."""
    return Column(name, Text, nullable=False, server_default="")


def _count(name: str) -> Column[int]:
    return Column(name, Integer, nullable=False, server_default="0")


def _fen(name: str) -> Column[int]:
    return Column(name, BigInteger, nullable=False)


def _version() -> Column[int]:
    return Column("version", BigInteger, nullable=False)


# --- local copies of what other services say; the newest version wins ---------------------------

accounts = Table(
    "accounts",
    metadata,
    Column("account_id", Text, primary_key=True),
    _text("employer_id"),
    _text("account_no"),
    _text("city"),
    _text("collector"),
    _version(),
)

employees = Table(
    "employees",
    metadata,
    Column("employee_id", Text, primary_key=True),
    _text("employer_id"),
    _text("employee_no"),
    _version(),
)

identities = Table(
    "identities",
    metadata,
    Column("employee_id", Text, primary_key=True),
    _text("employer_id"),
    _text("sealed"),
    _text("wrapped_key"),
    _text("root_key_id"),
    _version(),
    # The version whose number is in identity_indexes already; -1: none.
    Column("indexed_version", BigInteger, nullable=False, server_default="-1"),
)

identity_indexes = Table(
    "identity_indexes",
    metadata,
    _text("employer_id"),
    _text("id_index"),
    _text("employee_id"),
    PrimaryKeyConstraint("employer_id", "id_index", "employee_id"),
    Index("identity_indexes_employee", "employee_id"),
)

policies = Table(
    "policies",
    metadata,
    Column("city", Text, primary_key=True),
    Column("passes_detail_on", Boolean, nullable=False),
    _text("look_up_at"),
    _version(),
)

assessments = Table(
    "assessments",
    metadata,
    _text("employee_id"),
    _text("levy_period"),
    _text("employer_id"),
    _text("account_id"),
    _text("city"),
    Column("is_due", Boolean, nullable=False),
    Column("lines", JSONB, nullable=False),
    _version(),
    PrimaryKeyConstraint("employee_id", "levy_period"),
    Index("assessments_account", "account_id", "levy_period"),
)

declarations = Table(
    "declarations",
    metadata,
    Column("declaration_id", Text, primary_key=True),
    _text("employer_id"),
    _text("account_id"),
    _text("account_no"),
    _text("city"),
    _text("collector"),
    _text("levy_period"),
    Column("people", Integer, nullable=False),
    Column("sums_fen", JSONB, nullable=False),
    _fen("total_fen"),
    _text("lines_hash"),
    _text("debit_on"),
    Column("approved_at", MOMENT, nullable=False),
    _version(),
    # 0: the regular declaration; 1, 2, ...: supplementary ones of the same account month.
    Column("number", BigInteger, nullable=False, server_default="0"),
    Index("declarations_account", "account_id", "levy_period"),
)

postings = Table(
    "postings",
    metadata,
    _text("employee_id"),
    _text("levy_period"),
    _text("employer_id"),
    _text("account_id"),
    _text("declaration_id"),
    Column("lines", JSONB, nullable=False),
    _version(),
    PrimaryKeyConstraint("employee_id", "levy_period"),
    Index("postings_account", "account_id", "levy_period"),
)

account_months = Table(
    "account_months",
    metadata,
    _text("account_id"),
    _text("levy_period"),
    _text("employer_id"),
    _text("city"),
    # Set in the transaction that changed a fact about it, cleared by the job that then plans what
    # to send.
    Column("is_stale", Boolean, nullable=False),
    # Set when the store was restored: a party may hold what the lost one sent.
    Column("ask_first", Boolean, nullable=False, server_default="false"),
    PrimaryKeyConstraint("account_id", "levy_period"),
    Index("account_months_stale", "account_id", postgresql_where=text("is_stale")),
)

# --- what we send and look up -------------------------------------------------------------------

submissions = Table(
    "submissions",
    metadata,
    Column("serial", Text, primary_key=True),
    _text("kind"),
    _text("declaration_id"),
    Column("round", Integer, nullable=False),
    _text("employer_id"),
    _text("account_id"),
    _text("account_no"),
    _text("city"),
    _text("levy_period"),
    _text("party"),
    _words("lines_hash"),
    Column("declaration_version", BigInteger, nullable=False),
    _words("debit_on"),
    _text("state"),
    _words("reason"),
    Column("since", MOMENT, nullable=False),
    Column("next_at", MOMENT),
    _count("failures"),
    _count("exchanges"),
    Column("leased_until", MOMENT),
    Index("submissions_due", "next_at", postgresql_where=text("next_at IS NOT NULL")),
    Index("submissions_account", "account_id", "levy_period"),
    Index("submissions_declaration", "declaration_id"),
)

submission_lines = Table(
    "submission_lines",
    metadata,
    _text("serial"),
    _text("employee_id"),
    _text("insurance"),
    _text("kind"),
    _text("employer_id"),
    _text("authority"),
    _fen("base_fen"),
    _fen("employer_fen"),
    _fen("employee_fen"),
    PrimaryKeyConstraint("serial", "employee_id", "insurance", "kind"),
    Index("submission_lines_employee", "employee_id"),
)

look_ups = Table(
    "look_ups",
    metadata,
    _text("account_id"),
    _text("levy_period"),
    _text("authority"),
    _text("employer_id"),
    _text("account_no"),
    _text("city"),
    Column("next_at", MOMENT),
    Column("looked_up_at", MOMENT),
    _count("lines"),
    _count("recorded"),
    _words("reason"),
    _count("failures"),
    _count("exchanges"),
    Column("leased_until", MOMENT),
    PrimaryKeyConstraint("account_id", "levy_period", "authority"),
    Index("look_ups_due", "next_at", postgresql_where=text("next_at IS NOT NULL")),
)

# --- what the bureaus show, and the log of how we know ------------------------------------------

bureau_months = Table(
    "bureau_months",
    metadata,
    _text("employee_id"),
    _text("levy_period"),
    _text("employer_id"),
    _text("account_id"),
    # Facts by insurance (domain.lines.Line), and the rows as last told (domain.lines.Row).
    Column("lines", JSONB, nullable=False),
    Column("told", JSONB, nullable=False),
    _version(),
    PrimaryKeyConstraint("employee_id", "levy_period"),
    Index("bureau_months_employer", "employer_id", "levy_period", "employee_id"),
    Index("bureau_months_account", "account_id", "levy_period"),
)

exchanges = Table(
    "exchanges",
    metadata,
    Column("exchange_id", Text, primary_key=True),
    # Business time may stand still over many exchanges; the order in which they began does not.
    Column("seq", BigInteger, Identity(always=True), nullable=False),
    _words("employer_id"),
    _words("account_id"),
    _words("levy_period"),
    _text("party"),
    _text("operation"),
    _words("serial"),
    Column("at", MOMENT, nullable=False),
    _words("request"),
    _words("request_sha256"),
    Column("status", Integer),
    _words("reply"),
    _words("reply_sha256"),
    _text("outcome"),
    _words("reason"),
    Column("milliseconds", Integer),
    Index("exchanges_log", "employer_id", "seq"),
    Index("exchanges_account", "account_id", "levy_period"),
)

# --- the parties themselves: nobody's data, seen by every signed-in HR specialist and operator --

parties = Table(
    "parties",
    metadata,
    Column("party", Text, primary_key=True),
    _text("kind"),
    _text("city"),
    Column("state", Text, nullable=False, server_default="open"),
    Column("since", MOMENT),
    Column("until", MOMENT),
    _words("reason"),
    Column("announced", Boolean, nullable=False, server_default="false"),
    Column("closures", JSONB, nullable=False, server_default="[]"),
    Column("version", BigInteger, nullable=False, server_default="0"),
    # When the state changes by itself; when notices are read next (null: at once); and the circuit.
    Column("changes_at", MOMENT),
    Column("notices_at", MOMENT),
    Column("retry_at", MOMENT),
    _count("failures"),
    _count("exchanges"),
    Column("leased_until", MOMENT),
)

notices = Table(
    "notices",
    metadata,
    _text("party"),
    _text("notice_id"),
    _text("kind"),
    Column("since", MOMENT, nullable=False),
    Column("until", MOMENT, nullable=False),
    _words("text"),
    Column("announced", Boolean, nullable=False),
    PrimaryKeyConstraint("party", "notice_id"),
)
