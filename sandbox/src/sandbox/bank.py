"""The bank: debits what collectors instruct, keeps the accounts, publishes statements."""

import hashlib
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Query
from fastapi.responses import Response

from sandbox import camt, faults, gate, webhooks
from sandbox.clock import SandboxTime
from sandbox.faults import AmountParams, Fault, Kind, LateParams, RefuseParams
from sandbox.store import bank as store
from sandbox.store import faults as fault_store
from sandbox.store.timers import Timer, set_timer
from sandbox.timers import Act
from sandbox.wire import Answer, local_text, said_no
from shared.clock import china_day, china_time
from shared.db import Connection, Engine
from shared.values import derived_id

PARTY = "bank"
DEBITS_AT = "10:00"
PUBLISHES_AT = "18:00"
NO_FUNDS = RefuseParams(code="AM04", text="账户余额不足")


@dataclass(frozen=True)
class Order:
    """What a collector wants debited: one sum for a whole declaration, whose serial is the
    end-to-end id.
    """

    party: str
    serial: str
    account_no: str
    month: str
    amount_fen: int
    debit_on: date


def routes(engine: Engine, clock: SandboxTime) -> APIRouter:
    """The bank's wire: which statements there are, and each as a document."""
    router = APIRouter(tags=["bank"])

    @router.get("/statements")
    async def list_statements(
        account: Annotated[str, Query(min_length=1, max_length=34)],
        since: Annotated[date, Query()],
    ) -> Response:
        return await gate.question(engine, PARTY, clock.now(), _list, account, since)

    @router.get("/statements/{statement_id}")
    async def read_statement(statement_id: str) -> Response:
        return await gate.question(engine, PARTY, clock.now(), _read, statement_id)

    return router


def acts(*, tells: bool) -> dict[str, Act]:
    """What the bank does by the clock; `tells` says whether someone listens to its webhook."""

    async def publish(conn: Connection, timer: Timer) -> None:
        account_ref, day = timer.facts["account_ref"], date.fromisoformat(timer.facts["day"])
        facts = await _publish(conn, account_ref, day, timer.due_at)
        if tells and facts is not None:
            await webhooks.tell(conn, "statement.published", facts)

    return {"debit": _debit, "reverse": _reverse, "publish": publish}


async def instruct(conn: Connection, order: Order, account_ref: str, at: datetime) -> None:
    """Takes a collector's order: the debit is at 10:00 of its day, or of the next one when that is
    over.
    """
    await store.open_account(conn, account_ref, f"单位 {order.account_no}")
    await store.instruct(
        conn,
        {
            "party": order.party,
            "serial": order.serial,
            "account_no": order.account_no,
            "account_ref": account_ref,
            "amount_fen": order.amount_fen,
            "remittance": f"社保费 {order.account_no} {order.month}",
        },
    )
    due_at = china_time(max(order.debit_on, china_day(at)), DEBITS_AT)
    if due_at < at:
        due_at += timedelta(days=1)
    facts = {"party": order.party, "serial": order.serial}
    await set_timer(conn, "debit", f"{order.party}/{order.serial}", due_at, **facts)


async def _debit(conn: Connection, timer: Timer) -> None:
    """Debits as instructed, or as a fault has it; the collector is told of what was booked in
    full.
    """
    at = timer.due_at
    order = await store.instruction(conn, timer.facts["party"], timer.facts["serial"])
    standing = await fault_store.standing(conn, PARTY, at)
    late = _struck(standing, Kind.LATE, order)
    if late is not None and not order.postponed:
        await _postpone(conn, timer, late)
        return
    account = await store.account(conn, order.account_ref)
    refused = _struck(standing, Kind.REFUSE, order)
    if refused is not None:
        assert isinstance(refused.params, RefuseParams)
        await fault_store.count_strikes(conn, [refused.fault_id])
        await _refuse(conn, order, refused.params, at)
    elif account.balance_fen < order.amount_fen:
        await _refuse(conn, order, NO_FUNDS, at)
    else:
        await _book(conn, order, standing, at)


def _struck(standing: list[Fault], kind: Kind, order: Any) -> Fault | None:
    return faults.of_account(standing, kind, order.account_ref, order.account_no)


async def _postpone(conn: Connection, timer: Timer, late: Fault) -> None:
    assert isinstance(late.params, LateParams)
    party, serial = timer.facts["party"], timer.facts["serial"]
    await fault_store.count_strikes(conn, [late.fault_id])
    await store.postpone(conn, party, serial)
    due_at = timer.due_at + timedelta(days=late.params.days)
    await set_timer(conn, "debit", f"{party}/{serial}", due_at, **timer.facts)


async def _refuse(conn: Connection, order: Any, refusal: RefuseParams, at: datetime) -> None:
    """No booking but an entry for information; or, reversed after days, a booking that is taken
    back.
    """
    if refusal.reversed_after_days is None:
        await _enter(conn, order, at, status=camt.FOR_INFORMATION, returned=refusal)
        return
    await _enter(conn, order, at)
    due_at = at + timedelta(days=refusal.reversed_after_days)
    facts = {"party": order.party, "serial": order.serial, "refusal": refusal.model_dump()}
    await set_timer(conn, "reverse", f"{order.party}/{order.serial}", due_at, **facts)


