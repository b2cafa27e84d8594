"""What every request to a party passes: is it open, does it answer, and what was ordered to go
wrong.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Concatenate, ParamSpec

from fastapi.responses import Response

from sandbox import faults
from sandbox.faults import Fault, Kind, Touched
from sandbox.settings import Party
from sandbox.store import faults as store
from sandbox.wire import Answer, Refused, local_text, said_no
from shared.db import Connection, Engine, transaction

P = ParamSpec("P")
Acting = Callable[Concatenate[Connection, list[Fault], P], Awaitable[Answer]]
"""What a party does once the gate let the request through, under the faults that stand."""


def known(parties: Mapping[str, Party]) -> Callable[[str], None]:
    """A dependency: the party in the path is one of these."""

    def check(party: str) -> None:
        if party not in parties:
            raise Refused(said_no(404, "UNKNOWN_PARTY", "没有这个机构"))

    return check


async def effect(
    conn: Connection,
    party: str,
    at: datetime,
    lines: Sequence[Touched],
    act: Acting[P],
    *args: P.args,
    **kwargs: P.kwargs,
) -> Answer:
    """Takes something in, unless the party is closed or silent; even then the answer may be
    withheld.
    """
    standing = await store.standing(conn, party, at)
    shut = closed(standing, at)
    if shut is not None:
        return shut
    before = faults.first(standing, Kind.TIMEOUT_BEFORE, lines)
    if before is not None:
        return await _withheld(conn, before, Answer(504, {}))
    answer = await act(conn, standing, *args, **kwargs)
    after = faults.first(standing, Kind.TIMEOUT_AFTER, lines)
    return answer if after is None else await _withheld(conn, after, answer)


async def question(
    engine: Engine,
    party: str,
    at: datetime,
    act: Acting[P],
    *args: P.args,
    **kwargs: P.kwargs,
) -> Response:
    """Answers from what is there, unless the party is closed or its time-outs strike questions
    too.
    """
    async with transaction(engine) as conn:
        standing = await store.standing(conn, party, at)
        shut = closed(standing, at)
        silent = faults.reads_time_out(standing)
        if shut is not None:
            answer = shut
        elif silent is not None:
            answer = await _withheld(conn, silent, Answer(504, {}))
        else:
            answer = await act(conn, standing, *args, **kwargs)
    return await answer.response()


def closed(standing: Sequence[Fault], at: datetime) -> Answer | None:
    """503 with the time of opening while a closure stands. Retry-After counts business seconds."""
    fault = faults.first(standing, Kind.CLOSED)
    if fault is None or fault.until_at is None:
        return None
    wait = max(1, int((fault.until_at - at).total_seconds()))
    until = local_text(fault.until_at)
    return said_no(503, "CLOSED", "系统暂停服务", {"Retry-After": str(wait)}, until=until)


async def _withheld(conn: Connection, fault: Fault, answer: Answer) -> Answer:
    await store.count_strikes(conn, [fault.fault_id])
    return replace(answer, withheld_seconds=faults.timeout_of(fault))
