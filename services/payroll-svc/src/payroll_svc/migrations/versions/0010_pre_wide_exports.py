"""Wage data are taken out in the wide form too."""

from collections.abc import Sequence

from alembic import op

revision = "0010_wide_exports"
down_revision: str | None = "0009_tax_of_imported_payslips"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None


def upgrade() -> None:
    op.execute("ALTER TABLE exports ADD COLUMN wide boolean NOT NULL DEFAULT false")
