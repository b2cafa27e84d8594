"""The policies as they were published: one row a city, its version growing when its pack's content
changes.
"""

from collections.abc import Mapping
from datetime import datetime

from sqlalchemy import text

from contribution_svc.store.values import to_json
from shared.db import Connection

_PUBLISHED = text("SELECT city, content_sha256 FROM policies")
# The row is locked by its own update, so that two replicas that start together tell it once.
_PUBLISH = text(
    """
    INSERT INTO policies AS p (city, version, content_sha256, body, published_at)
    VALUES (:city, 1, :sha256, CAST(:body AS jsonb), :now)
    ON CONFLICT (city) DO UPDATE
       SET version = p.version + 1, content_sha256 = excluded.content_sha256,
           body = excluded.body, published_at = excluded.published_at
     WHERE p.content_sha256 <> excluded.content_sha256
    RETURNING version
    """
)
_VERSION = text("SELECT version, published_at FROM policies WHERE city = :city")


async def published(conn: Connection) -> Mapping[str, str]:
    """The content hash of the pack that was last told, by city."""
    return {row.city: row.content_sha256 for row in await conn.execute(_PUBLISHED)}


async def publish(
    conn: Connection, city: str, sha256: str, body: object, now: datetime
) -> int | None:
    """The version under which the pack is to be told; None when it was told already."""
    values = {"city": city, "sha256": sha256, "body": to_json(body), "now": now}
    version: int | None = (await conn.execute(_PUBLISH, values)).scalar()
    return version


async def version_of(conn: Connection, city: str) -> tuple[int, datetime] | None:
    row = (await conn.execute(_VERSION, {"city": city})).first()
    return (row.version, row.published_at) if row is not None else None
