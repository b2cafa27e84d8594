"""The authorities (经办机构): take the paid detail, keep the records, and answer who asks for
them.
"""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Query
from fastapi.responses import JSONResponse, Response

from sandbox import faults, gate
from sandbox.clock import SandboxTime
from sandbox.faults import Fault, Kind, Treatment
from sandbox.settings import Party
from sandbox.store import authority as store
from sandbox.store import faults as fault_store
from sandbox.store.timers import Timer, set_timer
from sandbox.timers import Act, Activity
from sandbox.wire import (
    INSURANCE_CODES,
    AccountNo,
    Answer,
    Detail,
    IdNo,
    Month,
    PaidLine,
    local_text,
    said_no,
    yuan_text,
)
from shared.clock import china_day, china_time
from shared.db import Connection, Engine, transaction
from shared.values import Insurance

BOOKS_AT = "06:00"
"""Of the day after the detail came in: authorities book overnight."""
PAGE_ROWS = 500
FOREIGN = "本机构不经办该险种"

_Account = Annotated[AccountNo, Query(alias="AAB001")]
_Month = Annotated[Month, Query(alias="AAE003")]
_From = Annotated[Month, Query(alias="from")]
_To = Annotated[Month, Query(alias="to")]
_Cursor = Annotated[str, Query(pattern=r"^\d{1,18}$")]


def routes(
    engine: Engine, clock: SandboxTime, parties: Mapping[str, Party], activity: Activity
) -> APIRouter:
    """The wire of every authority, each under its own name."""
    checks = [Depends(gate.known(parties))]
    router = APIRouter(prefix="/{party}", tags=["authority"], dependencies=checks)

    @router.get("/notices")
    async def list_notices(party: str) -> JSONResponse:
        """Answered while the authority is closed as well: the notice board is another system."""
        async with transaction(engine) as conn:
            notices = await fault_store.announced(conn, party)
        return JSONResponse({"notices": [_notice(notice) for notice in notices]})

    @router.post("/details", status_code=202)
    async def take_detail(party: str, detail: Detail) -> Response:
        async with transaction(engine) as conn:
            answer = await take(conn, parties[party], detail, clock.now())
        activity.tick()
        return await answer.response()

    @router.get("/details/{serial}")
    async def read_detail(party: str, serial: str) -> Response:
        return await gate.question(engine, party, clock.now(), _read_detail, party, serial)

    @router.get("/records")
    async def list_records(
        party: str, account_no: _Account, month: _Month, cursor: _Cursor = "0"
    ) -> Response:
        page = (party, account_no, month, int(cursor), clock.now())
        return await gate.question(engine, party, clock.now(), _page, *page)

    @router.get("/records/{id_no}")
    async def list_records_of_person(
        party: str, id_no: Annotated[IdNo, Path()], first: _From, last: _To
    ) -> Response:
        whose = (party, id_no, first, last)
        return await gate.question(engine, party, clock.now(), _of_person, *whose)

    return router


def acts() -> dict[str, Act]:
    """What authorities do by the clock."""

    async def book(conn: Connection, timer: Timer) -> None:
        party, serial = timer.facts["party"], timer.facts["serial"]
        account_no, at = timer.facts["account_no"], timer.due_at
        await store.refuse_due(conn, party, serial, at)
        await store.book(conn, party, serial, account_no, at, china_day(at))

    return {"book": book}


async def take(conn: Connection, party: Party, detail: Detail, at: datetime) -> Answer:
    """Takes the detail in, from an employer or from the collector of the city."""

    lines = faults.touched(detail.account_no, detail.lines)
    return await gate.effect(conn, party.party, at, lines, _receive, party, detail, at)


async def repair(conn: Connection, party: str, fault_id: str, records_on: datetime) -> int:
    """Plans the booking of all that the fault dropped; of how many submissions."""
    restored = await store.restore_dropped(conn, party, fault_id, records_on)
    for serial, account_no in restored:
        await _plan(conn, party, serial, account_no, records_on)
    return len(restored)


async def _receive(
    conn: Connection, standing: list[Fault], party: Party, detail: Detail, at: datetime
) -> Answer:
    treatments = [_treat(party, standing, detail.account_no, line) for line in detail.lines]
    refused = [t for t in treatments if t.refused_with and not t.refused_later]
    text = refused[0].refused_with if len(refused) == len(treatments) else ""
    if not await store.add(conn, party.party, detail, text, at):
        return await _taken_before(conn, party.party, detail)
    fates = [(treatment, *_fate(treatment, at)) for treatment in treatments]
    await store.add_lines(conn, party.party, detail, fates)
    await store.show_in_transit(conn, party.party, detail.serial, detail.account_no)
    await fault_store.count_strikes(conn, (f for t in treatments for f in t.struck))
    for book_at in sorted({book_at for _, _, book_at in fates if book_at is not None}):
        await _plan(conn, party.party, detail.serial, detail.account_no, book_at)
    return await _answer_to(conn, party.party, detail.serial, text)


