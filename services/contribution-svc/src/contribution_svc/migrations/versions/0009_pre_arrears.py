"""Refunds that are applied for; answers of a base campaign told under a version of their own."""

from collections.abc import Sequence

from alembic import op

from shared.migrate import grant, protect

revision = "0009_arrears"
down_revision: str | None = "0007_policy_releases"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None

_STATEMENTS = """
ALTER TABLE base_members ADD COLUMN told BIGINT DEFAULT 0 NOT NULL;

CREATE TABLE refunds (
    refund_id TEXT PRIMARY KEY,
    employer_id TEXT NOT NULL,
    account_id TEXT DEFAULT '' NOT NULL,
    employee_id TEXT NOT NULL,
    levy_period TEXT DEFAULT '' NOT NULL,
    number BIGINT DEFAULT 0 NOT NULL,
    lines JSONB DEFAULT '[]' NOT NULL,
    document_no TEXT DEFAULT '' NOT NULL,
    requested_by TEXT DEFAULT '' NOT NULL,
    requested_at TIMESTAMPTZ NOT NULL,
    state TEXT DEFAULT '' NOT NULL,
    version BIGINT DEFAULT 0 NOT NULL,
    answered_by TEXT DEFAULT '' NOT NULL,
    answered_at TIMESTAMPTZ,
    refunded_fen BIGINT,
    refunded_on DATE,
    reason TEXT DEFAULT '' NOT NULL,
    CONSTRAINT refunds_once UNIQUE (employee_id, levy_period, number));
CREATE INDEX refunds_of_account ON refunds (account_id, levy_period);
CREATE INDEX refunds_of_employer ON refunds (employer_id, refund_id)
"""


def upgrade() -> None:
    for statement in _STATEMENTS.split(";"):
        op.execute(statement)
    protect(op, "refunds", employee=True)
    grant(op, "refunds", api="SELECT, INSERT, UPDATE")
