"""Decimal: yuan and percent as exact decimals, each rule by `quantize`; a tuple a line."""

from decimal import ROUND_CEILING, ROUND_DOWN, ROUND_HALF_UP, Decimal
from typing import Any

from bench.peers.measured import Answer, Roster, run
from bench.peers.rows import buffers, by_position

FEN, JIAO, YUAN, LI = Decimal("0.01"), Decimal("0.1"), Decimal("1"), Decimal("0.001")
# What is smaller than the first is not seen; then to the second, in this way.
RULES = {
    "fen_half_up": (None, FEN, ROUND_HALF_UP),
    "yuan_half_up": (None, YUAN, ROUND_HALF_UP),
    "li_up_to_fen": (LI, FEN, ROUND_CEILING),
    "fen_up_to_jiao": (FEN, JIAO, ROUND_CEILING),
    "up_to_yuan": (None, YUAN, ROUND_CEILING),
}


def prepare(roster: Roster) -> Any:
    figures = [
        [
            (
                row["state"],
                Decimal(row["floor_fen"]) / 100,
                Decimal(row["ceiling_fen"]) / 100,
                Decimal(row["employer_ppm"]) / 1_000_000,
                RULES[row["employer_rounding"]],
                Decimal(row["employee_ppm"]) / 1_000_000,
                RULES[row["employee_rounding"]],
            )
            for row in rows
        ]
        for rows in by_position(roster)
    ]
    wages = [Decimal(fen) / 100 for fen in roster.wage_fen]
    return figures, list(roster.position), wages, list(roster.figures)


def calculate(prepared: Any) -> Any:
    figures, positions, wages, names = prepared
    found = []
    for position, wage in zip(positions, wages, strict=True):
        lines = []
        for state, floor, ceiling, rate, rule, own_rate, own_rule in figures[position]:
            base = min(max(wage, floor), ceiling)
            lines.append(
                (state, base, amount(base * rate, rule), amount(base * own_rate, own_rule))
            )
        found.append(lines)
    return names, found


def amount(exact: Decimal, rule: Any) -> Decimal:
    seen, unit, way = rule
    if seen is not None:
        exact = exact.quantize(seen, ROUND_DOWN)
    return exact.quantize(unit, way)


def columns(found: Any) -> Answer:
    names, people = found
    in_fen = [
        [(state, *(int(yuan * 100) for yuan in amounts)) for state, *amounts in lines]
        for lines in people
    ]
    return buffers(names, in_fen)


if __name__ == "__main__":
    run(prepare, calculate, columns)
