"""Whom an identity number means: blind indexes made of sealed identities, and people opened to be
filed.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from bureau_sync_svc.domain import wire
from bureau_sync_svc.domain.filing import Person
from bureau_sync_svc.store import copies
from shared.db import Connection
from shared.sealed import BlindIndex, RootKeyUnknown, SealBroken, Sealer

_INDEX_ROWS = 20_000
"""Of one transaction; an employer with more is indexed over several exchanges."""


@dataclass(frozen=True, slots=True)
class Keys:
    """What opens an identity, and what makes the index of its number."""

    sealer: Sealer
    index: BlindIndex


async def index_identities(conn: Connection, keys: Keys, employer_id: str) -> None:
    """Opens identities that are new since the last time, and keeps a blind index of each number.

    One whose root key is not here yet waits: a new root key may reach this process after the
    people that it wraps.
    """
    new = await copies.unindexed_identities(conn, employer_id, _INDEX_ROWS)
    indexed = []
    for employee_id, version, sealed in new:
        try:
            person = _person(keys.sealer.open(employer_id, employee_id, sealed))
        except RootKeyUnknown:
            continue
        except SealBroken:
            person = None
        index = keys.index.of(employer_id, person.id_no) if person else ""
        indexed.append((employee_id, version, index))
    await copies.add_indexes(conn, employer_id, indexed)


async def open_people(
    conn: Connection, keys: Keys, employer_id: str, employee_ids: Iterable[str]
) -> dict[str, Person]:
    """The people by employee id, for as long as a request is made; who cannot be opened is not in
    it.
    """
    people = {}
    sealed = await copies.sealed_identities(conn, employer_id, set(employee_ids))
    for employee_id, one in sealed.items():
        try:
            person = _person(keys.sealer.open(employer_id, employee_id, one))
        except SealBroken:
            continue
        if person is not None:
            people[employee_id] = person
    return people


async def named_in(
    conn: Connection, keys: Keys, employer_id: str, bodies: Iterable[bytes]
) -> dict[str, str]:
    """Our employee id for every identity number in these replies that is one of this employer's
    people.
    """
    numbers = set().union(*(wire.identity_numbers(body) for body in bodies))
    index_of = {number: keys.index.of(employer_id, number) for number in numbers}
    known = await copies.recognised(conn, employer_id, sorted(index_of.values()))
    return {number: known[index] for number, index in index_of.items() if index in known}


def _person(data: Mapping[str, str]) -> Person | None:
    id_no, name = data.get("id_no", "").upper(), data.get("name", "")
    return Person(id_no, name) if id_no and name else None
