"""Clock door: plan, send and ask, look up, read notices, turn states. No request leaves inside a
transaction.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime

from prometheus_client import Gauge

from bureau_sync_svc.bureau import Bureau, Bureaus, Unanswered, Unsent
from bureau_sync_svc.domain.submissions import Kind
from bureau_sync_svc.domain.wire import Answer, month_text
from bureau_sync_svc.store import copies, look_ups, parties, submissions
from bureau_sync_svc.store.look_ups import LookUp
from bureau_sync_svc.usecases import look_up, plan, submit
from bureau_sync_svc.usecases import parties as watching
from bureau_sync_svc.usecases.people import Keys
from bureau_sync_svc.usecases.submit import Reply, Request, Silence
from shared.db import Connection, Engine, transaction
from shared.serve import Job

_BATCH = 50
_MOST_PAGES = 2_000
"""Of one look-up: at a hundred rows a page more than any account has."""
_RENEW_SECONDS = 5.0
"""Between pages; with the longest request (30 s) still within the lease of a look-up."""
_LONGEST_PAUSE_SECONDS = 5.0
_AT_ONCE = datetime(2000, 1, 1, tzinfo=UTC)
_NO_CONNECTION = "BUREAU_CONNECTIONS_FILE 中没有此机构的连接"
_COLLECTIONS = {Kind.FILING: "declarations", Kind.DETAIL: "details"}

_held_up = Gauge(
    "daozhang_bureau_held_up",
    "Submissions that wait for lines or postings, are in conflict, or whose outcome is unknown",
    ["kind", "state"],
)
_held_up_since = Gauge(
    "daozhang_bureau_held_up_since_seconds",
    "Business time, in Unix seconds, since when the oldest of them has been so",
    ["kind", "state"],
)


def jobs(engine: Engine, bureaus: Bureaus, keys: Callable[[], Keys]) -> list[Job]:
    """What this service does by the clock."""
    work = _Work(engine, bureaus, keys)
    return [
        Job("plan", _plan_due, work.plan),
        Job("submissions", submissions.due, work.submit),
        Job("look_ups", look_ups.due, work.look_up),
        Job("notices", parties.notices_due, work.read_notices),
        Job("authority_states", parties.changes_due, work.turn_states),
    ]


async def _plan_due(conn: Connection) -> datetime | None:
    return _AT_ONCE if await copies.any_stale(conn) else None


class _Work:
    """The jobs over one engine, one set of connections and the keys."""

    def __init__(self, engine: Engine, bureaus: Bureaus, keys: Callable[[], Keys]) -> None:
        self._engine, self._bureaus, self._keys = engine, bureaus, keys

    async def plan(self, now: datetime) -> int:
        """Account months about which something changed."""

        async def one() -> bool:
            async with transaction(self._engine) as conn:
                return await plan.plan_next(conn, now)

        return await self._measured(one)

    async def submit(self, now: datetime) -> int:
        """Filings and paid details that are to be sent or asked about."""

        async def one() -> bool:
            async with transaction(self._engine) as conn:
                taken = await submit.take_up(conn, self._keys(), now)
            if isinstance(taken, Request):
                await self._exchange(now, taken)
            return taken is not None

        return await self._measured(one)

    async def _exchange(self, now: datetime, request: Request) -> None:
        submission = request.submission
        collection = _COLLECTIONS[submission.kind]
        started = time.monotonic()

        async def ask(bureau: Bureau) -> Answer:
            if request.body is not None:
                return await bureau.submit(collection, request.body)
            return await bureau.submission(collection, submission.serial)

        reply = await self._reply(submission.party, ask)
        milliseconds = int((time.monotonic() - started) * 1_000)
        async with transaction(self._engine) as conn:
            await submit.settle(conn, self._keys(), now, request, reply, milliseconds)
        await _pause_as_told(reply)

    async def look_up(self, now: datetime) -> int:
        """Account months whose records are due to be looked up."""

        async def one() -> bool:
            async with transaction(self._engine) as conn:
                claimed = await look_up.take_up(conn, self._keys(), now)
            if claimed is None:
                return False
            replies = await self._pages(claimed)
            async with transaction(self._engine) as conn:
                await look_up.settle(conn, self._keys(), now, claimed, replies)
            await _pause_as_told(replies[-1])
            return True

        return await _batch(one)

    async def _pages(self, claimed: LookUp) -> list[Reply]:
        """Page after page, up to the last or the first that is none."""
        replies: list[Reply] = []
        cursor: str | None = None
        month = month_text(claimed.levy_period)
        renewed = time.monotonic()
        for _ in range(_MOST_PAGES):

            async def ask(bureau: Bureau, cursor: str | None = cursor) -> Answer:
                return await bureau.records(claimed.account_no, month, cursor)

            reply = await self._reply(claimed.authority, ask)
            replies.append(reply)
            following = look_up.next_cursor(reply) if isinstance(reply, Answer) else None
            if following is None or following == cursor:
                break
            cursor = following
            if time.monotonic() - renewed > _RENEW_SECONDS:
                async with transaction(self._engine) as conn:
                    await look_ups.renew(conn, claimed)
                renewed = time.monotonic()
        return replies

    async def read_notices(self, now: datetime) -> int:
        """Authorities whose notices are due to be read."""

        async def one() -> bool:
            async with transaction(self._engine) as conn:
                party = await watching.take_up_notices(conn, now)
            if party is None:
                return False
            reply = await self._reply(party.party, lambda bureau: bureau.notices())
            answer = reply if isinstance(reply, Answer) else reply.reason
            async with transaction(self._engine) as conn:
                await watching.settle_notices(conn, now, party, answer)
            return True

        return await self._measured(one)

    async def turn_states(self, now: datetime) -> int:
        """Parties for which a known notice begins or ends."""

        async def one() -> bool:
            async with transaction(self._engine) as conn:
                return await watching.turn_next_state(conn, now)

        return await _batch(one)

    async def _measured(self, one: Callable[[], Awaitable[bool]]) -> int:
        done = await _batch(one)
        async with transaction(self._engine) as conn:
            await _measure(conn)
        return done

    async def _reply(self, party: str, ask: Callable[[Bureau], Awaitable[Answer]]) -> Reply:
        bureau = self._bureaus.get(party)
        if bureau is None:
            return Silence(sent=False, reason=_NO_CONNECTION)
        try:
            return await ask(bureau)
        except Unsent as fault:
            return Silence(sent=False, reason=f"未能建立连接 ({fault})")
        except Unanswered as fault:
            return Silence(sent=True, reason=f"已发出, 未收到完整回执 ({fault})")


async def _batch(one: Callable[[], Awaitable[bool]]) -> int:
    done = 0
    while done < _BATCH and await one():
        done += 1
    return done


async def _pause_as_told(reply: Reply) -> None:
    """A rate limit counts system time, which a later business time does not wait for."""
    if isinstance(reply, Answer) and reply.status == 429:
        await asyncio.sleep(min(float(reply.retry_after or 1), _LONGEST_PAUSE_SECONDS))


async def _measure(conn: Connection) -> None:
    _held_up.clear()
    _held_up_since.clear()
    for kind, state, number, since in await submissions.held_up(conn):
        _held_up.labels(kind, state).set(number)
        _held_up_since.labels(kind, state).set(since.timestamp())
