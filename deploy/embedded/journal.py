"""One readable stream out of many logs: each line named for its part, coloured on a terminal."""

import asyncio
import os
import sys
from collections.abc import Callable
from pathlib import Path

FOLLOW_SECONDS = 0.2
KEEP_BYTES = 64 * 1024 * 1024
"""A log beyond this starts anew, so that an installation left running does not fill the disk."""
COLOURS = (36, 33, 32, 35, 34, 31, 96, 93, 92, 95, 94)
NAME_WIDTH = len("reconciliation-svc")

Write = Callable[[str], None]


def to_terminal(line: str) -> None:
    """The default sink."""
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def nowhere(_line: str) -> None:
    """The sink of those who show progress of their own; the parts' logs are in files anyway."""


class Journal:
    """Follows the parts' log files: a part is never held up by a slow or closed terminal."""

    def __init__(self, write: Write = to_terminal) -> None:
        self._write = write
        self._coloured = write is to_terminal and sys.stdout.isatty()
        self._positions: dict[Path, int] = {}
        self._colours: dict[str, int] = {}

    def say(self, name: str, line: str) -> None:
        """One line of a part, or of the supervisor itself."""
        prefix = f"{name:<{NAME_WIDTH}} |"
        if self._coloured:
            colour = self._colours.setdefault(name, COLOURS[len(self._colours) % len(COLOURS)])
            prefix = f"\x1b[{colour}m{prefix}\x1b[0m"
        self._write(f"{prefix} {line}")

    def add(self, log: Path) -> None:
        """Follow a log from its present end."""
        self._positions.setdefault(log, log.stat().st_size if log.exists() else 0)

    async def follow(self) -> None:
        """Until cancelled, which first says what is still unsaid."""
        try:
            while True:
                self._read_all()
                await asyncio.sleep(FOLLOW_SECONDS)
        finally:
            self._read_all()

    def _read_all(self) -> None:
        for log, position in list(self._positions.items()):
            if log.exists():
                self._positions[log] = self._read(log, position)

    def _read(self, log: Path, position: int) -> int:
        """Say the whole lines after `position`; the new position."""
        with log.open("rb") as file:
            file.seek(position)
            text, newline, _unfinished = file.read().rpartition(b"\n")
        for line in text.decode(errors="replace").splitlines():
            self.say(log.stem, line)
        position += len(text) + len(newline)
        if position > KEEP_BYTES:
            # Parts append, so they go on at the new end; what was read is in the stream.
            os.truncate(log, 0)
            return 0
        return position


class LogFile:
    """A sink that keeps the last KEEP_BYTES to twice that, in `path` and `path.1`."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._path = path
        self._file = path.open("a", encoding="utf-8")

    def __call__(self, line: str) -> None:
        self._file.write(line + "\n")
        self._file.flush()
        if self._file.tell() > KEEP_BYTES:
            self._file.close()
            self._path.replace(self._path.with_name(self._path.name + ".1"))
            self._file = self._path.open("a", encoding="utf-8")

    def close(self) -> None:
        """No line may follow."""
        self._file.close()
