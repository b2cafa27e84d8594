"""The collectors (征收机构): take declarations, verify them, have the bank debit, and pass the
detail on where they do.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from fastapi import APIRouter, Depends
from fastapi.responses import Response

from sandbox import authority, bank, faults, gate
from sandbox.clock import SandboxTime
from sandbox.faults import Fault, Kind, Touched
from sandbox.settings import Party
from sandbox.store import collector as store
from sandbox.store import faults as fault_store
from sandbox.store.timers import Timer, set_timer
from sandbox.timers import Act, Activity
from sandbox.wire import (
    Answer,
    Declaration,
    Detail,
    DueLine,
    PaidLine,
    local_text,
    said_no,
    yuan_text,
)
from shared.db import Connection, Engine, transaction
from shared.values import Insurance, derived_id

VERIFIES_AFTER = timedelta(hours=2)
"""Of business time, day and night: the collector's machine does it, not its counter."""


def routes(
    engine: Engine, clock: SandboxTime, parties: Mapping[str, Party], activity: Activity
) -> APIRouter:
    """The wire of every collector, each under its own name."""
    checks = [Depends(gate.known(parties))]
    router = APIRouter(prefix="/{party}", tags=["collector"], dependencies=checks)

    @router.post("/declarations", status_code=202)
    async def take_declaration(party: str, declaration: Declaration) -> Response:
        async with transaction(engine) as conn:
            answer = await take(conn, party, declaration, clock.now())
        activity.tick()
        return await answer.response()

    @router.get("/declarations/{serial}")
    async def read_declaration(party: str, serial: str) -> Response:
        return await gate.question(engine, party, clock.now(), _read, party, serial)

    return router


def acts(parties: Mapping[str, Party]) -> dict[str, Act]:
    """What collectors do by the clock, and when the bank has debited."""

    async def verify(conn: Connection, timer: Timer) -> None:
        await _verify(conn, timer.facts["party"], timer.facts["serial"], timer.due_at)

    async def debit_booked(conn: Connection, timer: Timer) -> None:
        party, serial = timer.facts["party"], timer.facts["serial"]
        if not parties[party].passes_detail:
            return
        if await store.pass_on(conn, party, serial, timer.due_at):
            for receiver in _authorities_of(parties, parties[party].city):
                cause = f"{party}/{serial}/{receiver.party}"
                facts = {"party": party, "serial": serial, "authority": receiver.party}
                await set_timer(conn, "pass_detail", cause, timer.due_at, **facts)

    async def pass_detail(conn: Connection, timer: Timer) -> None:
        await _pass_detail(conn, parties[timer.facts["authority"]], timer)

    return {"verify": verify, "debit_booked": debit_booked, "pass_detail": pass_detail}


async def take(conn: Connection, party: str, declaration: Declaration, at: datetime) -> Answer:
    """Takes a declaration in: 202, or 422 when it is refused at once."""

    lines = faults.touched(declaration.account_no, declaration.lines)
    return await gate.effect(conn, party, at, lines, _receive, party, declaration, at)


async def repair(conn: Connection, party: str, fault_id: str, verified_on: datetime) -> int:
    """Plans the verification of what the fault dropped of declarations still waiting; of
    how many.
    """
    serials = await store.restore_dropped(conn, party, fault_id)
    for serial in serials:
        await _plan(conn, party, serial, verified_on)
    return len(serials)


async def _receive(
    conn: Connection, standing: list[Fault], party: str, declaration: Declaration, at: datetime
) -> Answer:
    account_no = declaration.account_no
    treatments = [faults.treat(standing, account_no, line) for line in declaration.lines]
    refused = [t for t in treatments if t.refused_with and not t.refused_later]
    state, text = ("refused", refused[0].refused_with) if refused else ("received", "")
    if not await store.add(conn, party, declaration, state, text, at):
        return await _taken_before(conn, party, declaration)
    await store.add_lines(conn, party, declaration, treatments)
    await fault_store.count_strikes(conn, (f for t in treatments for f in t.struck))
    kept = [t for t in treatments if t.dropped_by is None]
    if kept and not refused:
        late = timedelta(days=max(t.late_days for t in kept))
        await _plan(conn, party, declaration.serial, at + VERIFIES_AFTER + late)
    return await _answer_to(conn, party, declaration.serial, text)


async def _plan(conn: Connection, party: str, serial: str, at: datetime) -> None:
    await set_timer(conn, "verify", f"{party}/{serial}", at, party=party, serial=serial)


