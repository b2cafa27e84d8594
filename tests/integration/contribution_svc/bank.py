"""A small real bank: published statements over HTTP, with the signature on requests checked."""

import hashlib
import hmac
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from tests.support.standins import serving

KEY_ID, SECRET = "contribution", "bank-secret"


@dataclass
class Bank:
    """What the bank has published; `asked` counts requests by path."""

    url: str = ""
    published: dict[str, tuple[str, str, bytes]] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)

    def publish(
        self, bank_id: str, content: bytes, account: str = "BANK-1", day: str = "2024-10-10"
    ) -> None:
        self.published[bank_id] = (account, day, content)

    def notice(self, bank_id: str) -> dict[str, object]:
        """The body of its webhook."""
        account, day, content = self.published[bank_id]
        sha256 = hashlib.sha256(content).hexdigest()
        data = {"statement_id": bank_id, "account": account, "day": day, "sha256": sha256}
        return {"type": "statement.published", "data": data}

    def app(self) -> Starlette:
        async def listed(request: Request) -> Response:
            if not _is_signed(request):
                return JSONResponse({"title": "signature"}, 401)
            self.asked.append("list")
            statements = [
                {
                    "id": bank_id,
                    "account": account,
                    "day": day,
                    "published_at": f"{day}T18:00:00+08:00",
                    "sha256": hashlib.sha256(content).hexdigest(),
                }
                for bank_id, (account, day, content) in self.published.items()
                if account == request.query_params["account"]
                and day >= request.query_params["since"]
            ]
            return JSONResponse({"statements": statements})

        async def one(request: Request) -> Response:
            if not _is_signed(request):
                return JSONResponse({"title": "signature"}, 401)
            self.asked.append(request.path_params["bank_id"])
            found = self.published.get(request.path_params["bank_id"])
            if found is None:
                return JSONResponse({"title": "unknown"}, 404)
            return Response(found[2], media_type="application/xml")

        return Starlette(routes=[Route("/statements", listed), Route("/statements/{bank_id}", one)])


def _is_signed(request: Request) -> bool:
    path = request.url.path + (f"?{request.url.query}" if request.url.query else "")
    empty = hashlib.sha256(b"").hexdigest()
    signed = f"{request.headers['x-timestamp']}\nGET\n{path}\n{empty}"
    expected = hmac.new(SECRET.encode(), signed.encode(), hashlib.sha256).hexdigest()
    given = request.headers["x-signature"]
    return request.headers["x-key-id"] == KEY_ID and hmac.compare_digest(expected, given)


@asynccontextmanager
async def banking() -> AsyncIterator[Bank]:
    """A bank on a free port of the loopback."""
    bank = Bank()
    async with serving(bank.app()) as url:
        bank.url = url
        yield bank
