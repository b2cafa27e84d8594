"""I11: clean: no open transaction that does nothing, no stray lock, connections within bounds."""

from collections import Counter
from collections.abc import Iterator

from tests.support.invariants.facts import Facts, Session
from tests.support.invariants.violation import states

POOLS = 2 * 10 + 2
"""Connections of one service: two pools of at most ten (DATABASE_POOL), and a migration."""
SPARE = 0.8
"""Of the server's connections, so that a person can still get in."""


@states("I11")
def idle_in_transaction(facts: Facts) -> Iterator[str]:
    """No session leaves a transaction open and does nothing."""
    for one in facts.of(Session):
        if one.state.startswith("idle in") and one.quiet_for >= facts.given.idle_seconds:
            yield (
                f"session {one.pid} ({one.application or 'unnamed'} in {one.database}) is"
                f" {one.state} for {one.quiet_for} s"
            )


@states("I11")
def stray_advisory_lock(facts: Facts) -> Iterator[str]:
    """No idle session holds an advisory lock."""
    for one in facts.of(Session):
        if one.advisory_locks and one.state == "idle":
            yield (
                f"session {one.pid} ({one.application or 'unnamed'} in {one.database}) is idle and"
                f" holds {one.advisory_locks} advisory locks"
            )


@states("I11")
def too_many_connections(facts: Facts) -> Iterator[str]:
    """No service has more connections than its pools, and the server has room for a person."""
    sessions = facts.of(Session)
    for database, count in sorted(Counter(one.database for one in sessions).items()):
        if count > POOLS:
            yield f"{database} has {count} connections, expected at most {POOLS}"
    most = min((one.most_connections for one in sessions), default=0)
    if len(sessions) > SPARE * most:
        yield f"the server has {len(sessions)} of {most} connections in use"
