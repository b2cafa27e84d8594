"""Policy packs: what the shipped ones say, and every way in which a file is refused, with its
place.
"""

import importlib.resources
from datetime import date
from pathlib import Path

import pytest

from contribution_svc.domain.figures import figure_at
from contribution_svc.errors import PolicyInvalid, PolicyUnknown
from contribution_svc.policy import load_policies, read_pack
from shared.refusal import FieldFault
from shared.values import Insurance, LevyPeriod

GOOD = (
    importlib.resources.files("contribution_svc")
    .joinpath("policies/990200.yaml")
    .read_text("utf-8")
)
POLICIES = load_policies()
TODAY = date(2024, 10, 1)
FLOOR = "value: '4800.00', source: INVENTED, invented: true"


def faults_of(text: str | bytes) -> list[FieldFault]:
    content = text.encode() if isinstance(text, str) else text
    with pytest.raises(PolicyInvalid) as refused:
        read_pack("990200.yaml", content)
    return list(refused.value.faults)


def changed(old: str, new: str, count: int = 1) -> str:
    assert old in GOOD, old
    return GOOD.replace(old, new, count)


def line_of(text: str, part: str) -> int:
    return next(n for n, line in enumerate(text.splitlines(), 1) if part in line)


def test_the_example_cities_are_as_the_article_says() -> None:
    policies = POLICIES
    first, second = policies.packs["990100"], policies.packs["990200"]
    assert (first.passes_detail_on, second.passes_detail_on) == (True, False)
    medical = first.insurances[Insurance.MEDICAL]
    floor, ceiling = (figure_at(s, TODAY, TODAY) for s in (medical.floor, medical.ceiling))
    assert floor is not None
    assert ceiling is not None
    assert (floor.value, floor.invented) == (500_000, False)
    assert (ceiling.value, ceiling.invented) == (2_000_000, False)
    rates = (medical.employer_rate[0], medical.employee_rate[0])
    assert [(r.value, r.invented) for r in rates] == [(80_000, False), (20_000, False)]
    assert first.insurances[Insurance.PENSION].employer_rate[0].invented
    assert [t.insurance.value for t in first.terms(LevyPeriod(2024, 10), TODAY)] == [
        "pension",
        "medical",
        "unemployment",
        "work_injury",
        "maternity",
    ]


def test_a_figure_holds_on_the_first_day_of_the_levy_period() -> None:
    pack = POLICIES.packs["990200"]
    june, july = (pack.terms(LevyPeriod(2024, month), TODAY)[0] for month in (6, 7))
    assert (june.floor_fen, june.ceiling_fen) == (480_000, 2_400_000)
    assert (july.floor_fen, july.ceiling_fen) == (510_000, 2_550_000)
    assert july.known_since == date(2024, 6, 20)


def test_a_contribution_year_begins_in_july() -> None:
    pack = POLICIES.packs["990100"]
    assert pack.contribution_year(LevyPeriod(2024, 6)) == 2023
    assert pack.contribution_year(LevyPeriod(2024, 7)) == 2024


@pytest.mark.parametrize(
    ("city", "period"),
    [("999999", "2024-10"), ("990100", "2023-06")],
    ids=["no such city", "before its first figure"],
)
def test_what_no_pack_says_is_unknown(city: str, period: str) -> None:
    with pytest.raises(PolicyUnknown, match=city):
        POLICIES.pack_for(city, LevyPeriod.parse(period), TODAY)


RATE = "known_since: '2023-06-20', value: '9', source: INVENTED, invented: true"

