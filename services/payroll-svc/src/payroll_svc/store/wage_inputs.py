"""Wage data of a month as departments handed them in."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

from sqlalchemy import RowMapping, select, text

from payroll_svc.domain.wage_inputs import WageInput
from payroll_svc.store.bulk import among, merge
from payroll_svc.tables import employees, wage_inputs
from shared.db import Connection

_INPUT = [
    column
    for column in wage_inputs.c
    if column.name not in ("employer_id", "department_id", "import_id")
]

_FORGET = text(
    """
    DELETE FROM wage_inputs w
     USING unnest(CAST(:ids AS text[]), CAST(:months AS text[]), CAST(:codes AS text[]))
           AS gone(employee_id, levy_period, code)
     WHERE w.employee_id = gone.employee_id AND w.levy_period = gone.levy_period
       AND w.code = gone.code
    """
)


@dataclass(frozen=True, slots=True)
class StoredInput:
    """An item with the department that it counts for and the import that it came by."""

    item: WageInput
    department_id: str
    import_id: str


async def inputs_of_period(
    conn: Connection, employer_id: str, levy_period: str
) -> dict[str, tuple[WageInput, ...]]:
    """What a payroll run of the period computes with, by employee id, in the order of codes."""
    wanted = (
        select(*_INPUT, employees.c.employee_no)
        .join(employees, employees.c.employee_id == wage_inputs.c.employee_id)
        .where(wage_inputs.c.employer_id == employer_id, wage_inputs.c.levy_period == levy_period)
        .order_by(wage_inputs.c.employee_id, wage_inputs.c.code)
    )
    found: dict[str, list[WageInput]] = defaultdict(list)
    for row in (await conn.execute(wanted)).mappings():
        found[row["employee_id"]].append(WageInput(**row))
    return {employee_id: tuple(items) for employee_id, items in found.items()}


async def stored_inputs(
    conn: Connection, employee_ids: Iterable[str], levy_periods: Iterable[str]
) -> dict[str, StoredInput]:
    """What is stored of these employees' months, by key."""
    wanted = (
        select(wage_inputs, employees.c.employee_no)
        .join(employees, employees.c.employee_id == wage_inputs.c.employee_id)
        .where(
            among(wage_inputs.c.employee_id, employee_ids),
            among(wage_inputs.c.levy_period, levy_periods),
        )
    )
    stored = [_stored(row) for row in (await conn.execute(wanted)).mappings()]
    return {one.item.key: one for one in stored}


def _stored(row: RowMapping) -> StoredInput:
    own = {name: row[name] for name in WageInput.__slots__}
    return StoredInput(WageInput(**own), row["department_id"], row["import_id"])


async def save_inputs(conn: Connection, employer_id: str, changed: Sequence[StoredInput]) -> None:
    """Writes these items as given."""
    names = [column.name for column in _INPUT]
    await merge(
        conn,
        wage_inputs,
        [
            {
                "employer_id": employer_id,
                "department_id": one.department_id,
                "import_id": one.import_id,
                **{name: getattr(one.item, name) for name in names},
            }
            for one in changed
        ],
    )


async def forget_inputs(conn: Connection, keys: Collection[str]) -> None:
    """Deletes the items with these keys."""
    parts = [key.split("/", 2) for key in keys]
    columns = {
        name: [one[at] for one in parts] for at, name in enumerate(("ids", "months", "codes"))
    }
    await conn.execute(_FORGET, columns)
