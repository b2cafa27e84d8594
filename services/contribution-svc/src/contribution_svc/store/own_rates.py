"""The rates that accounts have of their own: work injury by class and float, the housing fund."""

from collections.abc import Collection, Mapping
from datetime import datetime

from sqlalchemy import text

from contribution_svc.domain.policy import OwnRates
from contribution_svc.store.values import columns, from_json, to_json
from shared.db import Connection

# What was not declared yet is assessed again by the new rates; what was declared keeps what it
# used.
_PUT = text(
    """
    WITH changed AS (
        UPDATE accounts a SET own_rates = n.own_rates
          FROM unnest(CAST(:account_id AS text[]), CAST(:own_rates AS jsonb[]))
               AS n(account_id, own_rates)
         WHERE a.account_id = n.account_id AND a.own_rates <> n.own_rates
        RETURNING a.account_id)
    UPDATE assessments SET assess_at = :now
     WHERE declaration_id IS NULL AND account_id IN (SELECT account_id FROM changed)
    """
)
_OF = text("SELECT account_id, own_rates FROM accounts WHERE account_id = ANY(:ids)")


async def put(conn: Connection, rates: Mapping[str, OwnRates], now: datetime) -> None:
    """Keeps the rates by account, and marks what rests on those that changed."""
    rows = [(account_id, to_json(own)) for account_id, own in rates.items()]
    await conn.execute(_PUT, {**columns(("account_id", "own_rates"), rows), "now": now})


async def of_accounts(conn: Connection, ids: Collection[str]) -> dict[str, OwnRates]:
    """Employer's and employee's millionths by insurance, of each account."""
    rows = await conn.execute(_OF, {"ids": sorted(set(ids))})
    return {row.account_id: from_json(row.own_rates, dict[str, tuple[int, int]]) for row in rows}
