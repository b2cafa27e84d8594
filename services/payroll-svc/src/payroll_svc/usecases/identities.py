"""Sealed identities: names opened for HR, keys wrapped anew, a person's key destroyed."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from payroll_svc.domain.erasure import Erasure, kept_until
from payroll_svc.domain.people import Person, SealedIdentity
from payroll_svc.errors import IdentityStillNeeded
from payroll_svc.store import employers as employers_store
from payroll_svc.store import erasures as erasures_store
from payroll_svc.store import imports as imports_store
from payroll_svc.store import people as people_store
from payroll_svc.store import staged as staged_store
from payroll_svc.usecases.facts import employee_changed, employee_sealed
from shared import outbox
from shared.clock import china_day
from shared.contracts import EmployeeChanged, EmployeeSealed
from shared.db import Connection
from shared.logs import get_logger
from shared.sealed import BlindIndex, SealBroken, Sealed, Sealer
from shared.values import ERASED_WORD

REWRAP_ROWS = 500
"""Keys of one transaction: it holds the employer's row for some hundredths of a second."""

_log = get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Keys:
    """How to get at the keys, as their files are now."""

    sealer: Callable[[], Sealer]
    index: Callable[[], BlindIndex]


async def names_of(
    conn: Connection, sealer: Sealer, employer_id: str, people: Sequence[Person]
) -> dict[str, str]:
    """Names by employee id; 已删除 where the identity was destroyed, empty where none opens."""
    opened = await identities_of(conn, sealer, employer_id, people)
    return {employee_id: data.get("name", "") for employee_id, data in opened.items()}


async def names_by_number(conn: Connection, sealer: Sealer, employer_id: str) -> dict[str, str]:
    """Names by employee number, of those whose identity opens."""
    people = await people_store.people(conn, employer_id)
    opened = await identities_of(conn, sealer, employer_id, people)
    names = {one.employee_no: opened[one.employee_id].get("name", "") for one in people}
    return {number: name for number, name in names.items() if name not in ("", ERASED_WORD)}


async def identities_of(
    conn: Connection, sealer: Sealer, employer_id: str, people: Sequence[Person]
) -> dict[str, dict[str, str]]:
    """What is sealed of everyone, by employee id; the name 已删除 where it was destroyed, nothing
    where it does not open.
    """
    ids = [person.employee_id for person in people]
    erased = await erasures_store.erased(conn, ids)
    known = await people_store.identities_by_id(conn, ids)

    def opened(employee_id: str) -> dict[str, str]:
        if employee_id in erased:
            return {"name": ERASED_WORD}
        if employee_id not in known:
            return {}
        try:
            return sealer.open(employer_id, employee_id, _sealed(known[employee_id][0]))
        except SealBroken:
            return {}

    return await asyncio.to_thread(
        lambda: {employee_id: opened(employee_id) for employee_id in ids}
    )


async def sealed_with_own_key(
    conn: Connection, sealer: Sealer, employer_id: str, employee_id: str, data: Mapping[str, str]
) -> str:
    """Something of a person's under the key of their identity, so that it goes when that goes;
    empty where there is none any more.
    """
    known = await people_store.identities_by_id(conn, [employee_id])
    if employee_id not in known:
        return ""
    key = known[employee_id][0]
    return sealer.seal(employer_id, employee_id, data, key.wrapped_key, key.root_key_id).sealed


def opened_with(
    sealer: Sealer, employer_id: str, employee_id: str, key: SealedIdentity | None, sealed: str
) -> dict[str, str]:
    """What `sealed_with_own_key` sealed; empty where it does not open."""
    if key is None or not sealed:
        return {}
    try:
        return sealer.open(
            employer_id, employee_id, Sealed(sealed, key.wrapped_key, key.root_key_id)
        )
    except SealBroken:
        return {}


def _sealed(identity: SealedIdentity) -> Sealed:
    return Sealed(identity.sealed, identity.wrapped_key, identity.root_key_id)


@dataclass(frozen=True, slots=True)
class Rewrapped:
    """What one batch came to; the next one goes on after employee `last`."""

    done: int
    broken: int
    last: str


async def employers_to_rewrap(conn: Connection, sealer: Sealer) -> list[str]:
    """Employers of whom a person's key is wrapped by another root key than the newest."""
    return await erasures_store.employers_under_older(conn, sealer.newest)


