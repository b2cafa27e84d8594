"""OpenFisca: a tax and benefit system of our six insurances, each amount a variable of a month, as
its own countries write them; amounts are its 32-bit floats, in yuan.
"""

from typing import Any

import numpy as np
from openfisca_core.entities import Entity  # type: ignore[import-not-found]
from openfisca_core.periods import DateUnit  # type: ignore[import-not-found]
from openfisca_core.simulation_builder import SimulationBuilder  # type: ignore[import-not-found]
from openfisca_core.taxbenefitsystems import TaxBenefitSystem  # type: ignore[import-not-found]
from openfisca_core.variables import Variable  # type: ignore[import-not-found]

from bench.peers.measured import Answer, Roster, run

MONTH = "2024-10"
PERSON = Entity("person", "persons", "An employee", "")
YUAN_FEN = 100
PARTS = ("state", "base", "employer", "employee")


def variable(name: str, kind: type, formula: Any = None) -> type:
    attributes: dict[str, Any] = {
        "value_type": kind,
        "entity": PERSON,
        "definition_period": DateUnit.MONTH,
        "label": name,
    }
    if formula is not None:
        attributes["formula"] = formula
    return type(name, (Variable,), attributes)


def variables_of(roster: Roster, insurance: str) -> list[type]:
    def figure(name: str, dtype: Any = np.float64) -> Any:
        return np.array(roster.column(insurance, name), dtype=dtype)

    state, floor, ceiling = (
        figure("state", np.int8),
        figure("floor_fen") / YUAN_FEN,
        figure("ceiling_fen") / YUAN_FEN,
    )

    def state_of(person: Any, period: Any, _: Any = None) -> Any:
        return state[person("position", period)]

    def base_of(person: Any, period: Any, _: Any = None) -> Any:
        position = person("position", period)
        return np.clip(person("wage", period), floor[position], ceiling[position])

    def amount_of(side: str) -> Any:
        rate = figure(f"{side}_ppm") / 1e6
        # In yuan: millionths of a fen are hundred-millionths of a yuan.
        lift, unit = figure(f"{side}_lift") / 1e8, figure(f"{side}_unit") / 1e8

        def formula(person: Any, period: Any, _: Any = None) -> Any:
            position = person("position", period)
            exact = person(f"{insurance}_base", period) * rate[position]
            return np.floor((exact + lift[position]) / unit[position]) * unit[position]

        return formula

    return [
        variable(f"{insurance}_state", int, state_of),
        variable(f"{insurance}_base", float, base_of),
        variable(f"{insurance}_employer", float, amount_of("employer")),
        variable(f"{insurance}_employee", float, amount_of("employee")),
    ]


def prepare(roster: Roster) -> Any:
    system = TaxBenefitSystem([PERSON])
    system.add_variables(variable("wage", float), variable("position", int))
    for insurance in roster.figures:
        system.add_variables(*variables_of(roster, insurance))
    wage = np.array(roster.wage_fen) / YUAN_FEN
    return system, wage, np.array(roster.position), list(roster.figures)


def calculate(prepared: Any) -> Any:
    system, wage, position, names = prepared
    simulation = SimulationBuilder().build_default_simulation(system, count=len(wage))
    simulation.set_input("wage", MONTH, wage)
    simulation.set_input("position", MONTH, position)
    return {
        name: [simulation.calculate(f"{name}_{part}", MONTH) for part in PARTS] for name in names
    }


def columns(lines: Any) -> Answer:
    return {
        name: (
            state.astype(np.int8),
            *(np.rint(yuan.astype(np.float64) * YUAN_FEN).astype(np.int64) for yuan in amounts),
        )
        for name, (state, *amounts) in lines.items()
    }


if __name__ == "__main__":
    run(prepare, calculate, columns)
