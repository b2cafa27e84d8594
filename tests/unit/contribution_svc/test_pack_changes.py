"""What differs between two packs: for people figure by figure, for the machinery by insurance and
levy period.
"""

from datetime import date

import pytest

from contribution_svc.domain.pack_changes import (
    Change,
    changed_periods,
    changes,
    first_changed_day,
    known_since,
)
from contribution_svc.domain.policy import Pack
from contribution_svc.policy import read_pack
from shared.values import Insurance, LevyPeriod
from tests.support.packs import AFTER, BEFORE

ARTICLE = "创始文章《人力资源管理系统如何破解员工五险缴纳记录异常难题》"
TODAY = date(2024, 6, 21)
YEAR = list(LevyPeriod(2024, 1).through(LevyPeriod(2024, 12)))


def pack(text: str) -> Pack:
    return read_pack("990200.yaml", text.encode())


def after(old: str, new: str, count: int = 1) -> Pack:
    assert old in AFTER, old
    return pack(AFTER.replace(old, new, count))


def test_the_ceiling_of_the_article_goes_from_24000_to_25500() -> None:
    found = {change.key: change for change in changes(pack(BEFORE), pack(AFTER))}
    assert found["insurances.medical.ceiling"] == Change(
        "insurances.medical.ceiling", date(2024, 7, 1), "24,000.00", "25,500.00", ARTICLE
    )
    assert found["insurances.medical.floor"].before == "4,800.00"
    assert {key.rpartition(".")[2] for key in found} == {"floor", "ceiling"}
    assert first_changed_day(pack(BEFORE), pack(AFTER)) == date(2024, 7, 1)
    assert known_since(pack(BEFORE), pack(AFTER)) == date(2024, 6, 20)


def test_equal_packs_differ_in_nothing() -> None:
    assert changes(pack(AFTER), pack(AFTER)) == []
    assert first_changed_day(pack(AFTER), pack(AFTER + "\n# a remark\n")) is None
    assert changed_periods(pack(AFTER), pack(AFTER), YEAR, TODAY) == []


def test_only_the_levy_periods_from_july_change() -> None:
    found = changed_periods(pack(BEFORE), pack(AFTER), YEAR, TODAY)
    assert {str(period) for _, period in found} == {f"2024-{m:02d}" for m in range(7, 13)}
    assert len(found) == 6 * len({insurance for insurance, _ in found})


def test_a_rate_changes_its_insurance_alone() -> None:
    dearer = after("value: '9'", "value: '9.5'")
    [change] = changes(pack(AFTER), dearer)
    assert (change.before, change.after) == ("9 %", "9.5 %")
    changed = {insurance for insurance, _ in changed_periods(pack(AFTER), dearer, YEAR, TODAY)}
    assert changed == {Insurance(change.key.split(".")[1])}


@pytest.mark.parametrize(
    ("old", "new", "key", "moves_amounts"),
    [
        ("filing_day: 15", "filing_day: 9", "days.filing_day", False),
        ("INVENTED: 示例数据", "INVENTED: 另一来源", "floor", False),
        ("employer: fen_half_up", "employer: cut_li", "rounding", True),
        ("  retired_rehired:", "  retired_again:", "person_kinds.retired_again", True),
        ("starts_in_month: 7", "starts_in_month: 1", "contribution_year_starts", True),
    ],
    ids=["a filing day", "a source", "a rounding", "a person kind", "the contribution year"],
)
def test_what_is_no_figure_is_told_too(old: str, new: str, key: str, moves_amounts: bool) -> None:
    found = changes(pack(AFTER), after(old, new))
    assert any(key in change.key for change in found), found
    assert bool(changed_periods(pack(AFTER), after(old, new), YEAR, TODAY)) is moves_amounts


def test_a_new_city_changes_from_its_first_day_on() -> None:
    new = pack(AFTER)
    assert first_changed_day(None, new) == new.first_day()
    assert all(change.before == "" for change in changes(None, new))
    first = LevyPeriod.of(new.first_day())
    assert {insurance for insurance, _ in changed_periods(None, new, [first], TODAY)} == set(
        new.insurances
    )


def test_an_insurance_that_ends_is_told() -> None:
    head, _, rest = AFTER.partition("  maternity:")
    tail = rest[rest.index("\nperson_kinds") :]
    without = pack(head.rstrip() + "\n" + tail)
    told = {change.key.split(".")[1]: change.after for change in changes(pack(AFTER), without)}
    assert told == {"maternity": ""}
    changed = changed_periods(pack(AFTER), without, YEAR, TODAY)
    assert {insurance for insurance, _ in changed} == {Insurance.MATERNITY}
