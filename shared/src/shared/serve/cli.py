"""The command line that every service has: serve, migrate, replay, recover, dead-letters,
openapi, doctor.
"""

import asyncio
import json
import os
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Annotated, Any, TypeVar

import typer

from shared import consumer, logs, migrate, outbox
from shared.clock import SystemClock
from shared.db import connect, transaction
from shared.refusal import Refusal
from shared.serve import dead_letters, recovery
from shared.serve.app import make_app
from shared.serve.service import Parts, Service, SettingsT, Wiring, close_parts, open_parts, serve
from shared.serve.settings import SettingsRefused, load

ResultT = TypeVar("ResultT")

_DOCUMENT_URL = "postgresql+asyncpg://documents-only"
_EXIT_SETTINGS = 2
_BY = "command line"


def command(service: Service[SettingsT]) -> Callable[[], None]:
    """The service's console script."""
    cli = typer.Typer(
        help=service.description,
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
    )
    dead = typer.Typer(help="Parked events: list, show, replay, drop.", no_args_is_help=True)
    cli.add_typer(dead, name="dead-letters")
    _add_running(cli, service)
    _add_recovering(cli, service)
    _add_documents(cli, service)
    _add_dead_letter_views(dead, service)
    _add_dead_letter_acts(dead, service)
    if service.commands is not None:
        service.commands(cli, partial(_with_parts, service))
    return cli


def _settings(service: Service[SettingsT]) -> SettingsT:
    try:
        return load(service.settings)
    except SettingsRefused as error:
        typer.echo(f"{service.name} does not start: {error}", err=True)
        raise typer.Exit(_EXIT_SETTINGS) from None


def _add_running(cli: typer.Typer, service: Service[SettingsT]) -> None:
    @cli.command("serve")
    def serve_() -> None:
        """Runs HTTP, consumers, relay and jobs until SIGTERM."""
        settings = _settings(service)
        try:
            asyncio.run(serve(service, settings))
        except SettingsRefused as error:
            typer.echo(f"{service.name} does not start: {error}", err=True)
            raise typer.Exit(_EXIT_SETTINGS) from None

    @cli.command("migrate")
    def migrate_() -> None:
        """Brings the database to the newest schema, as its owner (DATABASE_OWNER_URL)."""
        url = os.environ.get("DATABASE_OWNER_URL", "")
        if not url:
            typer.echo(f"{service.name} does not migrate: DATABASE_OWNER_URL is missing", err=True)
            raise typer.Exit(_EXIT_SETTINGS)
        asyncio.run(migrate.upgrade(url, service.package))

    @cli.command()
    def replay(topic: Annotated[str | None, typer.Option(help="Only this topic.")] = None) -> None:
        """Tells the newest version of every aggregate again, with its old event id."""

        async def act(parts: Parts[Any], _: Wiring) -> int:
            async with transaction(parts.worker) as conn:
                return await outbox.replay(conn, topic)

        typer.echo(f"{_with_parts(service, act)} events will be told again")


def _add_recovering(cli: typer.Typer, service: Service[SettingsT]) -> None:
    @cli.command()
    def recover() -> None:
        """After a restore, before the start: takes back what was told, hears what was missed."""

        async def act(parts: Parts[Any], wiring: Wiring) -> list[str]:
            return await recovery.recover(service.name, parts, wiring)

        try:
            lines = _with_parts(service, act)
        except consumer.GroupRuns as running:
            typer.echo(str(running), err=True)
            raise typer.Exit(1) from None
        for line in lines:
            typer.echo(line)


def _add_documents(cli: typer.Typer, service: Service[SettingsT]) -> None:
    @cli.command()
    def openapi() -> None:
        """Prints the OpenAPI document."""
        typer.echo(
            json.dumps(openapi_document(service), ensure_ascii=False, indent=1, sort_keys=True)
        )

    @cli.command()
    def doctor() -> None:
        """Prints the effective settings, secrets hidden, and whether the database answers."""
        settings = _settings(service)
        for name, value in sorted(settings.model_dump(mode="json").items()):
            typer.echo(f"{name.upper()}={value}")

        async def act(parts: Parts[Any], _: Wiring) -> int:
            async with transaction(parts.worker) as conn:
                return await outbox.unsent(conn)

        typer.echo(f"database answers; {_with_parts(service, act)} events wait to be published")


