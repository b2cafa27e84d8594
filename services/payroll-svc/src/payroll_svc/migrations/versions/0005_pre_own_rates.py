"""The rates that an account has of its own, and the class and float that its work injury comes
from.
"""

from collections.abc import Sequence

from alembic import op

revision = "0005_own_rates"
down_revision: str | None = "0004_import_files"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None


def upgrade() -> None:
    op.execute(
        """
        ALTER TABLE accounts
            ADD COLUMN own_rates jsonb NOT NULL DEFAULT '{}',
            ADD COLUMN injury_class integer NOT NULL DEFAULT 0,
            ADD COLUMN injury_float_percent integer NOT NULL DEFAULT 0
        """
    )
