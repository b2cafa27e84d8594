"""Names are sealed like everything else, and erasures are asked for and kept."""

from collections.abc import Sequence

from alembic import op

from shared.migrate import grant, protect

revision = "0003_erasures"
down_revision: str | None = "0002_answers"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None


def upgrade() -> None:
    op.execute("""CREATE TABLE erasures (
        employee_id text PRIMARY KEY,
        employer_id text NOT NULL,
        reason text NOT NULL,
        asked_by text NOT NULL,
        asked_at timestamptz NOT NULL,
        erased_at timestamptz)""")
    op.execute("CREATE INDEX erasures_to_do ON erasures (asked_at) WHERE erased_at IS NULL")
    protect(op, "erasures", employee=True)
    grant(op, "erasures", api="SELECT, INSERT")
    # Each name is in its identity as well. The old release goes on, and shows none.
    op.execute("ALTER TABLE employees ALTER COLUMN name SET DEFAULT ''")
    op.execute("ALTER TABLE employees NO FORCE ROW LEVEL SECURITY")
    op.execute("UPDATE employees SET name = ''")
    op.execute("ALTER TABLE employees FORCE ROW LEVEL SECURITY")
