"""Starts a service as it is and ends its process at a named point, when that point is armed.

    python -m tests.support.crash_points .venv/bin/ticket-svc serve

The service runs its own console script; only the seams between it and its libraries are wrapped
here, so that no path for tests exists in the product.
"""

import os
import sys
from collections.abc import Awaitable, Callable, Sequence
from contextvars import ContextVar
from dataclasses import dataclass
from functools import wraps
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any
from weakref import WeakSet

import aiosmtplib
import httpx
from sqlalchemy import event
from sqlalchemy.engine import Engine

import shared.consumer.loop
import shared.outbox.relay
import shared.serve.app
import shared.serve.jobs
from shared.consumer import apply_batch
from tests.support.armed import FOLDER, Armed, Point

_WRITES = ("INSERT", "UPDATE", "DELETE", "WITH")


@dataclass
class _Door:
    """Through which door the present work came in, and whether it has committed a change yet."""

    written: Point | None = None
    committed: bool = False
    calls: bool = False


_door: ContextVar[_Door | None] = ContextVar("door", default=None)


def main() -> None:
    """Wraps the seams, then runs the console script that the arguments name."""
    sys.argv = sys.argv[1:]
    script = Path(sys.argv[0]).name
    _wrap(Armed(Path(os.environ[FOLDER]), script))
    [entry_point] = entry_points(group="console_scripts", name=script)
    entry_point.load()()


def _wrap(armed: Armed) -> None:
    _wrap_database(armed)
    _wrap_consumer(armed)
    _wrap_relay(armed)
    _wrap_jobs(armed)
    _wrap_calls(armed)
    _wrap_requests(armed)


def _replace(owner: Any, name: str, wrapped: Any) -> None:
    setattr(owner, name, wrapped)


def _wrap_database(armed: Armed) -> None:
    """Only a commit that changes something counts; each transaction has a Connection of its own."""
    writing: WeakSet[Any] = WeakSet()

    def note_write(
        conn: Any, _cursor: Any, statement: str, _values: Any, _context: Any, _many: bool
    ) -> None:
        if statement.lstrip().upper().startswith(_WRITES):
            writing.add(conn)

    def before_commit(conn: Any) -> None:
        door = _door.get()
        if door is None or conn not in writing:
            return
        if door.written is not None:
            armed.passing(door.written)
        door.committed = True

    event.listen(Engine, "before_cursor_execute", note_write)
    event.listen(Engine, "commit", before_commit)


def _wrap_consumer(armed: Armed) -> None:
    commit = shared.consumer.loop._commit

    @wraps(apply_batch)
    async def applying(engine: Any, handlers: Any, group: str, records: Any, **options: Any) -> Any:
        wanted = {event_type.ce_type().encode() for event_type in handlers}
        if any(dict(record.headers).get("ce_type") in wanted for record in records):
            armed.passing(Point.BATCH_FETCHED)
        _door.set(_Door(Point.BATCH_WRITTEN))
        outcome = await apply_batch(engine, handlers, group, records, **options)
        if outcome.handled:
            armed.passing(Point.BATCH_COMMITTED)
        return outcome

    @wraps(commit)
    async def committing(*args: Any) -> None:
        await commit(*args)
        armed.passing(Point.OFFSET_COMMITTED)

    _replace(shared.consumer.loop, "apply_batch", applying)
    _replace(shared.consumer.loop, "_commit", committing)


def _wrap_relay(armed: Armed) -> None:
    events, publish = shared.outbox.relay.Relay._events, shared.outbox.relay._Publisher.publish

    @wraps(publish)
    async def publishing(self: Any, records: Any) -> None:
        armed.passing(Point.OUTBOX_READ)
        await publish(self, records)
        armed.passing(Point.OUTBOX_PUBLISHED)

    @wraps(events)
    async def relaying(self: Any, publisher: Any) -> int:
        sent = await events(self, publisher)
        if sent:
            armed.passing(Point.OUTBOX_MARKED)
        return sent

    _replace(shared.outbox.relay._Publisher, "publish", publishing)
    _replace(shared.outbox.relay.Relay, "_events", relaying)


def _wrap_jobs(armed: Armed) -> None:
    once = shared.serve.jobs.JobRunner._once

    @wraps(once)
    async def running(self: Any, job: Any) -> int:
        door = _Door(Point.JOB_WRITTEN, calls=True)
        _door.set(door)
        done = await once(self, job)
        if done and door.committed:
            armed.passing(Point.JOB_COMMITTED)
        return done

    _replace(shared.serve.jobs.JobRunner, "_once", running)


def _wrap_calls(armed: Armed) -> None:
    """Calls to parties outside, and portal-svc's to the owner of a command: not the fetching of
    the issuer's keys.
    """

    def around(call: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
        @wraps(call)
        async def calling(*args: Any, **options: Any) -> Any:
            outside = _leaves_the_house(args)
            if outside:
                armed.passing(Point.CALL_INTENDED)
            answer = await call(*args, **options)
            if outside:
                armed.passing(Point.CALL_ANSWERED)
            return answer

        return calling

    _replace(httpx.AsyncClient, "send", around(httpx.AsyncClient.send))
    _replace(aiosmtplib.SMTP, "send_message", around(aiosmtplib.SMTP.send_message))


def _leaves_the_house(args: Sequence[Any]) -> bool:
    """A job asks and tells; of a request only what it passes on counts, not the issuer's keys."""
    door = _door.get()
    passes_on = any(isinstance(one, httpx.Request) and one.method == "POST" for one in args)
    return door is not None and (door.calls or passes_on)


def _wrap_requests(armed: Armed) -> None:
    call = shared.serve.app._Edge.__call__

    @wraps(call)
    async def answering(self: Any, scope: Any, receive: Any, send: Any) -> None:
        writes = scope.get("method") in ("POST", "PUT", "PATCH", "DELETE")
        door = _Door(Point.REQUEST_WRITTEN if writes else None)
        _door.set(door)

        async def sending(message: Any) -> None:
            if writes and door.committed and message["type"] == "http.response.start":
                armed.passing(Point.REQUEST_COMMITTED)
            await send(message)

        await call(self, scope, receive, sending)

    _replace(shared.serve.app._Edge, "__call__", answering)


if __name__ == "__main__":
    main()
