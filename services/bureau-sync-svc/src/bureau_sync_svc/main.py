"""Wiring of bureau-sync-svc: settings to doors; the only place that builds things."""

from functools import cache

from bureau_sync_svc import api, consumers, jobs
from bureau_sync_svc.bureau import Bureaus
from bureau_sync_svc.settings import BureauSyncSettings, accesses
from bureau_sync_svc.usecases import recovering
from bureau_sync_svc.usecases.people import Keys
from shared.contracts import BUREAU_SYNC
from shared.sealed import BlindIndex, RootKeyFile
from shared.serve import Parts, Recovery, Service, Wiring, command


def build(parts: Parts[BureauSyncSettings]) -> Wiring:
    """The doors of one process; files that settings name were checked when those were read."""
    settings = parts.settings
    bureaus = Bureaus(
        lambda: accesses(settings.bureau_connections_file),
        settings.bureau_timeout_seconds,
        settings.bureau_reply_limit_bytes,
    )

    sealer = RootKeyFile(lambda: settings.root_key_file)

    @cache
    def index() -> BlindIndex:
        return BlindIndex.from_file(settings.index_key_file)

    def keys() -> Keys:
        return Keys(sealer(), index())

    return Wiring(
        routers=[api.routes(parts.api, parts.clock)],
        topics=consumers.TOPICS,
        handlers=consumers.handlers(),
        jobs=jobs.jobs(parts.worker, bureaus, keys),
        closers=[bureaus.close],
        recovery=Recovery(
            topics=(BUREAU_SYNC,),
            own=consumers.own.keepers(),
            settle=recovering.ask_before_sending,
        ),
    )


SERVICE = Service(
    name="bureau-sync-svc",
    package="bureau_sync_svc",
    description="Every exchange with collectors and authorities, and its evidence.",
    settings=BureauSyncSettings,
    build=build,
)

main = command(SERVICE)
