"""Under which version was told what people entered."""

from collections.abc import Sequence

from alembic import op

from shared.migrate import grant, protect

revision = "0011_entered_versions"
down_revision: str | None = "0010_wide_exports"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None


def upgrade() -> None:
    op.execute(
        """
        CREATE TABLE entered_versions (
            employee_id text NOT NULL,
            what text NOT NULL,
            employer_id text NOT NULL,
            version bigint NOT NULL,
            PRIMARY KEY (employee_id, what))
        """
    )
    op.execute("CREATE INDEX entered_versions_by_employer ON entered_versions (employer_id)")
    protect(op, "entered_versions", employee=True)
    grant(op, "entered_versions", api="SELECT, INSERT, UPDATE")
