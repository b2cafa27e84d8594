"""Submissions and their frozen lines: the intent before the call, and what became of it."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import text

from bureau_sync_svc.domain.filing import SubmittedLine
from bureau_sync_svc.domain.lines import Sums
from bureau_sync_svc.domain.submissions import Kind, State
from bureau_sync_svc.store.exchanges import COUNTED_FROM, LOST_AT_MOST
from shared.db import Connection


@dataclass(frozen=True, slots=True)
class Submission:
    """One filing or paid detail. `exchanges` counts all requests about it, `failures` those in vain
    in a row.
    """

    serial: str
    kind: Kind
    declaration_id: str
    declaration_version: int
    round: int
    employer_id: str
    account_id: str
    account_no: str
    city: str
    levy_period: str
    party: str
    lines_hash: str
    debit_on: str
    state: State
    reason: str
    since: datetime
    next_at: datetime | None
    failures: int
    exchanges: int


def _submission(row: object) -> Submission:
    values = {name: getattr(row, name) for name in Submission.__slots__}
    return Submission(**{**values, "kind": Kind(values["kind"]), "state": State(values["state"])})


_OF_DECLARATION = text(
    "SELECT * FROM submissions WHERE declaration_id = :id ORDER BY serial FOR UPDATE"
)


async def of_declaration(conn: Connection, declaration_id: str) -> dict[str, Submission]:
    """All submissions of a declaration by serial, their rows locked."""
    rows = await conn.execute(_OF_DECLARATION, {"id": declaration_id})
    return {row.serial: _submission(row) for row in rows}


_PUT = text(
    f"""
    INSERT INTO submissions (
        serial, kind, declaration_id, declaration_version, round, employer_id, account_id,
        account_no, city, levy_period, party, lines_hash, debit_on, state, reason, since, next_at,
        failures, exchanges)
    VALUES (
        :serial, :kind, :declaration_id, :declaration_version, :round, :employer_id, :account_id,
        :account_no, :city, :levy_period, :party, :lines_hash, :debit_on, :state, :reason, :since,
        :next_at, :failures, {COUNTED_FROM})
    ON CONFLICT (serial) DO UPDATE
       SET state = excluded.state, reason = excluded.reason, next_at = excluded.next_at,
           round = excluded.round, failures = excluded.failures, leased_until = NULL,
           since = CASE WHEN submissions.state = excluded.state THEN submissions.since
                        ELSE excluded.since END
    """  # noqa: S608
)


async def put(conn: Connection, submission: Submission) -> None:
    """Writes a submission as planned or settled, and gives up its lease. `since` moves only with
    the state.
    """
    values = {name: getattr(submission, name) for name in Submission.__slots__}
    await conn.execute(_PUT, {**values, "lost": LOST_AT_MOST})


_DROP_LINES = text("DELETE FROM submission_lines WHERE serial = :serial")
_PUT_LINE = text(
    """
    INSERT INTO submission_lines (serial, employee_id, insurance, kind, employer_id, authority,
                                  base_fen, employer_fen, employee_fen)
    VALUES (:serial, :employee_id, :insurance, :kind, :employer_id, :authority,
            :base_fen, :employer_fen, :employee_fen)
    """
)


async def put_lines(
    conn: Connection, serial: str, employer_id: str, lines: Sequence[SubmittedLine]
) -> None:
    """Freezes the lines of a submission that was never sent."""
    await conn.execute(_DROP_LINES, {"serial": serial})
    await conn.execute(
        _PUT_LINE,
        [
            {
                "serial": serial,
                "employee_id": line.employee_id,
                "insurance": line.insurance,
                "kind": line.kind,
                "employer_id": employer_id,
                "authority": line.authority,
                "base_fen": line.sums.base_fen,
                "employer_fen": line.sums.employer_fen,
                "employee_fen": line.sums.employee_fen,
            }
            for line in lines
        ],
    )


_LINES = text(
    """
    SELECT employee_id, insurance, authority, kind, base_fen, employer_fen, employee_fen
      FROM submission_lines WHERE serial = :serial ORDER BY employee_id, insurance, kind DESC
    """
)


async def lines(conn: Connection, serial: str) -> list[SubmittedLine]:
    """A submission's lines, the regular one of an insurance before its differences."""
    return [
        SubmittedLine(
            row.employee_id,
            row.insurance,
            row.authority,
            row.kind,
            Sums(row.base_fen, row.employer_fen, row.employee_fen),
        )
        for row in await conn.execute(_LINES, {"serial": serial})
    ]


