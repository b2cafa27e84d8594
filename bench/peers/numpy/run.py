"""Bare numpy: whole columns of int64, a figure looked up by position for each person."""

from typing import Any

import numpy as np

from bench.peers.measured import Answer, Roster, run

_FEN = 1_000_000
Prepared = tuple[Any, Any, dict[str, dict[str, Any]]]
SIDES = ("employer", "employee")
RATES = tuple(f"{side}_{part}" for side in SIDES for part in ("ppm", "lift", "unit"))
NAMES = ("state", "floor_fen", "ceiling_fen", *RATES)


def prepare(roster: Roster) -> Prepared:
    figures = {
        insurance: {name: np.array(roster.column(insurance, name)) for name in NAMES}
        for insurance in roster.figures
    }
    return np.array(roster.wage_fen), np.array(roster.position), figures


def looked_up(figures: Any, position: Any) -> Any:
    """A number where it is the same for everyone: dividing by one is far cheaper."""
    return figures[0] if (figures == figures[0]).all() else figures[position]


def calculate(prepared: Prepared) -> dict[str, tuple[Any, ...]]:
    wage, position, figures = prepared
    found = {}
    for insurance, own in figures.items():
        of = {name: looked_up(column, position) for name, column in own.items() if name != "state"}
        base = np.clip(wage, of["floor_fen"], of["ceiling_fen"])
        sides = (
            (base * of[f"{side}_ppm"] + of[f"{side}_lift"])
            // of[f"{side}_unit"]
            * (of[f"{side}_unit"] // _FEN)
            for side in SIDES
        )
        found[insurance] = (own["state"].astype(np.int8)[position], base, *sides)
    return found


def columns(lines: dict[str, tuple[Any, ...]]) -> Answer:
    return {
        insurance: (state, *(np.ascontiguousarray(np.broadcast_to(p, state.shape)) for p in parts))
        for insurance, (state, *parts) in lines.items()
    }


if __name__ == "__main__":
    run(prepare, calculate, columns)
