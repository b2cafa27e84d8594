"""`tell_anomalies`: anomalies whose spread has settled get their likely cause and are told."""

from datetime import datetime

from reconciliation_svc.domain.anomalies import Spread, given_cause
from reconciliation_svc.store import anomalies as store
from reconciliation_svc.usecases import told
from shared import outbox
from shared.db import Connection


async def tell_anomalies(conn: Connection, now: datetime, limit: int) -> int:
    """Tells at most `limit` anomalies whose time has come; gives how many. Later growth does not
    change them.
    """
    untold = await store.take_untold(conn, now, limit)
    if not untold:
        return 0
    spreads = await store.spreads(conn, untold)
    alone = Spread(1, 1, 1, 1)
    caused = [
        given_cause(one, spreads.get((one.kind, one.employer_id, one.city, one.levy_period), alone))
        for one in untold
    ]
    await store.save(conn, caused)
    await outbox.add(conn, [told.anomaly_told(one) for one in caused], now)
    return len(caused)
