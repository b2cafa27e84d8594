"""补充申报: the differences that declared months have by what is known now, and the supplementary
declarations that carry them.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import text

from contribution_svc.domain.difference import SupplementLine
from contribution_svc.domain.lines import Line
from contribution_svc.store.assessments import Assessment
from contribution_svc.store.declarations import Declaration
from contribution_svc.store.values import columns, from_json, to_json
from shared.db import Connection
from shared.values import derived_id

_COMPARE_CITY = text(
    "UPDATE assessments SET compare_at = :now WHERE declaration_id IS NOT NULL AND city = :city"
)
_COMPARE_PEOPLE = text(
    """
    UPDATE assessments SET compare_at = :now
     WHERE declaration_id IS NOT NULL AND employee_id = ANY(:ids)
    """
)
_COMPARE_RUNS = text(
    """
    UPDATE assessments a SET compare_at = :now
      FROM unnest(CAST(:ids AS text[]), CAST(:months AS text[])) AS r(employee_id, month)
     WHERE a.declaration_id IS NOT NULL AND a.employee_id = r.employee_id
       AND left(a.levy_period, 4) > left(r.month, 4)
    """
)


async def compare_city(conn: Connection, city: str, now: datetime) -> None:
    """The city's policy has changed: every month declared there is compared with it."""
    await conn.execute(_COMPARE_CITY, {"city": city, "now": now})


async def compare_people(conn: Connection, ids: Collection[str], now: datetime) -> None:
    """What these employees' months rest on has changed."""
    if ids:
        await conn.execute(_COMPARE_PEOPLE, {"ids": list(ids), "now": now})


async def compare_runs(conn: Connection, runs: Mapping[str, str], now: datetime) -> None:
    """A run of these employees, told with its month, has changed: what was declared for a later
    calendar year may rest on it.
    """
    if runs:
        values = {"ids": list(runs), "months": list(runs.values()), "now": now}
        await conn.execute(_COMPARE_RUNS, values)


@dataclass(frozen=True, slots=True)
class Owed:
    """A month with what it may lack: its assessment, and the due day of its regular declaration."""

    assessment: Assessment
    due_on: date


_ASSESSED = """
    a.employee_id, a.levy_period, a.employer_id, a.account_id, a.department_id, a.city, a.version,
    a.rests_on, a.contribution_year, a.lines, a.base_explanation, a.policy_known_since, a.file_by,
    a.debit_by, a.told, a.facts_parked, a.supplements, a.declared_version, a.policy_warnings"""
_NEXT = text("SELECT min(compare_at) FROM assessments WHERE compare_at IS NOT NULL")
_TO_COMPARE = text(
    f"""
    SELECT {_ASSESSED}, d.due_on
      FROM assessments a
      JOIN declarations d ON d.account_id = a.account_id AND d.levy_period = a.levy_period
                         AND d.number = 0
     WHERE a.compare_at <= :now AND a.declaration_id IS NOT NULL
     ORDER BY a.compare_at, a.employee_id LIMIT :limit FOR UPDATE OF a SKIP LOCKED
    """  # noqa: S608
)
_COMPARED = text(
    """
    UPDATE assessments a SET compare_at = NULL
      FROM unnest(CAST(:employee_id AS text[]), CAST(:levy_period AS text[]))
           AS n(employee_id, levy_period)
     WHERE a.employee_id = n.employee_id AND a.levy_period = n.levy_period
    """
)


async def next_to_compare(conn: Connection) -> datetime | None:
    found: datetime | None = (await conn.execute(_NEXT)).scalar()
    return found


async def to_compare(conn: Connection, now: datetime, limit: int) -> list[Owed]:
    """At most `limit` declared months that are to be compared, locked; another replica's are passed
    over.
    """
    rows = (await conn.execute(_TO_COMPARE, {"now": now, "limit": limit})).mappings()
    return [_owed(row) for row in rows]


def _owed(row: Mapping[Any, Any]) -> Owed:
    values = {**row, "lines": from_json(row["lines"], list[Line])}
    values["supplements"] = from_json(row["supplements"], tuple[SupplementLine, ...])
    due_on = values.pop("due_on")
    return Owed(Assessment(**values), due_on)


async def compared(conn: Connection, owed: Sequence[Owed]) -> None:
    keys = ((one.assessment.employee_id, one.assessment.levy_period) for one in owed)
    await conn.execute(_COMPARED, columns(("employee_id", "levy_period"), keys))


_MOVE_DAYS = text(
    """
    UPDATE assessments a
       SET version = n.version, supplements = n.supplements, told = n.told,
           declared_version = n.declared_version
      FROM unnest(
        CAST(:employee_id AS text[]), CAST(:levy_period AS text[]), CAST(:version AS bigint[]),
        CAST(:supplements AS jsonb[]), CAST(:told AS text[]), CAST(:declared_version AS bigint[]))
        AS n(employee_id, levy_period, version, supplements, told, declared_version)
     WHERE a.employee_id = n.employee_id AND a.levy_period = n.levy_period
    """
)


