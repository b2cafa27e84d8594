"""notify-svc, wired: who is told what, by which channel, and whether it arrived."""

from collections.abc import Sequence
from datetime import datetime

from notify_svc import api, consumers, jobs
from notify_svc.files import Templates
from notify_svc.mailer import Mailer
from notify_svc.settings import Settings
from notify_svc.usecases import recovering
from notify_svc.usecases.recovering import ToldBefore
from notify_svc.usecases.telling import Voice
from shared.contracts import (
    CONTRIBUTION,
    IDENTITIES,
    NOTIFY,
    PAYROLL,
    POLICIES,
    RECONCILIATION,
    TICKET,
)
from shared.db import Connection
from shared.sealed import RootKeyFile
from shared.serve import Parts, Recovery, Service, Wiring, command


def build(parts: Parts[Settings]) -> Wiring:
    sealer = RootKeyFile(lambda: parts.settings.root_key_file)
    voice = Voice(Templates.load(), has_email=bool(parts.settings.smtp_host))

    return Wiring(
        routers=[api.routes(parts.api)],
        topics=(PAYROLL, IDENTITIES, CONTRIBUTION, POLICIES, RECONCILIATION, TICKET),
        handlers=consumers.handlers(voice, parts.clock),
        jobs=jobs.jobs(parts.worker, voice, Mailer(parts.settings), sealer),
        recovery=_recovery(voice),
    )


def _recovery(voice: Voice) -> Recovery:
    told: list[ToldBefore] = []

    async def settle(conn: Connection, now: datetime) -> Sequence[str]:
        return await recovering.in_words(conn, voice, told, now)

    return Recovery(topics=(NOTIFY,), own=consumers.own.keepers(told), settle=settle)


SERVICE = Service(
    name="notify-svc",
    package="notify_svc",
    description="Who is told what, by which channel, and whether it arrived.",
    settings=Settings,
    build=build,
)
main = command(SERVICE)
