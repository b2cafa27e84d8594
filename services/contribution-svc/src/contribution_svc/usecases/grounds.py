"""What assessments rest on: the policy of their cities and levy periods, and the facts about their
employees.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from contribution_svc.domain.base import base_wages
from contribution_svc.domain.batch import Person
from contribution_svc.domain.lines import Insured
from contribution_svc.domain.policy import AfterRaise, OwnRates, PersonKind, Terms
from contribution_svc.domain.wage_basis import WageFacts
from contribution_svc.errors import PolicyUnknown
from contribution_svc.policy import Policies
from contribution_svc.store import assessments, own_rates
from contribution_svc.store.assessments import Assessment, Facts
from shared.db import Connection
from shared.values import Insurance, LevyPeriod


@dataclass(frozen=True, slots=True)
class Grounds:
    """Facts by employee and levy period, and the own rates of accounts."""

    facts: Mapping[tuple[str, str], Facts]
    rates: Mapping[str, OwnRates]

    def person(self, row: Assessment, scheme: "Scheme") -> Person:
        """Whoever the row is of, as the scheme of its city and levy period looks at them."""
        facts = self.facts[row.employee_id, row.levy_period]
        wages = WageFacts(
            spells=facts.spells,
            by_year_fen=facts.wages.by_year,
            runs_fen=facts.wages.runs,
            agreed_fen=facts.agreed_fen,
            first_fund_member=facts.first_fund_member,
        )
        insured = Insured(
            row.employee_id,
            facts.person_kind,
            facts.documents_missing,
            facts.on_roster,
            facts.facts_parked,
            self.rates.get(row.account_id, {}),
        )
        found = base_wages(wages, scheme.by_base_year, scheme.period, scheme.after_raise)
        return Person(row.account_id, insured, found)


async def grounds_of(conn: Connection, rows: Sequence[Assessment]) -> Grounds:
    """Of these rows, as they are now."""
    facts = await assessments.facts_of(conn, rows)
    return Grounds(facts, await own_rates.of_accounts(conn, {row.account_id for row in rows}))


def key(row: Assessment) -> tuple[str, str]:
    """The city and levy period, by which a row finds its scheme."""
    return row.city, row.levy_period


@dataclass(frozen=True, slots=True)
class Scheme:
    """What a city and levy period give to everyone assessed in them, worked out once for a
    batch. `by_base_year` and `by_contribution_year` are its terms as `Pack` groups them.
    """

    period: LevyPeriod
    kinds: Mapping[str, PersonKind]
    terms: Sequence[Terms]
    terms_of: Mapping[Insurance, Terms]
    by_base_year: Mapping[int, Sequence[Terms]]
    by_contribution_year: Mapping[str, Sequence[Terms]]
    contribution_year: int
    after_raise: AfterRaise
    known_since: str
    day_warnings: Sequence[str]


def schemes_of(
    policies: Policies, rows: Sequence[Assessment], known_on: date
) -> dict[tuple[str, str], Scheme]:
    """By `key` of the rows, as known on a day; none where the policies say nothing of it."""
    schemes = {}
    for city, text in {key(row) for row in rows}:
        period = LevyPeriod.parse(text)
        try:
            pack = policies.pack_for(city, period, known_on)
        except PolicyUnknown:
            continue
        terms, days = pack.terms(period, known_on), pack.days_at(period)
        schemes[city, text] = Scheme(
            period=period,
            kinds=pack.person_kinds,
            terms=terms,
            terms_of={one.insurance: one for one in terms},
            by_base_year=pack.by_base_year(terms, period),
            by_contribution_year=pack.by_contribution_year(terms, period),
            contribution_year=pack.contribution_year(period),
            after_raise=pack.after_raise,
            known_since=str(max(one.known_since for one in terms)),
            day_warnings=days.warnings() if days is not None else (),
        )
    return schemes
