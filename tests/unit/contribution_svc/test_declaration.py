"""申报: who is in, sums, and the hash that bureau-sync-svc must be able to make itself."""

import hashlib

from hypothesis import given
from hypothesis import strategies as st

from contribution_svc.domain.declaration import (
    Member,
    Supplement,
    blocked_reasons,
    declare,
    declare_supplements,
    lines_hash,
)
from contribution_svc.domain.difference import Kind, SupplementLine
from contribution_svc.domain.lines import Line, LineState
from shared.values import Insurance


def due(insurance: Insurance, employer_fen: int, employee_fen: int) -> Line:
    return Line(insurance, LineState.DUE, "a", "", 1, 1, 1, employer_fen, employee_fen)


def held(insurance: Insurance, state: LineState, reason: str) -> Line:
    return Line(insurance, state, "a", reason)


def owed(insurance: Insurance, employer_fen: int, employee_fen: int) -> SupplementLine:
    return SupplementLine(
        *(insurance, Kind.DIFFERENCE, "a", 1, 1, 1), employer_fen, employee_fen, "why"
    )


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


FEN = st.integers(0, 10**9)
LINES = st.one_of(
    st.builds(due, st.sampled_from(Insurance), FEN, FEN),
    st.builds(
        held,
        st.sampled_from(Insurance),
        st.sampled_from([LineState.EXEMPT, LineState.BLOCKED]),
        st.just("why"),
    ),
)
MEMBERS = st.lists(
    st.builds(Member, st.uuids().map(str), st.integers(1, 9), st.lists(LINES, max_size=6)),
    max_size=6,
)


@given(MEMBERS)
def test_the_lines_sum_to_the_totals_to_the_fen(members: list[Member]) -> None:
    sums = declare(members)
    lines = [line for member in members for line in member.lines if line.is_due()]
    assert sums.total_fen == sum(line.employer_fen + line.employee_fen for line in lines)
    assert sums.by_insurance == {
        insurance: (
            sum(line.employer_fen for line in lines if line.insurance is insurance),
            sum(line.employee_fen for line in lines if line.insurance is insurance),
        )
        for insurance in {line.insurance for line in lines}
    }
    assert sums.people == sum(member.is_due() for member in members)


def test_a_supplementary_declaration_sums_what_it_carries_and_names_who() -> None:
    carried = [
        Supplement("wang", 4, [owed(Insurance.PENSION, 688, 344), owed(Insurance.MEDICAL, 40, 10)]),
        Supplement("late", 2, [owed(Insurance.PENSION, 80_000, 40_000)]),
    ]
    sums = declare_supplements(iter(carried))
    assert sums.by_insurance == {
        Insurance.PENSION: (80_688, 40_344),
        Insurance.MEDICAL: (40, 10),
    }
    assert (sums.people, sums.total_fen) == (2, 121_082)
    assert sums.lines_hash == lines_hash([("wang", 4), ("late", 2)])


def test_nobody_due_is_nothing() -> None:
    assert declare([RETIRED]).people == 0
    assert declare([]).total_fen == 0


def test_a_reason_is_named_once() -> None:
    assert blocked_reasons(BLOCKED.lines) == ("documents_missing:visa",)
    assert blocked_reasons(WANG.lines) == ()
