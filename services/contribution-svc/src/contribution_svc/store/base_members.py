"""Members of a campaign: what their bases are computed from, how they stand, and what the collector
verified.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import RowMapping, text

from contribution_svc.domain.campaign import Answers, DeclaredBase, Member, MemberState
from contribution_svc.domain.employment import Spell
from contribution_svc.store.explanations import Placed
from contribution_svc.store.values import columns, from_json, to_json
from shared.db import Connection
from shared.values import Insurance


@dataclass(frozen=True, slots=True)
class MemberRow:
    """A member with where they are insured; `levy_period` is the first of the contribution year,
    of those insurances that begin theirs first; `told` the version under which their answer was
    last told (0: they have not answered).
    """

    campaign_id: str
    employee_id: str
    employer_id: str
    account_id: str
    city: str
    levy_period: str
    confirm_by: date
    member: Member
    changed_at: datetime | None = None
    employee_no: str = ""
    told: int = 0


@dataclass(frozen=True, slots=True)
class Insured:
    """What the roster says of one employee; spells in the order of their days."""

    person_kind: str
    agreed_fen: int
    first_fund_member: bool
    placed: Sequence[Placed]

    def spells(self) -> list[Spell]:
        return [(one.since, one.until) for one in self.placed]


_MEMBER_COLUMNS = (
    "m.campaign_id, m.employee_id, m.employer_id, m.account_id, m.city, m.levy_period,"
    " m.confirm_by, m.state, m.version, m.base, m.reason, m.words, m.answer, m.answered_by,"
    " m.changed_at, m.told"
)
_NEXT_COMPUTE = text("SELECT min(compute_at) FROM base_members WHERE compute_at IS NOT NULL")
_TO_COMPUTE = text(
    f"SELECT {_MEMBER_COLUMNS} FROM base_members m"  # noqa: S608
    " WHERE m.compute_at <= :now ORDER BY m.compute_at, m.employee_id"
    " LIMIT :limit FOR UPDATE SKIP LOCKED"
)
_INSURED = text(
    """
    SELECT e.employee_id, e.person_kind, e.first_month_wage_fen, e.first_fund_member,
           array_agg(s.since ORDER BY s.since) FILTER (WHERE s.since IS NOT NULL) AS since,
           array_agg(s.until ORDER BY s.since) FILTER (WHERE s.since IS NOT NULL) AS until,
           array_agg(s.account_id ORDER BY s.since) FILTER (WHERE s.since IS NOT NULL) AS accounts,
           array_agg(s.city ORDER BY s.since) FILTER (WHERE s.since IS NOT NULL) AS cities
      FROM employees e LEFT JOIN spells s USING (employee_id)
     WHERE e.employee_id = ANY(:ids)
     GROUP BY e.employee_id, e.person_kind, e.first_month_wage_fen, e.first_fund_member
    """
)


async def next_compute(conn: Connection) -> datetime | None:
    found: datetime | None = (await conn.execute(_NEXT_COMPUTE)).scalar()
    return found


async def to_compute(conn: Connection, now: datetime, limit: int) -> list[MemberRow]:
    """At most `limit` members that are to be computed, locked; another replica's are passed
    over.
    """
    rows = (await conn.execute(_TO_COMPUTE, {"now": now, "limit": limit})).mappings()
    return [_member_row(row) for row in rows]


async def insured(conn: Connection, ids: Collection[str]) -> dict[str, Insured]:
    return {
        row.employee_id: Insured(
            person_kind=row.person_kind,
            agreed_fen=row.first_month_wage_fen,
            first_fund_member=row.first_fund_member,
            placed=[
                Placed(*one)
                for one in zip(
                    row.since or (),
                    row.until or (),
                    row.accounts or (),
                    row.cities or (),
                    strict=True,
                )
            ],
        )
        for row in await conn.execute(_INSURED, {"ids": sorted(set(ids))})
    }


_PUT = text(
    """
    UPDATE base_members m
       SET account_id = n.account_id, city = n.city, state = n.state, version = n.version,
           base = n.base, reason = n.reason, words = n.words, answer = n.answer,
           answered_by = n.answered_by, told = n.told,
           compute_at = CASE WHEN CAST(:computed AS boolean) THEN NULL ELSE m.compute_at END,
           changed_at = CASE WHEN m.version <> n.version OR m.state <> n.state
                             THEN CAST(:now AS timestamptz) ELSE m.changed_at END
      FROM unnest(
        CAST(:campaign_id AS text[]), CAST(:employee_id AS text[]), CAST(:account_id AS text[]),
        CAST(:city AS text[]), CAST(:state AS text[]), CAST(:version AS bigint[]),
        CAST(:base AS jsonb[]), CAST(:reason AS text[]), CAST(:words AS text[]),
        CAST(:answer AS text[]), CAST(:answered_by AS text[]), CAST(:told AS bigint[]))
        AS n(campaign_id, employee_id, account_id, city, state, version, base, reason, words,
             answer, answered_by, told)
     WHERE m.campaign_id = n.campaign_id AND m.employee_id = n.employee_id
    """
)
_PUT_COLUMNS = (
    "campaign_id",
    "employee_id",
    "account_id",
    "city",
    "state",
    "version",
    "base",
    "reason",
    "words",
    "answer",
    "answered_by",
    "told",
)


async def put(
    conn: Connection, rows: Sequence[MemberRow], now: datetime, *, computed: bool
) -> None:
    """Writes locked members back, as computed now, or as answered: that leaves them marked."""
    values = columns(_PUT_COLUMNS, (_values(row) for row in rows))
    await conn.execute(_PUT, {**values, "now": now, "computed": computed})


def _values(row: MemberRow) -> tuple[object, ...]:
    return (
        row.campaign_id,
        row.employee_id,
        row.account_id,
        row.city,
        row.member.state,
        row.member.version,
        to_json(row.member.base) if row.member.base is not None else None,
        row.member.reason,
        row.member.answers.words,
        row.member.answers.reason,
        row.member.answers.answered_by,
        row.told,
    )


_KEPT = (*_PUT_COLUMNS, "employer_id", "levy_period", "confirm_by")
# Computed again while the campaign is open: a wage that came since may have been heard, not used.
_KEEP = text(
    f"""
    INSERT INTO base_members AS m ({", ".join(_KEPT)}, changed_at, compute_at)
    SELECT n.*, CAST(:now AS timestamptz),
           CASE WHEN c.closed_at IS NULL THEN CAST(:now AS timestamptz) END
      FROM unnest(
        CAST(:campaign_id AS text[]), CAST(:employee_id AS text[]), CAST(:account_id AS text[]),
        CAST(:city AS text[]), CAST(:state AS text[]), CAST(:version AS bigint[]),
        CAST(:base AS jsonb[]), CAST(:reason AS text[]), CAST(:words AS text[]),
        CAST(:answer AS text[]), CAST(:answered_by AS text[]), CAST(:told AS bigint[]),
        CAST(:employer_id AS text[]), CAST(:levy_period AS text[]),
        CAST(:confirm_by AS date[]))
        AS n({", ".join(_KEPT)})
      JOIN base_campaigns c USING (campaign_id)
    ON CONFLICT (campaign_id, employee_id) DO UPDATE
       SET account_id = excluded.account_id, city = excluded.city, state = excluded.state,
           version = excluded.version, base = excluded.base, reason = excluded.reason,
           answered_by = excluded.answered_by, told = excluded.told,
           changed_at = excluded.changed_at, compute_at = excluded.compute_at
     WHERE m.told <= excluded.told
    """  # noqa: S608
)


async def keep(conn: Connection, told: Sequence[MemberRow], now: datetime) -> None:
    """What a restored store takes back, once their campaigns are there; what people wrote is in no
    event, and stays as the backup has it.
    """
    rows = ((*_values(row), row.employer_id, row.levy_period, row.confirm_by) for row in told)
    await conn.execute(_KEEP, {**columns(_KEPT, rows), "now": now})


def _member_row(row: RowMapping, employee_no: str = "") -> MemberRow:
    return MemberRow(
        campaign_id=row["campaign_id"],
        employee_id=row["employee_id"],
        employer_id=row["employer_id"],
        account_id=row["account_id"],
        city=row["city"],
        levy_period=row["levy_period"],
        confirm_by=row["confirm_by"],
        member=Member(
            state=MemberState(row["state"]),
            version=row["version"],
            base=from_json(row["base"], DeclaredBase) if row["base"] is not None else None,
            reason=row["reason"],
            answers=Answers(row["words"], row["answer"], row["answered_by"]),
        ),
        changed_at=row["changed_at"],
        employee_no=employee_no,
        told=row["told"],
    )


_MEMBERS = text(
    f"""
    SELECT {_MEMBER_COLUMNS}, e.employee_no
      FROM base_members m JOIN employees e USING (employee_id)
     WHERE m.campaign_id = :id AND m.employee_id > :after
       AND (CAST(:state AS text) = '' OR m.state = :state)
     ORDER BY m.employee_id LIMIT :limit
    """  # noqa: S608
)
_OF_EMPLOYEE = text(
    f"""
    SELECT {_MEMBER_COLUMNS}, e.employee_no
      FROM base_members m JOIN employees e USING (employee_id)
     WHERE m.employee_id = :employee_id ORDER BY m.levy_period DESC, m.campaign_id LIMIT :limit
    """  # noqa: S608
)
_LOCK_MEMBER = text(
    f"""
    SELECT {_MEMBER_COLUMNS} FROM base_members m
     WHERE m.campaign_id = :id AND m.employee_id = :employee_id FOR UPDATE
    """  # noqa: S608
)


async def members(
    conn: Connection, campaign_id: str, state: str, after: str, limit: int
) -> list[MemberRow]:
    """Members by employee id, after `after`; `state` empty: in any."""
    values = {"id": campaign_id, "state": state, "after": after, "limit": limit}
    rows = (await conn.execute(_MEMBERS, values)).mappings()
    return [_member_row(row, row["employee_no"]) for row in rows]


_INSURANCES = text(
    """
    SELECT b.insurance, coalesce(bool_or(m.base -> 'since' ? b.insurance), false) AS is_later
      FROM base_members m
      CROSS JOIN LATERAL jsonb_object_keys(m.base -> 'bases_fen') AS b(insurance)
     WHERE m.campaign_id = :id
     GROUP BY b.insurance
    """
)


async def insurances(conn: Connection, campaign_id: str) -> dict[Insurance, bool]:
    """Those of which any member has a base, in the order of the scheme; true where one of them
    holds from a levy period of its own on.
    """
    rows = await conn.execute(_INSURANCES, {"id": campaign_id})
    found = {row.insurance: row.is_later for row in rows}
    return {one: found[one] for one in Insurance if one in found}


async def of_employee(conn: Connection, employee_id: str, limit: int) -> list[MemberRow]:
    """An employee's own, the latest year first."""
    values = {"employee_id": employee_id, "limit": limit}
    rows = (await conn.execute(_OF_EMPLOYEE, values)).mappings()
    return [_member_row(row, row["employee_no"]) for row in rows]


