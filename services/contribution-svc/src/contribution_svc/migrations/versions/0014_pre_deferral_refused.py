"""A deferral may be refused by the second person, or withdrawn, with a reason."""

from collections.abc import Sequence

from alembic import op

revision = "0014_deferral_refused"
down_revision: str | None = "0013_declared_stay"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None


def upgrade() -> None:
    op.execute(
        """
        ALTER TABLE deferrals
          ADD COLUMN refused_by TEXT DEFAULT '' NOT NULL,
          ADD COLUMN refused_at TIMESTAMPTZ,
          ADD COLUMN reason TEXT DEFAULT '' NOT NULL
        """
    )
