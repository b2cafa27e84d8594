"""Command line door: what operators do with keys."""

from collections.abc import Callable
from typing import Annotated, Any

import typer

from payroll_svc.settings import PayrollSettings
from payroll_svc.usecases.identities import (
    Rewrapped,
    ask_erasure,
    employers_to_rewrap,
    erase_next,
    rewrap,
)
from shared.db import transaction
from shared.sealed import Sealer
from shared.serve import Command, Parts, Wiring


def add_commands(cli: typer.Typer, run: Callable[[Command], Any]) -> None:
    """`rewrap-keys` and `erase-person`."""

    @cli.command("rewrap-keys")
    def rewrap_keys() -> None:
        """Has the newest root key wrap every person's key. Cut short, it goes on the next time."""
        done, broken = run(_rewrap_all)
        typer.echo(f"{done} keys are wrapped anew by the newest root key")
        if broken:
            typer.echo(f"{broken} keys do not open, see the log; keep the older root key", err=True)
            raise typer.Exit(1)

    @cli.command("erase-person")
    def erase_person(
        employee_id: str,
        reason: Annotated[str, typer.Option(help="Why; it is kept. No personal data.")],
    ) -> None:
        """Destroys a person's key for good, where the law no longer has the identity kept."""

        async def act(parts: Parts[PayrollSettings], _: Wiring) -> None:
            months, now = parts.settings.identity_kept_months, parts.clock.now()
            async with transaction(parts.worker) as conn:
                await ask_erasure(conn, employee_id, reason, "command line", months, now)
            more = True
            while more:
                async with transaction(parts.worker) as conn:
                    more = await erase_next(conn, now)

        run(act)
        typer.echo(f"the identity of {employee_id} is destroyed; back the identities up anew now")


async def _rewrap_all(parts: Parts[PayrollSettings], _: Wiring) -> tuple[int, int]:
    sealer = Sealer.from_file(parts.settings.root_key_file)
    done = broken = 0
    async with transaction(parts.worker) as conn:
        employer_ids = await employers_to_rewrap(conn, sealer)
    for employer_id in employer_ids:
        batch = Rewrapped(1, 0, "")
        while batch.done:
            async with transaction(parts.worker) as conn:
                now = parts.clock.now()
                batch = await rewrap(conn, sealer, employer_id, batch.last, now)
            done, broken = done + batch.done, broken + batch.broken
    return done, broken
