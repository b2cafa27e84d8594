"""What a month's payslips say together, what a restored store takes back of them, and replies."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from payroll_svc.domain.differences import differences
from payroll_svc.domain.explanations import explained
from payroll_svc.domain.income_tax import Withholding
from payroll_svc.domain.pay import DueLine, still_due
from payroll_svc.domain.pay_items import Reckoned, Step
from payroll_svc.domain.payslip import (
    ANSWERED,
    CONFIRMED,
    DISPUTED,
    Payslip,
    Reply,
    added_up,
    may_follow,
    month_paid,
    rest_of,
)
from shared.values import derived_id

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


def test_the_rest_of_a_month_is_a_correction_of_that_month_with_every_figure() -> None:
    october = slip(1, 1_000_000, line(76_000))
    correction = slip(2, 200_000, line(344, "2024-10"), line(50, "2024-09"))
    told = replace(
        told_of(october, correction), special_additional_fen=300_000, tax_fen=3, net_fen=1_123_603
    )
    told = replace(told, withheld=(*told.withheld, line(50, "2024-09")), contributions_fen=76_394)
    rest = rest_of(told, [october])
    late = replace(line(344, "2024-10"), kind="difference")
    assert rest == replace(
        told,
        run_id=str(derived_id("restored-payslip", "regular")),
        kind="correction",
        items=differences("2024-10", told.items, october.items),
        gross_fen=200_000,
        tax_fen=2,
        net_fen=1_123_603 - october.net_fen,
        contributions_fen=394,
        income_fen=200_000,
        special_additional_fen=300_000,
        withheld=(late, line(50, "2024-09")),
    )
    assert [item.belongs_to for item in rest.items] == ["2024-10"]


def test_the_rest_of_an_earlier_months_line_is_what_was_not_taken_of_it() -> None:
    november = slip(3, 900_000, line(70_000), line(344, "2024-10"), month="2024-11")
    in_part = slip(3, 900_000, line(70_000), line(300, "2024-10"), month="2024-11")
    rest = rest_of(november, [in_part])
    assert rest is not None
    assert [(x.levy_period, x.kind, x.employee_fen) for x in rest.withheld] == [
        ("2024-10", "difference", 44)
    ]


def test_a_month_of_which_only_a_later_months_part_is_left_owes_the_other_part_alone() -> None:
    october = slip(1, 1_000_000, line(76_000))
    november = slip(3, 900_000, line(344, "2024-10"), month="2024-11")
    rest = rest_of(told_of(october, november), [november])
    assert rest is not None
    assert (rest.contributions_fen, rest.kind) == (76_000, "regular")


def test_the_employers_part_alone_is_a_rest_and_so_is_another_item_of_one_sum() -> None:
    october = slip(1, 1_000_000, line(76_000))
    injury = DueLine("work_injury", "due", "", 950_000, 1_900, 0)
    rest = rest_of(replace(october, withheld=(*october.withheld, injury)), [october])
    assert rest is not None
    assert [(x.insurance, x.employer_fen) for x in rest.withheld] == [("work_injury", 1_900)]
    split = (
        Reckoned("base_salary", "基本工资", 900_000),
        Reckoned("allowance", "津贴", 100_000),
    )
    rest = rest_of(replace(october, items=split), [october])
    assert rest is not None
    assert [(x.code, x.amount_fen) for x in rest.items] == [
        ("allowance", 100_000),
        ("base_salary", -100_000),
    ]


def test_added_up_a_difference_leaves_the_base_at_what_it_is() -> None:
    late = DueLine("pension", "due", "", 4_300, 688, 344)
    both = DueLine("pension", "due", "", 950_000, 152_688, 76_344)
    assert added_up([line(76_000), late]) == added_up([late, line(76_000)]) == (both,)


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


def test_a_line_is_explained_by_the_payslip_that_took_it_and_not_by_the_rule() -> None:
    """September's was for October's run, which was paid by then: November's took it."""
    late = replace(line(344, "2024-09"), kind="difference", withhold_in="2024-10")
    found = explained(slip(3, 900_000, line(70_000), late, month="2024-11"), "line:pension")
    assert found is not None
    assert found.amount_fen == 70_344
    assert found.sentence.startswith("养老险在 2024-11 的工资条里代扣个人 703.44：2024-11 基数")
    assert "；2024-09 补差，个人 3.44、单位 6.88。" in found.sentence
    assert "2024-10" not in found.sentence
    assert explained(slip(3, 900_000), "line:pension") is None


@pytest.mark.parametrize(
    ("own_fen", "special", "words"),
    [
        (
            400_000,
            [("子女教育 2,000.00 × 2 个月", 400_000)],
            "4,000.00：子女教育 2,000.00 × 2 个月。",
        ),
        (
            350_000,
            [("子女教育 2,000.00 × 3 个月", 600_000), ("住房租金 1,500.00 × 1 个月", 150_000)],
            "3,500.00：本年累计 7,500.00（子女教育 2,000.00 × 3 个月 + 住房租金 1,500.00 × 1 个月）"
            "− 此前已计入 4,000.00。",
        ),
        # Declared by mistake, and taken back.
        (-200_000, [], "-2,000.00：本年累计 0.00（没有可计入的扣除）− 此前已计入 2,000.00。"),
        (0, [], "0.00：没有可计入的扣除。"),
    ],
)
def test_special_deductions_are_explained_by_what_was_declared(
    own_fen: int, special: list[tuple[str, int]], words: str
) -> None:
    tax = Withholding(0, special=tuple(Step(*one) for one in special))
    paid = replace(slip(1, 1_000_000), special_additional_fen=own_fen, tax=tax)
    found = explained(paid, "special_additional")
    assert found is not None
    assert found.sentence == f"专项附加扣除本次计入 {words}"
    assert (found.amount_fen, found.steps[-1].value) == (own_fen, own_fen)


def test_the_employers_part_is_explained_by_its_lines() -> None:
    paid = slip(1, 900_000, line(70_000), line(344, "2024-09", "medical"))
    found = explained(replace(paid, employer_fen=140_688), "employer")
    assert found is not None
    assert found.sentence == (
        "单位社保公积金 = 养老险 1,400.00 + 医疗险（2024-09） 6.88 = 1,406.88。"
    )


def test_a_restored_month_adds_to_its_tax_year_what_was_told_and_no_more() -> None:
    known = replace(slip(1, 1_000_000), income_fen=950_000, special_additional_fen=200_000)
    bonus = replace(slip(2, 500_000), income_fen=0, bonus_apart_fen=500_000, bonus_tax_fen=15_000)
    month = month_paid("2024-10", [known, bonus])
    told = replace(
        told_of(known, bonus),
        income_fen=month.income_fen,
        special_additional_fen=month.special_additional_fen,
        bonus_apart_fen=month.bonus_apart_fen,
        bonus_tax_fen=month.bonus_tax_fen,
    )
    rest = rest_of(told, [known])
    assert rest is not None
    assert (rest.income_fen, rest.special_additional_fen) == (0, 0)
    assert (rest.bonus_apart_fen, rest.bonus_tax_fen) == (500_000, 15_000)
    assert rest_of(told, [known, bonus]) is None
