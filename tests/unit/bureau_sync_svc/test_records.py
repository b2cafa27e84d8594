"""How an authority's rows are read: flags, kinds, ranges, duplicates, and what is not believed."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bureau_sync_svc.domain.lines import Sums
from bureau_sync_svc.domain.records import Found, Page, expanded, found, spread
from bureau_sync_svc.domain.wire import Unreadable

PEOPLE = {"99010019900101001X": "e1"}


def row(**changes: Any) -> dict[str, Any]:
    return {
        "AAC002": "99010019900101001X",
        "AAE140": "310",
        "AAE003": "202410",
        "AAA115": "10",
        "AAE180": "9500.00",
        "AAE080": "760.00",
        "AAE082": "190.00",
        "AAE078": "1",
        "EAD131": "20241011",
        **changes,
    }


def one(*rows: dict[str, Any]) -> Found:
    cells, _ = found([Page(list(rows), None)], "2024-10", PEOPLE)
    return cells["e1", "medical"]


@pytest.mark.parametrize(
    ("flag", "state", "fully_arrived"),
    [
        ("1", "recorded", True),
        ("0", "recorded", False),
        ("3", "in_transit", False),
        ("2", "interrupted", False),
    ],
)
def test_flags(flag: str, state: str, fully_arrived: bool) -> None:
    assert (one(row(AAE078=flag)).state, one(row(AAE078=flag)).fully_arrived) == (
        state,
        fully_arrived,
    )


def test_kinds_add_up_to_one_record() -> None:
    difference = row(AAA115="30", AAE180="0.00", AAE080="8.00", AAE082="2.00", EAD131="20241101")
    cell = one(row(), difference)
    assert (cell.records, cell.sums) == (1, Sums(950_000, 76_800, 19_200))
    assert cell.recorded_on == "2024-11-01"


def test_differences_of_several_notices_are_several_lines() -> None:
    first = row(AAA115="30", AAE180="0.00", AAE080="8.00", AAE082="2.00")
    second = row(AAA115="30", AAE180="0.00", AAE080="1.00", AAE082="0.50")
    cell = one(row(), first, second)
    assert (cell.records, cell.kinds, cell.sums) == (1, 3, Sums(950_000, 76_900, 19_250))
    assert one(row(), first, first).records == 2


def test_the_same_row_twice_is_two_records_of_one_amount() -> None:
    assert (one(row(), row()).records, one(row(), row()).sums) == (2, Sums(950_000, 76_000, 19_000))


def test_rows_that_contradict_each_other_are_unknown() -> None:
    cell = one(row(), row(AAE080="761.00"))
    assert (cell.state, cell.reason) == ("unknown", "应缴类型 10 有 2 条互相矛盾的记录")


def test_a_range_counts_for_each_of_its_months() -> None:
    ranged = row(AAE003="202409", AAE003_END="202411", AAE080="2280.01", AAE082="570.00")
    months = {str(period): entry.sums.employer_fen for period, entry in expanded(ranged)}
    assert months == {"2024-09": 76_000, "2024-10": 76_000, "2024-11": 76_001}
    assert one(ranged).records == 1


def test_other_months_do_not_count() -> None:
    assert found([Page([row(AAE003="202409")], None)], "2024-10", PEOPLE) == ({}, 0)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"AAE078": "9"}, "AAE078 未知到账标志: 9"),
        ({"AAE080": 76000}, "AAE080 缺失或不是文本"),
        ({"AAE080": "7.6e2"}, "AAE080 不是以元为单位的金额: 7.6e2"),
        ({"AAE080": "-1.00"}, "AAE080 为负数: -1.00"),
        ({"AAE180": None}, "AAE180 缺失或不是文本"),
        ({"EAD131": "20241301"}, "EAD131 没有这一天: 20241301"),
        ({"AAE003_END": "202409"}, "费款所属期范围颠倒: 2024-10 至 2024-09"),
        ({"AAE003": "190001", "AAE003_END": "202410"}, "AAE003 不是 YYYYMM: 190001"),
    ],
)
def test_a_row_with_a_fault_makes_its_cell_unknown(changes: dict[str, Any], reason: str) -> None:
    cell = one(row(**changes))
    assert (cell.state, cell.reason) == ("unknown", reason)


@pytest.mark.parametrize("changes", [{"AAC002": None}, {"AAE140": "999"}, {"AAE140": 310}])
def test_a_row_that_may_be_anyones_makes_all_unreadable(changes: dict[str, Any]) -> None:
    with pytest.raises(Unreadable):
        found([Page([row(**changes)], None)], "2024-10", PEOPLE)


def test_people_who_are_not_ours_are_counted_and_dropped() -> None:
    assert found([Page([row(AAC002="110101199003070038")], None)], "2024-10", PEOPLE) == ({}, 1)


@given(st.integers(0, 10**12), st.integers(1, 600))
def test_the_parts_of_a_range_add_up(fen: int, months: int) -> None:
    parts = spread(fen, months)
    assert len(parts) == months
    assert sum(parts) == fen
