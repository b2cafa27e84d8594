"""The tables of payroll-svc. Every one has the employer whose rows it holds, for row security.

No personal data rest readable here: names too are sealed, in `identities` and on their way there
in `staged_rows`, since a backup of this database must forget an erased person (ADR 0019).
"""

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Date,
    DateTime,
    ForeignKey,
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


def _text(name: str) -> Column[str]:
    return Column(name, Text, nullable=False)


def _of(name: str, table: str) -> Column[str]:
    return Column(name, Text, ForeignKey(f"{table}.{name}"), nullable=False)


def _fen(name: str) -> Column[int]:
    return Column(name, BigInteger, nullable=False, server_default="0")


def _version() -> Column[int]:
    return Column("version", BigInteger, nullable=False)


def _moment(name: str, *, nullable: bool = False) -> Column[object]:
    return Column(name, DateTime(timezone=True), nullable=nullable)


# Its row's lock orders everything that changes the employer's roster, wages and runs.
employers = Table(
    "employers",
    metadata,
    Column("employer_id", Text, primary_key=True),
    _text("group_id"),
    _text("name"),
    Column("uscc", Text, nullable=False, unique=True),
    _text("cut_over"),
    Column("payday", Integer, CheckConstraint("payday BETWEEN 1 AND 31"), nullable=False),
    _version(),
)

accounts = Table(
    "accounts",
    metadata,
    Column("account_id", Text, primary_key=True),
    _of("employer_id", "employers"),
    _text("account_no"),
    _text("city"),
    _text("city_name"),
    _text("collector"),
    _text("bank_account_ref"),
    Column("auto_debit", Boolean, nullable=False),
    Column("own_rates", JSONB, nullable=False, server_default="{}"),
    Column("injury_class", Integer, nullable=False, server_default="0"),
    Column("injury_float_percent", Integer, nullable=False, server_default="0"),
    UniqueConstraint("employer_id", "city", "account_no", name="accounts_by_number"),
)

departments = Table(
    "departments",
    metadata,
    Column("department_id", Text, primary_key=True),
    _of("employer_id", "employers"),
    _text("code"),
    _text("name"),
    UniqueConstraint("employer_id", "code", name="departments_by_code"),
)

hr_staff = Table(
    "hr_staff",
    metadata,
    _of("employer_id", "employers"),
    _text("sub"),
    Column("department_ids", ARRAY(Text), nullable=False),
    PrimaryKeyConstraint("employer_id", "sub"),
)

employees = Table(
    "employees",
    metadata,
    Column("employee_id", Text, primary_key=True),
    _of("employer_id", "employers"),
    _text("employee_no"),
    # Always empty: a release before 0002 reads it, and the next post migration drops it.
    Column("name", Text, nullable=False, server_default=""),
    _text("person_kind"),
    Column("documents_missing", ARRAY(Text), nullable=False),
    _fen("agreed_wage_fen"),
    _fen("first_month_wage_fen"),
    _fen("special_additional_fen"),
    _text("sub"),
    _text("cost_centre"),
    _version(),
    UniqueConstraint("employer_id", "employee_no", name="employees_by_number"),
)

spells = Table(
    "spells",
    metadata,
    _of("employee_id", "employees"),
    _text("employer_id"),
    Column("since", Date, nullable=False),
    Column("until", Date),
    _text("department_id"),
    _text("city"),
    _text("account_id"),
    PrimaryKeyConstraint("employee_id", "since"),
    CheckConstraint("until IS NULL OR until >= since", name="spells_end_after_they_begin"),
    Index("spells_by_employer", "employer_id", "employee_id"),
)

# `id_index` is the keyed hash of document type and number, `content_mark` that of everything
# sealed: equal marks need no new sealing and make no event.
identities = Table(
    "identities",
    metadata,
    Column("employee_id", Text, ForeignKey("employees.employee_id"), primary_key=True),
    _text("employer_id"),
    _text("id_index"),
    _text("content_mark"),
    _text("sealed"),
    _text("wrapped_key"),
    _text("root_key_id"),
    _version(),
    # Checked at commit: one import may swap two people's mistaken numbers.
    UniqueConstraint(
        "employer_id",
        "id_index",
        name="identities_by_number",
        deferrable=True,
        initially="DEFERRED",
    ),
)

# Whose identity was to be destroyed (PIPL art. 47), and since when it is. Backed up with
# `identities`, so that a restore can do again what was done since.
erasures = Table(
    "erasures",
    metadata,
    Column("employee_id", Text, primary_key=True),
    _text("employer_id"),
    _text("reason"),
    _text("asked_by"),
    _moment("asked_at"),
    _moment("erased_at", nullable=True),
    Index("erasures_to_do", "asked_at", postgresql_where=text("erased_at IS NULL")),
)

