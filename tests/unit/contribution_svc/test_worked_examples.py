"""Worked examples of the domain facts, by name, on the packs of the cities: every line to the fen.

Amounts in yuan, as employee / employer. Those of income tax and net pay are payroll's.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

import pytest

from contribution_svc.domain.base import Bases, bases_of
from contribution_svc.domain.explanation import explain_line
from contribution_svc.domain.lines import Insured, Line, LineState, assess, due_line
from contribution_svc.domain.policy import OwnRates, Terms
from contribution_svc.domain.wage_basis import WageFacts
from contribution_svc.policy import load_policies
from shared.values import Insurance, LevyPeriod, Payer, parse_fen

POLICIES = load_policies()
SHANGHAI, BEIJING, KUNMING, HEFEI = "310000", "110000", "530100", "340100"
LONG_AGO = ((date(2015, 3, 1), None),)
I = Insurance  # noqa: E741


def yuan(text: str) -> int:
    return parse_fen(text.replace(",", ""))


def averaging(wage: str, runs_fen: Mapping[str, int] | None = None) -> WageFacts:
    """Employed for long, with this wage in every month of each year, and runs since."""
    month_fen = dict.fromkeys(range(1, 13), yuan(wage))
    return WageFacts(LONG_AGO, dict.fromkeys(range(2022, 2026), month_fen), runs_fen or {})


def own(fund: int, injury: int = 2_000) -> OwnRates:
    """An account's own rates in millionths: the housing fund's, and class one of work injury."""
    return {I.HOUSING_FUND: (fund, fund), I.WORK_INJURY: (injury, 0)}


@dataclass(frozen=True)
class Example:
    """One employee's levy period in a city, as known on a day."""

    city: str
    period: str
    wages: WageFacts
    own_rates: OwnRates
    known_on: date = date(2026, 11, 22)
    paid: Mapping[Insurance, tuple[str, str]] = field(default_factory=dict)
    employee_total: str = ""
    employer_total: str = ""

    def terms(self) -> Sequence[Terms]:
        return POLICIES.packs[self.city].terms(LevyPeriod.parse(self.period), self.known_on)

    def bases(self) -> Bases:
        pack, period = POLICIES.packs[self.city], LevyPeriod.parse(self.period)
        terms = pack.by_base_year(self.terms(), period)
        found = bases_of(self.wages, terms, period, pack.after_raise)
        assert isinstance(found, Bases), found
        return found

    def lines(self) -> dict[Insurance, Line]:
        insured = Insured("example", "regular", (), own_rates=self.own_rates)
        kinds = POLICIES.packs[self.city].person_kinds
        found = assess(insured, kinds, self.terms(), self.bases())
        return {line.insurance: line for line in found}


