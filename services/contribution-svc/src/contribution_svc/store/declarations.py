"""Declarations: one per account and levy period, a draft until it is approved."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime

from sqlalchemy import RowMapping, text

from contribution_svc.domain.declaration import Member, Sums
from contribution_svc.domain.lines import Line
from contribution_svc.store.values import columns, from_json, to_json
from shared.db import Connection
from shared.values import derived_id


@dataclass(frozen=True, slots=True)
class Declaration:
    """An account's declaration: the regular one (`number` 0), or a supplementary one of the same
    levy period. `sums` (employer, employee) and `total_fen` are frozen at approval; `filing_serial`
    is the serial under which it is filed then, and the reference of the debit that pays it.
    """

    declaration_id: str
    employer_id: str
    account_id: str
    levy_period: str
    city: str
    file_by: date
    debit_by: date
    due_on: date
    state: str = "draft"
    version: int = 0
    people: int = 0
    sums: dict[str, tuple[int, int]] = field(default_factory=dict)
    total_fen: int = 0
    lines_hash: str = ""
    approved_by: str = ""
    approved_at: datetime | None = None
    number: int = 0
    filing_serial: str = ""

    def is_approved(self) -> bool:
        return self.state == "approved"

    def with_sums(self, sums: Sums) -> "Declaration":
        return replace(
            self,
            people=sums.people,
            sums={str(insurance): pair for insurance, pair in sums.by_insurance.items()},
            total_fen=sums.total_fen,
            lines_hash=sums.lines_hash,
        )


_COLUMNS = """declaration_id, employer_id, account_id, levy_period, city, file_by, debit_by, due_on,
    state, version, people, sums, total_fen, lines_hash, approved_by, approved_at, number,
    filing_serial"""


def _declaration(row: RowMapping) -> Declaration:
    return Declaration(**{**row, "sums": from_json(row["sums"], dict[str, tuple[int, int]])})


_OPEN = text(
    """
    INSERT INTO declarations (declaration_id, employer_id, account_id, levy_period, city, file_by,
                              debit_by, due_on, opened_at, risk_at)
    VALUES (:declaration_id, :employer_id, :account_id, :levy_period, :city, :file_by, :debit_by,
            :due_on, :now, :risk_at)
    ON CONFLICT DO NOTHING
    """
)
_LOCKED = text(
    f"SELECT {_COLUMNS} FROM declarations WHERE declaration_id = :id FOR UPDATE"  # noqa: S608
)
_SEEN = text(f"SELECT {_COLUMNS} FROM declarations WHERE declaration_id = :id")  # noqa: S608
_LOCKED_MANY = text(
    f"""
    SELECT {_COLUMNS} FROM declarations
     WHERE (account_id, levy_period) IN (
           SELECT account_id, levy_period FROM declarations
            WHERE declaration_id = ANY(:ids) OR filing_serial = ANY(:ids)
            UNION ALL
           SELECT * FROM unnest(CAST(:accounts AS text[]), CAST(:periods AS text[])))
     ORDER BY account_id, levy_period, number FOR UPDATE
    """  # noqa: S608
)
_APPROVE = text(
    """
    UPDATE declarations
       SET state = 'approved', version = :version, people = :people, sums = CAST(:sums AS jsonb),
           total_fen = :total_fen, lines_hash = :lines_hash, approved_by = :approved_by,
           approved_at = :approved_at, file_by = :file_by, debit_by = :debit_by, due_on = :due_on,
           filing_serial = :filing_serial
     WHERE declaration_id = :declaration_id
    """
)
_OF_EMPLOYER = text(
    f"""
    SELECT {_COLUMNS} FROM declarations
     WHERE employer_id = :employer_id AND levy_period = :period AND declaration_id > :after
       AND number = 0
     ORDER BY declaration_id LIMIT :limit
    """  # noqa: S608
)


async def open_declaration(
    conn: Connection, declaration: Declaration, now: datetime, risk_at: datetime
) -> None:
    """A draft, unless it was opened before."""
    values = {
        name: getattr(declaration, name)
        for name in (
            "declaration_id",
            "employer_id",
            "account_id",
            "levy_period",
            "city",
            "file_by",
            "debit_by",
            "due_on",
        )
    }
    await conn.execute(_OPEN, {**values, "now": now, "risk_at": risk_at})


async def locked(conn: Connection, declaration_id: str) -> Declaration | None:
    row = (await conn.execute(_LOCKED, {"id": declaration_id})).mappings().first()
    return _declaration(row) if row is not None else None


async def seen(conn: Connection, declaration_id: str) -> Declaration | None:
    """The declaration as it stands, if the caller may see it."""
    row = (await conn.execute(_SEEN, {"id": declaration_id})).mappings().first()
    return _declaration(row) if row is not None else None


async def locked_many(
    conn: Connection, ids: Collection[str], account_periods: Collection[tuple[str, str]]
) -> list[Declaration]:
    """Declarations by id, by filing serial, or by account and levy period, each with all others of
    its account and levy period, in the order of their numbers; locked.
    """
    pairs = sorted(account_periods)
    values = {
        "ids": sorted(ids),
        "accounts": [account for account, _ in pairs],
        "periods": [period for _, period in pairs],
    }
    return [_declaration(row) for row in (await conn.execute(_LOCKED_MANY, values)).mappings()]


async def approve(
    conn: Connection, declaration: Declaration, sums: Sums, by: str, now: datetime
) -> Declaration:
    """The declaration as it is frozen now, with its own days."""
    version = declaration.version + 1
    approved = replace(
        declaration.with_sums(sums),
        state="approved",
        version=version,
        approved_by=by,
        approved_at=now,
        filing_serial=str(derived_id("filing", declaration.declaration_id, version)),
    )
    values = {name: getattr(approved, name) for name in Declaration.__slots__}
    await conn.execute(_APPROVE, {**values, "sums": to_json(approved.sums)})
    return approved


async def of_employer(
    conn: Connection, employer_id: str, period: str, after: str, limit: int
) -> list[Declaration]:
    values = {"employer_id": employer_id, "period": period, "after": after, "limit": limit}
    return [_declaration(row) for row in (await conn.execute(_OF_EMPLOYER, values)).mappings()]


_MEMBERS = """
    SELECT employee_id, version, lines, facts_parked,
           assess_at IS NOT NULL OR version = 0 AS waits
      FROM assessments
     WHERE account_id = :account_id AND levy_period = :period AND declaration_id IS NULL
     ORDER BY employee_id
