"""The worker may write closes: `recover` brings back those that were told."""

from alembic import op

from shared.migrate import grant

revision = "0003_closes"
down_revision = "0002_answers"
branch_labels = None
depends_on = None


def upgrade() -> None:
    grant(op, "period_closes", worker="SELECT, INSERT, UPDATE")


def downgrade() -> None:
    op.execute("REVOKE INSERT, UPDATE ON period_closes FROM reconciliation_svc_worker")
