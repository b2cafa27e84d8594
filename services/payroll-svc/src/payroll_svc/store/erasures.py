"""Erasures asked for and done, and the identities under older root keys."""

from collections.abc import Iterable, Sequence
from datetime import datetime

from sqlalchemy import delete, func, select, update
from sqlalchemy.dialects.postgresql import insert

from payroll_svc.domain.erasure import Erasure
from payroll_svc.domain.people import SealedIdentity
from payroll_svc.store.bulk import among
from payroll_svc.store.people import sealed_identity
from payroll_svc.tables import (
    erasures,
    identities,
    import_files,
    payroll_runs,
    run_members,
    staged_rows,
)
from shared.db import Connection


async def ask(conn: Connection, erasure: Erasure) -> Erasure:
    """Keeps the first demand for a person; returns the one that is kept."""
    names = Erasure.__slots__
    values = {name: getattr(erasure, name) for name in names}
    await conn.execute(insert(erasures).values(**values).on_conflict_do_nothing())
    wanted = select(*(erasures.c[name] for name in names))
    found = await conn.execute(wanted.where(erasures.c.employee_id == erasure.employee_id))
    return Erasure(*found.one())


async def first_due(conn: Connection) -> datetime | None:
    """Since when the longest waiting erasure waits."""
    waiting = select(func.min(erasures.c.asked_at)).where(erasures.c.erased_at.is_(None))
    at: datetime | None = (await conn.execute(waiting)).scalar()
    return at


async def to_do(conn: Connection) -> tuple[str, str] | None:
    """(employer id, employee id) of the erasure that waits longest."""
    wanted = select(erasures.c.employer_id, erasures.c.employee_id)
    wanted = wanted.where(erasures.c.erased_at.is_(None)).order_by(erasures.c.asked_at).limit(1)
    row = (await conn.execute(wanted)).first()
    return (row.employer_id, row.employee_id) if row is not None else None


async def mark_done(conn: Connection, employee_id: str, at: datetime) -> None:
    done = update(erasures).where(erasures.c.employee_id == employee_id).values(erased_at=at)
    await conn.execute(done)


async def erased(conn: Connection, employee_ids: Iterable[str]) -> set[str]:
    """Those of them whose identity is destroyed or about to be."""
    wanted = select(erasures.c.employee_id).where(among(erasures.c.employee_id, employee_ids))
    return set((await conn.execute(wanted)).scalars())


async def destroy_identity(conn: Connection, employee_id: str) -> int:
    """Deletes key, ciphertext and keyed hashes; the version that they had (0: there were none)."""
    gone = delete(identities).where(identities.c.employee_id == employee_id)
    version = (await conn.execute(gone.returning(identities.c.version))).scalar()
    return int(version or 0)


async def unpaid_periods(conn: Connection, employee_id: str) -> Sequence[str]:
    """Levy periods whose payroll run has the person in it and is not paid."""
    wanted = (
        select(payroll_runs.c.levy_period)
        .join(run_members, run_members.c.run_id == payroll_runs.c.run_id)
        .where(run_members.c.employee_id == employee_id, payroll_runs.c.state != "paid")
        .order_by(payroll_runs.c.levy_period)
    )
    return (await conn.execute(wanted)).scalars().all()


async def employers_under_older(conn: Connection, newest: str) -> list[str]:
    """Employers with a person, stored or staged, or a kept file whose key another root key
    wraps.
    """
    stored = select(identities.c.employer_id).where(identities.c.root_key_id != newest)
    wraps = staged_rows.c.content["identity"]["root_key_id"].astext
    staged = select(staged_rows.c.employer_id).where(wraps != newest)
    files = select(import_files.c.employer_id).where(import_files.c.root_key_id != newest)
    return sorted((await conn.execute(stored.union(staged, files))).scalars())


async def under_older(
    conn: Connection, employer_id: str, newest: str, after: str, limit: int
) -> dict[str, tuple[SealedIdentity, int]]:
    """(identity, version) by employee id, in its order from the one after `after` on; locked."""
    wanted = select(identities).where(
        identities.c.employer_id == employer_id,
        identities.c.root_key_id != newest,
        identities.c.employee_id > after,
    )
    wanted = wanted.order_by(identities.c.employee_id).limit(limit).with_for_update()
    rows = await conn.execute(wanted)
    return {row.employee_id: (sealed_identity(row), row.version) for row in rows}
