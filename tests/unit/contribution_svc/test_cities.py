"""The packs of the nine cities say exactly what the facts say: every block, value, day, source,
confidence, dispute and note of `cities.yaml`, and not one figure more.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from contribution_svc.domain.figures import Figure
from contribution_svc.domain.policy import InsuranceRules, Pack
from contribution_svc.policy.national import national
from shared.values import Insurance, parse_fen
from tests.support.shipped_policies import POLICIES

FACTS = YAML(typ="safe").load(Path(__file__).with_name("cities.yaml"))
CITIES = {city["code"]: city for city in FACTS["cities"]}
BOUNDS = {"floor": "base_floor", "ceiling": "base_ceiling"}
RATES = {"employer_rate": "employer_rate", "employee_rate": "employee_rate"}
_NUMBER = re.compile(r"\d+(?:\.\d+)?")


@dataclass(frozen=True)
class Block:
    """One block of facts with the policy year in which it stands first."""

    insurance: Insurance
    facts: dict[str, Any]
    year: dict[str, Any]

    def known_since(self) -> str | None:
        """Its own day of announcement; of social insurance else that of its policy year's notice.
        The fund's notice is another's.
        """
        if "announced_on" in self.facts or self.insurance is Insurance.HOUSING_FUND:
            own: str | None = self.facts.get("announced_on")
            return own
        announced: str | None = self.year["announced_on"]
        return announced

    def provisional(self) -> bool:
        return self.year["status"].startswith("provisional") and not self.facts.get("announced_on")


def as_list(value: Any) -> list[dict[str, Any]]:
    return value if isinstance(value, list) else [value]


def blocks(city: dict[str, Any]) -> Iterator[Block]:
    """Every block with figures once: those that repeat under a second policy year are the same
    (reading rule of the facts), and say nothing new.
    """
    first: dict[tuple[str, str], dict[str, Any]] = {}
    for year in city["policy_years"]:
        every = {**year["insurances"], "housing_fund": year["housing_fund"]}
        for name, found in every.items():
            for facts in as_list(found):
                if "merged_into" in facts or "collected_with" in facts:
                    continue
                key = (name, facts["effective_from"])
                if key in first:
                    assert worded(facts) == worded(first[key]), key
                else:
                    first[key] = facts
                    yield Block(Insurance(name), facts, year)


def worded(facts: dict[str, Any]) -> dict[str, Any]:
    """A block without what may be said otherwise the second time."""
    return {name: part for name, part in facts.items() if name not in ("note", "announced_on")}


def fen(value: str | None) -> int | None:
    return parse_fen(value) if value is not None else None


def ppm(value: str | None) -> int | None:
    """Percent to millionths, by another way than the reader's."""
    if value is None:
        return None
    found = Fraction(value) * 10_000
    assert found.denominator == 1, f"{value} % is no whole number of millionths"
    return found.numerator


def day(value: str | None) -> date | None:
    return date.fromisoformat(value) if value else None


def figures(rules: InsuranceRules, starts: str) -> dict[str, Figure]:
    """Of each key the one figure that begins on that day."""
    found = {}
    for key, series in rules.series().items():
        own = [figure for figure in series if str(figure.effective_from) == starts]
        if own:
            (found[key],) = own
    return found


def named(pack: Pack, keys: list[str]) -> str:
    return "；".join(pack.sources[key] for key in dict.fromkeys(keys))


def assert_told(pack: Pack, figure: Figure, block: Block, confidence: str, where: str) -> None:
    """Days, publication, sources, confidence and document are the block's."""
    assert figure.effective_to == day(block.facts["effective_to"]), where
    known = block.known_since()
    if block.provisional() or known is None:
        assert not figure.dated, where
        assert figure.known_since == figure.effective_from, where
    else:
        assert str(figure.known_since) == known, where
    assert figure.provisional == block.provisional(), where
    assert figure.source == named(pack, block.facts["source"]), where
    assert figure.confidence == confidence, where
    document = block.year.get("document")
    if document and block.insurance is not Insurance.HOUSING_FUND:
        assert set(_NUMBER.findall(document)) <= set(_NUMBER.findall(figure.document)), where


