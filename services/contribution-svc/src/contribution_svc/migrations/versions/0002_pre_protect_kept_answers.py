"""Kept answers of HTTP writes are protected as all rows are; so are bank entries that name an
employee.
"""

from collections.abc import Sequence

from alembic import op

from shared.migrate import protect, protect_kept_answers

revision = "0002_answers"
down_revision: str | None = "0001"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None


def upgrade() -> None:
    protect_kept_answers(op)
    for role in ("api", "worker"):
        op.execute(f"DROP POLICY {role} ON entries")
    protect(op, "entries", employee=True)
