"""Wage data of the month with their deadlines, imports that can be undone, imported payslips and
exports.
"""

from collections.abc import Sequence

from alembic import op

from shared.migrate import grant, protect

revision = "0008_wage_data"
down_revision: str | None = "0007_first_fund_member"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None

_IMPORTS = """
ALTER TABLE imports DROP CONSTRAINT imports_kind_check;
ALTER TABLE imports ADD CONSTRAINT imports_kind_check
    CHECK (kind IN ('roster', 'wages', 'wage_data', 'payslips'));
ALTER TABLE imports DROP CONSTRAINT imports_state_check;
ALTER TABLE imports ADD CONSTRAINT imports_state_check
    CHECK (state IN ('staged', 'applied', 'undone'));
ALTER TABLE imports
    ADD COLUMN levy_period text NOT NULL DEFAULT '',
    ADD COLUMN changes jsonb NOT NULL DEFAULT '{}',
    ADD COLUMN effects integer NOT NULL DEFAULT 0,
    ADD COLUMN applied_by text NOT NULL DEFAULT '',
    ADD COLUMN undone_at timestamptz,
    ADD COLUMN undone_by text NOT NULL DEFAULT '',
    ADD COLUMN undo_reason text NOT NULL DEFAULT '';
CREATE TABLE import_effects (
    import_id text NOT NULL REFERENCES imports,
    ordinal integer NOT NULL,
    employer_id text NOT NULL,
    employee_id text NOT NULL,
    employee_no text NOT NULL,
    row integer NOT NULL,
    what text NOT NULL,
    key text NOT NULL,
    before jsonb,
    after jsonb,
    hidden_before jsonb,
    PRIMARY KEY (import_id, ordinal));
CREATE INDEX import_effects_by_person ON import_effects (employee_id);
CREATE TABLE exports (
    export_id text PRIMARY KEY,
    employer_id text NOT NULL,
    kind text NOT NULL CHECK (kind IN ('roster', 'wage_data', 'payslips')),
    levy_period text NOT NULL,
    form text NOT NULL,
    encoding text NOT NULL,
    with_identity boolean NOT NULL,
    reason text NOT NULL,
    rows integer NOT NULL,
    asked_at timestamptz NOT NULL,
    asked_by text NOT NULL,
    downloads integer NOT NULL DEFAULT 0,
    downloaded_at timestamptz,
    sha256 text NOT NULL DEFAULT '');
CREATE INDEX exports_by_employer ON exports (employer_id, asked_at)
"""

_MONTH = """
CREATE TABLE wage_inputs (
    employee_id text NOT NULL,
    levy_period text NOT NULL,
    code text NOT NULL,
    unit text NOT NULL CHECK (unit IN ('fen', 'hour', 'day', 'piece')),
    employer_id text NOT NULL,
    department_id text NOT NULL,
    import_id text NOT NULL,
    row integer NOT NULL,
    PRIMARY KEY (employee_id, levy_period, code));
CREATE INDEX wage_inputs_by_employer ON wage_inputs (employer_id, levy_period);
CREATE TABLE wage_deadlines (
    employer_id text NOT NULL REFERENCES employers,
    department_id text NOT NULL,
    day integer NOT NULL CHECK (day BETWEEN 1 AND 31),
    month_shift integer NOT NULL CHECK (month_shift BETWEEN -1 AND 1),
    remind_days integer NOT NULL CHECK (remind_days BETWEEN 0 AND 15),
    open_at timestamptz NOT NULL,
    PRIMARY KEY (employer_id, department_id));
CREATE INDEX wage_deadlines_to_open ON wage_deadlines (open_at);
CREATE TABLE wage_hand_ins (
    department_id text NOT NULL,
    levy_period text NOT NULL,
    employer_id text NOT NULL,
    due_on date NOT NULL,
    rolled boolean NOT NULL,
    remind_days integer NOT NULL,
    state text NOT NULL CHECK (state IN ('awaited', 'handed_in', 'nothing')),
    stage text NOT NULL,
    late boolean NOT NULL DEFAULT false,
    handed_in_at timestamptz,
    handed_in_by text NOT NULL DEFAULT '',
    rows integer NOT NULL DEFAULT 0,
    import_id text NOT NULL DEFAULT '',
    next_at timestamptz,
    version bigint NOT NULL,
    PRIMARY KEY (department_id, levy_period));
CREATE INDEX wage_hand_ins_by_employer ON wage_hand_ins (employer_id, levy_period);
CREATE INDEX wage_hand_ins_to_remind ON wage_hand_ins (next_at) WHERE next_at IS NOT NULL
"""

_PAYSLIPS = """
CREATE TABLE imported_payslips (
    employee_id text NOT NULL,
    levy_period text NOT NULL,
    version bigint NOT NULL,
    employer_id text NOT NULL,
    payday date NOT NULL,
    gross_fen bigint NOT NULL DEFAULT 0,
    contributions_fen bigint NOT NULL DEFAULT 0,
    tax_fen bigint NOT NULL DEFAULT 0,
    other_fen bigint NOT NULL DEFAULT 0,
    net_fen bigint NOT NULL DEFAULT 0,
    withheld jsonb NOT NULL,
    reason text NOT NULL,
    import_id text NOT NULL,
    issued_at timestamptz NOT NULL,
    PRIMARY KEY (employee_id, levy_period, version));
CREATE INDEX imported_payslips_by_employer ON imported_payslips (employer_id, levy_period);
CREATE TABLE period_closes (
    employer_id text NOT NULL,
    levy_period text NOT NULL,
    version bigint NOT NULL,
    closed_at timestamptz NOT NULL,
    PRIMARY KEY (employer_id, levy_period))
"""


def upgrade() -> None:
    for statements in (_IMPORTS, _MONTH, _PAYSLIPS):
        for statement in statements.split(";"):
            op.execute(statement)
    for table in ("import_effects", "wage_inputs"):
        protect(op, table, employee=True)
        grant(op, table, api="SELECT, INSERT, UPDATE, DELETE")
    # As for payslips of runs: neither role may change one.
    protect(op, "imported_payslips", employee=True)
    grant(op, "imported_payslips", api="SELECT, INSERT", worker="SELECT, INSERT")
    for table, api in (
        ("wage_deadlines", "SELECT, INSERT, UPDATE, DELETE"),
        ("wage_hand_ins", "SELECT, INSERT, UPDATE, DELETE"),
        # What was exported, by whom and why, is evidence.
        ("exports", "SELECT, INSERT, UPDATE"),
        # Only the consumer learns what is closed.
        ("period_closes", "SELECT"),
    ):
        protect(op, table)
        grant(op, table, api=api)
