"""What a month's payslips were last told to say."""

from collections.abc import Sequence

from alembic import op

from shared.migrate import grant, protect

revision = "0003_payslips"
down_revision: str | None = "0002_answers"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None


def upgrade() -> None:
    op.execute(
        """
        CREATE TABLE payslips (
            employee_id text NOT NULL,
            levy_period text NOT NULL,
            employer_id text NOT NULL,
            version bigint NOT NULL,
            gross_fen bigint NOT NULL,
            tax_fen bigint NOT NULL,
            net_fen bigint NOT NULL,
            PRIMARY KEY (employee_id, levy_period))
        """
    )
    protect(op, "payslips", employee=True)
    grant(op, "payslips")
