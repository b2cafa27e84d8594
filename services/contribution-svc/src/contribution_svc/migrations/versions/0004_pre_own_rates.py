"""The rates that an account has of its own, and what people are told of the figures that an
assessment rests on.
"""

from collections.abc import Sequence

from alembic import op

revision = "0004_own_rates"
down_revision: str | None = "0003_facts_parked"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None


def upgrade() -> None:
    op.execute("ALTER TABLE accounts ADD COLUMN own_rates JSONB DEFAULT '{}' NOT NULL")
    op.execute("ALTER TABLE assessments ADD COLUMN policy_warnings JSONB DEFAULT '[]' NOT NULL")
