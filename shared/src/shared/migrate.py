"""Alembic, once for all services: the runner, the tables of the plumbing, and row-level security.

A service's migrations/env.py is three lines: import its metadata, import `run`, call it. Versions
are `pre` (the old code still runs on the new schema) or `post`.
"""

import asyncio
import importlib.resources
from typing import Any

from alembic import command, context
from alembic.config import Config
from sqlalchemy import MetaData, pool
from sqlalchemy.engine import Connection as SyncConnection
from sqlalchemy.ext.asyncio import create_async_engine

PLUMBING = frozenset(
    {"outbox", "outbox_queue", "relay_lease", "inbox", "parked", "parked_keys", "http_writes"}
)


def _config(url: str, package: str) -> Config:
    config = Config()
    config.set_main_option(
        "script_location", str(importlib.resources.files(package) / "migrations")
    )
    config.set_main_option("path_separator", "os")
    config.attributes.update(url=url, package=package)
    return config


async def upgrade(owner_url: str, package: str) -> None:
    """Brings the service's database to the newest schema, as its owner role."""
    await asyncio.to_thread(command.upgrade, _config(owner_url, package), "head")


async def check(owner_url: str, package: str) -> None:
    """Alembic's own check: raises CommandError when tables.py and the migrations tell different
    stories.
    """
    await asyncio.to_thread(command.check, _config(owner_url, package))


def run(metadata: MetaData) -> None:
    """What every migrations/env.py calls."""
    asyncio.run(_run(metadata))


async def _run(metadata: MetaData) -> None:
    engine = create_async_engine(context.config.attributes["url"], poolclass=pool.NullPool)
    try:
        async with engine.connect() as conn:
            await conn.run_sync(_migrate, metadata)
            await conn.commit()
    finally:
        await engine.dispose()


def _migrate(conn: SyncConnection, metadata: MetaData) -> None:
    context.configure(
        connection=conn, target_metadata=metadata, include_name=_is_business, transactional_ddl=True
    )
    with context.begin_transaction():
        # Two replicas that start together must not migrate together.
        conn.exec_driver_sql("SELECT pg_advisory_xact_lock(7261)")
        context.run_migrations()


def _is_business(name: str | None, kind: str, _: Any) -> bool:
    return not (kind == "table" and name in PLUMBING)


_OUTBOX = """
CREATE TABLE outbox (
    seq bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    id uuid NOT NULL UNIQUE,
    aggregatetype text NOT NULL,
    aggregateid text NOT NULL,
    type text NOT NULL,
    family text NOT NULL,
    subject text NOT NULL,
    version bigint NOT NULL,
    payload bytea,
    ce_time timestamptz NOT NULL,
    traceparent text NOT NULL DEFAULT '',
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    sent_at timestamptz);
CREATE INDEX outbox_unsent ON outbox (seq) WHERE sent_at IS NULL;
CREATE UNIQUE INDEX outbox_aggregate ON outbox (aggregatetype, family, subject, version);
CREATE TABLE relay_lease (
    name text PRIMARY KEY,
    owner text NOT NULL,
    epoch bigint NOT NULL,
    until timestamptz NOT NULL);
CREATE TABLE http_writes (
    caller text NOT NULL,
    key text NOT NULL,
    operation text NOT NULL,
    body_hash bytea NOT NULL,
    answer bytea,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (caller, key));
CREATE TABLE inbox (
    event_id text PRIMARY KEY,
    content_hash bytea NOT NULL,
    at timestamptz NOT NULL DEFAULT clock_timestamp());
CREATE TABLE parked_keys (
    topic text NOT NULL,
    key text NOT NULL,
    parked_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (topic, key));
CREATE TABLE parked (
    seq bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    topic text NOT NULL,
    partition integer NOT NULL,
    position bigint NOT NULL,
    key text NOT NULL,
    value bytea,
    headers jsonb NOT NULL,
    event_id text NOT NULL,
    type text NOT NULL,
    content_hash bytea NOT NULL,
    reason text NOT NULL,
    error text NOT NULL,
    attempts integer NOT NULL DEFAULT 1,
    state text NOT NULL DEFAULT 'parked'
        CHECK (state IN ('parked', 'queued', 'replayed', 'dropped')),
    dead_letter_topic text NOT NULL,
    parked_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    copied_at timestamptz,
    ended_at timestamptz,
    ended_by text NOT NULL DEFAULT '',
    ended_reason text NOT NULL DEFAULT '',
    UNIQUE (topic, event_id, content_hash));
CREATE INDEX parked_open ON parked (topic, key, seq) WHERE state IN ('parked', 'queued');
CREATE INDEX parked_uncopied ON parked (seq) WHERE copied_at IS NULL;
"""

_PLUMBING_GRANTS = """
GRANT INSERT, SELECT ON outbox TO {package}_api;
GRANT SELECT, INSERT, UPDATE ON http_writes TO {package}_api;
GRANT SELECT, INSERT, UPDATE, DELETE
   ON outbox, relay_lease, http_writes, inbox, parked, parked_keys TO {package}_worker;
"""


