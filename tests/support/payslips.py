"""Golden payslips of five cities, and of a company that has switched: whole payslips with every
figure's explanation, as files.

`python -m tests.support.payslips` writes them anew; a test compares them whole. The contribution
lines are given as the worked examples say, or by rate and base as the cities publish them.
"""

import json
import sys
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path

from payroll_svc.api.payslips import ExplanationOut, PayslipOut
from payroll_svc.domain.explanations import explained, figures_of
from payroll_svc.domain.imported_payslips import said_year
from payroll_svc.domain.income_tax import BONUS_TAXED_APART, YearToDate
from payroll_svc.domain.pay import DueLine
from payroll_svc.domain.pay_items import Entry, Step, gross_fen_of
from payroll_svc.domain.payslip import Payslip
from payroll_svc.domain.reckoning import Month
from tests.support.pay import Paid, imported, line, month, paid, round_fen, spell, standing

FOLDER = Path(__file__).parents[1] / "unit" / "payroll_svc" / "golden_payslips"

Rate = tuple[str, str, int, int]
"""Insurance, base in yuan, and the millionths of the employee's and the employer's side."""


def _lines(*rates: Rate) -> tuple[DueLine, ...]:
    made = []
    for insurance, base, own_ppm, employer_ppm in rates:
        base_fen = round_fen(base)
        own_fen, employer_fen = (
            (base_fen * ppm + 500_000) // 1_000_000 for ppm in (own_ppm, employer_ppm)
        )
        if insurance == "housing_fund":
            own_fen, employer_fen = ((fen + 50) // 100 * 100 for fen in (own_fen, employer_fen))
        one = line(insurance, base_fen, own_fen, employer_fen)
        made.append(replace(one, employee_ppm=own_ppm, employer_ppm=employer_ppm))
    return tuple(made)


def _slip(of: Month, done: Paid, payday: date, warnings: Sequence[str] = ()) -> Payslip:
    pay = done.pay
    return Payslip(
        employee_id="employee",
        levy_period=str(of.period),
        employer_id="employer",
        run_id="run",
        payday=payday,
        gross_fen=gross_fen_of(done.items),
        contributions_fen=pay.contributions_fen,
        special_additional_fen=pay.special_additional_fen,
        tax_fen=pay.tax_fen,
        net_fen=pay.net_fen,
        withheld=pay.withheld,
        issued_at=datetime(payday.year, payday.month, payday.day, 2, tzinfo=UTC),
        items=done.items,
        tax=pay.tax,
        employer_fen=pay.employer_fen,
        department_id="department",
        warnings=tuple(warnings),
    )


def _shanghai() -> Payslip:
    """Worked example 10: a raise inside March 2026, on a base of 22,000."""
    of = month("2026-03", 2_200_000, rises=[standing("base_salary", "2026-03-16", 2_640_000)])
    lines = _lines(
        ("pension", "22000", 80_000, 160_000),
        ("medical", "22000", 20_000, 90_000),
        ("unemployment", "22000", 5_000, 5_000),
        ("work_injury", "22000", 0, 2_000),
        ("housing_fund", "22000", 70_000, 70_000),
    )
    before = YearToDate(2 * 2_200_000, 2 * 385_000, 0, 2 * 39_450)
    payday = date(2026, 3, 31)
    return _slip(of, paid(of, lines, payday, 3, before), payday)


def _beijing() -> Payslip:
    """Worked example 4, with an annual bonus taxed apart, a child, and the fixed 3 yuan."""
    of = month("2026-01", 3_000_000, Entry("annual_bonus", 3_600_000))
    lines = list(
        _lines(
            ("pension", "30000", 80_000, 160_000),
            ("medical", "30000", 20_000, 98_000),
            ("unemployment", "30000", 5_000, 5_000),
            ("housing_fund", "30000", 120_000, 120_000),
        )
    )
    lines[1] = replace(lines[1], employee_fen=lines[1].employee_fen + 300)
    payday, elected = date(2026, 1, 30), frozenset({BONUS_TAXED_APART})
    child = (Step("子女教育 2,000.00 × 1 个月", 200_000),)
    return _slip(of, paid(of, lines, payday, 1, YearToDate(), 200_000, elected, child), payday)


def _kunming() -> Payslip:
    """Worked example 5: bounds that differ per insurance, maternity as a line of its own."""
    of = month("2026-01", 400_000)
    lines = _lines(
        ("pension", "4403", 80_000, 160_000),
        ("unemployment", "4403", 3_000, 7_000),
        ("work_injury", "4403", 0, 2_000),
        ("medical", "4357", 20_000, 70_000),
        ("maternity", "4357", 0, 9_000),
        ("housing_fund", "4000", 120_000, 120_000),
    )
    payday = date(2026, 1, 30)
    return _slip(of, paid(of, lines, payday, 1), payday)


def _hefei() -> Payslip:
    """Worked example 12: in September 2026 the pension differences of eight old fee months."""
    of = month("2026-09", 420_000, Entry("overtime_150", 0, 10_000), Entry("absence", 0, 1_000))
    lines = _lines(
        ("pension", "4354", 80_000, 160_000),
        ("medical", "4354", 20_000, 85_000),
        ("unemployment", "4354", 5_000, 5_000),
        ("work_injury", "4354", 0, 2_000),
    )
    late = [
        replace(
            line("pension", 4_300, 344, 688),
            kind="difference",
            employee_ppm=80_000,
            employer_ppm=160_000,
            levy_period=f"2026-{number:02d}",
        )
        for number in range(1, 9)
    ]
    payday = date(2026, 9, 30)
    warnings = ["合肥医疗保险单位费率有争议（8.5% 与 6.5%），按 8.5% 计算。"]
    before = YearToDate(8 * 420_000, 8 * 45_266)
    return _slip(of, paid(of, (*lines, *late), payday, 9, before), payday, warnings=warnings)


def _shenzhen() -> Payslip:
    """Hired on 19 January 2026: piece work, and the extra pension that only the employer pays."""
    of = month(
        "2026-01",
        1_200_000,
        Entry("piece_pay", 0, 1_200_500, 1_250),
        Entry("missed_meal_subsidy", 15_000),
        Entry("after_tax_deduction", 2_000),
        spells=[spell("2026-01-19")],
    )
    lines = _lines(
        ("pension", "12000", 80_000, 160_000),
        ("supplementary_pension", "12000", 0, 10_000),
        ("medical", "12000", 20_000, 50_000),
        ("maternity", "12000", 0, 5_000),
        ("unemployment", "12000", 3_000, 7_000),
        ("work_injury", "12000", 0, 1_400),
        ("housing_fund", "12000", 50_000, 50_000),
    )
    payday = date(2026, 1, 30)
    return _slip(of, paid(of, lines, payday, 1), payday)


def _shanghai_switched() -> Payslip:
    """Worked example 9 in July 2026, of a company whose own payroll paid January to June: 345.00
    three times, 1,045.00 and twice 1,150.00; from nothing July would be 345.00 once more.
    """
    of = month("2026-07", 2_000_000)
    lines = _lines(
        ("pension", "20000", 80_000, 160_000),
        ("medical", "20000", 20_000, 90_000),
        ("unemployment", "20000", 5_000, 5_000),
        ("work_injury", "20000", 0, 2_000),
        ("housing_fund", "20000", 70_000, 70_000),
    )
    before = said_year(
        imported(f"2026-{number:02d}", 2_000_000, 350_000, tax_fen, income_fen=2_000_000)
        for number, tax_fen in enumerate([34_500] * 3 + [104_500] + [115_000] * 2, 1)
    )
    payday = date(2026, 7, 31)
    return _slip(of, paid(of, lines, payday, 7, before), payday)


GOLDEN = {
    "shanghai": _shanghai,
    "shanghai_switched": _shanghai_switched,
    "beijing": _beijing,
    "kunming": _kunming,
    "hefei": _hefei,
    "shenzhen": _shenzhen,
}


def text_of(slip: Payslip) -> str:
    """The whole payslip as the API shows it, and every figure's explanation."""
    figures = [explained(slip, figure) for figure in figures_of(slip)]
    shown = {
        "payslip": PayslipOut.model_validate(slip, from_attributes=True).model_dump(mode="json"),
        "figures": [
            ExplanationOut.model_validate(one, from_attributes=True).model_dump(mode="json")
            for one in figures
        ],
    }
    return json.dumps(shown, ensure_ascii=False, indent=1) + "\n"


if __name__ == "__main__":
    FOLDER.mkdir(exist_ok=True)
    for name, made in GOLDEN.items():
        (FOLDER / f"{name}.json").write_text(text_of(made()), "utf-8")
    sys.stdout.write(f"{FOLDER.name}: as the code says\n")