async def rewrap(
    conn: Connection, sealer: Sealer, employer_id: str, after: str, at: datetime
) -> Rewrapped:
    """Has the newest root key wrap the keys of up to REWRAP_ROWS people, and tells them with a
    version that has grown; nothing told under an older root key stays in the outbox.

    A key that does not open is left as it is, logged and counted. Staged people and kept files
    come first.
    """
    await employers_store.employer(conn, employer_id, lock=True)
    newest = sealer.newest
    staged = await staged_store.staged_under_older(conn, employer_id, newest, REWRAP_ROWS)
    anew = [
        (name, ordinal, wrapped)
        for name, ordinal, one in staged
        if (wrapped := _rewrapped(sealer, employer_id, one.row.employee_id, one.identity))
    ]
    await staged_store.stage_anew(conn, anew)
    files = await imports_store.files_under_older(conn, employer_id, newest, REWRAP_ROWS)
    kept = [(name, one) for name, key in files if (one := _anew(sealer, employer_id, name, key))]
    for name, one in kept:
        await imports_store.rewrap_file(conn, employer_id, name, one)
    known = await erasures_store.under_older(conn, employer_id, newest, after, REWRAP_ROWS)
    changed = {
        employee_id: (wrapped, version + 1)
        for employee_id, (identity, version) in known.items()
        if (wrapped := _rewrapped(sealer, employer_id, employee_id, identity))
    }
    await people_store.save_identities(conn, employer_id, changed)
    await outbox.forget(conn, EmployeeSealed, list(changed))
    events = [employee_sealed(employer_id, one, *sealed) for one, sealed in changed.items()]
    await outbox.add(conn, events, at)
    left = len(staged) - len(anew) + len(files) - len(kept)
    broken = len(known) - len(changed) + (0 if after else left)
    return Rewrapped(len(anew) + len(kept) + len(changed), broken, max(known, default=after))


def _rewrapped(
    sealer: Sealer, employer_id: str, employee_id: str, identity: SealedIdentity
) -> SealedIdentity | None:
    wrapped = _anew(sealer, employer_id, employee_id, _sealed(identity))
    if wrapped is None:
        return None
    return replace(identity, wrapped_key=wrapped.wrapped_key, root_key_id=wrapped.root_key_id)


def _anew(sealer: Sealer, employer_id: str, name: str, sealed: Sealed) -> Sealed | None:
    """`name` is whose key it is: an employee's id, or a kept file's hash."""
    try:
        return sealer.rewrap(employer_id, name, sealed)
    except SealBroken as broken:
        _log.error("key_not_rewrapped", whose=name, reason=str(broken))
        return None


async def ask_erasure(
    conn: Connection, employee_id: str, reason: str, by: str, kept_months: int, at: datetime
) -> Erasure:
    """Has the person's identity destroyed soon; IdentityStillNeeded, with until when, if the law or
    an unpaid payroll run wants it kept. Asked again, the first demand is the answer.
    """
    employer_id, _ = await people_store.person(conn, employee_id)
    await employers_store.employer(conn, employer_id, lock=True)
    _, person = await people_store.person(conn, employee_id)
    until = kept_until(person, kept_months)
    who = f"Employee {person.employee_no}"
    if until is None:
        raise IdentityStillNeeded(f"{who} is employed; enter the last day of employment first.")
    if china_day(at) <= until:
        raise IdentityStillNeeded(
            f"{who} left on {person.left_on}: the identity is kept until {until} (PIPL art. 47)."
        )
    if unpaid := await erasures_store.unpaid_periods(conn, employee_id):
        raise IdentityStillNeeded(f"{who} is in the unpaid payroll run of {unpaid[0]}; pay first.")
    return await erasures_store.ask(conn, Erasure(employee_id, employer_id, reason, by, at))


async def erase_next(conn: Connection, at: datetime) -> bool:
    """Destroys the identity of whoever waits longest for it; False when nobody does.

    Key, ciphertext, keyed hashes, staged rows, kept files, sign-in name and everything that the
    outbox holds of it go; a tombstone tells the others. Amounts stay, under an id that names
    nobody.
    """
    waiting = await erasures_store.to_do(conn)
    if waiting is None:
        return False
    employer_id, employee_id = waiting
    await employers_store.employer(conn, employer_id, lock=True)
    version = await erasures_store.destroy_identity(conn, employee_id)
    await staged_store.forget_staged_person(conn, employer_id, employee_id)
    await imports_store.forget_effects_on(conn, employee_id)
    await imports_store.forget_files(conn, employer_id)
    await outbox.bury(conn, EmployeeSealed, employee_id, version + 1, at)
    known = (await people_store.people_by_id(conn, [employee_id])).get(employee_id)
    if known is not None and known.sub:
        person = replace(known, sub="", version=known.version + 1)
        await people_store.save_people(conn, employer_id, [person])
        await outbox.forget(conn, EmployeeChanged, [employee_id])
        await outbox.add(conn, [employee_changed(employer_id, person)], at)
    await erasures_store.mark_done(conn, employee_id, at)
    _log.info("identity_erased", employee_id=employee_id)
    return True