async def move_days(conn: Connection, declared: Sequence[Assessment]) -> None:
    """Writes locked declared months back under the version that tells their days."""
    names = ("employee_id", "levy_period", "version", "supplements", "told", "declared_version")
    rows = (
        [to_json(a.supplements) if name == "supplements" else getattr(a, name) for name in names]
        for a in declared
    )
    await conn.execute(_MOVE_DAYS, columns(names, rows))


_PROPOSE = text(
    """
    INSERT INTO differences (employee_id, levy_period, employer_id, account_id, lines, found_at)
    SELECT n.*, CAST(:now AS timestamptz) FROM unnest(
        CAST(:employee_id AS text[]), CAST(:levy_period AS text[]), CAST(:employer_id AS text[]),
        CAST(:account_id AS text[]), CAST(:lines AS jsonb[]))
        AS n(employee_id, levy_period, employer_id, account_id, lines)
    ON CONFLICT (employee_id, levy_period) DO UPDATE
       SET lines = excluded.lines, found_at = excluded.found_at
     WHERE differences.lines <> excluded.lines
    """
)
_NO_LONGER = text(
    """
    DELETE FROM differences d
     USING unnest(CAST(:employee_id AS text[]), CAST(:levy_period AS text[]))
           AS n(employee_id, levy_period)
     WHERE d.employee_id = n.employee_id AND d.levy_period = n.levy_period
    """
)


async def propose(
    conn: Connection, found: Sequence[tuple[Assessment, Sequence[SupplementLine]]], now: datetime
) -> None:
    """Keeps what each month lacks now in place of what it lacked before; nothing where it lacks
    nothing.
    """
    keys = ("employee_id", "levy_period")
    nothing = ((one.employee_id, one.levy_period) for one, lines in found if not lines)
    await conn.execute(_NO_LONGER, columns(keys, nothing))
    rows = (
        (one.employee_id, one.levy_period, one.employer_id, one.account_id, to_json(lines))
        for one, lines in found
        if lines
    )
    names = (*keys, "employer_id", "account_id", "lines")
    await conn.execute(_PROPOSE, {**columns(names, rows), "now": now})


# The regular declaration's row is locked first: two who open number 1 at once open it once.
_REGULAR = text(
    """
    SELECT declaration_id, employer_id, account_id, levy_period, city, file_by, debit_by, due_on,
           state
      FROM declarations
     WHERE account_id = :account_id AND levy_period = :period AND number = 0 FOR UPDATE
    """
)
_NEWEST = text(
    """
    SELECT declaration_id, number, state FROM declarations
     WHERE account_id = :account_id AND levy_period = :period ORDER BY number DESC LIMIT 1
    """
)
_OPEN = text(
    """
    INSERT INTO declarations (declaration_id, employer_id, account_id, levy_period, city, file_by,
                              debit_by, due_on, opened_at, number)
    VALUES (:declaration_id, :employer_id, :account_id, :levy_period, :city, :file_by, :debit_by,
            :due_on, :now, :number)
    """
)


async def regular(conn: Connection, account_id: str, period: str) -> Declaration | None:
    """The regular declaration that the caller may see, locked."""
    values = {"account_id": account_id, "period": period}
    row = (await conn.execute(_REGULAR, values)).mappings().first()
    return Declaration(**row) if row is not None else None


async def open_next(conn: Connection, declaration: Declaration, now: datetime) -> str:
    """The id of the account month's open supplementary declaration: a new one if there is none.

    `declaration` is the regular one, locked. The new one has its days until it is approved.
    """
    values = {"account_id": declaration.account_id, "period": declaration.levy_period}
    newest = (await conn.execute(_NEWEST, values)).one()
    if newest.number and newest.state == "draft":
        found: str = newest.declaration_id
        return found
    number = newest.number + 1
    names = ("employer_id", "account_id", "levy_period", "city", "file_by", "debit_by", "due_on")
    made = str(derived_id("declaration", values["account_id"], values["period"], number))
    facts = {name: getattr(declaration, name) for name in names}
    await conn.execute(_OPEN, {**facts, "declaration_id": made, "number": number, "now": now})
    return made


_PROPOSED = """
    SELECT f.lines AS proposed, a.compare_at IS NOT NULL AS waits, {assessed}, d.due_on
      FROM differences f
      JOIN assessments a USING (employee_id, levy_period)
      JOIN declarations d ON d.account_id = a.account_id AND d.levy_period = a.levy_period
                         AND d.number = 0
     WHERE {where} ORDER BY a.levy_period, a.employee_id {lock}
"""
_NEVER_DECLARED = """
    SELECT NULL AS proposed, a.assess_at IS NOT NULL OR a.version = 0 AS waits, {assessed}, d.due_on
      FROM assessments a
      JOIN declarations d ON d.account_id = a.account_id AND d.levy_period = a.levy_period
                         AND d.number = 0 AND d.state = 'approved'
     WHERE a.declaration_id IS NULL AND {where} ORDER BY a.levy_period, a.employee_id {lock}
"""
_OF_ACCOUNT = "a.account_id = :account_id AND a.levy_period = :period"
_OF_EMPLOYEE = "a.employee_id = :employee_id"


