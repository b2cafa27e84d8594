"""缓缴: deferrals as HR recorded them, in force once a second person has approved."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import RowMapping, text

from contribution_svc.domain.late_fee import Deferral
from shared.db import Connection
from shared.values import Insurance, LevyPeriod


@dataclass(frozen=True, slots=True)
class RecordedDeferral:
    """A deferral: of which insurances and levy periods (both ends in) of an account, until when, on
    which ground, by whose document. State proposed, approved or refused (`reason`).
    """

    deferral_id: str
    employer_id: str
    account_id: str
    insurances: Sequence[str]
    first_period: str
    last_period: str
    until: date
    ground: str
    document_no: str
    granted_by: str
    recorded_by: str
    recorded_at: datetime
    state: str = "proposed"
    approved_by: str = ""
    approved_at: datetime | None = None
    refused_by: str = ""
    refused_at: datetime | None = None
    reason: str = ""

    def effect(self) -> Deferral:
        return Deferral(
            frozenset(Insurance(one) for one in self.insurances),
            LevyPeriod.parse(self.first_period),
            LevyPeriod.parse(self.last_period),
            self.until,
        )


_NAMES = tuple(RecordedDeferral.__slots__)
_COLUMNS = ", ".join(_NAMES)
_ADD = text(
    f"""
    INSERT INTO deferrals ({_COLUMNS}) VALUES ({", ".join(f":{name}" for name in _NAMES)})
    ON CONFLICT (deferral_id) DO NOTHING RETURNING deferral_id
    """  # noqa: S608
)
_LOCKED = text(f"SELECT {_COLUMNS} FROM deferrals WHERE deferral_id = :id FOR UPDATE")  # noqa: S608
_APPROVE = text(
    """
    UPDATE deferrals SET state = 'approved', approved_by = :by, approved_at = :now
     WHERE deferral_id = :id
    """
)
_REFUSE = text(
    """
    UPDATE deferrals
       SET state = 'refused', refused_by = :by, refused_at = :now, reason = :reason
     WHERE deferral_id = :id
    """
)
_APPROVED = text(
    f"""
    SELECT {_COLUMNS} FROM deferrals
     WHERE account_id = :account_id AND state = 'approved' AND first_period <= :period
       AND last_period >= :period ORDER BY deferral_id
    """  # noqa: S608
)
_OF_ACCOUNTS = text(
    f"SELECT {_COLUMNS} FROM deferrals"  # noqa: S608
    " WHERE account_id = ANY(:accounts) AND state = 'approved' ORDER BY deferral_id"
)
_PAGE = text(
    f"""
    SELECT {_COLUMNS} FROM deferrals
     WHERE employer_id = :employer_id AND deferral_id > :after ORDER BY deferral_id LIMIT :limit
    """  # noqa: S608
)


async def add(conn: Connection, deferral: RecordedDeferral) -> bool:
    """Whether it is new."""
    values = {name: getattr(deferral, name) for name in _NAMES}
    added = await conn.execute(_ADD, {**values, "insurances": list(deferral.insurances)})
    return added.first() is not None


async def locked(conn: Connection, deferral_id: str) -> RecordedDeferral | None:
    row = (await conn.execute(_LOCKED, {"id": deferral_id})).mappings().first()
    return _recorded(row) if row is not None else None


def _recorded(row: RowMapping) -> RecordedDeferral:
    return RecordedDeferral(**row)


# What was told stands: the same facts, and the state of the newest version.
_KEEP = text(
    f"""
    INSERT INTO deferrals ({_COLUMNS}) VALUES ({", ".join(f":{name}" for name in _NAMES)})
    ON CONFLICT (deferral_id) DO UPDATE
       SET state = excluded.state, approved_by = excluded.approved_by,
           approved_at = excluded.approved_at, refused_by = excluded.refused_by,
           refused_at = excluded.refused_at, reason = excluded.reason
    """  # noqa: S608
)


async def keep(conn: Connection, told: Sequence[RecordedDeferral]) -> None:
    """What a restored store takes back."""
    for one in told:
        values = {name: getattr(one, name) for name in _NAMES}
        await conn.execute(_KEEP, {**values, "insurances": list(one.insurances)})


async def approve(conn: Connection, deferral_id: str, by: str, now: datetime) -> None:
    await conn.execute(_APPROVE, {"id": deferral_id, "by": by, "now": now})


async def refuse(conn: Connection, deferral_id: str, by: str, reason: str, now: datetime) -> None:
    await conn.execute(_REFUSE, {"id": deferral_id, "by": by, "reason": reason, "now": now})


async def approved(conn: Connection, account_id: str, period: str) -> list[Deferral]:
    """What is deferred of an account's levy period."""
    values = {"account_id": account_id, "period": period}
    rows = (await conn.execute(_APPROVED, values)).mappings()
    return [_recorded(row).effect() for row in rows]


async def of_accounts(conn: Connection, accounts: Collection[str]) -> dict[str, list[Deferral]]:
    """What is deferred of these accounts, of whatever levy periods."""
    found: dict[str, list[Deferral]] = {}
    rows = (await conn.execute(_OF_ACCOUNTS, {"accounts": sorted(accounts)})).mappings()
    for one in map(_recorded, rows):
        found.setdefault(one.account_id, []).append(one.effect())
    return found


async def page(
    conn: Connection, employer_id: str, after: str, limit: int
) -> list[RecordedDeferral]:
    """An employer's deferrals by id, after `after`."""
    values = {"employer_id": employer_id, "after": after, "limit": limit}
    return [_recorded(row) for row in (await conn.execute(_PAGE, values)).mappings()]


_ASSESS_AGAIN = text(
    """
    UPDATE assessments SET assess_at = :now
     WHERE account_id = :account_id AND levy_period = ANY(:periods) AND declaration_id IS NULL
    """
)
_COMPARE_AGAIN = text(
    """
    UPDATE assessments SET compare_at = :now
     WHERE account_id = :account_id AND levy_period = ANY(:periods) AND declaration_id IS NOT NULL
    """
)


async def tell_days_again(
    conn: Connection, account_id: str, periods: Sequence[str], now: datetime
) -> None:
    """These months are told with the days that they have now, those that were declared too."""
    values = {"account_id": account_id, "periods": list(periods), "now": now}
    for statement in (_ASSESS_AGAIN, _COMPARE_AGAIN):
        await conn.execute(statement, values)


# What was told to be at risk is looked at again: it may be so no longer.
_RISKS_AGAIN = text(
    """
    UPDATE declarations d SET risk_at = :now
      FROM unnest(CAST(:levy_period AS text[])) AS n(levy_period)
     WHERE d.account_id = :account_id AND d.levy_period = n.levy_period AND d.number = 0
       AND d.file_by >= :today
    """
)


async def risks_again(
    conn: Connection, account_id: str, periods: Sequence[str], now: datetime, today: date
) -> None:
    values = {"account_id": account_id, "levy_period": list(periods), "now": now, "today": today}
    await conn.execute(_RISKS_AGAIN, values)