async def _reverse(conn: Connection, timer: Timer) -> None:
    order = await store.instruction(conn, timer.facts["party"], timer.facts["serial"])
    await store.account(conn, order.account_ref)
    returned = RefuseParams.model_validate(timer.facts["refusal"])
    await _enter(conn, order, timer.due_at, direction="CRDT", returned=returned)


async def _book(conn: Connection, order: Any, standing: list[Fault], at: datetime) -> None:
    other = _struck(standing, Kind.OTHER_AMOUNT, order)
    twice = _struck(standing, Kind.DEBIT_TWICE, order)
    await fault_store.count_strikes(conn, [f.fault_id for f in (other, twice) if f is not None])
    amount_fen = order.amount_fen
    if other is not None:
        assert isinstance(other.params, AmountParams)
        amount_fen = max(1, amount_fen + other.params.delta)
    for _ in range(1 if twice is None else 2):
        await _enter(conn, order, at, amount_fen=amount_fen)
    if amount_fen == order.amount_fen:
        facts = {"party": order.party, "serial": order.serial}
        await set_timer(conn, "debit_booked", f"{order.party}/{order.serial}", at, **facts)


async def _enter(
    conn: Connection,
    order: Any,
    at: datetime,
    *,
    amount_fen: int | None = None,
    direction: str = "DBIT",
    status: str = camt.BOOKED,
    returned: RefuseParams | None = None,
) -> None:
    """One entry in the locked account, and the statement of its day."""
    day = china_day(at)
    await store.book(
        conn,
        {
            "account_ref": order.account_ref,
            "day": day,
            "booked_at": at,
            "amount_fen": order.amount_fen if amount_fen is None else amount_fen,
            "direction": direction,
            "status": status,
            "end_to_end": order.serial,
            "creditor": order.party,
            "remittance": order.remittance,
            "is_reversal": direction == "CRDT",
            "return_code": "" if returned is None else returned.code,
            "return_text": "" if returned is None else returned.text,
        },
    )
    facts = {"account_ref": order.account_ref, "day": day.isoformat()}
    cause = f"{order.account_ref}/{day}"
    await set_timer(conn, "publish", cause, china_time(day, PUBLISHES_AT), **facts)


async def _publish(
    conn: Connection, account_ref: str, day: date, at: datetime
) -> dict[str, str] | None:
    """The statement of one account and day, numbered and chained to the one before; None if it is
    out already.
    """
    account = await store.account(conn, account_ref)
    before = await store.last_statement(conn, account_ref)
    if before is not None and before.day >= day:
        return None
    statement = camt.Statement(
        statement_id=derived_id("statement", account_ref, day).hex,
        account_ref=account_ref,
        holder=account.holder,
        day=day,
        number=1 if before is None else before.number + 1,
        published_at=at,
        opening_fen=account.opening_fen if before is None else before.closing_fen,
        entries=[_entry(row) for row in await store.entries(conn, account_ref, day)],
    )
    return await _keep(conn, statement)


async def _keep(conn: Connection, statement: camt.Statement) -> dict[str, str]:
    document = camt.document(statement)
    sha256 = hashlib.sha256(document).hexdigest()
    await store.publish(
        conn,
        {
            "statement_id": statement.statement_id,
            "account_ref": statement.account_ref,
            "day": statement.day,
            "number": statement.number,
            "closing_fen": statement.closing_fen,
            "published_at": statement.published_at,
            "sha256": sha256,
            "document": document,
        },
    )
    return {
        "statement_id": statement.statement_id,
        "account": statement.account_ref,
        "day": statement.day.isoformat(),
        "sha256": sha256,
    }


async def _list(conn: Connection, _: list[Fault], account_ref: str, since: date) -> Answer:
    rows = await store.published(conn, account_ref, since)
    return Answer(200, {"statements": [_listed(row) for row in rows]})


async def _read(conn: Connection, _: list[Fault], statement_id: str) -> Answer:
    row = await store.statement(conn, statement_id)
    if row is None:
        return said_no(404, "UNKNOWN_STATEMENT", "没有这份对账单")
    return Answer(200, {}, document=row.document)


def _entry(row: Any) -> camt.Entry:
    return camt.Entry(
        amount_fen=row.amount_fen,
        direction=row.direction,
        status=row.status,
        day=row.day,
        voucher=row.voucher,
        end_to_end=row.end_to_end,
        creditor=row.creditor,
        remittance=row.remittance,
        is_reversal=row.is_reversal,
        return_code=row.return_code,
        return_text=row.return_text,
    )


def _listed(row: Any) -> dict[str, str]:
    return {
        "id": row.statement_id,
        "account": row.account_ref,
        "day": row.day.isoformat(),
        "published_at": local_text(row.published_at),
        "sha256": row.sha256,
    }