NEW_IN_SHANGHAI = Example(
    SHANGHAI,
    "2025-12",
    WageFacts([(date(2025, 12, 1), None)], agreed_fen=yuan("20,000.00")),
    own(70_000),
    paid={
        I.PENSION: ("1,600.00", "3,200.00"),
        I.MEDICAL: ("400.00", "1,800.00"),
        I.UNEMPLOYMENT: ("100.00", "100.00"),
        I.WORK_INJURY: ("0.00", "40.00"),
        I.HOUSING_FUND: ("1,400.00", "1,400.00"),
    },
    employee_total="3,500.00",
    employer_total="6,540.00",
)
AT_THE_CEILING = Example(
    SHANGHAI,
    "2025-12",
    averaging("50,000.00"),
    own(70_000),
    paid={
        I.PENSION: ("2,984.16", "5,968.32"),
        I.MEDICAL: ("746.04", "3,357.18"),
        I.UNEMPLOYMENT: ("186.51", "186.51"),
        I.WORK_INJURY: ("0.00", "74.60"),
        I.HOUSING_FUND: ("2,611.00", "2,611.00"),
    },
    employee_total="6,527.71",
    employer_total="12,197.61",
)
AT_THE_FLOORS = Example(
    SHANGHAI,
    "2026-01",
    averaging("2,600.00"),
    own(70_000),
    paid={
        I.PENSION: ("596.80", "1,193.60"),
        I.MEDICAL: ("149.20", "671.40"),
        I.UNEMPLOYMENT: ("37.30", "37.30"),
        I.WORK_INJURY: ("0.00", "14.92"),
        I.HOUSING_FUND: ("188.00", "188.00"),
    },
    employee_total="971.30",
    employer_total="2,105.22",
)
IN_BEIJING = Example(
    BEIJING,
    "2026-01",
    averaging("30,000.00"),
    own(120_000),
    paid={
        I.PENSION: ("2,400.00", "4,800.00"),
        I.MEDICAL: ("603.00", "2,940.00"),
        I.UNEMPLOYMENT: ("150.00", "150.00"),
        I.HOUSING_FUND: ("3,600.00", "3,600.00"),
    },
    employee_total="6,753.00",
)
IN_KUNMING = Example(
    KUNMING,
    "2026-01",
    averaging("4,000.00"),
    own(120_000),
    paid={
        I.PENSION: ("352.24", "704.48"),
        I.UNEMPLOYMENT: ("13.21", "30.82"),
        I.WORK_INJURY: ("0.00", "8.81"),
        I.MEDICAL: ("87.14", "304.99"),
        I.MATERNITY: ("0.00", "39.21"),
        I.HOUSING_FUND: ("480.00", "480.00"),
    },
    employee_total="932.59",
    employer_total="1,568.31",
)
HALF_FEN = Example(
    SHANGHAI,
    "2026-07",
    averaging("37,731.00"),
    own(70_000),
    paid={I.UNEMPLOYMENT: ("188.66", "188.66"), I.WORK_INJURY: ("0.00", "75.46")},
)
RAISED_IN_MARCH = Example(
    SHANGHAI,
    "2026-03",
    averaging("22,000.00", {"2026-02": 2_200_000, "2026-03": 2_440_000}),
    own(70_000),
    paid={I.PENSION: ("1,760.00", "3,520.00"), I.HOUSING_FUND: ("1,540.00", "1,540.00")},
    employee_total="3,850.00",
)
FIRST_FUND_MEMBER = Example(
    SHANGHAI,
    "2025-12",
    WageFacts(
        [(date(2025, 12, 15), None)],
        runs_fen={"2025-12": yuan("13,000.00")},
        first_fund_member=True,
    ),
    own(70_000),
    paid={
        I.PENSION: ("1,740.00", "3,480.00"),
        I.MEDICAL: ("435.00", "1,957.50"),
        I.UNEMPLOYMENT: ("108.75", "108.75"),
        I.WORK_INJURY: ("0.00", "43.50"),
    },
    employee_total="2,283.75",
)
HEFEI_BEFORE = Example(
    HEFEI,
    "2026-01",
    averaging("3,000.00"),
    own(50_000, 4_000),
    known_on=date(2026, 9, 6),
    paid={I.PENSION: ("344.88", "689.76")},
)
HEFEI_AFTER = Example(
    HEFEI,
    "2026-01",
    averaging("3,000.00"),
    own(50_000, 4_000),
    known_on=date(2026, 9, 7),
    paid={I.PENSION: ("348.32", "696.64")},
)
FOUNDING_ARTICLE = Example(
    "990100", "2024-10", averaging("9,500.00"), {}, paid={I.MEDICAL: ("190.00", "760.00")}
)
EXAMPLES = {
    "1: Shanghai, hired 2025-12-01 on 20,000": NEW_IN_SHANGHAI,
    "2: Shanghai ceiling, wage 50,000": AT_THE_CEILING,
    "3: Shanghai, at the floors 7,460 and 2,690": AT_THE_FLOORS,
    "4: Beijing, base 30,000 and the fixed 3.00": IN_BEIJING,
    "5: Kunming, other floors per insurance": IN_KUNMING,
    "6: half a fen, Shanghai from 2026-07": HALF_FEN,
    "10: a raise inside the year moves no base": RAISED_IN_MARCH,
    "11: first-ever fund member hired 2025-12-15": FIRST_FUND_MEMBER,
    "12: Hefei at the floor, before the notice": HEFEI_BEFORE,
    "12: Hefei at the floor, after the notice": HEFEI_AFTER,
    "16: the founding article's 9,500": FOUNDING_ARTICLE,
}
named = pytest.mark.parametrize("example", EXAMPLES.values(), ids=EXAMPLES.keys())


@named
def test_every_line_of_a_worked_example(example: Example) -> None:
    lines = example.lines()
    assert {i: (lines[i].employee_fen, lines[i].employer_fen) for i in example.paid} == {
        i: (yuan(employee), yuan(employer)) for i, (employee, employer) in example.paid.items()
    }
    if example.employee_total:
        assert sum(x.employee_fen for x in lines.values()) == yuan(example.employee_total)
    if example.employer_total:
        assert sum(x.employer_fen for x in lines.values()) == yuan(example.employer_total)


