"""`make demo`: everything on fresh data, the October case played on it, and the verdict."""

import sys
import time
from pathlib import Path

from rich.console import Console

from deploy.embedded.layout import Layout
from deploy.embedded.stack import Stack, stack
from deploy.embedded.supervisor import OURS
from sandbox.case.addresses import Addresses
from sandbox.case.play import play

HOME = Path(__file__).parents[2] / "var" / "demo"
REPORT = HOME / "report.json"


def addresses_of(running: Stack) -> Addresses:
    """Where the case finds the parts of a running installation."""
    layout: Layout = running.layout
    return Addresses(
        services={f"{name}-svc": layout.service_url(name) for name in layout.services},
        control=layout.sandbox_url("control"),
        oidc=layout.sandbox_url("oidc"),
        kafka_bootstrap=running.kafka_bootstrap,
    )


async def demo() -> None:
    """Exit code 0 only when the services' own APIs confirm every figure."""
    started = time.monotonic()
    # Where the output goes to a file, lines shall not break at 80 columns.
    console = Console(width=None if sys.stdout.isatty() else 140)

    def say(line: str) -> None:
        # Ten parts' logs would bury the story; they are in var/demo/data/run.
        if line.startswith(OURS):
            console.print(f"[dim]{line}[/dim]", highlight=False)

    async with stack(HOME / "data", fresh=True, log=say) as running:
        failed = await play(addresses_of(running), console, REPORT, started)
    console.print(f"{REPORT.relative_to(HOME.parents[1])} holds every figure.", highlight=False)
    if failed:
        sys.exit(1)
