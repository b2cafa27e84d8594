"""How a roster row changes a person: spells follow each other, versions grow only with change."""

from dataclasses import replace
from datetime import date
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from payroll_svc.domain.people import (
    RosterRow,
    SealedIdentity,
    Spell,
    StagedPerson,
    after_row,
    roster_faults,
    spell_fault,
    with_spell,
)


def spell(since: str, until: str = "", department: str = "operations") -> Spell:
    end = date.fromisoformat(until) if until else None
    return Spell(date.fromisoformat(since), department, "990100", "account", end)


def row(number: int = 1, since: str = "2021-03-01", **changes: object) -> RosterRow:
    made = RosterRow(
        row=number + 1,
        employee_id=f"id-{number}",
        employee_no=f"E{number}",
        person_kind="regular",
        spell=spell(since),
    )
    return replace(made, **changes)  # type: ignore[arg-type]


def staged(person: RosterRow, id_index: str) -> StagedPerson:
    return StagedPerson(person, SealedIdentity(id_index, "mark", "sealed", "key", "root"))


def test_the_same_row_again_changes_nothing() -> None:
    first = after_row(None, row())
    assert first.version == 1
    assert after_row(first, row()) is first


def test_what_changed_makes_a_new_version() -> None:
    first = after_row(None, row())
    second = after_row(first, row(documents_missing=("work_permit",)))
    assert (second.version, second.documents_missing) == (2, ("work_permit",))


def test_the_same_first_day_corrects_the_spell() -> None:
    known = (spell("2021-03-01"),)
    corrected = spell("2021-03-01", "2024-09-30", "sales")
    assert with_spell(known, corrected) == (corrected,)


def test_a_later_first_day_ends_the_spell_before_it() -> None:
    known = (spell("2021-03-01"),)
    moved = spell("2024-07-01", department="sales")
    assert with_spell(known, moved) == (spell("2021-03-01", "2024-06-30"), moved)


def test_who_comes_back_has_a_gap_between_two_spells() -> None:
    known = (spell("2021-03-01", "2022-01-31"),)
    back = spell("2024-07-01")
    assert with_spell(known, back) == (*known, back)


def test_an_earlier_first_day_than_known_is_refused() -> None:
    assert "2021-03-01" in spell_fault((spell("2021-03-01"),), spell("2020-01-01"))
    assert spell_fault((spell("2021-03-01"),), spell("2021-03-01")) == ""


@given(st.lists(st.dates(date(2000, 1, 1), date(2030, 1, 1)), min_size=1, max_size=8, unique=True))
def test_spells_never_overlap(days: list[date]) -> None:
    spells: tuple[Spell, ...] = ()
    for day in sorted(days):
        spells = with_spell(spells, Spell(day, "d", "c", "a"))
    for earlier, later in pairwise(spells):
        assert earlier.until is not None
        assert earlier.until < later.since
    assert spells[-1].until is None


def test_a_number_that_somebody_else_has_is_a_fault_unless_both_swap() -> None:
    holders = {"index-1": "id-1", "index-2": "id-2"}
    taken = [staged(row(2), "index-1")]
    assert [fault.column for fault in roster_faults(taken, {}, holders)] == ["证件号码"]
    swapped = [staged(row(1), "index-2"), staged(row(2), "index-1")]
    assert roster_faults(swapped, {}, holders) == []
    own = [staged(row(1), "index-1")]
    assert roster_faults(own, {}, holders) == []
