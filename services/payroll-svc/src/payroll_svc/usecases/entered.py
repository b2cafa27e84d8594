"""What people entered is told, so that a restored store takes it back; what says something of a
family or in a person's own words is sealed under their own key.
"""

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

from payroll_svc.domain.deductions import TaxDeclaration
from payroll_svc.domain.pay_items import Entry, Noted, Standing
from payroll_svc.domain.payslip import Reply
from payroll_svc.store import entered as entered_store
from payroll_svc.usecases.facts import entries_changed, pay_items_changed, standing_changed
from payroll_svc.usecases.identities import Keys, sealed_with_own_key
from shared import outbox
from shared.contracts import PayslipReplied, TaxDeclared
from shared.db import Connection

STANDING = "standing"
DECLARED = "declared"
"""What an employee's versions count, beside the entries of a month."""

_TOLD_AT_ONCE = 5_000


async def keep_standing(
    conn: Connection,
    employer_id: str,
    employee_id: str,
    items: Sequence[Standing],
    by: str,
    at: datetime,
) -> None:
    """Writes a person's standing items and tells them all."""
    noted = [(employee_id, Noted(item, at, by)) for item in items]
    await entered_store.save_standing(conn, employer_id, noted)
    versions = await entered_store.next_versions(conn, employer_id, [employee_id], STANDING)
    known = await entered_store.noted_standing(conn, employee_id)
    news = standing_changed(employer_id, employee_id, versions[employee_id], known)
    await outbox.add(conn, [news], at)


async def keep_entries(
    conn: Connection,
    employer_id: str,
    levy_period: str,
    given: Sequence[tuple[str, Entry]],
    by: str,
    at: datetime,
) -> None:
    """Writes (employee id, entry) pairs of a month and tells each of these employees' months."""
    noted = [(employee_id, Noted(entry, at, by)) for employee_id, entry in given]
    await entered_store.save_entries(conn, employer_id, levy_period, noted)
    ids = sorted({employee_id for employee_id, _ in given})
    for start in range(0, len(ids), _TOLD_AT_ONCE):
        some = ids[start : start + _TOLD_AT_ONCE]
        versions = await entered_store.next_versions(conn, employer_id, some, levy_period)
        known = await entered_store.noted_entries(conn, some, levy_period)
        news = [
            entries_changed(employer_id, one, levy_period, versions[one], known[one])
            for one in some
        ]
        await outbox.add(conn, news, at)


async def tell_items(conn: Connection, employer_id: str, at: datetime) -> None:
    """All of the employer's own pay items: none ever goes, so that their number is the version."""
    items = await entered_store.own_items(conn, employer_id)
    await outbox.add(conn, [pay_items_changed(employer_id, items)], at)


async def keep_declaration(
    conn: Connection,
    keys: Keys,
    employer_id: str,
    employee_id: str,
    declared: Noted[TaxDeclaration],
    at: datetime,
) -> None:
    """Writes all that a person declared, and tells it sealed."""
    await entered_store.save_declaration(conn, employer_id, employee_id, declared)
    versions = await entered_store.next_versions(conn, employer_id, [employee_id], DECLARED)
    event = TaxDeclared(
        version=versions[employee_id],
        employee_id=employee_id,
        employer_id=employer_id,
        sealed=await _sealed(conn, keys, employer_id, employee_id, asdict(declared.what)),
        entered_at=declared.entered_at.isoformat(),
        entered_by=declared.entered_by,
    )
    await outbox.add(conn, [event], at)


async def tell_replies(
    conn: Connection, keys: Keys, employer_id: str, replies: Sequence[Reply], at: datetime
) -> None:
    """All that was said of one payslip, sealed: who said it, and the words."""
    last = replies[-1]
    said = [{**asdict(one), "said_at": one.said_at.isoformat()} for one in replies]
    event = PayslipReplied(
        version=last.ordinal,
        employee_id=last.employee_id,
        employer_id=employer_id,
        run_id=last.run_id,
        kind=last.kind,
        sealed=await _sealed(conn, keys, employer_id, last.employee_id, said),
    )
    await outbox.add(conn, [event], at)


async def _sealed(
    conn: Connection, keys: Keys, employer_id: str, employee_id: str, said: Iterable[Any]
) -> str:
    content = {"said": json.dumps(said, ensure_ascii=False)}
    return await sealed_with_own_key(conn, keys.sealer(), employer_id, employee_id, content)
