"""Stand-ins for parties outside a service: real HTTP servers on free ports, and an issuer."""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from typing import Any

import uvicorn
from joserfc import jwt
from joserfc.jwk import ECKey
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from tests.support.eventually import eventually
from tests.support.tls import Certificate

AUDIENCE = "daozhang"
_LASTS_SECONDS = 600


class _Server(uvicorn.Server):
    """uvicorn without its signal handlers: the test run keeps its own."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


@asynccontextmanager
async def serving(app: Any, certificate: Certificate | None = None) -> AsyncIterator[str]:
    """The ASGI application on a free port of the loopback; yields its address, https with a
    certificate.
    """
    config = uvicorn.Config(app, port=0, log_config=None, lifespan="off")
    if certificate is not None:
        config.ssl_certfile, config.ssl_keyfile = str(certificate.certificate), str(certificate.key)
    server = _Server(config)
    task = asyncio.create_task(server.serve())
    await eventually(lambda: server.started or task.done())
    try:
        port = server.servers[0].sockets[0].getsockname()[1]
        yield f"http{'s' if certificate else ''}://127.0.0.1:{port}"
    finally:
        server.should_exit = True
        await task


class Issuer:
    """An OpenID Connect issuer that signs whatever a test asks for."""

    def __init__(self) -> None:
        self.address = ""
        self._key = ECKey.generate_key("P-256", {"kid": "test", "use": "sig"}, private=True)

    def app(self) -> Starlette:
        """Discovery and keys."""

        async def discovery(_request: Request) -> Response:
            return JSONResponse({"issuer": self.address, "jwks_uri": f"{self.address}/jwks"})

        async def keys(_request: Request) -> Response:
            return JSONResponse({"keys": [self._key.as_dict(private=False)]})

        return Starlette(
            routes=[Route("/.well-known/openid-configuration", discovery), Route("/jwks", keys)]
        )

    def token(
        self,
        *roles: str,
        sub: str = "somebody",
        employer_ids: Sequence[str] = (),
        employee_id: str = "",
    ) -> str:
        """An access token that holds for ten minutes."""
        now = int(time.time())
        claims = {
            "iss": self.address,
            "aud": AUDIENCE,
            "sub": sub,
            "iat": now,
            "exp": now + _LASTS_SECONDS,
            "roles": list(roles),
            "employer_ids": list(employer_ids),
            "employee_id": employee_id,
        }
        return jwt.encode({"alg": "ES256", "kid": "test"}, claims, self._key)


@asynccontextmanager
async def issuing() -> AsyncIterator[Issuer]:
    """An issuer that runs until the end of the block."""
    issuer = Issuer()
    async with serving(issuer.app()) as address:
        issuer.address = address
        yield issuer


class Recording:
    """A party that answers every request alike and keeps what it was sent."""

    def __init__(self, status: int, answer: dict[str, Any]) -> None:
        self.status, self.answer = status, answer
        self.requests: list[tuple[str, dict[str, str], Any]] = []

    def app(self) -> Starlette:
        async def answer(request: Request) -> Response:
            body = json.loads(await request.body() or b"null")
            self.requests.append((request.url.path, dict(request.headers), body))
            return JSONResponse(self.answer, self.status)

        return Starlette(routes=[Route("/{path:path}", answer, methods=["GET", "POST"])])