_DUE = text(
    """
    SELECT min(greatest(s.next_at, p.retry_at))
      FROM submissions s LEFT JOIN parties p USING (party) WHERE s.next_at IS NOT NULL
    """
)


async def due(conn: Connection) -> datetime | None:
    """The business time of the next request about any submission; a party's open circuit holds all
    of its own up.
    """
    at: datetime | None = (await conn.execute(_DUE)).scalar()
    return at


# The lease is longer than the longest request: one that ends means that its holder died.
_CLAIM = text(
    """
    UPDATE submissions
       SET leased_until = clock_timestamp() + interval '40 seconds', exchanges = exchanges + 1
     WHERE serial = (
           SELECT s.serial FROM submissions s LEFT JOIN parties p USING (party)
            WHERE greatest(s.next_at, p.retry_at) <= :now AND s.next_at IS NOT NULL
              AND coalesce(s.leased_until < clock_timestamp(), true)
            ORDER BY s.next_at, s.serial LIMIT 1 FOR UPDATE OF s SKIP LOCKED)
    RETURNING *
    """
)


async def claim(conn: Connection, now: datetime) -> Submission | None:
    """The next submission to send or ask about, leased against other replicas by the database's
    clock.
    """
    row = (await conn.execute(_CLAIM, {"now": now})).first()
    return _submission(row) if row is not None else None


_SENDING = text("UPDATE submissions SET state = 'sending' WHERE serial = :serial")


async def mark_sending(conn: Connection, serial: str) -> None:
    """The intent: committed before the request leaves."""
    await conn.execute(_SENDING, {"serial": serial})


_LOCK = text("SELECT * FROM submissions WHERE serial = :serial FOR UPDATE")


async def locked(conn: Connection, serial: str) -> Submission:
    """The submission as it is now, its row locked."""
    return _submission((await conn.execute(_LOCK, {"serial": serial})).one())


_WAITING = text(
    """
    SELECT kind, state, count(*) AS number, min(since) AS since FROM submissions
     WHERE state IN ('waiting', 'conflict', 'unknown') OR (state = 'ready' AND reason <> '')
     GROUP BY kind, state
    """
)


async def held_up(conn: Connection) -> Iterable[tuple[str, str, int, datetime]]:
    """What does not get on: kind, state, how many, and since when (business time)."""
    return [(row.kind, row.state, row.number, row.since) for row in await conn.execute(_WAITING)]


_ASK_FIRST = text(
    """
    UPDATE submissions SET state = 'unknown', reason = :reason, next_at = :now
     WHERE state IN ('ready', 'sending')
    """
)
_SKIP_LOST = (
    text("UPDATE submissions SET exchanges = exchanges + :lost"),
    text("UPDATE look_ups SET exchanges = exchanges + :lost"),
    text("UPDATE parties SET exchanges = exchanges + :lost"),
)


async def ask_before_sending(conn: Connection, reason: str, now: datetime) -> None:
    """Has every submission that is to be sent asked about first, and gives no exchange an id that a
    lost one may have had.
    """
    await conn.execute(_ASK_FIRST, {"reason": reason, "now": now})
    for statement in _SKIP_LOST:
        await conn.execute(statement, {"lost": LOST_AT_MOST})
