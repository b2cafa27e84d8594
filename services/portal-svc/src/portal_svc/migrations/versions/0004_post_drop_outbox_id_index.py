"""No event's id costs the outbox an index entry. `post`: the older release's `recover` says
ON CONFLICT (id) and fails without the index; the rest of it would run.
"""

from collections.abc import Sequence

from alembic import op

from shared.migrate import drop_id_index

revision = "0004_outbox_id"
down_revision: str | None = "0003_queue"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None


def upgrade() -> None:
    drop_id_index(op)
