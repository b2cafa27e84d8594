"""PostgreSQL and Kafka in containers, where a Docker engine answers and has both images already."""

import asyncio
import io
import tarfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from testcontainers.community.postgres import PostgresContainer
from testcontainers.core.container import DockerContainer
from testcontainers.core.waiting_utils import wait_for_logs

from tests.support.docker_engine import KAFKA_IMAGE, POSTGRES_IMAGE

KAFKA_PORT = 9092
START_SCRIPT = "/tmp/start.sh"  # noqa: S108 - a path inside the container


@asynccontextmanager
async def postgres() -> AsyncIterator[str]:
    """A container's superuser address."""
    container = PostgresContainer(POSTGRES_IMAGE, username="postgres", driver=None)
    await asyncio.to_thread(container.start)
    try:
        yield container.get_connection_url()
    finally:
        await asyncio.to_thread(container.stop)


@asynccontextmanager
async def kafka() -> AsyncIterator[str]:
    """A one-node broker's address; it starts once it knows the port that Docker mapped."""
    environment = {
        "KAFKA_NODE_ID": "1",
        "KAFKA_PROCESS_ROLES": "broker,controller",
        "KAFKA_CONTROLLER_QUORUM_VOTERS": "1@localhost:9093",
        "KAFKA_CONTROLLER_LISTENER_NAMES": "CONTROLLER",
        "KAFKA_LISTENERS": f"PLAINTEXT://:{KAFKA_PORT},CONTROLLER://:9093",
        "KAFKA_AUTO_CREATE_TOPICS_ENABLE": "false",
        "KAFKA_OFFSETS_TOPIC_REPLICATION_FACTOR": "1",
        # Without these two a transactional producer waits for ever for three replicas.
        "KAFKA_TRANSACTION_STATE_LOG_REPLICATION_FACTOR": "1",
        "KAFKA_TRANSACTION_STATE_LOG_MIN_ISR": "1",
        "KAFKA_GROUP_INITIAL_REBALANCE_DELAY_MS": "0",
    }
    container = DockerContainer(KAFKA_IMAGE).with_exposed_ports(KAFKA_PORT)
    for name, value in environment.items():
        container.with_env(name, value)
    container.with_command(
        f"sh -c 'until [ -f {START_SCRIPT} ]; do sleep 0.1; done; . {START_SCRIPT}'"
    )
    await asyncio.to_thread(container.start)
    try:
        yield await asyncio.to_thread(_advertise, container)
    finally:
        await asyncio.to_thread(container.stop)


def _advertise(container: DockerContainer) -> str:
    address = f"{container.get_container_host_ip()}:{container.get_exposed_port(KAFKA_PORT)}"
    script = (
        f"export KAFKA_ADVERTISED_LISTENERS=PLAINTEXT://{address}\nexec /etc/kafka/docker/run\n"
    )
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w") as tar:
        entry = tarfile.TarInfo(START_SCRIPT.lstrip("/"))
        entry.size, entry.mode = len(script), 0o644
        tar.addfile(entry, io.BytesIO(script.encode()))
    container.get_wrapped_container().put_archive("/", archive.getvalue())
    wait_for_logs(container, "Kafka Server started", timeout=120)
    return address
