"""The golden examples: one Kafka record per event, written by hand once, never rewritten."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from tests.support.schemas.history import ROOT, ever_committed

FOLDER = "tests/support/golden"


@dataclass(frozen=True)
class Golden:
    """One record: `headers` as text by name, `data` the body as plain JSON values."""

    name: str
    topic: str
    key: str
    headers: dict[str, str]
    data: dict[str, Any]

    def body(self) -> bytes:
        return json.dumps(self.data, ensure_ascii=False).encode()

    def raw_headers(self) -> list[tuple[str, bytes]]:
        return [(name, text.encode()) for name, text in self.headers.items()]


def golden_examples() -> Iterator[Golden]:
    """Those in the working tree, by name."""
    for path in sorted((ROOT / FOLDER).glob("*.json")):
        yield _parsed(path.name, path.read_text())


def golden_examples_of_old() -> Iterator[Golden]:
    """Each version that was ever committed: events like it are in somebody's topic or archive."""
    for name, text in ever_committed(FOLDER):
        yield _parsed(name, text)


def _parsed(name: str, text: str) -> Golden:
    return Golden(name=name, **json.loads(text))
