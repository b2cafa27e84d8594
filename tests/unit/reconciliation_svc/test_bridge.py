"""The bridge: every step from payslip to record is explained, or the rest shows."""

from dataclasses import replace
from datetime import datetime

from hypothesis import given
from hypothesis import strategies as st

from reconciliation_svc.domain.bridge import (
    MONEY_SIDES,
    NOT_VERIFIED,
    NOT_WITHHELD,
    Step,
    steps_of,
    sums_of,
)
from reconciliation_svc.domain.sides import CellSides, WithheldLine
from reconciliation_svc.domain.verdict import judge
from reconciliation_svc.domain.windows import Authority
from shared.values import Insurance
from tests.support.reconciling import (
    ABSENT,
    BLOCKED,
    DUE,
    EXEMPT,
    MEDICAL_AUTHORITY,
    POSTED,
    RECORDED,
    VERIFIED,
    WITHHELD,
    at,
    cell,
    due,
    extra,
    windows,
)

ALL = due(withheld=WITHHELD, posted=POSTED, bureau=RECORDED)
FILED = replace(VERIFIED, stage="filed", verified_fen=None)


def built(*cells: CellSides, now: datetime | None = None) -> dict[tuple[str, str], Step]:
    authority = Authority(MEDICAL_AUTHORITY)
    pairs = [(one, judge(one, windows(one), authority, now or at(20, month=11))) for one in cells]
    return {(step.from_side, step.to_side): step for step in steps_of(pairs)}


def reasons(steps: dict[tuple[str, str], Step]) -> dict[tuple[str, str], dict[str, int]]:
    return {
        key: {item.reason: item.fen for item in step.explained}
        for key, step in steps.items()
        if step.difference_fen
    }


def test_a_month_that_arrived_has_no_difference() -> None:
    steps = built(ALL)
    assert len(steps) == 5
    assert {step.difference_fen for step in steps.values()} == {0}


STATIONS = {
    "not assessed": (cell(withheld=WITHHELD), ("withheld", "assessed"), "NotAssessed"),
    "blocked": (
        cell(assessed=BLOCKED, withheld=WITHHELD),
        ("withheld", "assessed"),
        "AssessmentBlocked",
    ),
    "withheld from the exempt": (
        cell(assessed=EXEMPT, withheld=WITHHELD),
        ("withheld", "assessed"),
        "not_required",
    ),
    "withheld wrongly": (
        replace(ALL, withheld=WithheldLine(76_000, 18_000)),
        ("withheld", "assessed"),
        "WithheldDiffers",
    ),
    "no payslip": (replace(ALL, withheld=None), ("withheld", "assessed"), NOT_WITHHELD),
    "not filed": (due(withheld=WITHHELD), ("assessed", "filed"), "NotFiled"),
    "not verified": (
        due(withheld=WITHHELD, bureau=FILED),
        ("filed", "verified"),
        NOT_VERIFIED,
    ),
    "not debited": (
        due(withheld=WITHHELD, bureau=VERIFIED),
        ("verified", "debited"),
        "DebitMissing",
    ),
    "debited twice": (
        replace(ALL, posted=replace(POSTED, debits=2, employer_fen=152_000, employee_fen=38_000)),
        ("verified", "debited"),
        "DuplicateDebit",
    ),
    "not recorded": (
        replace(ALL, bureau=replace(ABSENT, looked_up_at=at(17))),
        ("debited", "recorded"),
        "RecordMissing",
    ),
    "recorded in part": (
        replace(ALL, bureau=replace(RECORDED, record_fen=(70_000, 19_000), fully_arrived=False)),
        ("debited", "recorded"),
        "ArrivedInPart",
    ),
    "debited though on no roster": (
        extra(posted=POSTED),
        ("verified", "debited"),
        "UndeclaredDebit",
    ),
    "assessed and then left": (extra(assessed=DUE), ("assessed", "filed"), "not_required"),
}


def test_every_station_on_the_way_is_a_reason() -> None:
    for name, (sides, step, reason) in STATIONS.items():
        steps = built(sides)
        assert {one.unexplained_fen for one in steps.values()} == {0}, name
        assert reason in reasons(steps)[step], name


def test_what_arrived_without_a_known_filing_is_unexplained() -> None:
    steps = built(replace(ALL, bureau=replace(RECORDED, filed_fen=None)))
    assert steps["assessed", "filed"].unexplained_fen == 95_000
    assert steps["filed", "verified"].unexplained_fen == -95_000
    waiting = built(replace(ALL, bureau=None), now=at(12))
    assert waiting["assessed", "filed"].unexplained_fen == 95_000
    assert waiting["verified", "debited"].unexplained_fen == -95_000


def test_history_explains_itself() -> None:
    sides = due(posted=POSTED)
    past = replace(windows(sides), history=True)
    verdict = judge(sides, past, Authority(""), at(20))
    steps = steps_of([(sides, verdict)])
    assert {item.reason for step in steps for item in step.explained} == {
        "history",
    }


SOME = st.lists(st.sampled_from([ALL, *(sides for sides, _, _ in STATIONS.values())]), max_size=8)


@given(SOME)
def test_the_steps_lead_from_the_first_sum_to_the_last(cells: list[CellSides]) -> None:
    sums = {
        side: sum(map(sum, by_insurance.values())) for side, by_insurance in sums_of(cells).items()
    }
    steps = built(*cells)
    assert sums["withheld"] - sums["recorded"] == sum(one.difference_fen for one in steps.values())
    for (before, after), step in steps.items():
        assert step.difference_fen == sums[before] - sums[after]
        assert step.unexplained_fen == 0


def test_sums_keep_the_payers_apart() -> None:
    sums = sums_of([ALL, ALL, due()])
    assert sums["assessed"] == {Insurance.MEDICAL: (228_000, 57_000)}
    assert sums["recorded"] == {Insurance.MEDICAL: (152_000, 38_000)}
    assert tuple(sums) == MONEY_SIDES
