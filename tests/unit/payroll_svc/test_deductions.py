"""Special additional deductions: the limits of the law, and what counts when."""

from datetime import date
from typing import Any

import pytest

from payroll_svc.domain.deductions import (
    Deduction,
    TaxDeclaration,
    deduction_faults,
    year_to_month,
)
from payroll_svc.domain.pay_items import Step
from payroll_svc.policy import tax_terms
from shared.refusal import FieldFault
from shared.values import LevyPeriod

KINDS = tax_terms()[-1].deductions


def of(
    kind: str, amount_fen: int, since: str = "2026-01", until: str = "", to: str = ""
) -> Deduction:
    return Deduction(kind, since, amount_fen, until or None, to)


@pytest.mark.parametrize(
    "declared",
    [
        [of("child_education", 200_000, to="a"), of("child_education", 100_000, to="b")],
        [of("infant_care", 200_000)],
        [of("elderly_only_child", 300_000)],
        [of("elderly_shared", 149_999)],
        [of("housing_loan_interest", 100_000, "2026-01", "2045-12")],
        [
            of("housing_rent", 150_000, "2026-01", "2026-06"),
            of("housing_loan_interest", 100_000, "2026-07", "2026-12"),
        ],
        [of("degree_study", 40_000, "2026-01", "2029-12")],
        [of("certificate", 360_000)],
        [of("elderly_shared", 1)],
        [of("elderly_shared", 150_000)],
        [of("housing_rent", 80_000, "2026-05", "2026-05")],
        [of("degree_study", 40_000, "2026-10", "2030-09")],
        [
            of("infant_care", 200_000),
            of("child_education", 200_000),
            of("certificate", 360_000),
            of("housing_rent", 80_000),
        ],
    ],
)
def test_what_the_law_allows(declared: list[Deduction]) -> None:
    assert deduction_faults(declared, KINDS) == []


@pytest.mark.parametrize(
    ("declared", "words"),
    [
        ([of("child_education", 150_000)], "金额应为"),
        ([of("elderly_shared", 150_001)], "不超过 1,500.00"),
        ([of("elderly_shared", 0)], "不超过 1,500.00，现为 0.00"),
        ([of("elderly_only_child", 300_000), of("elderly_shared", 100_000)], "不能同时享受"),
        (
            [
                of("housing_rent", 150_000, "2026-01", "2026-06"),
                of("housing_loan_interest", 100_000, "2026-06", "2026-12"),
            ],
            "不能同时享受",
        ),
        (
            [
                of("housing_rent", 150_000, "2026-06", "2026-12"),
                of("housing_loan_interest", 100_000, "2026-01", "2026-06"),
            ],
            "不能同时享受",
        ),
        (
            [
                of("housing_rent", 150_000),
                of("housing_loan_interest", 100_000, "2026-01", "2026-12"),
            ],
            "不能同时享受",
        ),
        (
            [of("child_education", 200_000, to="a"), of("child_education", 200_000, to="a")],
            "不能同时享受",
        ),
        ([of("serious_illness", 1_000_000)], "不能在预扣时扣除"),
        ([of("degree_study", 40_000)], "最长 48 个月"),
        ([of("degree_study", 40_000, "2026-01", "2030-01")], "最长 48 个月"),
        ([of("housing_rent", 80_000, "2026-05", "2026-04")], "截止月份早于起始月份"),
        ([of("pets", 80_000)], "没有这种专项附加扣除"),
    ],
)
def test_what_it_does_not(declared: list[Deduction], words: str) -> None:
    [fault] = deduction_faults(declared, KINDS)
    assert words in fault.reason
    assert fault.todo


