"""The first schema: months, what they are judged against, anomalies and closes."""

from alembic import op

from shared.migrate import grant, install_plumbing, protect

revision = "0001_pre"
down_revision = None
branch_labels = None
depends_on = None

_PERIOD = r"CHECK (levy_period ~ '^20\d\d-(0[1-9]|1[0-2])$')"

_TABLES = f"""
CREATE TABLE months (
    employee_id TEXT NOT NULL,
    levy_period TEXT NOT NULL {_PERIOD},
    employer_id TEXT NOT NULL,
    roster_version BIGINT DEFAULT 0 NOT NULL,
    roster JSONB,
    assessed_version BIGINT DEFAULT 0 NOT NULL,
    assessed JSONB,
    posted_version BIGINT DEFAULT 0 NOT NULL,
    posted JSONB,
    bureau_version BIGINT DEFAULT 0 NOT NULL,
    bureau JSONB,
    withheld_version BIGINT DEFAULT 0 NOT NULL,
    withheld JSONB,
    city TEXT DEFAULT '' NOT NULL,
    account_id TEXT DEFAULT '' NOT NULL,
    department_id TEXT DEFAULT '' NOT NULL,
    cells JSONB DEFAULT '[]' NOT NULL,
    version BIGINT DEFAULT 0 NOT NULL,
    judged_at TIMESTAMP WITH TIME ZONE,
    next_due_at TIMESTAMP WITH TIME ZONE,
    settled BOOLEAN DEFAULT true NOT NULL,
    anomalous BOOLEAN DEFAULT false NOT NULL,
    PRIMARY KEY (employee_id, levy_period)
);
CREATE INDEX months_due ON months (next_due_at) WHERE next_due_at IS NOT NULL;
CREATE INDEX months_of_employer ON months (employer_id, levy_period, employee_id);
CREATE INDEX months_unsettled ON months (city) WHERE settled IS false;
CREATE TABLE employees (
    employee_id TEXT NOT NULL,
    employer_id TEXT NOT NULL,
    version BIGINT NOT NULL,
    spells JSONB NOT NULL,
    cities TEXT[] NOT NULL,
    rostered BIGINT DEFAULT 0 NOT NULL,
    roster_due_at TIMESTAMP WITH TIME ZONE,
    PRIMARY KEY (employee_id)
);
CREATE INDEX employees_due ON employees (roster_due_at) WHERE roster_due_at IS NOT NULL;
CREATE INDEX employees_of_employer ON employees (employer_id);
CREATE TABLE roster_requests (
    seq BIGINT GENERATED ALWAYS AS IDENTITY,
    employer_id TEXT NOT NULL,
    employee_id TEXT NOT NULL,
    at TIMESTAMP WITH TIME ZONE NOT NULL,
    PRIMARY KEY (seq)
);
CREATE TABLE employers (
    employer_id TEXT NOT NULL,
    version BIGINT NOT NULL,
    cut_over TEXT NOT NULL,
    marked_at TIMESTAMP WITH TIME ZONE,
    PRIMARY KEY (employer_id)
);
CREATE TABLE policies (
    city TEXT NOT NULL,
    version BIGINT NOT NULL,
    filing_day INTEGER NOT NULL CHECK (filing_day BETWEEN 1 AND 31),
    debit_day INTEGER NOT NULL CHECK (debit_day BETWEEN 1 AND 31),
    scheme JSONB NOT NULL,
    marked_at TIMESTAMP WITH TIME ZONE,
    PRIMARY KEY (city)
);
CREATE TABLE authorities (
    authority TEXT NOT NULL,
    version BIGINT NOT NULL,
    city TEXT NOT NULL,
    state TEXT NOT NULL,
    closures JSONB NOT NULL,
    marked_at TIMESTAMP WITH TIME ZONE,
    PRIMARY KEY (authority)
);
CREATE TABLE anomalies (
    anomaly_id TEXT NOT NULL,
    employer_id TEXT NOT NULL,
    employee_id TEXT NOT NULL,
    levy_period TEXT NOT NULL {_PERIOD},
    kind TEXT NOT NULL,
    occurrence INTEGER NOT NULL CHECK (occurrence > 0),
    version BIGINT NOT NULL,
    insurances TEXT[] NOT NULL CHECK (cardinality(insurances) > 0),
    raised_at TIMESTAMP WITH TIME ZONE NOT NULL,
    tell_at TIMESTAMP WITH TIME ZONE,
    city TEXT NOT NULL,
    department_id TEXT NOT NULL,
    account_id TEXT NOT NULL,
    authority TEXT NOT NULL,
    reason TEXT NOT NULL,
    cause_id TEXT NOT NULL,
    likely_cause TEXT NOT NULL,
    spread INTEGER NOT NULL,
    cleared_at TIMESTAMP WITH TIME ZONE,
    outcomes JSONB,
    PRIMARY KEY (anomaly_id),
    UNIQUE (employee_id, levy_period, kind, occurrence),
    CHECK ((version = 0) = (tell_at IS NOT NULL))
);
CREATE INDEX anomalies_of_employer ON anomalies (employer_id, anomaly_id);
CREATE UNIQUE INDEX anomalies_one_open ON anomalies (employee_id, levy_period, kind)
    WHERE cleared_at IS NULL;
CREATE INDEX anomalies_untold ON anomalies (tell_at) WHERE tell_at IS NOT NULL;
CREATE TABLE period_closes (
    employer_id TEXT NOT NULL,
    levy_period TEXT NOT NULL {_PERIOD},
    version BIGINT NOT NULL,
    cells INTEGER NOT NULL,
    states JSONB NOT NULL,
    sums_fen JSONB NOT NULL,
    closed_at TIMESTAMP WITH TIME ZONE NOT NULL,
    closed_by TEXT NOT NULL,
    reason TEXT NOT NULL,
    PRIMARY KEY (employer_id, levy_period)
);
"""


def upgrade() -> None:
    for statement in _TABLES.split(";\n"):
        if statement.strip():
            op.execute(statement)
    install_plumbing(op)
    for table in ("months", "anomalies", "employees", "roster_requests"):
        protect(op, table, employee=True)
    for table in ("employers", "period_closes"):
        protect(op, table)
    for table in ("months", "anomalies"):
        grant(op, table, api="SELECT")
    grant(op, "period_closes", api="SELECT, INSERT, UPDATE", worker="SELECT")
    # What nobody asks for by HTTP; policies and authorities are about cities, not about employers.
    for table in ("employees", "roster_requests", "employers", "policies", "authorities"):
        grant(op, table)
