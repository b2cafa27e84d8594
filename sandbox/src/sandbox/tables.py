"""Table definitions of everything that the sandbox's parties keep; each party reads its own
alone.
"""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Date,
    DateTime,
    ForeignKey,
    Identity,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    UniqueConstraint,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

metadata = MetaData()

MOMENT = DateTime(timezone=True)


def _text(name: str, *, default: str | None = None) -> Column[str]:
    return Column(name, Text, nullable=False, server_default=default)


def _texts(name: str) -> Column[list[str]]:
    return Column(name, ARRAY(Text), nullable=False)


def _fen(name: str) -> Column[int]:
    return Column(name, BigInteger, nullable=False)


# --- business time, the clock's timers and the faults that were ordered ------------------------

# One row: the time as it was published last. A broker that lost its data is told it again.
business_time = Table(
    "business_time",
    metadata,
    Column("only", Boolean, primary_key=True, server_default="true"),
    Column("at", MOMENT, nullable=False),
)

timers = Table(
    "timers",
    metadata,
    Column("timer_id", BigInteger, Identity(), primary_key=True),
    Column("due_at", MOMENT, nullable=False),
    _text("act"),
    Column("facts", JSONB, nullable=False),
    # One timer per cause: setting it again is no second one.
    Column("cause", Text, nullable=False, unique=True),
    Index("timers_due", "due_at", "timer_id"),
)

faults = Table(
    "faults",
    metadata,
    Column("fault_no", BigInteger, Identity(), primary_key=True),
    Column("fault_id", Text, nullable=False, unique=True),
    _text("party"),
    _text("kind"),
    _texts("insurances"),
    _texts("people"),
    _texts("accounts"),
    Column("from_at", MOMENT, nullable=False),
    Column("until_at", MOMENT),
    Column("params", JSONB, nullable=False),
    Column("times", Integer),
    Column("struck", Integer, nullable=False, server_default="0"),
    Column("lifted_at", MOMENT),
    Index("faults_party", "party"),
)

notices = Table(
    "notices",
    metadata,
    Column("notice_id", Text, primary_key=True),
    _text("party"),
    _text("kind"),
    Column("from_at", MOMENT, nullable=False),
    Column("until_at", MOMENT, nullable=False),
    _text("text"),
    Index("notices_party", "party", "from_at"),
)

# --- collectors --------------------------------------------------------------------------------

agreements = Table(
    "agreements",
    metadata,
    Column("party", Text, primary_key=True),
    Column("account_no", Text, primary_key=True),
    _text("account_ref"),
)

declarations = Table(
    "declarations",
    metadata,
    Column("party", Text, primary_key=True),
    Column("serial", Text, primary_key=True),
    _text("account_no"),
    _text("month"),
    Column("debit_on", Date, nullable=False),
    _text("content_hash"),
    _text("state"),
    _text("text", default=""),
    Column("received_at", MOMENT, nullable=False),
    Column("verified_at", MOMENT),
    Column("passed_on_at", MOMENT),
)

declaration_lines = Table(
    "declaration_lines",
    metadata,
    Column("party", Text, primary_key=True),
    Column("serial", Text, primary_key=True),
    Column("line_no", Integer, primary_key=True),
    _text("id_no"),
    _text("name"),
    _text("insurance"),
    _text("month"),
    _text("kind"),
    # As the collector sees them, which a fault may have changed.
    _fen("base_fen"),
    _fen("employer_fen"),
    _fen("employee_fen"),
    _text("text", default=""),
    Column("dropped_by", Text),
    Index("declaration_lines_dropped", "dropped_by"),
)

# --- authorities -------------------------------------------------------------------------------

details = Table(
    "details",
    metadata,
    Column("party", Text, primary_key=True),
    Column("serial", Text, primary_key=True),
    _text("account_no"),
    _text("content_hash"),
    _text("text", default=""),
    Column("received_at", MOMENT, nullable=False),
)

detail_lines = Table(
    "detail_lines",
    metadata,
    Column("party", Text, primary_key=True),
    Column("serial", Text, primary_key=True),
    Column("line_no", Integer, primary_key=True),
    _text("id_no"),
    _text("name"),
    _text("insurance"),
    _text("month"),
    _text("kind"),
    _fen("base_fen"),
    _fen("employer_fen"),
    _fen("employee_fen"),
    _text("state"),
    _text("text", default=""),
    Column("book_at", MOMENT),
    Column("in_transit", Boolean, nullable=False),
    Column("dropped_by", Text),
    Index("detail_lines_dropped", "dropped_by"),
)

