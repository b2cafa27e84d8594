"""Explaining a figure: a contribution on a payslip, or the bases of a levy period, with everything
that it was made from, as known on its day.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

from contribution_svc.domain.base import Bases, bases_of
from contribution_svc.domain.difference import SupplementLine
from contribution_svc.domain.doubts import warnings
from contribution_svc.domain.explanation import (
    Explanation,
    Withheld,
    counted,
    explain_amount,
    explain_base,
    explain_line,
    explain_not_due,
    explain_not_yet,
    with_withheld,
)
from contribution_svc.domain.figures import Figure
from contribution_svc.domain.lines import Line, LineState
from contribution_svc.domain.policy import InsuranceRules, Pack
from contribution_svc.domain.rounding import Rounding
from contribution_svc.domain.wage_basis import WageBasis, WageFacts
from contribution_svc.domain.wages import WageMonth
from contribution_svc.errors import BaseUnknown, EmployeeUnknown, LineUnknown
from contribution_svc.policy import Policies
from contribution_svc.store import explanations, wages
from contribution_svc.store.explanations import AssessedMonth, Employed, Placed
from shared.clock import china_day, china_time
from shared.db import Connection
from shared.values import Insurance, LevyPeriod, Payer, fen_text

_FOR_EVER = "9999-12"


@dataclass(frozen=True, slots=True)
class ExplainedLine:
    """Where one side's amount comes from, by what was known on `known_on`."""

    line: Line
    side: Payer
    known_on: date
    explanation: Explanation
    withheld: Sequence[Withheld] = ()
    is_withheld_elsewhere: bool = False

    def amount_fen(self) -> int:
        return _amount_fen(self.line, self.side)

    def payslip_fen(self) -> int:
        """What the month's payroll is to withhold: its own, and of earlier levy periods."""
        own_fen = 0 if self.is_withheld_elsewhere else self.amount_fen()
        return own_fen + sum(one.amount_fen for one in self.withheld)


def _amount_fen(line: Line | SupplementLine, side: Payer) -> int:
    return line.employer_fen if side is Payer.EMPLOYER else line.employee_fen


@dataclass(frozen=True, slots=True)
class ExplainedBases:
    """Where the bases of a levy period come from, by what was known on `known_on`; its contribution
    year is the city's, an insurance may be in another.
    """

    city: str
    contribution_year: int
    contribution_years: Mapping[Insurance, int]
    known_on: date
    bases: Bases
    explanation: Explanation


@dataclass(frozen=True, slots=True)
class _Rested:
    """What the bases of one employee and levy period were made of."""

    pack: Pack
    base_years: Mapping[Insurance, int]
    months: Sequence[WageMonth]
    found: Bases | str


async def explain_contribution(
    conn: Connection,
    policies: Policies,
    employee_id: str,
    period: LevyPeriod,
    insurance: Insurance,
    side: Payer,
    now: datetime,
) -> ExplainedLine:
    """One side's figure of the month's payslip: an assessed line, and lines of earlier levy periods
    that are to be withheld with it. EmployeeUnknown; LineUnknown when nothing was assessed for it.
    """
    employee = await _employee(conn, employee_id)
    month = await explanations.assessed(conn, employee_id, str(period))
    line = next((one for one in month.lines if one.insurance == insurance), None) if month else None
    if month is None or line is None:
        raise LineUnknown(f"nothing was assessed for {insurance} of {employee_id} in {period}")
    at = month.assessed_at or now
    pack = policies.of(month.city)
    withheld = [
        Withheld(other, _amount_fen(one, side), one.reason)
        for other, one in await explanations.withheld_in(conn, employee_id, str(period))
        if one.insurance == insurance
    ]
    known = {terms.insurance for terms in pack.terms(period, china_day(at))}
    if line.state is LineState.DUE and insurance not in known:
        said = _taken_back(line, side, month, pack, period, china_day(now))
    elif line.state is LineState.DUE:
        rested = await _rested(conn, pack, employee, period, at)
        said = _line_said(line, side, rested, month, period, china_day(at))
    else:
        kind = pack.person_kinds.get(employee.person_kind)
        reasons = pack.national.reasons
        said = explain_not_due(insurance, period, line, kind.name if kind else "", reasons)
    elsewhere = month.elsewhere.get(insurance, str(period))
    if is_elsewhere := elsewhere != str(period):
        said = replace(said, sentence=f"{said.sentence.rstrip('。')}；在{elsewhere}的工资中代扣。")
    own_fen = 0 if is_elsewhere else _amount_fen(line, side)
    whole = with_withheld(said, own_fen, side, withheld)
    return ExplainedLine(line, side, china_day(at), whole, withheld, is_elsewhere)


async def explain_bases(
    conn: Connection,
    policies: Policies,
    employee_id: str,
    period: LevyPeriod,
    known_on: date | None,
    now: datetime,
) -> ExplainedBases:
    """The bases of a levy period by what was known at the end of a day, or is known now.

    EmployeeUnknown; PolicyUnknown; BaseUnknown when there is no wage to rest them on, with what is
    missing.
    """
    employee = await _employee(conn, employee_id)
    spell = spell_of(employee.spells, period)
    if spell is None:
        raise BaseUnknown(f"{employee_id} is not on the roster in {period}")
    today = china_day(now)
    on = min(known_on or today, today)
    at = now if on == today else china_time(on + timedelta(days=1), "00:00")
    pack = policies.pack_for(spell.city, period, on)
    rested = await _rested(conn, pack, employee, period, at)
    if isinstance(rested.found, str):
        raise BaseUnknown(f"{employee_id} has no base in {period}: {rested.found}")
    said = _bases_said(rested.found, rested, period, on)
    years = {insurance: year + 1 for insurance, year in rested.base_years.items()}
    year = pack.contribution_year(period)
    return ExplainedBases(spell.city, year, years, on, rested.found, said)


