"""What supplementary declarations add to a cell: on its way, debited, recorded, or not."""

from dataclasses import replace
from datetime import date, datetime
from typing import Any

import msgspec
import pytest

from reconciliation_svc.consumers import arrival_of
from reconciliation_svc.domain.bridge import (
    SUPPLEMENT_ON_ITS_WAY,
    WITHHELD_ELSEWHERE,
    steps_of,
)
from reconciliation_svc.domain.sides import (
    AssessedSide,
    BureauLine,
    CellSides,
    PostedLine,
    PostedSide,
    Supplement,
)
from reconciliation_svc.domain.verdict import Verdict, judge
from reconciliation_svc.domain.windows import Authority
from shared.values import Outcome
from tests.support.reconciling import (
    ABSENT,
    DUE,
    MEDICAL_AUTHORITY,
    POSTED,
    RECORDED,
    VERIFIED,
    WITHHELD,
    at,
    cell,
    windows,
)
from tests.support.reconciling_events import HEALTH, assessed, posted

SUPPLEMENT = Supplement("supplement-1", 688, 344, date(2024, 11, 15), "2024-11")
WITH = replace(DUE, employer_fen=76_688, employee_fen=19_344, supplements=(SUPPLEMENT,))
PAID = replace(
    POSTED,
    employer_fen=76_688,
    employee_fen=19_344,
    debited_on=date(2024, 11, 15),
    record_by=date(2024, 11, 22),
    supplements=("supplement-1",),
)
WHOLE = replace(RECORDED, record_fen=(76_688, 19_344))
_O = Outcome


def judged(
    posted: PostedLine | None, bureau: BureauLine | None, now: datetime, **changes: Any
) -> Verdict:
    sides = replace(cell(assessed=WITH, posted=posted, bureau=bureau), **changes)
    authority = Authority(MEDICAL_AUTHORITY)
    return judge(sides, windows(sides, authority), authority, now)


@pytest.mark.parametrize(
    ("posted_line", "bureau", "now", "outcome"),
    [
        (POSTED, RECORDED, at(15, month=11), _O.AWAITING_DEBIT),
        (POSTED, RECORDED, at(16, month=11), _O.DEBIT_DIFFERS),
        (POSTED, ABSENT, at(15, month=11), _O.NOT_LOOKED_UP),
        (PAID, RECORDED, at(22, month=11), _O.AWAITING_RECORD),
        (PAID, RECORDED, at(23, month=11), _O.AMOUNT_DIFFERS),
        (PAID, WHOLE, at(16, month=11), _O.ARRIVED),
        (replace(POSTED, employer_fen=75_000), RECORDED, at(15, month=11), _O.DEBIT_DIFFERS),
        (PAID, replace(WHOLE, record_fen=(1, 1)), at(16, month=11), _O.AMOUNT_DIFFERS),
        (None, VERIFIED, at(10), _O.AWAITING_DEBIT),
    ],
    ids=[
        "arrived but for a supplement until its day",
        "the supplement's day has passed",
        "what is missing of the regular part stays missing",
        "debited with the supplement, recorded without it, in its window",
        "and after it",
        "all of it is there",
        "another sum than the regular one",
        "another record than either",
        "verified without it, before the regular debit",
    ],
)
def test_a_supplement_is_expected_by_its_own_days(
    posted_line: PostedLine | None, bureau: BureauLine, now: datetime, outcome: Outcome
) -> None:
    assert judged(posted_line, bureau, now).outcome is outcome


def test_the_reason_names_what_is_still_to_be_debited() -> None:
    verdict = judged(POSTED, RECORDED, at(15, month=11))
    assert verdict.reason == "已到账 950.00 元，另有补充申报 10.32 元，等待银行扣款"
    assert verdict.window_ends_at == at(16, "00:00", month=11)


def test_what_a_later_payslip_withholds_is_no_difference_of_this_one() -> None:
    assert judged(PAID, WHOLE, at(16, month=11), withheld=WITHHELD).annotations == ()
    other = replace(WITHHELD, employee_fen=18_000)
    assert "WithheldDiffers" in judged(PAID, WHOLE, at(16, month=11), withheld=other).annotations


def _explained(sides: CellSides, now: datetime) -> dict[tuple[str, str], list[str]]:
    authority = Authority(MEDICAL_AUTHORITY)
    verdict = judge(sides, windows(sides, authority), authority, now)
    steps = steps_of([(sides, verdict)])
    assert [step.unexplained_fen for step in steps] == [0] * 5
    return {
        (step.from_side, step.to_side): [one.reason for one in step.explained]
        for step in steps
        if step.difference_fen
    }


def test_the_bridge_explains_a_supplement_on_its_way() -> None:
    sides = cell(assessed=WITH, posted=POSTED, bureau=RECORDED, withheld=WITHHELD)
    assert _explained(sides, at(15, month=11)) == {
        ("withheld", "assessed"): [WITHHELD_ELSEWHERE],
        ("assessed", "filed"): [SUPPLEMENT_ON_ITS_WAY],
    }
    filed = replace(RECORDED, filed_fen=(76_688, 19_344), verified_fen=(76_688, 19_344))
    assert _explained(replace(sides, bureau=filed), at(15, month=11)) == {
        ("withheld", "assessed"): [WITHHELD_ELSEWHERE],
        ("verified", "debited"): [Outcome.AWAITING_DEBIT],
    }


def test_a_line_of_a_supplementary_declaration_is_known_by_it() -> None:
    event = assessed("wang")
    difference = msgspec.structs.replace(
        event.lines[1],
        kind="difference",
        base_fen=4_300,
        employer_fen=688,
        employee_fen=344,
        declaration_id="supplement-1",
        debit_by="2024-11-15",
        withhold_in="2024-11",
    )
    side = arrival_of(msgspec.structs.replace(event, lines=(*event.lines, difference))).side
    assert isinstance(side, AssessedSide)
    line = side.lines[HEALTH]
    assert line.supplements == (SUPPLEMENT,)
    assert line.employer_fen == event.lines[1].employer_fen + 688


def test_a_supplement_paid_in_time_is_not_late_with_the_regular_due_day() -> None:
    event = posted("wang")
    regular = msgspec.structs.replace(event.lines[1], due_on="2024-10-15")
    paid = msgspec.structs.replace(
        regular,
        employer_fen=688,
        employee_fen=344,
        debited_on="2024-11-15",
        due_on="2024-11-15",
        declaration_id="supplement-1",
        kind="difference",
    )
    side = arrival_of(msgspec.structs.replace(event, lines=(regular, paid))).side
    assert isinstance(side, PostedSide)
    line = side.lines[HEALTH]
    assert (line.supplements, line.debits) == (("supplement-1",), 1)
    assert (line.debited_on, line.due_on) == (date(2024, 11, 15), date(2024, 11, 15))
