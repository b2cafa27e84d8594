"""portal-svc: read models for people, fed by every event; the only place that builds things."""

from portal_svc.api import routes
from portal_svc.consumers import TOPICS, handlers
from portal_svc.owners import Owners
from portal_svc.settings import PortalSettings
from shared.sealed import RootKeyFile
from shared.serve import Parts, Service, Wiring, command


def build(parts: Parts[PortalSettings]) -> Wiring:
    """Doors of this service; nothing is opened before the first request."""
    owners = Owners(parts.settings)
    open_sealer = RootKeyFile(lambda: parts.settings.root_key_file)
    return Wiring(
        routers=routes(parts.api, open_sealer, owners),
        topics=TOPICS,
        handlers=handlers(),
        versioned=True,
        closers=(owners.close,),
    )


SERVICE = Service(
    name="portal-svc",
    package="portal_svc",
    description="What employees and HR see: months, steps, evidence, cells and sums.",
    settings=PortalSettings,
    build=build,
)

main = command(SERVICE)
