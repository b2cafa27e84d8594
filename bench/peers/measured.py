"""What every peer's script shares, from the standard library alone: the roster read, the peer
timed, its answer written.

A script gives three steps: `prepare` (not timed) turns the roster into what its tool likes best,
`calculate` (timed) makes every line, and `columns` (not timed) gives the answer as buffers: for
each insurance state (8-bit) and base, employer and employee amount in fen (64-bit).
"""

import json
import sys
import time
from array import array
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

LI, FEN, JIAO, YUAN = 100_000, 1_000_000, 10_000_000, 100_000_000
LIFT_AND_UNIT = {
    "fen_half_up": (FEN // 2, FEN),
    "li_up_to_fen": (FEN - LI, FEN),
    "fen_up_to_jiao": (JIAO - FEN, JIAO),
    "yuan_half_up": (YUAN // 2, YUAN),
    "up_to_yuan": (YUAN - 1, YUAN),
}
"""The rules of this roster, in millionths of a fen: lift an amount, then cut it to whole units."""

Answer = Mapping[str, Sequence[Any]]
PreparedT = TypeVar("PreparedT")
LinesT = TypeVar("LinesT")


@dataclass(frozen=True)
class Roster:
    """`figures[insurance]` has a row a position; wages (fen) and positions have a row a person."""

    figures: Mapping[str, Sequence[Mapping[str, Any]]]
    wage_fen: "array[int]"
    position: "array[int]"

    def column(self, insurance: str, name: str) -> list[int]:
        """One figure of an insurance by position; `employer_lift` and `employer_unit` (and the
        employee's) come from the rounding.
        """
        rows = self.figures[insurance]
        side, _, part = name.rpartition("_")
        if part in ("lift", "unit"):
            return [LIFT_AND_UNIT[row[f"{side}_rounding"]][part == "unit"] for row in rows]
        return [row[name] for row in rows]


def roster(folder: Path) -> Roster:
    wage_fen, position = array("q"), array("i")
    wage_fen.frombytes((folder / "wage_fen.i64").read_bytes())
    position.frombytes((folder / "position.i32").read_bytes())
    return Roster(json.loads((folder / "figures.json").read_text()), wage_fen, position)


def peak_rss_mb(pid: str = "self") -> float:
    """Of this program alone: `getrusage` would count what its parent held before it began."""
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0]) / 1024


def run(
    prepare: Callable[[Roster], PreparedT],
    calculate: Callable[[PreparedT], LinesT],
    columns: Callable[[LinesT], Answer],
) -> None:
    """Command: FOLDER REPEATS. Prints the seconds, CPU seconds and peak memory of calculating, and
    writes the last answer beside the roster; the first time, unmeasured, warms up.
    """
    folder, repeats = Path(sys.argv[1]), int(sys.argv[2])
    prepared = prepare(roster(folder))
    seconds, cpu_seconds = [], []
    lines = calculate(prepared)
    for _ in range(repeats):
        del lines
        wall, cpu = time.perf_counter(), time.process_time()
        lines = calculate(prepared)
        seconds.append(time.perf_counter() - wall)
        cpu_seconds.append(time.process_time() - cpu)
    told = {"seconds": seconds, "cpu_seconds": cpu_seconds, "peak_rss_mb": peak_rss_mb()}
    sys.stdout.write(json.dumps(told) + "\n")
    for insurance, parts in columns(lines).items():
        for name, part in zip(("state", "base", "employer", "employee"), parts, strict=True):
            (folder / f"{insurance}.{name}").write_bytes(memoryview(part).cast("B"))
