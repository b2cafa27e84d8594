"""Where everything is: the addresses and folders of one embedded installation."""

import random
import socket
from dataclasses import dataclass
from pathlib import Path

SERVICE_NAMES = (
    "payroll",
    "contribution",
    "bureau-sync",
    "reconciliation",
    "ticket",
    "notify",
    "portal",
)
SANDBOX_PORTS = ("control", "oidc", "bank", "collector", "authorities", "smtp")

FREE_PORT_RANGE = range(20_000, 32_000)
"""Below the range that outgoing connections draw from: a restarted part finds its port free."""


@dataclass(frozen=True)
class Layout:
    """Ports by name and the folder of one installation; everything listens on loopback only."""

    data_dir: Path
    postgres: int
    kafka: int
    kafka_controller: int
    services: dict[str, int]
    sandbox: dict[str, int]

    @property
    def run_dir(self) -> Path:
        """Logs and pid files."""
        return self.data_dir / "run"

    @property
    def kafka_bootstrap(self) -> str:
        return f"127.0.0.1:{self.kafka}"

    def taken(self) -> list[str]:
        """Ports of ours that something else listens on, as "kafka 9292"."""
        ports = {"postgres": self.postgres, "kafka": self.kafka, **self.services, **self.sandbox}
        ports["kafka controller"] = self.kafka_controller
        return [f"{name} {port}" for name, port in ports.items() if not _bindable(port)]

    def service_url(self, name: str) -> str:
        """`http://…` of `payroll`, `contribution`, …, without a trailing slash."""
        return f"http://127.0.0.1:{self.services[name]}"

    def sandbox_url(self, party: str) -> str:
        """`http://…` of one of SANDBOX_PORTS."""
        return f"http://127.0.0.1:{self.sandbox[party]}"


def fixed_layout(data_dir: Path) -> Layout:
    """The friendly ports of `make up`."""
    return _layout(data_dir, [54_329, 9292, 9293, *range(8101, 8108), *range(8201, 8207)])


def free_layout(data_dir: Path) -> Layout:
    """Ports that nobody uses now: demos and tests run beside each other."""
    return _layout(data_dir, free_ports(3 + len(SERVICE_NAMES) + len(SANDBOX_PORTS)))


def _layout(data_dir: Path, ports: list[int]) -> Layout:
    postgres, kafka, controller, *rest = ports
    services = dict(zip(SERVICE_NAMES, rest, strict=False))
    sandbox = dict(zip(SANDBOX_PORTS, rest[len(services) :], strict=True))
    return Layout(data_dir.resolve(), postgres, kafka, controller, services, sandbox)


def free_ports(count: int) -> list[int]:
    """`count` different ports that could be bound just now on loopback."""
    found: list[int] = []
    for port in random.sample(FREE_PORT_RANGE, k=len(FREE_PORT_RANGE)):
        if _bindable(port):
            found.append(port)
        if len(found) == count:
            return found
    raise OSError(f"fewer than {count} free ports in {FREE_PORT_RANGE}")


def _bindable(port: int) -> bool:
    with socket.socket() as probe:
        # As servers do: connections that just ended do not keep a port taken.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True
