"""Supplementary declarations, the differences that they carry, deferrals, and provisional
assessments of what was not filed.
"""

from collections.abc import Sequence

from alembic import op

from shared.migrate import grant, protect

revision = "0006_arrears"
down_revision: str | None = "0005_base_facts"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None

_STATEMENTS = """
ALTER TABLE assessments ADD COLUMN supplements JSONB DEFAULT '[]' NOT NULL,
    ADD COLUMN declared_version BIGINT DEFAULT 0 NOT NULL,
    ADD COLUMN compare_at TIMESTAMPTZ;
CREATE INDEX assessments_to_compare ON assessments (compare_at) WHERE compare_at IS NOT NULL;
CREATE INDEX assessments_supplemented ON assessments (account_id, levy_period)
    WHERE supplements <> '[]';

ALTER TABLE declarations ADD COLUMN number BIGINT DEFAULT 0 NOT NULL,
    ADD COLUMN filing_serial TEXT DEFAULT '' NOT NULL,
    DROP CONSTRAINT declarations_once,
    ADD CONSTRAINT declarations_once UNIQUE (account_id, levy_period, number);
CREATE INDEX declarations_by_serial ON declarations (filing_serial) WHERE filing_serial <> '';

CREATE TABLE differences (
    employee_id TEXT NOT NULL,
    levy_period TEXT NOT NULL,
    employer_id TEXT NOT NULL,
    account_id TEXT DEFAULT '' NOT NULL,
    lines JSONB DEFAULT '[]' NOT NULL,
    found_at TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (employee_id, levy_period));
CREATE INDEX differences_of_account ON differences (account_id, levy_period);

CREATE TABLE deferrals (
    deferral_id TEXT PRIMARY KEY,
    employer_id TEXT NOT NULL,
    account_id TEXT DEFAULT '' NOT NULL,
    insurances TEXT[] NOT NULL,
    first_period TEXT DEFAULT '' NOT NULL,
    last_period TEXT DEFAULT '' NOT NULL,
    until DATE NOT NULL,
    ground TEXT DEFAULT '' NOT NULL,
    document_no TEXT DEFAULT '' NOT NULL,
    granted_by TEXT DEFAULT '' NOT NULL,
    state TEXT DEFAULT 'proposed' NOT NULL,
    recorded_by TEXT DEFAULT '' NOT NULL,
    recorded_at TIMESTAMPTZ NOT NULL,
    approved_by TEXT DEFAULT '' NOT NULL,
    approved_at TIMESTAMPTZ,
    CONSTRAINT deferrals_two_people CHECK (approved_by <> recorded_by));
CREATE INDEX deferrals_of_account ON deferrals (account_id, state);
CREATE INDEX deferrals_of_employer ON deferrals (employer_id, deferral_id);

CREATE TABLE provisional_assessments (
    declaration_id TEXT PRIMARY KEY,
    employer_id TEXT NOT NULL,
    account_id TEXT DEFAULT '' NOT NULL,
    levy_period TEXT DEFAULT '' NOT NULL,
    last_fen BIGINT,
    assessed_fen BIGINT,
    assessed_on DATE NOT NULL,
    explanation TEXT DEFAULT '' NOT NULL,
    settled_at TIMESTAMPTZ,
    settled_fen BIGINT,
    settlement TEXT DEFAULT '' NOT NULL);
CREATE INDEX provisional_of_employer ON provisional_assessments (employer_id, declaration_id)
"""


def upgrade() -> None:
    for statement in _STATEMENTS.split(";"):
        op.execute(statement)
    protect(op, "differences", employee=True)
    grant(op, "differences", api="SELECT, INSERT, UPDATE, DELETE")
    protect(op, "deferrals")
    grant(op, "deferrals", api="SELECT, INSERT, UPDATE")
    protect(op, "provisional_assessments")
    grant(op, "provisional_assessments", api="SELECT, UPDATE")
    grant(op, "declarations", api="INSERT")
