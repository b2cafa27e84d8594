"""Command line door: what people do with policy packs."""

from collections.abc import Callable, Sequence
from datetime import date
from pathlib import Path
from typing import Annotated, Any

import typer

from contribution_svc.domain.release import Origin
from contribution_svc.errors import BundleRefused, PolicyInvalid
from contribution_svc.policy import load_policies, read_pack
from contribution_svc.policy.bundle import MAX_BUNDLE_BYTES, Publisher, opened, read_keys, sealed
from contribution_svc.policy.lint import lint
from contribution_svc.settings import Settings
from contribution_svc.store.policy_updates import Taken
from contribution_svc.usecases.in_force import what_was_in_force
from contribution_svc.usecases.library import Library
from contribution_svc.usecases.updates import Carried, Trust, take_in
from shared.clock import WorkCalendar, china_day, system_now
from shared.db import transaction
from shared.refusal import FieldFault, Refusal
from shared.serve import Command, Parts, Wiring
from shared.values import Insurance, LevyPeriod

_BY = "command line"
_MOST_PACK_BYTES = 1024 * 1024
"""A pack has at most half of that; more is another file."""


def add_commands(cli: typer.Typer, run: Callable[[Command], Any]) -> None:
    """`policy lint`, `in-force`, `import` and `sign`; only `import` needs the database."""
    policy = typer.Typer(help="Policy packs: lint, in-force, import, sign.", no_args_is_help=True)
    cli.add_typer(policy, name="policy")
    _add_lint(policy)
    _add_in_force(policy)
    _add_import(policy, run)
    _add_sign(policy)


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


def _add_import(policy: typer.Typer, run: Callable[[Command], Any]) -> None:
    @policy.command("import")
    def import_(file: Annotated[Path, typer.Argument(exists=True, dir_okay=False)]) -> None:
        """Takes a signed bundle in; its packs wait as proposals for an operator's approval."""
        with file.open("rb") as opened:
            content = opened.read(MAX_BUNDLE_BYTES + 1)

        async def act(parts: Parts[Settings], _: Wiring) -> Taken:
            settings = parts.settings
            library = Library(load_policies(settings.policy_dir), WorkCalendar())
            trust = Trust(library, lambda: read_keys(settings.policy_keys_file))
            carried = Carried(content, Origin.CARRIED_FILE, _BY)
            async with transaction(parts.worker) as conn:
                return await take_in(conn, trust, carried, parts.clock.now())

        taken: Taken = run(act)
        typer.echo(
            f"bundle {taken.sequence} by {taken.key_id}: {len(taken.proposal_ids)} proposals"
        )


def _add_sign(policy: typer.Typer) -> None:
    @policy.command("sign")
    def sign(
        packs: Annotated[list[Path], typer.Argument(exists=True, dir_okay=False)],
        key: Annotated[Path, typer.Option(exists=True, help="Ed25519 private key, PEM.")],
        key_id: Annotated[str, typer.Option(help="The id under which it is known.")],
        sequence: Annotated[int, typer.Option(min=1, help="Higher than any signed before.")],
        out: Annotated[Path, typer.Option(help="The bundle to write.")],
        note: Annotated[str, typer.Option(help="What it brings.")] = "",
    ) -> None:
        """Checks packs, signs them as a bundle that installations will take, and prints the line of
        its key for key rings.
        """
        contents = {path.name: path.read_bytes() for path in packs}
        try:
            if len(contents) < len(packs):
                raise ValueError("two packs have one name; a bundle holds each name once")
            for name, content in contents.items():
                read_pack(name, content)
            publisher = Publisher.of(key_id, key.read_bytes())
            bundle = sealed(publisher, sequence, note, contents)
            opened(bundle, {key_id: publisher.key.public_key()})
        except (PolicyInvalid, BundleRefused, ValueError) as refusal:
            typer.echo(str(refusal), err=True)
            raise typer.Exit(1) from None
        out.write_bytes(bundle)
        typer.echo(publisher.ring_line())
