"""A roster: people, their spells and their sealed identities."""

import asyncio
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from datetime import date, datetime
from typing import Any

from payroll_svc.domain.faults import Fault
from payroll_svc.domain.imports import CHANGED, Effect, Import, Upload, missing_person
from payroll_svc.domain.people import (
    Person,
    RosterRow,
    SealedIdentity,
    Spell,
    StagedPerson,
    after_row,
    roster_faults,
)
from payroll_svc.store import approvals as approvals_store
from payroll_svc.store import employers as employers_store
from payroll_svc.store import erasures as erasures_store
from payroll_svc.store import people as people_store
from payroll_svc.store import runs as runs_store
from payroll_svc.store import staged as staged_store
from payroll_svc.usecases.facts import employee_changed, employee_sealed
from payroll_svc.usecases.identities import Keys
from payroll_svc.usecases.imports.kind import Kind, States
from shared import outbox
from shared.db import Connection
from shared.sealed import BlindIndex, Sealer

_Known = dict[str, tuple[SealedIdentity, int]]


async def sealed(
    conn: Connection, keys: Keys, upload: Upload, rows: Sequence[RosterRow]
) -> list[StagedPerson]:
    """The rows with what is personal in them sealed."""
    # Held while keys are read and used: none is wrapped by a root key that a rotation, which
    # queues here too, has just gone through.
    await employers_store.employer(conn, upload.employer_id, lock=True)
    known = await people_store.identities_by_id(conn, [row.employee_id for row in rows])
    # Ten thousand seals take a good fraction of a second: not on the event loop.
    return await asyncio.to_thread(_sealed, keys, upload.employer_id, rows, known)


def _sealed(
    keys: Keys, employer_id: str, rows: Sequence[RosterRow], known: _Known
) -> list[StagedPerson]:
    sealer, index = keys.sealer(), keys.index()
    return [_seal(sealer, index, employer_id, row, known) for row in rows]


def _seal(
    sealer: Sealer, index: BlindIndex, employer_id: str, row: RosterRow, known: _Known
) -> StagedPerson:
    """With the person's own key where there is one: destroying it destroys all their data."""
    data = dict(row.identity)
    before = known.get(row.employee_id)
    wrapped_key, root_key_id = (
        (before[0].wrapped_key, before[0].root_key_id) if before else ("", "")
    )
    made = sealer.seal(employer_id, row.employee_id, data, wrapped_key, root_key_id)
    whole = json.dumps(data, ensure_ascii=False, sort_keys=True)
    identity = SealedIdentity(
        id_index=index.of(employer_id, row.id_no),
        content_mark=index.of(employer_id, whole),
        sealed=made.sealed,
        wrapped_key=made.wrapped_key,
        root_key_id=made.root_key_id,
    )
    return StagedPerson(replace(row, identity=()), identity)


async def _faults(conn: Connection, upload: Upload, people: Sequence[StagedPerson]) -> list[Fault]:
    ids = [person.row.employee_id for person in people]
    known = await people_store.people_by_id(conn, ids)
    gone = await erasures_store.erased(conn, ids)
    indexes = [person.identity.id_index for person in people]
    holders = await people_store.holders(conn, upload.employer_id, indexes)
    return roster_faults(people, known, holders, gone)


async def _effects(
    conn: Connection, upload: Upload, people: Sequence[StagedPerson]
) -> list[Effect]:
    everyone = {one.employee_id: one for one in await people_store.people(conn, upload.employer_id)}
    named = {person.row.employee_id for person in people}
    identities = await people_store.identities_by_id(conn, named)
    effects = [
        _effect(everyone.get(p.row.employee_id), identities.get(p.row.employee_id), p)
        for p in people
    ]
    missing = [
        missing_person(one.employee_id, one.employee_no)
        for one in everyone.values()
        if one.employee_id not in named and any(spell.until is None for spell in one.spells)
    ]
    return [*effects, *missing]


async def notes_of(conn: Connection, upload: Upload, effects: Sequence[Effect]) -> tuple[str, ...]:
    """That a changed wage makes nothing good, where anything is paid that it could."""
    raised = sum(
        effect.change == CHANGED and "agreed_wage_fen" in effect.differences() for effect in effects
    )
    if not raised or await runs_store.last_paid_period(conn, upload.employer_id) is None:
        return ()
    return (
        f"{raised} 人的约定月工资有变：花名册的工资没有起始日，只用于还没有发薪的月份；"
        "已发薪的月份要补差的，请录入带起始日的固定工资项（基本工资）",
    )


def _effect(
    before: Person | None, identity: tuple[SealedIdentity, int] | None, staged: StagedPerson
) -> Effect:
    row = staged.row
    known = identity[0] if identity else None
    return Effect(
        row=row.row,
        employee_id=row.employee_id,
        employee_no=row.employee_no,
        what="",
        key=row.employee_id,
        before=_state(before, known) if before is not None and before.spells else None,
        after=_state(after_row(before, row), staged.identity),
        hidden_before=_hidden(known) if known is not None else None,
        hidden_after=asdict(staged.identity),
    )


