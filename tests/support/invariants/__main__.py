"""The checker as a command: exit code 1 and one line for each broken law."""

import argparse
import asyncio
import json
import os
import re
import sys
from dataclasses import dataclass
from pathlib import Path

from tests.support.invariants import RULES, ParkedKey, check

UP = Path(__file__).parents[3] / "var" / "up"


@dataclass(frozen=True)
class Addresses:
    """Where a running installation is."""

    postgres_url: str
    kafka_bootstrap: str


class NotRunning(Exception):
    """The folder is none of a running embedded installation."""


def addresses_in(data_dir: Path) -> Addresses:
    """Of the embedded installation with this data folder, from what its servers wrote there."""
    try:
        passwords = json.loads((data_dir / "secrets" / "passwords.json").read_text())
        port = (data_dir / "postgres" / "postmaster.pid").read_text().splitlines()[3]
        properties = (data_dir / "run" / "server.properties").read_text()
    except (OSError, IndexError) as missing:
        raise NotRunning(f"nothing runs in {data_dir}: {missing}") from missing
    broker = re.search(r"^advertised\.listeners=PLAINTEXT://(\S+)$", properties, re.MULTILINE)
    if broker is None:
        raise NotRunning(f"{data_dir / 'run' / 'server.properties'} names no broker")
    url = f"postgresql://postgres:{passwords['postgres']}@127.0.0.1:{port}/postgres"
    return Addresses(url, broker[1])


def _parked_key(text: str) -> ParkedKey:
    service, topic, key = text.split("/", 2)
    return ParkedKey(service, topic, key)


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")


def main() -> int:
    """The number of broken laws decides the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tests.support.invariants", description=__doc__)
    parser.add_argument(
        "data_dir", nargs="?", type=Path, default=UP, help="of an embedded installation; var/up"
    )
    parser.add_argument(
        "--postgres",
        default=os.environ.get("POSTGRES_URL", ""),
        help="a superuser's postgresql://… (POSTGRES_URL), in place of the folder's",
    )
    parser.add_argument(
        "--kafka",
        default=os.environ.get("KAFKA_BOOTSTRAP", ""),
        help="host:port (KAFKA_BOOTSTRAP), in place of the folder's",
    )
    parser.add_argument(
        "--parked",
        action="append",
        default=[],
        type=_parked_key,
        metavar="SERVICE/TOPIC/KEY",
        help="a key that is known to be parked",
    )
    parser.add_argument("--laws", action="store_true", help="print every law and check nothing")
    chosen = parser.parse_args()
    if chosen.laws:
        for rule in RULES:
            _say(f"{rule.invariant:<4}{rule.name:<34}{rule.statement}")
        return 0
    if chosen.postgres and chosen.kafka:
        where = Addresses(chosen.postgres, chosen.kafka)
    else:
        try:
            where = addresses_in(chosen.data_dir)
        except NotRunning as reason:
            sys.exit(str(reason))
    violations = asyncio.run(check(where, planted=chosen.parked))
    for violation in violations:
        _say(str(violation))
    _say(f"{len(RULES)} laws checked, {len(violations)} violations")
    return 1 if violations else 0


if __name__ == "__main__":
    sys.exit(main())
