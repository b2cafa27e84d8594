"""入账: what a sum pays, and that every order of the same entries ends alike, to the fen."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contribution_svc.domain.allocation import (
    DebitState,
    DueLine,
    DueLines,
    Instalment,
    Move,
    Moves,
    Posting,
    Remark,
    Scope,
    Suspense,
    Target,
    parse_remark,
    postings,
    target_of,
)
from shared.values import Insurance, LevyPeriod

PENSION, MEDICAL, MATERNITY = Insurance.PENSION, Insurance.MEDICAL, Insurance.MATERNITY
DUE = [
    DueLine("wang", PENSION, 152_000, 76_000),
    DueLine("wang", MEDICAL, 76_000, 19_000),
    DueLine("li", PENSION, 160_000, 80_000),
    DueLine("li", MEDICAL, 80_000, 20_000),
]
TOTAL = 663_000


def move(
    target: Target = Target(Scope.DECLARATION),  # noqa: B008 - frozen
    amount_fen: int = TOTAL,
    day: int = 10,
    *,
    order: str = "1",
    is_return: bool = False,
    reason: str = "",
) -> Move:
    booked_on = date(2024, 10, day)
    return Move(target, amount_fen, is_return, booked_on, f"V{order}", "S", reason, order)


def posted(employee_id: str, *moves: Move) -> dict[Insurance, Posting]:
    lines = {line.insurance: line for line in DUE if line.employee_id == employee_id}
    return {posting.insurance: posting for posting in postings(employee_id, lines, moves)}


@pytest.mark.parametrize(
    ("amount_fen", "expected"),
    [
        pytest.param(TOTAL, Target(Scope.DECLARATION), id="the whole declaration"),
        pytest.param(468_000, Target(Scope.INSURANCE, PENSION), id="one insurance"),
        pytest.param(95_000, Target(Scope.LINE, MEDICAL, "wang"), id="a single line"),
        pytest.param(TOTAL + 1, Suspense("amount_differs"), id="one fen more"),
        pytest.param(1, Suspense("amount_differs"), id="nothing of ours"),
    ],
)
def test_a_sum_without_a_name_must_fit_in_one_way(
    amount_fen: int, expected: Target | Suspense
) -> None:
    assert target_of(amount_fen, DUE) == expected


def test_a_sum_that_fits_two_lines_waits() -> None:
    alike = [*DUE, DueLine("zhao", MEDICAL, 76_000, 19_000)]
    assert target_of(95_000, alike) == Suspense("fits_several_lines")


def test_a_sum_that_fits_two_insurances_waits_unless_one_is_named() -> None:
    due = [
        DueLine("a", PENSION, 100, 0),
        DueLine("b", PENSION, 200, 0),
        DueLine("a", MEDICAL, 150, 150),
        DueLine("a", MATERNITY, 7, 0),
    ]
    assert target_of(300, due) == Suspense("fits_several_insurances")
    assert target_of(300, due, MEDICAL) == Target(Scope.INSURANCE, MEDICAL)


def test_a_sum_for_a_named_insurance_may_be_that_of_a_single_line_of_it() -> None:
    due = [*DUE, DueLine("zhao", PENSION, 95_000, 0), DueLine("zhao", MATERNITY, 7_600, 0)]
    assert target_of(95_000, due, MEDICAL) == Target(Scope.LINE, MEDICAL, "wang")
    alike = [*due, DueLine("zhao", MEDICAL, 95_000, 0)]
    assert target_of(95_000, alike, MEDICAL) == Suspense("fits_several_lines")


class _Watched(DueLines):
    """Lines that count how often they were gone through."""

    walks = 0

    def __iter__(self) -> Iterator[DueLine]:
        self.walks += 1
        return super().__iter__()


def test_the_lines_are_gone_through_for_all_entries_and_not_for_each() -> None:
    """A bank that debits line by line sends an entry for each line of thousands."""
    due = _Watched(DueLine(f"e{n}", PENSION, 10_000 + n, 5_000) for n in range(500))
    for line in due[:]:
        paid = Target(Scope.LINE, PENSION, line.employee_id)
        assert target_of(line.total_fen(), due) == paid
        assert target_of(line.total_fen(), due, PENSION) == paid
        assert target_of(line.total_fen(), due, PENSION, line.employee_id) == paid
        assert line.employee_id in due.employee_ids
    assert due.walks <= 5, "once for each thing that is asked of them"


def test_a_named_line_is_taken_at_its_word_when_the_amount_agrees() -> None:
    assert target_of(95_000, DUE, MEDICAL, "wang") == Target(Scope.LINE, MEDICAL, "wang")
    assert target_of(95_001, DUE, MEDICAL, "wang") == Suspense("amount_differs_from_line")
    assert target_of(1, DUE, MEDICAL) == Suspense("amount_differs_from_insurance")


def test_a_named_line_that_nobody_assessed_is_posted_as_such() -> None:
    target = target_of(7_600, DUE, MATERNITY, "wang")
    assert target == Target(Scope.LINE, MATERNITY, "wang")
    assert isinstance(target, Target)
    line = posted("wang", move(target, 7_600))[MATERNITY]
    assert (line.debits, line.employer_fen, line.employee_fen) == (1, 7_600, 0)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param(
            "社保费 9901000001 202410",
            Remark("9901000001", LevyPeriod(2024, 10)),
            id="whole declaration",
        ),
        pytest.param(
            "社保费 9901000001 202410 医疗险",
            Remark("9901000001", LevyPeriod(2024, 10), MEDICAL),
            id="one insurance",
        ),
        pytest.param(
            "社保费 9901000001 202410 医疗险 E0007",
            Remark("9901000001", LevyPeriod(2024, 10), MEDICAL, "E0007"),
            id="one line",
        ),
        pytest.param("社保费 9901000001 202413", None, id="month 13"),
        pytest.param("付 社保费 9901000001 202410", None, id="only looks similar"),
        pytest.param("社保费 9901000001 202410 车险", None, id="no insurance of ours"),
        pytest.param("", None, id="nothing"),
    ],
)
def test_a_remark_keeps_to_its_grammar(text: str, expected: Remark | None) -> None:
    assert parse_remark(text) == expected


def test_a_lump_sum_posts_every_line_as_it_was_due() -> None:
    line = posted("wang", move())[MEDICAL]
    assert (line.debit_state, line.debits) == (DebitState.POSTED, 1)
    assert (line.employer_fen, line.employee_fen, line.voucher) == (76_000, 19_000, "V1")


def test_a_posting_names_the_entry_that_it_stands_on_and_the_sums_that_it_came_in() -> None:
    parts = (Instalment(600_000, date(2024, 10, 10)), Instalment(63_000, date(2024, 10, 12)))
    paid = replace(move(day=12), instalments=parts)
    posting = Posting(
        MEDICAL, DebitState.POSTED, 1, 76_000, 19_000, date(2024, 10, 12), "S", "V1", "", parts
    )
    assert posted("wang", paid)[MEDICAL] == posting
    back = move(day=14, order="2", is_return=True, reason="AC04")
    assert posted("wang", paid, back)[MEDICAL] == Posting(
        MEDICAL, DebitState.REVERSED, 0, 0, 0, date(2024, 10, 12), "S", "V2", "AC04"
    )


def test_a_second_sum_is_debit_number_two() -> None:
    line = posted("wang", move(order="1"), move(order="2"))[MEDICAL]
    assert (line.debits, line.employer_fen, line.employee_fen) == (2, 152_000, 38_000)


def test_a_second_sum_for_one_insurance_doubles_only_that_one() -> None:
    both = posted("wang", move(), move(Target(Scope.INSURANCE, MEDICAL), 195_000, order="2"))
    assert (both[MEDICAL].debits, both[PENSION].debits) == (2, 1)


def test_a_refusal_that_was_never_booked() -> None:
    line = posted("wang", move(is_return=True, reason="AM04"))[MEDICAL]
    assert (line.debit_state, line.reason, line.debits) == (DebitState.REFUSED, "AM04", 0)
    assert (line.employer_fen, line.employee_fen) == (0, 0)


def test_a_debit_taken_back_on_its_day_was_refused_and_later_is_reversed() -> None:
    refused = posted("wang", move(), move(order="2", is_return=True, reason="AM04"))[MEDICAL]
    assert refused.debit_state is DebitState.REFUSED
    reversed_ = posted("wang", move(), move(day=14, order="2", is_return=True, reason="AC04"))
    assert reversed_[MEDICAL].debit_state is DebitState.REVERSED
    assert reversed_[MEDICAL].reason == "AC04"


def test_a_debit_that_is_tried_again_is_posted_on_its_own_day() -> None:
    back = move(day=14, order="2", is_return=True, reason="AM04")
    line = posted("wang", move(), back, move(day=18, order="3"))[MEDICAL]
    assert (line.debit_state, line.debits, line.voucher) == (DebitState.POSTED, 1, "V3")
    assert line.debited_on == date(2024, 10, 18)


def test_one_duplicate_taken_back_leaves_the_debit_that_was_first() -> None:
    back = move(day=15, order="3", is_return=True)
    line = posted("wang", move(order="1"), move(day=12, order="2"), back)[MEDICAL]
    assert (line.debits, line.debited_on) == (1, date(2024, 10, 10))
    medical = replace(move(Target(Scope.INSURANCE, MEDICAL), 195_000, day=9), voucher="apart")
    back = replace(back, target=medical.target)
    line = posted("wang", medical, move(order="1"), back)[MEDICAL]
    assert (line.debits, line.voucher) == (1, "V1"), "the return names what it takes back"


def test_word_of_a_refusal_takes_no_debit_back() -> None:
    """Nothing was booked; what is debited before or after it stands."""
    refusal = replace(move(is_return=True, reason="AM04"), is_booked=False)
    for day in (9, 10, 12):
        line = posted("wang", refusal, move(day=day, order="2"))[MEDICAL]
        assert (line.debit_state, line.debits) == (DebitState.POSTED, 1)


targets = st.sampled_from(
    [
        (Target(Scope.DECLARATION), TOTAL),
        (Target(Scope.INSURANCE, PENSION), 468_000),
        (Target(Scope.INSURANCE, MEDICAL), 195_000),
        (Target(Scope.LINE, MEDICAL, "wang"), 95_000),
        (Target(Scope.LINE, PENSION, "li"), 240_000),
    ]
)


@st.composite
def some_moves(draw: st.DrawFn, *, returns: bool = True) -> list[Move]:
    found = []
    for number in range(draw(st.integers(0, 6))):
        target, amount_fen = draw(targets)
        is_return = returns and draw(st.booleans())
        day = draw(st.integers(10, 13))
        found.append(move(target, amount_fen, day, order=str(number), is_return=is_return))
    return found


@given(some_moves(), st.randoms(use_true_random=False))
def test_every_order_of_entries_ends_alike(moves: list[Move], random: object) -> None:
    shuffled = list(moves)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert posted("wang", *moves) == posted("wang", *shuffled)
    assert posted("li", *moves) == posted("li", *shuffled)


@given(some_moves(returns=False))
def test_what_the_bank_took_is_posted_to_the_fen(moves: list[Move]) -> None:
    lines = [*posted("wang", *moves).values(), *posted("li", *moves).values()]
    taken = sum(one.amount_fen for one in moves)
    assert sum(x.employer_fen + x.employee_fen for x in lines) == taken


@given(st.lists(st.integers(1, 50_000), min_size=1, max_size=6), st.integers(0, 400_000))
def test_a_sum_is_taken_exactly_or_waits(parts: list[int], amount_fen: int) -> None:
    due = [
        DueLine(f"e{n}", PENSION if n % 2 else MEDICAL, part, part // 3)
        for n, part in enumerate(parts)
    ]
    target = target_of(amount_fen, due)
    if isinstance(target, Target):
        covered = [x for x in due if target.covers(x.employee_id, x.insurance)]
        assert sum(x.total_fen() for x in covered) == amount_fen
    assert target_of(amount_fen, list(reversed(due))) == target


@given(some_moves())
def test_an_employee_is_posted_by_the_moves_that_name_them_or_nobody(moves: list[Move]) -> None:
    apart = Moves(moves)
    for employee_id in ("wang", "li", "zhao"):
        assert posted(employee_id, *apart.of(employee_id)) == posted(employee_id, *moves)
    named = {one.target.employee_id for one in moves} - {""}
    assert apart.employee_ids() == named
    others = [one for one in moves if one.target.employee_id in named - {"wang"}]
    assert len(apart.of("wang")) == len(moves) - len(others), "nobody else's"
    assert len(apart.of("")) == sum(not one.target.employee_id for one in moves)


def test_moves_are_compared_by_day_first() -> None:
    late, early = move(day=12, order="1"), replace(move(day=10, order="2"), voucher="first")
    assert posted("wang", late, early)[MEDICAL].voucher == "first"
