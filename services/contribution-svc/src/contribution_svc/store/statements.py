"""Bank statements: what the bank offered, the files as they came, their statements and entries."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import text

from contribution_svc.domain.statement import Statement
from contribution_svc.store.values import columns, to_json
from shared.db import Connection
from shared.refusal import FieldFault
from shared.values import derived_id

_KEEP_WEBHOOK = text(
    """
    INSERT INTO bank_webhooks (webhook_id, body, received_at) VALUES (:id, :body, :now)
    ON CONFLICT DO NOTHING RETURNING webhook_id
    """
)
_OFFER = text(
    """
    INSERT INTO offered_statements (bank_id, account_ref, sha256, state, fetch_at)
    SELECT *, 'wanted', CAST(:now AS timestamptz)
      FROM unnest(CAST(:bank_id AS text[]), CAST(:account_ref AS text[]), CAST(:sha256 AS text[]))
    ON CONFLICT DO NOTHING
    """
)


@dataclass(frozen=True, slots=True)
class Offer:
    """A statement that the bank says it published; `sha256` is of its file."""

    bank_id: str
    account_ref: str
    sha256: str
    tries: int = 0


async def keep_webhook(conn: Connection, webhook_id: str, body: bytes, now: datetime) -> bool:
    """False when this webhook came before."""
    values = {"id": webhook_id, "body": body, "now": now}
    return (await conn.execute(_KEEP_WEBHOOK, values)).first() is not None


async def offer(conn: Connection, offers: Sequence[Offer], now: datetime) -> None:
    """To be fetched, unless it was offered before."""
    names = ("bank_id", "account_ref", "sha256")
    rows = ([getattr(o, name) for name in names] for o in sorted(offers, key=lambda o: o.bank_id))
    await conn.execute(_OFFER, {**columns(names, rows), "now": now})


_NEXT_LISTING = text("SELECT min(list_at) FROM bank_accounts")
_TO_LIST = text(
    """
    SELECT account_ref, listed_through FROM bank_accounts
     WHERE list_at <= :now ORDER BY list_at, account_ref LIMIT 1
    """
)
_LISTED = text(
    """
    UPDATE bank_accounts SET list_at = :list_at, listed_through = :through
     WHERE account_ref = :account_ref
    """
)
_NEXT_FETCH = text("SELECT min(fetch_at) FROM offered_statements WHERE fetch_at IS NOT NULL")
_TO_FETCH = text(
    """
    SELECT bank_id, account_ref, sha256, tries FROM offered_statements
     WHERE fetch_at <= :now ORDER BY fetch_at, bank_id LIMIT 1
    """
)
_FETCHED = text(
    """
    UPDATE offered_statements SET state = :state, fetch_at = :again_at, tries = tries + 1
     WHERE bank_id = :bank_id
    """
)


async def next_listing(conn: Connection) -> datetime | None:
    found: datetime | None = (await conn.execute(_NEXT_LISTING)).scalar()
    return found


async def account_to_list(conn: Connection, now: datetime) -> tuple[str, date | None] | None:
    """A bank account whose statements are to be asked for, and the day through which they were."""
    row = (await conn.execute(_TO_LIST, {"now": now})).first()
    return (row.account_ref, row.listed_through) if row is not None else None


async def listed(conn: Connection, account_ref: str, through: date, list_at: datetime) -> None:
    values = {"account_ref": account_ref, "through": through, "list_at": list_at}
    await conn.execute(_LISTED, values)


async def next_fetch(conn: Connection) -> datetime | None:
    found: datetime | None = (await conn.execute(_NEXT_FETCH)).scalar()
    return found


async def to_fetch(conn: Connection, now: datetime) -> Offer | None:
    row = (await conn.execute(_TO_FETCH, {"now": now})).mappings().first()
    return Offer(**row) if row is not None else None


async def fetched(
    conn: Connection, bank_id: str, state: str, again_at: datetime | None = None
) -> None:
    """`state` is imported or refused, or wanted with the time of the next try."""
    await conn.execute(_FETCHED, {"bank_id": bank_id, "state": state, "again_at": again_at})


@dataclass(frozen=True, slots=True)
class File:
    """A bank file as it came; state received, imported or refused."""

    file_id: str
    employer_id: str
    name: str
    sha256: str
    state: str


_KEEP_FILE = text(
    """
    INSERT INTO statement_files (file_id, employer_id, sha256, name, origin, state, content,
                                 received_at)
    VALUES (:file_id, :employer_id, :sha256, :name, :origin, 'received', :content, :now)
    ON CONFLICT DO NOTHING
    """
)
_FILE = text(
    """
    SELECT file_id, employer_id, name, sha256, state FROM statement_files
     WHERE file_id = :file_id FOR UPDATE
    """
)
_FILE_STATE = text(
    """
    UPDATE statement_files SET state = :state, faults = CAST(:faults AS jsonb)
     WHERE file_id = :file_id
    """
)


async def keep_file(
    conn: Connection,
    employer_id: str,
    name: str,
    origin: str,
    sha256: str,
    content: bytes,
    now: datetime,
) -> str:
    """Keeps the raw bytes, once per employer and content; returns the file's id."""
    file_id = str(derived_id("statement-file", employer_id, sha256))
    values = {
        "file_id": file_id,
        "employer_id": employer_id,
        "sha256": sha256,
        "name": name[:200],
        "origin": origin,
        "content": content,
        "now": now,
    }
    await conn.execute(_KEEP_FILE, values)
    return file_id


async def locked_file(conn: Connection, file_id: str) -> File:
    return File(**(await conn.execute(_FILE, {"file_id": file_id})).mappings().one())


