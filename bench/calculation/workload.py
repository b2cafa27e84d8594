"""The roster that everyone calculates: invented cities and periods, each insurance with bounds,
rates and roundings of its own, some people exempt, some blocked; seeded, so that it is always the
same.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

import numpy as np

from contribution_svc.domain.calculation import Position, Positions
from contribution_svc.domain.lines import LineState
from contribution_svc.domain.policy import Terms
from contribution_svc.domain.rounding import Column, Rounding, highest_fen, lowest_fen
from contribution_svc.policy import load_policies
from shared.values import Insurance, LevyPeriod

SEED = 20241010
CITIES, PERIODS = 12, 4
INSURANCES = (
    Insurance.PENSION,
    Insurance.MEDICAL,
    Insurance.UNEMPLOYMENT,
    Insurance.WORK_INJURY,
    Insurance.MATERNITY,
    Insurance.HOUSING_FUND,
)
SHARES = (("regular", 880), ("work_injury_only", 40), ("exempt", 30), ("blocked", 50))
"""Of a thousand people: due for everything, for work injury alone, for nothing, or not known."""

RATES_PPM = {
    Insurance.PENSION: ([160_000, 140_000, 155_000], [80_000]),
    Insurance.MEDICAL: ([80_000, 98_000, 70_000, 62_500], [20_000, 15_000]),
    Insurance.UNEMPLOYMENT: ([5_000, 7_000, 8_000], [5_000, 3_000, 2_000]),
    Insurance.WORK_INJURY: ([2_000, 4_000, 7_600, 19_000], [0]),
    Insurance.MATERNITY: ([8_000, 8_500, 9_000, 5_000], [0]),
    Insurance.HOUSING_FUND: ([50_000, 70_000, 120_000], [50_000, 70_000, 120_000]),
}
ROUNDINGS = {
    Insurance.MEDICAL: [Rounding.FEN_HALF_UP, Rounding.FEN_HALF_UP, Rounding.LI_UP_TO_FEN],
    Insurance.WORK_INJURY: [Rounding.FEN_HALF_UP, Rounding.FEN_UP_TO_JIAO],
    Insurance.HOUSING_FUND: [Rounding.YUAN_HALF_UP, Rounding.UP_TO_YUAN],
}


@dataclass(frozen=True, slots=True)
class Workload:
    """What is calculated: positions, and for each person one of them and a wage in fen."""

    positions: Sequence[Position]
    position: Positions
    wage_fen: Column


def one_policy(people: int) -> Workload:
    """Bare arithmetic: everyone is due for everything under the same terms."""
    rng = np.random.default_rng(SEED)
    terms = _terms(rng, base_terms())
    due = Position(terms, dict.fromkeys(INSURANCES, LineState.DUE))
    return Workload([due], np.zeros(people, dtype=np.intp), _wages(rng, people))


def mixed(people: int) -> Workload:
    """Twelve cities of four periods, their people in no order."""
    rng = np.random.default_rng(SEED)
    shipped = base_terms()
    schemes = [_terms(rng, shipped) for _ in range(CITIES * PERIODS)]
    positions = [Position(terms, _states(kind)) for terms in schemes for kind, _ in SHARES]
    shares = np.array([share for _, share in SHARES])
    kind = np.repeat(np.arange(len(SHARES)), shares)[rng.integers(0, shares.sum(), people)]
    scheme = rng.integers(0, len(schemes), people)
    position = (scheme * len(SHARES) + kind).astype(np.intp)
    return Workload(positions, position, _wages(rng, people))


def changed(positions: Sequence[Position], by_permille: int = 1_062) -> list[Position]:
    """The same positions after a notice: floors and ceilings move (8,000 to 8,500 is 1,062)."""
    return [
        replace(
            position,
            terms=[
                replace(
                    terms,
                    floor_fen=lowest_fen(terms.floor_fen) * by_permille // 1_000,
                    ceiling_fen=highest_fen(terms.ceiling_fen) * by_permille // 1_000,
                )
                for terms in position.terms
            ],
        )
        for position in positions
    ]


def base_terms() -> Terms:
    """What the calculation does not look at is that of a shipped pack."""
    return load_policies().packs["990200"].terms(LevyPeriod(2024, 10), date(2024, 12, 31))[0]


def _terms(rng: np.random.Generator, shipped: Terms) -> list[Terms]:
    return [
        replace(
            shipped,
            insurance=insurance,
            floor_fen=int(rng.integers(2_500, 7_500)) * 100,
            ceiling_fen=int(rng.integers(18_000, 38_000)) * 100,
            employer_ppm=int(rng.choice(employer)),
            employee_ppm=int(rng.choice(employee)),
            employer_rounding=_rounding(rng, insurance),
            employee_rounding=_rounding(rng, insurance),
        )
        for insurance, (employer, employee) in RATES_PPM.items()
    ]


def _rounding(rng: np.random.Generator, insurance: Insurance) -> Rounding:
    return Rounding(str(rng.choice(ROUNDINGS.get(insurance, [Rounding.FEN_HALF_UP]))))


def _states(kind: str) -> dict[Insurance, LineState]:
    if kind == "work_injury_only":
        states = dict.fromkeys(INSURANCES, LineState.EXEMPT)
        return states | {Insurance.WORK_INJURY: LineState.DUE}
    all_of = {"regular": LineState.DUE, "exempt": LineState.EXEMPT, "blocked": LineState.BLOCKED}
    return dict.fromkeys(INSURANCES, all_of[kind])


def _wages(rng: np.random.Generator, people: int) -> Column:
    """Most near 8,000 yuan, some under every floor, some above every ceiling; to the fen."""
    found: Column = np.clip(rng.lognormal(13.6, 0.6, people), 0, 1e8).astype(np.int64)
    return found


def written(work: Workload, folder: Path) -> Path:
    """The workload as files that any peer can read: raw columns, and the figures as JSON."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "wage_fen.i64").write_bytes(work.wage_fen.tobytes())
    (folder / "position.i32").write_bytes(work.position.astype(np.int32).tobytes())
    figures = {insurance: _figures(work.positions, insurance) for insurance in INSURANCES}
    (folder / "figures.json").write_text(json.dumps(figures))
    return folder


def _figures(positions: Sequence[Position], insurance: Insurance) -> list[dict[str, object]]:
    """One insurance, a row a position; what is not due has bounds and rates of 0."""
    rows = []
    for position in positions:
        terms = next(terms for terms in position.terms if terms.insurance is insurance)
        state = position.states[insurance]
        due = int(state is LineState.DUE)
        rows.append(
            {
                "state": {"due": 1, "exempt": 2, "blocked": 3}[state],
                "floor_fen": lowest_fen(terms.floor_fen) * due,
                "ceiling_fen": highest_fen(terms.ceiling_fen) * due,
                "employer_ppm": (terms.employer_ppm or 0) * due,
                "employee_ppm": (terms.employee_ppm or 0) * due,
                "employer_rounding": terms.employer_rounding,
                "employee_rounding": terms.employee_rounding,
            }
        )
    return rows
