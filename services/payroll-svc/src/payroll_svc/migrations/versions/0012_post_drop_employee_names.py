"""Names rest sealed in `identities`: nothing reads or writes the empty column any more."""

from collections.abc import Sequence

from alembic import op

revision = "0012_drop_employee_names"
down_revision: str | None = "0011_entered_versions"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None


def upgrade() -> None:
    op.execute("ALTER TABLE employees DROP COLUMN name")
