"""Whether a party can be talked to: its notices and refusals, and the state that follows at a
moment.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

import msgspec

from bureau_sync_svc.domain import wire
from bureau_sync_svc.domain.wire import Answer, Unreadable

OPEN = "open"
DEGRADED = "degraded"
CLOSED = "closed"

_STATE_OF_KIND = {"upgrade": DEGRADED, "closure": CLOSED}
LONGEST_NOTICE = timedelta(days=366)
"""A party that says it is closed for longer than a year is not believed: its jobs would sleep for
ever.
"""

FAILURES_TO_OPEN = 3
"""So many failures in a row open the party's circuit: its other work then waits as well."""
_FIRST_BACKOFF = timedelta(seconds=30)
_LONGEST_BACKOFF = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Notice:
    """A stretch that a party announced (or, with `announced` false, said in refusing a request).

    `kind` is upgrade (it answers, perhaps wrongly) or closure (it does not answer). It holds from
    `since` up to `until`.
    """

    notice_id: str
    kind: str
    since: datetime
    until: datetime
    text: str
    announced: bool = True

    def covers(self, now: datetime) -> bool:
        return self.since <= now < self.until


@dataclass(frozen=True, slots=True)
class AuthorityState:
    """What is told of a party: the fields of AuthorityStateChanged, and when they will change by
    themselves.
    """

    state: str
    since: datetime | None
    until: datetime | None
    reason: str
    announced: bool
    changes_at: datetime | None


class _WireNotice(msgspec.Struct, frozen=True):
    id: str
    kind: str
    since: str = msgspec.field(name="from")
    until: str
    text: str = ""


class _WireNotices(msgspec.Struct, frozen=True):
    notices: list[_WireNotice]


class _Closed(msgspec.Struct, frozen=True):
    code: str
    until: str
    text: str = ""


def read_notices(body: bytes) -> list[Notice]:
    """The notices in a reply; Unreadable when one of them cannot be understood whole."""
    notices = []
    for raw in wire.read_json(body, _WireNotices).notices:
        if raw.kind not in _STATE_OF_KIND:
            raise Unreadable(f"公告类型未知: {wire.words(raw.kind)}")
        since, until = wire.moment_of(raw.since), wire.moment_of(raw.until)
        if not since < until <= since + LONGEST_NOTICE:
            raise Unreadable(f"公告时段不成立: {raw.since} 至 {raw.until}")
        notices.append(Notice(wire.words(raw.id), raw.kind, since, until, wire.words(raw.text)))
    return notices


def closure_said(answer: Answer, now: datetime) -> Notice | None:
    """The closure that a 503 CLOSED names, from `now` on; None for any other answer, and for a time
    that is past or absurd.
    """
    if answer.status != 503:
        return None
    try:
        closed = wire.read_json(answer.body, _Closed)
        until = wire.moment_of(closed.until)
    except Unreadable:
        return None
    if closed.code != "CLOSED" or not now < until <= now + LONGEST_NOTICE:
        return None
    return Notice(
        f"said-{until.isoformat()}", "closure", now, until, wire.words(closed.text), announced=False
    )


def state_at(now: datetime, notices: Iterable[Notice]) -> AuthorityState:
    """The state at `now`: a closure wins over an upgrade, of two the one that ends last; the order
    of notices is no matter.
    """
    known = sorted(notices, key=lambda notice: (notice.since, notice.until, notice.notice_id))
    changes = [edge for n in known for edge in (n.since, n.until) if edge > now]
    changes_at = min(changes, default=None)
    current = [notice for notice in known if notice.covers(now)]
    if not current:
        ended = max((n.until for n in known if n.until <= now), default=None)
        return AuthorityState(OPEN, ended, None, "", False, changes_at)
    chosen = max(
        current, key=lambda n: (n.kind == "closure", n.announced, n.until, n.since, n.notice_id)
    )
    return AuthorityState(
        _STATE_OF_KIND[chosen.kind],
        chosen.since,
        chosen.until,
        chosen.text,
        chosen.announced,
        changes_at,
    )


def closures(notices: Iterable[Notice], year: int) -> tuple[tuple[str, str], ...]:
    """All closures that touch `year`, as sorted pairs of RFC 3339 moments; overlapping ones
    joined.
    """
    spans = sorted(
        (n.since, n.until)
        for n in notices
        if n.kind == "closure" and n.since.year <= year <= n.until.year
    )
    joined: list[tuple[datetime, datetime]] = []
    for since, until in spans:
        if joined and since <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(until, joined[-1][1]))
        else:
            joined.append((since, until))
    return tuple((since.isoformat(), until.isoformat()) for since, until in joined)


def backoff(failures: int) -> timedelta:
    """How long to wait after so many failures in a row: 30 s, doubled each time, an hour at
    most.
    """
    assert failures > 0
    return min(_FIRST_BACKOFF * (1 << min(failures - 1, 10)), _LONGEST_BACKOFF)
