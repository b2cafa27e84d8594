"""Telling the policy packs: a pack whose content has changed is a new version of its city's
policy.
"""

from datetime import datetime

import msgspec

from contribution_svc.policy import Policies
from contribution_svc.store import assessments, campaigns, supplements
from contribution_svc.store import policies as policy_store
from contribution_svc.usecases.told import policy_changed
from shared import outbox
from shared.clock import china_day
from shared.db import Connection


async def unpublished(conn: Connection, policies: Policies) -> list[str]:
    """Cities whose pack was not told as it stands."""
    known = await policy_store.published(conn)
    return [pack.city for pack in policies if known.get(pack.city) != pack.sha256]


async def publish_policies(conn: Connection, policies: Policies, now: datetime) -> int:
    """Stores and tells every pack that changed, and has what rests on it assessed again, or
    compared where it was declared.
    """
    told = 0
    for city in await unpublished(conn, policies):
        pack = policies.packs[city]
        version = await policy_store.publish(conn, city, pack.sha256, _body(policies, city), now)
        if version is None:
            continue
        await outbox.add(conn, [policy_changed(pack, version, china_day(now))], now)
        await assessments.mark_city(conn, city, now)
        await campaigns.mark_city(conn, city, now)
        await supplements.compare_city(conn, city, now)
        told += 1
    return told


def _body(policies: Policies, city: str) -> object:
    """The whole pack as it was read, so that a later reader can say what was in force and by which
    source.
    """
    body: object = msgspec.to_builtins(policies.packs[city])
    return body
