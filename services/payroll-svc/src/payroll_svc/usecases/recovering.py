"""A restored store takes back what it told: people, wages, runs and payslips, and what people
entered.
"""

import json
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Generic, TypeVar

from payroll_svc.domain.employers import Employer
from payroll_svc.domain.hand_ins import HandIn
from payroll_svc.domain.imported_payslips import ImportedPayslip
from payroll_svc.domain.pay_items import Entry, Noted, NotedT, PayItem, Standing
from payroll_svc.domain.payroll_run import Member, PayrollRun
from payroll_svc.domain.payslip import Payslip, Reply
from payroll_svc.domain.people import Person, SealedIdentity
from payroll_svc.domain.wages import MonthWage
from payroll_svc.store import employers as employers_store
from payroll_svc.store import (
    entered,
    hand_ins,
    imported_payslips,
    payslips,
    told_before,
    wages,
)
from payroll_svc.store import people as people_store
from payroll_svc.usecases.identities import Keys, opened_with
from shared.db import Connection
from shared.refusal import NotFound
from shared.sealed import BlindIndex, SealBroken, Sealed, Sealer

OwnedT = TypeVar("OwnedT")


_LOST = (
    "staged files, checks and approvals of unpaid runs since the backup are lost",
    "which file brought wage data or payslips is lost too: correct them by another file",
)


@dataclass(frozen=True, slots=True)
class ToldIdentity:
    """A person's sealed data as they were told."""

    employer_id: str
    employee_id: str
    version: int
    sealed: Sealed


@dataclass(frozen=True, slots=True)
class ToldEntered(Generic[NotedT]):
    """All that was entered for one person: `what` it is, as `entered_versions` names it; a tax
    declaration is sealed.
    """

    employer_id: str
    employee_id: str
    what: str
    version: int
    noted: Sequence[Noted[NotedT]]


@dataclass(frozen=True, slots=True)
class ToldReplies:
    """All that was said of one payslip, sealed."""

    employer_id: str
    employee_id: str
    sealed: str


@dataclass
class ToldBefore:
    """What was told since the backup, the newest of each. People come as (employer id, person),
    wages as (employer id, month), payslips as (version, all of a month's together), own pay items
    as (employer id, all of them). The roster's wage of who is `without_wage` was not told.
    """

    employers: list[Employer] = field(default_factory=list)
    people: list[tuple[str, Person]] = field(default_factory=list)
    identities: list[ToldIdentity] = field(default_factory=list)
    forgotten: list[str] = field(default_factory=list)
    wages: list[tuple[str, MonthWage]] = field(default_factory=list)
    runs: dict[str, tuple[PayrollRun, list[Member]]] = field(default_factory=dict)
    payslips: list[tuple[int, Payslip]] = field(default_factory=list)
    imported_payslips: list[ImportedPayslip] = field(default_factory=list)
    hand_ins: list[HandIn] = field(default_factory=list)
    without_wage: set[str] = field(default_factory=set)
    own_items: list[tuple[str, list[PayItem]]] = field(default_factory=list)
    standing: list[ToldEntered[Standing]] = field(default_factory=list)
    entries: list[ToldEntered[Entry]] = field(default_factory=list)
    declared: list[ToldEntered[str]] = field(default_factory=list)
    replies: list[ToldReplies] = field(default_factory=list)


async def keep_told(conn: Connection, keys: Keys, told: ToldBefore) -> Sequence[str]:
    """Brings the rows to what readers know. Gives what is lost."""
    for employer in told.employers:
        await _keep_employer(conn, employer)
    lost = await _keep_people(conn, keys, told)
    await told_before.forget_identities(conn, told.forgotten)
    for employer_id, months in _by_employer(told.wages).items():
        await wages.save_month_wages(conn, employer_id, months)
    for run, members in told.runs.values():
        await told_before.keep_members(conn, run, members)
    if told.payslips:
        slips = await _with_special_additional(conn, [slip for _, slip in told.payslips])
        paid_at = {slip.run_id: slip.issued_at for slip in slips}
        await told_before.keep_payslips(conn, slips, paid_at)
        await told_before.keep_payslip_versions(conn, told.payslips)
    await imported_payslips.restore(conn, told.imported_payslips)
    await hand_ins.save(conn, told.hand_ins, only_newer=True)
    lost += await _keep_entered(conn, keys.sealer(), told)
    return [*_LOST, *lost]


async def _keep_entered(conn: Connection, sealer: Sealer, told: ToldBefore) -> list[str]:
    """Full states, each of them; what is sealed only as far as the person's key is still there."""
    for employer_id, items in told.own_items:
        await entered.add_own_items(conn, employer_id, items)
    for standing in told.standing:
        rows = [(standing.employee_id, one) for one in standing.noted]
        await entered.save_standing(conn, standing.employer_id, rows)
    months: dict[tuple[str, str], list[tuple[str, Noted[Entry]]]] = {}
    for month in told.entries:
        rest = [(month.employee_id, one) for one in month.noted]
        months.setdefault((month.employer_id, month.what), []).extend(rest)
    for (employer_id, levy_period), given in months.items():
        await entered.save_entries(conn, employer_id, levy_period, given)
    closed = await _keep_sealed(conn, sealer, told)
    versions = [
        {"employee_id": one.employee_id, "what": one.what, "employer_id": one.employer_id}
        | {"version": one.version}
        for kind in (told.standing, told.entries, told.declared)
        for one in kind
    ]
    await entered.keep_versions(conn, versions)
    return [f"{closed} sealed declarations or replies do not open and are lost"] if closed else []


