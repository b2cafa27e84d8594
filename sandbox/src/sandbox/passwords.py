"""Passwords as scrypt hashes, computed off the event loop: one takes some 50 ms."""

import asyncio
import base64
import hashlib
import hmac
import secrets

_COST = 2**14
_BLOCK = 8
_PARALLEL = 1
_SALT_BYTES = 16


async def hashed(password: str) -> str:
    """`scrypt$<cost>$<salt>$<key>`; the cost is kept so that it can be raised."""
    salt = secrets.token_bytes(_SALT_BYTES)
    key = await asyncio.to_thread(_key, password, salt, _COST)
    return f"scrypt${_COST}${_b64(salt)}${_b64(key)}"


async def matches(password: str, stored: str | None) -> bool:
    """Whether the password is the stored one. A person who is not there costs as much time as one
    who is.
    """
    _, cost, salt, key = (stored or f"scrypt${_COST}${_b64(bytes(16))}$").split("$")
    computed = await asyncio.to_thread(_key, password, base64.b64decode(salt), int(cost))
    return hmac.compare_digest(computed, base64.b64decode(key)) and stored is not None


def _key(password: str, salt: bytes, cost: int) -> bytes:
    return hashlib.scrypt(password.encode(), salt=salt, n=cost, r=_BLOCK, p=_PARALLEL)


def _b64(content: bytes) -> str:
    return base64.b64encode(content).decode()