"""
_READ_MEMBERS = text(_MEMBERS)
_LOCK_MEMBERS = text(_MEMBERS + " FOR UPDATE")
_FREEZE = text(
    """
    UPDATE assessments SET declaration_id = :declaration_id, assess_at = NULL
     WHERE levy_period = :period AND employee_id = ANY(:ids)
    """
)


@dataclass(frozen=True, slots=True)
class Members:
    """Who would be declared as things stand, and who is still to be assessed."""

    members: Sequence[Member]
    waiting: Sequence[str]


async def members(conn: Connection, account_id: str, period: str, *, lock: bool = False) -> Members:
    """The assessments of an account's levy period that were not declared yet; `lock` keeps them as
    they are.
    """
    values = {"account_id": account_id, "period": period}
    rows = (await conn.execute(_LOCK_MEMBERS if lock else _READ_MEMBERS, values)).all()
    return Members(
        members=[
            Member(row.employee_id, row.version, from_json(row.lines, list[Line]), row.facts_parked)
            for row in rows
        ],
        waiting=[row.employee_id for row in rows if row.waits],
    )


async def freeze(
    conn: Connection, declaration_id: str, period: str, employee_ids: Sequence[str]
) -> None:
    """What is declared stays as it was declared."""
    values = {"declaration_id": declaration_id, "period": period, "ids": list(employee_ids)}
    await conn.execute(_FREEZE, values)


@dataclass(frozen=True, slots=True)
class RiskBody:
    """What was last told of a deadline: approved or not, and who is missing for which reason."""

    approved: bool
    missing: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class AtRisk:
    """A declaration whose deadline is to be looked at, with what was told of it (version 0:
    nothing).
    """

    declaration: Declaration
    risk_version: int
    told: RiskBody | None


# A submission of which nobody knows what became (unknown) and a refused one (rejected) are not
# filed; every other stage of the bureau's row comes after filing.
_UNFILED = text(
    """
    SELECT a.employee_id FROM assessments a
     WHERE a.declaration_id = :id
       AND NOT EXISTS (
           SELECT 1 FROM bureau_rows b, jsonb_array_elements(b.rows) AS line
            WHERE b.employee_id = a.employee_id AND b.levy_period = a.levy_period
              AND line ->> 'stage' NOT IN ('unknown', 'rejected'))
     ORDER BY a.employee_id
    """
)


async def unfiled(conn: Connection, declaration_id: str) -> list[str]:
    """Who was declared and of whom no bureau has shown yet that it was filed."""
    return list((await conn.execute(_UNFILED, {"id": declaration_id})).scalars())


_NEXT_RISK = text("SELECT min(risk_at) FROM declarations WHERE risk_at IS NOT NULL")
_RISKS = text(
    f"""
    SELECT {_COLUMNS}, risk_version, risk FROM declarations
     WHERE risk_at <= :now ORDER BY risk_at, declaration_id LIMIT :limit FOR UPDATE SKIP LOCKED
    """  # noqa: S608
)
_RISK_SEEN = text(
    """
    UPDATE declarations
       SET risk_at = CAST(:again_at AS timestamptz), risk_version = :version,
           risk = CAST(:body AS jsonb)
     WHERE declaration_id = :id
    """
)
# Only what was looked at once is looked at again: before its time nothing is at risk. Locked also
# where it is to be looked at already: nobody may look before what this transaction changes is seen.
_LOCK_RISKS = text(
    """
    SELECT d.declaration_id
      FROM declarations d
      JOIN unnest(CAST(:accounts AS text[]), CAST(:periods AS text[])) AS n(account_id, levy_period)
           USING (account_id, levy_period)
     WHERE d.number = 0 AND d.file_by >= :today AND (d.risk_at IS NULL OR d.risk_at <= :now)
     ORDER BY d.declaration_id FOR NO KEY UPDATE OF d
    """
)
_RISK_AGAIN = text(
    "UPDATE declarations SET risk_at = :now WHERE declaration_id = ANY(:ids) AND risk_at IS NULL"
)


_FILED_AGAIN = text(
    """
    UPDATE declarations SET risk_at = :now
     WHERE state = 'approved' AND risk_at IS NULL AND risk_version > 0 AND file_by >= :today
       AND declaration_id IN (
           SELECT a.declaration_id FROM assessments a
             JOIN unnest(CAST(:employee_id AS text[]), CAST(:levy_period AS text[]))
                  AS n(employee_id, levy_period) USING (employee_id, levy_period))
    """
)


async def risk_of_filing_again(
    conn: Connection, months: Collection[tuple[str, str]], now: datetime, today: date
) -> None:
    """The bureaus said something of these months (employee, levy period): what was told to be at
    risk is looked at again.
    """
    values = columns(("employee_id", "levy_period"), months)
    await conn.execute(_FILED_AGAIN, {**values, "now": now, "today": today})


async def next_risk(conn: Connection) -> datetime | None:
    found: datetime | None = (await conn.execute(_NEXT_RISK)).scalar()
    return found


async def at_risk(conn: Connection, now: datetime, limit: int) -> list[AtRisk]:
    """Declarations whose deadline is to be looked at, locked."""
    found = []
    for row in (await conn.execute(_RISKS, {"now": now, "limit": limit})).mappings():
        values = dict(row)
        version, told = values.pop("risk_version"), values.pop("risk")
        values["sums"] = from_json(values["sums"], dict[str, tuple[int, int]])
        body = from_json(told, RiskBody) if version else None
        found.append(AtRisk(Declaration(**values), version, body))
    return found


async def risk_seen(
    conn: Connection,
    declaration_id: str,
    version: int,
    body: RiskBody | None,
    again_at: datetime | None,
) -> None:
    """Keeps what was told; `again_at` is when to look again even if nothing changes."""
    values = {
        "id": declaration_id,
        "version": version,
        "body": to_json(body or {}),
        "again_at": again_at,
    }
    await conn.execute(_RISK_SEEN, values)


async def risk_again(
    conn: Connection, account_periods: Collection[tuple[str, str]], now: datetime, today: date
) -> None:
    """Something changed: deadlines that were looked at and have not passed are looked at again."""
    pairs = sorted(set(account_periods))
    values = {
        "accounts": [account for account, _ in pairs],
        "periods": [period for _, period in pairs],
        "now": now,
        "today": today,
    }
    ids = list((await conn.execute(_LOCK_RISKS, values)).scalars())
    if ids:
        await conn.execute(_RISK_AGAIN, {"ids": ids, "now": now})
