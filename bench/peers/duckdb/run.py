"""Bare DuckDB: one SELECT over a table of people joined with the figures of their positions."""

from typing import Any

import duckdb  # type: ignore[import-not-found]
import numpy as np

from bench.peers.measured import FEN, Answer, Roster, run

SIDES = ("employer", "employee")
RATES = tuple(f"{side}_{part}" for side in SIDES for part in ("ppm", "lift", "unit"))
NAMES = ("state", "floor_fen", "ceiling_fen", *RATES)


def prepare(roster: Roster) -> tuple[Any, str]:
    connection = duckdb.connect()
    people = {"wage": np.array(roster.wage_fen), "position": np.array(roster.position)}
    people["row"] = np.arange(len(people["wage"]))
    figures = {
        f"{insurance}_{name}": np.array(roster.column(insurance, name))
        for insurance in roster.figures
        for name in NAMES
    }
    figures["position"] = np.arange(len(next(iter(figures.values()))), dtype=np.int32)
    for table, data in (("people", people), ("figures", figures)):
        connection.register("given", data)
        connection.execute(f"CREATE TABLE {table} AS SELECT * FROM given")  # noqa: S608
        connection.unregister("given")
    parts = ", ".join(lines_of(insurance) for insurance in roster.figures)
    return connection, f"SELECT row, {parts} FROM people JOIN figures USING (position)"  # noqa: S608


def lines_of(insurance: str) -> str:
    base = f"greatest({insurance}_floor_fen, least(wage, {insurance}_ceiling_fen))"
    amounts = ", ".join(
        f"({base} * {insurance}_{side}_ppm + {insurance}_{side}_lift)"
        f" // {insurance}_{side}_unit * ({insurance}_{side}_unit // {FEN})"
        f' AS "{insurance}.{side}"'
        for side in SIDES
    )
    state = f'CAST({insurance}_state AS TINYINT) AS "{insurance}.state"'
    return f'{state}, {base} AS "{insurance}.base", {amounts}'


def calculate(prepared: tuple[Any, str]) -> dict[str, Any]:
    connection, query = prepared
    found: dict[str, Any] = connection.execute(query).fetchnumpy()
    return found


def columns(lines: dict[str, Any]) -> Answer:
    order = np.argsort(lines["row"])
    names = dict.fromkeys(name.partition(".")[0] for name in lines if "." in name)
    parts = ("state", "base", *SIDES)
    return {name: [lines[f"{name}.{part}"][order] for part in parts] for name in names}


if __name__ == "__main__":
    run(prepare, calculate, columns)
