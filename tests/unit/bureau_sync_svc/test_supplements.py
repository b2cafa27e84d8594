"""Which lines a declaration carries, and how its filings add up."""

from dataclasses import replace
from datetime import UTC, datetime

from bureau_sync_svc.domain.filing import AssessedLine, Assessment, carried_by, lines_hash
from bureau_sync_svc.domain.lines import (
    REJECTED,
    TAKEN,
    VERIFIED,
    Line,
    Observation,
    Submitted,
    Sums,
    observed,
    row_of,
)

REGULAR = AssessedLine("pension", "due", "hrss", "regular", 431_100, 68_976, 34_488)
DIFFERENCE = AssessedLine("pension", "due", "hrss", "difference", 4_300, 688, 344, "s-1", 2)
AT = datetime(2026, 9, 10, tzinfo=UTC)


def filing(sums: Sums, state: str = VERIFIED, verified: Sums | None = None) -> Submitted:
    return Submitted(AT, state, sums, verified=verified)


def test_each_declaration_carries_its_own_lines_under_the_version_of_then() -> None:
    declared = replace(REGULAR, declared_version=1)
    held = [Assessment("e1", 2, (declared, DIFFERENCE)), Assessment("e2", 1, (REGULAR,))]
    regular, supplement = carried_by("", held), carried_by("s-1", held)
    assert [(one.employee_id, one.version, one.lines) for one in regular] == [
        ("e1", 1, (declared,)),
        ("e2", 1, (REGULAR,)),
    ]
    assert [(one.employee_id, one.version) for one in supplement] == [("e1", 2)]
    assert lines_hash((one.employee_id, one.version) for one in regular) == lines_hash(
        [("e1", 1), ("e2", 1)]
    )
    assert carried_by("s-2", held) == []


REGULAR_SUMS, MORE = Sums(431_100, 68_976, 34_488), Sums(4_300, 688, 344)


def seen(fact: Submitted, carrier: str = "") -> Observation:
    return Observation("pension", "hrss", "filing", fact, carrier)


def test_verified_supplements_add_up_with_the_regular_filing_in_any_order() -> None:
    facts = [
        seen(filing(REGULAR_SUMS, verified=REGULAR_SUMS)),
        seen(filing(MORE, TAKEN), "s-1"),
        seen(filing(MORE, verified=MORE), "s-1"),
    ]
    for order in (facts, facts[::-1], [*facts, *facts]):
        row = row_of(observed({}, order)["pension"])
        assert (row.stage, row.filed_employer_fen, row.filed_employee_fen) == (
            "verified",
            69_664,
            34_832,
        )
        assert (row.verified_base_fen, row.verified_employer_fen) == (431_100, 69_664)


def test_a_supplement_that_is_not_verified_changes_no_sum() -> None:
    line = Line("pension", "hrss", filing(REGULAR_SUMS, verified=REGULAR_SUMS))
    for state in (TAKEN, REJECTED):
        row = row_of(replace(line, supplements={"s-1": filing(MORE, state)}))
        assert (row.stage, row.filed_employer_fen) == ("verified", 68_976)


def test_whoever_was_only_declared_late_stands_as_their_supplement_does() -> None:
    line = Line("pension", "hrss", supplements={"s-1": filing(REGULAR_SUMS, TAKEN)})
    assert (row_of(line).stage, row_of(line).filed_employer_fen) == ("filed", 68_976)
