"""The sessions of the database server, and what each of them holds."""

import asyncpg

from tests.support.invariants.facts import Row, Session

_SESSIONS = """
    SELECT a.pid, coalesce(a.datname, ''), a.application_name, a.state,
           extract(epoch FROM clock_timestamp() - a.state_change)::int,
           (SELECT count(*) FROM pg_locks l
             WHERE l.pid = a.pid AND l.locktype = 'advisory' AND l.granted)::int,
           current_setting('max_connections')::int
      FROM pg_stat_activity a
     WHERE a.backend_type = 'client backend' AND a.application_name <> $1
"""


async def read_sessions(postgres_url: str, but: str) -> dict[type[Row], list[Row]]:
    """All but those of the application `but`, which are the checker's own."""
    connection = await asyncpg.connect(postgres_url, server_settings={"application_name": but})
    try:
        async with connection.transaction(readonly=True):
            rows = await connection.fetch(_SESSIONS, but)
    finally:
        await connection.close()
    return {Session: [Session("server", *row) for row in rows]}
