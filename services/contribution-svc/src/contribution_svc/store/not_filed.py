"""未按时申报: which declarations missed their day, and what the collector assessed for the time
being.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import text

from contribution_svc.domain.not_filed import Provisional
from contribution_svc.store.declarations import Declaration
from shared.db import Connection

# A draft with nobody due is an account that is new, or of exempt people: nothing was to be filed.
_MISSED = """
    FROM declarations d
   WHERE d.state = 'draft' AND d.number = 0
     AND NOT EXISTS (SELECT 1 FROM provisional_assessments p
                      WHERE p.declaration_id = d.declaration_id)
     AND EXISTS (SELECT 1 FROM assessments a
                  WHERE a.account_id = d.account_id AND a.levy_period = d.levy_period
                    AND a.lines @> '[{"state": "due"}]')
"""
_NEXT = text(f"SELECT min(d.due_on) {_MISSED}")
_TAKE = text(
    f"""
    SELECT d.declaration_id, d.employer_id, d.account_id, d.levy_period, d.city, d.file_by,
           d.debit_by, d.due_on {_MISSED} AND d.due_on < :today
     ORDER BY d.due_on, d.declaration_id LIMIT 1 FOR UPDATE OF d SKIP LOCKED
    """
)
_DUE_LATER = text("UPDATE declarations SET due_on = :due_on WHERE declaration_id = :id")
# Money that stands debited; word of a refusal (a return that is a debit) moved nothing.
_PAID = """
    SELECT sum(CASE WHEN e.is_return THEN -e.amount_fen ELSE e.amount_fen END) FROM entries e
     WHERE e.state = 'allocated' AND e.scope IN ('provisional', 'rest')
       AND NOT (e.is_return AND e.is_debit) AND e.declaration_id ="""
_LAST = text(
    f"""
    SELECT CAST(coalesce(
           sum(d.total_fen) FILTER (WHERE d.state = 'approved'),
           nullif(sum(({_PAID} d.declaration_id)), 0)) AS bigint)
      FROM declarations d
     WHERE d.account_id = :account_id AND d.levy_period = :period
    """  # noqa: S608
)
_ADD = text(
    """
    INSERT INTO provisional_assessments (declaration_id, employer_id, account_id, levy_period,
                                         last_fen, assessed_fen, assessed_on, explanation)
    VALUES (:declaration_id, :employer_id, :account_id, :levy_period, :last_fen, :assessed_fen,
            :assessed_on, :explanation)
    """
)
_SETTLE = text(
    """
    UPDATE provisional_assessments
       SET settled_at = :now, settled_fen = :settled_fen, settlement = :settlement
     WHERE declaration_id = :id AND settled_at IS NULL
    """
)
_COLUMNS = """declaration_id, employer_id, account_id, levy_period, last_fen, assessed_fen,
    assessed_on, explanation, settled_at, settled_fen, settlement"""
_OF_DECLARATION = text(
    f"SELECT {_COLUMNS} FROM provisional_assessments WHERE declaration_id = :id FOR UPDATE"  # noqa: S608
)
_PAGE = text(
    f"""
    SELECT {_COLUMNS}, coalesce(CAST(({_PAID} p.declaration_id) AS bigint), 0) AS paid_fen
      FROM provisional_assessments p
     WHERE employer_id = :employer_id AND p.declaration_id > :after
     ORDER BY p.declaration_id LIMIT :limit
    """  # noqa: S608
)


@dataclass(frozen=True, slots=True)
class ProvisionalRow:
    """A provisional assessment as it is kept; `settled_fen` is what the late filing left to pay
    (negative: to be given back).
    """

    declaration_id: str
    employer_id: str
    account_id: str
    levy_period: str
    last_fen: int | None
    assessed_fen: int | None
    assessed_on: date
    explanation: str
    settled_at: datetime | None = None
    settled_fen: int | None = None
    settlement: str = ""


@dataclass(frozen=True, slots=True)
class PaidRow(ProvisionalRow):
    """The same with what stands debited for it and for its settlement, in fen."""

    paid_fen: int = 0


async def next_missed(conn: Connection) -> date | None:
    """The last day of filing of the next declaration that may miss it."""
    found: date | None = (await conn.execute(_NEXT)).scalar()
    return found


async def take_missed(conn: Connection, today: date) -> Declaration | None:
    """A declaration that was not filed by its day, locked."""
    row = (await conn.execute(_TAKE, {"today": today})).mappings().first()
    return Declaration(**row) if row is not None else None


async def due_later(conn: Connection, declaration_id: str, due_on: date) -> None:
    """A deferral has moved the last day of a locked draft."""
    await conn.execute(_DUE_LATER, {"id": declaration_id, "due_on": due_on})


async def last_total(conn: Connection, account_id: str, period: str) -> int | None:
    """What the account declared for that levy period, with its supplementary declarations, or what
    was debited of it where it was not filed either; None if nothing.
    """
    values = {"account_id": account_id, "period": period}
    found: int | None = (await conn.execute(_LAST, values)).scalar()
    return found


async def add(
    conn: Connection, declaration: Declaration, found: Provisional, on: date
) -> ProvisionalRow:
    """Of a locked declaration that has none yet."""
    row = ProvisionalRow(
        declaration_id=declaration.declaration_id,
        employer_id=declaration.employer_id,
        account_id=declaration.account_id,
        levy_period=declaration.levy_period,
        last_fen=found.last_fen,
        assessed_fen=found.assessed_fen,
        assessed_on=on,
        explanation=found.explanation,
    )
    await conn.execute(_ADD, {name: getattr(row, name) for name in ProvisionalRow.__slots__})
    return row


async def of_declaration(conn: Connection, declaration_id: str) -> ProvisionalRow | None:
    row = (await conn.execute(_OF_DECLARATION, {"id": declaration_id})).mappings().first()
    return ProvisionalRow(**row) if row is not None else None


_ASSESSED = text(
    """
    SELECT declaration_id, assessed_fen FROM provisional_assessments
     WHERE declaration_id = ANY(:ids) AND assessed_fen IS NOT NULL
    """
)


async def assessed_fen(conn: Connection, declaration_ids: Collection[str]) -> dict[str, int]:
    """What was assessed for the time being, of those of which anything was."""
    rows = await conn.execute(_ASSESSED, {"ids": list(declaration_ids)})
    return {row.declaration_id: row.assessed_fen for row in rows}


_KEEP = text(
    f"""
    INSERT INTO provisional_assessments ({_COLUMNS})
    VALUES ({", ".join(":" + name.strip() for name in _COLUMNS.split(","))})
    ON CONFLICT (declaration_id) DO UPDATE
       SET settled_at = excluded.settled_at, settled_fen = excluded.settled_fen,
           settlement = excluded.settlement
    """  # noqa: S608
)


async def keep(conn: Connection, told: Sequence[ProvisionalRow]) -> None:
    """What a restored store takes back."""
    for one in told:
        values = {name: getattr(one, name) for name in ProvisionalRow.__slots__}
        await conn.execute(_KEEP, values)


async def settle(
    conn: Connection, declaration_id: str, settled_fen: int, settlement: str, now: datetime
) -> None:
    values = {"id": declaration_id, "settled_fen": settled_fen, "settlement": settlement}
    await conn.execute(_SETTLE, {**values, "now": now})


async def page(conn: Connection, employer_id: str, after: str, limit: int) -> list[PaidRow]:
    """An employer's provisional assessments by declaration, after `after`."""
    values = {"employer_id": employer_id, "after": after, "limit": limit}
    return [PaidRow(**row) for row in (await conn.execute(_PAGE, values)).mappings()]
