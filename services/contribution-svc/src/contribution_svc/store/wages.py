"""Wages as payroll tells them, one row a month and purpose; what a correction replaced stays in the
row.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import msgspec
from sqlalchemy import text

from contribution_svc.domain.wages import PayItem, WageMonth
from contribution_svc.store.values import columns, from_json, to_json
from shared.db import Connection


class Wage(msgspec.Struct, frozen=True):
    """One month's wage that counts, in fen, and the items of its gross; `purpose` is run or
    history.
    """

    employee_id: str
    employer_id: str
    wage_month: str
    purpose: str
    version: int
    wage_fen: int
    items: Sequence[PayItem] = ()


class Wages(msgspec.Struct, frozen=True):
    """One employee's wages in fen: by calendar year and month, and those of runs by levy period."""

    by_year: Mapping[int, Mapping[int, int]] = msgspec.field(default_factory=dict)
    runs: Mapping[str, int] = msgspec.field(default_factory=dict)


# What is replaced is kept, so that a base can be explained as it was known on a day.
_PUT = text(
    """
    INSERT INTO wages AS w (employee_id, wage_month, purpose, employer_id, version, wage_fen, items,
                            heard_at)
    SELECT *, CAST(:now AS timestamptz) FROM unnest(
        CAST(:employee_id AS text[]), CAST(:wage_month AS text[]), CAST(:purpose AS text[]),
        CAST(:employer_id AS text[]), CAST(:version AS bigint[]), CAST(:wage_fen AS bigint[]),
        CAST(:items AS jsonb[]))
    ON CONFLICT (employee_id, wage_month, purpose) DO UPDATE
       SET version = excluded.version, wage_fen = excluded.wage_fen, items = excluded.items,
           heard_at = excluded.heard_at,
           before = w.before || jsonb_build_array(jsonb_build_object(
               'heard_at', w.heard_at, 'wage_fen', w.wage_fen, 'items', w.items))
     WHERE w.version < excluded.version
    RETURNING employee_id, purpose, wage_month
    """
)


async def put(
    conn: Connection, wages: Sequence[Wage], now: datetime
) -> tuple[list[str], dict[str, str]]:
    """Keeps the newest of each; returns whose history was newer, and whose runs, with the earliest
    month of them.
    """
    ordered = sorted(wages, key=lambda w: (w.employee_id, w.wage_month, w.purpose))
    names = ("employee_id", "wage_month", "purpose", "employer_id", "version", "wage_fen", "items")
    rows = (
        [to_json(w.items) if name == "items" else getattr(w, name) for name in names]
        for w in ordered
    )
    newer = (await conn.execute(_PUT, {**columns(names, rows), "now": now})).all()
    history = {row.employee_id for row in newer if row.purpose == "history"}
    runs: dict[str, str] = {}
    for row in newer:
        if row.employee_id not in history:
            runs[row.employee_id] = min(row.wage_month, runs.get(row.employee_id, row.wage_month))
    return sorted(history), runs


# A month that HR imported as history counts as imported, also when a run knew it.
OF_PERSON = """
    SELECT array_agg(wage_month) FILTER (WHERE counts) AS months,
           array_agg(wage_fen) FILTER (WHERE counts) AS fen,
           array_agg(wage_month) FILTER (WHERE purpose = 'run') AS run_months,
           array_agg(wage_fen) FILTER (WHERE purpose = 'run') AS run_fen
      FROM (SELECT wage_month, purpose, wage_fen,
                   row_number() OVER (PARTITION BY wage_month ORDER BY purpose) = 1 AS counts
              FROM wages WHERE employee_id = k.employee_id AND wage_month >= :since) m
"""
"""The wages of `k.employee_id` from the month `:since` on, as `told` takes them."""
_OF_PEOPLE = text(
    f"""
    SELECT k.employee_id, w.months, w.fen, w.run_months, w.run_fen
      FROM unnest(CAST(:ids AS text[])) AS k(employee_id) CROSS JOIN LATERAL ({OF_PERSON}) w
    """  # noqa: S608
)


async def of_people(conn: Connection, ids: Collection[str], since: str) -> dict[str, Wages]:
    """The wages of these employees from the month `since` on."""
    rows = await conn.execute(_OF_PEOPLE, {"ids": sorted(ids), "since": since})
    return {employee_id: told(*months) for employee_id, *months in rows}


def told(
    months: Sequence[str] | None,
    fen: Sequence[int] | None,
    run_months: Sequence[str] | None,
    run_fen: Sequence[int] | None,
) -> Wages:
    """As `OF_PERSON` gives them; None: there are none."""
    return Wages(
        _by_year(months or (), fen or ()), dict(zip(run_months or (), run_fen or (), strict=True))
    )


def _by_year(months: Sequence[str], fen: Sequence[int]) -> dict[int, dict[int, int]]:
    years: dict[int, dict[int, int]] = {}
    for month, wage_fen in zip(months, fen, strict=True):
        years.setdefault(int(month[:4]), {})[int(month[5:])] = wage_fen
    return years


_TOLD = text(
    """
    SELECT wage_month, purpose, wage_fen, items, heard_at, before FROM wages
     WHERE employee_id = :employee_id AND wage_month BETWEEN :since AND :through
     ORDER BY wage_month, purpose
    """
)


@dataclass(frozen=True, slots=True)
class _Before:
    heard_at: datetime
    wage_fen: int
    items: list[PayItem]


async def as_known(
    conn: Connection, employee_id: str, since: str, through: str, at: datetime
) -> list[WageMonth]:
    """The months from `since` through `through` as they had been told by `at`, with their items."""
    values = {"employee_id": employee_id, "since": since, "through": through}
    found = []
    for row in await conn.execute(_TOLD, values):
        tellings = [
            *from_json(row.before, list[_Before]),
            _Before(row.heard_at, row.wage_fen, from_json(row.items, list[PayItem])),
        ]
        known = [one for one in tellings if one.heard_at <= at]
        if known:
            last = known[-1]
            found.append(WageMonth(row.wage_month, row.purpose, last.wage_fen, last.items))
    return found
