"""Look-ups: which account, authority and levy period is asked about when, until all is recorded."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import RowMapping, text

from bureau_sync_svc.store.copies import AccountMonth
from bureau_sync_svc.store.exchanges import COUNTED_FROM, LOST_AT_MOST
from shared.db import Connection


@dataclass(frozen=True, slots=True)
class LookUp:
    """One account, authority and levy period. `next_at` empty: all that was filed is recorded."""

    account_id: str
    levy_period: str
    authority: str
    employer_id: str
    account_no: str
    city: str
    next_at: datetime | None
    looked_up_at: datetime | None
    lines: int
    recorded: int
    reason: str
    failures: int
    exchanges: int


_OPEN = text(
    f"""
    INSERT INTO look_ups (
        account_id, levy_period, authority, employer_id, account_no, city, next_at, exchanges)
    VALUES (:account_id, :levy_period, :authority, :employer_id, :account_no, :city, :next_at,
            {COUNTED_FROM})
    ON CONFLICT (account_id, levy_period, authority) DO UPDATE
       SET next_at = coalesce(look_ups.next_at, excluded.next_at)
    """  # noqa: S608
)


async def open_each(
    conn: Connection,
    month: AccountMonth,
    account_no: str,
    authorities: Iterable[str],
    next_at: datetime,
) -> None:
    """Has these authorities looked up from `next_at` on; what is open stays as it is."""
    values = [
        {
            "account_id": month.account_id,
            "levy_period": month.levy_period,
            "employer_id": month.employer_id,
            "city": month.city,
            "account_no": account_no,
            "authority": authority,
            "next_at": next_at,
            "lost": LOST_AT_MOST,
        }
        for authority in sorted(set(authorities))
    ]
    if values:
        await conn.execute(_OPEN, values)


_DUE = text(
    """
    SELECT min(greatest(l.next_at, p.retry_at))
      FROM look_ups l LEFT JOIN parties p ON p.party = l.authority WHERE l.next_at IS NOT NULL
    """
)
# The lease is longer than the longest request and renewed between pages: one that ends means that
# its holder died. It is short, since whoever takes over must not keep a month end waiting.
_CLAIM = text(
    """
    UPDATE look_ups
       SET leased_until = clock_timestamp() + interval '40 seconds', exchanges = exchanges + 1
     WHERE (account_id, levy_period, authority) = (
           SELECT l.account_id, l.levy_period, l.authority
             FROM look_ups l LEFT JOIN parties p ON p.party = l.authority
            WHERE greatest(l.next_at, p.retry_at) <= :now AND l.next_at IS NOT NULL
              AND coalesce(l.leased_until < clock_timestamp(), true)
            ORDER BY l.next_at, l.account_id, l.authority LIMIT 1 FOR UPDATE OF l SKIP LOCKED)
    RETURNING *
    """
)


async def due(conn: Connection) -> datetime | None:
    """The business time of the next look-up; a party's open circuit holds all of its own up."""
    at: datetime | None = (await conn.execute(_DUE)).scalar()
    return at


async def claim(conn: Connection, now: datetime) -> LookUp | None:
    """The next look-up that is due, leased against other replicas by the database's clock."""
    row = (await conn.execute(_CLAIM, {"now": now})).mappings().first()
    return _look_up(row) if row is not None else None


_KEY = "account_id = :account_id AND levy_period = :levy_period AND authority = :authority"
_LOCK = text(
    """
    SELECT * FROM look_ups
     WHERE account_id = :account_id AND levy_period = :levy_period AND authority = :authority
       FOR UPDATE
    """
)
_SETTLE = text(
    """
    UPDATE look_ups
       SET next_at = :next_at, looked_up_at = :looked_up_at, lines = :lines, recorded = :recorded,
           reason = :reason, failures = :failures, leased_until = NULL
     WHERE account_id = :account_id AND levy_period = :levy_period AND authority = :authority
    """
)


