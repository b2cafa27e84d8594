"""What the payslips of each month were last told to say."""

from collections.abc import Sequence
from dataclasses import asdict

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert

from notify_svc import tables
from notify_svc.domain.payslips import Payslip
from notify_svc.store.arrays import among
from shared.db import Connection


async def known(conn: Connection, payslips: Sequence[Payslip]) -> dict[tuple[str, str], Payslip]:
    """By (employee id, levy period) what is known of these months; locked until the end."""
    table = tables.payslips
    wanted = select(table).where(
        among(table.c.employee_id, {slip.employee_id for slip in payslips}),
        among(table.c.levy_period, {slip.levy_period for slip in payslips}),
    )
    ordered = wanted.order_by(table.c.employee_id, table.c.levy_period).with_for_update()
    rows = (await conn.execute(ordered)).mappings()
    return {(row["employee_id"], row["levy_period"]): Payslip(**row) for row in rows}


async def save(conn: Connection, payslips: Sequence[Payslip]) -> None:
    """Keeps the newest version of each."""
    statement = insert(tables.payslips)
    names = ("version", "gross_fen", "tax_fen", "net_fen")
    statement = statement.on_conflict_do_update(
        index_elements=["employee_id", "levy_period"],
        set_={name: statement.excluded[name] for name in names},
        where=tables.payslips.c.version < statement.excluded.version,
    )
    rows = [{k: v for k, v in asdict(slip).items() if k != "cause_event"} for slip in payslips]
    await conn.execute(statement, rows)
