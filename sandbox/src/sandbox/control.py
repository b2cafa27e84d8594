"""The control port: who plays a case orders faults, steps the clock and reads the mails here."""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import APIRouter, Header, Query, Response
from fastapi.responses import JSONResponse
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, model_validator

from sandbox import authority, bank, collector, passwords
from sandbox.clock import ClockBackwards, ClockNotWritten, SandboxTime
from sandbox.faults import BANK_KINDS, BUREAU_KINDS, FaultOrder, Kind
from sandbox.health import report
from sandbox.settings import Party
from sandbox.store import authority as authority_store
from sandbox.store import bank as bank_store
from sandbox.store import collector as collector_store
from sandbox.store import faults as fault_store
from sandbox.store import people as people_store
from sandbox.timers import Activity
from sandbox.wire import (
    AccountNo,
    Day,
    Due,
    IdNo,
    InsuranceCode,
    Month,
    Refused,
    local_text,
    said_no,
)
from shared.db import Engine, transaction
from shared.values import derived_id

PAGE_MAILS = 200

Key = Annotated[str | None, Header(alias="Idempotency-Key", max_length=200)]


class Order(BaseModel):
    """What the control port takes: exactly the documented fields."""

    model_config = ConfigDict(extra="forbid", populate_by_name=True)


class ClockOrder(Order):
    at: AwareDatetime


class RepairOrder(Order):
    """`records_on` is the business time at which what was dropped is done after all."""

    records_on: AwareDatetime


class NoticeOrder(Order):
    """`kind` is upgrade (the party answers) or closure."""

    party: str
    kind: Annotated[str, Field(pattern=r"^(upgrade|closure)$")]
    from_at: AwareDatetime = Field(alias="from")
    until_at: AwareDatetime = Field(alias="until")
    text: Annotated[str, Field(min_length=1, max_length=500)]

    @model_validator(mode="after")
    def _ends_after_it_begins(self) -> "NoticeOrder":
        if self.until_at <= self.from_at:
            raise ValueError("until is after from")
        return self


class PersonOrder(Order):
    """Who may sign in, and what their tokens will say."""

    sub: Annotated[str, Field(pattern=r"^[A-Za-z0-9._@-]{1,64}$")]
    password: Annotated[str, Field(min_length=8, max_length=200)]
    roles: list[Annotated[str, Field(pattern=r"^(employee|hr|operator|service)$")]]
    employer_ids: list[str] = []
    employee_id: str = ""
    name: str = ""


class AgreementOrder(Order):
    """三方协议: the bank account that a collector may debit for an account number, and what it
    holds.
    """

    party: str
    account_no: AccountNo = Field(alias="AAB001")
    account_ref: Annotated[str, Field(alias="bank_account_ref", min_length=1, max_length=34)]
    holder: Annotated[str, Field(max_length=100)] = ""
    balance_fen: Due = Field(
        default=bank_store.OPENING_FEN, alias="balance", validate_default=False
    )


class RecordOrder(Order):
    """A record that no detail led to; `AAE003_END` makes it span months, AAE078 "2" interrupts."""

    party: str
    account_no: AccountNo = Field(alias="AAB001")
    id_no: IdNo = Field(alias="AAC002")
    insurance: InsuranceCode = Field(alias="AAE140")
    month: Month = Field(alias="AAE003")
    month_end: Month | None = Field(default=None, alias="AAE003_END")
    kind: Annotated[str, Field(alias="AAA115", pattern=r"^\d{2}$")] = "10"
    base_fen: Due = Field(alias="AAE180")
    employer_fen: Due = Field(alias="AAE080")
    employee_fen: Due = Field(alias="AAE082")
    flag: Annotated[str, Field(alias="AAE078", pattern=r"^[0-3]$")] = "1"
    arrived_on: Day | None = Field(default=None, alias="EAD131")


@dataclass(frozen=True)
class Board:
    """What the control port is wired to."""

    engine: Engine
    clock: SandboxTime
    parties: Mapping[str, Party]
    activity: Activity

    def party(self, name: str, kind: str) -> Party:
        """The party of that name and kind; Refused otherwise."""
        party = self.parties.get(name)
        if party is None or party.kind != kind:
            raise Refused(said_no(404, "UNKNOWN_PARTY", f"there is no {kind} {name}"))
        return party


def routes(board: Board) -> APIRouter:
    """All that can be ordered and asked of the sandbox itself."""
    router = APIRouter(tags=["control"])
    _add_health(router, board)
    _add_clock(router, board)
    _add_faults(router, board)
    _add_repair(router, board)
    _add_setting(router, board)
    return router


def _add_health(router: APIRouter, board: Board) -> None:
    @router.get("/healthz")
    async def healthz() -> dict[str, str]:
        return {"status": "alive"}

    @router.get("/readyz")
    async def readyz() -> JSONResponse:
        said = await report(board.engine, board.clock, board.activity)
        return JSONResponse(said, 200 if said["ready"] else 503)


def _add_clock(router: APIRouter, board: Board) -> None:
    @router.get("/clock")
    async def read_clock() -> dict[str, str]:
        return {"at": local_text(board.clock.now())}

    @router.post("/clock")
    async def step_clock(order: ClockOrder) -> dict[str, str]:
        try:
            return {"at": local_text(await board.clock.step(order.at))}
        except ClockBackwards as refusal:
            raise Refused(said_no(409, "CLOCK_BACKWARDS", str(refusal))) from None
        except ClockNotWritten as outage:
            again = {"Retry-After": "1"}
            raise Refused(said_no(503, "CLOCK_NOT_WRITTEN", str(outage), again)) from None


