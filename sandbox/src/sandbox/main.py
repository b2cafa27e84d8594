"""The command line of the sandbox."""

import asyncio
import signal
import sys

import typer

from sandbox.process import playing
from sandbox.settings import Settings, load
from shared import logs
from shared.serve import SettingsRefused

app = typer.Typer(help="The parties that are not ours, with faults to order.", no_args_is_help=True)
main = app


@app.callback()
def _commands() -> None:
    """Keeps `serve` a command of its own while it is the only one."""


@app.command()
def serve() -> None:
    """Play the bank, collectors, authorities, identity provider and mail sink until stopped."""
    try:
        settings = load()
    except SettingsRefused as refusal:
        typer.echo(f"sandbox: {refusal}", err=True)
        sys.exit(2)
    asyncio.run(_serve(settings))


async def _serve(settings: Settings) -> None:
    logs.set_up("sandbox", settings.log_level)
    log = logs.get_logger(__name__)
    stop = asyncio.Event()
    for name in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(name, stop.set)
    async with playing(settings) as addresses:
        log.info("started", control=addresses.control, oidc=addresses.oidc)
        await stop.wait()
    log.info("stopped")
