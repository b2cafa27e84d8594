"""补缴: months that can be made good online, and the sentence where they cannot or nobody knows."""

from datetime import date

import pytest

from contribution_svc.domain.back_payment import warning
from contribution_svc.errors import PolicyInvalid
from contribution_svc.policy import load_policies, read_pack
from shared.values import LevyPeriod
from tests.support.hefei import hefei_pack

PACKS = load_policies().packs
DECEMBER = date(2026, 12, 8)


def test_guangdong_within_three_months_nothing_is_said() -> None:
    for city in ("440100", "440300"):
        assert warning(PACKS[city], LevyPeriod(2026, 9), DECEMBER) == ""
        assert warning(PACKS[city], LevyPeriod(2026, 10), date(2027, 1, 8)) == ""


def test_guangdong_four_months_back_goes_to_the_counter() -> None:
    said = warning(PACKS["440300"], LevyPeriod(2026, 8), DECEMBER)
    assert said.startswith("2026-08距今4个月，超过深圳可线上补缴的3个月（广东省社保费自助补缴表单")
    assert said.endswith("，须到征收机构办理")


def test_what_no_source_says_is_said_to_be_unknown() -> None:
    said = warning(PACKS["340100"], LevyPeriod(2026, 11), DECEMBER)
    assert said == "合肥能补缴几个月前的费款未知，请先向征收机构核实2026-11能否补缴"
    before_it_was_known = warning(PACKS["440300"], LevyPeriod(2026, 9), date(2026, 10, 8))
    assert "未知" in before_it_was_known


@pytest.mark.parametrize("value", ["25", "-1", "1.5", "null"])
def test_another_number_of_months_is_refused(value: str) -> None:
    series = (
        "back_payment_online_months:\n  - {effective_from: '2026-01-01', effective_to: null,"
        f" known_since: null, value: {value}, confidence: A, source: [RATES]}}\n"
    )
    with pytest.raises(PolicyInvalid, match="a whole number from 0 to 24"):
        read_pack("340100.yaml", hefei_pack() + series.encode())
