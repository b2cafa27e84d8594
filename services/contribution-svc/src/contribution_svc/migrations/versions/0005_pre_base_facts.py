"""What bases are explained and confirmed with: pay items of each wage, when facts were heard, and
the yearly campaign.
"""

from collections.abc import Sequence

from alembic import op

from shared.migrate import grant, protect

revision = "0005_base_facts"
down_revision: str | None = "0004_own_rates"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None

_STATEMENTS = """
ALTER TABLE employees ADD COLUMN first_fund_member BOOLEAN DEFAULT false NOT NULL;
ALTER TABLE wages
    ADD COLUMN items JSONB DEFAULT '[]' NOT NULL,
    ADD COLUMN heard_at TIMESTAMPTZ DEFAULT 'epoch' NOT NULL,
    ADD COLUMN before JSONB DEFAULT '[]' NOT NULL;
ALTER TABLE assessments ADD COLUMN assessed_at TIMESTAMPTZ;
CREATE TABLE base_campaigns (
    campaign_id TEXT PRIMARY KEY,
    employer_id TEXT NOT NULL,
    contribution_year TEXT DEFAULT '' NOT NULL,
    confirm_by DATE NOT NULL,
    opened_by TEXT DEFAULT '' NOT NULL,
    opened_at TIMESTAMPTZ NOT NULL,
    fill_at TIMESTAMPTZ,
    closed_at TIMESTAMPTZ,
    CONSTRAINT base_campaigns_once UNIQUE (employer_id, contribution_year));
CREATE INDEX base_campaigns_to_fill ON base_campaigns (fill_at) WHERE fill_at IS NOT NULL;
CREATE TABLE base_members (
    campaign_id TEXT NOT NULL,
    employee_id TEXT NOT NULL,
    employer_id TEXT NOT NULL,
    account_id TEXT DEFAULT '' NOT NULL,
    city TEXT DEFAULT '' NOT NULL,
    levy_period TEXT DEFAULT '' NOT NULL,
    confirm_by DATE NOT NULL,
    state TEXT DEFAULT 'computing' NOT NULL,
    version BIGINT DEFAULT 0 NOT NULL,
    base JSONB,
    reason TEXT DEFAULT '' NOT NULL,
    words TEXT DEFAULT '' NOT NULL,
    answer TEXT DEFAULT '' NOT NULL,
    answered_by TEXT DEFAULT '' NOT NULL,
    changed_at TIMESTAMPTZ,
    compute_at TIMESTAMPTZ,
    PRIMARY KEY (campaign_id, employee_id));
CREATE INDEX base_members_of_employer ON base_members (employer_id, campaign_id);
CREATE INDEX base_members_of_employee ON base_members (employee_id);
CREATE INDEX base_members_to_do ON base_members (compute_at) WHERE compute_at IS NOT NULL
"""


def upgrade() -> None:
    for statement in _STATEMENTS.split(";"):
        op.execute(statement)
    for table in ("wages", "spells"):
        grant(op, table, api="SELECT", worker="")
    protect(op, "base_campaigns")
    grant(op, "base_campaigns", api="SELECT, INSERT, UPDATE")
    protect(op, "base_members", employee=True)
    grant(op, "base_members", api="SELECT, UPDATE")