def _add_faults(router: APIRouter, board: Board) -> None:
    @router.post("/faults", status_code=201)
    async def order_fault(order: FaultOrder, idempotency_key: Key = None) -> dict[str, str]:
        at = board.clock.now()
        fault_id = _id_of("fault", idempotency_key)
        async with transaction(board.engine) as conn:
            await fault_store.order(conn, fault_id, _fitting(board, order), at)
        return {"fault_id": fault_id}

    @router.get("/faults")
    async def list_faults() -> dict[str, Any]:
        async with transaction(board.engine) as conn:
            return {"faults": await fault_store.all_orders(conn)}

    @router.delete("/faults/{fault_id}", status_code=204)
    async def lift_fault(fault_id: str) -> Response:
        """It strikes no more; what it dropped stays dropped until it is repaired."""
        async with transaction(board.engine) as conn:
            if await fault_store.lift(conn, fault_id, board.clock.now()) is None:
                raise Refused(said_no(404, "UNKNOWN_FAULT", "no such fault was ordered"))
        return Response(status_code=204)


def _add_repair(router: APIRouter, board: Board) -> None:
    @router.post("/faults/{fault_id}/repair")
    async def repair_fault(fault_id: str, order: RepairOrder) -> dict[str, Any]:
        """Lifts the fault and plans what it dropped; `restored` counts submissions."""
        now = board.clock.now()
        if order.records_on < now:
            raise Refused(said_no(422, "IN_THE_PAST", f"records_on is before {now.isoformat()}"))
        async with transaction(board.engine) as conn:
            party = await fault_store.lift(conn, fault_id, now)
            if party is None:
                raise Refused(said_no(404, "UNKNOWN_FAULT", "no such fault was ordered"))
            at_authority = await authority.repair(conn, party, fault_id, order.records_on)
            at_collector = await collector.repair(conn, party, fault_id, order.records_on)
        return {"fault_id": fault_id, "restored": at_authority + at_collector}


def _id_of(what: str, key: str | None) -> str:
    """Derived from the key, so that an order that got no answer can be given again."""
    return f"{what}-{(derived_id(what, key) if key else uuid.uuid4()).hex[:12]}"


def _fitting(board: Board, order: FaultOrder) -> FaultOrder:
    """The order if its party can go wrong like that. At the bank every request is a question, so
    time-outs strike them.
    """
    if order.party == bank.PARTY:
        fits = order.kind in BANK_KINDS and not (order.insurances or order.people)
    elif order.party in board.parties:
        fits = order.kind in BUREAU_KINDS
    else:
        raise Refused(said_no(404, "UNKNOWN_PARTY", f"there is no party {order.party}"))
    if not fits:
        text = f"{order.party} cannot go wrong by {order.kind} with these selectors"
        raise Refused(said_no(422, "UNFITTING_FAULT", text))
    if order.party == bank.PARTY and order.kind is Kind.TIMEOUT_BEFORE:
        return order.model_copy(update={"params": {**order.params, "reads": True}})
    return order


def _add_setting(router: APIRouter, board: Board) -> None:
    @router.post("/people", status_code=201)
    async def put_person(order: PersonOrder) -> dict[str, str]:
        """Adds or replaces."""
        person = order.model_dump()
        person["password_hash"] = await passwords.hashed(person.pop("password"))
        async with transaction(board.engine) as conn:
            await people_store.put_person(conn, person)
        return {"sub": order.sub}

    @router.post("/agreements", status_code=201)
    async def agree(order: AgreementOrder) -> dict[str, str]:
        """An account that is open already keeps its balance."""
        board.party(order.party, "collector")
        async with transaction(board.engine) as conn:
            await bank_store.open_account(conn, order.account_ref, order.holder, order.balance_fen)
            await collector_store.agree(conn, order.party, order.account_no, order.account_ref)
        return {"bank_account_ref": order.account_ref}

    @router.post("/records", status_code=201)
    async def plant_record(order: RecordOrder) -> dict[str, str]:
        board.party(order.party, "authority")
        serial = f"planted-{uuid.uuid4().hex[:12]}"
        month_end = order.month_end or order.month
        # The fields as read: dumping would write them in the bureaus' text again.
        record = {**dict(order), "month_end": month_end, "serial": serial, "line_no": 1}
        async with transaction(board.engine) as conn:
            await authority_store.plant(conn, record)
        return {"serial": serial}

    @router.post("/notices", status_code=201)
    async def announce(order: NoticeOrder, idempotency_key: Key = None) -> dict[str, str]:
        board.party(order.party, "authority")
        notice_id = _id_of("notice", idempotency_key)
        async with transaction(board.engine) as conn:
            await fault_store.announce(conn, {"notice_id": notice_id, **order.model_dump()})
        return {"id": notice_id}

    @router.get("/mails")
    async def list_mails(
        recipient: str | None = None, cursor: Annotated[int, Query(ge=0)] = 0
    ) -> dict[str, Any]:
        async with transaction(board.engine) as conn:
            rows = await people_store.mails_after(conn, cursor, recipient, PAGE_MAILS)
        items = [dict(row._mapping) for row in rows]
        more = str(rows[-1].mail_id) if len(rows) == PAGE_MAILS else None
        return {"items": items, "next_cursor": more}
