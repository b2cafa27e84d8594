"""The packs that ship with the service: in force where the store has none, proposed where it has;
and any pack is told again when the day has come from which more of it is known.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from contribution_svc.domain.pack_changes import changes
from contribution_svc.domain.policy import Pack
from contribution_svc.domain.release import Origin
from contribution_svc.policy import Policies
from contribution_svc.store import policies as policy_store
from contribution_svc.store import proposals
from contribution_svc.store.policies import PackFile, Told
from contribution_svc.usecases.library import Library
from contribution_svc.usecases.release import Draft, propose, put_into_force
from shared.clock import china_day, china_time
from shared.db import Connection

_NOTE = "随系统新版本提供"
_PUBLISHER = "release of contribution-svc"


@dataclass(frozen=True, slots=True)
class _Unsettled:
    """Shipped packs that nobody has to release and those that somebody has; and packs in force that
    were told before all that is known of them today was.
    """

    adopted: list[Pack]
    proposed: list[Pack]
    outgrown: list[Pack]

    def count(self) -> int:
        return len(self.adopted) + len(self.proposed) + len(self.outgrown)


async def is_policy_unsettled(conn: Connection, library: Library, now: datetime) -> bool:
    return (await _unsettled(conn, library, now)).count() > 0


async def settle_policies(conn: Connection, library: Library, now: datetime) -> int:
    """Gives how many packs were told or proposed.

    An installation begins with what ships: nothing was in force before with which a second person
    could compare it, and without it no levy period opens. Every later pack is a release.
    """
    found = await _unsettled(conn, library, now)
    for pack in found.adopted:
        file = PackFile(pack.city, pack.sha256, library.shipped.files[pack.city])
        if not await put_into_force(conn, file, pack, "", now):
            await policy_store.keep_file(conn, file, now)
    for file in await policy_store.files(conn, [pack.sha256 for pack in found.outgrown]):
        [pack] = [pack for pack in found.outgrown if pack.sha256 == file.sha256]
        await put_into_force(conn, file, pack, "", now)
    for pack in found.proposed:
        file = PackFile(pack.city, pack.sha256, library.shipped.files[pack.city])
        draft = Draft(file.content, pack.city, _NOTE, Origin.SHIPPED, _PUBLISHER)
        await propose(conn, library, draft, now)
    return found.count()


async def _unsettled(conn: Connection, library: Library, now: datetime) -> _Unsettled:
    told = await policy_store.told(conn)
    in_force = await library.in_force(conn)
    adopted, newer = [], []
    for pack in library.shipped:
        if pack.city not in told or not told[pack.city].is_kept:
            adopted.append(pack)
        elif pack.sha256 != told[pack.city].sha256:
            newer.append(pack)
    today = china_day(now)
    outgrown = [pack for pack in in_force if _is_outgrown(pack, told.get(pack.city), today)]
    return _Unsettled(adopted, await _news(conn, newer, in_force), outgrown)


async def _news(conn: Connection, newer: Sequence[Pack], in_force: Policies) -> list[Pack]:
    """What was in force and was replaced is no news; nor is what somebody has rejected."""
    if not newer:
        return []
    before = await proposals.known(conn, Origin.SHIPPED)
    before |= await policy_store.ever_in_force(conn)
    return [
        pack
        for pack in newer
        if (pack.city, pack.sha256) not in before and changes(in_force.of(pack.city), pack)
    ]


def _is_outgrown(pack: Pack, told: Told | None, today: date) -> bool:
    known_since = pack.known_since(today)
    if told is None or not told.is_kept or known_since > today:
        return False
    return told.published_at < china_time(known_since, "00:00")
