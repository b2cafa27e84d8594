"""The parties' own rows: state, notices, circuit."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

import msgspec
from sqlalchemy import RowMapping, text

from bureau_sync_svc.domain.authority import AuthorityState, Notice
from shared.db import Connection


@dataclass(frozen=True, slots=True)
class Party:
    """A collector or authority as we know it; `retry_at` holds all requests to it up until then."""

    party: str
    kind: str
    city: str
    version: int
    state: str
    since: datetime | None
    until: datetime | None
    reason: str
    announced: bool
    closures: list[list[str]]
    failures: int
    retry_at: datetime | None
    exchanges: int


_ADD = text(
    """
    INSERT INTO parties (party, kind, city) VALUES (:party, :kind, :city)
    ON CONFLICT (party) DO UPDATE SET kind = excluded.kind WHERE parties.kind = ''
    """
)


async def add(conn: Connection, named: Iterable[tuple[str, str, str]]) -> None:
    """Keeps parties that facts have named: (party, kind, city). The first fact that names one makes
    it.
    """
    values = [
        {"party": party, "kind": kind, "city": city} for party, kind, city in sorted(set(named))
    ]
    if values:
        await conn.execute(_ADD, values)


_LOCK = text("SELECT * FROM parties WHERE party = :party FOR UPDATE")


async def locked(conn: Connection, party: str) -> Party:
    """The party as it is now, its row locked."""
    return _party((await conn.execute(_LOCK, {"party": party})).mappings().one())


def _party(row: RowMapping) -> Party:
    return Party(**{name: row[name] for name in Party.__slots__})


_CIRCUIT = text(
    "UPDATE parties SET failures = :failures, retry_at = :retry_at WHERE party = :party"
)


async def set_circuit(
    conn: Connection, party: str, failures: int, retry_at: datetime | None
) -> None:
    """Keeps how often the party failed in a row, and until when nobody asks it."""
    await conn.execute(_CIRCUIT, {"party": party, "failures": failures, "retry_at": retry_at})


_NOTICES_DUE = text(
    """
    SELECT min(greatest(coalesce(notices_at, '2000-01-01Z'), retry_at))
      FROM parties WHERE kind = 'authority'
    """
)
_CLAIM_NOTICES = text(
    """
    UPDATE parties
       SET leased_until = clock_timestamp() + interval '40 seconds', exchanges = exchanges + 1
     WHERE party = (
           SELECT party FROM parties
            WHERE kind = 'authority'
              AND greatest(coalesce(notices_at, '2000-01-01Z'), retry_at) <= :now
              AND coalesce(leased_until < clock_timestamp(), true)
            ORDER BY notices_at NULLS FIRST, party LIMIT 1 FOR UPDATE SKIP LOCKED)
    RETURNING *
    """
)
_NOTICES_AT = text("UPDATE parties SET notices_at = :at, leased_until = NULL WHERE party = :party")
_NOTICES_NOW = text("UPDATE parties SET notices_at = NULL WHERE party = :party")


async def notices_due(conn: Connection) -> datetime | None:
    """The business time at which a party's notices are read next."""
    at: datetime | None = (await conn.execute(_NOTICES_DUE)).scalar()
    return at


async def claim_notices(conn: Connection, now: datetime) -> Party | None:
    """The next party whose notices are due, leased."""
    row = (await conn.execute(_CLAIM_NOTICES, {"now": now})).mappings().first()
    return _party(row) if row is not None else None


async def read_notices_at(conn: Connection, party: str, at: datetime) -> None:
    """Sets the next reading, and gives up the lease."""
    await conn.execute(_NOTICES_AT, {"party": party, "at": at})


async def read_notices_soon(conn: Connection, party: str) -> None:
    """Has the party's notices read as soon as it may be asked."""
    await conn.execute(_NOTICES_NOW, {"party": party})


