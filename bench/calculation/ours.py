"""Ours: contribution-svc's own calculation over columns, run and measured as the peers are."""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from bench.calculation.workload import base_terms
from bench.peers.measured import Answer, Roster, run
from contribution_svc.domain.calculation import (
    Lines,
    Position,
    Positions,
    Scheme,
    calculated,
    figures_of,
)
from contribution_svc.domain.lines import LineState
from contribution_svc.domain.policy import Terms
from contribution_svc.domain.rounding import Column, Rounding
from shared.values import Insurance

Prepared = tuple[Scheme, Positions, Column]
_STATES = {1: LineState.DUE, 2: LineState.EXEMPT, 3: LineState.BLOCKED}


def positions(roster: Roster) -> list[Position]:
    """The roster's figures as the terms that they were written from."""
    shipped = base_terms()
    return [
        Position(
            [_terms(shipped, Insurance(name), row) for name, row in rows.items()],
            {Insurance(name): _STATES[row["state"]] for name, row in rows.items()},
        )
        for rows in (
            dict(zip(roster.figures, figures, strict=True))
            for figures in zip(*roster.figures.values(), strict=True)
        )
    ]


def _terms(shipped: Terms, insurance: Insurance, row: Mapping[str, object]) -> Terms:
    figures = {name: value for name, value in row.items() if name != "state"}
    for side in ("employer_rounding", "employee_rounding"):
        figures[side] = Rounding(str(figures[side]))
    return replace(shipped, insurance=insurance, **figures)  # type: ignore[arg-type]


def prepare(roster: Roster) -> Prepared:
    position = np.frombuffer(roster.position, dtype=np.int32).astype(np.intp)
    return figures_of(positions(roster)), position, np.frombuffer(roster.wage_fen, dtype=np.int64)


def calculate(prepared: Prepared) -> dict[Insurance, Lines]:
    return calculated(*prepared)


def columns(found: dict[Insurance, Lines]) -> Answer:
    return {
        insurance: (lines.state, lines.base_fen, lines.employer_fen, lines.employee_fen)
        for insurance, lines in found.items()
    }


if __name__ == "__main__":
    run(prepare, calculate, columns)
