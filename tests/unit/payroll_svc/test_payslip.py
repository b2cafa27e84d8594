"""What a month's payslips say together, what a restored store takes back of them, and replies."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from payroll_svc.domain.pay import DueLine, still_due
from payroll_svc.domain.pay_items import Reckoned
from payroll_svc.domain.payslip import (
    ANSWERED,
    CONFIRMED,
    DISPUTED,
    Payslip,
    Reply,
    may_follow,
    month_paid,
    rest_of,
)

AT = datetime(2024, 9, 30, tzinfo=UTC)


def line(own_fen: int, month: str = "", insurance: str = "pension") -> DueLine:
    return DueLine(insurance, "due", "", 950_000, 2 * own_fen, own_fen, levy_period=month)


def slip(number: int, gross_fen: int, *lines: DueLine, month: str = "2024-10") -> Payslip:
    own_fen = sum(one.employee_fen for one in lines)
    return Payslip(
        employee_id="employee",
        levy_period=month,
        employer_id="employer",
        run_id=f"run-{number}",
        payday=date(2024, 9, 30),
        gross_fen=gross_fen,
        contributions_fen=own_fen,
        special_additional_fen=0,
        tax_fen=number,
        net_fen=gross_fen - own_fen - number,
        withheld=lines,
        issued_at=AT + timedelta(days=number),
        items=(Reckoned("base_salary", "基本工资", gross_fen),) if gross_fen else (),
    )


def test_a_month_is_all_that_was_paid_for_it_and_withheld_for_it() -> None:
    october, correction = slip(1, 1_000_000, line(76_000)), slip(2, 200_000)
    november = slip(3, 900_000, line(70_000), line(344, "2024-10"), month="2024-11")
    found = month_paid("2024-10", [october, correction, november])
    assert (found.gross_fen, found.tax_fen, found.last) == (1_200_000, 3, correction)
    assert [one.employee_fen for one in found.withheld] == [76_344]
    assert month_paid("2024-11", [november]).withheld[0].employee_fen == 70_000


def told_of(*slips: Payslip) -> Payslip:
    """A month as its event tells it: one payslip of everything."""
    month = month_paid("2024-10", slips)
    own_fen = sum(one.employee_fen for one in month.withheld)
    return replace(
        month.last,
        run_id="regular",
        gross_fen=month.gross_fen,
        tax_fen=month.tax_fen,
        net_fen=month.net_fen,
        contributions_fen=own_fen,
        items=month.items,
        withheld=month.withheld,
    )


def test_a_restored_store_takes_back_what_its_backup_lacks() -> None:
    october = slip(1, 1_000_000, line(76_000))
    correction = slip(2, 200_000, line(19_000, "2024-10", "medical"))
    told = told_of(october, correction)
    assert rest_of(told, []) == told
    rest = rest_of(told, [october])
    assert rest is not None
    assert (rest.gross_fen, rest.net_fen) == (correction.gross_fen, correction.net_fen)
    assert [(one.insurance, one.employee_fen) for one in rest.withheld] == [("medical", 19_000)]
    assert [(one.code, one.amount_fen) for one in rest.items] == [("base_salary", 200_000)]
    assert rest.run_id not in ("run-1", "run-2", "regular")
    # What came back and what was there say together what was told: nothing is left to be paid.
    assert rest_of(told, [october, rest]) is None
    assert rest_of(told, [october, correction]) is None


def test_what_a_later_month_withheld_comes_back_with_that_month() -> None:
    october = slip(1, 1_000_000, line(76_000))
    november = slip(3, 900_000, line(70_000), line(344, "2024-10"), month="2024-11")
    told = told_of(october, november)
    assert told.withheld[0].employee_fen == 76_344
    assert [one.employee_fen for one in month_paid("2024-11", [november]).earlier] == [344]
    back = rest_of(november, [])
    assert back == november
    rest = rest_of(told, [november])
    assert rest is not None
    assert [one.employee_fen for one in rest.withheld] == [76_000]
    assert rest_of(told, [october, november]) is None
    missing = rest_of(november, [slip(4, 900_000, line(70_000), month="2024-11")])
    assert missing is not None
    assert [(one.levy_period, one.employee_fen) for one in missing.withheld] == [("2024-10", 344)]


def test_what_is_still_due_is_what_is_due_less_what_was_taken() -> None:
    due = [line(76_000), line(19_000, "", "medical")]
    assert [one.employee_fen for one in still_due("2024-10", due, [line(70_000)])] == [
        19_000,
        6_000,
    ]
    assert [one.employee_fen for one in still_due("2024-10", [], due)] == [-19_000, -76_000]
    assert still_due("2024-10", due, due) == ()


@pytest.mark.parametrize(
    ("said", "may"),
    [
        ([], {CONFIRMED, DISPUTED}),
        ([CONFIRMED], {DISPUTED}),
        ([DISPUTED], {ANSWERED}),
        ([DISPUTED, ANSWERED], {CONFIRMED, DISPUTED}),
    ],
)
def test_who_may_say_what_next(said: list[str], may: set[str]) -> None:
    replies = [Reply("employee", "run", n, kind, "", "someone", AT) for n, kind in enumerate(said)]
    assert {kind for kind in (CONFIRMED, DISPUTED, ANSWERED) if may_follow(replies, kind)} == may