@pytest.mark.parametrize("code", CITIES)
def test_every_block_of_facts_is_in_the_pack_as_it_is(code: str) -> None:
    pack = POLICIES.packs[code]
    for block in blocks(CITIES[code]):
        facts, rules = block.facts, pack.insurances[block.insurance]
        found = figures(rules, facts["effective_from"])
        where = f"{code} {block.insurance} {facts['effective_from']}"
        rates_confidence = facts.get("rates_confidence", facts["confidence"])
        for key, name in BOUNDS.items():
            assert found[key].value == fen(facts[name]), f"{where} {key}"
            assert_told(pack, found[key], block, facts["confidence"], f"{where} {key}")
        for key, name in RATES.items():
            assert found[key].value == ppm(facts.get(name)), f"{where} {key}"
            assert_told(pack, found[key], block, rates_confidence, f"{where} {key}")
        fixed = found.get("employee_fixed")
        assert (fixed.value if fixed else None) == fen(facts.get("employee_fixed")), where
        assert_own_rates(rules, found, facts, where)
        assert_words(pack, rules, found, facts, where)


def assert_own_rates(
    rules: InsuranceRules, found: dict[str, Figure], facts: dict[str, Any], where: str
) -> None:
    """The range of employers' own rates: of work injury one side, of the fund both."""
    own = found["employer_rate"].own
    if "rate_min" in facts:
        assert own == found["employee_rate"].own, where
        assert rules.equal_sides == facts.get("equal_rates_both_sides", False), where
        assert rules.employer_rounding == facts.get("rounding", "yuan_half_up"), where
    least = facts.get("rate_min", facts.get("employer_rate_min"))
    assert (own.least if own else None) == ppm(least), where
    most = facts.get("rate_max", facts.get("employer_rate_max"))
    assert (own.most if own else None) == ppm(most), where
    assert (own.step if own else 0) == (ppm(facts.get("rate_step")) or 0), where


def assert_words(
    pack: Pack,
    rules: InsuranceRules,
    found: dict[str, Figure],
    facts: dict[str, Any],
    where: str,
) -> None:
    """Every number of a note, and of what has no figure of its own, is told beside the figures; a
    conflict is a dispute, which warns.
    """
    assert rules.employer_rounding == rules.employee_rounding, where
    said = " ".join(f"{figure.note} {figure.dispute}" for figure in found.values())
    supplementary = pack.insurances.get(Insurance.SUPPLEMENTARY_PENSION)
    if supplementary is not None:
        said += supplementary.employer_rate[0].note
    kept = [facts.get("note") or "", facts.get("tier") or "", facts.get("supplementary_rate") or ""]
    kept += [value for name, value in facts.items() if name.startswith("combined_monthly")]
    missing = set(_NUMBER.findall(" ".join(kept))) - set(_NUMBER.findall(said))
    assert not missing, f"{where}: {missing} of {facts.get('note')}"
    note = facts.get("note") or ""
    if "conflict" in note or "not confirmed" in note:
        assert any(figure.dispute for figure in found.values()), where
    if facts.get("rates_confidence") == "C":
        assert found["employer_rate"].dispute, where


@pytest.mark.parametrize("code", CITIES)
def test_the_pack_has_no_figure_that_the_facts_have_not(code: str) -> None:
    pack = POLICIES.packs[code]
    wanted = {(block.insurance, block.facts["effective_from"]) for block in blocks(CITIES[code])}
    with_medical = {starts for insurance, starts in wanted if insurance is Insurance.MEDICAL}
    with_pension = {starts for insurance, starts in wanted if insurance is Insurance.PENSION}
    for insurance, rules in pack.insurances.items():
        starts = {str(figure.effective_from) for figure in rules.figures()}
        if insurance is Insurance.SUPPLEMENTARY_PENSION:
            assert starts == with_pension
        elif any(one is insurance for one, _ in wanted):
            assert {(insurance, start) for start in starts} <= wanted
            assert len(starts) == len([one for one, _ in wanted if one is insurance])
        else:
            assert insurance is Insurance.MATERNITY
            assert starts == with_medical


