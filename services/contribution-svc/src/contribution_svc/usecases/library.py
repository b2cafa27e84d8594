"""The packs that are reckoned with: those in force in the store, read where the work is done, so
that every replica follows a release at once.
"""

import asyncio
from dataclasses import replace

from contribution_svc.domain.calendar import WorkDays
from contribution_svc.domain.pack_changes import changes
from contribution_svc.domain.policy import Pack
from contribution_svc.policy import Policies, read_pack
from contribution_svc.policy.national import with_catalogue
from contribution_svc.store import policies as policy_store
from contribution_svc.store.policies import PackFile
from contribution_svc.usecases.allocation import Rules
from shared.db import Connection


class Library:
    """`shipped` came with the service, and holds for a city of which the store knows no pack yet.

    A pack is parsed once a process; which one is in force is asked in every transaction.
    """

    def __init__(self, shipped: Policies, work_days: WorkDays) -> None:
        self.shipped, self.work_days = shipped, work_days
        self._parsed = {pack.sha256: pack for pack in shipped}
        self._renewed: dict[str, PackFile | None] = {}

    async def in_force(self, conn: Connection) -> Policies:
        """The pack in force of every city.

        Whoever locks rows that a release marks asks after that: the release then either waits for
        the rows, and marks them again, or was seen.
        """
        told = await policy_store.told(conn)
        hashes = {city: one.sha256 for city, one in told.items() if one.is_kept}
        unread = set(hashes.values()) - self._parsed.keys()
        for file in await policy_store.files(conn, unread) if unread else ():
            self._parsed[file.sha256] = await read(file.city, file.content)
        stored = {city: self._parsed[sha256] for city, sha256 in hashes.items()}
        return replace(self.shipped, packs={**self.shipped.packs, **stored})

    async def renewed(self, conn: Connection, pack: Pack) -> PackFile | None:
        """A pack in force with the catalogue that ships now; None where nothing differs by it that
        is reckoned with, and the pack carries one.
        """
        if pack.sha256 not in self._renewed:
            [held] = await policy_store.files(conn, [pack.sha256])
            content = with_catalogue(held.content, self.shipped.catalogue)
            new = await read(pack.city, content)
            is_news = not pack.national.sha256 or changes(pack, new)
            file = PackFile(pack.city, new.sha256, content) if is_news else None
            self._renewed[pack.sha256] = file
        return self._renewed[pack.sha256]

    async def rules(self, conn: Connection) -> Rules:
        return Rules(await self.in_force(conn), self.work_days)


async def read(name: str, content: bytes) -> Pack:
    """The pack of a file; PolicyInvalid with all its faults. Parsing is CPU: other requests go on
    meanwhile.
    """
    return await asyncio.to_thread(read_pack, f"{name.removesuffix('.yaml')}.yaml", content)