_RENEW = text(
    """
    UPDATE look_ups SET leased_until = clock_timestamp() + interval '40 seconds'
     WHERE account_id = :account_id AND levy_period = :levy_period AND authority = :authority
       AND exchanges = :exchanges
    """
)


async def renew(conn: Connection, look_up: LookUp) -> None:
    """Keeps the lease while pages are read, unless another replica has taken over."""
    values = {
        "account_id": look_up.account_id,
        "levy_period": look_up.levy_period,
        "authority": look_up.authority,
        "exchanges": look_up.exchanges,
    }
    await conn.execute(_RENEW, values)


async def locked(conn: Connection, look_up: LookUp) -> LookUp:
    """The look-up as it is now, its row locked."""
    values = {
        "account_id": look_up.account_id,
        "levy_period": look_up.levy_period,
        "authority": look_up.authority,
    }
    return _look_up((await conn.execute(_LOCK, values)).mappings().one())


def _look_up(row: RowMapping) -> LookUp:
    return LookUp(**{name: row[name] for name in LookUp.__slots__})


async def settle(conn: Connection, look_up: LookUp) -> None:
    """Keeps what a look-up came to, and gives up its lease."""
    values = {name: getattr(look_up, name) for name in LookUp.__slots__}
    await conn.execute(_SETTLE, values)


_IS_DONE = text(
    """
    SELECT next_at IS NULL FROM look_ups
     WHERE account_id = :account_id AND levy_period = :levy_period AND authority = :authority
    """
)


async def is_done(conn: Connection, account_id: str, levy_period: str, authority: str) -> bool:
    """Whether everything filed there is recorded."""
    values = {"account_id": account_id, "levy_period": levy_period, "authority": authority}
    return bool((await conn.execute(_IS_DONE, values)).scalar())


_EXPECTED = text(
    """
    SELECT l.employee_id, l.insurance, count(DISTINCT (s.declaration_id, l.kind)) AS kinds
      FROM submissions s JOIN submission_lines l USING (serial)
     WHERE s.account_id = :account_id AND s.levy_period = :levy_period AND s.kind = 'filing'
       AND s.state IN ('taken', 'verified') AND l.authority = :authority
     GROUP BY l.employee_id, l.insurance
    """
)


async def filed_cells(conn: Connection, look_up: LookUp) -> dict[tuple[str, str], int]:
    """How many lines this authority should record of each employee id and insurance."""
    values = {
        "account_id": look_up.account_id,
        "levy_period": look_up.levy_period,
        "authority": look_up.authority,
    }
    rows = await conn.execute(_EXPECTED, values)
    return {(row.employee_id, row.insurance): row.kinds for row in rows}


_ASK = text(
    """
    INSERT INTO look_ups (
        account_id, levy_period, authority, employer_id, account_no, city, next_at)
    SELECT DISTINCT s.account_id, s.levy_period, line->>'authority', s.employer_id, a.account_no,
           a.city, CAST(:now AS timestamptz)
      FROM assessments s
      JOIN accounts a USING (account_id)
     CROSS JOIN LATERAL jsonb_array_elements(s.lines) AS line
     WHERE s.account_id = :account_id AND s.levy_period = :levy_period AND s.is_due
       AND line->>'state' = 'due'
    ON CONFLICT (account_id, levy_period, authority) DO UPDATE
       SET next_at = least(look_ups.next_at, excluded.next_at)
    RETURNING authority, next_at
    """
)


async def ask_now(
    conn: Connection, account_id: str, levy_period: str, now: datetime
) -> list[tuple[str, datetime]]:
    """Has every authority of the account month looked up at once: (authority, due at); empty if
    nothing is due there.
    """
    values = {"account_id": account_id, "levy_period": levy_period, "now": now}
    rows = await conn.execute(_ASK, values)
    return sorted((row.authority, row.next_at) for row in rows)