REFUSED = [
    pytest.param("value: '9'", "value: '900'", "value", "30 %", id="a rate of 900 percent"),
    pytest.param("value: '9'", "value: '80'", "value", "30 %", id="80 where 8 was meant"),
    pytest.param("value: '9'", "value: 9.0", "value", "quoted", id="a float"),
    pytest.param("value: '9'", "value: '9%'", "value", "percent", id="a percent sign"),
    pytest.param("value: '9'", "value: '-9'", "value", "percent", id="a negative rate"),
    pytest.param("value: '9'", "value: '９'", "value", "percent", id="a full-width digit"),
    pytest.param("value: '9'", "value: '9.12345'", "value", "percent", id="under a millionth"),
    pytest.param("value: '4800.00'", "value: 4800", "value", "quoted", id="a number for money"),
    pytest.param("value: '4800.00'", "value: '4,800'", "value", "yuan", id="thousands separator"),
    pytest.param("value: '4800.00'", "value: '4800.001'", "value", "yuan", id="three decimals"),
    pytest.param("value: '4800.00'", "value: '0'", "value", "monthly wage", id="a floor of zero"),
    pytest.param(
        "value: '24000.00'", "value: '24000000'", "value", "monthly wage", id="a huge ceiling"
    ),
    pytest.param(
        "value: '4800.00'", "value: '24000.01'", "floor", "ceiling", id="floor above ceiling"
    ),
    pytest.param(
        "effective_from: '2024-07-01', effective_to: null, known_since: '2024-06-20'",
        "effective_from: '2024-06-30', effective_to: null, known_since: '2023-06-20'",
        "effective_from",
        "overlaps",
        id="overlapping periods",
    ),
    pytest.param(
        "effective_from: '2024-07-01'",
        "effective_from: '2024-07-02'",
        "effective_from",
        "gap",
        id="a gap between periods",
    ),
    pytest.param(
        "effective_to: '2024-06-30', known_since: '2023-06-20'",
        "effective_to: null, known_since: '2024-06-20'",
        "effective_from",
        "overlaps",
        id="an open figure with another of the same notice after it",
    ),
    pytest.param(
        "effective_to: '2024-06-30'",
        "effective_to: '2022-06-30'",
        "effective_to",
        "effective_from",
        id="ends before it begins",
    ),
    pytest.param(
        "effective_from: '2023-07-01'",
        "effective_from: 2023-07-01",
        "effective_from",
        "quoted day",
        id="a bare date",
    ),
    pytest.param(
        "effective_from: '2023-07-01'",
        "effective_from: '2023-02-30'",
        "effective_from",
        "quoted day",
        id="an impossible date",
    ),
    pytest.param("  pension:", "  dental:", "dental", "one of pension", id="unknown insurance"),
    pytest.param(
        "    rounding: {employer: fen_half_up, employee: fen_half_up}\n",
        "",
        "rounding",
        "mapping",
        id="no rounding rule",
    ),
    pytest.param(
        "employer: fen_half_up",
        "employer: roughly",
        "rounding.employer",
        "one of",
        id="no such rule",
    ),
    pytest.param(
        "{employer: fen_half_up, ", "{", "rounding.employer", "one of", id="a rule for one side"
    ),
    pytest.param("filing_day: 15", "filing_day: 015", "filing_day", "whole", id="an octal day"),
    pytest.param("filing_day: 15", "filing_day: 1_5", "filing_day", "whole", id="an underscore"),
    pytest.param("filing_day: 15", "filing_day: 32", "filing_day", "whole", id="day 32"),
    pytest.param("filing_day: 15", "filling_day: 15", "filling_day", "one of", id="a misspelt key"),
    pytest.param(
        "passes_detail_on: false", "passes_detail_on: no", "passes_detail_on", "true", id="a no"
    ),
    pytest.param("open_at: '06:00'", "open_at: 6:00", "open_at", "quoted time", id="a sexagesimal"),
    pytest.param("source: SIL86}", "source: MADE_UP}", "source", "sources", id="no such source"),
    pytest.param(", source: SIL86}", "}", "source", "sources", id="no source at all"),
    pytest.param(
        "schema_version: 1", "schema_version: 2", "schema_version", "1", id="other schema"
    ),
    pytest.param(
        "roll: next_working_day", "roll: whenever", "roll", "next_working_day", id="unknown roll"
    ),
    pytest.param(
        "      medical: retired_rehired",
        "      dental: x",
        "dental",
        "pension",
        id="unknown exemption",
    ),
]


