"""`observe` merges facts into months; `sweep` takes months whose time has come; both judge and tell
what changed.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime

from reconciliation_svc.domain.anomalies import Changes, changes_of
from reconciliation_svc.domain.month import Arrival, Judged, References, fold, judge_month
from reconciliation_svc.domain.verdict import Verdict
from reconciliation_svc.domain.windows import Calendar
from reconciliation_svc.store import anomalies as anomaly_store
from reconciliation_svc.store import locks, months, parked_sides, references
from reconciliation_svc.store.months import JudgedRow, KeptMonth
from reconciliation_svc.usecases import look_ups, told
from shared import outbox
from shared.contracts import Event
from shared.db import Connection
from shared.values import Insurance, Outcome


async def observe(
    conn: Connection, arrivals: Iterable[Arrival], calendar: Calendar, now: datetime
) -> int:
    """Merges sides, newest version each, and judges the months that they changed; gives how many
    these were.

    The same for every order and repetition of the arrivals.
    """
    kept = await merge(conn, arrivals, now)
    await _judge(conn, kept, calendar, now)
    return len(kept)


async def merge(conn: Connection, arrivals: Iterable[Arrival], now: datetime) -> list[KeptMonth]:
    """Merges sides, newest version each; gives the months that they changed, not judged yet."""
    await locks.share_references(conn)
    kept = await months.merge(conn, fold(arrivals))
    strangers = {
        (one.month.employer_id, one.month.employee_id) for one in kept if one.month.roster is None
    }
    await references.request_roster(conn, sorted(strangers), now)
    return kept


async def sweep(conn: Connection, calendar: Calendar, now: datetime, limit: int) -> int:
    """Judges at most `limit` months whose `next_due_at` has passed; gives how many."""
    await locks.share_references(conn)
    kept = await months.take_due(conn, now, limit)
    await _judge(conn, kept, calendar, now)
    return len(kept)


async def _judge(
    conn: Connection, kept: Sequence[KeptMonth], calendar: Calendar, now: datetime
) -> None:
    if not kept:
        return
    against = References(
        policies=await references.all_policies(conn),
        authorities=await references.all_authorities(conn),
        cut_overs=await references.cut_overs(conn, {one.month.employer_id for one in kept}),
        calendar=calendar,
        waiting=await parked_sides.waiting(conn),
    )
    pairs = [(one, judge_month(one.month, against, now)) for one in kept]
    rows, events = [], list[Event]()
    for one, judged in pairs:
        may_raise = one.month.employer_id in against.cut_overs
        row, is_news = _row(one, judged, may_raise=may_raise)
        if row is not None:
            rows.append(row)
        if is_news:
            events.append(told.cells_judged(judged, one.version + 1, now))
    await months.save_judged(conn, rows, now)
    await _watch_look_ups(conn, pairs, against, now)
    events += await _follow_anomalies(conn, pairs, against, now)
    await outbox.add(conn, events, now)


def _row(one: KeptMonth, judged: Judged, *, may_raise: bool) -> tuple[JudgedRow | None, bool]:
    """What to write, None if nothing differs; and whether readers must hear of it."""
    place = (judged.month.city, judged.month.account_id, judged.month.department_id)
    is_news = _told(one.verdicts) != _told(judged.verdicts) or (
        bool(judged.verdicts) and place != one.place
    )
    anomalous = may_raise and bool(judged.anomalies())
    if not is_news and (one.next_due_at, one.anomalous) == (judged.next_due_at, anomalous):
        return None, False
    return JudgedRow(judged, one.version + is_news, anomalous), is_news


def _told(verdicts: Iterable[Verdict]) -> list[tuple[object, ...]]:
    return [verdict.told() for verdict in verdicts]


async def _watch_look_ups(
    conn: Connection,
    pairs: Sequence[tuple[KeptMonth, Judged]],
    against: References,
    now: datetime,
) -> None:
    """For operators, not for HR: nobody knows yet whether these records are missing."""
    begun: set[tuple[str, str]] = set()
    ended: set[str] = set()
    for one, judged in pairs:
        before, after = _not_looked_up(one.verdicts), _not_looked_up(judged.verdicts)
        begun |= {(after[insurance], judged.month.city) for insurance in after.keys() - before}
        ended |= {before[insurance] for insurance in before.keys() - after}
    await look_ups.watch(conn, begun, ended, against.policies, now)


def _not_looked_up(verdicts: Iterable[Verdict]) -> dict[Insurance, str]:
    """The authority of each cell whose window closed without a look-up since."""
    return {v.insurance: v.authority for v in verdicts if v.outcome is Outcome.NOT_LOOKED_UP}


async def _follow_anomalies(
    conn: Connection,
    pairs: Sequence[tuple[KeptMonth, Judged]],
    against: References,
    now: datetime,
) -> list[Event]:
    """Brings the months' anomalies in step with their verdicts; gives the events of changed and
    cleared ones.
    """
    concerned = [pair for pair in pairs if pair[0].anomalous or pair[1].anomalies()]
    if not concerned:
        return []
    keys = [(one.month.employee_id, one.month.levy_period) for one, _ in concerned]
    open_ones, cleared = await anomaly_store.of_months(conn, keys)
    changes: list[Changes] = []
    for key, (one, judged) in zip(keys, concerned, strict=True):
        may_raise = one.month.employer_id in against.cut_overs
        changes.append(
            changes_of(
                judged, open_ones.get(key, ()), cleared.get(key, {}), now, may_raise=may_raise
            )
        )
    await anomaly_store.forget(conn, (name for change in changes for name in change.forgotten))
    await anomaly_store.save(conn, [one for change in changes for one in change.kept])
    return [told.anomaly_told(one) for change in changes for one in change.told]
