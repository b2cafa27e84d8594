"""Supplementary declarations: which of an account month's declarations are not the regular one."""

from alembic import op
from sqlalchemy import BigInteger, Column

revision = "0004_supplements"
down_revision = "0003_ask_first"
branch_labels = None
depends_on = None


def upgrade() -> None:
    column = Column("number", BigInteger, nullable=False, server_default="0")
    op.add_column("declarations", column)


def downgrade() -> None:
    op.drop_column("declarations", "number")
