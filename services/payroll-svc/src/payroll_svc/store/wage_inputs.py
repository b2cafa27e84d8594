"""Wage data of a month as departments handed them in."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

from sqlalchemy import RowMapping, select, text

from payroll_svc.domain.wage_inputs import FEN, WageInput, unit_of
from payroll_svc.store.bulk import among, merge
from payroll_svc.tables import employees, entries, pay_items, wage_inputs
from shared.db import Connection

INPUTS = (
    select(
        entries.c.employee_id,
        entries.c.levy_period,
        entries.c.code,
        entries.c.amount_fen,
        entries.c.quantity_thousandths,
        entries.c.unit_price_fen_hundredths,
        wage_inputs.c.unit,
        wage_inputs.c.row,
        wage_inputs.c.department_id,
        wage_inputs.c.import_id,
        employees.c.employee_no,
        pay_items.c.name,
        pay_items.c.way,
    )
    .join(employees, employees.c.employee_id == entries.c.employee_id)
    .outerjoin(
        pay_items,
        (pay_items.c.employer_id == entries.c.employer_id) & (pay_items.c.code == entries.c.code),
    )
    .outerjoin(
        wage_inputs,
        (wage_inputs.c.employee_id == entries.c.employee_id)
        & (wage_inputs.c.levy_period == entries.c.levy_period)
        & (wage_inputs.c.code == entries.c.code),
    )
    .where(
        wage_inputs.c.unit.is_not(None)
        | (entries.c.amount_fen != 0)
        | (entries.c.quantity_thousandths != 0)
    )
)
"""Entries of months, each with the import that it came by: none where HR entered it; and with the
name and way of an item of the employer's own.
"""

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
    """An item with the department that it counts for and the import that it came by; both None
    where HR entered it.
    """

    item: WageInput
    department_id: str | None
    import_id: str | None


async def stored_inputs(
    conn: Connection, employee_ids: Iterable[str], levy_periods: Iterable[str]
) -> dict[str, StoredInput]:
    """What is stored of these employees' months, by key."""
    wanted = INPUTS.where(
        among(entries.c.employee_id, employee_ids), among(entries.c.levy_period, levy_periods)
    )
    rows = (await conn.execute(wanted)).mappings()
    stored = [StoredInput(input_of(row), row["department_id"], row["import_id"]) for row in rows]
    return {one.item.key: one for one in stored}


def input_of(row: RowMapping) -> WageInput:
    """One row of INPUTS."""
    unit = row["unit"] or unit_of(row["code"], row["amount_fen"], row["way"])
    return WageInput(
        row=row["row"] or 0,
        employee_id=row["employee_id"],
        employee_no=row["employee_no"],
        levy_period=row["levy_period"],
        code=row["code"],
        unit=unit,
        amount_fen=row["amount_fen"] if unit == FEN else None,
        quantity_thousandths=None if unit == FEN else row["quantity_thousandths"],
        unit_price_fen_hundredths=row["unit_price_fen_hundredths"],
        name=row["name"] or "",
    )


async def save_inputs(conn: Connection, employer_id: str, changed: Sequence[StoredInput]) -> None:
    """Writes where these items, whose values are entries, came from."""
    await merge(
        conn,
        wage_inputs,
        [
            {
                "employee_id": one.item.employee_id,
                "levy_period": one.item.levy_period,
                "code": one.item.code,
                "unit": one.item.unit,
                "employer_id": employer_id,
                "department_id": one.department_id,
                "import_id": one.import_id,
                "row": one.item.row,
            }
            for one in changed
        ],
    )


async def forget_inputs(conn: Connection, keys: Collection[str]) -> None:
    """These items were handed in by no import."""
    parts = [key.split("/", 2) for key in keys]
    columns = {
        name: [one[at] for one in parts] for at, name in enumerate(("ids", "months", "codes"))
    }
    await conn.execute(_FORGET, columns)
