"""A restored store takes back what it told: people, wages, runs and payslips."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import TypeVar

from payroll_svc.domain.employers import Employer
from payroll_svc.domain.hand_ins import HandIn
from payroll_svc.domain.imported_payslips import ImportedPayslip
from payroll_svc.domain.payroll_run import Member, PayrollRun
from payroll_svc.domain.payslip import Payslip
from payroll_svc.domain.people import Person, SealedIdentity
from payroll_svc.domain.wages import MonthWage
from payroll_svc.store import employers as employers_store
from payroll_svc.store import hand_ins, imported_payslips, told_before, wages
from payroll_svc.store import people as people_store
from payroll_svc.usecases.identities import Keys
from shared.db import Connection
from shared.refusal import NotFound
from shared.sealed import BlindIndex, SealBroken, Sealed, Sealer

OwnedT = TypeVar("OwnedT")


_LOST = (
    "staged files, checks and approvals of unpaid runs since the backup are lost",
    "so are own pay items, standing items, entries, wage data, tax declarations and words on"
    " payslips: enter or import them again before the next run",
)


@dataclass(frozen=True, slots=True)
class ToldIdentity:
    """A person's sealed data as they were told."""

    employer_id: str
    employee_id: str
    version: int
    sealed: Sealed


@dataclass
class ToldBefore:
    """What was told since the backup, the newest of each. People come as (employer id, person),
    wages as (employer id, month), payslips as (version, all of a month's together).
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
    return [*_LOST, *lost]


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
        (employer_id, _taken_back(known.get(person.employee_id), person))
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
    newcomers = len({person.employee_id for _, person in told.people} - known.keys())
    if not newcomers:
        return []
    return [f"{newcomers} employees came since the backup; import their agreed wages again"]


def _by_employer(owned: Iterable[tuple[str, OwnedT]]) -> dict[str, list[OwnedT]]:
    """What is each employer's."""
    found: dict[str, list[OwnedT]] = {}
    for employer_id, one in owned:
        found.setdefault(employer_id, []).append(one)
    return found


def _taken_back(before: Person | None, told: Person) -> Person:
    """The person as told, with the amounts that the backup has."""
    if before is None:
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