def _treat(party: Party, standing: list[Fault], account_no: str, line: PaidLine) -> Treatment:
    treatment = faults.treat(standing, account_no, line)
    if line.insurance in party.insurances:
        return treatment
    return replace(treatment, refused_with=FOREIGN, refused_later=False)


def _fate(treatment: Treatment, at: datetime) -> tuple[str, datetime | None]:
    """The line's state from now on, and when it will be booked or refused (None: never)."""
    if treatment.refused_with and not treatment.refused_later:
        return "refused", None
    if treatment.dropped_by is not None:
        return "accepted", None
    days = 1 + treatment.late_days
    book_at = china_time(china_day(at) + timedelta(days=days), BOOKS_AT)
    return ("to_refuse" if treatment.refused_with else "accepted"), book_at


async def _plan(
    conn: Connection, party: str, serial: str, account_no: str, book_at: datetime
) -> None:
    cause = f"{party}/{serial}/{book_at.isoformat()}"
    facts = {"party": party, "serial": serial, "account_no": account_no}
    await set_timer(conn, "book", cause, book_at, **facts)


async def _taken_before(conn: Connection, party: str, detail: Detail) -> Answer:
    known = await store.detail(conn, party, detail.serial)
    assert known is not None
    if known.content_hash != detail.content_hash():
        return said_no(409, "SERIAL_CONFLICT", "同一流水号的内容与首次报送不同")
    return await _answer_to(conn, party, detail.serial, known.text)


async def _answer_to(conn: Connection, party: str, serial: str, refused_with: str) -> Answer:
    if not refused_with:
        return Answer(202, {"serial": serial, "state": "accepted"})
    lines = [_line_state(row) for row in await store.detail_states(conn, party, serial)]
    return said_no(422, "REFUSED", refused_with, serial=serial, lines=lines)


async def _page(
    conn: Connection,
    standing: list[Fault],
    party: str,
    account_no: str,
    month: str,
    after: int,
    at: datetime,
) -> Answer:
    rows = await store.records_of_account(conn, party, account_no, month, after, PAGE_ROWS)
    listed = await _listed(conn, standing, rows)
    more = str(rows[-1].record_id) if len(rows) == PAGE_ROWS else None
    return Answer(200, {"rows": listed, "next_cursor": more, "as_of": local_text(at)})


async def _of_person(
    conn: Connection, standing: list[Fault], party: str, id_no: str, first: str, last: str
) -> Answer:
    rows = await store.records_of_person(conn, party, id_no, first, last)
    return Answer(200, {"rows": await _listed(conn, standing, rows)})


async def _read_detail(conn: Connection, _: list[Fault], party: str, serial: str) -> Answer:
    known = await store.detail(conn, party, serial)
    if known is None:
        return said_no(404, "UNKNOWN_SERIAL", "没有收到该流水号")
    lines = [_line_state(row) for row in await store.detail_states(conn, party, serial)]
    states = {line["state"] for line in lines}
    texts = [line["text"] for line in lines if line["text"]]
    answer = {"serial": serial, "state": _state_of_all(states), "lines": lines}
    return Answer(200, {**answer, "text": texts[0] if texts else ""})


def _state_of_all(states: set[str]) -> str:
    if len(states) == 1:
        return states.pop()
    return "partly_recorded" if "recorded" in states else "accepted"


def _line_state(row: Any) -> dict[str, str]:
    """A refusal that is still to come does not show."""
    state = "accepted" if row.state == "to_refuse" else row.state
    return {
        "AAC002": row.id_no,
        "AAE140": INSURANCE_CODES[Insurance(row.insurance)],
        "state": state,
        "text": row.text if state == "refused" else "",
    }


async def _listed(
    conn: Connection, standing: list[Fault], rows: Iterable[Any]
) -> list[dict[str, str]]:
    """The records as rows of the wire; those that a fault names are listed twice."""
    listed: list[dict[str, str]] = []
    struck: set[str] = set()
    for row in rows:
        listed.append(_record(row))
        touched = [faults.Touched(row.account_no, row.id_no, row.insurance)]
        twice = faults.first(standing, Kind.ANSWER_TWICE, touched)
        if twice is not None:
            listed.append(_record(row))
            struck.add(twice.fault_id)
    await fault_store.count_strikes(conn, struck)
    return listed


def _record(row: Any) -> dict[str, str]:
    until = {"AAE003_END": row.month_end} if row.month_end != row.month else {}
    return {
        "AAC002": row.id_no,
        "AAE140": INSURANCE_CODES[Insurance(row.insurance)],
        "AAE003": row.month,
        **until,
        "AAA115": row.kind,
        "AAE180": yuan_text(row.base_fen),
        "AAE080": yuan_text(row.employer_fen),
        "AAE082": yuan_text(row.employee_fen),
        "AAE078": row.flag,
        "EAD131": "" if row.arrived_on is None else f"{row.arrived_on:%Y%m%d}",
    }


def _notice(row: dict[str, Any]) -> dict[str, str]:
    return {
        "id": row["notice_id"],
        "kind": row["kind"],
        "from": local_text(row["from_at"]),
        "until": local_text(row["until_at"]),
        "text": row["text"],
    }
