"""The packs in force: one row a city, its version growing with every pack that comes into force;
the packs themselves stay.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import text

from contribution_svc.store.values import to_json
from shared.db import Connection

_TOLD = text(
    """
    SELECT p.city, p.content_sha256, p.published_at, k.sha256 IS NOT NULL AS is_kept
      FROM policies p LEFT JOIN policy_packs k USING (city, version)
    """
)
_FILES = text(
    """
    SELECT DISTINCT ON (sha256) sha256, city, content FROM policy_packs
     WHERE sha256 = ANY(:hashes)
    """
)
# The row is locked by its own update, so that two replicas that start together tell it once.
_PUBLISH = text(
    """
    INSERT INTO policies AS p (city, version, content_sha256, body, published_at)
    VALUES (:city, 1, :sha256, CAST(:body AS jsonb), :now)
    ON CONFLICT (city) DO UPDATE
       SET version = p.version + 1, content_sha256 = excluded.content_sha256,
           body = excluded.body, published_at = excluded.published_at
     WHERE p.content_sha256 <> excluded.content_sha256 OR p.published_at < :known_at
    RETURNING version
    """
)
_KEEP_PACK = text(
    """
    INSERT INTO policy_packs (city, version, sha256, content, proposal_id, in_force_from)
    VALUES (:city, :version, :sha256, :content, :proposal_id, :now)
    ON CONFLICT DO NOTHING
    """
)
_KEEP_TOLD = text(
    """
    INSERT INTO policy_packs (city, version, sha256, content, proposal_id, in_force_from)
    SELECT city, version, content_sha256, :content, :proposal_id, :now FROM policies
     WHERE city = :city AND content_sha256 = :sha256
    ON CONFLICT DO NOTHING
    """
)


@dataclass(frozen=True, slots=True)
class PackFile:
    """A pack as its file was; `sha256` names that content."""

    city: str
    sha256: str
    content: bytes


@dataclass(frozen=True, slots=True)
class Told:
    """A city's policy as last told; `is_kept`: its file is here. An older release kept none."""

    sha256: str
    published_at: datetime
    is_kept: bool


async def told(conn: Connection) -> Mapping[str, Told]:
    """What is in force, by city."""
    rows = await conn.execute(_TOLD)
    return {row.city: Told(row.content_sha256, row.published_at, row.is_kept) for row in rows}


_KNOWN = text(
    """
    SELECT city, sha256, encode(sha256(convert_to(
               split_part(convert_from(content, 'UTF8'), :carried, 1), 'UTF8')), 'hex') AS own
      FROM (SELECT city, sha256, content FROM policy_packs
            UNION SELECT city, sha256, content FROM policy_proposals WHERE origin = :origin) p
     WHERE city = ANY(:cities)
    """
)


async def known(
    conn: Connection, cities: Collection[str], origin: str, carried: str
) -> tuple[set[tuple[str, str]], set[tuple[str, str]]]:
    """City and hash of every pack that is or was in force, or was ever proposed from this origin:
    of the whole file, and of the pack's own text, which stands before `carried`.
    """
    values = {"cities": sorted(cities), "origin": origin, "carried": carried}
    rows = (await conn.execute(_KNOWN, values)).all()
    return {(row.city, row.sha256) for row in rows}, {(row.city, row.own) for row in rows}


async def files(conn: Connection, hashes: Collection[str]) -> list[PackFile]:
    """The packs of these hashes that ever came into force."""
    rows = await conn.execute(_FILES, {"hashes": sorted(hashes)})
    return [PackFile(row.city, row.sha256, bytes(row.content)) for row in rows]


async def publish(
    conn: Connection,
    pack: PackFile,
    body: object,
    proposal_id: str,
    times: tuple[datetime, datetime],
) -> int | None:
    """Puts the pack into force: the version under which it is to be told. `times`: since when all
    that is known of it today was, and now. None when it is in force already, and was told since.
    """
    known_at, now = times
    values = {"city": pack.city, "sha256": pack.sha256, "body": to_json(body)}
    told_at = {"known_at": known_at, "now": now}
    version: int | None = (await conn.execute(_PUBLISH, {**values, **told_at})).scalar()
    if version is not None:
        kept = {"city": pack.city, "sha256": pack.sha256, "content": pack.content}
        named = {"version": version, "proposal_id": proposal_id, "now": now}
        await conn.execute(_KEEP_PACK, {**kept, **named})
    return version


async def keep_file(conn: Connection, pack: PackFile, now: datetime, proposal_id: str = "") -> None:
    """Keeps the file of what is in force under this very hash."""
    values = {"city": pack.city, "sha256": pack.sha256, "content": pack.content, "now": now}
    await conn.execute(_KEEP_TOLD, {**values, "proposal_id": proposal_id})
