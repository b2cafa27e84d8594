"""Everything payroll-svc owns, each table protected by row-level security from the start."""

from collections.abc import Sequence

from alembic import op

from shared.migrate import grant, install_plumbing, protect

revision = "0001"
down_revision: str | None = None
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None

_EMPLOYERS = """
CREATE TABLE employers (
    employer_id text PRIMARY KEY,
    group_id text NOT NULL,
    name text NOT NULL,
    uscc text NOT NULL UNIQUE,
    cut_over text NOT NULL,
    payday integer NOT NULL CHECK (payday BETWEEN 1 AND 31),
    version bigint NOT NULL);
CREATE TABLE accounts (
    account_id text PRIMARY KEY,
    employer_id text NOT NULL REFERENCES employers,
    account_no text NOT NULL,
    city text NOT NULL,
    city_name text NOT NULL,
    collector text NOT NULL,
    bank_account_ref text NOT NULL,
    auto_debit boolean NOT NULL,
    CONSTRAINT accounts_by_number UNIQUE (employer_id, city, account_no));
CREATE TABLE departments (
    department_id text PRIMARY KEY,
    employer_id text NOT NULL REFERENCES employers,
    code text NOT NULL,
    name text NOT NULL,
    CONSTRAINT departments_by_code UNIQUE (employer_id, code));
CREATE TABLE hr_staff (
    employer_id text NOT NULL REFERENCES employers,
    sub text NOT NULL,
    department_ids text[] NOT NULL,
    PRIMARY KEY (employer_id, sub));
"""

_PEOPLE = """
CREATE TABLE employees (
    employee_id text PRIMARY KEY,
    employer_id text NOT NULL REFERENCES employers,
    employee_no text NOT NULL,
    name text NOT NULL,
    person_kind text NOT NULL,
    documents_missing text[] NOT NULL,
    agreed_wage_fen bigint NOT NULL DEFAULT 0,
    first_month_wage_fen bigint NOT NULL DEFAULT 0,
    special_additional_fen bigint NOT NULL DEFAULT 0,
    sub text NOT NULL,
    cost_centre text NOT NULL,
    version bigint NOT NULL,
    CONSTRAINT employees_by_number UNIQUE (employer_id, employee_no));
CREATE TABLE spells (
    employee_id text NOT NULL REFERENCES employees,
    employer_id text NOT NULL,
    since date NOT NULL,
    until date,
    department_id text NOT NULL,
    city text NOT NULL,
    account_id text NOT NULL,
    PRIMARY KEY (employee_id, since),
    CONSTRAINT spells_end_after_they_begin CHECK (until IS NULL OR until >= since));
CREATE INDEX spells_by_employer ON spells (employer_id, employee_id);
CREATE TABLE identities (
    employee_id text PRIMARY KEY REFERENCES employees,
    employer_id text NOT NULL,
    id_index text NOT NULL,
    content_mark text NOT NULL,
    sealed text NOT NULL,
    wrapped_key text NOT NULL,
    root_key_id text NOT NULL,
    version bigint NOT NULL,
    CONSTRAINT identities_by_number UNIQUE (employer_id, id_index)
        DEFERRABLE INITIALLY DEFERRED);
"""

_IMPORTS = """
CREATE TABLE imports (
    import_id text PRIMARY KEY,
    employer_id text NOT NULL,
    kind text NOT NULL CHECK (kind IN ('roster', 'wages')),
    file_name text NOT NULL,
    sha256 text NOT NULL,
    corrects boolean NOT NULL,
    state text NOT NULL CHECK (state IN ('staged', 'applied')),
    row_count integer NOT NULL,
    good_rows integer NOT NULL,
    fault_count integer NOT NULL,
    faults jsonb NOT NULL,
    notes jsonb NOT NULL,
    staged_at timestamptz NOT NULL,
    staged_by text NOT NULL,
    applied_at timestamptz,
    applied_rows integer);
CREATE INDEX imports_by_employer ON imports (employer_id, staged_at);
CREATE TABLE staged_rows (
    import_id text NOT NULL REFERENCES imports,
    ordinal integer NOT NULL,
    employer_id text NOT NULL,
    content jsonb NOT NULL,
    PRIMARY KEY (import_id, ordinal));
CREATE TABLE wages (
    employee_id text NOT NULL,
    wage_month text NOT NULL,
    employer_id text NOT NULL,
    gross_fen bigint NOT NULL DEFAULT 0,
    wage_fen bigint NOT NULL DEFAULT 0,
    items jsonb NOT NULL,
    version bigint NOT NULL,
    PRIMARY KEY (employee_id, wage_month));
CREATE INDEX wages_by_employer ON wages (employer_id, wage_month);
"""