async def locked_member(conn: Connection, campaign_id: str, employee_id: str) -> MemberRow | None:
    values = {"id": campaign_id, "employee_id": employee_id}
    row = (await conn.execute(_LOCK_MEMBER, values)).mappings().first()
    return _member_row(row) if row is not None else None


@dataclass(frozen=True, slots=True)
class YearSpan:
    """The first and the last levy period of an insurance's contribution year in a city."""

    city: str
    insurance: str
    first: str
    last: str


@dataclass(frozen=True, slots=True)
class VerifiedBase:
    """What the collector verified for one member and insurance, in fen: in the newest levy period
    of the contribution year that has any; and the base of the year before (None: there was none).
    """

    insurance: str
    levy_period: str
    base_fen: int
    last_year_fen: int | None


# 核定: the newest month of the contribution year for which the collector answered with a base. The
# year before may have several rows, one for each month in which an insurance's begins.
_VERIFIED = text(
    """
    SELECT DISTINCT ON (m.employee_id, y.insurance)
           m.employee_id, y.insurance, b.levy_period,
           CAST(r ->> 'verified_base_fen' AS bigint) AS base_fen,
           (SELECT CAST(l.body -> 'bases_fen' ->> y.insurance AS bigint) FROM bases l
             WHERE l.employee_id = m.employee_id AND left(l.contribution_year, 4) = :last_year
               AND l.body -> 'bases_fen' ? y.insurance
             ORDER BY l.contribution_year DESC LIMIT 1) AS last_year_fen
      FROM base_members m
      JOIN unnest(CAST(:city AS text[]), CAST(:insurance AS text[]), CAST(:first AS text[]),
                  CAST(:last AS text[])) AS y(city, insurance, first, last) USING (city)
      JOIN bureau_rows b ON b.employee_id = m.employee_id AND b.levy_period >= m.levy_period
       AND b.levy_period BETWEEN y.first AND y.last
     CROSS JOIN LATERAL jsonb_array_elements(b.rows) AS r
     WHERE m.campaign_id = :id AND m.employee_id = ANY(:ids)
       AND r ->> 'insurance' = y.insurance AND r ->> 'verified_base_fen' IS NOT NULL
     ORDER BY m.employee_id, y.insurance, b.levy_period DESC
    """
)


async def verified(
    conn: Connection,
    campaign_id: str,
    last_year: str,
    spans: Sequence[YearSpan],
    ids: Collection[str],
) -> dict[str, list[VerifiedBase]]:
    """By employee; whoever has no verified base yet is not in it."""
    names = ("city", "insurance", "first", "last")
    years = columns(names, ([getattr(span, name) for name in names] for span in spans))
    values = {**years, "id": campaign_id, "last_year": last_year, "ids": sorted(ids)}
    found: dict[str, list[VerifiedBase]] = {}
    for row in await conn.execute(_VERIFIED, values):
        one = VerifiedBase(row.insurance, row.levy_period, row.base_fen, row.last_year_fen)
        found.setdefault(row.employee_id, []).append(one)
    return found
