"""`judge` for whatever sides there may be: total, the first row wins, and time alone changes it
only when due.
"""

from collections.abc import Callable
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from reconciliation_svc.domain.month import (
    Arrival,
    Folded,
    Judged,
    MonthKey,
    References,
    SideName,
    fold,
    judge_month,
)
from reconciliation_svc.domain.roster import Policy
from reconciliation_svc.domain.sides import (
    AssessedLine,
    AssessedSide,
    BureauLine,
    BureauSide,
    CellSides,
    Month,
    PostedLine,
    PostedSide,
    RosterSide,
    WithheldLine,
    WithheldSide,
)
from reconciliation_svc.domain.verdict import TABLE, judge, standing_of
from reconciliation_svc.domain.windows import Authority, Closure, Windows, windows_of
from shared.values import Insurance, LevyPeriod
from tests.support.reconciling import CALENDAR, DAYS, MEDICAL_AUTHORITY, OCTOBER, at

PERIODS = st.sampled_from([LevyPeriod(2024, 9), OCTOBER])
INSURANCES = st.sampled_from([Insurance.PENSION, Insurance.MEDICAL])
AUTHORITIES = st.sampled_from([MEDICAL_AUTHORITY, "hrss-990100"])
FEN = st.sampled_from([0, 19_000, 76_000])
PAIRS = st.none() | st.tuples(FEN, FEN)
DATES = st.dates(date(2024, 9, 25), date(2024, 11, 20))
MOMENTS = st.integers(0, 24 * 90).map(lambda hours: at(1, "00:00", 9) + timedelta(hours=hours))

assessed_lines = st.builds(
    AssessedLine,
    state=st.sampled_from(["due", "exempt", "blocked", "something new"]),
    authority=AUTHORITIES,
    base_fen=FEN,
    employer_fen=FEN,
    employee_fen=FEN,
)
posted_lines = st.builds(
    PostedLine,
    debit_state=st.sampled_from(["posted", "refused", "unknown", "reversed", "something new"]),
    debits=st.integers(0, 2),
    employer_fen=FEN,
    employee_fen=FEN,
    debited_on=st.none() | DATES,
    record_by=st.none() | DATES,
    due_on=st.none() | DATES,
)
stages = ["filed", "verified", "accepted", "in_transit", "recorded", "rejected", "interrupted"]
bureau_lines = st.builds(
    BureauLine,
    stage=st.sampled_from([*stages, "absent", "unknown", "something new"]),
    filed_fen=PAIRS,
    verified_fen=PAIRS,
    record_base_fen=st.none() | FEN,
    record_fen=PAIRS,
    records=st.integers(0, 2),
    fully_arrived=st.booleans(),
    looked_up_at=st.none() | MOMENTS,
    authority=AUTHORITIES,
)
withheld_lines = st.builds(WithheldLine, FEN, FEN)


def lines(of: st.SearchStrategy[object]) -> st.SearchStrategy[dict[Insurance, object]]:
    return st.dictionaries(INSURANCES, of, max_size=2)


SIDES: dict[SideName, st.SearchStrategy[object]] = {
    "roster": st.builds(
        RosterSide,
        city=st.just("990100"),
        account_id=st.just("account-1"),
        department_id=st.just("operations"),
        authorities=lines(AUTHORITIES),
    ),
    "assessed": st.builds(
        AssessedSide,
        city=st.just("990100"),
        account_id=st.just("account-1"),
        department_id=st.just("operations"),
        file_by=DATES,
        debit_by=DATES,
        lines=lines(assessed_lines),
    ),
    "posted": st.builds(
        PostedSide,
        city=st.just("990100"),
        account_id=st.just("account-1"),
        lines=lines(posted_lines),
    ),
    "bureau": st.builds(BureauSide, account_id=st.just("account-1"), lines=lines(bureau_lines)),
    "withheld": st.builds(WithheldSide, lines=lines(withheld_lines)),
}
closures = st.builds(Closure, MOMENTS, st.none() | MOMENTS)
authorities = st.builds(
    Authority,
    st.just(MEDICAL_AUTHORITY),
    st.sampled_from(["open", "degraded", "closed"]),
    st.lists(closures, max_size=2).map(tuple),
)
cells = st.builds(
    CellSides,
    insurance=INSURANCES,
    extra=st.booleans(),
    roster_known=st.booleans(),
    authority=AUTHORITIES,
    assessed=st.none() | assessed_lines,
    posted=st.none() | posted_lines,
    bureau=st.none() | bureau_lines,
    withheld=st.none() | withheld_lines,
    waiting=st.frozensets(st.sampled_from(["assessed", "posted", "bureau", "withheld"])),
)


