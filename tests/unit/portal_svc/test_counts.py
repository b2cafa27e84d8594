"""Cells by state add up to K, small groups stay hidden, the bridge shows each difference."""

from hypothesis import given
from hypothesis import strategies as st

from portal_svc.domain.counts import (
    MIN_GROUP,
    SIDES,
    CellCount,
    Group,
    MonthCells,
    Sums,
    bridge_steps,
    month_cells,
    without_small_groups,
)
from shared.values import Insurance, Outcome

DEPARTMENTS = {"ops": "运营部", "sales": "销售部", "eng": "研发部"}

counts = st.lists(
    st.builds(
        CellCount,
        department_id=st.sampled_from(sorted(DEPARTMENTS)),
        insurance=st.sampled_from(Insurance),
        outcome=st.sampled_from(Outcome),
        extra=st.booleans(),
        cells=st.integers(1, 50),
    ),
    max_size=30,
)


def month(people: dict[str, int]) -> MonthCells:
    """Everyone's pension has arrived."""
    found = [
        CellCount(department, Insurance.PENSION, Outcome.ARRIVED, False, number)
        for department, number in people.items()
    ]
    return month_cells(found, people, DEPARTMENTS)


def cells_of(groups: tuple[Group, ...]) -> int:
    return sum(state.cells for group in groups for state in group.states or ())


@given(counts)
def test_every_way_of_counting_adds_up_to_k(found: list[CellCount]) -> None:
    people = {count.department_id: 10 for count in found}
    shown = month_cells(found, people, DEPARTMENTS)
    assert shown.cells == sum(count.cells for count in found if not count.extra)
    assert sum(state.cells for state in shown.states or ()) == shown.cells
    assert cells_of(shown.by_insurance) == cells_of(shown.by_department) == shown.cells
    assert shown.extras == sum(count.cells for count in found if count.extra)


def test_names_of_groups_are_for_people() -> None:
    shown = month({"ops": 12, "sales": 3})
    assert {group.name for group in shown.by_department} == {"运营部", "销售部"}
    assert shown.by_insurance[0].name == "养老险"
    assert shown.states is not None
    assert shown.states[0].word == "已到账"


def test_a_small_group_is_hidden_with_the_next_smallest() -> None:
    shown = without_small_groups(month({"ops": 12, "sales": 3, "eng": 20}))
    assert {group.key: group.people for group in shown.by_department} == {
        "ops": None,
        "sales": None,
        "eng": 20,
    }
    assert shown.cells == 35


def test_two_small_groups_hide_each_other() -> None:
    shown = without_small_groups(month({"ops": 2, "sales": 3, "eng": 20}))
    hidden = {group.key for group in shown.by_department if group.states is None}
    assert hidden == {"ops", "sales"}


def test_an_employer_of_few_people_shows_nothing() -> None:
    shown = without_small_groups(month({"ops": MIN_GROUP - 1}))
    assert (shown.people, shown.cells, shown.states) == (None, None, None)
    assert all(group.states is None for group in (*shown.by_department, *shown.by_insurance))


def test_large_groups_are_shown_as_they_are() -> None:
    shown = month({"ops": 12, "sales": 5})
    assert without_small_groups(shown) == shown


def test_the_bridge_shows_what_is_missing_at_its_step() -> None:
    paid = {Insurance.PENSION: Sums(1600, 800), Insurance.MEDICAL: Sums(800, 200)}
    sums = {side: paid for side in SIDES}
    sums["recorded"] = {Insurance.PENSION: Sums(1600, 800)}
    steps = bridge_steps(sums)
    assert len(steps) == 2 * (len(SIDES) - 1)
    assert [
        (one.from_side, one.insurance, one.difference_fen) for one in steps if one.difference_fen
    ] == [("debited", Insurance.MEDICAL, 1000)]


def test_a_month_without_facts_has_an_empty_bridge() -> None:
    assert bridge_steps({}) == ()
