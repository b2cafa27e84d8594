"""Local copies of what other services say: set-based, in any order, the newest version wins."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
from sqlalchemy import Table, text
from sqlalchemy.dialects.postgresql import insert

from bureau_sync_svc.domain.filing import AssessedLine, Assessment, PostedLine
from shared.db import Connection
from shared.sealed import Sealed

Values = Mapping[str, Any]


@dataclass(frozen=True, slots=True, order=True)
class AccountMonth:
    """One account's levy period: what is planned and sent as a whole. `ask_first`: a party may hold
    submissions that a store which was lost has sent.
    """

    account_id: str
    levy_period: str
    employer_id: str = ""
    city: str = ""
    ask_first: bool = False


@dataclass(frozen=True, slots=True)
class Declaration:
    """申报 as approved; `sums_fen` maps insurance to [employer, employee] fen, days are
    YYYY-MM-DD; `number` 1, 2, ... is a supplementary one (补充申报) of its account month.
    """

    declaration_id: str
    version: int
    employer_id: str
    account_id: str
    account_no: str
    city: str
    collector: str
    levy_period: str
    people: int
    sums_fen: dict[str, list[int]]
    total_fen: int
    lines_hash: str
    debit_on: str
    number: int = 0

    def carrier(self) -> str:
        """What its lines name as their declaration: nothing, if it is the regular one."""
        return self.declaration_id if self.number else ""


async def keep_newest(
    conn: Connection, table: Table, key: Sequence[str], rows: Iterable[Values]
) -> None:
    """Writes rows whose version is newer than the one kept; rows are locked in the order of their
    keys.
    """
    ordered = sorted(rows, key=lambda row: [row[name] for name in key])
    if not ordered:
        return
    statement = insert(table)
    changed = {name: statement.excluded[name] for name in ordered[0] if name not in key}
    await conn.execute(
        statement.on_conflict_do_update(
            index_elements=list(key),
            set_=changed,
            where=table.c.version < statement.excluded.version,
        ),
        [dict(row) for row in ordered],
    )


def plain(value: object) -> Any:
    """A domain value as JSON keeps it."""
    return msgspec.to_builtins(value)


# What is left of an erased identity is a row without data whose version no other can exceed: an
# older event of it that comes late, out of a dead letter or a replay, must not bring it back.
_FORGET = text(
    """
    INSERT INTO identities (employee_id, employer_id, sealed, wrapped_key, root_key_id, version)
    SELECT id, coalesce(e.employer_id, ''), '', '', '', 9223372036854775807
      FROM unnest(CAST(:ids AS text[])) AS id LEFT JOIN employees e ON e.employee_id = id
     ORDER BY id
    ON CONFLICT (employee_id) DO UPDATE
       SET sealed = '', wrapped_key = '', root_key_id = '', version = excluded.version
    """
)
_ERASED = text("SELECT employee_id FROM identities WHERE employee_id = ANY(:ids) AND sealed = ''")
_FORGET_INDEXES = text("DELETE FROM identity_indexes WHERE employee_id = ANY(:ids)")


async def forget_identities(conn: Connection, employee_ids: Sequence[str]) -> None:
    """Deletes what is sealed of these people, and every index by which they could be recognised."""
    await conn.execute(_FORGET, {"ids": sorted(set(employee_ids))})
    await conn.execute(_FORGET_INDEXES, {"ids": list(employee_ids)})


async def erased(conn: Connection, employee_ids: Iterable[str]) -> set[str]:
    """Those of them whose identity was erased."""
    return set((await conn.execute(_ERASED, {"ids": sorted(employee_ids)})).scalars())


_ASSESSED_UNDER = text(
    """
    SELECT DISTINCT account_id, levy_period, employer_id, city FROM assessments
     WHERE (employee_id, levy_period) IN
           (SELECT * FROM unnest(CAST(:employees AS text[]), CAST(:periods AS text[])))
    """
)


async def assessed_under(conn: Connection, keys: Sequence[tuple[str, str]]) -> list[AccountMonth]:
    """The account months under which these (employee, levy period) are assessed so far."""
    rows = await conn.execute(
        _ASSESSED_UNDER,
        {"employees": [key[0] for key in keys], "periods": [key[1] for key in keys]},
    )
    return [AccountMonth(**row) for row in rows.mappings()]


_MARK = text(
    """
    INSERT INTO account_months (account_id, levy_period, employer_id, city, is_stale)
    VALUES (:account_id, :levy_period, :employer_id, :city, true)
    ON CONFLICT (account_id, levy_period) DO UPDATE SET is_stale = true
    """
)
_MARK_CITIES = text("UPDATE account_months SET is_stale = true WHERE city = ANY(:cities)")


async def mark_stale(conn: Connection, months: Iterable[AccountMonth]) -> None:
    """Has the planning job look at these account months again; locks their rows, in order."""
    values = [
        {
            "account_id": month.account_id,
            "levy_period": month.levy_period,
            "employer_id": month.employer_id,
            "city": month.city,
        }
        for month in sorted(set(months))
    ]
    if values:
        await conn.execute(_MARK, values)


async def mark_cities_stale(conn: Connection, cities: Sequence[str]) -> None:
    """The same for all account months of these cities."""
    await conn.execute(_MARK_CITIES, {"cities": list(cities)})


_AGAIN = text(
    """
    UPDATE account_months SET is_stale = true
     WHERE account_id = :account_id AND levy_period = :levy_period
    """
)


async def plan_again(conn: Connection, account_id: str, levy_period: str) -> None:
    """The same for one account month that was planned before."""
    await conn.execute(_AGAIN, {"account_id": account_id, "levy_period": levy_period})


_ASK_FIRST = text("UPDATE account_months SET ask_first = true, is_stale = true")


async def ask_first(conn: Connection) -> None:
    """Nothing of these account months goes out before the party was asked for its serial."""
    await conn.execute(_ASK_FIRST)


_ANY_STALE = text("SELECT EXISTS (SELECT 1 FROM account_months WHERE is_stale)")
_TAKE_STALE = text(
    """
    UPDATE account_months SET is_stale = false
     WHERE (account_id, levy_period) = (
           SELECT account_id, levy_period FROM account_months WHERE is_stale
            ORDER BY account_id, levy_period LIMIT 1 FOR UPDATE SKIP LOCKED)
    RETURNING account_id, levy_period, employer_id, city, ask_first
    """
)


async def any_stale(conn: Connection) -> bool:
    """Whether an account month waits to be planned."""
    return bool((await conn.execute(_ANY_STALE)).scalar_one())


async def take_stale(conn: Connection) -> AccountMonth | None:
    """One account month to plan, its row locked: whoever changes a fact about it waits, and marks
    it again.
    """
    row = (await conn.execute(_TAKE_STALE)).mappings().first()
    return AccountMonth(**row) if row is not None else None


_LOCK_MONTH = text(
    """
    SELECT 1 FROM account_months WHERE account_id = :account_id AND levy_period = :levy_period
       FOR UPDATE
    """
)


async def lock_account_month(conn: Connection, account_id: str, levy_period: str) -> None:
    """Taken before any submission or row of the account month, so that all writers queue in one
    order.
    """
    await conn.execute(_LOCK_MONTH, {"account_id": account_id, "levy_period": levy_period})


_DECLARATIONS = text(
    """
    SELECT declaration_id, version, employer_id, account_id, account_no, city, collector,
           levy_period, people, sums_fen, total_fen, lines_hash, debit_on, number
      FROM declarations WHERE account_id = :account_id AND levy_period = :levy_period
     ORDER BY declaration_id
    """
)


async def declarations(conn: Connection, month: AccountMonth) -> list[Declaration]:
    """The approved declarations of an account month."""
    rows = await conn.execute(
        _DECLARATIONS, {"account_id": month.account_id, "levy_period": month.levy_period}
    )
    return [Declaration(**row) for row in rows.mappings()]


_ASSESSMENTS = text(
    """
    SELECT employee_id, version, lines FROM assessments
     WHERE account_id = :account_id AND levy_period = :levy_period AND is_due
     ORDER BY employee_id
    """
)


async def due_assessments(conn: Connection, month: AccountMonth) -> list[Assessment]:
    """Everyone of the account month who has a due line, with all their lines."""
    rows = await conn.execute(
        _ASSESSMENTS, {"account_id": month.account_id, "levy_period": month.levy_period}
    )
    return [
        Assessment(
            row.employee_id, row.version, msgspec.convert(row.lines, tuple[AssessedLine, ...])
        )
        for row in rows
    ]


_POSTINGS = text(
    """
    SELECT employee_id, lines FROM postings
     WHERE levy_period = :levy_period AND employee_id = ANY(:ids)
    """
)


async def posted_lines(
    conn: Connection, levy_period: str, employee_ids: Iterable[str]
) -> dict[tuple[str, str], list[PostedLine]]:
    """What the bank took, by employee and insurance: a line for each declaration that it paid."""
    rows = await conn.execute(
        _POSTINGS, {"levy_period": levy_period, "ids": sorted(set(employee_ids))}
    )
    found: dict[tuple[str, str], list[PostedLine]] = {}
    for row in rows:
        for line in msgspec.convert(row.lines, tuple[PostedLine, ...]):
            found.setdefault((row.employee_id, line.insurance), []).append(line)
    return found


_CARRIER = text("SELECT declaration_id FROM declarations WHERE declaration_id = :id AND number > 0")


async def carrier_of(conn: Connection, declaration_id: str) -> str:
    """The declaration's id if it is a supplementary one; empty for a regular one."""
    found: str | None = (await conn.execute(_CARRIER, {"id": declaration_id})).scalar()
    return found or ""


