"""The packs that ship with the service: in force where the store has none, proposed where it has;
and any pack is told again when the day has come from which more of it is known.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from contribution_svc.domain.pack_changes import changes
from contribution_svc.domain.policy import Pack
from contribution_svc.domain.release import Origin
from contribution_svc.policy.national import CARRIED, without_catalogue
from contribution_svc.store import policies as policy_store
from contribution_svc.store.policies import PackFile, Told
from contribution_svc.usecases.library import Library, read
from contribution_svc.usecases.release import Draft, propose, put_into_force
from shared.clock import china_day, china_time
from shared.db import Connection

_NOTE = "随系统新版本提供"
_PUBLISHER = "release of contribution-svc"


@dataclass(frozen=True, slots=True)
class _Unsettled:
    """Shipped packs that nobody has to release; files that somebody has: shipped packs, and packs
    in force with the catalogue that ships; and packs in force that are to be told again, since more
    of them is known, or to be kept with the catalogue that they are read with.
    """

    adopted: list[Pack]
    proposed: list[PackFile]
    outgrown: list[Pack]
    unpinned: list[PackFile]

    def count(self) -> int:
        return len(self.adopted) + len(self.proposed) + len(self.outgrown) + len(self.unpinned)


async def is_policy_unsettled(conn: Connection, library: Library, now: datetime) -> bool:
    return (await _unsettled(conn, library, now)).count() > 0


async def settle_policies(conn: Connection, library: Library, now: datetime) -> int:
    """Gives how many packs were told or proposed.

    An installation begins with what ships: nothing was in force before with which a second person
    could compare it, and without it no levy period opens. Every later pack is a release, and so is
    a later catalogue of what holds in every city, for each city that reckons otherwise by it.
    """
    found = await _unsettled(conn, library, now)
    for pack in found.adopted:
        file = PackFile(pack.city, pack.sha256, library.shipped.files[pack.city])
        if not await put_into_force(conn, file, pack, "", now):
            await policy_store.keep_file(conn, file, now)
    for file in await policy_store.files(conn, [pack.sha256 for pack in found.outgrown]):
        [pack] = [pack for pack in found.outgrown if pack.sha256 == file.sha256]
        await put_into_force(conn, file, pack, "", now)
    for file in found.unpinned:
        await put_into_force(conn, file, await read(file.city, file.content), "", now)
    for file in found.proposed:
        draft = Draft(file.content, file.city, _NOTE, Origin.SHIPPED, _PUBLISHER)
        await propose(conn, library, draft, now)
    return found.count()


async def _unsettled(conn: Connection, library: Library, now: datetime) -> _Unsettled:
    told = await policy_store.told(conn)
    in_force = await library.in_force(conn)
    adopted, others = [], []
    for pack in in_force:
        shipped = library.shipped.pack(pack.city)
        if pack.city not in told or not told[pack.city].is_kept:
            adopted.append(library.shipped.of(pack.city))
        elif shipped is None or shipped.sha256 != pack.sha256:
            others.append(pack)
    today = china_day(now)
    outgrown = [pack for pack in in_force if _is_outgrown(pack, told.get(pack.city), today)]
    proposed, unpinned = await _news(conn, library, others)
    return _Unsettled(adopted, proposed, outgrown, unpinned)


async def _news(
    conn: Connection, library: Library, in_force: Sequence[Pack]
) -> tuple[list[PackFile], list[PackFile]]:
    """What is to be proposed, and what only is to be kept with its catalogue. What was in force and
    was replaced is no news; nor is what somebody has rejected.
    """
    proposed: list[PackFile] = []
    unpinned: list[PackFile] = []
    if not in_force:
        return proposed, unpinned
    cities = [pack.city for pack in in_force]
    known, own = await policy_store.known(conn, cities, Origin.SHIPPED, CARRIED)
    for held in in_force:
        pack, content = library.shipped.pack(held.city), library.shipped.files.get(held.city, b"")
        is_new = pack is not None and (held.city, _own_sha256(content)) not in own
        if pack is not None and is_new and changes(held, pack):
            proposed.append(PackFile(pack.city, pack.sha256, content))
        elif (file := await library.renewed(conn, held)) is not None:
            if not held.national.sha256:
                unpinned.append(file)
            elif (file.city, file.sha256) not in known:
                proposed.append(file)
    return proposed, unpinned


def _own_sha256(content: bytes) -> str:
    return hashlib.sha256(without_catalogue(content)).hexdigest()


def _is_outgrown(pack: Pack, told: Told | None, today: date) -> bool:
    known_since = pack.known_since(today)
    if told is None or not told.is_kept or known_since > today:
        return False
    return told.published_at < china_time(known_since, "00:00")
