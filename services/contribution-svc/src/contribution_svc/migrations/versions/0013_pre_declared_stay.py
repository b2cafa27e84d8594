"""What was declared is not assessed again: the store holds it, not only who writes to it."""

from collections.abc import Sequence

from alembic import op

revision = "0013_declared_stay"
down_revision: str | None = "0012_outbox_id"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None

_STATEMENTS = """
UPDATE assessments SET assess_at = NULL WHERE declaration_id IS NOT NULL AND assess_at IS NOT NULL;
ALTER TABLE assessments ADD CONSTRAINT assessments_declared_stay
    CHECK (declaration_id IS NULL OR assess_at IS NULL)
"""


def upgrade() -> None:
    for statement in _STATEMENTS.split(";"):
        op.execute(statement)
