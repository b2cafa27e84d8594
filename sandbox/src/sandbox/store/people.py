"""The issuer's keys, people and grants, and the mails that the sink took."""

from datetime import datetime
from typing import Any

from sqlalchemy import Row, delete, select, update
from sqlalchemy.dialects.postgresql import insert

from sandbox.tables import grants, issuer_keys, mails, people
from shared.db import Connection


async def keys(conn: Connection) -> list[dict[str, Any]]:
    """The private keys as JWK, newest first: the first signs, all are published."""
    statement = select(issuer_keys.c.private_jwk).order_by(issuer_keys.c.made_at.desc())
    return list((await conn.execute(statement)).scalars())


async def add_key(conn: Connection, kid: str, private_jwk: dict[str, Any], at: datetime) -> None:
    row = {"kid": kid, "private_jwk": private_jwk, "made_at": at}
    await conn.execute(insert(issuer_keys).values(row))


async def put_person(conn: Connection, person: dict[str, Any]) -> None:
    """Adds or replaces; grants that were given before keep their roles until they are refreshed."""
    statement = insert(people).values(person)
    newer = {name: statement.excluded[name] for name in person if name != "sub"}
    await conn.execute(statement.on_conflict_do_update(index_elements=["sub"], set_=newer))


async def person(conn: Connection, sub: str) -> Row[Any] | None:
    return (await conn.execute(select(people).where(people.c.sub == sub))).one_or_none()


async def add_grant(conn: Connection, grant: dict[str, Any]) -> None:
    await conn.execute(insert(grants).values(grant))


async def use_grant(
    conn: Connection, grant_hash: str, kind: str, at: datetime
) -> tuple[Row[Any] | None, bool]:
    """The grant, marked as used, and whether this is its first use in time.

    A code or refresh token that comes a second time was stolen or leaked: its whole family is
    deleted (RFC 9700 section 4.14), and the caller commits that before it refuses.
    """
    statement = select(grants).where(grants.c.grant_hash == grant_hash, grants.c.kind == kind)
    row = (await conn.execute(statement.with_for_update())).one_or_none()
    if row is None:
        return None, False
    if row.used_at is not None:
        await conn.execute(delete(grants).where(grants.c.family == row.family))
        return row, False
    await conn.execute(update(grants).where(grants.c.grant_hash == grant_hash).values(used_at=at))
    return row, bool(row.expires_at > at)


async def forget_expired(conn: Connection, at: datetime) -> None:
    await conn.execute(delete(grants).where(grants.c.expires_at < at))


async def add_mail(conn: Connection, mail: dict[str, Any]) -> None:
    await conn.execute(insert(mails).values(mail))


async def mails_after(
    conn: Connection, after: int, recipient: str | None, limit: int
) -> list[Row[Any]]:
    """One page in the order of arrival, without the raw messages."""
    columns = [column for column in mails.c if column.name != "raw"]
    statement = select(*columns).where(mails.c.mail_id > after)
    if recipient is not None:
        statement = statement.where(mails.c.recipients.contains([recipient]))
    return list(await conn.execute(statement.order_by(mails.c.mail_id).limit(limit)))
