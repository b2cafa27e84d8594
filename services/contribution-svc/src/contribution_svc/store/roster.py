"""The service's copy of employers, accounts, employees and their spells: the newest version of
each.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime

from sqlalchemy import text

from contribution_svc.domain.policy import OwnRates
from contribution_svc.store import own_rates
from contribution_svc.store.values import columns
from shared.db import Connection


@dataclass(frozen=True, slots=True)
class Account:
    """单位社保账户: an account of an employer, and which levy period it opens next.

    `own_rates` are kept with it and read apart.
    """

    account_id: str
    employer_id: str
    account_no: str
    city: str
    collector: str
    bank_account_ref: str
    auto_debit: bool
    next_period: str
    own_rates: OwnRates = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Employer:
    employer_id: str
    version: int
    cut_over: str
    accounts: Sequence[Account]


@dataclass(frozen=True, slots=True)
class Spell:
    since: date
    until: date | None
    account_id: str
    department_id: str
    city: str


@dataclass(frozen=True, slots=True)
class Employee:
    employee_id: str
    employer_id: str
    version: int
    employee_no: str
    person_kind: str
    documents_missing: Sequence[str]
    first_month_wage_fen: int
    spells: Sequence[Spell]
    first_fund_member: bool = False


_ENSURE_EMPLOYERS = text(
    "INSERT INTO employers (employer_id) SELECT unnest(CAST(:ids AS text[])) ON CONFLICT DO NOTHING"
)
_SHARE_EMPLOYERS = text(
    "SELECT 1 FROM employers WHERE employer_id = ANY(:ids) ORDER BY employer_id FOR SHARE"
)
_LOCK_EMPLOYER = text("SELECT 1 FROM employers WHERE employer_id = :id FOR UPDATE")


async def share_employers(conn: Connection, employer_ids: Collection[str]) -> None:
    """Keeps levy periods of these employers from being opened until conn's transaction ends.

    Without it an employee who comes while a period is being opened would be seen by neither side.
    """
    ids = sorted(set(employer_ids))
    await conn.execute(_ENSURE_EMPLOYERS, {"ids": ids})
    await conn.execute(_SHARE_EMPLOYERS, {"ids": ids})


async def lock_employer(conn: Connection, employer_id: str) -> None:
    """Waits until no event of this employer's people is being taken in."""
    await conn.execute(_LOCK_EMPLOYER, {"id": employer_id})


_PUT_EMPLOYERS = text(
    """
    INSERT INTO employers AS e (employer_id, version, cut_over)
    SELECT * FROM unnest(
        CAST(:employer_id AS text[]), CAST(:version AS bigint[]), CAST(:cut_over AS text[]))
    ON CONFLICT (employer_id) DO UPDATE SET version = excluded.version, cut_over = excluded.cut_over
     WHERE e.version < excluded.version
    RETURNING employer_id
    """
)
# An account keeps the levy period that it opens next: only a new one starts with the cut-over.
_PUT_ACCOUNTS = text(
    """
    INSERT INTO accounts AS a (account_id, employer_id, account_no, city, collector,
                               bank_account_ref, auto_debit, next_period, open_at)
    SELECT *, CAST(:now AS timestamptz) FROM unnest(
        CAST(:account_id AS text[]), CAST(:employer_id AS text[]), CAST(:account_no AS text[]),
        CAST(:city AS text[]), CAST(:collector AS text[]), CAST(:bank_account_ref AS text[]),
        CAST(:auto_debit AS boolean[]), CAST(:next_period AS text[]))
    ON CONFLICT (account_id) DO UPDATE
       SET account_no = excluded.account_no, city = excluded.city, collector = excluded.collector,
           bank_account_ref = excluded.bank_account_ref, auto_debit = excluded.auto_debit
    """
)
_PUT_BANK_ACCOUNTS = text(
    """
    INSERT INTO bank_accounts (account_ref, employer_id, list_at)
    SELECT *, CAST(:list_at AS timestamptz)
      FROM unnest(CAST(:account_ref AS text[]), CAST(:employer_id AS text[]))
    ON CONFLICT (account_ref) DO UPDATE SET employer_id = excluded.employer_id
    """
)
_ACCOUNT_COLUMNS = (
    "account_id",
    "employer_id",
    "account_no",
    "city",
    "collector",
    "bank_account_ref",
    "auto_debit",
    "next_period",
)


