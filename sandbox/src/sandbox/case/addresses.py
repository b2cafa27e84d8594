"""Where the case finds the services and the sandbox's parties."""

from dataclasses import dataclass

SERVICES = (
    "payroll-svc",
    "contribution-svc",
    "bureau-sync-svc",
    "reconciliation-svc",
    "ticket-svc",
    "notify-svc",
    "portal-svc",
)


@dataclass(frozen=True)
class Addresses:
    """`services` maps each name of SERVICES to its `http://…`; the others are the sandbox's
    ports and the broker.
    """

    services: dict[str, str]
    control: str
    oidc: str
    kafka_bootstrap: str
