"""年度基数申报: campaigns, who of the roster is in them, and when they are to be computed again."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import text

from contribution_svc.domain.campaign import MemberState
from contribution_svc.store.values import columns
from shared.db import Connection


@dataclass(frozen=True, slots=True)
class Campaign:
    """One employer's campaign for a contribution year."""

    campaign_id: str
    employer_id: str
    contribution_year: str
    confirm_by: date
    opened_by: str
    opened_at: datetime
    fill_at: datetime | None
    closed_at: datetime | None


@dataclass(frozen=True, slots=True)
class YearStart:
    """When a contribution year starts in a city for any insurance: its first levy period, that
    month's first and last day.
    """

    city: str
    levy_period: str
    first_day: date
    last_day: date


_CAMPAIGN_COLUMNS = (
    "campaign_id, employer_id, contribution_year, confirm_by, opened_by, opened_at, fill_at,"
    " closed_at"
)
_OPEN = text(
    """
    INSERT INTO base_campaigns (campaign_id, employer_id, contribution_year, confirm_by, opened_by,
                                opened_at, fill_at)
    VALUES (:campaign_id, :employer_id, :year, :confirm_by, :by, :now, :now)
    ON CONFLICT DO NOTHING
    """
)
_CAMPAIGN = text(
    f"SELECT {_CAMPAIGN_COLUMNS} FROM base_campaigns WHERE campaign_id = :id"  # noqa: S608
)
_LOCK = text(
    f"SELECT {_CAMPAIGN_COLUMNS} FROM base_campaigns WHERE campaign_id = :id FOR UPDATE"  # noqa: S608
)
_PAGE = text(
    f"SELECT {_CAMPAIGN_COLUMNS} FROM base_campaigns"  # noqa: S608
    " WHERE employer_id = :employer_id AND contribution_year < :before"
    " ORDER BY contribution_year DESC LIMIT :limit"
)
_CLOSE = text("UPDATE base_campaigns SET closed_at = :now, fill_at = NULL WHERE campaign_id = :id")
_COUNTS = text(
    "SELECT state, count(*) AS people FROM base_members WHERE campaign_id = :id GROUP BY state"
)


async def open_campaign(
    conn: Connection,
    campaign_id: str,
    employer_id: str,
    year: str,
    confirm_by: date,
    by: str,
    now: datetime,
) -> bool:
    """Once per employer and contribution year; the one that is there stays as it is. Whether it is
    new.
    """
    values = {
        "campaign_id": campaign_id,
        "employer_id": employer_id,
        "year": year,
        "confirm_by": confirm_by,
        "by": by,
        "now": now,
    }
    return (await conn.execute(_OPEN, values)).rowcount > 0


async def campaign(conn: Connection, campaign_id: str, *, lock: bool = False) -> Campaign | None:
    row = (await conn.execute(_LOCK if lock else _CAMPAIGN, {"id": campaign_id})).mappings().first()
    return Campaign(**row) if row is not None else None


async def campaigns(conn: Connection, employer_id: str, before: str, limit: int) -> list[Campaign]:
    """An employer's campaigns of years before `before`, the latest first."""
    values = {"employer_id": employer_id, "before": before, "limit": limit}
    return [Campaign(**row) for row in (await conn.execute(_PAGE, values)).mappings()]


async def close(conn: Connection, campaign_id: str, now: datetime) -> None:
    await conn.execute(_CLOSE, {"id": campaign_id, "now": now})


# Whoever had not answered is in no event, and is taken from the roster again.
_KEEP = text(
    f"""
    INSERT INTO base_campaigns ({_CAMPAIGN_COLUMNS})
    VALUES (:campaign_id, :employer_id, :contribution_year, :confirm_by, :opened_by, :opened_at,
            :fill_at, :closed_at)
    ON CONFLICT (campaign_id) DO UPDATE
       SET fill_at = excluded.fill_at, closed_at = excluded.closed_at
    """  # noqa: S608
)


async def keep(conn: Connection, told: Sequence[Campaign]) -> None:
    """What a restored store takes back."""
    for one in told:
        await conn.execute(_KEEP, {name: getattr(one, name) for name in Campaign.__slots__})


async def counts(conn: Connection, campaign_id: str) -> dict[MemberState, int]:
    """How many members are in each state that anybody is in."""
    rows = await conn.execute(_COUNTS, {"id": campaign_id})
    return {MemberState(row.state): row.people for row in rows}


_ACCOUNT_NUMBERS = text(
    "SELECT account_id, account_no FROM accounts WHERE employer_id = :employer_id"
)


