"""Whether an employee was never a member of a housing fund before: 住房公积金管理条例 art. 17."""

from collections.abc import Sequence

from alembic import op

revision = "0007_first_fund_member"
down_revision: str | None = "0006_pay_items"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None


def upgrade() -> None:
    op.execute("ALTER TABLE employees ADD COLUMN first_fund_member boolean NOT NULL DEFAULT false")
