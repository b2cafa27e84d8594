"""Plain Python integers: a loop over people, a tuple a line."""

from typing import Any

from bench.peers.measured import FEN, LIFT_AND_UNIT, Answer, Roster, run
from bench.peers.rows import buffers, by_position

Line = tuple[int, int, int, int]
Prepared = tuple[list[list[Any]], list[int], list[int], list[str]]


def prepare(roster: Roster) -> Prepared:
    figures = [
        [
            (
                row["state"],
                row["floor_fen"],
                row["ceiling_fen"],
                row["employer_ppm"],
                *LIFT_AND_UNIT[row["employer_rounding"]],
                row["employee_ppm"],
                *LIFT_AND_UNIT[row["employee_rounding"]],
            )
            for row in rows
        ]
        for rows in by_position(roster)
    ]
    return figures, list(roster.position), list(roster.wage_fen), list(roster.figures)


def calculate(prepared: Prepared) -> Any:
    figures, positions, wages, names = prepared
    found = [
        [line(wage, *of) for of in figures[position]]
        for position, wage in zip(positions, wages, strict=True)
    ]
    return names, found


def line(
    wage: int, state: int, floor: int, ceiling: int,
    rate: int, lift: int, unit: int, own_rate: int, own_lift: int, own_unit: int,
) -> Line:  # fmt: skip
    base = floor if wage < floor else ceiling if wage > ceiling else wage
    return (
        state,
        base,
        (base * rate + lift) // unit * (unit // FEN),
        (base * own_rate + own_lift) // own_unit * (own_unit // FEN),
    )


def columns(found: Any) -> Answer:
    return buffers(*found)


if __name__ == "__main__":
    run(prepare, calculate, columns)
