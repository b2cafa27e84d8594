"""Whether containers can be used: a Docker engine answers and has both images already."""

import functools
import os
import socket

POSTGRES_IMAGE = "postgres:18"
KAFKA_IMAGE = "apache/kafka:4.4.0"
DEFAULT_HOST = "unix:///var/run/docker.sock"
TIMEOUT_SECONDS = 3


@functools.cache
def has_images() -> bool:
    """Asked of the engine itself: a test run never pulls from an image registry."""
    try:
        return all(_has(image) for image in (POSTGRES_IMAGE, KAFKA_IMAGE))
    except OSError:
        return False


def _has(image: str) -> bool:
    # Plain sockets: both Docker's and httpx's clients leak theirs when no engine listens.
    with _connected() as engine:
        engine.sendall(f"GET /images/{image}/json HTTP/1.0\r\nHost: docker\r\n\r\n".encode())
        status_line = engine.recv(64)
    return b" 200 " in status_line


def _connected() -> socket.socket:
    scheme, _, address = os.environ.get("DOCKER_HOST", DEFAULT_HOST).partition("://")
    if scheme == "tcp":
        host, _, port = address.rpartition(":")
        return socket.create_connection((host, int(port)), timeout=TIMEOUT_SECONDS)
    engine = socket.socket(socket.AF_UNIX)
    try:
        engine.settimeout(TIMEOUT_SECONDS)
        engine.connect(address)
    except OSError:
        engine.close()
        raise
    return engine
