"""申报: who is in, sums, and the hash that bureau-sync-svc must be able to make itself."""

import hashlib

from contribution_svc.domain.declaration import Member, blocked_reasons, declare, lines_hash
from contribution_svc.domain.lines import Line, LineState
from shared.values import Insurance


def due(insurance: Insurance, employer_fen: int, employee_fen: int) -> Line:
    return Line(insurance, LineState.DUE, "a", "", 1, 1, 1, employer_fen, employee_fen)


def held(insurance: Insurance, state: LineState, reason: str) -> Line:
    return Line(insurance, state, "a", reason)


WANG = Member(
    "wang", 3, [due(Insurance.PENSION, 152_000, 76_000), due(Insurance.MEDICAL, 76_000, 19_000)]
)
RETIRED = Member("retired", 1, [held(Insurance.MEDICAL, LineState.EXEMPT, "retired_rehired")])
BLOCKED = Member(
    "blocked",
    1,
    [
        held(Insurance.PENSION, LineState.BLOCKED, "documents_missing:visa"),
        held(Insurance.MEDICAL, LineState.BLOCKED, "documents_missing:visa"),
    ],
)
PART_TIME = Member("part-time", 2, [due(Insurance.WORK_INJURY, 3_800, 0)])


def test_only_what_is_due_is_declared() -> None:
    sums = declare([WANG, RETIRED, BLOCKED, PART_TIME])
    assert sums.people == 2
    assert sums.by_insurance == {
        Insurance.WORK_INJURY: (3_800, 0),
        Insurance.PENSION: (152_000, 76_000),
        Insurance.MEDICAL: (76_000, 19_000),
    }
    assert sums.total_fen == 326_800


def test_the_hash_is_over_sorted_ids_and_versions_of_the_due() -> None:
    expected = hashlib.sha256(b"part-time:2\nwang:3").hexdigest()
    assert declare([WANG, RETIRED, PART_TIME]).lines_hash == expected
    assert lines_hash([("wang", 3), ("part-time", 2)]) == expected


def test_the_order_of_people_does_not_matter() -> None:
    assert declare([WANG, PART_TIME, BLOCKED]) == declare([BLOCKED, PART_TIME, WANG])


def test_nobody_due_is_nothing() -> None:
    assert declare([RETIRED]).people == 0
    assert declare([]).total_fen == 0


def test_a_reason_is_named_once() -> None:
    assert blocked_reasons(BLOCKED.lines) == ("documents_missing:visa",)
    assert blocked_reasons(WANG.lines) == ()
