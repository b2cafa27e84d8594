"""The clock door: policies told, simulated and released, levy periods opened, the marked assessed,
deadlines watched, statements fetched.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, date, datetime, timedelta

from contribution_svc.bank import BankClient
from contribution_svc.domain.release import Origin
from contribution_svc.errors import (
    BankAnswerInvalid,
    BundleRefused,
    PolicyInvalid,
    StatementFileInvalid,
    UpdatesUnreachable,
)
from contribution_svc.files import read_statements
from contribution_svc.policy.updates import Updates
from contribution_svc.store import (
    assessments,
    base_members,
    campaigns,
    declarations,
    policy_updates,
    proposals,
    roster,
    statements,
    supplements,
)
from contribution_svc.usecases import not_filed
from contribution_svc.usecases.assessment import assess_marked
from contribution_svc.usecases.campaign import compute_members, fill_campaign
from contribution_svc.usecases.deadline import look_at_deadlines
from contribution_svc.usecases.differences import compare_declared
from contribution_svc.usecases.library import Library
from contribution_svc.usecases.period import open_next_period
from contribution_svc.usecases.policy import is_policy_unsettled, settle_policies
from contribution_svc.usecases.release import release_next
from contribution_svc.usecases.roster import next_listing
from contribution_svc.usecases.simulation import simulate_next
from contribution_svc.usecases.statement import import_file, keep_file, refuse_file
from contribution_svc.usecases.updates import EVERY, Carried, Trust, take_in
from shared.clock import Clock, china_day
from shared.db import Connection, Engine, transaction
from shared.logs import get_logger
from shared.serve import Job

_ALWAYS = datetime.min.replace(tzinfo=UTC)
"""Due whatever the business time is."""
_LISTED_AGAIN_DAYS = 7
"""Statements are asked for a week back, so that one that was published late is not passed over."""
_FIRST_LISTING_DAYS = 40
_TRY_AGAIN = timedelta(hours=1)
_ASSESSED_AT_ONCE = 2
"""Batches: one computes while PostgreSQL writes the other. A process computes one at a time, so
that a third gains nothing (measured).
"""

_log = get_logger(__name__)


def jobs(
    engine: Engine, clock: Clock, trust: Trust, bank: BankClient, updates: Updates | None
) -> Sequence[Job]:
    """Everything that this service does because time has come. `updates` None: no address is asked
    for policy.
    """
    library = trust.library

    async def policies_due(conn: Connection) -> datetime | None:
        return _ALWAYS if await is_policy_unsettled(conn, library, clock.now()) else None

    async def parking_changed(conn: Connection) -> datetime | None:
        return _ALWAYS if await assessments.is_parking_changed(conn) else None

    async def open_period(conn: Connection, now: datetime) -> int:
        policies = await library.in_force(conn)
        return await open_next_period(conn, policies, library.work_days, now)

    def once(act: Callable[[Connection, Library, datetime], Awaitable[int]]) -> _Run:
        return _in_one(engine, lambda conn, now: act(conn, library, now))

    return (
        Job("publish_policies", policies_due, once(settle_policies)),
        Job("simulate_policy", proposals.next_simulation, once(simulate_next)),
        Job("release_policy", proposals.next_release, once(release_next)),
        Job("open_period", roster.next_opening, _in_one(engine, open_period)),
        Job("mark_parking", parking_changed, _in_one(engine, assessments.mark_parking)),
        Job("assess", assessments.next_to_assess, once(assess_marked), lanes=_ASSESSED_AT_ONCE),
        Job("fill_campaign", campaigns.next_fill, once(fill_campaign)),
        Job("compute_members", base_members.next_compute, once(compute_members)),
        Job("compare_declared", supplements.next_to_compare, once(compare_declared)),
        Job("assess_not_filed", not_filed.next_missed, once(not_filed.assess_provisionally)),
        Job("watch_deadlines", declarations.next_risk, _in_one(engine, look_at_deadlines)),
        Job("list_statements", statements.next_listing, _listing(engine, bank)),
        Job("import_statement", statements.next_fetch, _importing(engine, library, bank)),
        *([_polling(engine, trust, updates)] if updates is not None else ()),
    )


_Run = Callable[[datetime], Awaitable[int]]


def _in_one(engine: Engine, act: Callable[[Connection, datetime], Awaitable[int]]) -> _Run:
    """A run that is one transaction."""

    async def run(now: datetime) -> int:
        async with transaction(engine) as conn:
            return await act(conn, now)

    return run


def _polling(engine: Engine, trust: Trust, updates: Updates) -> Job:
    """Asks the update address for a bundle. What it gives instead is kept as the reason, and told
    where the service tells whether it is ready.
    """
    address = updates.address

    async def due(conn: Connection) -> datetime | None:
        return await policy_updates.next_poll(conn, address) or _ALWAYS

    async def run(now: datetime) -> int:
        async with transaction(engine) as conn:
            if not await policy_updates.claim_poll(conn, address, now, now + EVERY):
                return 0
        try:
            carried = Carried(await updates.fetch(), Origin.UPDATE_ADDRESS)
            async with transaction(engine) as conn:
                await take_in(conn, trust, carried, now)
                await policy_updates.reached(conn, address, now)
        except (UpdatesUnreachable, BundleRefused, PolicyInvalid) as refusal:
            _log.warning("policy_update_failed", address=address, reason=refusal.detail[:500])
            async with transaction(engine) as conn:
                await policy_updates.failed(conn, address, now, refusal.detail[:500])
        return 1

    return Job("poll_policy_updates", due, run)


def _listing(engine: Engine, bank: BankClient) -> Callable[[datetime], Awaitable[int]]:
    """Asks the bank which statements of one account there are: a webhook that was lost loses
    nothing.
    """

    async def run(now: datetime) -> int:
        async with transaction(engine) as conn:
            account = await statements.account_to_list(conn, now)
        if account is None:
            return 0
        account_ref, through = account
        today = china_day(now)
        since = _since(through, today)
        try:
            published = await bank.statements(account_ref, since)
        except BankAnswerInvalid as refusal:
            _log.warning("bank_list_unreadable", reason=refusal.detail)
            published = []
        offers = [statements.Offer(one.id, one.account, one.sha256) for one in published]
        async with transaction(engine) as conn:
            await statements.offer(conn, offers, now)
            await statements.listed(conn, account_ref, today, next_listing(now))
        return 1

    return run


def _since(through: date | None, today: date) -> date:
    if through is None:
        return today - timedelta(days=_FIRST_LISTING_DAYS)
    return through - timedelta(days=_LISTED_AGAIN_DAYS)


def _importing(
    engine: Engine, library: Library, bank: BankClient
) -> Callable[[datetime], Awaitable[int]]:
    """Fetches one statement that the bank offered, keeps its bytes, and imports it or notes its
    faults.
    """

    async def run(now: datetime) -> int:
        async with transaction(engine) as conn:
            offer = await statements.to_fetch(conn, now)
            if offer is None:
                return 0
            owners = await statements.owners_of(conn, [offer.account_ref])
        employer_id = owners.get(offer.account_ref)
        if employer_id is None:
            # The employer's own event may be on its way; until it comes nobody owns the file.
            await _wait(engine, offer, now, "bank account unknown")
            return 1
        try:
            content = await bank.statement(offer.bank_id, offer.sha256)
        except BankAnswerInvalid as refusal:
            await _wait(engine, offer, now, refusal.detail)
            return 1
        await _import(engine, library, offer, employer_id, content, now)
        return 1

    return run


async def _wait(engine: Engine, offer: statements.Offer, now: datetime, reason: str) -> None:
    _log.warning("statement_not_fetched", statement=offer.bank_id, reason=reason)
    async with transaction(engine) as conn:
        await statements.fetched(conn, offer.bank_id, "wanted", now + _TRY_AGAIN)


async def _import(
    engine: Engine,
    library: Library,
    offer: statements.Offer,
    employer_id: str,
    content: bytes,
    now: datetime,
) -> None:
    name = f"{offer.bank_id}.xml"
    async with transaction(engine) as conn:
        file_id = await keep_file(conn, employer_id, name, "bank", content, now)
    try:
        # Parsing is CPU: heartbeats and other requests go on meanwhile.
        found = await asyncio.to_thread(read_statements, name, content)
        async with transaction(engine) as conn:
            done = await import_file(conn, await library.rules(conn), file_id, found, now)
            await statements.fetched(conn, offer.bank_id, "imported")
    except StatementFileInvalid as refusal:
        async with transaction(engine) as conn:
            await refuse_file(conn, file_id, refusal.faults)
            await statements.fetched(conn, offer.bank_id, "refused")
        _log.error("statement_refused", statement=offer.bank_id, faults=len(refusal.faults))
        return
    _log.info(
        "statement_imported",
        statement=offer.bank_id,
        entries=done.entries,
        allocated=done.allocated,
    )
