"""Anomalies of one month: raised once per occurrence, changed, cleared once, forgotten if never
told.
"""

from dataclasses import replace
from datetime import datetime

import pytest

from reconciliation_svc.domain.anomalies import (
    SPREAD_SETTLES_IN,
    Anomaly,
    Changes,
    Spread,
    changes_of,
    given_cause,
    likely_cause,
)
from reconciliation_svc.domain.month import Judged
from reconciliation_svc.domain.sides import Month, RosterSide
from reconciliation_svc.domain.verdict import Verdict
from shared.values import Insurance, Outcome
from tests.support.reconciling import MEDICAL_AUTHORITY, OCTOBER, at

MEDICAL, MATERNITY, PENSION = Insurance.MEDICAL, Insurance.MATERNITY, Insurance.PENSION
MISSING, ARRIVED = Outcome.RECORD_MISSING, Outcome.ARRIVED
MONTH = Month(
    "employer-1", "wang", OCTOBER, roster=RosterSide("990100", "account-1", "operations", {})
)
NOW = at(17, "08:00")


def judged(authority: str = MEDICAL_AUTHORITY, **outcomes: Outcome) -> Judged:
    verdicts = tuple(
        Verdict(Insurance(name), outcome, "因为", authority=authority)
        for name, outcome in outcomes.items()
    )
    return Judged(MONTH, verdicts, None)


def follow(found: Judged, *held: Anomaly, now: datetime = NOW, before: int = 0) -> Changes:
    return changes_of(found, held, {MISSING: before}, now, may_raise=True)


def told(anomaly: Anomaly) -> Anomaly:
    return given_cause(anomaly, Spread(1, 1, 1, 1))


def test_a_new_one_waits_for_its_spread_and_is_not_told_yet() -> None:
    changes = follow(judged(medical=MISSING, maternity=MISSING, pension=ARRIVED))
    [raised] = changes.kept
    assert changes.told == ()
    assert raised.insurances == (MEDICAL, MATERNITY)
    assert (raised.version, raised.raised_at, raised.tell_at) == (0, NOW, NOW + SPREAD_SETTLES_IN)
    assert raised.reason == "医疗险：因为；生育险：因为"
    assert (raised.authority, raised.account_id, raised.city) == (
        MEDICAL_AUTHORITY,
        "account-1",
        "990100",
    )


def test_while_nothing_differs_nothing_is_told() -> None:
    found = judged(medical=MISSING)
    [raised] = follow(found).kept
    assert follow(found, told(raised), now=at(18)) == Changes()


def test_fewer_insurances_are_a_change_and_none_is_the_clearing() -> None:
    [raised] = follow(judged(medical=MISSING, maternity=MISSING)).kept
    first = told(raised)
    changed = follow(judged(medical=MISSING, maternity=ARRIVED), first, now=at(18)).told[0]
    assert (changed.version, changed.insurances, changed.cleared_at) == (2, (MEDICAL,), None)
    cleared = follow(judged(medical=ARRIVED, maternity=ARRIVED), changed, now=at(19)).told[0]
    assert (cleared.version, cleared.cleared_at) == (3, at(19))
    assert cleared.outcomes == {"medical": ARRIVED}
    assert cleared.anomaly_id == raised.anomaly_id


def test_a_cell_that_vanished_cleared_as_not_required() -> None:
    [raised] = follow(judged(medical=MISSING)).kept
    [cleared] = follow(judged(), told(raised)).told
    assert cleared.outcomes == {"medical": Outcome.NOT_REQUIRED}


def test_one_that_nobody_was_told_of_is_forgotten() -> None:
    [raised] = follow(judged(medical=MISSING)).kept
    assert follow(judged(medical=ARRIVED), raised) == Changes((), (raised.anomaly_id,), ())


def test_one_that_comes_back_is_another_occurrence() -> None:
    [first] = follow(judged(medical=MISSING)).kept
    [second] = follow(judged(medical=MISSING), before=1).kept
    assert (first.occurrence, second.occurrence) == (1, 2)
    assert first.anomaly_id != second.anomaly_id
    assert first.cause_id == second.cause_id


def test_kinds_do_not_touch_each_other() -> None:
    [missing] = follow(judged(medical=MISSING)).kept
    changes = follow(judged(medical=Outcome.BASE_DIFFERS), told(missing))
    assert [(one.kind, one.cleared_at is None) for one in changes.kept] == [
        (MISSING, False),
        (Outcome.BASE_DIFFERS, True),
    ]


def test_nothing_is_raised_and_what_was_is_cleared_while_the_cut_over_is_unknown() -> None:
    found = judged(medical=MISSING)
    assert changes_of(found, (), {}, NOW, may_raise=False) == Changes()
    [raised] = follow(found).kept
    [cleared] = changes_of(found, [told(raised)], {}, NOW, may_raise=False).told
    assert cleared.outcomes == {"medical": MISSING}


def test_two_authorities_are_nobody_in_particular() -> None:
    both = Judged(
        MONTH,
        (
            Verdict(PENSION, MISSING, "", authority="hrss-990100"),
            Verdict(MEDICAL, MISSING, "", authority=MEDICAL_AUTHORITY),
        ),
        None,
    )
    [raised] = follow(both).kept
    assert raised.authority == ""
    [alone] = follow(judged(medical=MISSING)).kept
    assert raised.cause_id != alone.cause_id


def test_who_shares_a_cause_shares_its_id() -> None:
    [wang] = follow(judged(medical=MISSING)).kept
    li_month = replace(MONTH, employee_id="li")
    found = judged(medical=MISSING)
    [li] = follow(replace(found, month=li_month)).kept
    assert li.cause_id == wang.cause_id
    blocked = judged(medical=Outcome.ASSESSMENT_BLOCKED)
    [wangs] = follow(blocked).kept
    [lis] = follow(replace(blocked, month=li_month)).kept
    assert lis.cause_id != wangs.cause_id


CAUSES = {
    "one person": (MISSING, Spread(1, 2, 1, 1), "person"),
    "papers are always one person's": (Outcome.ASSESSMENT_BLOCKED, Spread(9, 5, 1, 1), "person"),
    "many people, one insurance": (MISSING, Spread(9, 1, 1, 1), "insurance"),
    "many people, one authority": (MISSING, Spread(9, 2, 1, 2), "authority"),
    "many people, one account": (MISSING, Spread(9, 5, 2, 1), "account"),
    "the bank's side knows no authority": (
        Outcome.DEBIT_MISSING,
        Spread(9, 5, 1, 1),
        "account",
    ),
    "many people, several accounts": (MISSING, Spread(9, 5, 2, 2), "city"),
}


@pytest.mark.parametrize(("kind", "spread", "cause"), CAUSES.values(), ids=CAUSES.keys())
def test_the_likely_cause_is_what_all_share(kind: Outcome, spread: Spread, cause: str) -> None:
    assert likely_cause(kind, MEDICAL_AUTHORITY, spread) == cause


def test_told_first_with_its_cause() -> None:
    [raised] = follow(judged(medical=MISSING)).kept
    caused = given_cause(raised, Spread(36, 2, 1, 1))
    assert (caused.version, caused.tell_at) == (1, None)
    assert (caused.likely_cause, caused.spread) == ("authority", 36)
