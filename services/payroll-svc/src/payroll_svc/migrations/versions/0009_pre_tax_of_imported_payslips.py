"""What an imported payslip adds to its tax year."""

from collections.abc import Sequence

from alembic import op

revision = "0009_tax_of_imported_payslips"
down_revision: str | None = "0008_wage_data"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None


def upgrade() -> None:
    op.execute(
        """
        ALTER TABLE imported_payslips
            ADD COLUMN income_fen bigint,
            ADD COLUMN special_additional_fen bigint,
            ADD COLUMN bonus_apart_fen bigint NOT NULL DEFAULT 0,
            ADD COLUMN bonus_tax_fen bigint NOT NULL DEFAULT 0
        """
    )
