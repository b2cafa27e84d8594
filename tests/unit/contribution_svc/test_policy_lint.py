"""The linter: every class of fault of a policy file is found with file, line, key, found and
expected, and what is right passes.
"""

import hashlib
import importlib.resources
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from contribution_svc.commands import add_commands
from contribution_svc.policy import read_pack
from contribution_svc.policy.lint import lint
from contribution_svc.policy.national import shipped_catalogue, with_catalogue
from shared.refusal import FieldFault
from shared.values import LevyPeriod

FOLDER = Path(str(importlib.resources.files("contribution_svc").joinpath("policies")))
HEFEI = (FOLDER / "340100.yaml").read_text("utf-8")
FILE = "340100.yaml"
_BOMB = "a: &a [x, x]\nb: &b [*a, *a]\nc: &c [*b, *b]\nd: &d [*c, *c]\n"
_OLD = "effective_from: '2026-01-01', effective_to: '2026-12-31', known_since: '2026-09-07'"


def identity(text: str) -> str:
    """The hash under which a pack is approved: with the catalogue that it is read with."""
    return hashlib.sha256(with_catalogue(text.encode(), shipped_catalogue())).hexdigest()


def changed(old: str, new: str) -> str:
    assert old in HEFEI, old
    return HEFEI.replace(old, new, 1)


def without(part: str) -> str:
    return changed(part, "")