def spell_of(spells: Sequence[Placed], period: LevyPeriod) -> Placed | None:
    """The spell that a levy period belongs to: that of its first day, else the first that begins
    within it.
    """
    first, last = period.first_day(), period.last_day()
    return next(
        (s for s in spells if s.since <= last and (s.until is None or s.until >= first)), None
    )


async def _employee(conn: Connection, employee_id: str) -> Employed:
    employee = await explanations.employed(conn, employee_id)
    if employee is None:
        raise EmployeeUnknown(f"There is no employee {employee_id} that you may see.")
    return employee


async def _rested(
    conn: Connection, pack: Pack, employee: Employed, period: LevyPeriod, at: datetime
) -> _Rested:
    terms = pack.by_base_year(pack.terms(period, china_day(at)), period)
    since = f"{min(terms):04d}-01"
    months = await wages.as_known(conn, employee.employee_id, since, _FOR_EVER, at)
    by_year_fen: dict[int, dict[int, int]] = {}
    for month in counted(months).values():
        year = by_year_fen.setdefault(int(month.month[:4]), {})
        year[int(month.month[5:])] = month.wage_fen
    facts = WageFacts(
        spells=[(spell.since, spell.until) for spell in employee.spells],
        by_year_fen=by_year_fen,
        runs_fen={month.month: month.wage_fen for month in months if month.purpose == "run"},
        agreed_fen=employee.agreed_fen,
        first_fund_member=employee.first_fund_member,
    )
    found = bases_of(facts, terms, period, pack.after_raise)
    base_years = {one.insurance: year for year, some in terms.items() for one in some}
    return _Rested(pack, base_years, months, found)


def _line_said(
    line: Line,
    side: Payer,
    rested: _Rested,
    month: AssessedMonth,
    period: LevyPeriod,
    known_on: date,
) -> Explanation:
    """The whole way where today's facts still lead to the line; where they were changed since, from
    the base on, with a warning.
    """
    rules = rested.pack.insurances[line.insurance]
    figures, rounding = _used(rules, side, period, known_on), _rounding(rules, side)
    doubts = warnings(line.insurance, figures)
    found = rested.found
    now_fen = None if isinstance(found, str) else found.bases_fen.get(line.insurance)
    if isinstance(found, str) or now_fen != line.base_fen:
        said = explain_amount(line, side, month.base_explanation, figures, rounding)
        again = f"{fen_text(now_fen)}元" if now_fen is not None else "无法重算"
        changed = f"核算之后员工资料有变动：按现有资料重算的缴费基数为{again}"
        return replace(said, warnings=(*doubts, changed))
    said = explain_line(
        line,
        side,
        found.rests_on[line.insurance],
        rested.base_years[line.insurance],
        rested.months,
        figures,
        rounding,
    )
    return replace(said, warnings=(*said.warnings, *doubts))


def _taken_back(
    line: Line, side: Payer, month: AssessedMonth, pack: Pack, period: LevyPeriod, today: date
) -> Explanation:
    """A line whose figures a later pack no longer knows as they were then: from the base on, beside
    what holds now.
    """
    rules = pack.insurances[line.insurance]
    figures = _used(rules, side, period, today)
    said = explain_amount(line, side, month.base_explanation, figures, _rounding(rules, side))
    changed = "现行政策包不再载有核算时所用的数值：基数说明为核算时所记，来源为现行政策"
    return replace(said, warnings=(*warnings(line.insurance, figures), changed))


def _rounding(rules: InsuranceRules, side: Payer) -> Rounding:
    return rules.employer_rounding if side is Payer.EMPLOYER else rules.employee_rounding


def _used(
    rules: InsuranceRules, side: Payer, period: LevyPeriod, known_on: date
) -> Mapping[str, Figure]:
    """The bounds, and the rate and fixed sum of that side."""
    keys = ("floor", "ceiling", f"{side}_rate", f"{side}_fixed")
    figures = rules.figures_at(period.first_day(), known_on)
    return {key: figures[key] for key in keys if key in figures}


def _bases_said(found: Bases, rested: _Rested, period: LevyPeriod, known_on: date) -> Explanation:
    """A sentence for each wage that bases rest on, as one."""
    groups: dict[tuple[int, WageBasis], dict[Insurance, Mapping[str, Figure]]] = {}
    doubts: list[str] = []
    for insurance in found.bases_fen:
        figures = rested.pack.insurances[insurance].figures_at(period.first_day(), known_on)
        bounds = {key: figures[key] for key in ("floor", "ceiling")}
        key = (rested.base_years[insurance], found.rests_on[insurance])
        groups.setdefault(key, {})[insurance] = bounds
        doubts += warnings(insurance, bounds)
    said = [
        explain_base(basis, base_year, rested.months, figures_of)
        for (base_year, basis), figures_of in groups.items()
    ]
    if len({base_year for base_year, _ in groups}) > 1:
        said = [
            replace(one, warnings=tuple(f"{year + 1}缴费年度：{text}" for text in one.warnings))
            for (year, _), one in zip(groups, said, strict=True)
        ]
    not_due = {**found.not_yet, **found.unknown}
    said += [explain_not_yet(insurance, reason) for insurance, reason in not_due.items()]
    return Explanation(
        sentence="；".join(one.sentence.rstrip("。") for one in said) + "。",
        steps=tuple(step for one in said for step in one.steps),
        warnings=(*(warning for one in said for warning in one.warnings), *doubts),
    )
