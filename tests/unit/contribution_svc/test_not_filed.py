"""未按时申报: the sum that the collector assessed for the time being, and what settles it, as what
pays the declaration (社会保险法 art. 62); figures of domain.md, example 14.
"""

from dataclasses import replace
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contribution_svc.domain.allocation import (
    DueLine,
    Instalment,
    Move,
    Scope,
    Suspense,
    Target,
    postings,
    target_of,
)
from contribution_svc.domain.not_filed import debited_for_now, settled_moves
from shared.values import Insurance

PROVISIONAL_FEN, DECLARED_FEN = 24_028_015, 25_000_000
REST_FEN = DECLARED_FEN - PROVISIONAL_FEN
DUE = [DueLine("wang", Insurance.PENSION, DECLARED_FEN - 5_000_000, 5_000_000)]


def move(scope: Scope, amount_fen: int, day: int, *, is_return: bool = False) -> Move:
    booked_on = date(2026, 4, day)
    return Move(Target(scope), amount_fen, is_return, booked_on, f"V{day}", "S", "", f"{day}")


PAID = move(Scope.PROVISIONAL, PROVISIONAL_FEN, 22)
SETTLED = move(Scope.REST, REST_FEN, 28)


@pytest.mark.parametrize(
    ("amount_fen", "due", "expected"),
    [
        pytest.param(PROVISIONAL_FEN, [], Target(Scope.PROVISIONAL), id="before the late filing"),
        pytest.param(PROVISIONAL_FEN, DUE, Target(Scope.PROVISIONAL), id="after it"),
        pytest.param(REST_FEN, DUE, Target(Scope.REST), id="what the filing left to pay"),
        pytest.param(DECLARED_FEN, DUE, Target(Scope.DECLARATION), id="all of it, filed in time"),
        pytest.param(PROVISIONAL_FEN + 1, DUE, Suspense("amount_differs"), id="one fen more"),
        pytest.param(REST_FEN, [], Suspense("amount_differs"), id="a rest of what is not filed"),
        pytest.param(
            PROVISIONAL_FEN,
            [*DUE, DueLine("li", Insurance.MEDICAL, PROVISIONAL_FEN, 0)],
            Suspense("fits_line_and_provisional"),
            id="a line's sum as well",
        ),
    ],
)
def test_what_a_sum_pays(amount_fen: int, due: list[DueLine], expected: Target | Suspense) -> None:
    assert target_of(amount_fen, due, provisional_fen=PROVISIONAL_FEN) == expected


def test_it_pays_no_line_before_it_has_come_to_all_that_was_declared() -> None:
    assert settled_moves([PAID], 0) == []
    assert settled_moves([PAID], DECLARED_FEN) == []
    [whole] = settled_moves([SETTLED, PAID], DECLARED_FEN)
    assert (whole.target, whole.amount_fen) == (Target(Scope.DECLARATION), DECLARED_FEN)
    assert whole.booked_on == date(2026, 4, 28)
    assert whole.instalments == (
        Instalment(PROVISIONAL_FEN, date(2026, 4, 22)),
        Instalment(REST_FEN, date(2026, 4, 28)),
    )


def test_more_than_was_declared_pays_it_once() -> None:
    """多退: 240,280.15 were taken, 219,000.00 filed."""
    [whole] = settled_moves([PAID], 21_900_000)
    assert whole.instalments == (Instalment(21_900_000, date(2026, 4, 22)),)
    lines = {Insurance.PENSION: DueLine("wang", Insurance.PENSION, 14_600_000, 7_300_000)}
    [posting] = postings("wang", lines, [whole])
    assert (posting.debits, posting.employer_fen + posting.employee_fen) == (1, 21_900_000)


def test_a_return_takes_the_debit_back() -> None:
    returned = move(Scope.PROVISIONAL, PROVISIONAL_FEN, 29, is_return=True)
    moves = settled_moves([PAID, SETTLED, returned], DECLARED_FEN)
    assert [(one.booked_on.day, one.is_return) for one in moves] == [(28, False), (29, True)]
    again = replace(PAID, booked_on=date(2026, 4, 30), order="30")
    last = settled_moves([PAID, SETTLED, returned, again], DECLARED_FEN)[-1]
    assert [one.taken_on.day for one in last.instalments] == [28, 30]


@given(st.permutations([PAID, SETTLED, move(Scope.DECLARATION, DECLARED_FEN, 30)]))
def test_every_order_ends_alike(moves: list[Move]) -> None:
    found = settled_moves(moves, DECLARED_FEN)
    assert sorted(one.booked_on.day for one in found) == [28, 30]


def test_each_sum_pays_what_is_left_of_what_was_declared() -> None:
    sums = [move(Scope.PROVISIONAL, 100, 10), move(Scope.REST, 30, 12), move(Scope.REST, 50, 14)]
    [whole] = settled_moves(sums, 150)
    assert [one.fen for one in whole.instalments] == [100, 30, 20]
    [least] = settled_moves([move(Scope.PROVISIONAL, 1, 10)], 1)
    assert [one.fen for one in least.instalments] == [1]


def test_a_return_takes_one_sum_back_and_one_of_no_sum_takes_none() -> None:
    sums = [move(Scope.PROVISIONAL, 100, 10), move(Scope.REST, 30, 12), move(Scope.REST, 50, 14)]
    back = move(Scope.REST, 30, 16, is_return=True)
    assert [one.is_return for one in settled_moves([*sums, back], 180)] == [False, True]
    unknown = move(Scope.REST, 70, 16, is_return=True)
    assert [one.is_return for one in settled_moves([*sums, unknown], 180)] == [False]


def test_what_stands_debited_for_the_time_being_is_at_most_what_is_due() -> None:
    other = move(Scope.DECLARATION, DECLARED_FEN, 20)
    assert debited_for_now([], DECLARED_FEN) == ()
    assert debited_for_now([other], DECLARED_FEN) == ()
    assert debited_for_now([SETTLED, other, PAID], DECLARED_FEN) == (
        Instalment(PROVISIONAL_FEN, date(2026, 4, 22)),
        Instalment(REST_FEN, date(2026, 4, 28)),
    )
    assert debited_for_now([PAID], 100) == (Instalment(100, date(2026, 4, 22)),)
    returned = move(Scope.PROVISIONAL, PROVISIONAL_FEN, 29, is_return=True)
    assert debited_for_now([PAID, returned], DECLARED_FEN) == ()
    refused = replace(returned, is_booked=False)
    assert debited_for_now([PAID, refused], 100) == debited_for_now([PAID], 100)