@named
def test_every_line_of_a_worked_example_explains_itself(example: Example) -> None:
    pack, period = POLICIES.packs[example.city], LevyPeriod.parse(example.period)
    found = example.bases()
    for line in example.lines().values():
        if line.state is not LineState.DUE:
            continue
        rules = pack.insurances[line.insurance]
        for side, rounding in (
            (Payer.EMPLOYEE, rules.employee_rounding),
            (Payer.EMPLOYER, rules.employer_rounding),
        ):
            figures = rules.figures_at(period.first_day(), example.known_on)
            basis = found.rests_on[line.insurance]
            base_year = pack.contribution_year(period, line.insurance) - 1
            said = explain_line(line, side, basis, base_year, (), figures, rounding)
            amount_fen = line.employee_fen if side is Payer.EMPLOYEE else line.employer_fen
            assert said.steps[-1].value == amount_fen
            assert all(step.source for step in said.steps if step.label.endswith("费率"))


def test_example_2_the_ceiling_is_the_base_of_every_insurance() -> None:
    assert set(AT_THE_CEILING.bases().bases_fen.values()) == {yuan("37,302.00")}


def test_example_5_kunming_has_two_floors() -> None:
    bases = IN_KUNMING.bases().bases_fen
    assert (bases[I.PENSION], bases[I.MEDICAL]) == (yuan("4,403.00"), yuan("4,357.00"))


@pytest.mark.parametrize(
    ("period", "base", "rate", "both"),
    [
        ("2025-12", "37,302.00", 70_000, "5,222.00"),
        ("2025-12", "2,690.00", 70_000, "376.00"),
        ("2026-08", "37,731.00", 70_000, "5,282.00"),
        ("2026-08", "2,740.00", 70_000, "384.00"),
        ("2026-08", "2,740.00", 50_000, "274.00"),
        ("2026-08", "37,731.00", 50_000, "3,774.00"),
        pytest.param("2025-12", "21,750.00", 70_000, "3,046.00", id="per side, never the sum"),
    ],
)
def test_example_7_fund_limits_prove_the_rounding_per_side(
    period: str, base: str, rate: int, both: str
) -> None:
    example = Example(SHANGHAI, period, averaging(base), own(rate))
    line = example.lines()[I.HOUSING_FUND]
    assert line.base_fen == yuan(base)
    assert line.employer_fen == line.employee_fen
    assert line.employer_fen + line.employee_fen == yuan(both)


def test_example_10_the_base_of_january_is_that_of_march() -> None:
    january = Example(SHANGHAI, "2026-01", RAISED_IN_MARCH.wages, own(70_000))
    assert january.lines() == RAISED_IN_MARCH.lines()
    assert set(january.bases().bases_fen.values()) == {yuan("22,000.00")}


def test_example_11_the_fund_begins_with_the_second_month() -> None:
    december = FIRST_FUND_MEMBER.lines()[I.HOUSING_FUND]
    assert (december.state, december.reason) == ("exempt", "fund_from_second_month")
    assert "折算为整月" in FIRST_FUND_MEMBER.bases().basis().said()
    told = WageFacts(
        FIRST_FUND_MEMBER.wages.spells,
        runs_fen={"2025-12": yuan("13,000.00"), "2026-01": yuan("21,750.00")},
        first_fund_member=True,
    )
    january = Example(SHANGHAI, "2026-01", told, own(70_000)).lines()[I.HOUSING_FUND]
    assert (january.employee_fen, january.employer_fen) == (yuan("1,523.00"), yuan("1,523.00"))


def test_example_12_eight_months_of_difference() -> None:
    before, after = HEFEI_BEFORE.lines()[I.PENSION], HEFEI_AFTER.lines()[I.PENSION]
    assert (before.base_fen, after.base_fen) == (yuan("4,311.00"), yuan("4,354.00"))
    assert (after.employee_fen - before.employee_fen) * 8 == yuan("27.52")
    assert (after.employer_fen - before.employer_fen) * 8 == yuan("55.04")


@pytest.mark.parametrize(
    ("period", "ceiling"), [("2024-06", "24,000.00"), ("2024-07", "25,500.00")]
)
def test_example_16_the_ceiling_moves_with_the_average_wage(period: str, ceiling: str) -> None:
    found = Example("990200", period, averaging("90,000.00"), {}).bases()
    assert set(found.bases_fen.values()) == {yuan(ceiling)}


def test_example_16_medical_of_9_500_is_eight_and_two_percent() -> None:
    [medical] = [one for one in FOUNDING_ARTICLE.terms() if one.insurance is I.MEDICAL]
    line = due_line(medical, yuan("9,500.00"))
    assert (line.employer_fen, line.employee_fen) == (76_000, 19_000)