def openapi_document(service: Service[SettingsT]) -> dict[str, Any]:
    """The service's OpenAPI document, made without a database, a broker or settings."""
    settings = service.settings.model_construct(
        **{
            name: field.default
            for name, field in service.settings.model_fields.items()
            if not field.is_required()
        }
    )
    engine = connect(_DOCUMENT_URL, service.name)
    wiring = service.build(Parts(settings, engine, engine, SystemClock()))
    dead = dead_letters.routes(engine, wiring.handlers, versioned=wiring.versioned)
    return make_app(service.name, service.description, [*wiring.routers, dead], None).openapi()


def _add_dead_letter_views(dead: typer.Typer, service: Service[SettingsT]) -> None:
    @dead.command("list")
    def list_() -> None:
        """The parked keys, the longest waiting first."""

        async def act(parts: Parts[Any], _: Wiring) -> list[consumer.ParkedKey]:
            async with transaction(parts.worker) as conn:
                return await consumer.parked_keys(conn)

        for key in _with_parts(service, act):
            typer.echo(
                f"{key.topic}\t{key.key}\t{key.events} events\tsince {key.parked_at}"
                f"\t{key.reason}: {key.error}"
            )

    @dead.command()
    def show(topic: str, key: str) -> None:
        """The events of one key, in the order of replay."""

        async def act(parts: Parts[Any], _: Wiring) -> list[consumer.ParkedEvent]:
            async with transaction(parts.worker) as conn:
                return await consumer.parked_events(conn, topic, key)

        for event in _with_parts(service, act):
            typer.echo(
                f"{event.seq}\t{event.type}\t{event.event_id}\t{event.state}"
                f"\t{event.error}\n  {'; '.join(event.headers)}\n  {event.body}"
            )


def _add_dead_letter_acts(dead: typer.Typer, service: Service[SettingsT]) -> None:
    @dead.command()
    def replay(topic: str, key: str) -> None:
        """Runs one key's events again, in order; exit code 1 if one still fails."""

        async def act(parts: Parts[Any], wiring: Wiring) -> consumer.Replay:
            async with transaction(parts.worker) as conn:
                return await consumer.replay_key(
                    conn, wiring.handlers, topic, key, _BY, versioned=wiring.versioned
                )

        replay = _with_parts(service, act)
        stopped = f"; stopped by {replay.stopped_by}" if replay.stopped_by else ""
        typer.echo(f"{replay.replayed} events replayed{stopped}{_waiting(replay.waiting)}")
        if replay.stopped_by:
            raise typer.Exit(1)

    @dead.command()
    def drop(
        topic: str,
        key: str,
        reason: Annotated[str, typer.Option(help="Why; it is kept.")],
        seq: Annotated[int | None, typer.Option(help="Only the event of this number.")] = None,
    ) -> None:
        """Gives one key's parked events up, or one of them: then replay those behind it."""

        async def act(parts: Parts[Any], _: Wiring) -> consumer.Drop:
            async with transaction(parts.worker) as conn:
                return await consumer.drop_key(conn, topic, key, _BY, reason, seq)

        drop = _with_parts(service, act)
        typer.echo(f"{drop.dropped} events dropped{_waiting(drop.waiting)}")


def _waiting(events: int) -> str:
    return f"; {events} of the key still wait" if events else ""


def _with_parts(
    service: Service[SettingsT], act: Callable[[Parts[Any], Wiring], Awaitable[ResultT]]
) -> ResultT:
    settings = _settings(service)
    logs.set_up(service.name, "WARNING")

    async def run() -> ResultT:
        parts, following = await open_parts(service, settings)
        wiring = service.build(parts)
        try:
            return await act(parts, wiring)
        finally:
            for close in wiring.closers:
                await close()
            await close_parts(parts, following)

    try:
        return asyncio.run(run())
    except Refusal as refusal:
        typer.echo(str(refusal), err=True)
        raise typer.Exit(1) from None