FAULTS = [
    pytest.param(
        changed("city: '340100'", "city: !!python/object/apply:os.system ['true']"),
        "city",
        "tag",
        "plain values",
        id="1 a tag that builds an object",
    ),
    pytest.param(_BOMB, "a", "anchor or alias", "own place", id="2 an alias bomb"),
    pytest.param(
        changed("passes_detail_on: false", "passes_detail_on: off"),
        "passes_detail_on",
        "off",
        "true or false",
        id="3 off for false",
    ),
    pytest.param(
        changed("look_up_at: '08:00'", "look_up_at: 8:00"),
        "days[0].look_up_at",
        "8:00",
        "quoted time",
        id="3 a sexagesimal",
    ),
    pytest.param(
        changed("filing_day: 25", "filing_day: 031"),
        "days[0].filing_day",
        "031",
        "whole number",
        id="3 an octal",
    ),
    pytest.param(
        changed("value: '4354'", "value: 4_354"),
        "insurances.pension.floor[2].value",
        "4_354",
        "quoted decimal",
        id="3 an underscore",
    ),
    pytest.param(
        changed("effective_from: '2026-01-01'", "effective_from: 2026-01-01"),
        "insurances.pension.floor[2].effective_from",
        "2026-01-01",
        "quoted day",
        id="3 a bare date",
    ),
    pytest.param(
        HEFEI + "city: '340100'\n", "city", "duplicate key", "once", id="4 a key that stands twice"
    ),
    pytest.param(
        changed("employee_rate:", "employe_rate:"),
        "insurances.pension.employe_rate",
        "unknown key",
        "employee_rate",
        id="4 a misspelt key",
    ),
    pytest.param(
        changed("employee_rate:", "employe_rate:"),
        "insurances.pension.employee_rate",
        "nothing",
        "a list",
        id="4 no default rate",
    ),
    pytest.param(
        changed("value: '16'", "value: '160'"),
        "insurances.pension.employer_rate[0].value",
        "160 %",
        "30 %",
        id="5 a rate above all",
    ),
    pytest.param(
        changed("value: '16'", "value: '16%'"),
        "insurances.pension.employer_rate[0].value",
        "16%",
        "percent",
        id="5 a percent sign",
    ),
    pytest.param(
        changed("value: '16'", "value: 0.16"),
        "insurances.pension.employer_rate[0].value",
        "0.16",
        "quoted",
        id="5 a float",
    ),
    pytest.param(
        changed("least: '0.2', most: '1.9'", "least: '1.9', most: '0.2'"),
        "insurances.work_injury.employer_rate[0].most",
        "0.2 %",
        "not less than",
        id="5 a range upside down",
    ),
    pytest.param(
        changed("value: '16'", "value: '0.16'"),
        "insurances.pension.employer_rate[0].value",
        "0.16 %",
        "at least 1 %",
        id="5 a fraction for a percentage",
    ),
    pytest.param(
        changed("least: '5', most: '12', step: '1'", "least: '0.05', most: '12', step: '1'"),
        "insurances.housing_fund.employer_rate[0].least",
        "0.05 %",
        "at least",
        id="5 a fraction for the least of a range",
    ),
    pytest.param(
        changed("value: '110'", "value: '1.1'"),
        "not_filed_percent_of_last_month[0].value",
        "1.1 %",
        "100 to 200 %",
        id="5 a fraction for the part of last month",
    ),
    pytest.param(
        changed("value: null, least: '0.2', most: '1.9'", "value: null"),
        "insurances.work_injury.employer_rate[0].value",
        "null",
        "least",
        id="5 an own rate without its range",
    ),
    pytest.param(
        changed("value: '4354'", "value: '21772.01'"),
        "insurances.pension.floor",
        "21,772.01",
        "at most the ceiling",
        id="6 a floor above the ceiling",
    ),
    pytest.param(
        changed("value: '4354'", "value: '0'"),
        "insurances.pension.floor[2].value",
        "0.00",
        "monthly wage",
        id="6 a floor of zero",
    ),
    pytest.param(
        changed("value: '21772'", "value: '21772000'"),
        "insurances.pension.ceiling[2].value",
        "21,772,000.00",
        "monthly wage",
        id="6 a huge ceiling",
    ),
    pytest.param(
        changed(_OLD, _OLD.replace("2026-01-01", "2025-12-31").replace("2026-09-07", "2025-09-19")),
        "insurances.pension.floor[2].effective_from",
        "2025-12-31",
        "overlaps",
        id="7 an overlap within one notice",
    ),
    pytest.param(
        changed(_OLD, _OLD.replace("2026-01-01", "2026-01-02")),
        "insurances.pension.floor[2].effective_from",
        "2026-01-02",
        "gap",
        id="7 a gap",
    ),
    pytest.param(
        changed("city: '340100'", "city: '989900'"), "city", "989900", "city", id="9 unknown city"
    ),
    pytest.param(
        changed("  unemployment:", "  umemployment:"),
        "insurances.umemployment",
        "umemployment",
        "one of pension",
        id="9 an unknown insurance",
    ),
    pytest.param(
        changed("merged_into: medical", "merged_into: dental"),
        "insurances.maternity.merged_into",
        "dental",
        "one of pension, medical",
        id="9 merged into an unknown one",
    ),
    pytest.param(
        changed("{employer: fen_half_up, employee: fen_half_up", "{employer: fen_half_up"),
        "insurances.pension.rounding.employee",
        "nothing",
        "one of fen_half_up",
        id="10 no rounding rule for a side",
    ),
    pytest.param(
        HEFEI + "---\ncity: '340200'\n",
        "",
        "a second document",
        "one document",
        id="11 two of them",
    ),
    pytest.param(
        without(", confidence: A"),
        "late_fee_per_day[0].confidence",
        "nothing",
        "one of A, B, C, D, U",
        id="a figure without confidence",
    ),
    pytest.param(
        changed("known_since: '2026-09-07', ", ""),
        "insurances.pension.floor[2].known_since",
        "nothing",
        "or null",
        id="a figure of which nobody says since when it is known",
    ),
    *(
        pytest.param(
            changed(f"{key}: '{day}'", f"{key}: '{slip}'"),
            f"insurances.pension.floor[0].{key}",
            slip,
            "1990-01-01 to 2100-12-31",
            id=f"3 {key} {slip}",
        )
        for key, day in (("effective_to", "2024-12-31"), ("known_since", "2024-08-21"))
        for slip in ("9999-12-31", "0001-01-01")
    ),
    pytest.param(
        changed("value: '4227', confidence: A", "value: '4227', invented: true"),
        "insurances.pension.floor[0].invented",
        "true",
        "example city",
        id="a figure of a real city that nobody attests, and that would not warn",
    ),
    pytest.param(
        changed("document: 皖人社秘〔2024〕196号", f"document: {'皖' * 1_001}"),
        "insurances.pension.floor[0].document",
        "1001 characters",
        "at most 1000",
        id="a text that no message could carry",
    ),
    pytest.param(
        changed("dispute: MEDICAL_RATE", "dispute: MEDICAL"),
        "insurances.medical.employer_rate[0].dispute",
        "MEDICAL",
        "a key of `notes`",
        id="a note that is not there",
    ),
]


@pytest.mark.parametrize(("text", "key", "found", "expected"), FAULTS)
def test_a_fault_is_named_with_file_line_key_found_and_expected(
    text: str, key: str, found: str, expected: str
) -> None:
    faults = lint(FILE, text.encode())
    named = [fault for fault in faults if fault.where.split(":", 2)[2:] == ([key] if key else [])]
    assert named, [fault.where for fault in faults]
    assert any(found in one.value and expected in one.reason for one in named), named
    line = int(named[0].where.split(":")[1])
    assert named[0].where.startswith(f"{FILE}:")
    assert key.rsplit(".", 1)[-1].split("[")[0] in text.splitlines()[line - 1] or "nothing" in found


