"""年度基数申报: a campaign is opened, filled from the roster, computed, answered and closed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime

from contribution_svc.domain.base import Bases, bases_of, together
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
from contribution_svc.domain.explanation import basis_warnings, explain_not_yet
from contribution_svc.domain.lines import NOT_ON_ROSTER
from contribution_svc.domain.policy import Pack, Terms
from contribution_svc.domain.wage_basis import WageFacts
from contribution_svc.errors import (
    AnswersOpen,
    CampaignClosed,
    CampaignUnknown,
    ConfirmationClosed,
    PolicyUnknown,
)
from contribution_svc.policy import Policies
from contribution_svc.store import base_members, campaigns, roster, wages
from contribution_svc.store.base_members import Insured, MemberRow, VerifiedBase, YearSpan
from contribution_svc.store.campaigns import Campaign, YearStart
from contribution_svc.store.wages import Wages
from contribution_svc.usecases.explanation import spell_of
from contribution_svc.usecases.library import Library
from contribution_svc.usecases.told import base_answered, campaign_changed
from shared import outbox
from shared.clock import china_day
from shared.db import Connection
from shared.values import Insurance, LevyPeriod, derived_id

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
    """Opens an employer's campaign of a contribution year, once; the roster is read soon after.

    ConfirmationClosed where nobody could confirm any more: it would stay so.
    """
    today = china_day(now)
    campaign_id = str(derived_id("base-campaign", employer_id, year))
    if await campaigns.open_campaign(
        conn, campaign_id, employer_id, str(year), confirm_by, by, now
    ):
        if confirm_by < today:
            raise ConfirmationClosed(f"{confirm_by} is over; name a day from {today} on")
        await _tell_campaign(conn, campaign_id, now)
    return await progress(conn, campaign_id)


async def _tell_campaign(conn: Connection, campaign_id: str, now: datetime) -> None:
    await outbox.add(conn, [campaign_changed(await _campaign(conn, campaign_id))], now)


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
    starts = [start for city in cities for start in _starts(policies.pack(city), city, year)]
    await campaigns.fill(conn, due, starts, now)
    return 1


def _starts(pack: Pack | None, city: str, year: int) -> list[YearStart]:
    """The first months of the insurances' contribution years; the whole calendar year where the
    city has no policy, so that nobody is left out.
    """
    if pack is None:
        period = LevyPeriod(year, 1)
        return [YearStart(city, str(period), period.first_day(), period.shifted(11).last_day())]
    return [
        YearStart(city, str(period), period.first_day(), period.last_day())
        for period in sorted(set(pack.year_starts(year).values()))
    ]


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
    terms: dict[tuple[str, str], _Beginnings] = {}
    done = []
    for row in rows:
        person = people.get(row.employee_id)
        earned = told.get(row.employee_id, Wages())
        done.append(_recomputed(policies, terms, row, person, earned, china_day(now)))
    done = [_told_again(old, new) for old, new in zip(rows, done, strict=True)]
    await base_members.put(conn, done, now, computed=True)
    changed = [new for old, new in zip(rows, done, strict=True) if new.told > old.told]
    await outbox.add(conn, [base_answered(one) for one in changed], now)
    return len(rows)


_Beginnings = Sequence[tuple[LevyPeriod, Sequence[Terms]]]
"""Levy periods, and the terms of the insurances whose bases begin to hold in them, as known now."""


def _told_again(old: MemberRow, new: MemberRow) -> MemberRow:
    """What has become of an answer is told as the answer was."""
    changed = old.told and new.member != old.member
    return replace(new, told=old.told + 1) if changed else new


def _recomputed(
    policies: Policies,
    known: dict[tuple[str, str], _Beginnings],
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
    key = (spell.city, row.levy_period)
    try:
        if key not in known:
            known[key] = _beginnings(policies, spell.city, period, today)
    except PolicyUnknown:
        return replace(placed, member=computed(row.member, POLICY_UNKNOWN))
    found = _declared(policies.of(spell.city), known[key], person, earned)
    return replace(placed, member=computed(row.member, found))


def _beginnings(policies: Policies, city: str, first: LevyPeriod, today: date) -> _Beginnings:
    """From the member's first levy period on, whose year is that of the campaign."""
    starts = policies.of(city).year_starts(first.year)
    begins = {insurance: max(first, start) for insurance, start in starts.items()}
    return [
        (period, [one for one in terms if begins[one.insurance] == period])
        for period in sorted(set(begins.values()))
        for terms in [policies.pack_for(city, period, today).terms(period, today)]
    ]


