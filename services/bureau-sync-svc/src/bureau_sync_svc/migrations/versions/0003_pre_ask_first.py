"""Account months of a restored store: parties are asked before anything is sent."""

from alembic import op
from sqlalchemy import Boolean, Column

revision = "0003_ask_first"
down_revision = "0002_answers"
branch_labels = None
depends_on = None


def upgrade() -> None:
    column = Column("ask_first", Boolean, nullable=False, server_default="false")
    op.add_column("account_months", column)


def downgrade() -> None:
    op.drop_column("account_months", "ask_first")
