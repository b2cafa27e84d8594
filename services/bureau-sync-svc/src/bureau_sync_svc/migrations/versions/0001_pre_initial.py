"""Everything bureau-sync-svc keeps, each table protected by row-level security from the start."""

from collections.abc import Sequence

from alembic import context, op

from shared.migrate import grant, install_plumbing, protect

revision = "0001"
down_revision: str | None = None
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None

_COPIES = """
CREATE TABLE accounts (
    account_id text NOT NULL,
    employer_id text NOT NULL,
    account_no text NOT NULL,
    city text NOT NULL,
    collector text NOT NULL,
    version bigint NOT NULL,
    PRIMARY KEY (account_id));
CREATE TABLE employees (
    employee_id text NOT NULL,
    employer_id text NOT NULL,
    employee_no text NOT NULL,
    version bigint NOT NULL,
    PRIMARY KEY (employee_id));
CREATE TABLE identities (
    employee_id text NOT NULL,
    employer_id text NOT NULL,
    sealed text NOT NULL,
    wrapped_key text NOT NULL,
    root_key_id text NOT NULL,
    version bigint NOT NULL,
    indexed_version bigint NOT NULL DEFAULT -1,
    PRIMARY KEY (employee_id));
CREATE TABLE identity_indexes (
    employer_id text NOT NULL,
    id_index text NOT NULL,
    employee_id text NOT NULL,
    PRIMARY KEY (employer_id, id_index, employee_id));
CREATE INDEX identity_indexes_employee ON identity_indexes (employee_id);
CREATE TABLE policies (
    city text NOT NULL,
    passes_detail_on boolean NOT NULL,
    look_up_at text NOT NULL,
    version bigint NOT NULL,
    PRIMARY KEY (city));
CREATE TABLE assessments (
    employee_id text NOT NULL,
    levy_period text NOT NULL,
    employer_id text NOT NULL,
    account_id text NOT NULL,
    city text NOT NULL,
    is_due boolean NOT NULL,
    lines jsonb NOT NULL,
    version bigint NOT NULL,
    PRIMARY KEY (employee_id, levy_period));
CREATE INDEX assessments_account ON assessments (account_id, levy_period);
CREATE TABLE declarations (
    declaration_id text NOT NULL,
    employer_id text NOT NULL,
    account_id text NOT NULL,
    account_no text NOT NULL,
    city text NOT NULL,
    collector text NOT NULL,
    levy_period text NOT NULL,
    people integer NOT NULL,
    sums_fen jsonb NOT NULL,
    total_fen bigint NOT NULL,
    lines_hash text NOT NULL,
    debit_on text NOT NULL,
    approved_at timestamptz NOT NULL,
    version bigint NOT NULL,
    PRIMARY KEY (declaration_id));
CREATE INDEX declarations_account ON declarations (account_id, levy_period);
CREATE TABLE postings (
    employee_id text NOT NULL,
    levy_period text NOT NULL,
    employer_id text NOT NULL,
    account_id text NOT NULL,
    declaration_id text NOT NULL,
    lines jsonb NOT NULL,
    version bigint NOT NULL,
    PRIMARY KEY (employee_id, levy_period));
CREATE INDEX postings_account ON postings (account_id, levy_period);
CREATE TABLE account_months (
    account_id text NOT NULL,
    levy_period text NOT NULL,
    employer_id text NOT NULL,
    city text NOT NULL,
    is_stale boolean NOT NULL,
    PRIMARY KEY (account_id, levy_period));
CREATE INDEX account_months_stale ON account_months (account_id) WHERE is_stale;
"""

_EXCHANGED = """
CREATE TABLE submissions (
    serial text NOT NULL,
    kind text NOT NULL,
    declaration_id text NOT NULL,
    round integer NOT NULL,
    employer_id text NOT NULL,
    account_id text NOT NULL,
    account_no text NOT NULL,
    city text NOT NULL,
    levy_period text NOT NULL,
    party text NOT NULL,
    lines_hash text NOT NULL DEFAULT '',
    declaration_version bigint NOT NULL,
    debit_on text NOT NULL DEFAULT '',
    state text NOT NULL,
    reason text NOT NULL DEFAULT '',
    since timestamptz NOT NULL,
    next_at timestamptz,
    failures integer NOT NULL DEFAULT 0,
    exchanges integer NOT NULL DEFAULT 0,
    leased_until timestamptz,
    PRIMARY KEY (serial));
CREATE INDEX submissions_account ON submissions (account_id, levy_period);
CREATE INDEX submissions_declaration ON submissions (declaration_id);
CREATE INDEX submissions_due ON submissions (next_at) WHERE next_at IS NOT NULL;
CREATE TABLE submission_lines (
    serial text NOT NULL,
    employee_id text NOT NULL,
    insurance text NOT NULL,
    kind text NOT NULL,
    employer_id text NOT NULL,
    authority text NOT NULL,
    base_fen bigint NOT NULL,
    employer_fen bigint NOT NULL,
    employee_fen bigint NOT NULL,
    PRIMARY KEY (serial, employee_id, insurance, kind));
CREATE INDEX submission_lines_employee ON submission_lines (employee_id);
CREATE TABLE look_ups (
    account_id text NOT NULL,
    levy_period text NOT NULL,
    authority text NOT NULL,
    employer_id text NOT NULL,
    account_no text NOT NULL,
    city text NOT NULL,
    next_at timestamptz,
    looked_up_at timestamptz,
    lines integer NOT NULL DEFAULT 0,
    recorded integer NOT NULL DEFAULT 0,
    reason text NOT NULL DEFAULT '',
    failures integer NOT NULL DEFAULT 0,
    exchanges integer NOT NULL DEFAULT 0,
    leased_until timestamptz,
    PRIMARY KEY (account_id, levy_period, authority));
CREATE INDEX look_ups_due ON look_ups (next_at) WHERE next_at IS NOT NULL;
"""