def _declared(
    pack: Pack, beginnings: _Beginnings, person: Insured, earned: Wages
) -> DeclaredBase | str:
    facts = WageFacts(
        spells=person.spells(),
        by_year_fen=earned.by_year,
        runs_fen=earned.runs,
        agreed_fen=person.agreed_fen,
        first_fund_member=person.first_fund_member,
    )
    first = beginnings[0][0]
    parts: list[tuple[str, Sequence[Terms], Bases | str]] = []
    for period, terms in beginnings:
        spell = spell_of(person.placed, period)
        is_there = spell is not None and spell.city == pack.city
        by_year = {first.year - 1: terms}
        found = bases_of(facts, by_year, period, pack.after_raise) if is_there else NOT_ON_ROSTER
        parts.append((f"{period}起", terms, found))
    since = {one.insurance: period for period, terms in beginnings for one in terms}
    found = together(parts)
    return declared_base(
        pack.person_kinds.get(person.person_kind),
        list(since),
        found,
        _warnings(found, since),
        {insurance: str(period) for insurance, period in since.items() if period > first},
    )


def _warnings(found: Bases | str, since: Mapping[Insurance, LevyPeriod]) -> tuple[str, ...]:
    """What to look at before the base is trusted, and which insurances it says nothing of."""
    if isinstance(found, str):
        return ()
    rested = dict.fromkeys(found.rests_on.values())
    without = (
        f"{since[insurance]}起：{explain_not_yet(insurance, reason).sentence}"
        for insurance, reason in found.unknown.items()
    )
    return (*(warning for basis in rested for warning in basis_warnings(basis)), *without)


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
    put = replace(row, member=member, told=row.told + 1)
    await base_members.put(conn, [put], now, computed=False)
    await outbox.add(conn, [base_answered(put)], now)
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
        await _tell_campaign(conn, campaign_id, now)
    return await progress(conn, campaign_id)


async def compare(
    conn: Connection, policies: Policies, campaign_id: str, after: str, limit: int, today: date
) -> Compared:
    """A page of members beside what the collector verified for them (核定), each insurance in its
    own contribution year.
    """
    campaign = await _campaign(conn, campaign_id)
    rows = await base_members.members(conn, campaign_id, "", after, limit)
    year = int(campaign.contribution_year)
    spans = [
        YearSpan(city, insurance, str(start), str(start.shifted(11)))
        for city in {row.city for row in rows if policies.pack(row.city) is not None}
        for insurance, start in policies.of(city).year_starts(year).items()
    ]
    ids = [row.employee_id for row in rows]
    verified = await base_members.verified(conn, campaign_id, str(year - 1), spans, ids)
    differing, agreeing = [], 0
    for row in rows:
        found = verified.get(row.employee_id)
        if found is None or row.member.base is None:
            continue
        differences = _differences(policies, row.city, row.member.base, found, today)
        if differences:
            newest = max(one.levy_period for one in found)
            differing.append(MemberDiffers(row.employee_id, row.employee_no, newest, differences))
        else:
            agreeing += 1
    waiting = len(rows) - agreeing - len(differing)
    last = rows[-1].employee_id if len(rows) == limit else None
    return Compared(differing, agreeing, waiting, last)


def _differences(
    policies: Policies,
    city: str,
    base: DeclaredBase,
    verified: Sequence[VerifiedBase],
    today: date,
) -> list[Difference]:
    found = []
    for one in verified:
        insurance, day = Insurance(one.insurance), LevyPeriod.parse(one.levy_period).first_day()
        figures = policies.of(city).insurances[insurance].figures_at(day, today)
        if figures and insurance in base.bases_fen:
            found.append(
                verified_differs(insurance, figures, base, one.base_fen, one.last_year_fen)
            )
    return [one for one in found if one is not None]