async def put_employers(
    conn: Connection, employers: Sequence[Employer], now: datetime, list_at: datetime
) -> None:
    """Keeps the newest version of each; new accounts are due for opening at once."""
    rows = [(e.employer_id, e.version, e.cut_over) for e in employers]
    names = ("employer_id", "version", "cut_over")
    newer = set((await conn.execute(_PUT_EMPLOYERS, columns(names, rows))).scalars())
    accounts = [a for e in employers if e.employer_id in newer for a in e.accounts]
    if not accounts:
        return
    values = columns(
        _ACCOUNT_COLUMNS, ([getattr(a, name) for name in _ACCOUNT_COLUMNS] for a in accounts)
    )
    await conn.execute(_PUT_ACCOUNTS, {**values, "now": now})
    await own_rates.put(conn, {a.account_id: a.own_rates for a in accounts}, now)
    refs = {a.bank_account_ref: a.employer_id for a in accounts if a.bank_account_ref}
    named = {"account_ref": list(refs), "employer_id": list(refs.values()), "list_at": list_at}
    await conn.execute(_PUT_BANK_ACCOUNTS, named)


_PUT_EMPLOYEES = text(
    """
    INSERT INTO employees AS e (employee_id, employer_id, version, employee_no, person_kind,
                                documents_missing, first_month_wage_fen, first_fund_member)
    SELECT employee_id, employer_id, version, employee_no, person_kind,
           string_to_array(documents, ','), first_month_wage_fen, first_fund_member
      FROM unnest(
        CAST(:employee_id AS text[]), CAST(:employer_id AS text[]), CAST(:version AS bigint[]),
        CAST(:employee_no AS text[]), CAST(:person_kind AS text[]), CAST(:documents AS text[]),
        CAST(:first_month_wage_fen AS bigint[]), CAST(:first_fund_member AS boolean[]))
        AS n(employee_id, employer_id, version, employee_no, person_kind, documents,
             first_month_wage_fen, first_fund_member)
    ON CONFLICT (employee_id) DO UPDATE
       SET employer_id = excluded.employer_id, version = excluded.version,
           employee_no = excluded.employee_no, person_kind = excluded.person_kind,
           documents_missing = excluded.documents_missing,
           first_month_wage_fen = excluded.first_month_wage_fen,
           first_fund_member = excluded.first_fund_member
     WHERE e.version < excluded.version
    RETURNING employee_id
    """
)
_DROP_SPELLS = text("DELETE FROM spells WHERE employee_id = ANY(:ids)")
_PUT_SPELLS = text(
    """
    INSERT INTO spells (employee_id, since, until, employer_id, account_id, department_id, city)
    SELECT * FROM unnest(
        CAST(:employee_id AS text[]), CAST(:since AS date[]), CAST(:until AS date[]),
        CAST(:employer_id AS text[]), CAST(:account_id AS text[]), CAST(:department_id AS text[]),
        CAST(:city AS text[]))
    ON CONFLICT (employee_id, since) DO UPDATE
       SET until = excluded.until, account_id = excluded.account_id,
           department_id = excluded.department_id, city = excluded.city
    """
)


async def put_employees(conn: Connection, employees: Sequence[Employee]) -> list[str]:
    """Keeps the newest version of each with its spells; returns the ids of those that were
    newer.
    """
    rows = (
        (
            e.employee_id,
            e.employer_id,
            e.version,
            e.employee_no,
            e.person_kind,
            ",".join(e.documents_missing),
            e.first_month_wage_fen,
            e.first_fund_member,
        )
        for e in sorted(employees, key=lambda e: e.employee_id)
    )
    names = (
        "employee_id",
        "employer_id",
        "version",
        "employee_no",
        "person_kind",
        "documents",
        "first_month_wage_fen",
        "first_fund_member",
    )
    newer = set((await conn.execute(_PUT_EMPLOYEES, columns(names, rows))).scalars())
    if not newer:
        return []
    await conn.execute(_DROP_SPELLS, {"ids": sorted(newer)})
    spells = {
        (e.employee_id, s.since): (
            e.employee_id,
            s.since,
            s.until,
            e.employer_id,
            s.account_id,
            s.department_id,
            s.city,
        )
        for e in employees
        if e.employee_id in newer
        for s in e.spells
    }
    spell_names = (
        "employee_id",
        "since",
        "until",
        "employer_id",
        "account_id",
        "department_id",
        "city",
    )
    await conn.execute(_PUT_SPELLS, columns(spell_names, spells.values()))
    return sorted(newer)


