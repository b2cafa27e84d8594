"""From gross to net: what is withheld for insurances, income tax, and what the employer pays."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from payroll_svc.domain.income_tax import TaxPayer, TaxTerms, Withholding, YearToDate, withhold
from payroll_svc.domain.pay_items import (
    ANNUAL_BONUS,
    Reckoned,
    after_tax_fen_of,
    gross_fen_of,
    taxed_fen_of,
)

FIRST_WAGE_UNKNOWN = "first_wage_unknown"
_FACTS_PARKED = "facts_parked:"
"""The head of a blocked line's reason where what is missing came and could not be taken in."""
NOT_ASSESSED = "not_assessed"


@dataclass(frozen=True, slots=True)
class DueLine:
    """One insurance of an assessment: `state` is due, exempt or blocked (why: `reason`); amounts in
    fen, rates in millionths.

    `levy_period` is the month that it is for, where that is not the run's own; `withhold_in` the
    month whose run takes it from the wage, where that is a later one.
    """

    insurance: str
    state: str
    reason: str = ""
    base_fen: int = 0
    employer_fen: int = 0
    employee_fen: int = 0
    employer_ppm: int = 0
    employee_ppm: int = 0
    kind: str = "regular"
    levy_period: str = ""
    withhold_in: str = ""


@dataclass(frozen=True, slots=True)
class Assessment:
    """What contribution-svc last said about one employee and levy period."""

    version: int
    lines: tuple[DueLine, ...]
    warnings: tuple[str, ...] = ()

    def due(self, levy_period: str) -> tuple[DueLine, ...]:
        """The lines that the levy period's own run withholds."""
        return tuple(
            line
            for line in self.lines
            if line.state == "due" and line.withhold_in in ("", levy_period)
        )


@dataclass(frozen=True, slots=True)
class Pay:
    """What one member gets and why, in fen. `assessment_version` is the one that `withheld` was
    taken from.
    """

    employee_id: str
    assessment_version: int
    withheld: tuple[DueLine, ...]
    contributions_fen: int
    tax: Withholding
    net_fen: int
    employer_fen: int
    income_fen: int
    special_additional_fen: int = 0
    warnings: tuple[str, ...] = ()

    @property
    def tax_fen(self) -> int:
        return self.tax.tax_fen


def pay_of(
    employee_id: str,
    items: Sequence[Reckoned],
    withheld: Sequence[DueLine],
    assessment: Assessment,
    before: YearToDate,
    payer: TaxPayer,
    terms: TaxTerms,
) -> Pay:
    """Gross to net of one member: the employee's part of every withheld line, then income tax,
    then what is added and deducted after tax.
    """
    contributions_fen = sum(line.employee_fen for line in withheld)
    income_fen = taxed_fen_of(items)
    bonus_fen = taxed_fen_of(items, ANNUAL_BONUS)
    tax = withhold(terms, before, payer, income_fen, contributions_fen, bonus_fen)
    net_fen = gross_fen_of(items) - contributions_fen - tax.tax_fen + after_tax_fen_of(items)
    return Pay(
        employee_id=employee_id,
        assessment_version=assessment.version,
        withheld=tuple(withheld),
        contributions_fen=contributions_fen,
        tax=tax,
        net_fen=net_fen,
        employer_fen=sum(line.employer_fen for line in withheld),
        income_fen=income_fen - tax.bonus_fen,
        special_additional_fen=payer.special_additional_fen,
        warnings=assessment.warnings,
    )


def waiting_for(
    members: Iterable[str], assessments: Mapping[str, Assessment]
) -> list[tuple[str, str]]:
    """(employee id, reason) of everyone whose contributions cannot be withheld yet.

    `first_wage_unknown` is a wait as well: the assessment is blocked for want of the wage that this
    very run has told, and its answer is on the way. Any other block (a missing document) does not
    hold up the pay.
    """
    waits: list[tuple[str, str]] = []
    for employee_id in members:
        assessment = assessments.get(employee_id)
        if assessment is None:
            waits.append((employee_id, NOT_ASSESSED))
        elif any(_awaits_first_wage(line) for line in assessment.lines):
            waits.append((employee_id, FIRST_WAGE_UNKNOWN))
    return waits


def _awaits_first_wage(line: DueLine) -> bool:
    # The wage may have come and been parked: it is still waited for, now by way of an operator.
    reason = line.reason.removeprefix(_FACTS_PARKED)
    return line.state == "blocked" and reason == FIRST_WAGE_UNKNOWN


def still_due(
    levy_period: str, due: Iterable[DueLine], taken: Iterable[DueLine]
) -> tuple[DueLine, ...]:
    """What a paid month's assessment says now, less what payslips took for it: a correction's
    lines, negative where too much was taken.
    """
    lines: dict[str, DueLine] = {}
    for sign, each in ((1, due), (-1, taken)):
        for line in each:
            known = lines.get(line.insurance, _nothing(line, levy_period))
            lines[line.insurance] = replace(
                known,
                employer_fen=known.employer_fen + sign * line.employer_fen,
                employee_fen=known.employee_fen + sign * line.employee_fen,
            )
    return tuple(
        line for _, line in sorted(lines.items()) if line.employer_fen or line.employee_fen
    )


def late_owed(
    levy_period: str, due: Sequence[DueLine], taken: Sequence[DueLine]
) -> tuple[DueLine, ...]:
    """What of lines is not taken yet: the lines themselves while nothing is."""
    return still_due(levy_period, due, taken) if taken else tuple(due)


def _nothing(line: DueLine, levy_period: str) -> DueLine:
    return replace(
        line,
        reason="",
        employer_fen=0,
        employee_fen=0,
        kind="difference",
        levy_period=levy_period,
        withhold_in="",
    )