def windows_for(sides: CellSides, authority: Authority, cut_over: LevyPeriod) -> Windows:
    return windows_of(sides, OCTOBER, None, DAYS, authority, CALENDAR, cut_over)


@given(cells, authorities, MOMENTS, PERIODS)
def test_every_cell_has_a_verdict_and_the_first_row_that_matches_gives_it(
    sides: CellSides, authority: Authority, now: datetime, cut_over: LevyPeriod
) -> None:
    windows = windows_for(sides, authority, cut_over)
    verdict = judge(sides, windows, authority, now)
    standing = standing_of(sides, windows)
    matching = [row for row in TABLE if row.matches(standing)]
    assert matching[-1] is TABLE[-1]
    ends_at = matching[0].window(windows) if matching[0].window else None
    is_open = ends_at is not None and now < ends_at
    assert verdict.outcome is (matching[0].before if is_open else matching[0].after)
    assert verdict.reason


@given(cells, authorities, MOMENTS, MOMENTS)
def test_time_alone_changes_a_verdict_only_when_it_is_due(
    sides: CellSides, authority: Authority, first: datetime, second: datetime
) -> None:
    now, later = min(first, second), max(first, second)
    windows = windows_for(sides, authority, OCTOBER)
    before, after = (judge(sides, windows, authority, moment) for moment in (now, later))
    if before.next_due_at is None or later < before.next_due_at:
        assert after == before
    else:
        assert before.next_due_at > now
        at_due = judge(sides, windows, authority, before.next_due_at)
        assert at_due.told() != before.told()


arrivals = st.sampled_from(sorted(SIDES)).flatmap(
    lambda name: st.builds(
        Arrival,
        employer_id=st.just("employer-1"),
        employee_id=st.sampled_from(["wang", "li"]),
        levy_period=PERIODS,
        name=st.just(name),
        version=st.integers(1, 4),
        side=SIDES[name],
    )
)


def one_content_per_version(facts: list[Arrival]) -> list[Arrival]:
    """A version of an aggregate says one thing only."""
    return list({(fact.key, fact.name, fact.version): fact for fact in facts}.values())


def merged_in_batches(facts: list[Arrival], sizes: list[int]) -> dict[MonthKey, Folded]:
    """What the store does with batch after batch: the newest version per side wins."""
    held: dict[MonthKey, Folded] = {}
    rest = list(facts)
    for size in [*sizes, len(rest)]:
        batch, rest = rest[:size], rest[size:]
        for key, brought in fold(batch).items():
            month = held.setdefault(key, Folded(brought.employer_id))
            for name, (version, side) in brought.newest.items():
                if name not in month.newest or version > month.newest[name][0]:
                    month.newest[name] = (version, side)
    return held


def judged_months(held: dict[MonthKey, Folded]) -> dict[MonthKey, Judged]:
    references = References(
        {"990100": Policy("990100", 15, 10, ())}, {}, {"employer-1": OCTOBER}, CALENDAR
    )
    judged = {}
    for (employee_id, period), folded in held.items():
        month = Month("employer-1", employee_id, period)
        sides: dict[str, Any] = {name: side for name, (_, side) in folded.newest.items()}
        judged[employee_id, period] = judge_month(replace(month, **sides), references, at(20))
    return judged


@given(st.lists(arrivals, max_size=12).map(one_content_per_version), st.data())
def test_every_order_and_repetition_of_facts_ends_in_the_same_cells(
    facts: list[Arrival], data: st.DataObject
) -> None:
    draw: Callable[[st.SearchStrategy[list[int]]], list[int]] = data.draw
    again = data.draw(st.lists(st.sampled_from(facts), max_size=6)) if facts else []
    shuffled = data.draw(st.permutations([*facts, *again]))
    sizes = draw(st.lists(st.integers(1, 5), max_size=4))
    expected = judged_months(merged_in_batches(facts, []))
    assert judged_months(merged_in_batches(shuffled, sizes)) == expected
    for judged in expected.values():
        rostered = judged.month.roster.authorities if judged.month.roster else {}
        assert {v.insurance for v in judged.verdicts if not v.extra} == set(rostered)