_RUNS = """
CREATE TABLE payroll_runs (
    run_id text PRIMARY KEY,
    employer_id text NOT NULL REFERENCES employers,
    levy_period text NOT NULL,
    payday date NOT NULL,
    state text NOT NULL CHECK (state IN ('computed', 'approved', 'paid')),
    computed_at timestamptz NOT NULL,
    approved_at timestamptz,
    approved_by text,
    paid_at timestamptz,
    CONSTRAINT payroll_runs_by_period UNIQUE (employer_id, levy_period));
CREATE TABLE run_members (
    run_id text NOT NULL REFERENCES payroll_runs,
    employee_id text NOT NULL,
    employer_id text NOT NULL,
    left_out text NOT NULL,
    version bigint NOT NULL,
    gross_fen bigint NOT NULL DEFAULT 0,
    assessment_version bigint,
    withheld jsonb,
    contributions_fen bigint NOT NULL DEFAULT 0,
    special_additional_fen bigint NOT NULL DEFAULT 0,
    tax_fen bigint NOT NULL DEFAULT 0,
    net_fen bigint NOT NULL DEFAULT 0,
    PRIMARY KEY (run_id, employee_id));
CREATE TABLE payslips (
    employee_id text NOT NULL,
    levy_period text NOT NULL,
    employer_id text NOT NULL,
    run_id text NOT NULL,
    payday date NOT NULL,
    gross_fen bigint NOT NULL DEFAULT 0,
    contributions_fen bigint NOT NULL DEFAULT 0,
    special_additional_fen bigint NOT NULL DEFAULT 0,
    tax_fen bigint NOT NULL DEFAULT 0,
    net_fen bigint NOT NULL DEFAULT 0,
    withheld jsonb NOT NULL,
    issued_at timestamptz NOT NULL,
    PRIMARY KEY (employee_id, levy_period));
CREATE INDEX payslips_by_employer ON payslips (employer_id, levy_period);
CREATE INDEX payslips_by_payday ON payslips (employee_id, payday);
CREATE TABLE assessments (
    employee_id text NOT NULL,
    levy_period text NOT NULL,
    employer_id text NOT NULL,
    version bigint NOT NULL,
    lines jsonb NOT NULL,
    PRIMARY KEY (employee_id, levy_period));
CREATE INDEX assessments_by_employer ON assessments (employer_id, levy_period);
"""

_KEPT_FOR_GOOD = ("employers", "imports", "payroll_runs")
_PARTS_OF_EMPLOYERS = ("accounts", "departments", "hr_staff")
_ABOUT_ONE_PERSON = ("employees", "spells", "identities", "wages", "run_members")


def upgrade() -> None:
    install_plumbing(op)
    for statements in (_EMPLOYERS, _PEOPLE, _IMPORTS, _RUNS):
        for statement in statements.split(";"):
            if statement.strip():
                op.execute(statement)
    for table in _KEPT_FOR_GOOD:
        protect(op, table)
        grant(op, table, api="SELECT, INSERT, UPDATE")
    for table in (*_PARTS_OF_EMPLOYERS, "staged_rows"):
        protect(op, table)
        grant(op, table, api="SELECT, INSERT, UPDATE, DELETE")
    for table in _ABOUT_ONE_PERSON:
        protect(op, table, employee=True)
        grant(op, table, api="SELECT, INSERT, UPDATE, DELETE")
    # A payslip is issued once: neither role may change one.
    protect(op, "payslips", employee=True)
    grant(op, "payslips", api="SELECT, INSERT", worker="SELECT, INSERT")
    # Only the consumer learns what is due.
    protect(op, "assessments", employee=True)
    grant(op, "assessments", api="SELECT")
