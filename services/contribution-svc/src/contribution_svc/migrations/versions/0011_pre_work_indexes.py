"""What waits to be assessed is found in its order; what was not declared costs no index entry."""

from collections.abc import Sequence

from alembic import op

revision = "0011_work_indexes"
down_revision: str | None = "0010_queue"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None

_STATEMENTS = """
DROP INDEX assessments_to_do;
DROP INDEX assessments_declared;
CREATE INDEX assessments_to_do ON assessments (assess_at, employee_id) WHERE assess_at IS NOT NULL;
CREATE INDEX assessments_declared ON assessments (declaration_id) WHERE declaration_id IS NOT NULL
"""


def upgrade() -> None:
    for statement in _STATEMENTS.split(";"):
        op.execute(statement)
