"""What people hand in and take out: what imports changed, wage data and their deadlines, payslips
of companies with a payroll of their own, exports.
"""

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
from sqlalchemy.dialects.postgresql import JSONB

from payroll_svc.tables.columns import fen, metadata, moment, of, text_, version

# What an applied import made of each thing: its states before and after, and before in
# `hidden_before` what is sealed. Undoing writes the states before again.
import_effects = Table(
    "import_effects",
    metadata,
    of("import_id", "imports"),
    Column("ordinal", Integer, nullable=False),
    text_("employer_id"),
    text_("employee_id"),
    text_("employee_no"),
    Column("row", Integer, nullable=False),
    text_("what"),
    text_("key"),
    Column("before", JSONB),
    Column("after", JSONB),
    Column("hidden_before", JSONB),
    PrimaryKeyConstraint("import_id", "ordinal"),
    Index("import_effects_by_person", "employee_id"),
)

# Who took what out of the system, and why.
exports = Table(
    "exports",
    metadata,
    Column("export_id", Text, primary_key=True),
    text_("employer_id"),
    Column(
        "kind", Text, CheckConstraint("kind IN ('roster', 'wage_data', 'payslips')"), nullable=False
    ),
    text_("levy_period"),
    text_("form"),
    text_("encoding"),
    Column("with_identity", Boolean, nullable=False),
    text_("reason"),
    Column("rows", Integer, nullable=False),
    moment("asked_at"),
    text_("asked_by"),
    Column("wide", Boolean, nullable=False, server_default="false"),
    Column("downloads", Integer, nullable=False, server_default="0"),
    moment("downloaded_at", nullable=True),
    Column("sha256", Text, nullable=False, server_default=""),
    Index("exports_by_employer", "employer_id", "asked_at"),
)

# Which entries departments handed in, by which row of which import; the values are the entries'.
wage_inputs = Table(
    "wage_inputs",
    metadata,
    text_("employee_id"),
    text_("levy_period"),
    text_("code"),
    Column(
        "unit", Text, CheckConstraint("unit IN ('fen', 'hour', 'day', 'piece')"), nullable=False
    ),
    text_("employer_id"),
    text_("department_id"),
    text_("import_id"),
    Column("row", Integer, nullable=False),
    PrimaryKeyConstraint("employee_id", "levy_period", "code"),
    Index("wage_inputs_by_employer", "employer_id", "levy_period"),
)

# By when wage data are to be handed in, each month; no department means all without one of their
# own. At `open_at` the next month's hand-ins come to be.
wage_deadlines = Table(
    "wage_deadlines",
    metadata,
    of("employer_id", "employers"),
    text_("department_id"),
    Column("day", Integer, CheckConstraint("day BETWEEN 1 AND 31"), nullable=False),
    Column("month_shift", Integer, CheckConstraint("month_shift BETWEEN -1 AND 1"), nullable=False),
    Column("remind_days", Integer, CheckConstraint("remind_days BETWEEN 0 AND 15"), nullable=False),
    moment("open_at"),
    PrimaryKeyConstraint("employer_id", "department_id"),
    Index("wage_deadlines_to_open", "open_at"),
)

# One department's wage data of a month: due, and what became of them. At `next_at` its `stage`
# moves on and is told.
wage_hand_ins = Table(
    "wage_hand_ins",
    metadata,
    text_("department_id"),
    text_("levy_period"),
    text_("employer_id"),
    Column("due_on", Date, nullable=False),
    Column("rolled", Boolean, nullable=False),
    Column("remind_days", Integer, nullable=False),
    Column(
        "state",
        Text,
        CheckConstraint("state IN ('awaited', 'handed_in', 'nothing')"),
        nullable=False,
    ),
    text_("stage"),
    Column("late", Boolean, nullable=False, server_default="false"),
    moment("handed_in_at", nullable=True),
    Column("handed_in_by", Text, nullable=False, server_default=""),
    Column("rows", Integer, nullable=False, server_default="0"),
    Column("import_id", Text, nullable=False, server_default=""),
    moment("next_at", nullable=True),
    version(),
    PrimaryKeyConstraint("department_id", "levy_period"),
    Index("wage_hand_ins_by_employer", "employer_id", "levy_period"),
    Index("wage_hand_ins_to_remind", "next_at", postgresql_where=text("next_at IS NOT NULL")),
)

# Copy of PeriodClosed: what a closed month's payslips say stays.
period_closes = Table(
    "period_closes",
    metadata,
    text_("employer_id"),
    text_("levy_period"),
    version(),
    moment("closed_at"),
    PrimaryKeyConstraint("employer_id", "levy_period"),
)

# Payslips of a company that keeps its own payroll, as its files said them. Never changed: the
# newest version holds, and `reason` says why it follows the one before.
imported_payslips = Table(
    "imported_payslips",
    metadata,
    text_("employee_id"),
    text_("levy_period"),
    version(),
    text_("employer_id"),
    Column("payday", Date, nullable=False),
    fen("gross_fen"),
    fen("contributions_fen"),
    fen("tax_fen"),
    fen("other_fen"),
    fen("net_fen"),
    Column("withheld", JSONB, nullable=False),
    # Of the year's income tax; null where the file does not say.
    Column("income_fen", BigInteger),
    Column("special_additional_fen", BigInteger),
    fen("bonus_apart_fen"),
    fen("bonus_tax_fen"),
    text_("reason"),
    text_("import_id"),
    moment("issued_at"),
    PrimaryKeyConstraint("employee_id", "levy_period", "version"),
    Index("imported_payslips_by_employer", "employer_id", "levy_period"),
)
