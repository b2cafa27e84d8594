"""Command line door: what people do with policy packs, without a database or a broker."""

from collections.abc import Callable, Sequence
from datetime import date
from pathlib import Path
from typing import Annotated, Any

import typer

from contribution_svc.errors import PolicyInvalid
from contribution_svc.policy import load_policies, read_pack
from contribution_svc.policy.lint import lint
from contribution_svc.usecases.in_force import what_was_in_force
from shared.clock import china_day, system_now
from shared.refusal import FieldFault, Refusal
from shared.serve import Command
from shared.values import Insurance, LevyPeriod

_MOST_PACK_BYTES = 1024 * 1024
"""A pack has at most half of that; more is another file."""


def add_commands(cli: typer.Typer, _: Callable[[Command], Any]) -> None:
    """`policy lint` and `policy in-force`."""
    policy = typer.Typer(help="Policy packs: lint, in-force.", no_args_is_help=True)
    cli.add_typer(policy, name="policy")
    _add_lint(policy)
    _add_in_force(policy)


def _add_lint(policy: typer.Typer) -> None:
    @policy.command("lint")
    def lint_(
        files: Annotated[list[Path], typer.Argument(exists=True, dir_okay=False)],
        in_force: Annotated[
            Path | None, typer.Option(help="The pack in force, which the file would replace.")
        ] = None,
        declared_through: Annotated[
            str | None, typer.Option(help="The last levy period that was declared, YYYY-MM.")
        ] = None,
        approved_sha256: Annotated[
            str, typer.Option(help="The content that was approved; any other is refused.")
        ] = "",
    ) -> None:
        """Names every fault of the packs with file, line, key, found and expected."""
        through = _period(declared_through) if declared_through else None
        faults: list[FieldFault] = []
        old = None
        if in_force is not None:
            try:
                old = read_pack(in_force.name, _content(in_force))
            except PolicyInvalid as refusal:
                faults.extend(refusal.faults)
        for file in files:
            faults.extend(lint(file.name, _content(file), old, through, approved_sha256))
        _say(faults)
        if faults:
            raise typer.Exit(1)
        typer.echo(f"{len(files)} packs have no fault")


def _content(file: Path) -> bytes:
    with file.open("rb") as opened:
        return opened.read(_MOST_PACK_BYTES)


def _say(faults: Sequence[FieldFault]) -> None:
    for fault in faults:
        todo = f"; {fault.todo}" if fault.todo else ""
        typer.echo(f"{fault.where}: found {fault.value}, {fault.reason}{todo}", err=True)


def _add_in_force(policy: typer.Typer) -> None:
    @policy.command("in-force")
    def in_force_(
        city: str,
        insurance: Insurance,
        month: str,
        known_on: Annotated[
            str | None, typer.Option(help="As known on this day, YYYY-MM-DD; today without it.")
        ] = None,
        policy_dir: Annotated[
            Path | None,
            typer.Option(exists=True, file_okay=False, envvar="POLICY_DIR"),
        ] = None,
    ) -> None:
        """Says what was in force, as known on a day, by which notice, and what is doubtful of
        it.
        """
        period = _period(month)
        known = _day(known_on) if known_on else china_day(system_now())
        try:
            policies = load_policies(policy_dir)
            found = what_was_in_force(policies, city, insurance, period, known)
        except Refusal as refusal:
            typer.echo(refusal.detail, err=True)
            raise typer.Exit(1) from None
        typer.echo(found.sentence)
        for warning in (*found.terms.warnings, *found.day_warnings):
            typer.echo(f"注意：{warning}")
        typer.echo(f"来源：{found.terms.source}")


def _period(text: str) -> LevyPeriod:
    try:
        return LevyPeriod.parse(text)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from None


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise typer.BadParameter(f"a day is written YYYY-MM-DD; got {text!r}") from None