async def _taken_before(conn: Connection, party: str, declaration: Declaration) -> Answer:
    known = await store.declaration(conn, party, declaration.serial)
    assert known is not None
    if known.content_hash != declaration.content_hash():
        return said_no(409, "SERIAL_CONFLICT", "同一流水号的内容与首次报送不同")
    refused_at_once = known.state == "refused" and known.verified_at is None
    text = known.text if refused_at_once else ""
    return await _answer_to(conn, party, declaration.serial, text)


async def _answer_to(conn: Connection, party: str, serial: str, refused_with: str) -> Answer:
    if not refused_with:
        return Answer(202, {"serial": serial, "state": "received"})
    rows = await store.lines(conn, party, serial)
    lines = [_line(row) for row in rows if row.text]
    return said_no(422, "REFUSED", refused_with, serial=serial, lines=lines)


async def _verify(conn: Connection, party: str, serial: str, at: datetime) -> None:
    """核定: the collector's own figures, and the order to the bank to debit their sum."""
    known = await store.declaration(conn, party, serial, lock=True)
    if known is None or known.state != "received":
        return
    lines = await store.lines(conn, party, serial)
    refused = [line.text for line in lines if line.text]
    if refused:
        await store.verify(conn, party, serial, "refused", refused[0], at)
        return
    await store.verify(conn, party, serial, "verified", "", at)
    total_fen = sum(line.employer_fen + line.employee_fen for line in lines)
    if total_fen > 0:
        order = bank.Order(party, serial, known.account_no, known.month, total_fen, known.debit_on)
        account_ref = await store.agreed_account(conn, party, known.account_no)
        await bank.instruct(conn, order, account_ref, at)


async def _read(conn: Connection, standing: list[Fault], party: str, serial: str) -> Answer:
    known = await store.declaration(conn, party, serial)
    if known is None:
        return said_no(404, "UNKNOWN_SERIAL", "没有收到该流水号")
    rows = [] if known.state == "received" else await store.lines(conn, party, serial)
    total = sum(row.employer_fen + row.employee_fen for row in rows)
    lines: list[dict[str, str]] = []
    struck: set[str] = set()
    for row in rows:
        lines.append(_line(row))
        touched = [Touched(known.account_no, row.id_no, row.insurance)]
        twice = faults.first(standing, Kind.ANSWER_TWICE, touched)
        if twice is not None:
            lines.append(_line(row))
            struck.add(twice.fault_id)
    await fault_store.count_strikes(conn, struck)
    return Answer(
        200,
        {
            "serial": serial,
            "state": known.state,
            "text": known.text,
            "verified_at": None if known.verified_at is None else local_text(known.verified_at),
            "lines": lines,
            "total": yuan_text(total) if known.state == "verified" else None,
        },
    )


def _line(row: Any) -> dict[str, str]:
    line = DueLine.model_construct(
        id_no=row.id_no,
        name=row.name,
        insurance=Insurance(row.insurance),
        month=row.month,
        kind=row.kind,
        base_fen=row.base_fen,
        employer_fen=row.employer_fen,
        employee_fen=row.employee_fen,
    )
    return {**line.model_dump(by_alias=True), "text": row.text}


def _authorities_of(parties: Mapping[str, Party], city: str) -> list[Party]:
    return [p for p in parties.values() if p.kind == "authority" and p.city == city]


async def _pass_detail(conn: Connection, receiver: Party, timer: Timer) -> None:
    """Hands an authority its part of what was paid; one that is closed gets it when it opens."""
    party, serial = timer.facts["party"], timer.facts["serial"]
    known = await store.declaration(conn, party, serial)
    assert known is not None
    lines = tuple(
        PaidLine.model_construct(
            id_no=row.id_no,
            name=row.name,
            insurance=Insurance(row.insurance),
            month=row.month,
            kind=row.kind,
            base_fen=row.base_fen,
            employer_fen=row.employer_fen,
            employee_fen=row.employee_fen,
        )
        for row in await store.lines(conn, party, serial)
        if row.insurance in receiver.insurances
    )
    if not lines:
        return
    detail = Detail.model_construct(
        serial=derived_id(party, serial, receiver.party).hex,
        account_no=known.account_no,
        month=known.month,
        lines=lines,
    )
    answer = await authority.take(conn, receiver, detail, timer.due_at)
    if answer.status == 503:
        opens_at = datetime.fromisoformat(answer.body["until"])
        cause = f"{party}/{serial}/{receiver.party}"
        await set_timer(conn, timer.act, cause, opens_at, **timer.facts)