async def account_numbers(conn: Connection, employer_id: str) -> dict[str, str]:
    """The bureau's number of each account of the employer."""
    rows = await conn.execute(_ACCOUNT_NUMBERS, {"employer_id": employer_id})
    return {row.account_id: row.account_no for row in rows}


_NEXT_FILL = text("SELECT min(fill_at) FROM base_campaigns WHERE fill_at IS NOT NULL")
_TO_FILL = text(
    f"SELECT {_CAMPAIGN_COLUMNS} FROM base_campaigns"  # noqa: S608
    " WHERE fill_at <= :now ORDER BY fill_at, campaign_id LIMIT 1"
)
_CITIES = text("SELECT DISTINCT city FROM spells WHERE employer_id = :employer_id ORDER BY city")
# A month has one account: that of its first day, else the first that begins within it. Where
# insurances begin their years in different months, the first of them that somebody is there for.
_FILL = text(
    """
    INSERT INTO base_members (campaign_id, employee_id, employer_id, account_id, city, levy_period,
                              confirm_by, compute_at)
    SELECT DISTINCT ON (s.employee_id) CAST(:campaign_id AS text), s.employee_id, s.employer_id,
           s.account_id, s.city, c.levy_period, CAST(:confirm_by AS date),
           CAST(:now AS timestamptz)
      FROM spells s
      JOIN unnest(CAST(:city AS text[]), CAST(:levy_period AS text[]), CAST(:first_day AS date[]),
                  CAST(:last_day AS date[])) AS c(city, levy_period, first_day, last_day)
           USING (city)
     WHERE s.employer_id = :employer_id AND s.since <= c.last_day
       AND (s.until IS NULL OR s.until >= c.first_day)
     ORDER BY s.employee_id, c.first_day, s.since
    ON CONFLICT (campaign_id, employee_id) DO NOTHING
    """
)
_FILLED = text("UPDATE base_campaigns SET fill_at = NULL WHERE campaign_id = :campaign_id")


async def next_fill(conn: Connection) -> datetime | None:
    found: datetime | None = (await conn.execute(_NEXT_FILL)).scalar()
    return found


async def to_fill(conn: Connection, now: datetime) -> Campaign | None:
    row = (await conn.execute(_TO_FILL, {"now": now})).mappings().first()
    return Campaign(**row) if row is not None else None


async def cities_of(conn: Connection, employer_id: str) -> list[str]:
    return list((await conn.execute(_CITIES, {"employer_id": employer_id})).scalars())


async def fill(
    conn: Connection, campaign: Campaign, starts: Sequence[YearStart], now: datetime
) -> int:
    """Everyone on the roster in a first month of the contribution year becomes a member; gives how
    many were not one before.
    """
    names = ("city", "levy_period", "first_day", "last_day")
    values = columns(names, ([getattr(one, name) for name in names] for one in starts))
    owner = {"campaign_id": campaign.campaign_id, "employer_id": campaign.employer_id}
    added = await conn.execute(
        _FILL, {**values, **owner, "confirm_by": campaign.confirm_by, "now": now}
    )
    await conn.execute(_FILLED, {"campaign_id": campaign.campaign_id})
    return added.rowcount


_MARK_PEOPLE = text(
    """
    UPDATE base_members m SET compute_at = :now FROM base_campaigns c
     WHERE m.employee_id = ANY(:ids) AND c.campaign_id = m.campaign_id AND c.closed_at IS NULL
    """
)
_MARK_NEWCOMERS = text(
    """
    UPDATE base_campaigns c SET fill_at = :now
     WHERE c.closed_at IS NULL AND c.fill_at IS NULL AND EXISTS (
           SELECT 1 FROM employees e
            WHERE e.employee_id = ANY(:ids) AND e.employer_id = c.employer_id
              AND NOT EXISTS (SELECT 1 FROM base_members m
                               WHERE m.campaign_id = c.campaign_id
                                 AND m.employee_id = e.employee_id))
    """
)
_MARK_CITY = text(
    """
    UPDATE base_members m SET compute_at = :now FROM base_campaigns c
     WHERE m.city = :city AND c.campaign_id = m.campaign_id AND c.closed_at IS NULL
    """
)


async def mark_people(conn: Connection, ids: Collection[str], now: datetime) -> None:
    """These are computed again, or looked for as members, in every campaign that is open."""
    if ids:
        values = {"ids": sorted(ids), "now": now}
        await conn.execute(_MARK_PEOPLE, values)
        await conn.execute(_MARK_NEWCOMERS, values)


async def mark_city(conn: Connection, city: str, now: datetime) -> None:
    """Its policy has changed."""
    await conn.execute(_MARK_CITY, {"city": city, "now": now})
