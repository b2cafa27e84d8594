"""What must not be read where it does not belong: identity numbers, names, and other employers'."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import asyncpg

from tests.support.invariants.facts import Employee, Employer, Rows, Stray

_ID_NO = re.compile(
    r"(?<![0-9A-Za-z])[0-9]{6}(?:19|20)[0-9]{2}[01][0-9][0-3][0-9]{4}[0-9Xx](?![0-9A-Za-z])"
)
_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_CJK = re.compile(r"[\u4e00-\u9fff·]{2,}")
_LONGEST_NAME = 8

MAY_HOLD_NAMES = frozenset({"payroll_svc", "bureau_sync_svc", "notify_svc", "portal_svc"})
"""design.md section 9: names rest in these stores only; identity numbers are sealed in all."""
_WRITTEN_BY_PEOPLE = frozenset({"messages", "tickets"})
"""A conversation and a person's reason may name anyone; their tables are read by those it is
about.
"""


@dataclass(frozen=True)
class Canaries:
    """`titles` maps an employer's name and code to its id, `people` an employee's id to their
    employer's.
    """

    names: frozenset[str]
    titles: Mapping[str, str]
    people: Mapping[str, str]

    @classmethod
    def of(cls, sources: Iterable[Rows], names: Iterable[str]) -> "Canaries":
        """Ids from payroll-svc's own store, where names are sealed: these are as the collectors
        got them.
        """
        titles: dict[str, str] = {}
        people: dict[str, str] = {}
        for rows in sources:
            for row in (*rows.get(Employer, ()), *rows.get(Employee, ())):
                if isinstance(row, Employer):
                    titles |= {row.name: row.employer_id, row.uscc: row.employer_id}
                elif isinstance(row, Employee):
                    people[row.employee_id] = row.employer_id
        return cls(frozenset(name for name in names if len(name) > 1), titles, people)

    def named_in(self, text: str) -> set[str]:
        """Names of people in runs of Chinese characters."""
        return {
            run[start : start + length]
            for run in _CJK.findall(text)
            for start in range(len(run))
            for length in range(2, _LONGEST_NAME + 1)
            if run[start : start + length] in self.names
        }

    def others_in(self, text: str, employer_id: str) -> set[str]:
        """The other employers whose people or titles the text has."""
        found = {self.people[word] for word in _UUID.findall(text) if word in self.people}
        own = [title for title, owner in self.titles.items() if owner == employer_id]
        found |= {
            owner
            for title, owner in self.titles.items()
            # One employer's name may be a part of another's.
            if title in text and not any(title in mine for mine in own)
        }
        return found - {employer_id}


def identity_numbers(text: str) -> list[str]:
    """Resident identity numbers: by their form, their date and their check digit (GB 11643)."""
    return [number for number in _ID_NO.findall(text) if _checks(number)]


def _checks(number: str) -> bool:
    total = sum(int(digit) * weight for digit, weight in zip(number, _WEIGHTS, strict=False))
    return "10X98765432"[total % 11] == number[-1].upper()


def masked(number: str) -> str:
    """The first six and the last four characters, as people see them."""
    return f"{number[:6]}…{number[-4:]}"


_TABLES = """
    SELECT c.relname AS name,
           (SELECT string_agg(format('%I', a.attname), ', ' ORDER BY a.attnum)
              FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attnum > 0
               AND NOT a.attisdropped AND a.atttypid <> 'bytea'::regtype) AS columns,
           EXISTS (SELECT 1 FROM pg_attribute a
                    WHERE a.attrelid = c.oid AND a.attname = 'employer_id') AS has_employer
      FROM pg_class c
     WHERE c.relkind = 'r' AND c.relnamespace = 'public'::regnamespace
     ORDER BY c.relname
"""
_BODIES = {"outbox": "payload", "http_writes": "answer", "parked": "value"}
"""Tables whose content is JSON in bytes."""


async def strays_in(
    connection: asyncpg.Connection, database: str, canaries: Canaries
) -> list[Stray]:
    """Reads every row of every table as text, a few at a time, inside connection's transaction."""
    found: set[Stray] = set()
    for table in await connection.fetch(_TABLES):
        name = table["name"]
        body = _BODIES.get(name)
        text = f"ROW({table['columns']})::text"
        if body:
            text += f" || coalesce(convert_from({body}, 'UTF8'), '')"
        employer = "employer_id" if table["has_employer"] else "''"
        query = f'SELECT {employer} AS employer, {text} AS text FROM "{name}"'  # noqa: S608
        async for row in connection.cursor(query, prefetch=500):
            found.update(_strays(database, name, row["employer"], row["text"], canaries))
    return sorted(found)


def _strays(
    database: str, table: str, employer_id: str, text: str, canaries: Canaries
) -> Iterable[Stray]:
    place = f"{table} of employer {employer_id}" if employer_id else table
    for number in identity_numbers(text):
        yield Stray(database, place, "id_no", masked(number))
    if database not in MAY_HOLD_NAMES and table not in _WRITTEN_BY_PEOPLE:
        for name in canaries.named_in(text):
            yield Stray(database, place, "name", f"{name[0]}* ({len(name)} characters)")
    if employer_id:
        for other in canaries.others_in(text, employer_id):
            yield Stray(database, place, "employer", other)


def strays_of_record(topic: str, text: str, canaries: Canaries) -> Iterable[Stray]:
    """Personal data in one record: events carry ids, codes and amounts."""
    for number in identity_numbers(text):
        yield Stray("topics", topic, "id_no", masked(number))
    for name in canaries.named_in(text):
        yield Stray("topics", topic, "name", f"{name[0]}* ({len(name)} characters)")
