"""Ours again: the same roster before and after a notice that moves every floor and ceiling."""

from bench.calculation import ours
from bench.calculation.workload import changed
from bench.peers.measured import Answer, Roster, run
from contribution_svc.domain.calculation import Columns, figures_of
from contribution_svc.domain.simulation import Simulation, simulated

Prepared = tuple[Columns, Columns]


def prepare(roster: Roster) -> Prepared:
    old, position, wage_fen = ours.prepare(roster)
    new = figures_of(changed(ours.positions(roster)))
    return (
        Columns(old, position, dict.fromkeys(old, wage_fen)),
        Columns(new, position, dict.fromkeys(new, wage_fen)),
    )


def calculate(prepared: Prepared) -> Simulation:
    return simulated(*prepared)


def columns(found: Simulation) -> Answer:
    assert found.total_fen() == int(found.employer_fen.sum() + found.employee_fen.sum())
    return {}


if __name__ == "__main__":
    run(prepare, calculate, columns)