@dataclass(frozen=True, slots=True)
class Lacking:
    """What a month lacks: proposed lines of a declared one; None: it was never declared. `waits`:
    it is still to be compared, or assessed.
    """

    owed: Owed
    proposed: Sequence[SupplementLine] | None
    waits: bool


async def of_account(
    conn: Connection, account_id: str, period: str, *, lock: bool = False
) -> list[Lacking]:
    """Everyone of an account month with something that no declaration carries."""
    values = {"account_id": account_id, "period": period}
    return await _lacking(conn, _OF_ACCOUNT, values, "FOR UPDATE OF a" if lock else "")


async def of_employee(conn: Connection, employee_id: str) -> list[Lacking]:
    return await _lacking(conn, _OF_EMPLOYEE, {"employee_id": employee_id}, "")


async def _lacking(
    conn: Connection, where: str, values: dict[str, str], lock: str
) -> list[Lacking]:
    found = []
    for template in (_PROPOSED, _NEVER_DECLARED):
        query = text(template.format(assessed=_ASSESSED, where=where, lock=lock))
        for row in (await conn.execute(query, values)).mappings():
            facts = dict(row)
            proposed, waits = facts.pop("proposed"), facts.pop("waits")
            lines = from_json(proposed, list[SupplementLine]) if proposed is not None else None
            found.append(Lacking(_owed(facts), lines, waits))
    return found


_FREEZE = text(
    """
    UPDATE assessments a
       SET version = n.version, lines = n.lines, supplements = n.supplements, told = n.told,
           declared_version = n.declared_version, file_by = n.file_by, debit_by = n.debit_by,
           declaration_id = coalesce(a.declaration_id, :declaration_id), assess_at = NULL
      FROM unnest(
        CAST(:employee_id AS text[]), CAST(:levy_period AS text[]), CAST(:version AS bigint[]),
        CAST(:lines AS jsonb[]), CAST(:supplements AS jsonb[]), CAST(:told AS text[]),
        CAST(:declared_version AS bigint[]), CAST(:file_by AS date[]), CAST(:debit_by AS date[]))
        AS n(employee_id, levy_period, version, lines, supplements, told, declared_version,
             file_by, debit_by)
     WHERE a.employee_id = n.employee_id AND a.levy_period = n.levy_period
    """
)


async def freeze(
    conn: Connection,
    declaration_id: str,
    declared: Sequence[Assessment],
    left: Sequence[tuple[Assessment, Sequence[SupplementLine]]],
    now: datetime,
) -> None:
    """What is declared stays as it was declared, and what is `left` of the proposals (refunds) goes
    on being proposed.
    """
    names = (
        "employee_id",
        "levy_period",
        "version",
        "lines",
        "supplements",
        "told",
        "declared_version",
        "file_by",
        "debit_by",
    )
    as_json = ("lines", "supplements")
    rows = (
        [to_json(getattr(a, name)) if name in as_json else getattr(a, name) for name in names]
        for a in declared
    )
    await conn.execute(_FREEZE, {**columns(names, rows), "declaration_id": declaration_id})
    await propose(conn, left, now)


_PAGE = text(
    """
    SELECT declaration_id, employer_id, account_id, levy_period, city, file_by, debit_by, due_on,
           state, version, people, sums, total_fen, lines_hash, approved_by, approved_at, number,
           filing_serial
      FROM declarations
     WHERE employer_id = :employer_id AND number > 0 AND declaration_id > :after
       AND (CAST(:account_id AS text) IS NULL OR account_id = :account_id)
     ORDER BY declaration_id LIMIT :limit
    """
)


async def page(
    conn: Connection, employer_id: str, account_id: str | None, after: str, limit: int
) -> list[Declaration]:
    """An employer's supplementary declarations by id, after `after`."""
    values = {"employer_id": employer_id, "account_id": account_id, "after": after, "limit": limit}
    return [
        Declaration(**{**row, "sums": from_json(row["sums"], dict[str, tuple[int, int]])})
        for row in (await conn.execute(_PAGE, values)).mappings()
    ]


_DECLARED_OF = text(
    """
    SELECT levy_period, supplements FROM assessments
     WHERE employee_id = :employee_id AND supplements <> '[]' ORDER BY levy_period
    """
)


async def declared_of(
    conn: Connection, employee_id: str
) -> list[tuple[str, Sequence[SupplementLine]]]:
    """By levy period what supplementary declarations have declared for an employee."""
    return [
        (row.levy_period, from_json(row.supplements, list[SupplementLine]))
        for row in await conn.execute(_DECLARED_OF, {"employee_id": employee_id})
    ]
