"""What the issuer signs: its keys, access tokens and id tokens, and the grants that lead to
them.
"""

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from joserfc import jwt
from joserfc.jwk import ECKey
from sqlalchemy import Row

from sandbox.store import people as store
from shared.clock import system_now
from shared.db import Connection, Engine, transaction

ALGORITHM = "ES256"
AUDIENCE = "daozhang"

ACCESS_LASTS = timedelta(hours=1)
REFRESH_LASTS = timedelta(hours=12)
CODE_LASTS = timedelta(seconds=60)


@dataclass(frozen=True)
class Issuer:
    """The issuer's address and keys: the first signs, all are published."""

    address: str
    keys: tuple[ECKey, ...]

    def published(self) -> dict[str, Any]:
        """The public halves, as a JWK set."""
        return {"keys": [_public(key) for key in self.keys]}

    def access_token(self, person: Row[Any], client_id: str, at: datetime) -> str:
        """Who the caller is and whom they may act for; `at` is system time."""
        claims = {
            "iss": self.address,
            "aud": AUDIENCE,
            "sub": person.sub,
            "iat": int(at.timestamp()),
            "exp": int((at + ACCESS_LASTS).timestamp()),
            "jti": secrets.token_urlsafe(12),
            "azp": client_id,
            "roles": person.roles,
            "employer_ids": person.employer_ids,
            "employee_id": person.employee_id,
        }
        return self._signed(claims)

    def id_token(self, person: Row[Any], client_id: str, nonce: str, at: datetime) -> str:
        """Who signed in, for the client alone (OpenID Connect Core section 2)."""
        claims = {
            "iss": self.address,
            "aud": client_id,
            "sub": person.sub,
            "iat": int(at.timestamp()),
            "exp": int((at + ACCESS_LASTS).timestamp()),
            "name": person.name,
        }
        return self._signed({**claims, "nonce": nonce} if nonce else claims)

    def _signed(self, claims: dict[str, Any]) -> str:
        key = self.keys[0]
        return jwt.encode({"alg": ALGORITHM, "kid": key.kid}, claims, key)


def _public(key: ECKey) -> dict[str, Any]:
    return {**key.as_dict(private=False), "kid": key.kid, "alg": ALGORITHM, "use": "sig"}


async def issuer(engine: Engine, address: str) -> Issuer:
    """The issuer with the keys of its last run, or a new one at its first."""
    async with transaction(engine) as conn:
        kept = await store.keys(conn)
        if not kept:
            key = ECKey.generate_key("P-256", {"kid": f"sandbox-{secrets.token_hex(4)}"})
            private = {**key.as_dict(private=True), "kid": key.kid}
            await store.add_key(conn, str(key.kid), private, system_now())
            kept = [private]
        await store.forget_expired(conn, system_now())
    return Issuer(address, tuple(ECKey.import_key(private) for private in kept))


def grant_hash(token: str) -> str:
    """What is stored of a code or refresh token."""
    return hashlib.sha256(token.encode()).hexdigest()


async def grant(
    conn: Connection,
    kind: str,
    sub: str,
    client_id: str,
    facts: dict[str, str],
    family: str = "",
) -> str:
    """A code or refresh token; those that come from one sign-in are of one family."""
    token = secrets.token_urlsafe(32)
    lasts = CODE_LASTS if kind == "code" else REFRESH_LASTS
    await store.add_grant(
        conn,
        {
            "grant_hash": grant_hash(token),
            "kind": kind,
            "family": family or secrets.token_hex(16),
            "sub": sub,
            "client_id": client_id,
            "facts": facts,
            "expires_at": system_now() + lasts,
        },
    )
    return token
