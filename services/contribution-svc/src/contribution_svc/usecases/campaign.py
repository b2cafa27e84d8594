"""年度基数申报: a campaign is opened, filled from the roster, computed, answered and closed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime

from contribution_svc.domain.base import WageFacts, bases_of
from contribution_svc.domain.campaign import (
    OPEN_STATES,
    DeclaredBase,
    Difference,
    Member,
    MemberState,
    answer,
    computed,
    confirm,
    declared_base,
    dispute,
    verified_differs,
)
from contribution_svc.domain.explanation import basis_warnings
from contribution_svc.domain.lines import NOT_ON_ROSTER
from contribution_svc.domain.policy import Pack, Terms
from contribution_svc.errors import AnswersOpen, CampaignClosed, CampaignUnknown, PolicyUnknown
from contribution_svc.policy import Policies
from contribution_svc.store import base_members, campaigns, roster, wages
from contribution_svc.store.base_members import Insured, MemberRow, Verified
from contribution_svc.store.campaigns import Campaign, YearStart
from contribution_svc.store.wages import Wages
from contribution_svc.usecases.explanation import spell_of
from contribution_svc.usecases.library import Library
from shared.clock import china_day
from shared.db import Connection
from shared.values import LevyPeriod, derived_id

BATCH = 2_000
"""Members per transaction, as for assessments."""
POLICY_UNKNOWN = "policy_unknown"
_AFTER_ALL_YEARS = "9999"


@dataclass(frozen=True, slots=True)
class Progress:
    """A campaign and how many members are in each state; `filling` while the roster is read."""

    campaign: Campaign
    people: Mapping[MemberState, int]


@dataclass(frozen=True, slots=True)
class MemberDiffers:
    """A member whose verified bases are not the declared ones."""

    employee_id: str
    employee_no: str
    levy_period: str
    differences: Sequence[Difference]


@dataclass(frozen=True, slots=True)
class Compared:
    """One page of members beside what was verified; `waiting` counts those of the page of whom
    nothing was verified yet.
    """

    differing: Sequence[MemberDiffers]
    agreeing: int
    waiting: int
    last: str | None


async def open_campaign(
    conn: Connection, employer_id: str, year: int, confirm_by: date, by: str, now: datetime
) -> Progress:
    """Opens an employer's campaign of a contribution year, once; the roster is read soon after."""
    campaign_id = str(derived_id("base-campaign", employer_id, year))
    await campaigns.open_campaign(conn, campaign_id, employer_id, str(year), confirm_by, by, now)
    return await progress(conn, campaign_id)


async def progress(conn: Connection, campaign_id: str) -> Progress:
    return Progress(await _campaign(conn, campaign_id), await campaigns.counts(conn, campaign_id))


async def list_campaigns(
    conn: Connection, employer_id: str, before: str | None, limit: int
) -> list[Progress]:
    """An employer's, the latest contribution year first, of years before `before`."""
    found = await campaigns.campaigns(conn, employer_id, before or _AFTER_ALL_YEARS, limit)
    return [Progress(one, await campaigns.counts(conn, one.campaign_id)) for one in found]


async def list_members(
    conn: Connection, campaign_id: str, state: str, after: str, limit: int
) -> list[MemberRow]:
    """By employee id, after `after`; `state` empty: in any. CampaignUnknown."""
    await _campaign(conn, campaign_id)
    return await base_members.members(conn, campaign_id, state, after, limit)


async def _campaign(conn: Connection, campaign_id: str, *, lock: bool = False) -> Campaign:
    found = await campaigns.campaign(conn, campaign_id, lock=lock)
    if found is None:
        raise CampaignUnknown(f"no campaign {campaign_id}")
    return found


async def fill_campaign(conn: Connection, library: Library, now: datetime) -> int:
    """Takes everyone of one employer's roster into its campaign. 0 when none is due.

    The employer is locked, so that whoever comes meanwhile is taken in after it, and marks it
    again.
    """
    due = await campaigns.to_fill(conn, now)
    if due is None:
        return 0
    await roster.lock_employer(conn, due.employer_id)
    year = int(due.contribution_year)
    cities = await campaigns.cities_of(conn, due.employer_id)
    policies = await library.in_force(conn)
    await campaigns.fill(conn, due, [_start(policies.pack(one), one, year) for one in cities], now)
    return 1


def _start(pack: Pack | None, city: str, year: int) -> YearStart:
    """The first month of the city's contribution year; the whole calendar year where the city has
    no policy, so that nobody is left out.
    """
    if pack is None:
        period = LevyPeriod(year, 1)
        return YearStart(city, str(period), period.first_day(), period.shifted(11).last_day())
    period = LevyPeriod(year, pack.contribution_year_starts)
    return YearStart(city, str(period), period.first_day(), period.last_day())


async def compute_members(conn: Connection, library: Library, now: datetime) -> int:
    """Computes the bases of one batch of members; returns how many."""
    rows = await base_members.to_compute(conn, now, BATCH)
    if not rows:
        return 0
    policies = await library.in_force(conn)
    ids = [row.employee_id for row in rows]
    people = await base_members.insured(conn, ids)
    since = f"{min(int(row.levy_period[:4]) for row in rows) - 2}-01"
    told = await wages.of_people(conn, ids, since)
    terms: dict[tuple[str, str], Sequence[Terms]] = {}
    done = []
    for row in rows:
        person = people.get(row.employee_id)
        earned = told.get(row.employee_id, Wages())
        done.append(_recomputed(policies, terms, row, person, earned, china_day(now)))
    await base_members.put(conn, done, now, computed=True)
    return len(rows)


