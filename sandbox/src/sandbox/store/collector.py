"""A collector's declarations and lines, and its agreements with banks (三方协议)."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Row, func, select, update
from sqlalchemy.dialects.postgresql import insert

from sandbox.faults import Treatment
from sandbox.tables import agreements, declaration_lines, declarations
from sandbox.wire import Declaration
from shared.db import Connection


async def add(
    conn: Connection, party: str, declaration: Declaration, state: str, text: str, at: datetime
) -> bool:
    """Takes the serial; False when it was taken before."""
    statement = insert(declarations).values(
        party=party,
        serial=declaration.serial,
        account_no=declaration.account_no,
        month=declaration.month,
        debit_on=declaration.debit_on,
        content_hash=declaration.content_hash(),
        state=state,
        text=text,
        received_at=at,
    )
    done = await conn.execute(statement.on_conflict_do_nothing())
    return done.rowcount == 1


async def add_lines(
    conn: Connection, party: str, declaration: Declaration, treatments: Sequence[Treatment]
) -> None:
    rows = [
        {
            "party": party,
            "serial": declaration.serial,
            "line_no": number,
            "id_no": line.id_no,
            "name": line.name,
            "insurance": line.insurance,
            "month": line.month,
            "kind": line.kind,
            "base_fen": treatment.base_fen,
            "employer_fen": treatment.employer_fen,
            "employee_fen": treatment.employee_fen,
            "text": treatment.refused_with,
            "dropped_by": treatment.dropped_by,
        }
        for number, (line, treatment) in enumerate(
            zip(declaration.lines, treatments, strict=True), start=1
        )
    ]
    await conn.execute(insert(declaration_lines), rows)


async def declaration(
    conn: Connection, party: str, serial: str, *, lock: bool = False
) -> Row[Any] | None:
    statement = select(declarations).where(
        declarations.c.party == party, declarations.c.serial == serial
    )
    return (await conn.execute(statement.with_for_update() if lock else statement)).one_or_none()


async def lines(conn: Connection, party: str, serial: str) -> list[Row[Any]]:
    """The lines that were not dropped, in the order sent."""
    statement = select(declaration_lines).where(
        declaration_lines.c.party == party,
        declaration_lines.c.serial == serial,
        declaration_lines.c.dropped_by.is_(None),
    )
    return list(await conn.execute(statement.order_by(declaration_lines.c.line_no)))


async def verify(
    conn: Connection, party: str, serial: str, state: str, text: str, at: datetime
) -> None:
    await conn.execute(
        update(declarations)
        .where(declarations.c.party == party, declarations.c.serial == serial)
        .values(state=state, text=text, verified_at=at)
    )


async def pass_on(conn: Connection, party: str, serial: str, at: datetime) -> bool:
    """Marks the paid detail as passed on; False when it was before."""
    statement = (
        update(declarations)
        .where(
            declarations.c.party == party,
            declarations.c.serial == serial,
            declarations.c.passed_on_at.is_(None),
        )
        .values(passed_on_at=at)
    )
    return (await conn.execute(statement)).rowcount == 1


async def restore_dropped(conn: Connection, party: str, fault_id: str) -> list[str]:
    """Gives back what a fault dropped of declarations that are not verified yet; their serials."""
    waiting = select(declarations.c.serial).where(
        declarations.c.party == party, declarations.c.state == "received"
    )
    statement = (
        update(declaration_lines)
        .where(
            declaration_lines.c.party == party,
            declaration_lines.c.dropped_by == fault_id,
            declaration_lines.c.serial.in_(waiting),
        )
        .values(dropped_by=None)
        .returning(declaration_lines.c.serial)
    )
    return sorted(set((await conn.execute(statement)).scalars()))


async def agree(conn: Connection, party: str, account_no: str, account_ref: str) -> None:
    row = {"party": party, "account_no": account_no, "account_ref": account_ref}
    statement = insert(agreements).values(row)
    await conn.execute(
        statement.on_conflict_do_update(
            index_elements=["party", "account_no"], set_={"account_ref": account_ref}
        )
    )


async def agreed_account(conn: Connection, party: str, account_no: str) -> str:
    """The bank account that the collector may debit; without an agreement, the one of the same
    number.
    """
    statement = select(func.coalesce(func.max(agreements.c.account_ref), account_no)).where(
        agreements.c.party == party, agreements.c.account_no == account_no
    )
    return str((await conn.execute(statement)).scalar_one())