_SHOWN = """
CREATE TABLE bureau_months (
    employee_id text NOT NULL,
    levy_period text NOT NULL,
    employer_id text NOT NULL,
    account_id text NOT NULL,
    lines jsonb NOT NULL,
    told jsonb NOT NULL,
    version bigint NOT NULL,
    PRIMARY KEY (employee_id, levy_period));
CREATE INDEX bureau_months_account ON bureau_months (account_id, levy_period);
CREATE INDEX bureau_months_employer ON bureau_months (employer_id, levy_period, employee_id);
CREATE TABLE exchanges (
    exchange_id text NOT NULL,
    seq bigint GENERATED ALWAYS AS IDENTITY,
    employer_id text NOT NULL DEFAULT '',
    account_id text NOT NULL DEFAULT '',
    levy_period text NOT NULL DEFAULT '',
    party text NOT NULL,
    operation text NOT NULL,
    serial text NOT NULL DEFAULT '',
    at timestamptz NOT NULL,
    request text NOT NULL DEFAULT '',
    request_sha256 text NOT NULL DEFAULT '',
    status integer,
    reply text NOT NULL DEFAULT '',
    reply_sha256 text NOT NULL DEFAULT '',
    outcome text NOT NULL,
    reason text NOT NULL DEFAULT '',
    milliseconds integer,
    PRIMARY KEY (exchange_id));
CREATE INDEX exchanges_account ON exchanges (account_id, levy_period);
CREATE INDEX exchanges_log ON exchanges (employer_id, seq);
"""

_PARTIES = """
CREATE TABLE parties (
    party text NOT NULL,
    kind text NOT NULL,
    city text NOT NULL,
    state text NOT NULL DEFAULT 'open',
    since timestamptz,
    until timestamptz,
    reason text NOT NULL DEFAULT '',
    announced boolean NOT NULL DEFAULT false,
    closures jsonb NOT NULL DEFAULT '[]',
    version bigint NOT NULL DEFAULT 0,
    changes_at timestamptz,
    notices_at timestamptz,
    retry_at timestamptz,
    failures integer NOT NULL DEFAULT 0,
    exchanges integer NOT NULL DEFAULT 0,
    leased_until timestamptz,
    PRIMARY KEY (party));
CREATE TABLE notices (
    party text NOT NULL,
    notice_id text NOT NULL,
    kind text NOT NULL,
    since timestamptz NOT NULL,
    until timestamptz NOT NULL,
    text text NOT NULL DEFAULT '',
    announced boolean NOT NULL,
    PRIMARY KEY (party, notice_id));
"""

_TABLES = _COPIES + _EXCHANGED + _SHOWN + _PARTIES

_GRANTS = {
    "accounts": "SELECT",
    "declarations": "",
    "account_months": "",
    "submissions": "SELECT",
    # HR may ask for a look-up.
    "look_ups": "SELECT, INSERT, UPDATE",
}
"""What the api role may do with an employer's rows; the worker may do everything."""

_GRANTS_ABOUT_A_PERSON = {
    "employees": "SELECT",
    "identities": "",
    "identity_indexes": "",
    "assessments": "SELECT",
    "postings": "",
    "submission_lines": "SELECT",
    "bureau_months": "SELECT",
}


def upgrade() -> None:
    install_plumbing(op)
    for statement in filter(str.strip, _TABLES.split(";")):
        op.execute(statement)
    for table, privileges in _GRANTS.items():
        protect(op, table)
        grant(op, table, api=privileges)
    for table, privileges in _GRANTS_ABOUT_A_PERSON.items():
        protect(op, table, employee=True)
        grant(op, table, api=privileges)
    # Evidence is completed by its reply, and never taken away.
    protect(op, "exchanges")
    grant(op, "exchanges", api="SELECT", worker="SELECT, INSERT, UPDATE")
    for table in ("policies", "notices", "parties"):
        _keep_from_the_api(table)
        grant(op, table)
    op.execute(f"CREATE POLICY api ON parties FOR SELECT TO {_package()}_api USING (true)")
    op.execute(f"GRANT SELECT ON parties TO {_package()}_api")


def _keep_from_the_api(table: str) -> None:
    """Row-level security on a table that is no employer's: the worker alone sees it."""
    op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
    op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
    op.execute(
        f"CREATE POLICY worker ON {table} TO {_package()}_worker USING (true) WITH CHECK (true)"
    )


def _package() -> str:
    package: str = context.config.attributes["package"]
    return package