def test_a_declared_month_is_not_rewritten() -> None:
    """Class 8: what January to August were levied on stays, whatever a new file says."""
    in_force = read_pack(FILE, HEFEI.encode())
    through = LevyPeriod(2026, 8)
    rewriting = changed("value: '4311'", "value: '4354'")
    faults = lint(FILE, rewriting.encode(), in_force, through)
    place = HEFEI[: HEFEI.index("  pension:")].count("\n") + 1
    assert {fault.where for fault in faults} == {f"{FILE}:{place}:insurances.pension"}
    months = [fault.value.split(":")[0] for fault in faults]
    assert months == [f"2025-{month:02d}" for month in range(9, 13)] + [
        f"2026-{month:02d}" for month in range(1, 9)
    ]
    assert "floor_fen 4,354.00" in faults[-1].value
    assert "floor_fen 4,311.00" in faults[-1].reason
    assert "known_since" in faults[-1].todo


def test_a_late_notice_may_reach_back_by_a_figure_of_its_own() -> None:
    lines = HEFEI.splitlines(keepends=True)
    notices = [line for line in lines if "known_since: '2026-09-07'" not in line]
    before = read_pack(FILE, "".join(notices).encode())
    assert lint(FILE, HEFEI.encode(), before, LevyPeriod(2026, 8)) == []


def test_what_was_edited_after_approval_is_refused() -> None:
    """Class 12."""
    approved = identity(HEFEI)
    assert lint(FILE, HEFEI.encode(), approved_sha256=approved) == []
    edited = HEFEI + "# a comment is an edit\n"
    [fault] = lint(FILE, edited.encode(), approved_sha256=approved)
    assert fault.where == f"{FILE}:1"
    assert approved in fault.reason
    assert fault.value == identity(edited)


def test_all_faults_come_at_once() -> None:
    text = changed("value: '16'", "value: '16%'").replace("filing_day: 25", "filing_day: 99")
    assert [where(fault) for fault in lint(FILE, text.encode())] == [
        "days[0].filing_day",
        "insurances.pension.employer_rate[0].value",
    ]


def where(fault: FieldFault) -> str:
    return fault.where.split(":", 2)[2]


CLI = typer.Typer()
add_commands(CLI, lambda _: None)
RUN = CliRunner()


def test_the_command_lints_every_pack_that_ships() -> None:
    files = [str(file) for file in sorted(FOLDER.glob("*.yaml"))]
    done = RUN.invoke(CLI, ["policy", "lint", *files])
    assert (done.exit_code, done.output) == (0, "11 packs have no fault\n")


def test_the_command_names_each_fault_on_a_line(tmp_path: Path) -> None:
    file = tmp_path / "wrong.yaml"
    file.write_text(changed("value: '16'", "value: '160'"))
    done = RUN.invoke(CLI, ["policy", "lint", str(file)])
    assert done.exit_code == 1
    line = HEFEI[: HEFEI.index("value: '16'")].count("\n") + 1
    assert done.output == (
        f"wrong.yaml:{line}:insurances.pension.employer_rate[0].value: "
        "found 160 %, expected a rate of 0 to 30 % for one side\n"
    )


@pytest.fixture
def hefei(tmp_path: Path) -> list[str]:
    """A folder with that pack alone, as an option of the command."""
    (tmp_path / FILE).write_text(HEFEI)
    return ["--policy-dir", str(tmp_path)]


def test_the_command_says_what_was_in_force_in_one_sentence(hefei: list[str]) -> None:
    asked = ["policy", "in-force", "340100", "pension", "2026-03", *hefei]
    before = RUN.invoke(CLI, [*asked, "--known-on", "2026-09-06"])
    after = RUN.invoke(CLI, [*asked, "--known-on", "2026-09-07"])
    assert (before.exit_code, after.exit_code) == (0, 0)
    assert "基数下限4,311.00元" in before.output
    assert "注意：养老险基数下限" in before.output
    assert "基数下限4,354.00元" in after.output
    assert "来源：" in after.output


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["999999", "pension", "2026-03"], 1, "no policy for city 999999"),
        (["340100", "pension", "2023-12"], 1, "2023-12 for pension"),
        (["340100", "maternity", "2026-03"], 1, "collected within medical"),
        (["340100", "pension", "2026-13"], 2, "YYYY-MM"),
        (["340100", "dental", "2026-03"], 2, "dental"),
    ],
    ids=["no such city", "a month outside", "merged", "no month", "no insurance"],
)
def test_what_cannot_be_answered_is_said(
    arguments: list[str], code: int, said: str, hefei: list[str]
) -> None:
    asked = ["policy", "in-force", *arguments, "--known-on", "2026-10-01", *hefei]
    done = RUN.invoke(CLI, asked)
    assert done.exit_code == code
    assert said in done.output
