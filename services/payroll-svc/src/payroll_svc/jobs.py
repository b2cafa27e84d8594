"""Clock door: erasures that were asked for are carried out."""

from datetime import datetime

from payroll_svc.store import erasures
from payroll_svc.usecases.identities import erase_next
from shared.db import Engine, transaction
from shared.serve import Job

_BATCH = 50


def jobs(engine: Engine) -> list[Job]:
    """The worker role carries out what HR asked for: the api role may not touch what was told."""

    async def erase(now: datetime) -> int:
        done = 0
        while done < _BATCH:
            async with transaction(engine) as conn:
                if not await erase_next(conn, now):
                    break
            done += 1
        return done

    return [Job("erase", erasures.first_due, erase)]
