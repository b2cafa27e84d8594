"""Clock door: HR's digests at each quarter of an hour, and e-mail: intent, call, reply."""

import asyncio
from collections.abc import Callable
from datetime import datetime

from notify_svc import store
from notify_svc.mailer import Mailer
from notify_svc.usecases import sending
from notify_svc.usecases.telling import Voice
from shared.db import Engine, transaction
from shared.sealed import Sealer
from shared.serve import Job


def jobs(engine: Engine, voice: Voice, mailer: Mailer, sealer: Callable[[], Sealer]) -> list[Job]:
    """Each does one bounded batch; no transaction is open while the mail server is talked to.

    `sealer` is asked for each batch, so that a rotated root key needs no restart.
    """

    async def digest(now: datetime) -> int:
        async with transaction(engine) as conn:
            return await sending.tell_digests(conn, voice, now)

    async def deliver(letter: sending.Letter, keys: Sealer, now: datetime) -> None:
        outcome, reply = await sending.send_letter(mailer.send, keys, letter)
        async with transaction(engine) as conn:
            await sending.end(conn, letter, outcome, reply, now)

    async def send(now: datetime) -> int:
        async with transaction(engine) as conn:
            given_up = await sending.give_up_left_open(conn, now)
        async with transaction(engine) as conn:
            letters = await sending.begin(conn, now)
        keys = sealer()
        async with asyncio.TaskGroup() as tasks:
            for letter in letters:
                tasks.create_task(deliver(letter, keys, now))
        return given_up + len(letters)

    return [
        Job("tell_digests", store.mentions.first_due, digest),
        Job("send_mail", store.notifications.first_try, send),
    ]
