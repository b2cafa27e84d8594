"""Taking a signed bundle in: each of its packs that differs from what is in force becomes a
proposal, or nothing does.
"""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from prometheus_client import Counter, Gauge

from contribution_svc.domain.release import Origin
from contribution_svc.errors import BundleRefused, NothingToRelease, PolicyInvalid
from contribution_svc.policy.bundle import Bundle, Keys, opened
from contribution_svc.store import policy_updates
from contribution_svc.store.policy_updates import Taken
from contribution_svc.usecases.library import Library, read
from contribution_svc.usecases.release import Draft, propose
from shared.db import Connection
from shared.logs import get_logger
from shared.refusal import FieldFault

EVERY = timedelta(minutes=30)
"""What is published appears as a proposal within an hour, also when one poll in two fails."""

_refused = Counter("daozhang_policy_bundles_refused_total", "Policy bundles that were not taken in")
_failing = Gauge(
    "daozhang_policy_updates_failing_since_seconds",
    "Business time, in Unix seconds, since when the update address gives nothing that can be taken"
    " in; 0 while it does",
)
_log = get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Carried:
    """A bundle's bytes, how they came, and who brought them: an operator, or nobody from the
    address.
    """

    content: bytes
    origin: Origin
    by: str = ""


@dataclass(frozen=True, slots=True)
class Trust:
    """Whose bundles are believed; asked for each one, so that a key ring can change."""

    library: Library
    keys: Callable[[], Keys]


async def take_in(conn: Connection, trust: Trust, carried: Carried, now: datetime) -> Taken:
    """Takes a bundle in whole; the newest one again changes nothing.

    Raises BundleRefused, and PolicyInvalid with the faults of all its packs; either is counted and
    logged.
    """
    try:
        bundle = await asyncio.to_thread(opened, carried.content, trust.keys())
        newest = await policy_updates.newest(conn)
        if newest is not None and newest.sha256 == bundle.sha256:
            return newest
        _check_sequence(bundle, newest)
        await _check_packs(bundle)
        return await _take(conn, trust.library, bundle, carried, now)
    except (BundleRefused, PolicyInvalid) as refusal:
        _refused.inc()
        _log.error("policy_bundle_refused", origin=carried.origin, reason=refusal.detail[:500])
        raise


def _check_sequence(bundle: Bundle, newest: Taken | None) -> None:
    if newest is not None and bundle.sequence <= newest.sequence:
        raise BundleRefused(
            f"bundle {bundle.sequence} is not newer than {newest.sequence}, which was taken in at"
            f" {newest.taken_at:%Y-%m-%d %H:%M}; publish it anew under a higher number"
        )


async def _check_packs(bundle: Bundle) -> None:
    faults: list[FieldFault] = []
    for name, content in bundle.packs.items():
        try:
            await read(name, content)
        except PolicyInvalid as refusal:
            faults.extend(refusal.faults)
    if faults:
        raise PolicyInvalid.of(faults)


async def _take(
    conn: Connection, library: Library, bundle: Bundle, carried: Carried, now: datetime
) -> Taken:
    # Whoever publishes is the first of the two people where nobody carried the bundle here.
    by = carried.by or f"key:{bundle.key_id}"
    proposed = []
    for name, content in bundle.packs.items():
        draft = Draft(content, name, bundle.note, carried.origin, by)
        try:
            proposed.append((await propose(conn, library, draft, now)).proposal_id)
        except NothingToRelease:
            continue
    taken = Taken(
        sequence=bundle.sequence,
        sha256=bundle.sha256,
        key_id=bundle.key_id,
        origin=carried.origin,
        taken_by=by,
        taken_at=now,
        note=bundle.note,
        proposal_ids=proposed,
    )
    await policy_updates.add(conn, taken)
    _log.info("policy_bundle_taken_in", sequence=bundle.sequence, proposals=len(proposed))
    return taken


async def update_warnings(conn: Connection, address: str) -> Mapping[str, str]:
    """What people have to know of the update address; nothing while it works, or where there is
    none.
    """
    found = await policy_updates.failing(conn, address) if address else None
    _failing.set(found[0].timestamp() if found is not None else 0)
    if found is None:
        return {}
    since, reason = found
    return {"policy_updates": f"since {since.isoformat()}: {reason}"}