# The id is derived from employer, kind and the file's hash: the same file is the same import.
imports = Table(
    "imports",
    metadata,
    Column("import_id", Text, primary_key=True),
    _text("employer_id"),
    Column("kind", Text, CheckConstraint("kind IN ('roster', 'wages')"), nullable=False),
    _text("file_name"),
    _text("sha256"),
    Column("corrects", Boolean, nullable=False),
    Column("state", Text, CheckConstraint("state IN ('staged', 'applied')"), nullable=False),
    Column("row_count", Integer, nullable=False),
    Column("good_rows", Integer, nullable=False),
    Column("fault_count", Integer, nullable=False),
    Column("faults", JSONB, nullable=False),
    Column("notes", JSONB, nullable=False),
    _moment("staged_at"),
    _text("staged_by"),
    _moment("applied_at", nullable=True),
    Column("applied_rows", Integer),
    Index("imports_by_employer", "employer_id", "staged_at"),
)

# Every uploaded file as it came, sealed under a key of its own: wages and what was refused are
# evidence. A roster's is destroyed once it is applied: no copy may outlive a person's erased key.
import_files = Table(
    "import_files",
    metadata,
    _text("employer_id"),
    _text("sha256"),
    _text("kind"),
    _text("file_name"),
    Column("size_bytes", Integer, nullable=False),
    _text("sealed"),
    _text("wrapped_key"),
    _text("root_key_id"),
    _moment("received_at"),
    _text("received_by"),
    PrimaryKeyConstraint("employer_id", "sha256"),
)

# `content` is one good row of the file; gone once the import is applied.
staged_rows = Table(
    "staged_rows",
    metadata,
    _of("import_id", "imports"),
    Column("ordinal", Integer, nullable=False),
    _text("employer_id"),
    Column("content", JSONB, nullable=False),
    PrimaryKeyConstraint("import_id", "ordinal"),
)

# Wages of past months, as imported; `items` is a list of {code, amount_fen, counts_as_wage}.
wages = Table(
    "wages",
    metadata,
    _text("employee_id"),
    _text("wage_month"),
    _text("employer_id"),
    _fen("gross_fen"),
    _fen("wage_fen"),
    Column("items", JSONB, nullable=False),
    _version(),
    PrimaryKeyConstraint("employee_id", "wage_month"),
    Index("wages_by_employer", "employer_id", "wage_month"),
)

payroll_runs = Table(
    "payroll_runs",
    metadata,
    Column("run_id", Text, primary_key=True),
    _of("employer_id", "employers"),
    _text("levy_period"),
    Column("payday", Date, nullable=False),
    Column(
        "state",
        Text,
        CheckConstraint("state IN ('computed', 'approved', 'paid')"),
        nullable=False,
    ),
    _moment("computed_at"),
    _moment("approved_at", nullable=True),
    Column("approved_by", Text),
    _moment("paid_at", nullable=True),
    UniqueConstraint("employer_id", "levy_period", name="payroll_runs_by_period"),
)

# Everyone of the roster: with a gross, or with why they are left out; `version` is that of the
# salary told (0: none was). From approval on also what will be withheld and paid, and the version
# of the assessment that it rests on.
run_members = Table(
    "run_members",
    metadata,
    _of("run_id", "payroll_runs"),
    _text("employee_id"),
    _text("employer_id"),
    _text("left_out"),
    _version(),
    _fen("gross_fen"),
    Column("assessment_version", BigInteger),
    Column("withheld", JSONB),
    _fen("contributions_fen"),
    _fen("special_additional_fen"),
    _fen("tax_fen"),
    _fen("net_fen"),
    PrimaryKeyConstraint("run_id", "employee_id"),
)

# Issued once and never changed: the api role may insert and read, nothing else.
payslips = Table(
    "payslips",
    metadata,
    _text("employee_id"),
    _text("levy_period"),
    _text("employer_id"),
    _text("run_id"),
    Column("payday", Date, nullable=False),
    _fen("gross_fen"),
    _fen("contributions_fen"),
    _fen("special_additional_fen"),
    _fen("tax_fen"),
    _fen("net_fen"),
    Column("withheld", JSONB, nullable=False),
    _moment("issued_at"),
    PrimaryKeyConstraint("employee_id", "levy_period"),
    Index("payslips_by_employer", "employer_id", "levy_period"),
    Index("payslips_by_payday", "employee_id", "payday"),
)

# Copy of ContributionAssessed, the newest version of each: `lines` is its list of lines.
assessments = Table(
    "assessments",
    metadata,
    _text("employee_id"),
    _text("levy_period"),
    _text("employer_id"),
    _version(),
    Column("lines", JSONB, nullable=False),
    PrimaryKeyConstraint("employee_id", "levy_period"),
    Index("assessments_by_employer", "employer_id", "levy_period"),
)
