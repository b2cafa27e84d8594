"""Pay items as data, checked and correction runs, payslips that say where everything comes from."""

from collections.abc import Sequence

from alembic import op

from shared.migrate import grant, protect

revision = "0006_pay_items"
down_revision: str | None = "0005_own_rates"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None

_TABLES = """
CREATE TABLE pay_items (
    employer_id text NOT NULL,
    code text NOT NULL,
    name text NOT NULL,
    way text NOT NULL,
    part text NOT NULL,
    deducts boolean NOT NULL,
    counts_as_wage boolean NOT NULL,
    taxed boolean NOT NULL,
    by_days boolean NOT NULL,
    rate_ppm integer NOT NULL,
    law text NOT NULL,
    PRIMARY KEY (employer_id, code));
CREATE TABLE standing_items (
    employee_id text NOT NULL,
    code text NOT NULL,
    since date NOT NULL,
    employer_id text NOT NULL,
    until date,
    amount_fen bigint NOT NULL DEFAULT 0,
    entered_at timestamptz NOT NULL,
    entered_by text NOT NULL,
    PRIMARY KEY (employee_id, code, since),
    CONSTRAINT standing_items_end_after_they_begin CHECK (until IS NULL OR until >= since));
CREATE INDEX standing_items_by_employer ON standing_items (employer_id);
CREATE TABLE entries (
    employee_id text NOT NULL,
    levy_period text NOT NULL,
    code text NOT NULL,
    employer_id text NOT NULL,
    amount_fen bigint NOT NULL DEFAULT 0,
    quantity_thousandths bigint NOT NULL,
    unit_price_fen_hundredths bigint NOT NULL,
    entered_at timestamptz NOT NULL,
    entered_by text NOT NULL,
    PRIMARY KEY (employee_id, levy_period, code));
CREATE INDEX entries_by_employer ON entries (employer_id, levy_period);
CREATE TABLE tax_declarations (
    employee_id text PRIMARY KEY,
    employer_id text NOT NULL,
    deductions jsonb NOT NULL,
    elections jsonb NOT NULL,
    entered_at timestamptz NOT NULL,
    entered_by text NOT NULL);
CREATE INDEX tax_declarations_by_employer ON tax_declarations (employer_id);
CREATE TABLE paid_months (
    employee_id text NOT NULL,
    levy_period text NOT NULL,
    employer_id text NOT NULL,
    version bigint NOT NULL,
    PRIMARY KEY (employee_id, levy_period));
CREATE INDEX paid_months_by_employer ON paid_months (employer_id, levy_period);
CREATE TABLE payslip_replies (
    employee_id text NOT NULL,
    run_id text NOT NULL,
    ordinal integer NOT NULL,
    employer_id text NOT NULL,
    kind text NOT NULL CHECK (kind IN ('confirmed', 'disputed', 'answered')),
    words text NOT NULL,
    said_by text NOT NULL,
    said_at timestamptz NOT NULL,
    correction_run_id text,
    PRIMARY KEY (employee_id, run_id, ordinal));
CREATE INDEX payslip_replies_by_employer ON payslip_replies (employer_id)
"""

_CHANGES = """
ALTER TABLE payroll_runs
    DROP CONSTRAINT payroll_runs_by_period,
    DROP CONSTRAINT payroll_runs_state_check,
    ADD CONSTRAINT payroll_runs_state_check
        CHECK (state IN ('computed', 'checked', 'approved', 'paid')),
    ADD COLUMN checked_at timestamptz,
    ADD COLUMN checked_by text,
    ADD COLUMN kind text NOT NULL DEFAULT 'regular'
        CONSTRAINT payroll_runs_kind_check CHECK (kind IN ('regular', 'correction')),
    ADD COLUMN corrects text,
    ADD COLUMN reason text NOT NULL DEFAULT '';
CREATE UNIQUE INDEX payroll_runs_by_period ON payroll_runs (employer_id, levy_period)
    WHERE kind = 'regular';
CREATE INDEX payroll_runs_by_corrected ON payroll_runs (corrects) WHERE corrects IS NOT NULL;
ALTER TABLE run_members
    ADD COLUMN items jsonb NOT NULL DEFAULT '[]',
    ADD COLUMN agreed_wage_fen bigint NOT NULL DEFAULT 0,
    ADD COLUMN department_id text NOT NULL DEFAULT '',
    ADD COLUMN person_version bigint NOT NULL DEFAULT 0,
    ADD COLUMN awaits_assessment boolean NOT NULL DEFAULT true,
    ADD COLUMN income_fen bigint NOT NULL DEFAULT 0,
    ADD COLUMN employer_fen bigint NOT NULL DEFAULT 0,
    ADD COLUMN tax jsonb,
    ADD COLUMN warnings jsonb NOT NULL DEFAULT '[]';
ALTER TABLE payslips
    DROP CONSTRAINT payslips_pkey,
    ADD PRIMARY KEY (employee_id, levy_period, run_id),
    ADD COLUMN kind text NOT NULL DEFAULT 'regular',
    ADD COLUMN items jsonb NOT NULL DEFAULT '[]',
    ADD COLUMN tax jsonb,
    ADD COLUMN income_fen bigint,
    ADD COLUMN bonus_apart_fen bigint NOT NULL DEFAULT 0,
    ADD COLUMN bonus_tax_fen bigint NOT NULL DEFAULT 0,
    ADD COLUMN employer_fen bigint NOT NULL DEFAULT 0,
    ADD COLUMN agreed_wage_fen bigint NOT NULL DEFAULT 0,
    ADD COLUMN department_id text NOT NULL DEFAULT '',
    ADD COLUMN person_version bigint NOT NULL DEFAULT 0,
    ADD COLUMN warnings jsonb NOT NULL DEFAULT '[]';
ALTER TABLE assessments
    ADD COLUMN warnings jsonb NOT NULL DEFAULT '[]',
    ADD COLUMN withheld_in text[] NOT NULL DEFAULT '{}';
CREATE INDEX assessments_withheld_later ON assessments (employer_id)
    WHERE cardinality(withheld_in) > 0
"""

_ONE_ITEM = """jsonb_build_array(jsonb_build_object(
    'code', 'base_salary', 'name', '基本工资', 'amount_fen', gross_fen, 'part', 'gross',
    'counts_as_wage', true, 'taxed', true, 'belongs_to', '', 'reckoning', '',
    'steps', '[]'::jsonb))"""

_ABOUT_ONE_PERSON = ("standing_items", "entries", "tax_declarations", "paid_months")


def upgrade() -> None:
    for statement in (_TABLES + ";" + _CHANGES).split(";"):
        op.execute(statement)
    # What was computed or paid before this was one amount, and each month was told once.
    for table in ("run_members", "payslips"):
        op.execute(f"ALTER TABLE {table} NO FORCE ROW LEVEL SECURITY")
        op.execute(f"UPDATE {table} SET items = {_ONE_ITEM} WHERE gross_fen <> 0")  # noqa: S608
    op.execute(
        "INSERT INTO paid_months SELECT employee_id, levy_period, employer_id, 1 FROM payslips"
    )
    for table in ("run_members", "payslips"):
        op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
    protect(op, "pay_items")
    grant(op, "pay_items", api="SELECT, INSERT")
    for table in _ABOUT_ONE_PERSON:
        protect(op, table, employee=True)
        grant(op, table, api="SELECT, INSERT, UPDATE")
    # What was said of a payslip stays said.
    protect(op, "payslip_replies", employee=True)
    grant(op, "payslip_replies", api="SELECT, INSERT", worker="SELECT, INSERT")
