"""Pay: items, entries, tax declarations, runs and their members, payslips, assessments."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Date,
    Index,
    Integer,
    PrimaryKeyConstraint,
    Table,
    Text,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from payroll_svc.tables.columns import fen, metadata, moment, of, text_, version

# An employer's own pay items, beside the statutory ones: what was once paid by one stays as it is.
pay_items = Table(
    "pay_items",
    metadata,
    text_("employer_id"),
    text_("code"),
    text_("name"),
    text_("way"),
    text_("part"),
    Column("deducts", Boolean, nullable=False),
    Column("counts_as_wage", Boolean, nullable=False),
    Column("taxed", Boolean, nullable=False),
    Column("by_days", Boolean, nullable=False),
    Column("rate_ppm", Integer, nullable=False),
    text_("law"),
    PrimaryKeyConstraint("employer_id", "code"),
)

# What a person gets every month from a day on, until the next entry of the code; 0 fen ends it.
standing_items = Table(
    "standing_items",
    metadata,
    text_("employee_id"),
    text_("code"),
    Column("since", Date, nullable=False),
    text_("employer_id"),
    Column("until", Date),
    fen("amount_fen"),
    moment("entered_at"),
    text_("entered_by"),
    PrimaryKeyConstraint("employee_id", "code", "since"),
    CheckConstraint("until IS NULL OR until >= since", name="standing_items_end_after_they_begin"),
    Index("standing_items_by_employer", "employer_id"),
)

# What was entered for one person and month under one code; all 0 takes it back.
entries = Table(
    "entries",
    metadata,
    text_("employee_id"),
    text_("levy_period"),
    text_("code"),
    text_("employer_id"),
    fen("amount_fen"),
    Column("quantity_thousandths", BigInteger, nullable=False),
    Column("unit_price_fen_hundredths", BigInteger, nullable=False),
    moment("entered_at"),
    text_("entered_by"),
    PrimaryKeyConstraint("employee_id", "levy_period", "code"),
    Index("entries_by_employer", "employer_id", "levy_period"),
)

# 专项附加扣除 and elections that a person declared: `deductions` is a list of {kind, since, until,
# amount_fen, subject}, `elections` one of {tax_year, election}.
tax_declarations = Table(
    "tax_declarations",
    metadata,
    Column("employee_id", Text, primary_key=True),
    text_("employer_id"),
    Column("deductions", JSONB, nullable=False),
    Column("elections", JSONB, nullable=False),
    moment("entered_at"),
    text_("entered_by"),
    Index("tax_declarations_by_employer", "employer_id"),
)

# The version under which was told what people entered: an employee's standing items, their tax
# declaration (`what` names these), or the entries of a month (`what` is the month).
entered_versions = Table(
    "entered_versions",
    metadata,
    text_("employee_id"),
    text_("what"),
    text_("employer_id"),
    version(),
    PrimaryKeyConstraint("employee_id", "what"),
    Index("entered_versions_by_employer", "employer_id"),
)

payroll_runs = Table(
    "payroll_runs",
    metadata,
    Column("run_id", Text, primary_key=True),
    of("employer_id", "employers"),
    text_("levy_period"),
    Column("payday", Date, nullable=False),
    Column(
        "state",
        Text,
        CheckConstraint(
            "state IN ('computed', 'checked', 'approved', 'paid')", name="payroll_runs_state_check"
        ),
        nullable=False,
    ),
    moment("computed_at"),
    moment("checked_at", nullable=True),
    Column("checked_by", Text),
    moment("approved_at", nullable=True),
    Column("approved_by", Text),
    moment("paid_at", nullable=True),
    Column(
        "kind",
        Text,
        CheckConstraint("kind IN ('regular', 'correction')", name="payroll_runs_kind_check"),
        nullable=False,
        server_default="regular",
    ),
    Column("corrects", Text),
    Column("reason", Text, nullable=False, server_default=""),
    Index(
        "payroll_runs_by_period",
        "employer_id",
        "levy_period",
        unique=True,
        postgresql_where=text("kind = 'regular'"),
    ),
    Index("payroll_runs_by_corrected", "corrects", postgresql_where=text("corrects IS NOT NULL")),
)

# Everyone of the roster: with their items, or with why they are left out; `version` is that of the
# salary told (0: none was). From the check on also what will be withheld and paid, and the version
# of the assessment that it rests on.
run_members = Table(
    "run_members",
    metadata,
    of("run_id", "payroll_runs"),
    text_("employee_id"),
    text_("employer_id"),
    text_("left_out"),
    version(),
    fen("gross_fen"),
    Column("items", JSONB, nullable=False, server_default="[]"),
    fen("agreed_wage_fen"),
    Column("department_id", Text, nullable=False, server_default=""),
    Column("person_version", BigInteger, nullable=False, server_default="0"),
    Column("awaits_assessment", Boolean, nullable=False, server_default="true"),
    Column("assessment_version", BigInteger),
    Column("withheld", JSONB),
    fen("contributions_fen"),
    fen("special_additional_fen"),
    fen("tax_fen"),
    fen("net_fen"),
    fen("income_fen"),
    fen("employer_fen"),
    Column("tax", JSONB(none_as_null=True)),
    Column("warnings", JSONB, nullable=False, server_default="[]"),
    PrimaryKeyConstraint("run_id", "employee_id"),
)

# Issued once and never changed: the api role may insert and read, nothing else.
payslips = Table(
    "payslips",
    metadata,
    text_("employee_id"),
    text_("levy_period"),
    text_("employer_id"),
    text_("run_id"),
    Column("payday", Date, nullable=False),
    fen("gross_fen"),
    fen("contributions_fen"),
    fen("special_additional_fen"),
    fen("tax_fen"),
    fen("net_fen"),
    Column("withheld", JSONB, nullable=False),
    moment("issued_at"),
    Column("kind", Text, nullable=False, server_default="regular"),
    Column("items", JSONB, nullable=False, server_default="[]"),
    Column("tax", JSONB(none_as_null=True)),
    # What of the gross is taxed by cumulation; null on payslips of before: all of it is.
    Column("income_fen", BigInteger),
    fen("bonus_apart_fen"),
    fen("bonus_tax_fen"),
    fen("employer_fen"),
    fen("agreed_wage_fen"),
    Column("department_id", Text, nullable=False, server_default=""),
    Column("person_version", BigInteger, nullable=False, server_default="0"),
    Column("warnings", JSONB, nullable=False, server_default="[]"),
    PrimaryKeyConstraint("employee_id", "levy_period", "run_id"),
    Index("payslips_by_employer", "employer_id", "levy_period"),
    Index("payslips_by_payday", "employee_id", "payday"),
)

# The version under which a month's payslips were last told together: each that paid for it, or
# withheld for it, made a new one.
paid_months = Table(
    "paid_months",
    metadata,
    text_("employee_id"),
    text_("levy_period"),
    text_("employer_id"),
    version(),
    PrimaryKeyConstraint("employee_id", "levy_period"),
    Index("paid_months_by_employer", "employer_id", "levy_period"),
)

# What people say of a payslip, in their order; never changed either.
payslip_replies = Table(
    "payslip_replies",
    metadata,
    text_("employee_id"),
    text_("run_id"),
    Column("ordinal", Integer, nullable=False),
    text_("employer_id"),
    Column(
        "kind",
        Text,
        CheckConstraint(
            "kind IN ('confirmed', 'disputed', 'answered')", name="payslip_replies_kind_check"
        ),
        nullable=False,
    ),
    text_("words"),
    text_("said_by"),
    moment("said_at"),
    Column("correction_run_id", Text),
    PrimaryKeyConstraint("employee_id", "run_id", "ordinal"),
    Index("payslip_replies_by_employer", "employer_id"),
)

# Copy of ContributionAssessed, the newest version of each: `lines` is its list of lines.
assessments = Table(
    "assessments",
    metadata,
    text_("employee_id"),
    text_("levy_period"),
    text_("employer_id"),
    version(),
    Column("lines", JSONB, nullable=False),
    Column("warnings", JSONB, nullable=False, server_default="[]"),
    # The months whose runs withhold a line of this one.
    Column("withheld_in", ARRAY(Text), nullable=False, server_default="{}"),
    PrimaryKeyConstraint("employee_id", "levy_period"),
    Index("assessments_by_employer", "employer_id", "levy_period"),
    Index(
        "assessments_withheld_later",
        "employer_id",
        postgresql_where=text("cardinality(withheld_in) > 0"),
    ),
)