@pytest.mark.parametrize(("old", "new", "key", "expected"), REFUSED)
def test_a_wrong_value_is_refused_with_its_place(
    old: str, new: str, key: str, expected: str
) -> None:
    text = changed(old, new)
    named = [fault for fault in faults_of(text) if key in fault.where.split(":", 2)[2]]
    assert named, faults_of(text)
    file, line, _ = named[0].where.split(":", 2)
    assert file == "990200.yaml"
    assert 1 <= int(line) <= len(text.splitlines())
    assert any(expected in fault.reason for fault in named), named


def test_the_place_is_the_line_of_the_value() -> None:
    text = changed("value: '9'", "value: '900'")
    [fault] = faults_of(text)
    assert fault.where == (
        f"990200.yaml:{line_of(text, '900')}:insurances.medical.employer_rate[0].value"
    )


BOMB = "a: &a [x, x]\nb: &b [*a, *a]\nc: &c [*b, *b]\n"


@pytest.mark.parametrize(
    ("text", "found"),
    [
        pytest.param(GOOD + "city: '990300'\n", "duplicate key", id="the same key twice"),
        pytest.param(GOOD + "---\ncity: '1'\n", "a second document", id="two documents"),
        pytest.param(
            changed("city: '990200'", "city: !!python/name:os.system x"), "tag", id="an object tag"
        ),
        pytest.param(changed("city: '990200'", "city: !!str 990200"), "tag", id="a plain tag"),
        pytest.param(BOMB, "anchor or alias", id="an alias bomb"),
        pytest.param("a: [" * 30 + "]" * 30, "too", id="too deep"),
        pytest.param("<<: {a: b}\n", "unknown key", id="a merge key"),
        pytest.param("city: [1\n", "expected", id="not YAML"),
        pytest.param("", "nothing", id="empty"),
        pytest.param("just a text", "no mapping", id="not a mapping"),
        pytest.param(b"city: '\xff\xfe'", "bytes", id="not UTF-8"),
        pytest.param("a: " + "x" * 600_000, "bytes", id="half a megabyte"),
    ],
)
def test_what_is_not_strict_yaml_is_refused(text: str | bytes, found: str) -> None:
    faults = faults_of(text)
    assert any(found in fault.value or found in fault.reason for fault in faults), faults
    assert all(fault.where.startswith("990200.yaml:") for fault in faults)


def test_all_faults_of_a_file_come_in_one_report() -> None:
    text = changed("value: '9'", "value: '900'").replace("filing_day: 15", "filing_day: 99")
    assert len(faults_of(text)) == 2


def test_a_series_that_ends_before_the_others_is_a_gap() -> None:
    text = changed(
        "effective_to: null, known_since: '2023-06-20', value: '9'",
        "effective_to: '2024-12-31', known_since: '2023-06-20', value: '9'",
    )
    [fault] = faults_of(text)
    assert fault.where.endswith("insurances.medical.employer_rate")
    assert "span" in fault.reason


def test_a_folder_with_one_wrong_file_gives_nothing(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(GOOD)
    (tmp_path / "b.yaml").write_text(changed("value: '9'", "value: '900'"))
    with pytest.raises(PolicyInvalid, match=r"b\.yaml"):
        load_policies(tmp_path)


def test_two_files_for_one_city_are_refused(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(GOOD)
    (tmp_path / "b.yaml").write_text(GOOD)
    with pytest.raises(PolicyInvalid, match="another file"):
        load_policies(tmp_path)


def test_an_empty_folder_is_no_policy(tmp_path: Path) -> None:
    with pytest.raises(PolicyInvalid, match="no file"):
        load_policies(tmp_path)