def _recomputed(
    policies: Policies,
    terms: dict[tuple[str, str], Sequence[Terms]],
    row: MemberRow,
    person: Insured | None,
    earned: Wages,
    today: date,
) -> MemberRow:
    """The member where they are insured now, with what their base is now."""
    period = LevyPeriod.parse(row.levy_period)
    spell = spell_of(person.placed, period) if person is not None else None
    if person is None or spell is None:
        return replace(row, member=computed(row.member, NOT_ON_ROSTER))
    placed = replace(row, account_id=spell.account_id, city=spell.city)
    try:
        pack = policies.pack_for(spell.city, period, today)
    except PolicyUnknown:
        return replace(placed, member=computed(row.member, POLICY_UNKNOWN))
    key = (spell.city, row.levy_period)
    if key not in terms:
        terms[key] = pack.terms(period, today)
    found = _declared(pack, terms[key], person, earned, period)
    return replace(placed, member=computed(row.member, found))


def _declared(
    pack: Pack, terms: Sequence[Terms], person: Insured, earned: Wages, period: LevyPeriod
) -> DeclaredBase | str:
    facts = WageFacts(
        spells=person.spells(),
        by_year_fen=earned.by_year,
        runs_fen=earned.runs,
        agreed_fen=person.agreed_fen,
        first_fund_member=person.first_fund_member,
    )
    found = bases_of(facts, pack.by_base_year(terms, period), period, pack.after_raise)
    warned = () if isinstance(found, str) else basis_warnings(found.basis())
    kind = pack.person_kinds.get(person.person_kind)
    return declared_base(kind, [one.insurance for one in terms], found, warned)


async def confirm_base(
    conn: Connection, campaign_id: str, employee_id: str, seen: int, now: datetime
) -> MemberRow:
    """The employee confirms the base of version `seen`. CampaignUnknown, CampaignClosed,
    ConfirmationClosed, BaseChangedMeanwhile, AnswerNotPossible.
    """
    row = await _open_member(conn, campaign_id, employee_id)
    return await _put(conn, row, confirm(row.member, seen, row.confirm_by, china_day(now)), now)


async def dispute_base(
    conn: Connection, campaign_id: str, employee_id: str, seen: int, words: str, now: datetime
) -> MemberRow:
    """The employee disputes it, in their words. Raises as `confirm_base`."""
    row = await _open_member(conn, campaign_id, employee_id)
    disputed = dispute(row.member, seen, words, row.confirm_by, china_day(now))
    return await _put(conn, row, disputed, now)


async def answer_dispute(
    conn: Connection,
    campaign_id: str,
    employee_id: str,
    accepts: bool,
    reason: str,
    by: str,
    now: datetime,
) -> MemberRow:
    """HR keeps the base for a reason, or has the wages corrected: the corrected fact comes from
    payroll-svc as every wage does, and the base is then computed and confirmed again.
    """
    row = await _open_member(conn, campaign_id, employee_id)
    return await _put(conn, row, answer(row.member, accepts, reason, by), now)


async def _open_member(conn: Connection, campaign_id: str, employee_id: str) -> MemberRow:
    campaign = await _campaign(conn, campaign_id)
    row = await base_members.locked_member(conn, campaign_id, employee_id)
    if row is None:
        raise CampaignUnknown(f"{employee_id} is not in campaign {campaign_id}")
    if campaign.closed_at is not None:
        raise CampaignClosed(f"the campaign of {campaign.contribution_year} was closed")
    return row


async def _put(conn: Connection, row: MemberRow, member: Member, now: datetime) -> MemberRow:
    put = replace(row, member=member)
    await base_members.put(conn, [put], now, computed=False)
    return put


async def close_campaign(conn: Connection, campaign_id: str, now: datetime) -> Progress:
    """Nothing of it changes any more. AnswersOpen while somebody waits for a base or an answer."""
    campaign = await _campaign(conn, campaign_id, lock=True)
    people = await campaigns.counts(conn, campaign_id)
    waiting = {state: people[state] for state in OPEN_STATES if people.get(state)}
    if campaign.fill_at is not None or waiting:
        said = ", ".join(f"{count} {state}" for state, count in waiting.items())
        raise AnswersOpen(f"still open: {said or 'the roster is being read'}; answer them first")
    if campaign.closed_at is None:
        await campaigns.close(conn, campaign_id, now)
    return await progress(conn, campaign_id)


async def compare(
    conn: Connection, policies: Policies, campaign_id: str, after: str, limit: int, today: date
) -> Compared:
    """A page of members beside what the collector verified for them (核定)."""
    campaign = await _campaign(conn, campaign_id)
    rows = await base_members.members(conn, campaign_id, "", after, limit)
    last_year = str(int(campaign.contribution_year) - 1)
    ids = [row.employee_id for row in rows]
    verified = await base_members.verified(conn, campaign_id, last_year, ids)
    differing, agreeing = [], 0
    for row in rows:
        one = verified.get(row.employee_id)
        if one is None or row.member.base is None:
            continue
        differences = _differences(policies, row, row.member.base, one, today)
        if differences:
            differing.append(
                MemberDiffers(row.employee_id, row.employee_no, one.levy_period, differences)
            )
        else:
            agreeing += 1
    waiting = len(rows) - agreeing - len(differing)
    last = rows[-1].employee_id if len(rows) == limit else None
    return Compared(differing, agreeing, waiting, last)


def _differences(
    policies: Policies, row: MemberRow, base: DeclaredBase, verified: Verified, today: date
) -> list[Difference]:
    period = LevyPeriod.parse(verified.levy_period)
    found = (
        verified_differs(
            terms,
            base,
            verified.bases_fen[terms.insurance],
            verified.last_year_fen.get(terms.insurance),
        )
        for terms in policies.of(row.city).terms(period, today)
        if terms.insurance in verified.bases_fen and terms.insurance in base.bases_fen
    )
    return [one for one in found if one is not None]
