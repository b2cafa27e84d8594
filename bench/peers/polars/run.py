"""Bare polars: integer expressions over a frame of people, a figure gathered by position, on all
the threads that polars takes.
"""

from typing import Any

import polars as pl  # type: ignore[import-not-found]

from bench.peers.measured import Answer, Roster, run

_FEN = 1_000_000


def prepare(roster: Roster) -> tuple[Any, list[Any]]:
    people = pl.DataFrame({"wage": roster.wage_fen, "position": roster.position}).with_columns(
        pl.col("wage").cast(pl.Int64), pl.col("position").cast(pl.UInt32)
    )
    return people, [part for name in roster.figures for part in lines_of(roster, name)]


def lines_of(roster: Roster, insurance: str) -> list[Any]:
    """State, base and both amounts of an insurance, as expressions."""

    def figure(name: str) -> Any:
        """A literal where it is the same for everyone: dividing by one is far cheaper."""
        values = roster.column(insurance, name)
        if len(set(values)) == 1:
            return pl.lit(values[0], dtype=pl.Int64)
        return pl.lit(pl.Series(values, dtype=pl.Int64)).gather(pl.col("position"))

    state = pl.lit(pl.Series(roster.column(insurance, "state"), dtype=pl.Int8))
    base = pl.col("wage").clip(figure("floor_fen"), figure("ceiling_fen"))
    amounts = [
        (
            (base * figure(f"{side}_ppm") + figure(f"{side}_lift"))
            // figure(f"{side}_unit")
            * (figure(f"{side}_unit") // _FEN)
        ).alias(f"{insurance}.{side}")
        for side in ("employer", "employee")
    ]
    return [
        state.gather(pl.col("position")).alias(f"{insurance}.state"),
        base.alias(f"{insurance}.base"),
        *amounts,
    ]


def calculate(prepared: tuple[Any, list[Any]]) -> Any:
    people, expressions = prepared
    return people.lazy().select(expressions).collect()


def columns(lines: Any) -> Answer:
    names = dict.fromkeys(name.partition(".")[0] for name in lines.columns)
    parts = ("state", "base", "employer", "employee")
    return {
        name: [lines[f"{name}.{part}"].rechunk().to_numpy().copy() for part in parts]
        for name in names
    }


if __name__ == "__main__":
    run(prepare, calculate, columns)