def install_plumbing(op: Any) -> None:
    """Creates outbox, relay lease, inbox, parked events and kept HTTP answers, with their
    grants.
    """
    package = context.config.attributes["package"]
    for statement in (_OUTBOX + _PLUMBING_GRANTS.format(package=package)).split(";"):
        if statement.strip():
            op.execute(statement)


_OUTBOX_QUEUE = """
CREATE TABLE outbox_queue (
    seq bigint PRIMARY KEY,
    since timestamptz NOT NULL DEFAULT clock_timestamp());
INSERT INTO outbox_queue (seq) SELECT seq FROM outbox WHERE sent_at IS NULL;
ALTER TABLE outbox DROP COLUMN sent_at;
GRANT SELECT (seq) ON outbox TO {package}_api;
GRANT INSERT ON outbox_queue TO {package}_api;
GRANT SELECT, INSERT, DELETE ON outbox_queue TO {package}_worker
"""


def queue_unsent(op: Any) -> None:
    """What is not published yet goes to a table of its own. The older release marked the outbox's
    rows instead: all of its processes must have ended.
    """
    package = context.config.attributes["package"]
    for statement in _OUTBOX_QUEUE.format(package=package).split(";"):
        op.execute(statement)


def drop_id_index(op: Any) -> None:
    """An id is made of an event's type, aggregate and version: `outbox_aggregate` holds it unique
    too, and no statement looks for one. The older release's `recover` needs the index: `post`.
    """
    op.execute("ALTER TABLE outbox DROP CONSTRAINT outbox_id_key")


_KEPT_ANSWERS = """
ALTER TABLE http_writes ADD COLUMN employer_ids text, ADD COLUMN employee_id text;
ALTER TABLE http_writes
    ALTER COLUMN employer_ids SET DEFAULT coalesce(current_setting('app.employer', true), ''),
    ALTER COLUMN employee_id SET DEFAULT coalesce(current_setting('app.employee', true), '');
ALTER TABLE http_writes ENABLE ROW LEVEL SECURITY;
ALTER TABLE http_writes FORCE ROW LEVEL SECURITY;
CREATE POLICY api_reads ON http_writes FOR SELECT TO {package}_api USING ({own});
CREATE POLICY api_claims ON http_writes FOR INSERT TO {package}_api WITH CHECK ({own});
CREATE POLICY api_answers ON http_writes FOR UPDATE TO {package}_api
    USING (answer IS NULL AND {own}) WITH CHECK ({own});
CREATE POLICY worker ON http_writes TO {package}_worker USING (true) WITH CHECK (true);
REVOKE UPDATE ON http_writes FROM {package}_api;
GRANT UPDATE (answer) ON http_writes TO {package}_api;
REVOKE SELECT ON outbox FROM {package}_api
"""
_OWN_ANSWER = (
    "string_to_array(employer_ids, ',')"
    " <@ string_to_array(current_setting('app.employer', true), ',')"
    " AND (NULLIF(current_setting('app.employee', true), '') IS NULL"
    " OR employee_id = current_setting('app.employee', true))"
)


def protect_kept_answers(op: Any) -> None:
    """Row-level security on kept HTTP answers, and no reading of others' events in the outbox.

    A kept answer is of the employers, and of the employee, in whose name its request ran: only who
    may see all of them now gets it again, and nobody changes it. Answers kept before this are of
    nobody known: their keys are refused, never done twice.
    """
    package = context.config.attributes["package"]
    for statement in _KEPT_ANSWERS.format(package=package, own=_OWN_ANSWER).split(";"):
        op.execute(statement)


def grant(
    op: Any, table: str, *, api: str = "", worker: str = "SELECT, INSERT, UPDATE, DELETE"
) -> None:
    """Grants exactly these privileges on `table` to the service's two roles."""
    package = context.config.attributes["package"]
    for role, privileges in ((f"{package}_api", api), (f"{package}_worker", worker)):
        if privileges:
            op.execute(f"GRANT {privileges} ON {table} TO {role}")


def protect(op: Any, table: str, *, employee: bool = False) -> None:
    """Row-level security on `table`, which has `employer_id text` (and, with `employee`,
    `employee_id text`).

    The api role sees the rows of the employers in app.employer, and of the employee in app.employee
    if that is set; with nothing set it sees none. The worker role sees all. Not even the owner is
    exempt (FORCE).
    """
    package = context.config.attributes["package"]
    allowed = (
        "employer_id = ANY(string_to_array(NULLIF(current_setting('app.employer', true), ''), ','))"
    )
    if employee:
        own = "current_setting('app.employee', true)"
        allowed += f" AND (NULLIF({own}, '') IS NULL OR employee_id = {own})"
    op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
    op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
    op.execute(
        f"CREATE POLICY api ON {table} TO {package}_api USING ({allowed}) WITH CHECK ({allowed})"
    )
    op.execute(
        f"CREATE POLICY worker ON {table} TO {package}_worker USING (true) WITH CHECK (true)"
    )
