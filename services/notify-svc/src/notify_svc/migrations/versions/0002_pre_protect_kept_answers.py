"""Kept answers of HTTP writes are protected as all rows are."""

from collections.abc import Sequence

from alembic import op

from shared.migrate import protect_kept_answers

revision = "0002_answers"
down_revision: str | None = "0001"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None


def upgrade() -> None:
    protect_kept_answers(op)