@pytest.mark.parametrize(
    ("declared", "fault"),
    [
        (of("pets", 1), ("没有这种专项附加扣除", "从目录里选择种类")),
        (
            of("serious_illness", 1),
            ("大病医疗不能在预扣时扣除", "由本人在年度汇算时申报"),
        ),
        (
            of("child_education", 1),
            ("子女教育的金额应为 1,000.00、2,000.00，现为 0.01", "按标准填写"),
        ),
        (of("degree_study", 40_000), ("学历继续教育最长 48 个月", "填写截止月份")),
        (
            of("housing_rent", 80_000, "2026-05", "2026-04"),
            ("截止月份早于起始月份", "核对起止月份"),
        ),
        (
            of("infant_care", 200_000),
            ("与3岁以下婴幼儿照护在同一月份不能同时享受", "只保留一项，或错开起止月份"),
        ),
    ],
)
def test_a_fault_says_where_what_and_what_to_do(
    declared: Deduction, fault: tuple[str, str]
) -> None:
    first = of("infant_care", 200_000)
    assert deduction_faults([first, declared], KINDS) == [
        FieldFault("deductions/1", declared.kind, *fault)
    ]


def fen_to_month(*given: Any) -> int:
    return sum(step.value for step in year_to_month(*given))


def test_an_election_holds_for_its_tax_year() -> None:
    declared = TaxDeclaration(elections=((2025, "bonus_taxed_apart"), (2026, "first_wage_of_year")))
    assert declared.elected(2025) == {"bonus_taxed_apart"}
    assert declared.elected(2026) == {"first_wage_of_year"}
    assert declared.elected(2027) == set()


@pytest.mark.parametrize(
    ("declared", "payday", "begins", "fen"),
    [
        ([of("infant_care", 200_000)], date(2026, 3, 5), "2026-01", 600_000),
        ([of("infant_care", 200_000, "2026-02")], date(2026, 3, 5), "2026-01", 400_000),
        ([of("infant_care", 200_000, "2020-01")], date(2026, 3, 5), "2026-01", 600_000),
        # Who joined in March has no months before it here.
        ([of("infant_care", 200_000)], date(2026, 3, 5), "2026-03", 200_000),
        ([of("infant_care", 200_000, "2026-01", "2026-02")], date(2026, 12, 5), "2026-01", 400_000),
        ([of("certificate", 360_000, "2026-04")], date(2026, 3, 5), "2026-01", 0),
        ([of("certificate", 360_000, "2026-04")], date(2026, 5, 5), "2026-01", 360_000),
        ([of("certificate", 360_000, "2026-01")], date(2026, 1, 5), "2026-01", 360_000),
        ([of("certificate", 360_000, "2025-04")], date(2026, 5, 5), "2026-01", 0),
    ],
)
def test_what_counts_up_to_a_month(
    declared: list[Deduction], payday: date, begins: str, fen: int
) -> None:
    employed = LevyPeriod.parse(begins).through(LevyPeriod.of(payday))
    assert fen_to_month(declared, KINDS, payday, employed) == fen


def test_a_month_without_employment_between_two_is_not_deducted_for() -> None:
    employed = [LevyPeriod(2026, 1), LevyPeriod(2026, 4)]
    declared = [of("infant_care", 200_000), of("certificate", 360_000, "2026-02")]
    assert fen_to_month(declared, KINDS, date(2026, 4, 5), employed) == 400_000 + 360_000


def test_what_counts_is_said_with_its_months() -> None:
    declared = [of("infant_care", 200_000, "2026-02"), of("housing_rent", 150_000, "2027-01")]
    employed = [LevyPeriod(2026, month) for month in (1, 2, 3)]
    assert year_to_month(declared, KINDS, date(2026, 3, 5), employed) == (
        Step("3岁以下婴幼儿照护 2,000.00 × 2 个月", 400_000),
    )


def test_months_that_the_companys_own_payroll_deducted_for_are_not_deducted_again() -> None:
    """Declared here from January on; January and February were said by imported payslips."""
    declared = [of("infant_care", 200_000), of("certificate", 360_000, "2026-02")]
    employed = [LevyPeriod(2026, month) for month in range(1, 5)]
    until_april = (declared, KINDS, date(2026, 4, 5), employed)
    assert fen_to_month(*until_april) == 4 * 200_000 + 360_000
    assert fen_to_month(*until_april, {"2026-01", "2026-02"}) == 2 * 200_000
    assert fen_to_month(*until_april, {"2026-01", "2026-04"}) == 2 * 200_000 + 360_000
