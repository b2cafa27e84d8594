"""ticket-svc on a database of its own."""

from collections.abc import AsyncIterator, Awaitable, Callable

import pytest

from tests.support.rooms import Room, room
from tests.support.service_databases import ServiceDatabase
from ticket_svc.main import SERVICE


@pytest.fixture
async def service(
    service_database: Callable[[str], Awaitable[ServiceDatabase]],
) -> AsyncIterator[Room]:
    async with room(SERVICE, await service_database("ticket_svc")) as running:
        yield running
