"""The real Apache Kafka of the embedded profile: one KRaft node, verified jars, a wheel's Java."""

import asyncio
import base64
import logging
import secrets
import shutil
import time
from dataclasses import dataclass, field
from pathlib import Path

from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError

from deploy.embedded import jars, processes
from deploy.embedded.processes import PartFailed, Process

START_LIMIT_SECONDS = 120.0
"""Three seconds when idle; 16 s were seen after kill -9 under load."""
STOP_PATIENCE_SECONDS = 30.0

JVM = (
    *("-Xmx256m", "-Xms64m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"),
    # An exhausted heap ends the broker, and the supervisor says so; else it lingers half dead.
    *("-XX:+ExitOnOutOfMemoryError", "-Djava.awt.headless=true"),
    f"-Dlog4j2.configurationFile={Path(__file__).with_name('log4j2.properties')}",
)


@dataclass
class Kafka:
    """One broker that is its own controller: `data_dir` holds its log, `run_dir` its settings."""

    data_dir: Path
    run_dir: Path
    port: int
    controller_port: int
    process: Process | None = field(default=None, init=False)

    @property
    def bootstrap(self) -> str:
        return f"127.0.0.1:{self.port}"

    async def start(self) -> None:
        """Fetch the jars and format when new, start, and return once metadata is answered."""
        java = await self._java()
        properties = self._write_properties(self.data_dir)
        await self._format(java)
        argv = [*java, "kafka.Kafka", str(properties)]
        self.process = processes.launch("kafka", argv, self.run_dir)
        await self._await_ready(self.process)

    async def stop(self) -> None:
        """SIGTERM lets the broker close its segments; after the patience it is killed."""
        if self.process is not None:
            await processes.stop(self.process, STOP_PATIENCE_SECONDS)
            self.process = None

    async def _java(self) -> list[str]:
        folder = await jars.kafka_jars()
        return [str(jars.java_home() / "bin" / "java"), *JVM, "-cp", f"{folder}/*"]

    async def _format(self, java: list[str]) -> None:
        if self.data_dir.exists():
            return
        unfinished = self.data_dir.with_name(self.data_dir.name + ".new")
        shutil.rmtree(unfinished, ignore_errors=True)
        properties = self._write_properties(unfinished)
        cluster = base64.urlsafe_b64encode(secrets.token_bytes(16)).decode().rstrip("=")
        # A leading dash would be read as an option.
        cluster = "A" + cluster[1:]
        argv = [
            *(*java, "kafka.tools.StorageTool", "format"),
            *("--cluster-id", cluster, "--config", str(properties)),
        ]
        await processes.run_once("kafka-format", argv, self.run_dir, START_LIMIT_SECONDS)
        unfinished.rename(self.data_dir)
        self._write_properties(self.data_dir)

    def _write_properties(self, log_dir: Path) -> Path:
        self.run_dir.mkdir(parents=True, exist_ok=True)
        broker, controller = f"127.0.0.1:{self.port}", f"127.0.0.1:{self.controller_port}"
        settings = {
            "process.roles": "broker,controller",
            "node.id": "1",
            "controller.quorum.voters": f"1@{controller}",
            "controller.listener.names": "CONTROLLER",
            "listeners": f"PLAINTEXT://{broker},CONTROLLER://{controller}",
            "advertised.listeners": f"PLAINTEXT://{broker}",
            "log.dirs": str(log_dir),
            # Topics are made by deploy/topics.py, never by a typing error.
            "auto.create.topics.enable": "false",
            "default.replication.factor": "1",
            "offsets.topic.num.partitions": "3",
            "offsets.topic.replication.factor": "1",
            "transaction.state.log.num.partitions": "3",
            "transaction.state.log.replication.factor": "1",
            "transaction.state.log.min.isr": "1",
            "share.coordinator.state.topic.num.partitions": "1",
            "share.coordinator.state.topic.replication.factor": "1",
            "share.coordinator.state.topic.min.isr": "1",
            # An installation that was down for weeks finds its offsets again: as long as events.
            "offsets.retention.minutes": "129600",
            "group.initial.rebalance.delay.ms": "0",
            # A killed broker may register again only when its former life has timed out.
            "broker.session.timeout.ms": "6000",
            "broker.heartbeat.interval.ms": "1000",
            "num.network.threads": "2",
            "num.io.threads": "4",
            # The cleaner's buffer is taken from the 256 MB heap; the default is half of that.
            "log.cleaner.dedupe.buffer.size": "16777216",
        }
        path = self.run_dir / "server.properties"
        path.write_text("".join(f"{name}={value}\n" for name, value in settings.items()))
        return path

    async def _await_ready(self, process: Process) -> None:
        deadline = time.monotonic() + START_LIMIT_SECONDS
        while time.monotonic() < deadline:
            if not process.alive:
                await self.stop()
                raise PartFailed(f"Kafka did not start\n{processes.tail(process.log)}")
            if await answers(self.bootstrap):
                return
            await asyncio.sleep(0.1)
        await self.stop()
        raise PartFailed(
            f"Kafka was not ready in {START_LIMIT_SECONDS:.0f} s\n{processes.tail(process.log)}"
        )


async def answers(bootstrap: str) -> bool:
    """Whether the broker gives metadata that names a controller."""
    host, port = bootstrap.rsplit(":", 1)
    try:
        _, writer = await asyncio.open_connection(host, int(port))
    except OSError:
        return False
    writer.close()
    # The client writes an error for each refused try; during a start that is no news.
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap, request_timeout_ms=5_000)
    try:
        await admin.start()
        cluster = await admin.describe_cluster()
    except (KafkaError, OSError, TimeoutError):
        return False
    finally:
        logging.getLogger("aiokafka").setLevel(logging.NOTSET)
        await admin.close()
    return bool(cluster["brokers"]) and cluster["controller_id"] >= 0
