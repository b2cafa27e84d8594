"""What the sandbox says of itself, in the shape that every service's /readyz has."""

from typing import Any

from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from sandbox.clock import SandboxTime
from sandbox.store import timers
from sandbox.timers import Activity
from shared.db import Engine, transaction


async def report(engine: Engine, clock: SandboxTime, activity: Activity) -> dict[str, Any]:
    """Numbers only. `jobs_due` counts timers that are due and webhooks that were not tried often
    yet.
    """
    now = clock.now()
    said: dict[str, Any] = {
        "service": "sandbox",
        "business_time": now.isoformat(),
        "consumer_lag": 0,
        "outbox_unsent": 0,
        "parked": 0,
        "jobs_due": None,
        "next_due_at": None,
        "activity": activity.count,
    }
    try:
        async with transaction(engine) as conn:
            backlog = await timers.backlog(conn, now)
    except (DBAPIError, PoolTimeout, OSError) as error:
        return {"ready": False, "checks": {"database": type(error).__name__}, **said}
    next_due_at = None if backlog.next_due_at is None else backlog.next_due_at.isoformat()
    said |= {"jobs_due": backlog.due, "next_due_at": next_due_at}
    return {"ready": True, "checks": {}, **said}
