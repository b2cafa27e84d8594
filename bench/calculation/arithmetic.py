"""The bare calculation beside its peers: the same roster, each in a process of its own, by turns;
every answer held against ours to the fen.
"""

import json
import statistics
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from bench.calculation.environments import PEERS, measured, own_python, python_of
from bench.calculation.workload import INSURANCES, mixed, one_policy, written

HERE = Path(__file__).parent
ROUNDS, REPEATS = 3, 3
"""Each process calculates three times after a warm-up, and every contender has three turns."""
SIZES = (10_000, 30_000, 100_000, 300_000, 1_000_000)
MILLION, FEW = 1_000_000, 100_000
"""Whoever makes objects has a tenth of the people: a million would take minutes a turn."""
COLUMNS = ("polars", "numpy", "openfisca_core", "duckdb")
OBJECTS = ("integers", "decimal", "pydantic")
AMOUNTS = ("base", "employer", "employee")


@dataclass
class Contender:
    """Who calculates which roster, and what it took, turn by turn."""

    who: str
    python: str
    script: Path
    roster: Path
    people: int
    seconds: list[float] = field(default_factory=list)
    cpu_seconds: list[float] = field(default_factory=list)
    peak_rss_mb: float = 0.0
    wrong: dict[str, int] = field(default_factory=dict)

    def take_turn(self) -> None:
        told = json.loads(measured(self.python, self.script, self.roster, REPEATS))
        self.seconds += told["seconds"]
        self.cpu_seconds += told["cpu_seconds"]
        self.peak_rss_mb = max(self.peak_rss_mb, told["peak_rss_mb"])

    def row(self) -> dict[str, Any]:
        lines = self.people * len(INSURANCES)
        seconds = statistics.median(self.seconds)
        return {
            "who": self.who,
            "roster": self.roster.name.partition("-")[0],
            "n": self.people,
            "lines": lines,
            "lines_per_second": round(lines / seconds),
            "cpu_us_per_line": round(statistics.median(self.cpu_seconds) / lines * 1e6, 4),
            "peak_rss_mb": round(self.peak_rss_mb),
            "seconds": round(seconds, 4),
            **self.wrong,
        }


def arithmetic(folder: Path) -> list[dict[str, Any]]:
    """A row for each contender: medians over its turns."""
    contenders = list(_contenders(folder))
    answers: dict[Path, dict[str, Any]] = {}
    for turn in range(ROUNDS):
        for contender in contenders:
            contender.take_turn()
            if turn == 0 and contender.who == "ours":
                answers[contender.roster] = _answer(contender.roster)
            elif turn == 0 and contender.who != "ours: simulation":
                contender.wrong = _wrong(_answer(contender.roster), answers[contender.roster])
    return [contender.row() for contender in contenders]


def _contenders(folder: Path) -> Iterator[Contender]:
    """Ours first on every roster: the others are held against its answer."""
    one = written(one_policy(MILLION), folder / "one_policy-1000000")
    rosters = {people: written(mixed(people), folder / f"mixed-{people}") for people in SIZES}
    for roster, people in ((one, MILLION), *((rosters[people], people) for people in SIZES)):
        yield Contender("ours", own_python(), HERE / "ours.py", roster, people)
    yield _peer("polars", one, MILLION)
    yield _peer("numpy", one, MILLION)
    million = rosters[MILLION]
    yield Contender("ours: simulation", own_python(), HERE / "simulation.py", million, MILLION)
    for name in COLUMNS:
        yield _peer(name, million, MILLION)
    for name in OBJECTS:
        yield _peer(name, rosters[FEW], FEW)


def _peer(name: str, roster: Path, people: int) -> Contender:
    return Contender(name, python_of(name), PEERS / name / "run.py", roster, people)


def _answer(roster: Path) -> dict[str, Any]:
    """What the last who calculated this roster wrote beside it."""
    return {
        f"{insurance}.{part}": np.fromfile(
            roster / f"{insurance}.{part}", dtype=np.int8 if part == "state" else np.int64
        )
        for insurance in INSURANCES
        for part in ("state", *AMOUNTS)
    }


def _wrong(found: dict[str, Any], right: dict[str, Any]) -> dict[str, int]:
    """How many states and amounts differ from ours, and by how many fen in all."""
    apart = [np.abs(found[name] - right[name]) for name in right if not name.endswith(".state")]
    states = (int((found[n] != right[n]).sum()) for n in right if n.endswith(".state"))
    return {
        "states_wrong": sum(states),
        "amounts_wrong": sum(int((one != 0).sum()) for one in apart),
        "fen_wrong": sum(int(one.sum()) for one in apart),
    }


def wanted(rows: Sequence[dict[str, Any]]) -> list[tuple[str, str, bool]]:
    """What issue 5 wants of the calculation: the sentence, what was measured, whether it holds."""

    def rate(who: str, roster: str = "mixed", people: int = MILLION) -> float:
        (row,) = (r for r in rows if (r["who"], r["roster"], r["n"]) == (who, roster, people))
        return float(row["lines_per_second"])

    ours = rate("ours")
    openfisca, simulation = ours / rate("openfisca_core"), ours / rate("ours: simulation")
    polars = rate("polars", "one_policy") / rate("ours", "one_policy")
    mixed_polars = rate("polars") / ours
    spread = [rate("ours", people=people) for people in SIZES]
    rss = max(row["peak_rss_mb"] for row in rows if row["who"].startswith("ours"))
    wrong = sum(row["amounts_wrong"] for row in rows if row["who"] in ("integers", "decimal"))
    return [
        ("faster than openfisca-core", f"{openfisca:.1f} x", openfisca > 1),
        ("no fen otherwise than integers and Decimal", f"{wrong} amounts", wrong == 0),
        ("at most 3 x bare polars, one policy", f"{polars:.2f} x", polars <= 3),
        ("at most 3 x bare polars, mixed", f"{mixed_polars:.2f} x", mixed_polars <= 3),
        ("at most 1.5 GB", f"{rss} MB", rss <= 1_500),
        (
            "linear from 10,000 to 1,000,000",
            " ".join(f"{one / 1e6:.1f}" for one in spread) + " M lines/s",
            spread[-1] >= spread[0] / 2,
        ),
        ("a simulation within 20 x", f"{simulation:.1f} x", simulation <= 20),
    ]
