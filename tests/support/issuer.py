"""A small real OpenID Connect issuer: discovery and keys over HTTP, and tokens for tests
to send.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

import uvicorn
from fastapi import FastAPI
from joserfc import jwt
from joserfc.jwk import ECKey

from deploy.embedded.layout import free_ports
from tests.support.eventually import eventually


@dataclass(frozen=True)
class Issuer:
    """`url` is what a service trusts; `headers` signs a caller in."""

    url: str
    key: ECKey

    def headers(
        self,
        sub: str,
        roles: Sequence[str],
        *,
        employer_ids: Sequence[str] = (),
        employee_id: str = "",
    ) -> dict[str, str]:
        """The Authorization header of a token with these claims, good for ten minutes."""
        claims = {
            "iss": self.url,
            "aud": "daozhang",
            "sub": sub,
            "exp": int(time.time()) + 600,
            "roles": list(roles),
            "employer_ids": list(employer_ids),
            "employee_id": employee_id,
        }
        header = {"alg": "ES256", "kid": self.key.kid}
        return {"Authorization": f"Bearer {jwt.encode(header, claims, self.key)}"}


@asynccontextmanager
async def issuer() -> AsyncIterator[Issuer]:
    """Runs until the end of the block."""
    [port] = free_ports(1)
    made = Issuer(
        f"http://127.0.0.1:{port}", ECKey.generate_key("P-256", {"use": "sig"}, auto_kid=True)
    )
    app = FastAPI()

    @app.get("/.well-known/openid-configuration")
    async def discovery() -> dict[str, str]:
        return {"issuer": made.url, "jwks_uri": f"{made.url}/jwks"}

    @app.get("/jwks")
    async def jwks() -> dict[str, object]:
        return {"keys": [made.key.as_dict(private=False)]}

    config = uvicorn.Config(app, host="127.0.0.1", port=port, log_config=None, lifespan="off")
    server = uvicorn.Server(config)
    serving = asyncio.create_task(server.serve())
    try:
        await eventually(lambda: server.started)
        yield made
    finally:
        server.should_exit = True
        await serving
