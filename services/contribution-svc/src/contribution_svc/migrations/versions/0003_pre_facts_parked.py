"""Whether an assessment was made while facts of its employee were parked: it is made again when
that changes.
"""

from collections.abc import Sequence

from alembic import op

revision = "0003_facts_parked"
down_revision: str | None = "0002_answers"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None


def upgrade() -> None:
    op.execute("ALTER TABLE assessments ADD COLUMN facts_parked BOOLEAN DEFAULT false NOT NULL")
    op.execute("CREATE INDEX assessments_parked ON assessments (employee_id) WHERE facts_parked")
