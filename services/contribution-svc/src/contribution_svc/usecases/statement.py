"""Importing bank statements: the raw file is kept, all its faults are told at once, and nothing of
a broken one is applied.
"""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from contribution_svc.domain.statement import Entry, Statement, effect_of, faults
from contribution_svc.errors import StatementFileInvalid
from contribution_svc.store import statements as statement_store
from contribution_svc.store.statements import File, NewEntry
from contribution_svc.usecases.allocation import Rules, allocate_waiting
from shared.db import Connection
from shared.refusal import FieldFault


@dataclass(frozen=True, slots=True)
class Imported:
    """What an import did; `recognised`: this very file was imported before, and nothing was
    done.
    """

    file_id: str
    statement_ids: Sequence[str]
    entries: int
    allocated: int
    recognised: bool = False


def content_sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


async def keep_file(
    conn: Connection, employer_id: str, name: str, origin: str, content: bytes, now: datetime
) -> str:
    """Keeps the raw bytes before anything is made of them; `origin` is bank or upload."""
    sha256 = content_sha256(content)
    return await statement_store.keep_file(conn, employer_id, name, origin, sha256, content, now)


async def refuse_file(conn: Connection, file_id: str, found: Sequence[FieldFault]) -> None:
    """Notes why a kept file could not be imported; the same file may come again once that has
    changed.
    """
    await statement_store.file_is(conn, file_id, "refused", found)


async def import_file(
    conn: Connection, rules: Rules, file_id: str, statements: Sequence[Statement], now: datetime
) -> Imported:
    """Stores the file's new statements and allocates their entries.

    A statement that came before with the same content is passed over. StatementFileInvalid names
    every fault.
    """
    file = await statement_store.locked_file(conn, file_id)
    if file.state == "imported":
        return Imported(file_id, (), 0, 0, recognised=True)
    owners = await statement_store.owners_of(conn, {s.account_ref for s in statements})
    known = await statement_store.known_statements(conn, statements)
    found = [
        *faults(statements, file.name),
        *_owner_faults(file, statements, owners),
        *_content_faults(file, statements, known),
    ]
    if found:
        raise StatementFileInvalid.of(found)
    new = [s for s in statements if (s.account_ref, s.bank_id) not in known]
    ids = []
    for statement in new:
        entries = [_new_entry(entry) for entry in statement.entries]
        ids.append(await statement_store.put_statement(conn, file, statement, entries, now))
    allocated = await allocate_waiting(conn, rules, {s.account_ref for s in new}, now)
    await statement_store.file_is(conn, file_id, "imported")
    return Imported(file_id, ids, sum(len(s.entries) for s in new), allocated)


def _new_entry(entry: Entry) -> NewEntry:
    effect = effect_of(entry)
    return NewEntry(
        amount_fen=entry.amount_fen,
        is_debit=entry.is_debit,
        is_return=entry.is_return(),
        booked_on=entry.booked_on,
        reference=entry.reference,
        voucher=entry.voucher,
        remark=entry.remark,
        return_reason=" ".join(part for part in (entry.return_code, entry.return_text) if part),
        state=effect.state,
        reason=effect.reason,
    )


def _owner_faults(
    file: File, statements: Sequence[Statement], owners: Mapping[str, str]
) -> Iterator[FieldFault]:
    """An account that is unknown and one of another employer are never told apart."""
    for statement in statements:
        if owners.get(statement.account_ref) != file.employer_id:
            yield FieldFault(
                f"{file.name}:{statement.line}:Stmt/Acct/Id",
                statement.account_ref,
                "expected a bank account of this employer",
                "add the bank account to the employer's insurance account first",
            )


def _content_faults(
    file: File, statements: Sequence[Statement], known: Mapping[tuple[str, str], str]
) -> Iterator[FieldFault]:
    for statement in statements:
        before = known.get((statement.account_ref, statement.bank_id))
        if before is not None and before != statement.content_sha256():
            yield FieldFault(
                f"{file.name}:{statement.line}:Stmt/Id",
                statement.bank_id,
                "was imported before with other content",
                "ask the bank which one is right; the first stays as it is",
            )