_NOTICES = text(
    """
    SELECT notice_id, kind, since, until, text, announced FROM notices
     WHERE party = :party ORDER BY since, notice_id
    """
)
_PUT_NOTICE = text(
    """
    INSERT INTO notices (party, notice_id, kind, since, until, text, announced)
    VALUES (:party, :notice_id, :kind, :since, :until, :text, :announced)
    ON CONFLICT (party, notice_id) DO UPDATE
       SET kind = excluded.kind, since = least(notices.since, excluded.since),
           until = excluded.until, text = excluded.text
    """
)
_DROP_NOTICES = text(
    """
    DELETE FROM notices
     WHERE party = :party AND announced AND since > :now AND NOT notice_id = ANY(:listed)
    """
)


async def notices(conn: Connection, party: str) -> list[Notice]:
    """Every stretch known of a party, also past ones."""
    return [Notice(**row) for row in (await conn.execute(_NOTICES, {"party": party})).mappings()]


async def put_notices(conn: Connection, party: str, given: Sequence[Notice]) -> None:
    """Adds notices, or changes those that are known by their id."""
    values = [
        {"party": party, **{name: getattr(notice, name) for name in Notice.__slots__}}
        for notice in given
    ]
    if values:
        await conn.execute(_PUT_NOTICE, values)


async def drop_withdrawn(
    conn: Connection, party: str, listed: Iterable[str], now: datetime
) -> None:
    """Forgets announced stretches that are no longer listed and have not begun; what has begun is
    history.
    """
    await conn.execute(_DROP_NOTICES, {"party": party, "listed": list(listed), "now": now})


_SAVE_STATE = text(
    """
    UPDATE parties
       SET state = :state, since = :since, until = :until, reason = :reason, announced = :announced,
           closures = CAST(:closures AS jsonb), version = :version
     WHERE party = :party
    """
)
# Of a closure that a refusal named nobody else knows; an announced one is listed again.
_KEEP_CLOSURE = text(
    """
    INSERT INTO notices (party, notice_id, kind, since, until, text, announced)
    SELECT :party, 'told ' || :since, 'closure', CAST(CAST(:since AS text) AS timestamptz),
           CAST(CAST(:until AS text) AS timestamptz), :reason, false
     WHERE NOT EXISTS (
           SELECT 1 FROM notices
            WHERE party = :party AND kind = 'closure'
              AND since = CAST(CAST(:since AS text) AS timestamptz))
    """
)


async def keep_told(
    conn: Connection,
    party: str,
    city: str,
    state: AuthorityState,
    closures: Sequence[tuple[str, str]],
    version: int,
) -> None:
    """A party's state and closures as they were told; its kind is learned from who names it."""
    await add(conn, [(party, "", city)])
    if (await locked(conn, party)).version > version:
        return
    told = msgspec.json.encode(closures).decode()
    await save_state(conn, party, state, told, version)
    rows = [
        {"party": party, "since": since, "until": until, "reason": state.reason}
        for since, until in closures
        if until
    ]
    if rows:
        await conn.execute(_KEEP_CLOSURE, rows)


_CHANGES_AT = text("UPDATE parties SET changes_at = :at WHERE party = :party")
_CHANGES_DUE = text("SELECT min(changes_at) FROM parties")
_CHANGING = text(
    """
    SELECT party FROM parties WHERE changes_at <= :now
     ORDER BY changes_at, party LIMIT 1 FOR UPDATE SKIP LOCKED
    """
)


async def save_state(
    conn: Connection, party: str, state: AuthorityState, closures: str, version: int
) -> None:
    """Writes a state that is about to be told; `closures` is JSON."""
    values = {
        "party": party,
        "state": state.state,
        "since": state.since,
        "until": state.until,
        "reason": state.reason,
        "announced": state.announced,
        "closures": closures,
        "version": version,
    }
    await conn.execute(_SAVE_STATE, values)


async def set_change(conn: Connection, party: str, at: datetime | None) -> None:
    """Sets when the state changes by itself."""
    await conn.execute(_CHANGES_AT, {"party": party, "at": at})


async def changes_due(conn: Connection) -> datetime | None:
    """The business time at which a known notice begins or ends next."""
    at: datetime | None = (await conn.execute(_CHANGES_DUE)).scalar()
    return at


async def changing(conn: Connection, now: datetime) -> str | None:
    """A party whose state changes by now, its row locked."""
    found: str | None = (await conn.execute(_CHANGING, {"now": now})).scalar()
    return found
