"""Wage data of a month: what its payroll run computes with."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from payroll_svc.domain.faults import Fault
from payroll_svc.domain.imports import Effect, Import, Upload, missing_person
from payroll_svc.domain.pay_items import Entry
from payroll_svc.domain.wage_inputs import (
    PIECE,
    WageInput,
    entry_of,
    fixed_words,
    input_faults,
    with_state,
)
from payroll_svc.store import approvals as approvals_store
from payroll_svc.store import people as people_store
from payroll_svc.store import staged as staged_store
from payroll_svc.store import wage_inputs as inputs_store
from payroll_svc.store.wage_inputs import StoredInput
from payroll_svc.usecases.entered import keep_entries
from payroll_svc.usecases.imports.kind import Kind, States
from payroll_svc.usecases.people import departments_in, departments_of
from shared.db import Connection


async def _known(conn: Connection, rows: Sequence[WageInput]) -> dict[str, StoredInput]:
    return await inputs_store.stored_inputs(
        conn, {row.employee_id for row in rows}, {row.levy_period for row in rows}
    )


async def _faults(conn: Connection, upload: Upload, rows: Sequence[WageInput]) -> list[Fault]:
    ids, periods = {row.employee_id for row in rows}, {row.levy_period for row in rows}
    departments = await departments_of(conn, ids, periods)
    known = {key: one.item for key, one in (await _known(conn, rows)).items()}
    checked = await approvals_store.checked_periods(conn, upload.employer_id)
    return input_faults(rows, departments, known, upload.corrects, checked)


async def _effects(conn: Connection, upload: Upload, rows: Sequence[WageInput]) -> list[Effect]:
    """Missing is who is employed in a department of the file and not named by it."""
    people = await people_store.people(conn, upload.employer_id)
    departments = departments_in(people, {row.levy_period for row in rows})
    known = await _known(conn, rows)
    effects = [
        Effect(
            row=row.row,
            employee_id=row.employee_id,
            employee_no=row.employee_no,
            what=f"{row.levy_period} {row.words}",
            key=row.key,
            before=known[row.key].item.state if row.key in known else None,
            after=row.state,
            hidden_before=_hidden(known[row.key]) if row.key in known else None,
            hidden_after={
                "department_id": departments[row.employee_id, row.levy_period],
                "import_id": upload.import_id,
                "row": row.row,
            },
        )
        for row in rows
    ]
    named = {(row.employee_id, row.levy_period) for row in rows}
    covered = {(departments[one], one[1]) for one in named}
    numbers = {person.employee_id: person.employee_no for person in people}
    missing = [
        missing_person(employee_id, numbers[employee_id])
        for (employee_id, period), department_id in sorted(departments.items())
        if (employee_id, period) not in named and (department_id, period) in covered
    ]
    return [*effects, *missing]


def _hidden(stored: StoredInput) -> dict[str, Any] | None:
    """None where no import brought it."""
    if stored.import_id is None:
        return None
    return {
        "department_id": stored.department_id,
        "import_id": stored.import_id,
        "row": stored.item.row,
    }


def _input(effect: Effect) -> WageInput:
    """The item that the effect is on, without a value yet."""
    employee_id, levy_period, code = effect.key.split("/", 2)
    return WageInput(effect.row, employee_id, effect.employee_no, levy_period, code, PIECE)


async def _states(conn: Connection, effects: Sequence[Effect]) -> States:
    known = await _known(conn, [_input(effect) for effect in effects])
    return {key: one.item.state for key, one in known.items()}


async def _write(
    conn: Connection, upload: Upload, effects: Sequence[Effect], _reason: str, at: datetime
) -> None:
    """As entries of their months."""
    given: dict[str, list[tuple[str, Entry]]] = {}
    for effect in effects:
        one = _input(effect)
        if effect.after is not None:
            one = with_state(one, effect.after, effect.row)
        given.setdefault(one.levy_period, []).append((one.employee_id, entry_of(one)))
    for levy_period, entries in given.items():
        await keep_entries(conn, upload.employer_id, levy_period, entries, upload.import_id, at)
    changed = [
        StoredInput(
            with_state(_input(effect), {**effect.after}, effect.hidden_after["row"]),
            effect.hidden_after["department_id"],
            effect.hidden_after["import_id"],
        )
        for effect in effects
        if effect.after is not None and effect.hidden_after is not None
    ]
    await inputs_store.save_inputs(conn, upload.employer_id, changed)
    gone = [effect.key for effect in effects if effect.hidden_after is None]
    await inputs_store.forget_inputs(conn, gone)


async def _fixed(conn: Connection, done: Import, effects: Sequence[Effect]) -> list[str]:
    periods = {effect.key.split("/", 2)[1] for effect in effects}
    checked = await approvals_store.checked_periods(conn, done.upload.employer_id)
    return [fixed_words(period) for period in sorted(periods & set(checked))]


KIND = Kind(
    staged=staged_store.staged_inputs,
    contents=staged_store.input_contents,
    row_of=lambda row: int(row.row),
    faults=_faults,
    effects=_effects,
    states=_states,
    write=_write,
    fixed=_fixed,
)
