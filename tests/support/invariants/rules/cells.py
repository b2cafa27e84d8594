"""I1, cells: roster × scheme = K, counted from payroll-svc's own store and the policies; each cell
in exactly one state, the same everywhere; what is due is declared and filed.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from datetime import date, datetime

from shared.clock import china_day, china_time
from shared.values import ANOMALIES, LevyPeriod, Outcome
from tests.support.invariants.facts import (
    Anomaly,
    Cell,
    Close,
    Declaration,
    Employee,
    Employer,
    Facts,
    Line,
    OpeningDay,
    SchemeLine,
    Spell,
    Submission,
    SubmittedLine,
)
from tests.support.invariants.violation import states

RECONCILIATION, PORTAL, CONTRIBUTION = "reconciliation_svc", "portal_svc", "contribution_svc"
LIVE = frozenset({"sending", "unknown", "taken", "verified"})
"""States of a submission that the party may hold."""

CellKey = tuple[str, str, str]
"""Employee id, levy period, insurance."""
MonthKey = tuple[str, str]


class Roster:
    """Which cells roster and scheme imply: reconciliation-svc is not asked."""

    def __init__(self, facts: Facts) -> None:
        self._now = facts.now
        self._employees = facts.of(Employee)
        self._cut_overs = {one.employer_id: one.cut_over for one in facts.of(Employer)}
        self._spells: dict[str, list[Spell]] = defaultdict(list)
        for spell in sorted(facts.of(Spell), key=lambda one: one.since):
            self._spells[spell.employee_id].append(spell)
        self._scheme: dict[str, list[SchemeLine]] = defaultdict(list)
        for line in sorted(facts.of(SchemeLine), key=lambda one: one.effective_from):
            self._scheme[line.city].append(line)
        self._opening: dict[str, list[OpeningDay]] = defaultdict(list)
        for day in sorted(facts.of(OpeningDay), key=lambda one: one.effective_from):
            self._opening[day.city].append(day)
        self.employers = {one.employee_id: one.employer_id for one in self._employees}

    def open_cells(self) -> dict[MonthKey, frozenset[str]]:
        """The insurances of every employee in every levy period that has opened."""
        return {
            (employee.employee_id, str(period)): insurances
            for employee in self._employees
            for period in self._periods(employee)
            if (insurances := self.implied(employee.employee_id, str(period)))
        }

    def implied(self, employee_id: str, levy_period: str) -> frozenset[str]:
        """The insurances of the scheme where the employee is in this period; empty: nowhere."""
        first = LevyPeriod.parse(levy_period).first_day()
        last = LevyPeriod.parse(levy_period).last_day()
        place = next((one for one in self._spells[employee_id] if _meets(one, first, last)), None)
        if place is None:
            return frozenset()
        day = str(first)
        return frozenset(
            line.insurance
            for line in self._scheme[place.city]
            if line.effective_from <= day and (not line.ends_on or line.ends_on >= day)
        )

    def _periods(self, employee: Employee) -> Iterable[LevyPeriod]:
        cut_over = LevyPeriod.parse(self._cut_overs[employee.employer_id])
        newest = LevyPeriod.of(china_day(self._now)).shifted(1)
        for period in cut_over.through(newest):
            if self._is_open(employee.employee_id, period):
                yield period

    def _is_open(self, employee_id: str, period: LevyPeriod) -> bool:
        days = [day for spell in self._spells[employee_id] for day in self._opening[spell.city]]
        valid = [day for day in days if day.effective_from <= str(period.first_day())]
        if not valid:
            return False
        before = period.shifted(-1)
        return _moment(before, valid[-1]) <= self._now


def _meets(spell: Spell, first: date, last: date) -> bool:
    return spell.since <= last and (spell.until is None or spell.until >= first)


def _moment(month: LevyPeriod, day: OpeningDay) -> datetime:
    return china_time(month.first_day().replace(day=day.day), day.at)


def _months(cells: Iterable[Cell]) -> dict[MonthKey, dict[str, Cell]]:
    found: dict[MonthKey, dict[str, Cell]] = defaultdict(dict)
    for cell in cells:
        found[cell.employee_id, cell.levy_period][cell.insurance] = cell
    return found


def _named(insurances: Iterable[str]) -> str:
    return ", ".join(sorted(insurances)) or "none"


@states("I1")
def cell_missing(facts: Facts) -> Iterator[str]:
    """Every cell that roster and scheme imply in an opened levy period is in reconciliation-svc's
    months: K counted from payroll-svc's store and the policies is K.
    """
    months = _months(cell for cell in facts.of(Cell, RECONCILIATION) if not cell.extra)
    for (employee, period), expected in Roster(facts).open_cells().items():
        parked = (RECONCILIATION, "EmployeeChanged", employee) in facts.parked_aggregates
        lost = expected - months.get((employee, period), {}).keys()
        if lost and not parked:
            found = _named(expected - lost)
            yield (
                f"employee {employee} has no cell for {_named(lost)} in {period}: expected"
                f" {_named(expected)}, found {found}"
            )


@states("I1")
def cell_of_no_roster(facts: Facts) -> Iterator[str]:
    """A cell that roster and scheme do not imply is an extra, counted beside K."""
    roster = Roster(facts)
    for cell in facts.of(Cell, RECONCILIATION):
        implied = roster.implied(cell.employee_id, cell.levy_period)
        if not cell.extra and cell.insurance not in implied:
            yield (
                f"employee {cell.employee_id} has a cell for {cell.insurance} in"
                f" {cell.levy_period}; roster and scheme imply {_named(implied)}"
            )


@states("I1")
def cell_in_two_states(facts: Facts) -> Iterator[str]:
    """Each cell is in exactly one state at any moment."""
    for key, count in Counter(cell.cell for cell in facts.of(Cell, RECONCILIATION)).items():
        if count > 1:
            employee, period, insurance = key
            yield f"employee {employee}, {period}, {insurance}: expected one verdict, found {count}"


@states("I1")
def outcome_is_no_word(facts: Facts) -> Iterator[str]:
    """Every outcome is one of the table's, so that every page has a word for it."""
    known = set(Outcome)
    for cell in facts.of(Cell):
        if cell.outcome not in known:
            yield (
                f"{cell.store} has outcome {cell.outcome!r} for employee {cell.employee_id},"
                f" {cell.levy_period}, {cell.insurance}"
            )


