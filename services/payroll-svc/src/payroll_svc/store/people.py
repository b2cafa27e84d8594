"""Employees, their spells and their sealed identities."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from itertools import groupby
from typing import Any

from sqlalchemy import Row, RowMapping, Select, delete, select

from payroll_svc.domain.people import Person, SealedIdentity, Spell
from payroll_svc.store.bulk import among, merge
from payroll_svc.tables import employees, identities, spells
from shared.db import Connection
from shared.refusal import NotFound

_PERSON = [column for column in employees.c if column.name != "employer_id"]
_SPELL = (
    spells.c.employee_id,
    spells.c.since,
    spells.c.until,
    spells.c.department_id,
    spells.c.city,
    spells.c.account_id,
)


async def people(conn: Connection, employer_id: str) -> list[Person]:
    """Everyone the employer ever had, by employee number."""
    wanted = select(*_PERSON).where(employees.c.employer_id == employer_id)
    theirs = select(*_SPELL).where(spells.c.employer_id == employer_id)
    return await _people(conn, wanted.order_by(employees.c.employee_no), theirs)


async def people_by_id(conn: Connection, employee_ids: Iterable[str]) -> dict[str, Person]:
    """Those of the employees that exist, by id."""
    ids = list(employee_ids)
    wanted = select(*_PERSON).where(among(employees.c.employee_id, ids))
    theirs = select(*_SPELL).where(among(spells.c.employee_id, ids))
    return {person.employee_id: person for person in await _people(conn, wanted, theirs)}


async def people_page(
    conn: Connection, employer_id: str, after_no: str | None, limit: int
) -> list[Person]:
    """One page by employee number, from the one after `after_no` on."""
    wanted = select(*_PERSON).where(employees.c.employer_id == employer_id)
    if after_no is not None:
        wanted = wanted.where(employees.c.employee_no > after_no)
    wanted = wanted.order_by(employees.c.employee_no).limit(limit)
    ids = wanted.with_only_columns(employees.c.employee_id).subquery()
    theirs = select(*_SPELL).where(spells.c.employee_id.in_(select(ids.c.employee_id)))
    return await _people(conn, wanted, theirs)


async def person(conn: Connection, employee_id: str) -> tuple[str, Person]:
    """(employer id, employee); NotFound if there is none or it is another's."""
    found = await people_by_id(conn, [employee_id])
    if not found:
        raise NotFound(f"There is no employee {employee_id} that you may see.")
    wanted = select(employees.c.employer_id).where(employees.c.employee_id == employee_id)
    return (await conn.execute(wanted)).scalar_one(), found[employee_id]


async def _people(
    conn: Connection, wanted: Select[tuple[object, ...]], theirs: Select[tuple[object, ...]]
) -> list[Person]:
    rows = (await conn.execute(wanted)).mappings().all()
    ordered = theirs.order_by(spells.c.employee_id, spells.c.since)
    by_person = {
        employee_id: tuple(_spell(row) for row in group)
        for employee_id, group in groupby(
            (await conn.execute(ordered)).mappings(), key=lambda row: row["employee_id"]
        )
    }
    return [
        Person(
            **{**row, "documents_missing": tuple(row["documents_missing"])},
            spells=by_person.get(row["employee_id"], ()),
        )
        for row in rows
    ]


def _spell(row: RowMapping) -> Spell:
    return Spell(**{name: value for name, value in row.items() if name != "employee_id"})


async def employee_ids_by_number(conn: Connection, employer_id: str) -> dict[str, str]:
    """Employee ids by employee number."""
    wanted = select(employees.c.employee_no, employees.c.employee_id).where(
        employees.c.employer_id == employer_id
    )
    return {row.employee_no: row.employee_id for row in await conn.execute(wanted)}


async def save_people(conn: Connection, employer_id: str, changed: Sequence[Person]) -> None:
    """Writes employees as given, with exactly these spells."""
    own = {"employer_id": employer_id}
    rows = []
    for one in changed:
        row = asdict(one)
        row.pop("spells")
        rows.append({**own, **row, "documents_missing": list(one.documents_missing)})
    await merge(conn, employees, rows)
    ids = [one.employee_id for one in changed]
    await conn.execute(delete(spells).where(among(spells.c.employee_id, ids)))
    await merge(
        conn,
        spells,
        [
            {**own, "employee_id": one.employee_id, **asdict(spell)}
            for one in changed
            for spell in one.spells
        ],
    )


async def identities_by_id(
    conn: Connection, employee_ids: Iterable[str]
) -> dict[str, tuple[SealedIdentity, int]]:
    """(sealed identity, version) of those employees that have one."""
    wanted = select(identities).where(among(identities.c.employee_id, employee_ids))
    rows = await conn.execute(wanted)
    return {row.employee_id: (sealed_identity(row), row.version) for row in rows}


def sealed_identity(row: Row[Any]) -> SealedIdentity:
    """What a row of `identities` holds."""
    names = SealedIdentity.__slots__
    return SealedIdentity(*(getattr(row, name) for name in names))


async def holders(conn: Connection, employer_id: str, id_indexes: Iterable[str]) -> dict[str, str]:
    """Who has which identity number, both as keyed hashes and ids."""
    wanted = select(identities.c.id_index, identities.c.employee_id).where(
        identities.c.employer_id == employer_id, among(identities.c.id_index, id_indexes)
    )
    return {row.id_index: row.employee_id for row in await conn.execute(wanted)}


async def save_identities(
    conn: Connection, employer_id: str, changed: Mapping[str, tuple[SealedIdentity, int]]
) -> None:
    """Writes sealed identities by employee id, each with its version."""
    await merge(
        conn,
        identities,
        [
            {
                "employee_id": employee_id,
                "employer_id": employer_id,
                **asdict(identity),
                "version": version,
            }
            for employee_id, (identity, version) in changed.items()
        ],
    )