async def file_is(
    conn: Connection, file_id: str, state: str, faults: Sequence[FieldFault] = ()
) -> None:
    values = {"file_id": file_id, "state": state, "faults": to_json(list(faults))}
    await conn.execute(_FILE_STATE, values)


_KNOWN = text(
    """
    SELECT account_ref, bank_id, content_sha256 FROM statements
     WHERE account_ref = ANY(:refs) AND bank_id = ANY(:ids)
    """
)
_OWNERS = text("SELECT account_ref, employer_id FROM bank_accounts WHERE account_ref = ANY(:refs)")
_PUT_STATEMENT = text(
    """
    INSERT INTO statements (statement_id, employer_id, file_id, account_ref, bank_id, day, sequence,
                            opening_fen, closing_fen, entries, content_sha256, imported_at)
    VALUES (:statement_id, :employer_id, :file_id, :account_ref, :bank_id, :day, :sequence,
            :opening_fen, :closing_fen, :entries, :content_sha256, :now)
    """
)
_PUT_ENTRIES = text(
    """
    INSERT INTO entries (entry_id, employer_id, statement_id, account_ref, amount_fen, is_debit,
                         is_return, booked_on, reference, voucher, remark, return_reason, state,
                         reason)
    SELECT entry_id, CAST(:employer_id AS text), CAST(:statement_id AS text),
           CAST(:account_ref AS text), amount_fen, is_debit, is_return, booked_on, reference,
           voucher, remark, return_reason, state, reason
      FROM unnest(
        CAST(:entry_id AS text[]), CAST(:amount_fen AS bigint[]), CAST(:is_debit AS boolean[]),
        CAST(:is_return AS boolean[]), CAST(:booked_on AS date[]), CAST(:reference AS text[]),
        CAST(:voucher AS text[]), CAST(:remark AS text[]), CAST(:return_reason AS text[]),
        CAST(:state AS text[]), CAST(:reason AS text[]))
        AS n(entry_id, amount_fen, is_debit, is_return, booked_on, reference, voucher, remark,
             return_reason, state, reason)
    """
)


async def owners_of(conn: Connection, refs: Collection[str]) -> Mapping[str, str]:
    """The employer of each bank account that we know."""
    rows = await conn.execute(_OWNERS, {"refs": sorted(refs)})
    return {row.account_ref: row.employer_id for row in rows}


async def known_statements(
    conn: Connection, statements: Sequence[Statement]
) -> Mapping[tuple[str, str], str]:
    """The content hash of those that were imported before, by account and the bank's id."""
    values = {
        "refs": sorted({s.account_ref for s in statements}),
        "ids": sorted({s.bank_id for s in statements}),
    }
    rows = await conn.execute(_KNOWN, values)
    return {(row.account_ref, row.bank_id): row.content_sha256 for row in rows}


@dataclass(frozen=True, slots=True)
class NewEntry:
    """One entry of a statement as it is stored, with what it is to begin with."""

    amount_fen: int
    is_debit: bool
    is_return: bool
    booked_on: date
    reference: str
    voucher: str
    remark: str
    return_reason: str
    state: str
    reason: str


async def put_statement(
    conn: Connection,
    file: File,
    statement: Statement,
    entries: Sequence[NewEntry],
    now: datetime,
) -> str:
    """Stores a statement that is whole; its ids are derived, so that a second import finds the
    first.
    """
    statement_id = str(derived_id("statement", statement.account_ref, statement.bank_id))
    owner = {"employer_id": file.employer_id, "statement_id": statement_id}
    owner["account_ref"] = statement.account_ref
    await conn.execute(
        _PUT_STATEMENT,
        {
            **owner,
            "file_id": file.file_id,
            "bank_id": statement.bank_id,
            "day": statement.day,
            "sequence": statement.sequence,
            "opening_fen": statement.opening_fen,
            "closing_fen": statement.closing_fen,
            "entries": len(entries),
            "content_sha256": statement.content_sha256(),
            "now": now,
        },
    )
    names = tuple(NewEntry.__slots__)
    rows = (
        (str(derived_id("entry", statement_id, at)), *(getattr(entry, name) for name in names))
        for at, entry in enumerate(entries)
    )
    await conn.execute(_PUT_ENTRIES, {**columns(("entry_id", *names), rows), **owner})
    return statement_id


_PAGE = text(
    """
    SELECT statement_id, account_ref, bank_id, day, sequence, opening_fen, closing_fen, entries,
           imported_at,
           coalesce(sequence - lag(sequence) OVER (PARTITION BY account_ref ORDER BY day) > 1,
                    false) AS gap_before
      FROM statements WHERE employer_id = :employer_id
     ORDER BY day, statement_id
    """
)
_STATEMENTS = text(
    f"""
    SELECT * FROM ({_PAGE.text}) s
     WHERE (day, statement_id) > (CAST(:day AS date), CAST(:after AS text))
     ORDER BY day, statement_id LIMIT :limit
    """  # noqa: S608
)


@dataclass(frozen=True, slots=True)
class ListedStatement:
    """An imported statement; `gap_before`: the bank's numbers say that one before it is missing."""

    statement_id: str
    account_ref: str
    bank_id: str
    day: date
    sequence: int | None
    opening_fen: int
    closing_fen: int
    entries: int
    imported_at: datetime
    gap_before: bool


async def page(
    conn: Connection, employer_id: str, after: tuple[date, str], limit: int
) -> list[ListedStatement]:
    """An employer's statements by day and id, after `after`."""
    values = {"employer_id": employer_id, "day": after[0], "after": after[1], "limit": limit}
    return [ListedStatement(**row) for row in (await conn.execute(_STATEMENTS, values)).mappings()]
