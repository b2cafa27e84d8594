"""Cities that have a levy period paid in a later month."""

from alembic import op

revision = "0005_year"
down_revision = "0004_silence"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("ALTER TABLE policies ADD COLUMN months_after INTEGER DEFAULT 0 NOT NULL")
