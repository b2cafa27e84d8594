"""What came and could not be taken in, and look-ups that did not come: watched, and raised once."""

from alembic import op

from shared.migrate import grant, protect

revision = "0004_silence"
down_revision = "0003_closes"
branch_labels = None
depends_on = None

_TABLES = """
ALTER TABLE policies ADD COLUMN look_up_at TEXT DEFAULT '08:00' NOT NULL;
ALTER TABLE authorities ADD COLUMN closed_until TIMESTAMP WITH TIME ZONE;
CREATE TABLE parked_sides (
    seq BIGINT NOT NULL,
    employer_id TEXT NOT NULL,
    employee_id TEXT NOT NULL,
    levy_period TEXT NOT NULL,
    side TEXT NOT NULL,
    version BIGINT NOT NULL,
    PRIMARY KEY (seq)
);
CREATE TABLE look_up_watches (
    seq BIGINT GENERATED ALWAYS AS IDENTITY,
    authority TEXT NOT NULL,
    at TIMESTAMP WITH TIME ZONE NOT NULL,
    PRIMARY KEY (seq)
);
CREATE TABLE look_up_alarms (
    authority TEXT NOT NULL,
    raised_at TIMESTAMP WITH TIME ZONE NOT NULL,
    cells INTEGER NOT NULL,
    PRIMARY KEY (authority)
);
"""


def upgrade() -> None:
    for statement in _TABLES.split(";\n"):
        if statement.strip():
            op.execute(statement)
    protect(op, "parked_sides", employee=True)
    # Nobody asks for these by the API's own role: an operator's numbers are read as the worker.
    for table in ("parked_sides", "look_up_watches", "look_up_alarms"):
        grant(op, table)
