"""What all stores hold in the end, in words that mean the same in every run: to compare two runs.

Ids are drawn anew in each run, and versions count how facts happened to be batched; neither is part
of what became of the case. So employees go by their number, other ids by their place, moments by
their day, and system time is only said to be there.
"""

import json
import re
from collections import Counter
from collections.abc import Mapping
from datetime import datetime
from typing import Any

import asyncpg

from deploy.embedded.stack import Stack
from shared.clock import china_day

State = dict[str, Counter[str]]
"""By `database.table`: how often each canonical row is there."""

PLUMBING = frozenset(
    (
        "inbox",
        "outbox",
        "outbox_queue",
        "parked",
        "parked_keys",
        "relay_lease",
        "http_writes",
        "alembic_version",
    )
)
"""How facts travelled, which faults may change; `tests.support.invariants` looks at these."""
TRIES = frozenset({"bureau_sync_svc.exchanges", "notify_svc.tries"})
"""Every request to a bureau and to the mail server: a kill makes one more, or leaves one open."""
OF_A_TRY = {
    "bureau_sync_svc.submissions": frozenset({"exchanges", "failures"}),
    "bureau_sync_svc.look_ups": frozenset({"exchanges", "failures", "leased_until"}),
    "bureau_sync_svc.parties": frozenset({"exchanges", "leased_until"}),
    "notify_svc.notifications": frozenset({"state", "reason", "tries", "try_at", "delivered_at"}),
    "portal_svc.notifications": frozenset({"delivered"}),
}
"""What the last try came to; whether a mail arrived is the test's own question."""
_DRAWN_FIELDS = frozenset(
    (
        *("sealed", "wrapped_key", "root_key_id", "id_index", "content_mark"),
        *("webhook_id", "notice_id", "voucher", "sha256", "content_sha256", "seq"),
    )
)
"""Encrypted, hashed over ids, or numbered in the order of arrival: anew in each run."""
_CASE_YEARS = (2023, 2025)
_DRAWN = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|[0-9a-f]{32}|DZ-\d{6}-\d{4}")
"""Ids, and ticket numbers, which are given in the order in which facts arrive."""
_MOMENT = re.compile(r"20\d\d-\d\d-\d\dT[0-9:.]+(?:Z|[+-]\d\d:\d\d)")
"""Of a moment the day counts: who was down asks a quarter of an hour later."""


async def final_state(installation: Stack) -> State:
    """Every business table of the seven services and the sandbox."""
    names = await _employees(installation)
    state: State = {}
    for service in installation.layout.services:
        state |= await _tables(installation, service.replace("-", "_") + "_svc", names)
    return state


def differences(expected: State, found: State, limit: int = 20) -> list[str]:
    """`table: row` for rows that only one of the two has, at most `limit` a table."""
    lines = []
    for table in sorted(expected.keys() | found.keys()):
        mine, theirs = expected.get(table, Counter()), found.get(table, Counter())
        missing, extra = mine - theirs, theirs - mine
        lines += [f"{table}: missing {row}" for row in list(missing.elements())[:limit]]
        lines += [f"{table}: extra {row}" for row in list(extra.elements())[:limit]]
    return lines


async def _connect(installation: Stack, database: str) -> asyncpg.Connection:
    url = installation.postgres_url.rsplit("/", 1)[0]
    return await asyncpg.connect(f"{url}/{database}")


async def _employees(installation: Stack) -> dict[str, str]:
    """Employee numbers by employee id."""
    connection = await _connect(installation, "payroll_svc")
    try:
        rows = await connection.fetch("SELECT employee_id::text, employee_no FROM employees")
    finally:
        await connection.close()
    return {row["employee_id"]: row["employee_no"] for row in rows}


async def _tables(installation: Stack, database: str, names: Mapping[str, str]) -> State:
    connection = await _connect(installation, database)
    try:
        tables = await connection.fetch(
            "SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY tablename"
        )
        state: State = {}
        for [table] in tables:
            name = f"{database}.{table}"
            if table not in PLUMBING and name not in TRIES:
                rows = await connection.fetch(f'SELECT * FROM "{table}"')  # noqa: S608
                dropped = _DRAWN_FIELDS | OF_A_TRY.get(name, frozenset())
                state[name] = Counter(_row_text(dict(row), names, dropped) for row in rows)
    finally:
        await connection.close()
    return state


def _row_text(row: Mapping[str, Any], names: Mapping[str, str], dropped: frozenset[str]) -> str:
    kept = {
        name: _meant(value, names)
        for name, value in row.items()
        if name not in dropped and not name.endswith("version")
    }
    return json.dumps(kept, ensure_ascii=False, sort_keys=True)


def _meant(value: Any, names: Mapping[str, str]) -> Any:
    match value:
        case None | bool() | int():
            return value
        case bytes():
            return "bytes"
        case datetime():
            in_the_case = _CASE_YEARS[0] <= value.year <= _CASE_YEARS[1]
            return china_day(value).isoformat() if in_the_case else "system"
        case dict():
            return {
                _text(name, names): _meant(one, names)
                for name, one in value.items()
                if name not in _DRAWN_FIELDS and not name.endswith("version")
            }
        case list() | tuple():
            return sorted((_meant(one, names) for one in value), key=repr)
        case str() if value[:1] in ("{", "["):
            return _meant_json(value, names)
    return _text(str(value), names)


def _meant_json(text: str, names: Mapping[str, str]) -> Any:
    try:
        return _meant(json.loads(text), names)
    except ValueError:
        return _text(text, names)


def _text(text: str, names: Mapping[str, str]) -> str:
    days = _MOMENT.sub(
        lambda found: china_day(datetime.fromisoformat(found.group())).isoformat(), text
    )
    return _DRAWN.sub(lambda found: names.get(found.group(), "id"), days)
