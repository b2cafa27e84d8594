"""The commands behind `make up`, `down`, `status` and `demo`; backup, restore; servers alone."""

import argparse
import asyncio
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Coroutine
from pathlib import Path

import httpx

from deploy.embedded import backup, jars, processes
from deploy.embedded.credentials import OPERATOR, Credentials, make_credentials
from deploy.embedded.demo import demo
from deploy.embedded.journal import Journal, LogFile, nowhere
from deploy.embedded.kafka import Kafka
from deploy.embedded.layout import Layout, fixed_layout, free_ports
from deploy.embedded.postgres import Postgres
from deploy.embedded.processes import PartFailed
from deploy.embedded.program import is_ready
from deploy.embedded.stack import Stack, stack
from deploy.embedded.supervisor import OURS, RestartsExhausted

HOME = Path(__file__).parents[2] / "var" / "up"
LOG = HOME / "log"
READY = HOME / "run" / "ready"
UP_LIMIT_SECONDS = 600.0
DOWN_LIMIT_SECONDS = 120.0


def say(text: str = "") -> None:
    """A line for the person at the terminal."""
    try:
        sys.stdout.write(text + "\n")
        sys.stdout.flush()
    except BrokenPipeError:
        # Whoever read has seen enough, as `head` has: the work goes on, the rest is said to nobody.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


async def run() -> None:
    """The supervisor itself, in the foreground; `up` starts it detached."""
    processes.record_own(OURS, HOME / "run")
    log = LogFile(LOG)
    try:
        async with stack(HOME, ports="fixed", log=log) as running:
            await _admit_operator(running.layout, running.credentials)
            READY.touch()
            await asyncio.Event().wait()
    except (PartFailed, RestartsExhausted) as failure:
        log(f"{OURS}: {failure}")
        sys.exit(1)
    finally:
        log.close()
        READY.unlink(missing_ok=True)
        processes.forget(OURS, HOME / "run")


async def _admit_operator(layout: Layout, credentials: Credentials) -> None:
    """The sandbox's issuer learns the first sign-in; a second time changes nothing."""
    person = {
        "sub": OPERATOR,
        "password": credentials.passwords[OPERATOR],
        "roles": ["operator"],
        "employer_ids": [],
        "employee_id": "",
        "name": "Operator",
    }
    async with httpx.AsyncClient() as client:
        answer = await client.post(layout.sandbox_url("control") + "/people", json=person)
    if answer.is_error:
        raise PartFailed(f"the sandbox did not take the operator's sign-in: {answer.text}")


def up() -> None:
    """Start everything detached, show progress, and return when it is ready."""
    if OURS in processes.living(HOME / "run"):
        say("Daozhang is already up.")
        _show_addresses()
        return
    READY.unlink(missing_ok=True)
    start = LOG.stat().st_size if LOG.exists() else 0
    HOME.mkdir(parents=True, exist_ok=True)
    with (HOME / "supervisor.err").open("wb") as errors:
        supervisor = subprocess.Popen(
            [sys.executable, "-m", "deploy.embedded", "run"],
            stdin=subprocess.DEVNULL,
            stdout=errors,
            stderr=errors,
            start_new_session=True,
        )
    if not _await_ready(supervisor, start):
        say(processes.tail(LOG))
        say((HOME / "supervisor.err").read_text())
        sys.exit(f"Daozhang did not start; all logs are in {HOME / 'run'}")
    _show_addresses()


def _await_ready(supervisor: subprocess.Popen[bytes], position: int) -> bool:
    deadline = time.monotonic() + UP_LIMIT_SECONDS
    while time.monotonic() < deadline:
        position = _show_progress(position)
        if READY.exists():
            return True
        if supervisor.poll() is not None:
            return False
        time.sleep(0.2)
    supervisor.terminate()
    supervisor.wait()
    return False


def _show_progress(position: int) -> int:
    """Pass on what the supervisor said since `position` in its log; the new position."""
    if not LOG.exists():
        return position
    with LOG.open("rb") as log:
        log.seek(position)
        text, newline, _ = log.read().rpartition(b"\n")
    for line in text.decode(errors="replace").splitlines():
        if line.startswith(OURS):
            say(line)
    return position + len(text) + len(newline)


def _show_addresses() -> None:
    layout = fixed_layout(HOME)
    credentials = make_credentials(HOME / "secrets")
    say()
    for name in layout.services:
        say(f"  {name + '-svc':<20} {layout.service_url(name)}/docs")
    for name, port in layout.sandbox.items():
        say(f"  {'sandbox ' + name:<20} 127.0.0.1:{port}")
    say(f"  {'postgres':<20} 127.0.0.1:{layout.postgres}")
    say(f"  {'kafka':<20} {layout.kafka_bootstrap}")
    say(f"\n  Sign in at {layout.sandbox_url('oidc')}")
    say(f"    {OPERATOR} / {credentials.passwords[OPERATOR]}")
    say(f"\n  Log: {LOG}    passwords and keys: {credentials.folder}    stop: make down")


async def down() -> None:
    """Stop everything and make sure that nothing is left."""
    run_dir = HOME / "run"
    pid = processes.living(run_dir).get(OURS)
    if pid is not None:
        os.kill(pid, signal.SIGTERM)
        await processes.wait_for_end(pid, DOWN_LIMIT_SECONDS)
    orphans = await processes.end_orphans(run_dir)
    if left := processes.living(run_dir):
        sys.exit(f"These processes do not end: {left}")
    if pid is None and not orphans:
        say("Daozhang is not up.")
    else:
        say("Daozhang is down; its data is kept in var/up.")


