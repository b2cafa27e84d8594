"""What bases are explained and confirmed with: pay items of each wage, when facts were heard, and
the yearly campaign.
"""

from collections.abc import Sequence

from alembic import op

from shared.migrate import grant

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
ALTER TABLE assessments ADD COLUMN assessed_at TIMESTAMPTZ
"""


def upgrade() -> None:
    for statement in _STATEMENTS.split(";"):
        op.execute(statement)
    for table in ("wages", "spells"):
        grant(op, table, api="SELECT", worker="")
