"""Wages of past months: what bases rest on."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from payroll_svc.domain.faults import Fault
from payroll_svc.domain.imports import Effect, Import, Upload, missing_person
from payroll_svc.domain.wages import MonthWage, WageItem, WageRow, by_month, wage_faults
from payroll_svc.store import approvals as approvals_store
from payroll_svc.store import people as people_store
from payroll_svc.store import staged as staged_store
from payroll_svc.store import wages as wages_store
from payroll_svc.usecases.facts import past_salary
from payroll_svc.usecases.imports.kind import Kind, States
from shared import outbox
from shared.db import Connection

_TOLD_AT_ONCE = 5_000
"""Events of one statement: a wages file of 10,000 people makes 120,000 of them."""

_Months = dict[tuple[str, str], MonthWage]


async def _faults(conn: Connection, upload: Upload, rows: Sequence[WageRow]) -> list[Fault]:
    if upload.corrects:
        return []
    return wage_faults(rows, await _known(conn, rows))


async def _known(conn: Connection, rows: Sequence[WageRow]) -> _Months:
    """Months that were undone have no items, and count as none."""
    months = await wages_store.month_wages(
        conn, {row.employee_id for row in rows}, {row.wage_month for row in rows}
    )
    return {key: month for key, month in months.items() if month.items}


async def _effects(conn: Connection, upload: Upload, rows: Sequence[WageRow]) -> list[Effect]:
    known = await _known(conn, rows)
    first = {(row.employee_id, row.wage_month): row for row in reversed(rows)}
    effects = []
    for month in by_month(rows):
        row = first[month.employee_id, month.wage_month]
        before = known.get((month.employee_id, month.wage_month))
        effects.append(
            Effect(
                row=row.row,
                employee_id=month.employee_id,
                employee_no=row.employee_no,
                what=month.wage_month,
                key=_key(month),
                before=_state(before) if before is not None else None,
                after=_state(month),
            )
        )
    named = {row.employee_id for row in rows}
    people = await people_store.people(conn, upload.employer_id)
    missing = [
        missing_person(one.employee_id, one.employee_no)
        for one in people
        if one.employee_id not in named and any(spell.until is None for spell in one.spells)
    ]
    return [*effects, *missing]


def _key(month: MonthWage) -> str:
    return f"{month.employee_id}/{month.wage_month}"


def _state(month: MonthWage) -> dict[str, Any]:
    return {"items": [[one.code, one.amount_fen, one.counts_as_wage] for one in month.items]}


async def _stored(conn: Connection, effects: Sequence[Effect]) -> dict[str, MonthWage]:
    months = await wages_store.month_wages(
        conn, {effect.employee_id for effect in effects}, {effect.what for effect in effects}
    )
    return {_key(month): month for month in months.values()}


async def _states(conn: Connection, effects: Sequence[Effect]) -> States:
    return {key: _state(month) for key, month in (await _stored(conn, effects)).items()}


async def _write(
    conn: Connection, upload: Upload, effects: Sequence[Effect], _reason: str, at: datetime
) -> None:
    """A month that an undone import had brought is told once more, without items."""
    known = await _stored(conn, effects)
    changed = [
        MonthWage(
            effect.employee_id,
            effect.what,
            tuple(WageItem(*item) for item in (effect.after or {"items": []})["items"]),
            known[effect.key].version + 1 if effect.key in known else 1,
        )
        for effect in effects
    ]
    await wages_store.save_month_wages(conn, upload.employer_id, changed)
    for start in range(0, len(changed), _TOLD_AT_ONCE):
        told = changed[start : start + _TOLD_AT_ONCE]
        await outbox.add(conn, [past_salary(upload.employer_id, month) for month in told], at)


async def _fixed(conn: Connection, done: Import, effects: Sequence[Effect]) -> list[str]:
    """A run that was approved since may have withheld by bases that rest on these wages."""
    assert done.applied_at is not None
    ids = {effect.employee_id for effect in effects}
    periods = await approvals_store.approved_with(conn, ids, done.applied_at)
    return [f"{period} 的工资核算已按这些工资形成的基数审批" for period in periods]


KIND = Kind(
    staged=staged_store.staged_wages,
    contents=staged_store.wage_contents,
    row_of=lambda row: int(row.row),
    faults=_faults,
    effects=_effects,
    states=_states,
    write=_write,
    fixed=_fixed,
)
