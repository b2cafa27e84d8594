"""The tables of payroll-svc. Every one has the employer whose rows it holds, for row security.

No personal data rest readable here: names too are sealed, in `identities` and on their way there
in `staged_rows`, since a backup of this database must forget an erased person (ADR 0019).
"""

from sqlalchemy import (
    Boolean,
    CheckConstraint,
    Column,
    Date,
    ForeignKey,
    Index,
    Integer,
    PrimaryKeyConstraint,
    Table,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from payroll_svc.tables.columns import fen, metadata, moment, of, text_, version
from payroll_svc.tables.handed_in import (
    exports,
    import_effects,
    imported_payslips,
    period_closes,
    wage_deadlines,
    wage_hand_ins,
    wage_inputs,
)
from payroll_svc.tables.paying import (
    assessments,
    entered_versions,
    entries,
    paid_months,
    pay_items,
    payroll_runs,
    payslip_replies,
    payslips,
    run_members,
    standing_items,
    tax_declarations,
)

__all__ = [
    "accounts",
    "assessments",
    "departments",
    "employees",
    "employers",
    "entered_versions",
    "entries",
    "erasures",
    "exports",
    "hr_staff",
    "identities",
    "import_effects",
    "import_files",
    "imported_payslips",
    "imports",
    "metadata",
    "paid_months",
    "pay_items",
    "payroll_runs",
    "payslip_replies",
    "payslips",
    "period_closes",
    "run_members",
    "spells",
    "staged_rows",
    "standing_items",
    "tax_declarations",
    "wage_deadlines",
    "wage_hand_ins",
    "wage_inputs",
    "wages",
]

# Its row's lock orders everything that changes the employer's roster, wages and runs.
employers = Table(
    "employers",
    metadata,
    Column("employer_id", Text, primary_key=True),
    text_("group_id"),
    text_("name"),
    Column("uscc", Text, nullable=False, unique=True),
    text_("cut_over"),
    Column("payday", Integer, CheckConstraint("payday BETWEEN 1 AND 31"), nullable=False),
    version(),
)

accounts = Table(
    "accounts",
    metadata,
    Column("account_id", Text, primary_key=True),
    of("employer_id", "employers"),
    text_("account_no"),
    text_("city"),
    text_("city_name"),
    text_("collector"),
    text_("bank_account_ref"),
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
    of("employer_id", "employers"),
    text_("code"),
    text_("name"),
    UniqueConstraint("employer_id", "code", name="departments_by_code"),
)

hr_staff = Table(
    "hr_staff",
    metadata,
    of("employer_id", "employers"),
    text_("sub"),
    Column("department_ids", ARRAY(Text), nullable=False),
    PrimaryKeyConstraint("employer_id", "sub"),
)

employees = Table(
    "employees",
    metadata,
    Column("employee_id", Text, primary_key=True),
    of("employer_id", "employers"),
    text_("employee_no"),
    text_("person_kind"),
    Column("documents_missing", ARRAY(Text), nullable=False),
    fen("agreed_wage_fen"),
    fen("first_month_wage_fen"),
    fen("special_additional_fen"),
    text_("sub"),
    text_("cost_centre"),
    Column("first_fund_member", Boolean, nullable=False, server_default=text("false")),
    version(),
    UniqueConstraint("employer_id", "employee_no", name="employees_by_number"),
)

spells = Table(
    "spells",
    metadata,
    of("employee_id", "employees"),
    text_("employer_id"),
    Column("since", Date, nullable=False),
    Column("until", Date),
    text_("department_id"),
    text_("city"),
    text_("account_id"),
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
    text_("employer_id"),
    text_("id_index"),
    text_("content_mark"),
    text_("sealed"),
    text_("wrapped_key"),
    text_("root_key_id"),
    version(),
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
    text_("employer_id"),
    text_("reason"),
    text_("asked_by"),
    moment("asked_at"),
    moment("erased_at", nullable=True),
    Index("erasures_to_do", "asked_at", postgresql_where=text("erased_at IS NULL")),
)

# The id is derived from employer, kind and the file's hash: the same file is the same import.
imports = Table(
    "imports",
    metadata,
    Column("import_id", Text, primary_key=True),
    text_("employer_id"),
    Column(
        "kind",
        Text,
        CheckConstraint("kind IN ('roster', 'wages', 'wage_data', 'payslips')"),
        nullable=False,
    ),
    text_("file_name"),
    text_("sha256"),
    Column("corrects", Boolean, nullable=False),
    Column("levy_period", Text, nullable=False, server_default=""),
    Column(
        "state",
        Text,
        CheckConstraint("state IN ('staged', 'applied', 'undone')"),
        nullable=False,
    ),
    Column("row_count", Integer, nullable=False),
    Column("good_rows", Integer, nullable=False),
    Column("fault_count", Integer, nullable=False),
    Column("faults", JSONB, nullable=False),
    Column("notes", JSONB, nullable=False),
    moment("staged_at"),
    text_("staged_by"),
    # Counts of what is added, changed, unchanged and missing; `effects` rows tell them one by one.
    Column("changes", JSONB, nullable=False, server_default="{}"),
    Column("effects", Integer, nullable=False, server_default="0"),
    moment("applied_at", nullable=True),
    Column("applied_by", Text, nullable=False, server_default=""),
    Column("applied_rows", Integer),
    moment("undone_at", nullable=True),
    Column("undone_by", Text, nullable=False, server_default=""),
    Column("undo_reason", Text, nullable=False, server_default=""),
    Index("imports_by_employer", "employer_id", "staged_at"),
)

# Every uploaded file as it came, sealed under a key of its own: wages and what was refused are
# evidence. A roster's is destroyed once it is applied: no copy may outlive a person's erased key.
import_files = Table(
    "import_files",
    metadata,
    text_("employer_id"),
    text_("sha256"),
    text_("kind"),
    text_("file_name"),
    Column("size_bytes", Integer, nullable=False),
    text_("sealed"),
    text_("wrapped_key"),
    text_("root_key_id"),
    moment("received_at"),
    text_("received_by"),
    PrimaryKeyConstraint("employer_id", "sha256"),
)

# `content` is one good row of the file; gone once the import is applied.
staged_rows = Table(
    "staged_rows",
    metadata,
    of("import_id", "imports"),
    Column("ordinal", Integer, nullable=False),
    text_("employer_id"),
    Column("content", JSONB, nullable=False),
    PrimaryKeyConstraint("import_id", "ordinal"),
)

# Wages of past months, as imported; `items` is a list of {code, amount_fen, counts_as_wage}.
wages = Table(
    "wages",
    metadata,
    text_("employee_id"),
    text_("wage_month"),
    text_("employer_id"),
    fen("gross_fen"),
    fen("wage_fen"),
    Column("items", JSONB, nullable=False),
    version(),
    PrimaryKeyConstraint("employee_id", "wage_month"),
    Index("wages_by_employer", "employer_id", "wage_month"),
)
