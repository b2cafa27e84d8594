"""Clock door: erasures that were asked for are carried out, and wage data become due."""

from datetime import datetime

from payroll_svc.store import erasures, hand_ins
from payroll_svc.usecases.hand_ins import open_next, remind, rolled_by
from payroll_svc.usecases.identities import erase_next
from shared.clock import WorkCalendar
from shared.db import Engine, transaction
from shared.serve import Job

_BATCH = 50


def jobs(engine: Engine, calendar: WorkCalendar) -> list[Job]:
    """The worker role carries out what HR asked for: the api role may not touch what was told."""
    roll = rolled_by(calendar)

    async def erase(now: datetime) -> int:
        done = 0
        while done < _BATCH:
            async with transaction(engine) as conn:
                if not await erase_next(conn, now):
                    break
            done += 1
        return done

    async def open_hand_ins(now: datetime) -> int:
        done = 0
        while done < _BATCH:
            async with transaction(engine) as conn:
                if not await open_next(conn, roll, now):
                    break
            done += 1
        return done

    async def remind_hand_ins(now: datetime) -> int:
        async with transaction(engine) as conn:
            return await remind(conn, now, _BATCH)

    return [
        Job("erase", erasures.first_due, erase),
        Job("open_hand_ins", hand_ins.first_opening, open_hand_ins),
        Job("remind_hand_ins", hand_ins.first_reminder, remind_hand_ins),
    ]
