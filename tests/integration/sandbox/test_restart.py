"""What a restart keeps: time, store, timers, faults, and the issuer's keys."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import httpx

from deploy.embedded.layout import free_ports
from tests.support.eventually import eventually
from tests.support.kafka_topics import Topics
from tests.support.parties import (
    KEYS,
    WEBHOOK_SECRET,
    declaration,
    detail,
    own_database,
    running,
    told,
)
from tests.support.parties import settings_of as sandbox_settings


async def test_a_restart_keeps_everything(
    postgres_url: str, topics: Topics, tmp_path: Path
) -> None:
    topic = await topics.unique("sandbox.clock", partitions=1, compacted=True)
    async with own_database(postgres_url) as database_url:
        settings = sandbox_settings(tmp_path, database_url, topics.bootstrap, topic)
        async with running(settings) as sandbox:
            keys = (await sandbox.oidc.get("/jwks")).json()
            await sandbox.step("2024-10-10T18:30:00+08:00")
            await sandbox.order("medical-990100", "record_late", params={"days": 2})
            await sandbox.collector.post("/tax-990100/declarations", json=declaration("S-1"))
        async with running(settings) as sandbox:
            assert (await sandbox.oidc.get("/jwks")).json() == keys
            clock = (await sandbox.control.get("/clock")).json()
            assert clock == {"at": "2024-10-10T18:30:00+08:00"}
            await sandbox.authorities.post("/medical-990100/details", json=detail("D-1"))
            await sandbox.step("2024-10-13T06:00:00+08:00")
            verified = await sandbox.collector.get("/tax-990100/declarations/S-1")
            assert verified.json()["verified_at"] == "2024-10-10T20:30:00+08:00"
            person = await sandbox.authorities.get(
                "/medical-990100/records/110101199003070038",
                params={"from": "202410", "to": "202410"},
            )
            assert [row["EAD131"] for row in person.json()["rows"]] == ["20241013"]


async def test_business_time_is_told_again_where_the_topic_has_lost_it(
    postgres_url: str, topics: Topics, tmp_path: Path
) -> None:
    """Kafka's data folder was deleted: nobody who follows the clock may fall back to its start."""
    before, after = [
        await topics.unique("sandbox.clock", partitions=1, compacted=True) for _ in range(2)
    ]
    async with own_database(postgres_url) as database_url:
        settings = sandbox_settings(tmp_path, database_url, topics.bootstrap, before)
        async with running(settings) as sandbox:
            await sandbox.step("2024-10-10T18:30:00+08:00")
        settings = sandbox_settings(tmp_path, database_url, topics.bootstrap, after)
        async with running(settings) as sandbox:
            assert await told(sandbox) == [(b"clock", "2024-10-10T10:30:00+00:00")]
            clock = (await sandbox.control.get("/clock")).json()
            assert clock == {"at": "2024-10-10T18:30:00+08:00"}


async def test_the_command_serves_until_it_is_told_to_stop(
    postgres_url: str, topics: Topics, tmp_path: Path
) -> None:
    topic = await topics.unique("sandbox.clock", partitions=1, compacted=True)
    names = ("BANK", "COLLECTOR", "AUTHORITIES", "OIDC", "CONTROL", "SMTP")
    ports = dict(zip(names, free_ports(len(names)), strict=True))
    secrets = {
        "BANK": KEYS["bank"][1].decode(),
        "BUREAU": KEYS["bureau"][1].decode(),
        "WEBHOOK": WEBHOOK_SECRET,
    }
    for name, secret in secrets.items():
        (tmp_path / name).write_text(secret)
    async with own_database(postgres_url) as database_url:
        environment = {
            **os.environ,
            **{f"SANDBOX_PORT_{name}": str(port) for name, port in ports.items()},
            **{f"SANDBOX_{name}_SECRET_FILE": str(tmp_path / name) for name in secrets},
            "SANDBOX_DATABASE_URL": database_url,
            "SANDBOX_CLOCK_TOPIC": topic,
            "SANDBOX_CLOCK_START": "2025-01-01T00:00:00Z",
            "SANDBOX_BANK_KEY_ID": "bank-key",
            "SANDBOX_BUREAU_KEY_ID": "bureau-key",
            "KAFKA_BOOTSTRAP": topics.bootstrap,
        }
        command = [str(Path(sys.executable).with_name("sandbox")), "serve"]
        with (tmp_path / "log").open("wb") as log:
            process = subprocess.Popen(command, env=environment, stdout=log, stderr=log)  # noqa: ASYNC220, S603
        try:
            async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{ports['CONTROL']}") as client:

                async def answers() -> bool:
                    assert process.poll() is None, (tmp_path / "log").read_text()
                    try:
                        said = (await client.get("/readyz")).json()
                    except httpx.ConnectError:
                        return False
                    return bool(said["business_time"] == "2025-01-01T00:00:00+00:00")

                await eventually(answers, within=60)
                rebound = await client.get("/readyz", headers={"host": "elsewhere.example"})
                assert rebound.status_code == 400
            process.send_signal(signal.SIGTERM)
            await eventually(lambda: process.poll() is not None, within=30)
            assert process.returncode == 0, (tmp_path / "log").read_text()
        finally:
            process.kill()
            process.wait()


def test_a_missing_setting_is_named_at_start() -> None:
    command = [str(Path(sys.executable).with_name("sandbox")), "serve"]
    environment = {"PATH": os.environ["PATH"], "SANDBOX_PORT_BANK": "x"}
    ended = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60)  # noqa: S603
    assert ended.returncode == 2
    assert "SANDBOX_PORT_BANK" in ended.stderr
    assert "SANDBOX_DATABASE_URL" in ended.stderr
