"""A pydantic object a line, made and checked from integer arithmetic."""

from typing import Any

from pydantic import BaseModel

from bench.peers.measured import FEN, LIFT_AND_UNIT, Answer, Roster, run
from bench.peers.rows import buffers, by_position


class Line(BaseModel):
    """What many services would hand around for each insurance of a person."""

    insurance: str
    state: int
    base_fen: int
    employer_fen: int
    employee_fen: int


def prepare(roster: Roster) -> Any:
    figures = [
        [
            (
                name,
                row,
                LIFT_AND_UNIT[row["employer_rounding"]],
                LIFT_AND_UNIT[row["employee_rounding"]],
            )
            for name, row in zip(roster.figures, rows, strict=True)
        ]
        for rows in by_position(roster)
    ]
    return figures, list(roster.position), list(roster.wage_fen), list(roster.figures)


def calculate(prepared: Any) -> Any:
    figures, positions, wages, names = prepared
    found = [
        [line(wage, *of) for of in figures[position]]
        for position, wage in zip(positions, wages, strict=True)
    ]
    return names, found


def line(
    wage: int, name: str, row: dict[str, int], rounding: tuple[int, int], own: tuple[int, int]
) -> Line:
    base = min(max(wage, row["floor_fen"]), row["ceiling_fen"])
    return Line(
        insurance=name,
        state=row["state"],
        base_fen=base,
        employer_fen=amount(base * row["employer_ppm"], *rounding),
        employee_fen=amount(base * row["employee_ppm"], *own),
    )


def amount(exact: int, lift: int, unit: int) -> int:
    return (exact + lift) // unit * (unit // FEN)


def columns(found: Any) -> Answer:
    names, people = found
    rows = [
        [(line.state, line.base_fen, line.employer_fen, line.employee_fen) for line in lines]
        for lines in people
    ]
    return buffers(names, rows)


if __name__ == "__main__":
    run(prepare, calculate, columns)