# An event of this type was decoded before it was parked: its value is JSON.
_PARKED_NEWCOMERS = text(
    """
    SELECT DISTINCT p.key AS employee_id
      FROM (SELECT key, CAST(convert_from(value, 'UTF8') AS json) AS body FROM parked
             WHERE state IN ('parked', 'queued') AND type = :type) p
      CROSS JOIN LATERAL json_array_elements(p.body -> 'spells') AS spell
     WHERE spell ->> 'account_id' = :account_id AND spell ->> 'since' < :next_first_day
       AND (coalesce(spell ->> 'until', '') = '' OR spell ->> 'until' >= :first_day)
       AND NOT EXISTS (SELECT 1 FROM employees e WHERE e.employee_id = p.key)
     ORDER BY 1
    """
)


async def parked_newcomers(
    conn: Connection, account_id: str, employee_changed: str, first_day: date, next_first_day: date
) -> list[str]:
    """Who would be on the account's roster in the month from `first_day` up to `next_first_day`,
    had the event that says so (of type `employee_changed`) not been parked: nobody else here knows
    them.
    """
    values = {
        "type": employee_changed,
        "account_id": account_id,
        "first_day": str(first_day),
        "next_first_day": str(next_first_day),
    }
    return list((await conn.execute(_PARKED_NEWCOMERS, values)).scalars())


_ACCOUNT_TO_OPEN = text(
    """
    SELECT account_id, employer_id, account_no, city, collector, bank_account_ref, auto_debit,
           next_period
      FROM accounts
     WHERE open_at <= :now AND (CAST(:account_id AS text) IS NULL OR account_id = :account_id)
     ORDER BY open_at, account_id LIMIT 1
    """
)
_NEXT_OPENING = text("SELECT min(open_at) FROM accounts WHERE open_at IS NOT NULL")
_OPENS_NEXT = text(
    "UPDATE accounts SET next_period = :period, open_at = :at WHERE account_id = :account_id"
)
_ACCOUNTS_BY_REF = text(
    """
    SELECT account_id, employer_id, account_no, city, collector, bank_account_ref, auto_debit,
           next_period
      FROM accounts WHERE bank_account_ref = ANY(:refs)
    """
)
_ACCOUNT = text(
    """
    SELECT account_id, employer_id, account_no, city, collector, bank_account_ref, auto_debit,
           next_period
      FROM accounts WHERE account_id = :account_id
    """
)


async def next_opening(conn: Connection) -> datetime | None:
    found: datetime | None = (await conn.execute(_NEXT_OPENING)).scalar()
    return found


async def account_to_open(conn: Connection, now: datetime) -> Account | None:
    """One account whose next levy period is to be looked at; its employer is locked.

    The employer first, as everywhere: who locks accounts first would wait for whoever waits for
    them.
    """
    row = (
        (await conn.execute(_ACCOUNT_TO_OPEN, {"now": now, "account_id": None})).mappings().first()
    )
    if row is None:
        return None
    await lock_employer(conn, row["employer_id"])
    again = {"now": now, "account_id": row["account_id"]}
    row = (await conn.execute(_ACCOUNT_TO_OPEN, again)).mappings().first()
    return Account(**row) if row is not None else None


async def opens_next(conn: Connection, account_id: str, period: str, at: datetime) -> None:
    await conn.execute(_OPENS_NEXT, {"account_id": account_id, "period": period, "at": at})


async def accounts_by_ref(conn: Connection, refs: Collection[str]) -> list[Account]:
    rows = (await conn.execute(_ACCOUNTS_BY_REF, {"refs": sorted(refs)})).mappings()
    return [Account(**row) for row in rows]


async def account(conn: Connection, account_id: str) -> Account:
    row = (await conn.execute(_ACCOUNT, {"account_id": account_id})).mappings().one()
    return Account(**row)


async def account_seen(conn: Connection, account_id: str) -> Account | None:
    """The account, if the caller may see it."""
    row = (await conn.execute(_ACCOUNT, {"account_id": account_id})).mappings().first()
    return Account(**row) if row is not None else None