records = Table(
    "records",
    metadata,
    Column("record_id", BigInteger, Identity(), primary_key=True),
    _text("party"),
    _text("account_no"),
    _text("id_no"),
    _text("insurance"),
    _text("month"),
    _text("month_end"),
    _text("kind"),
    _fen("base_fen"),
    _fen("employer_fen"),
    _fen("employee_fen"),
    _text("flag"),
    Column("arrived_on", Date),
    _text("serial"),
    Column("line_no", Integer, nullable=False),
    UniqueConstraint("party", "serial", "line_no"),
    Index("records_bulk", "party", "account_no", "month", "record_id"),
    Index("records_person", "party", "id_no", "month"),
)

# --- the bank ----------------------------------------------------------------------------------

bank_accounts = Table(
    "bank_accounts",
    metadata,
    Column("account_ref", Text, primary_key=True),
    _text("holder"),
    _fen("opening_fen"),
    _fen("balance_fen"),
)

instructions = Table(
    "instructions",
    metadata,
    Column("party", Text, primary_key=True),
    Column("serial", Text, primary_key=True),
    _text("account_no"),
    _text("account_ref"),
    _fen("amount_fen"),
    _text("remittance"),
    Column("postponed", Boolean, nullable=False, server_default="false"),
)

bank_entries = Table(
    "bank_entries",
    metadata,
    Column("entry_id", BigInteger, Identity(), primary_key=True),
    Column("account_ref", Text, ForeignKey("bank_accounts.account_ref"), nullable=False),
    Column("day", Date, nullable=False),
    Column("booked_at", MOMENT, nullable=False),
    _fen("amount_fen"),
    _text("direction"),
    _text("status"),
    _text("voucher"),
    _text("end_to_end"),
    _text("creditor"),
    _text("remittance"),
    Column("is_reversal", Boolean, nullable=False, server_default="false"),
    _text("return_code", default=""),
    _text("return_text", default=""),
    Index("bank_entries_day", "account_ref", "day", "entry_id"),
)

statements = Table(
    "statements",
    metadata,
    Column("statement_id", Text, primary_key=True),
    Column("account_ref", Text, ForeignKey("bank_accounts.account_ref"), nullable=False),
    Column("day", Date, nullable=False),
    Column("number", Integer, nullable=False),
    _fen("closing_fen"),
    Column("published_at", MOMENT, nullable=False),
    _text("sha256"),
    Column("document", LargeBinary, nullable=False),
    UniqueConstraint("account_ref", "day"),
)

deliveries = Table(
    "deliveries",
    metadata,
    Column("delivery_id", Text, primary_key=True),
    _text("body"),
    Column("attempts", Integer, nullable=False, server_default="0"),
    # System time: a retry waits for a machine, not for a business day.
    Column("next_try_at", MOMENT, nullable=False),
    Column("delivered_at", MOMENT),
    _text("last_failure", default=""),
    Index("deliveries_pending", "next_try_at"),
)

# --- the issuer and the mail sink --------------------------------------------------------------

issuer_keys = Table(
    "issuer_keys",
    metadata,
    Column("kid", Text, primary_key=True),
    Column("private_jwk", JSONB, nullable=False),
    Column("made_at", MOMENT, nullable=False),
)

people = Table(
    "people",
    metadata,
    Column("sub", Text, primary_key=True),
    _text("password_hash"),
    _text("name"),
    _texts("roles"),
    _texts("employer_ids"),
    _text("employee_id"),
)

grants = Table(
    "grants",
    metadata,
    # The hash of a code or refresh token: a reader of this table cannot use them.
    Column("grant_hash", Text, primary_key=True),
    _text("kind"),
    _text("family"),
    _text("sub"),
    _text("client_id"),
    Column("facts", JSONB, nullable=False),
    Column("expires_at", MOMENT, nullable=False),
    Column("used_at", MOMENT),
    Index("grants_family", "family"),
)

mails = Table(
    "mails",
    metadata,
    Column("mail_id", BigInteger, Identity(), primary_key=True),
    Column("received_at", MOMENT, nullable=False),
    _text("message_id"),
    _text("sender"),
    _texts("recipients"),
    _text("subject"),
    _text("text"),
    Column("raw", LargeBinary, nullable=False),
)