@pytest.mark.parametrize("code", CITIES)
def test_maternity_has_the_shape_of_the_city(code: str) -> None:
    """Merged into medical, collected with it on its base, or a row of its own."""
    pack = POLICIES.packs[code]
    for year in CITIES[code]["policy_years"]:
        for facts in as_list(year["insurances"]["maternity"]):
            rules = pack.insurances.get(Insurance.MATERNITY)
            if facts.get("merged_into"):
                assert rules is None
                assert pack.merged == {Insurance.MATERNITY: Insurance(facts["merged_into"])}
                continue
            assert rules is not None
            if facts.get("collected_with"):
                medical = pack.insurances[Insurance.MEDICAL]
                assert (rules.floor, rules.ceiling) == (medical.floor, medical.ceiling)
                for key, series in (
                    ("employer_rate", rules.employer_rate),
                    ("employee_rate", rules.employee_rate),
                ):
                    assert {figure.value for figure in series} == {ppm(facts[key])}
                    assert {figure.confidence for figure in series} == {facts["confidence"]}
                    assert {figure.source for figure in series} == {named(pack, facts["source"])}


def test_the_extra_pension_of_shenzhen_is_the_employers_alone() -> None:
    rules = POLICIES.packs["440300"].insurances[Insurance.SUPPLEMENTARY_PENSION]
    pension = POLICIES.packs["440300"].insurances[Insurance.PENSION]
    for year in CITIES["440300"]["policy_years"]:
        facts = year["insurances"]["pension"]
        found = figures(rules, facts["effective_from"])
        assert found["employer_rate"].value == ppm(facts["local_supplement_employer_rate"])
        assert found["employee_rate"].value == 0
    assert (rules.floor, rules.ceiling) == (pension.floor, pension.ceiling)


@pytest.mark.parametrize("code", CITIES)
def test_the_average_wage_is_the_facts(code: str) -> None:
    pack = POLICIES.packs[code]
    wanted = [
        year for year in CITIES[code]["policy_years"] if "social_average_monthly_wage" in year
    ]
    assert len(pack.average_wage) == len(wanted)
    for figure, year in zip(pack.average_wage, wanted, strict=True):
        facts = year["social_average_monthly_wage"]
        assert figure.value == fen(facts["value"])
        assert figure.confidence == facts["confidence"]
        assert figure.source == named(pack, facts["source"])
        assert set(_NUMBER.findall(facts.get("note", ""))) <= set(_NUMBER.findall(figure.note))


@pytest.mark.parametrize("code", CITIES)
def test_the_days_are_the_facts_and_warn_where_nobody_attests_them(code: str) -> None:
    city, pack = CITIES[code], POLICIES.packs[code]
    (days,) = pack.days
    filing = city["filing"]
    last_day = filing.get("window_end_day") or filing["self_declare_pay_by_day"]
    assert days.filing_day == int(last_day)
    assert days.months_after == (1 if filing["levy_month"] == "previous" else 0)
    assert days.confidence == filing["confidence"]
    assert days.source == named(pack, filing["source"])
    assert days.warnings(), "every city's days are unverified or disputed"
    cutoffs = (filing.get("add_employee_cutoff_day"), filing.get("remove_employee_cutoff_day"))
    assert (days.add_cutoff_day, days.remove_cutoff_day) == tuple(
        int(day) if day else None for day in cutoffs
    )
    for name, value in filing.items():
        if name.startswith("auto_"):
            assert value in _NUMBER.findall(days.note), name


@pytest.mark.parametrize("code", CITIES)
def test_the_notes_of_a_city_are_its_remarks(code: str) -> None:
    said = set(_NUMBER.findall(" ".join(POLICIES.packs[code].remarks)))
    for note in CITIES[code].get("notes") or ():
        assert set(_NUMBER.findall(note)) <= said, note


def test_the_classes_of_work_injury_are_the_facts() -> None:
    facts = FACTS["national"]["work_injury_classes"]
    assert list(national().injury_classes_ppm) == [ppm(rate) for rate in facts["baseline_rates"]]
    assert national().injury_confidence == facts["confidence"]


def test_what_a_source_is_cited_for_can_be_found_again() -> None:
    """Hashes and addresses of a source are those of the facts."""
    exact = re.compile(r"@[0-9a-f]{8}|https?://[\w./~-]+[\w/]|github [\w-]+/[\w-]+")
    cited = 0
    for pack in POLICIES:
        for key, text in pack.sources.items():
            for token in exact.findall(FACTS["sources"].get(key, "")):
                cited += 1
                assert token.removeprefix("github ") in text, f"{pack.city} {key}: {token}"
    assert cited > 50
