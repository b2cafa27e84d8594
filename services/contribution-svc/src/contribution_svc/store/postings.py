"""Entries and what they pay: their allocation, and per employee and levy period what was posted."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy import text

from contribution_svc.domain.allocation import Move, Scope, Target
from contribution_svc.store.values import columns, from_json, to_json
from shared.db import Connection
from shared.values import Insurance


@dataclass(frozen=True, slots=True)
class WaitingEntry:
    """An entry in suspense: what it says, and nothing of what it might mean."""

    entry_id: str
    employer_id: str
    account_ref: str
    amount_fen: int
    is_return: bool
    reference: str
    remark: str


@dataclass(frozen=True, slots=True)
class Allocated:
    """What became of a waiting entry: its declaration and target, or the reason why it still
    waits.
    """

    entry_id: str
    declaration_id: str = ""
    target: Target | None = None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class PostedRow:
    """One insurance as posted; days are ISO texts, since the row is kept and told as it is.

    `declaration_id` is empty for a line of the regular declaration.
    """

    insurance: Insurance
    debit_state: str
    debits: int
    employer_fen: int
    employee_fen: int
    debited_on: str
    record_by: str
    statement_id: str
    voucher: str
    reason: str = ""
    late_fee_fen: int = 0
    due_on: str = ""
    kind: str = "regular"
    declaration_id: str = ""


@dataclass(frozen=True, slots=True)
class Posted:
    """入账 of one employee and levy period."""

    employee_id: str
    levy_period: str
    employer_id: str
    account_id: str
    declaration_id: str
    city: str
    lines: tuple[PostedRow, ...]
    version: int = 0


_WAITING = text(
    """
    SELECT entry_id, employer_id, account_ref, amount_fen, is_return, reference, remark
      FROM entries
     WHERE state = 'suspense' AND reason <> 'contradictory' AND account_ref = ANY(:refs)
     ORDER BY entry_id FOR UPDATE
    """
)
_ALLOCATE = text(
    """
    UPDATE entries e
       SET state = n.state, reason = n.reason, declaration_id = n.declaration_id, scope = n.scope,
           insurance = n.insurance, employee_id = n.employee_id
      FROM unnest(
        CAST(:entry_id AS text[]), CAST(:state AS text[]), CAST(:reason AS text[]),
        CAST(:declaration_id AS text[]), CAST(:scope AS text[]), CAST(:insurance AS text[]),
        CAST(:employee_id AS text[]))
        AS n(entry_id, state, reason, declaration_id, scope, insurance, employee_id)
     WHERE e.entry_id = n.entry_id
    """
)
_MOVES = text(
    """
    SELECT entry_id, amount_fen, is_debit, is_return, booked_on, voucher, statement_id,
           return_reason, scope, insurance, employee_id
      FROM entries WHERE declaration_id = :declaration_id AND state = 'allocated'
    """
)


async def waiting(conn: Connection, refs: Collection[str]) -> list[WaitingEntry]:
    """Entries in suspense of these bank accounts, locked."""
    rows = (await conn.execute(_WAITING, {"refs": sorted(refs)})).mappings()
    return [WaitingEntry(**row) for row in rows]


async def allocate(conn: Connection, allocated: Sequence[Allocated]) -> None:
    names = (
        "entry_id",
        "state",
        "reason",
        "declaration_id",
        "scope",
        "insurance",
        "employee_id",
    )
    rows = (
        (
            one.entry_id,
            "allocated" if one.target else "suspense",
            one.reason,
            one.declaration_id if one.target else "",
            one.target.scope if one.target else "",
            (one.target.insurance or "") if one.target else "",
            one.target.employee_id if one.target else "",
        )
        for one in allocated
    )
    await conn.execute(_ALLOCATE, columns(names, rows))


async def moves(conn: Connection, declaration_id: str) -> list[Move]:
    """Every entry that was allocated to a declaration."""
    return [
        Move(
            target=Target(
                Scope(row.scope),
                Insurance(row.insurance) if row.insurance else None,
                row.employee_id,
            ),
            amount_fen=row.amount_fen,
            is_return=row.is_return,
            booked_on=row.booked_on,
            voucher=row.voucher,
            statement_id=row.statement_id,
            reason=row.return_reason,
            order=row.entry_id,
            # Money that comes back is a credit; a debit that says so is for information only.
            is_booked=not (row.is_return and row.is_debit),
        )
        for row in await conn.execute(_MOVES, {"declaration_id": declaration_id})
    ]


# A posting is told when it says something else than before, and only then.
_PUT = text(
    """
    INSERT INTO postings AS p (employee_id, levy_period, employer_id, account_id, declaration_id,
                               city, version, lines)
    SELECT employee_id, levy_period, employer_id, account_id, declaration_id, city, 1, lines
      FROM unnest(
        CAST(:employee_id AS text[]), CAST(:levy_period AS text[]), CAST(:employer_id AS text[]),
        CAST(:account_id AS text[]), CAST(:declaration_id AS text[]), CAST(:city AS text[]),
        CAST(:lines AS jsonb[]))
        AS n(employee_id, levy_period, employer_id, account_id, declaration_id, city, lines)
     ORDER BY employee_id, levy_period
    ON CONFLICT (employee_id, levy_period) DO UPDATE
       SET version = p.version + 1, account_id = excluded.account_id,
           declaration_id = excluded.declaration_id, city = excluded.city, lines = excluded.lines
     WHERE p.lines <> excluded.lines
    RETURNING employee_id, levy_period, employer_id, account_id, declaration_id, city, lines,
              version
    """
)


async def put(conn: Connection, posted: Sequence[Posted]) -> list[Posted]:
    """Keeps what is new; returns those rows under the version with which they are to be told."""
    names = (
        "employee_id",
        "levy_period",
        "employer_id",
        "account_id",
        "declaration_id",
        "city",
        "lines",
    )
    rows = (
        [to_json(one.lines) if name == "lines" else getattr(one, name) for name in names]
        for one in posted
    )
    changed = (await conn.execute(_PUT, columns(names, rows))).mappings()
    return [
        Posted(**{**row, "lines": from_json(row["lines"], tuple[PostedRow, ...])})
        for row in changed
    ]


_SUSPENSE = text(
    """
    SELECT entry_id, statement_id, account_ref, amount_fen, is_debit, is_return, booked_on, voucher,
           remark, reason
      FROM entries
     WHERE employer_id = :employer_id AND state = 'suspense' AND entry_id > :after
     ORDER BY entry_id LIMIT :limit
    """
)


@dataclass(frozen=True, slots=True)
class InSuspense:
    entry_id: str
    statement_id: str
    account_ref: str
    amount_fen: int
    is_debit: bool
    is_return: bool
    booked_on: date
    voucher: str
    remark: str
    reason: str


async def suspense(conn: Connection, employer_id: str, after: str, limit: int) -> list[InSuspense]:
    values = {"employer_id": employer_id, "after": after, "limit": limit}
    return [InSuspense(**row) for row in (await conn.execute(_SUSPENSE, values)).mappings()]


_SUMS = text(
    """
    SELECT l->>'insurance' AS insurance,
           CAST(sum(CAST(l->>'employer_fen' AS bigint)) AS bigint) AS employer_fen,
           CAST(sum(CAST(l->>'employee_fen' AS bigint)) AS bigint) AS employee_fen
      FROM postings, jsonb_array_elements(lines) AS l
     WHERE employer_id = :employer_id AND levy_period = :period
       AND l->>'debit_state' = 'posted'
     GROUP BY 1
    """
)


async def sums(conn: Connection, employer_id: str, period: str) -> Mapping[str, tuple[int, int]]:
    """Fen debited per insurance, employer's and employees'."""
    rows = await conn.execute(_SUMS, {"employer_id": employer_id, "period": period})
    return {row.insurance: (row.employer_fen, row.employee_fen) for row in rows}


_PUT_BUREAU = text(
    """
    INSERT INTO bureau_rows AS b (employee_id, levy_period, employer_id, version, rows)
    SELECT * FROM unnest(
        CAST(:employee_id AS text[]), CAST(:levy_period AS text[]), CAST(:employer_id AS text[]),
        CAST(:version AS bigint[]), CAST(:rows AS jsonb[]))
    ON CONFLICT (employee_id, levy_period) DO UPDATE
       SET version = excluded.version, rows = excluded.rows WHERE b.version < excluded.version
    """
)


@dataclass(frozen=True, slots=True)
class BureauStage:
    """How far an insurance has come at the bureau, with the collector's verified figures in fen."""

    insurance: Insurance
    stage: str
    verified_base_fen: int | None
    verified_employer_fen: int | None
    verified_employee_fen: int | None


@dataclass(frozen=True, slots=True)
class BureauMonth:
    employee_id: str
    levy_period: str
    employer_id: str
    version: int
    rows: Sequence[BureauStage]


async def put_bureau_rows(conn: Connection, months: Sequence[BureauMonth]) -> None:
    """The newest version of each."""
    names = ("employee_id", "levy_period", "employer_id", "version", "rows")
    ordered = sorted(months, key=lambda m: (m.employee_id, m.levy_period))
    rows = (
        [to_json(m.rows) if name == "rows" else getattr(m, name) for name in names] for m in ordered
    )
    await conn.execute(_PUT_BUREAU, columns(names, rows))