async def _keep_sealed(conn: Connection, sealer: Sealer, told: ToldBefore) -> int:
    """How many did not open."""
    ids = {one.employee_id for kind in (told.declared, told.replies) for one in kind}
    known = await people_store.identities_by_id(conn, ids)

    def said(employer_id: str, employee_id: str, sealed: str) -> Any:
        key = known[employee_id][0] if employee_id in known else None
        opened = opened_with(sealer, employer_id, employee_id, key, sealed)
        return json.loads(opened["said"]) if opened else None

    closed = 0
    for one in told.declared:
        [noted] = one.noted
        declared = said(one.employer_id, one.employee_id, noted.what)
        closed += declared is None
        if declared is not None:
            whole = Noted(entered.declaration_of(**declared), noted.entered_at, noted.entered_by)
            await entered.save_declaration(conn, one.employer_id, one.employee_id, whole)
    for slip in told.replies:
        replies = said(slip.employer_id, slip.employee_id, slip.sealed)
        closed += replies is None
        for reply in replies or ():
            at = datetime.fromisoformat(reply["said_at"])
            await payslips.add_reply(conn, slip.employer_id, Reply(**{**reply, "said_at": at}))
    return closed


async def _with_special_additional(conn: Connection, slips: Sequence[Payslip]) -> list[Payslip]:
    """With the roster's sum a month where a payslip was told before what it adds to the tax year
    was.
    """
    untold = [slip.employee_id for slip in slips if slip.income_fen is None]
    special = await told_before.special_additional_fen(conn, untold)
    return [
        replace(slip, special_additional_fen=special.get(slip.employee_id, 0))
        if slip.income_fen is None
        else slip
        for slip in slips
    ]


async def _keep_employer(conn: Connection, employer: Employer) -> None:
    """Cities keep the names that the backup has for them: no event tells these."""
    try:
        known = await employers_store.employer(conn, employer.employer_id, lock=True)
    except NotFound:
        await employers_store.add_employer(conn, employer)
        return
    if known.version > employer.version:
        return
    names = {account.city: account.city_name for account in known.accounts}
    accounts = tuple(
        replace(account, city_name=names.get(account.city, account.city_name))
        for account in employer.accounts
    )
    await employers_store.change_employer(conn, replace(employer, accounts=accounts))


async def _keep_people(conn: Connection, keys: Keys, told: ToldBefore) -> list[str]:
    opened = {one.employee_id: _opened(keys.sealer(), one) for one in told.identities}
    known = await people_store.people_by_id(conn, [person.employee_id for _, person in told.people])
    changed = [
        (employer_id, _taken_back(known.get(person.employee_id), person, told.without_wage))
        for employer_id, person in told.people
        if person.employee_id not in known or known[person.employee_id].version <= person.version
    ]
    for employer_id, people in _by_employer(changed).items():
        await people_store.save_people(conn, employer_id, people)
    identities = [(one.employer_id, one) for one in told.identities]
    for employer_id, theirs in _by_employer(identities).items():
        sealed = {
            one.employee_id: (_identity(keys.index(), one, opened[one.employee_id]), one.version)
            for one in theirs
        }
        await people_store.save_identities(conn, employer_id, sealed)
    newcomers = len(told.without_wage - known.keys())
    if not newcomers:
        return []
    return [f"{newcomers} employees came since the backup; import their agreed wages again"]


def _by_employer(owned: Iterable[tuple[str, OwnedT]]) -> dict[str, list[OwnedT]]:
    """What is each employer's."""
    found: dict[str, list[OwnedT]] = {}
    for employer_id, one in owned:
        found.setdefault(employer_id, []).append(one)
    return found


def _taken_back(before: Person | None, told: Person, without_wage: Collection[str]) -> Person:
    """The person as told, with the amounts that the backup has where none were told."""
    if before is None or told.employee_id not in without_wage:
        return told
    return replace(
        told,
        agreed_wage_fen=before.agreed_wage_fen,
        special_additional_fen=before.special_additional_fen,
    )


def _opened(sealer: Sealer, one: ToldIdentity) -> dict[str, str]:
    """Empty where the person's key was destroyed."""
    try:
        return dict(sealer.open(one.employer_id, one.employee_id, one.sealed))
    except SealBroken:
        return {}


def _identity(index: BlindIndex, one: ToldIdentity, data: dict[str, str]) -> SealedIdentity:
    whole = json.dumps(data, ensure_ascii=False, sort_keys=True)
    return SealedIdentity(
        id_index=index.of(one.employer_id, data.get("id_no", one.employee_id)),
        content_mark=index.of(one.employer_id, whole),
        sealed=one.sealed.sealed,
        wrapped_key=one.sealed.wrapped_key,
        root_key_id=one.sealed.root_key_id,
    )
