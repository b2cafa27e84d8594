"""Rosters, lines, cells and anomalies, each as one store has it. `store` is the database's name."""

from datetime import date, datetime
from typing import NamedTuple


class Employer(NamedTuple):
    """用人单位 of payroll-svc; `cut_over` is the first levy period that is reconciled."""

    store: str
    employer_id: str
    name: str
    uscc: str
    cut_over: str


class Employee(NamedTuple):
    """员工 of payroll-svc."""

    store: str
    employee_id: str
    employer_id: str


class Spell(NamedTuple):
    """One stretch of employment, both ends inclusive; `until` None: still running."""

    store: str
    employee_id: str
    since: date
    until: date | None
    city: str


class SchemeLine(NamedTuple):
    """One insurance of a city's scheme as it was last told, from one day to another (YYYY-MM-DD;
    `ends_on` empty: still in force).
    """

    store: str
    city: str
    insurance: str
    effective_from: str
    ends_on: str


class OpeningDay(NamedTuple):
    """When a city's levy periods open: on this day of the month before, at HH:MM in China."""

    store: str
    city: str
    effective_from: str
    day: int
    at: str


class Line(NamedTuple):
    """One side of one cell at one version: `side` is assessed, posted, withheld, filed, verified
    or recorded; amounts in fen. `declaration_id` names the supplementary declaration that carries
    an assessed or posted line; empty: none.
    """

    store: str
    side: str
    employer_id: str
    employee_id: str
    levy_period: str
    version: int
    insurance: str
    state: str
    base_fen: int
    employer_fen: int
    employee_fen: int
    declaration_id: str = ""

    @property
    def cell(self) -> tuple[str, str, str]:
        return self.employee_id, self.levy_period, self.insurance


class LookedUp(NamedTuple):
    """What bureau-sync-svc told of a cell's stage, and the last look-up that it rests on."""

    store: str
    employee_id: str
    levy_period: str
    insurance: str
    stage: str
    at: datetime | None


class Payslip(NamedTuple):
    """工资条: net is gross less contributions and tax, and what comes after tax, all in fen.

    `withheld_fen` is what its lines withhold.
    """

    store: str
    employee_id: str
    levy_period: str
    gross_fen: int
    contributions_fen: int
    tax_fen: int
    net_fen: int
    withheld_fen: int
    after_tax_fen: int = 0


class Cell(NamedTuple):
    """One verdict, as reconciliation-svc keeps it and as portal-svc shows it."""

    store: str
    employer_id: str
    employee_id: str
    levy_period: str
    version: int
    insurance: str
    outcome: str
    extra: bool
    annotations: list[str]

    @property
    def cell(self) -> tuple[str, str, str]:
        return self.employee_id, self.levy_period, self.insurance


class Close(NamedTuple):
    """A closed period: `states` maps outcome to a number of cells."""

    store: str
    employer_id: str
    levy_period: str
    cells: int
    states: dict[str, int]


class Anomaly(NamedTuple):
    """异常 in one of the stores that keep it. `version` 0: not told yet. `cleared_at` None: it
    holds. `outcomes` of a cleared one: what each of its insurances became.
    """

    store: str
    anomaly_id: str
    employer_id: str
    employee_id: str
    levy_period: str
    kind: str
    version: int
    insurances: list[str]
    cleared_at: datetime | None
    ticket_id: str
    outcomes: dict[str, str]
