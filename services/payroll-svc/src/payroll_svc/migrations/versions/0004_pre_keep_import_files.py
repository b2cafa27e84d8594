"""The raw bytes of uploaded files, sealed: what was sent can be shown, whatever was made of it."""

from collections.abc import Sequence

from alembic import op

from shared.migrate import grant, protect

revision = "0004_import_files"
down_revision: str | None = "0003_erasures"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None


def upgrade() -> None:
    op.execute(
        """
        CREATE TABLE import_files (
            employer_id text NOT NULL,
            sha256 text NOT NULL,
            kind text NOT NULL,
            file_name text NOT NULL,
            size_bytes integer NOT NULL,
            sealed text NOT NULL,
            wrapped_key text NOT NULL,
            root_key_id text NOT NULL,
            received_at timestamptz NOT NULL,
            received_by text NOT NULL,
            PRIMARY KEY (employer_id, sha256))
        """
    )
    protect(op, "import_files")
    grant(op, "import_files", api="SELECT, INSERT, DELETE")
