from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from sandbox.faults import BANK_KINDS, BUREAU_KINDS, PARAMS, Fault, FaultOrder, Kind, Params, treat
from sandbox.wire import DueLine, PaidLine
from tests.support.parties import line, paid

DUE = DueLine.model_validate(line())
PAID = PaidLine.model_validate(paid(line()))


def fault(kind: Kind, **changes: Any) -> Fault:
    params = PARAMS.get(kind, Params).model_validate(changes.pop("params", {}))
    selectors: dict[str, Any] = {name: frozenset(chosen) for name, chosen in changes.items()}
    return Fault(f"fault-{kind}", kind, params, **selectors)


def test_every_kind_can_be_ordered_of_someone() -> None:
    assert set(Kind) == BANK_KINDS | BUREAU_KINDS


@pytest.mark.parametrize(
    ("selectors", "struck"),
    [
        ({}, True),
        ({"insurances": ["medical"]}, True),
        ({"insurances": ["pension"]}, False),
        ({"people": [DUE.id_no], "accounts": ["A-1"]}, True),
        ({"people": ["110101199003070011"]}, False),
        ({"accounts": ["A-2"]}, False),
    ],
)
def test_a_fault_strikes_what_its_selectors_name(
    selectors: dict[str, list[str]], struck: bool
) -> None:
    treatment = treat([fault(Kind.ACCEPT_AND_DROP, **selectors)], "A-1", DUE)
    assert (treatment.dropped_by is not None) is struck
    assert bool(treatment.struck) is struck


def test_only_insurances_names_those_that_still_work() -> None:
    standing = [fault(Kind.ONLY_INSURANCES, insurances=["medical"])]
    assert treat(standing, "A-1", DUE).dropped_by is None
    pension = DueLine.model_validate(line(insurance="110"))
    assert treat(standing, "A-1", pension).dropped_by == "fault-only_insurances"


def test_what_is_due_follows_a_wrong_base_and_what_was_paid_does_not() -> None:
    standing = [fault(Kind.WRONG_BASE, params={"delta": "-500.00"})]
    due = treat(standing, "A-1", DUE)
    assert (due.base_fen, due.employer_fen, due.employee_fen) == (900_000, 72_000, 18_000)
    booked = treat(standing, "A-1", PAID)
    assert (booked.base_fen, booked.employer_fen, booked.employee_fen) == (900_000, 76_000, 19_000)


def test_a_base_may_be_wrong_by_percent_and_never_below_nothing() -> None:
    assert treat([fault(Kind.WRONG_BASE, params={"percent": 10})], "A-1", DUE).base_fen == 1_045_000
    gone = treat([fault(Kind.WRONG_BASE, params={"delta": "-99999.00"})], "A-1", DUE)
    assert (gone.base_fen, gone.employer_fen) == (0, 0)


@given(st.integers(min_value=-100, max_value=1_000))
def test_amounts_stay_in_proportion_to_the_base_to_half_a_fen(percent: int) -> None:
    standing = [fault(Kind.WRONG_BASE, params={"percent": percent})]
    treatment = treat(standing, "A-1", DUE)
    exact_times_base = DUE.employer_fen * treatment.base_fen
    assert abs(2 * (treatment.employer_fen * DUE.base_fen - exact_times_base)) <= DUE.base_fen


def test_several_faults_work_together() -> None:
    standing = [
        fault(Kind.RECORD_LATE, params={"days": 3, "in_transit": True}),
        fault(Kind.WRONG_BASE, params={"percent": 10}),
        fault(Kind.REFUSE, params={"text": "证件号码校验不通过"}, people=["nobody"]),
    ]
    treatment = treat(standing, "A-1", PAID)
    assert (treatment.late_days, treatment.in_transit) == (3, True)
    assert treatment.base_fen == 1_045_000
    assert treatment.refused_with == ""
    assert treatment.struck == {"fault-record_late", "fault-wrong_base"}


@pytest.mark.parametrize(
    "order",
    [
        {"kind": "explode"},
        {"kind": "closed"},
        {"kind": "only_insurances"},
        {"kind": "record_late"},
        {"kind": "record_late", "params": {"days": 0}},
        {"kind": "wrong_base"},
        {"kind": "wrong_base", "params": {"delta": "1.00", "percent": 1}},
        {"kind": "wrong_base", "params": {"delta": 1}},
        {"kind": "accept_and_drop", "params": {"days": 1}},
        {"kind": "timeout_before", "params": {"secs": 1}},
        {"kind": "refuse", "params": {"code": "no"}},
        {"kind": "refuse", "insurances": ["pensions"]},
        {"kind": "refuse", "from": "2024-10-10"},
        {"kind": "refuse", "times": 0},
        {"kind": "refuse", "peple": ["x"]},
    ],
)
def test_an_order_that_cannot_be_meant_is_refused(order: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        FaultOrder.model_validate({"party": "tax-990100", **order})
