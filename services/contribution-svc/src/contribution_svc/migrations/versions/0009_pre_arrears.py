"""Answers of a base campaign are told under a version of their own."""

from collections.abc import Sequence

from alembic import op

revision = "0009_arrears"
down_revision: str | None = "0007_policy_releases"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None


def upgrade() -> None:
    op.execute("ALTER TABLE base_members ADD COLUMN told BIGINT DEFAULT 0 NOT NULL")
