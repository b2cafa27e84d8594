"""The sync log: every request and reply, masked, with the hashes of what really went over the
wire.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import text

from shared.db import Connection

LOST_AT_MOST = 100_000
"""Exchange ids are made of counters. A restored store goes on so much higher, so that no exchange
is taken for the evidence of a fact whose own evidence was lost.
"""
COUNTED_FROM = """
    coalesce((SELECT CAST(m.ask_first AS integer) * CAST(:lost AS integer) FROM account_months m
               WHERE m.account_id = :account_id AND m.levy_period = :levy_period), 0)
"""


@dataclass(frozen=True, slots=True)
class Exchange:
    """One request and its reply; `reply` empty and `status` none while or because there is none."""

    exchange_id: str
    party: str
    operation: str
    at: datetime
    outcome: str
    employer_id: str = ""
    account_id: str = ""
    levy_period: str = ""
    serial: str = ""
    request: str = ""
    request_sha256: str = ""
    status: int | None = None
    reply: str = ""
    reply_sha256: str = ""
    reason: str = ""
    milliseconds: int | None = None


_PUT = text(
    """
    INSERT INTO exchanges (
        exchange_id, party, operation, at, outcome, employer_id, account_id, levy_period, serial,
        request, request_sha256, status, reply, reply_sha256, reason, milliseconds)
    VALUES (
        :exchange_id, :party, :operation, :at, :outcome, :employer_id, :account_id, :levy_period,
        :serial, :request, :request_sha256, :status, :reply, :reply_sha256, :reason, :milliseconds)
    ON CONFLICT (exchange_id) DO UPDATE
       SET status = excluded.status, reply = excluded.reply, outcome = excluded.outcome,
           reply_sha256 = excluded.reply_sha256, reason = excluded.reason,
           milliseconds = excluded.milliseconds
    """
)


async def put(conn: Connection, exchanges: Sequence[Exchange]) -> None:
    """Adds exchanges; the reply to one whose request is kept already joins it."""
    values = [{name: getattr(one, name) for name in Exchange.__slots__} for one in exchanges]
    if values:
        await conn.execute(_PUT, values)
