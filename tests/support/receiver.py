"""A small real HTTP server that takes what is posted to it and answers as it is told."""

import asyncio
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field

import uvicorn
from fastapi import FastAPI, Request, Response


@dataclass
class Receiver:
    """`statuses` are given one by one, then 204; `taken` holds headers and body of each."""

    url: str
    statuses: list[int] = field(default_factory=list)
    taken: list[tuple[dict[str, str], bytes]] = field(default_factory=list)

    async def take(self, request: Request) -> Response:
        self.taken.append((dict(request.headers), await request.body()))
        return Response(status_code=self.statuses.pop(0) if self.statuses else 204)


class _Server(uvicorn.Server):
    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


@asynccontextmanager
async def receiving() -> AsyncIterator[Receiver]:
    """A receiver on a free port of the loopback."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        receiver = Receiver(f"http://127.0.0.1:{listening.getsockname()[1]}/webhook")
        app = FastAPI()
        app.add_api_route("/webhook", receiver.take, methods=["POST"])
        server = _Server(uvicorn.Config(app, log_config=None, lifespan="off"))
        serving = asyncio.create_task(server.serve([listening]))
        try:
            yield receiver
        finally:
            server.should_exit = True
            await serving