def _state(person: Person, identity: SealedIdentity | None) -> dict[str, Any]:
    """A person as JSON without a version; of the identity the mark of all its content."""
    state = asdict(person)
    del state["version"], state["employee_id"]
    state["documents_missing"] = list(person.documents_missing)
    state["spells"] = [
        {
            **asdict(spell),
            "since": spell.since.isoformat(),
            "until": spell.until.isoformat() if spell.until else None,
        }
        for spell in person.spells
    ]
    return {**state, "identity": identity.content_mark if identity is not None else ""}


def _hidden(identity: SealedIdentity) -> dict[str, str]:
    """Without the key: that is the person's, in `identities`, until it is destroyed."""
    return {
        "id_index": identity.id_index,
        "content_mark": identity.content_mark,
        "sealed": identity.sealed,
    }


async def _states(conn: Connection, effects: Sequence[Effect]) -> States:
    ids = [effect.employee_id for effect in effects]
    people = await people_store.people_by_id(conn, ids)
    identities = await people_store.identities_by_id(conn, ids)
    return {
        name: _state(person, identities[name][0] if name in identities else None)
        for name, person in people.items()
    }


async def _write(
    conn: Connection, upload: Upload, effects: Sequence[Effect], _reason: str, at: datetime
) -> None:
    employer_id = upload.employer_id
    before = await people_store.people_by_id(conn, [effect.employee_id for effect in effects])
    wanted = [_person(effect, before.get(effect.employee_id)) for effect in effects]
    changed = [one for one in wanted if one != before.get(one.employee_id)]
    changed = [replace(one, version=one.version + 1) for one in changed]
    await people_store.save_people(conn, employer_id, changed)
    await outbox.add(conn, [employee_changed(employer_id, one) for one in changed], at)
    await _write_identities(conn, employer_id, effects, at)


def _person(effect: Effect, known: Person | None) -> Person:
    """The person as the effect leaves them, under the version that is known.

    Who came by an import that is undone stays without a spell: what was told of them stays true.
    """
    if effect.after is None:
        assert known is not None
        return replace(known, spells=(), sub="")
    state = {name: value for name, value in effect.after.items() if name != "identity"}
    return Person(
        **{
            **state,
            "employee_id": effect.employee_id,
            "documents_missing": tuple(state["documents_missing"]),
            "spells": tuple(_spell(spell) for spell in state["spells"]),
            "version": known.version if known else 0,
        }
    )


def _spell(state: Mapping[str, Any]) -> Spell:
    until = date.fromisoformat(state["until"]) if state["until"] else None
    return Spell(**{**state, "since": date.fromisoformat(state["since"]), "until": until})


async def _write_identities(
    conn: Connection, employer_id: str, effects: Sequence[Effect], at: datetime
) -> None:
    """Only where what is sealed has changed: a ciphertext alone is different every time."""
    known = await people_store.identities_by_id(conn, [effect.employee_id for effect in effects])
    changed: _Known = {}
    freed: _Known = {}
    for effect in effects:
        before, version = known.get(effect.employee_id, (None, 0))
        hidden = effect.hidden_after
        if hidden is None:
            # Undone: the number is free for whoever it belongs to, and the next import seals anew.
            assert before is not None
            nobodys = replace(before, id_index=f"undone/{effect.employee_id}", content_mark="")
            freed[effect.employee_id] = (nobodys, version)
        elif before is None:
            changed[effect.employee_id] = (SealedIdentity(**hidden), version + 1)
        elif before.content_mark != hidden["content_mark"]:
            keyless = {name: hidden[name] for name in ("id_index", "content_mark", "sealed")}
            changed[effect.employee_id] = (replace(before, **keyless), version + 1)
    await people_store.save_identities(conn, employer_id, changed | freed)
    events = [
        employee_sealed(employer_id, employee_id, identity, version)
        for employee_id, (identity, version) in changed.items()
    ]
    await outbox.add(conn, events, at)


async def _fixed(conn: Connection, done: Import, effects: Sequence[Effect]) -> list[str]:
    assert done.applied_at is not None
    ids = [effect.employee_id for effect in effects]
    periods = await approvals_store.approved_with(conn, ids, done.applied_at)
    reasons = [f"{period} 的工资核算已用到这些人员并审批" for period in periods]
    back = {
        effect.hidden_after["id_index"]: effect.employee_id
        for effect in effects
        if effect.hidden_after is not None
    }
    holders = await people_store.holders(conn, done.upload.employer_id, back)
    if any(holder != back[index] and holder not in ids for index, holder in holders.items()):
        reasons.append("有人原来的证件号码现已登记在另一名员工名下")
    return reasons


KIND = Kind(
    staged=staged_store.staged_people,
    contents=lambda people: [staged_store.person_content(person) for person in people],
    row_of=lambda person: int(person.row.row),
    faults=_faults,
    effects=_effects,
    states=_states,
    write=_write,
    fixed=_fixed,
)
