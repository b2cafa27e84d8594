"""What is not published yet stands in a table of its own."""

from collections.abc import Sequence

from alembic import op

from shared.migrate import queue_unsent

revision = "0013_queue"
down_revision: str | None = "0012_drop_employee_names"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None


def upgrade() -> None:
    queue_unsent(op)
