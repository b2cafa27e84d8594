"""Taking in the bank's word that a statement is published: kept once for ever, and fetched at
once.
"""

from dataclasses import dataclass
from datetime import datetime

from contribution_svc.store import statements
from shared.db import Connection


@dataclass(frozen=True, slots=True)
class StatementPublished:
    """What the bank's webhook says; `account` is the bank account's reference, `sha256` the
    file's.
    """

    statement_id: str
    account: str
    sha256: str
    day: str = ""


async def take_in_notice(
    conn: Connection,
    webhook_id: str,
    raw: bytes,
    notice: StatementPublished | None,
    now: datetime,
) -> None:
    """Keeps the webhook; one that came before changes nothing."""
    is_new = await statements.keep_webhook(conn, webhook_id, raw, now)
    if is_new and notice is not None:
        offer = statements.Offer(notice.statement_id, notice.account, notice.sha256)
        await statements.offer(conn, [offer], now)
