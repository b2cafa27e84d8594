"""Points at which a process can be ended, and the files that arm them.

A point is armed by a file in a folder; whoever passes it first takes the file away, so that it
strikes once.
"""

import os
import signal
import sys
from enum import StrEnum
from pathlib import Path

FOLDER = "CRASH_POINTS"
"""The environment variable that names the folder of armed points."""


class Point(StrEnum):
    """Where a process can end: around each step that two parties must agree on."""

    BATCH_FETCHED = "batch-fetched"
    BATCH_WRITTEN = "batch-written"
    BATCH_COMMITTED = "batch-committed"
    OFFSET_COMMITTED = "offset-committed"
    OUTBOX_READ = "outbox-read"
    OUTBOX_PUBLISHED = "outbox-published"
    OUTBOX_MARKED = "outbox-marked"
    JOB_WRITTEN = "job-written"
    JOB_COMMITTED = "job-committed"
    CALL_INTENDED = "call-intended"
    CALL_ANSWERED = "call-answered"
    REQUEST_WRITTEN = "request-written"
    REQUEST_COMMITTED = "request-committed"


class Armed:
    """The armed points of one part: files `<part>~<point>~<number>~<signal>` in a folder."""

    def __init__(self, folder: Path, part: str) -> None:
        self._folder, self._part = folder, part

    def arm(self, point: Point, number: int, signal_name: str = "SIGKILL") -> Path:
        """Arms `point` once; the path returned is gone once it was passed."""
        path = self._folder / f"{self._part}~{point}~{number}~{signal_name}"
        self._folder.mkdir(parents=True, exist_ok=True)
        path.touch()
        return path

    def passing(self, point: Point) -> None:
        """Ends or stops this process if `point` is armed; it leaves its pid in `struck`."""
        for path in self._folder.glob(f"{self._part}~{point}~*"):
            marks = self._folder / "struck"
            marks.mkdir(exist_ok=True)
            # The log must not end with a line that this process had still in hand.
            sys.stdout.flush()
            path.rename(marks / path.name)
            (marks / path.name).write_text(str(os.getpid()))
            os.kill(os.getpid(), signal.Signals[path.name.rsplit("~", 1)[1]])


def struck(path: Path) -> int | None:
    """The pid that passed a point that was armed as `path`; None until then."""
    mark = path.parent / "struck" / path.name
    return int(mark.read_text() or 0) or None if mark.exists() else None