_PASSES_ON = text("SELECT passes_detail_on FROM policies WHERE city = :city")
_LOOK_UP_AT = text("SELECT look_up_at FROM policies WHERE city = :city")


async def passes_detail_on(conn: Connection, city: str) -> bool:
    """Whether the employer hands the paid detail on in this city; not before its policy is
    known.
    """
    return bool((await conn.execute(_PASSES_ON, {"city": city})).scalar())


async def look_up_time(conn: Connection, city: str) -> str | None:
    """The city's time of day for look-ups, `HH:MM`; None while its policy is not known."""
    found: str | None = (await conn.execute(_LOOK_UP_AT, {"city": city})).scalar()
    return found


_SEALED = text(
    """
    SELECT employee_id, sealed, wrapped_key, root_key_id FROM identities
     WHERE employer_id = :employer_id AND employee_id = ANY(:ids) AND sealed <> ''
    """
)
_UNINDEXED = text(
    """
    SELECT employee_id, version, sealed, wrapped_key, root_key_id FROM identities
     WHERE employer_id = :employer_id AND indexed_version < version AND sealed <> ''
     ORDER BY employee_id LIMIT :rows FOR UPDATE
    """
)
_INDEX = text(
    """
    INSERT INTO identity_indexes (employer_id, id_index, employee_id)
    VALUES (:employer_id, :id_index, :employee_id) ON CONFLICT DO NOTHING
    """
)
_INDEXED = text("UPDATE identities SET indexed_version = :version WHERE employee_id = :employee_id")
_RECOGNISED = text(
    """
    SELECT id_index, min(employee_id) AS employee_id FROM identity_indexes
     WHERE employer_id = :employer_id AND id_index = ANY(:indexes)
     GROUP BY id_index HAVING count(*) = 1
    """
)


