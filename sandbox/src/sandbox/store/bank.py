"""The bank's accounts, standing instructions, entries, statements and webhook deliveries."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import Row, func, select, update
from sqlalchemy.dialects.postgresql import insert

from sandbox.tables import bank_accounts, bank_entries, deliveries, instructions, statements
from shared.db import Connection

OPENING_FEN = 10_000_000_00
"""What an account holds that nobody opened: enough for a quarter of a few hundred employees."""


async def open_account(
    conn: Connection, account_ref: str, holder: str, balance_fen: int = OPENING_FEN
) -> None:
    """An account that is there already keeps its balance."""
    row = {
        "account_ref": account_ref,
        "holder": holder,
        "opening_fen": balance_fen,
        "balance_fen": balance_fen,
    }
    await conn.execute(insert(bank_accounts).values(row).on_conflict_do_nothing())


async def account(conn: Connection, account_ref: str) -> Row[Any]:
    """The account, locked: entries and statements of one account queue behind each other."""
    statement = select(bank_accounts).where(bank_accounts.c.account_ref == account_ref)
    return (await conn.execute(statement.with_for_update())).one()


async def instruct(conn: Connection, instruction: dict[str, Any]) -> None:
    await conn.execute(insert(instructions).values(instruction).on_conflict_do_nothing())


async def instruction(conn: Connection, party: str, serial: str) -> Row[Any]:
    statement = select(instructions).where(
        instructions.c.party == party, instructions.c.serial == serial
    )
    return (await conn.execute(statement)).one()


async def postpone(conn: Connection, party: str, serial: str) -> None:
    await conn.execute(
        update(instructions)
        .where(instructions.c.party == party, instructions.c.serial == serial)
        .values(postponed=True)
    )


async def book(conn: Connection, entry: dict[str, Any]) -> None:
    """Adds an entry under the next voucher number of its day and moves the balance if it is booked.

    The account is locked by the caller. An entry for information only (INFO) moves nothing.
    """
    same_day = select(func.count()).select_from(bank_entries)
    count = (await conn.execute(same_day.where(bank_entries.c.day == entry["day"]))).scalar_one()
    voucher = f"{entry['day']:%Y%m%d}{count + 1:06d}"
    await conn.execute(insert(bank_entries).values(**entry, voucher=voucher))
    if entry["status"] == "BOOK":
        sign = 1 if entry["direction"] == "CRDT" else -1
        await conn.execute(
            update(bank_accounts)
            .where(bank_accounts.c.account_ref == entry["account_ref"])
            .values(balance_fen=bank_accounts.c.balance_fen + sign * entry["amount_fen"])
        )


async def entries(conn: Connection, account_ref: str, day: date) -> Sequence[Row[Any]]:
    statement = select(bank_entries).where(
        bank_entries.c.account_ref == account_ref, bank_entries.c.day == day
    )
    return (await conn.execute(statement.order_by(bank_entries.c.entry_id))).all()


async def last_statement(conn: Connection, account_ref: str) -> Row[Any] | None:
    statement = select(statements).where(statements.c.account_ref == account_ref)
    newest = statement.order_by(statements.c.number.desc()).limit(1)
    return (await conn.execute(newest)).one_or_none()


async def publish(conn: Connection, row: dict[str, Any]) -> None:
    await conn.execute(insert(statements).values(row))


async def published(conn: Connection, account_ref: str, since: date) -> list[Row[Any]]:
    statement = select(statements).where(
        statements.c.account_ref == account_ref, statements.c.day >= since
    )
    return list(await conn.execute(statement.order_by(statements.c.number)))


async def statement(conn: Connection, statement_id: str) -> Row[Any] | None:
    wanted = select(statements).where(statements.c.statement_id == statement_id)
    return (await conn.execute(wanted)).one_or_none()


async def add_delivery(
    conn: Connection, delivery_id: str, body: str, first_try_at: datetime
) -> None:
    row = {"delivery_id": delivery_id, "body": body, "next_try_at": first_try_at}
    await conn.execute(insert(deliveries).values(row).on_conflict_do_nothing())


async def take_delivery(conn: Connection, at: datetime, lease_seconds: int) -> Row[Any] | None:
    """The delivery that waits longest, put off by a lease, so that a crash in the call costs a
    repeat and no loss.
    """
    oldest = (
        select(deliveries.c.delivery_id)
        .where(deliveries.c.delivered_at.is_(None), deliveries.c.next_try_at <= at)
        .order_by(deliveries.c.next_try_at)
        .limit(1)
        .with_for_update(skip_locked=True)
        .scalar_subquery()
    )
    taken = (
        update(deliveries)
        .where(deliveries.c.delivery_id == oldest)
        .values(
            attempts=deliveries.c.attempts + 1,
            next_try_at=at + timedelta(seconds=lease_seconds),
        )
        .returning(deliveries)
    )
    row: Row[Any] | None = (await conn.execute(taken)).one_or_none()
    return row


async def delivered(conn: Connection, delivery_id: str, at: datetime) -> None:
    await conn.execute(
        update(deliveries)
        .where(deliveries.c.delivery_id == delivery_id)
        .values(delivered_at=at, last_failure="")
    )


async def not_delivered(
    conn: Connection, delivery_id: str, failure: str, next_try_at: datetime
) -> None:
    await conn.execute(
        update(deliveries)
        .where(deliveries.c.delivery_id == delivery_id)
        .values(last_failure=failure, next_try_at=next_try_at)
    )