@states("I1")
def portal_shows_another_verdict(facts: Facts) -> Iterator[str]:
    """portal-svc shows the verdict that reconciliation-svc made, at the same version."""
    shown = _months(facts.of(Cell, PORTAL))
    for (employee, period), cells in _months(facts.of(Cell, RECONCILIATION)).items():
        if (PORTAL, "CellsJudged", f"{employee}/{period}") in facts.parked_aggregates:
            continue
        expected = _verdicts(cells)
        found = _verdicts(shown.get((employee, period), {}))
        if expected != found:
            yield (
                f"employee {employee}, {period}: reconciliation-svc says {expected},"
                f" portal-svc shows {found}"
            )


def _verdicts(cells: Mapping[str, Cell]) -> dict[str, tuple[int, str, bool]]:
    return {name: (cell.version, cell.outcome, cell.extra) for name, cell in sorted(cells.items())}


def _open_anomalies(facts: Facts) -> dict[tuple[str, str, str], Anomaly]:
    return {
        (one.employee_id, one.levy_period, one.kind): one
        for one in facts.of(Anomaly, RECONCILIATION)
        if one.cleared_at is None
    }


@states("I1")
def anomalous_cell_without_anomaly(facts: Facts) -> Iterator[str]:
    """An anomalous cell is named by the open anomaly of its employee, period and kind."""
    open_ones = _open_anomalies(facts)
    known = {one.employer_id for one in facts.of(Employer)}
    for cell in facts.of(Cell, RECONCILIATION):
        anomaly = open_ones.get((cell.employee_id, cell.levy_period, cell.outcome))
        named = anomaly.insurances if anomaly else []
        if cell.outcome in ANOMALIES and cell.employer_id in known and cell.insurance not in named:
            yield (
                f"employee {cell.employee_id}, {cell.levy_period}, {cell.insurance} is"
                f" {cell.outcome}; the open anomaly names {_named(named)}"
            )


@states("I1")
def anomaly_without_cell(facts: Facts) -> Iterator[str]:
    """An open anomaly names only cells that are in its outcome now."""
    outcomes = {cell.cell: cell.outcome for cell in facts.of(Cell, RECONCILIATION)}
    for (employee, period, kind), anomaly in _open_anomalies(facts).items():
        for insurance in anomaly.insurances:
            found = outcomes.get((employee, period, insurance), "no cell")
            if found != kind:
                yield (
                    f"anomaly {anomaly.anomaly_id} ({kind}) of employee {employee} names"
                    f" {insurance} of {period}, which is {found}"
                )


@states("I1")
def close_does_not_add_up(facts: Facts) -> Iterator[str]:
    """The states of a closed period add up to its number of cells, which is K."""
    roster = Roster(facts)
    counted = Counter(
        (roster.employers[employee], period)
        for (employee, period), insurances in roster.open_cells().items()
        for _ in insurances
    )
    for close in facts.of(Close, RECONCILIATION):
        states_sum, k = sum(close.states.values()), counted[close.employer_id, close.levy_period]
        if not states_sum == close.cells == k:
            yield (
                f"{close.levy_period} of employer {close.employer_id} was closed with"
                f" {close.cells} cells whose states add up to {states_sum}; the roster implies {k}"
            )


@states("I1")
def declared_line_not_filed(facts: Facts) -> Iterator[str]:
    """A declaration's filing holds exactly its due lines: one for each cell declared."""
    due: dict[tuple[str, str, str], set[str]] = defaultdict(set)
    for line in facts.of(Line, CONTRIBUTION):
        if line.side == "assessed" and line.state == "due":
            due[line.employee_id, line.levy_period, line.declaration_id].add(line.insurance)
    filed: dict[str, set[tuple[str, str]]] = defaultdict(set)
    for submitted in facts.of(SubmittedLine):
        filed[submitted.serial].add((submitted.employee_id, submitted.insurance))
    declarations = {one.declaration_id: one for one in facts.of(Declaration)}
    for filing in facts.of(Submission):
        declaration = declarations.get(filing.declaration_id)
        if filing.kind != "filing" or filing.state not in LIVE or declaration is None:
            continue
        expected = {
            (employee, insurance)
            for employee in declaration.declared
            for insurance in due[employee, declaration.levy_period, declaration.carrier]
        }
        for employee, insurance in sorted(expected ^ filed[filing.serial]):
            where = (
                "filed and not declared" if (employee, insurance) not in expected else "not filed"
            )
            yield (
                f"declaration {declaration.declaration_id}, {declaration.levy_period}: {insurance}"
                f" of employee {employee} is {where} (serial {filing.serial})"
            )