async def sealed_identities(
    conn: Connection, employer_id: str, employee_ids: Iterable[str]
) -> dict[str, Sealed]:
    """The sealed identities of these people, by employee id; who has none is not in it."""
    rows = await conn.execute(_SEALED, {"employer_id": employer_id, "ids": sorted(employee_ids)})
    return {row.employee_id: Sealed(row.sealed, row.wrapped_key, row.root_key_id) for row in rows}


async def unindexed_identities(
    conn: Connection, employer_id: str, limit: int
) -> list[tuple[str, int, Sealed]]:
    """Identities that are new since the last look: employee id, version, sealed; their rows are
    locked.
    """
    rows = await conn.execute(_UNINDEXED, {"employer_id": employer_id, "rows": limit})
    return [
        (row.employee_id, row.version, Sealed(row.sealed, row.wrapped_key, row.root_key_id))
        for row in rows
    ]


async def add_indexes(
    conn: Connection, employer_id: str, indexed: Sequence[tuple[str, int, str]]
) -> None:
    """Keeps the blind index of each (employee id, version, index; empty when it cannot be opened).

    Indexes of older versions stay: an authority may go on using a number that was corrected.
    """
    if not indexed:
        return
    known = [
        {"employer_id": employer_id, "id_index": index, "employee_id": employee_id}
        for employee_id, _, index in indexed
        if index
    ]
    if known:
        await conn.execute(_INDEX, known)
    await conn.execute(
        _INDEXED, [{"employee_id": one, "version": version} for one, version, _ in indexed]
    )


async def recognised(conn: Connection, employer_id: str, indexes: Sequence[str]) -> dict[str, str]:
    """The employee id behind each blind index that is exactly one employee's."""
    rows = await conn.execute(_RECOGNISED, {"employer_id": employer_id, "indexes": list(indexes)})
    return {row.id_index: row.employee_id for row in rows}