async def status() -> None:
    """Each part with its pid and readiness; exit code 1 when not all is well."""
    layout = fixed_layout(HOME)
    pids = processes.living(layout.run_dir)
    if not pids:
        say("Daozhang is not up.")
        sys.exit(1)
    addresses = {f"{name}-svc": layout.service_url(name) for name in layout.services}
    addresses["sandbox"] = layout.sandbox_url("control")
    well = True
    for name in (OURS, "postgres", "kafka"):
        well &= name in pids
        say(f"  {name:<20} {pids.get(name, '-'):>8}  {'runs' if name in pids else 'DOWN'}")
    for name, address in addresses.items():
        ready = name in pids and await is_ready(address + "/readyz")
        well &= ready
        state = "ready" if ready else "NOT READY" if name in pids else "DOWN"
        say(f"  {name:<20} {pids.get(name, '-'):>8}  {state:<10} {address}")
    if not well:
        sys.exit(1)


async def servers() -> None:
    """PostgreSQL and Kafka alone, until Ctrl-C: repeated test runs need not start their own."""
    with tempfile.TemporaryDirectory(prefix="daozhang-servers-") as folder:
        home = Path(folder)
        port, broker, controller = free_ports(3)
        postgres = Postgres(home / "postgres", home / "run", port, "postgres")
        kafka = Kafka(home / "kafka", home / "run", broker, controller)
        try:
            await asyncio.gather(postgres.start(), kafka.start())
            say(f"export POSTGRES_URL={postgres.url} KAFKA_BOOTSTRAP={kafka.bootstrap}")
            await asyncio.Event().wait()
        finally:
            await asyncio.gather(postgres.stop(), kafka.stop())


async def make_backup(folder: Path) -> None:
    """Back all services' databases up, without identities; the installation goes on."""
    await backup.backup(_postgres().url, folder)
    say(f"The backup is in {folder}. Identities are not in it: back them up with `backup-keys`.")


async def make_key_backup(folder: Path) -> None:
    """Back the identities up, apart; nothing older than 35 days may be kept."""
    await backup.backup_keys(_postgres().url, folder)
    say(f"The identities are in {folder}.")


async def restore(folder: Path, keys: Path) -> None:
    """Replace every database by a backup, with the newest identities; everything is down."""
    if left := processes.living(HOME / "run"):
        sys.exit(f"These still run: {', '.join(left)}. Stop them first: make down")
    knows = (HOME / "kafka").exists()
    postgres = _postgres()
    await postgres.start()
    try:
        passwords = make_credentials(HOME / "secrets").passwords
        await backup.restore(postgres.url, passwords, folder, keys)
        if knows:
            await _recover()
    finally:
        await postgres.stop()
    say("Restored. `make up` starts everything; erasures of since then are done again.")
    if not knows:
        say("Kafka has no data: once all is up, run `<name>-svc replay` for each service.")


async def _recover() -> None:
    """Each service takes back what it told since the backup, before any of them is started."""
    layout = fixed_layout(HOME)
    restored = Stack(layout, Journal(nowhere), _postgres().url, "", {})
    kafka = Kafka(layout.data_dir / "kafka", layout.run_dir, layout.kafka, layout.kafka_controller)
    await kafka.start()
    try:
        services = [program for program in restored.programs if program.part.recover]
        for program in services:
            await program.migrate()
        for program in services:
            await program.recover()
            say(f"{program.name} has recovered; what is lost stands in {program.name}.recover.log")
    finally:
        await kafka.stop()


def _postgres() -> Postgres:
    password = make_credentials(HOME / "secrets").passwords["postgres"]
    return Postgres(HOME / "postgres", HOME / "run", fixed_layout(HOME).postgres, password)


async def fetch_jars() -> None:
    """Get Kafka's jars now, so that the first start does not have to."""
    await jars.kafka_jars()


async def lock_jars() -> None:
    """Write deploy/embedded/jars.lock.toml anew, after a change of version."""
    jars.cache_dir().mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=jars.cache_dir()) as scratch:
        jars.write_lock(await jars.fetch(Path(scratch)))
    say(f"{jars.LOCK.name} is written; look at the difference before you commit it")


def _until_signal(work: Callable[[], Coroutine[None, None, None]]) -> None:
    """Run to the end; SIGTERM and Ctrl-C cancel once, and then let it stop in good order."""

    async def guarded() -> None:
        task = asyncio.ensure_future(work())
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            # Only the first counts: a second one must not interrupt the stopping.
            loop.add_signal_handler(number, lambda: None if task.cancelling() else task.cancel())
        try:
            await task
        except asyncio.CancelledError:
            return

    asyncio.run(guarded())


def main() -> None:
    """`python -m deploy.embedded COMMAND`."""
    awaited = {
        "run": run,
        "demo": demo,
        "down": down,
        "status": status,
        "servers": servers,
        "fetch-jars": fetch_jars,
        "lock-jars": lock_jars,
    }
    with_folders: dict[str, Callable[..., Coroutine[None, None, None]]] = {
        "backup": make_backup,
        "backup-keys": make_key_backup,
        "restore": restore,
    }
    parser = argparse.ArgumentParser(prog="python -m deploy.embedded", description=__doc__)
    parser.add_argument("command", choices=["up", *awaited, *with_folders])
    parser.add_argument("folders", type=Path, nargs="*", help="backup, and for restore its keys")
    chosen = parser.parse_args()
    command, folders = chosen.command, chosen.folders
    if len(folders) != {"restore": 2}.get(command, int(command in with_folders)):
        parser.error("backup DIR | backup-keys DIR | restore DIR KEYS_DIR")
    if command == "up":
        up()
    elif command in with_folders:
        _until_signal(lambda: with_folders[command](*folders))
    else:
        _until_signal(awaited[command])


if __name__ == "__main__":
    main()
