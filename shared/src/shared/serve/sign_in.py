"""Who is calling: OpenID Connect access tokens, checked against the issuer's published keys."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Annotated, Any, ClassVar

import httpx
from fastapi import Depends, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from shared.logs import get_logger
from shared.refusal import Forbidden, NotFound, Refusal

ALGORITHMS = ["ES256"]
_LEEWAY_SECONDS = 90
"""How far the issuer's clock and ours may be apart (reliability.md section 3, service tokens)."""

_TOKEN_MAX_CHARS = 8_192
"""The issuer's tokens have some 600; a group with 100 employers needs 5,000."""

_REFETCH_SECONDS = 10.0
_RETRY_SECONDS = 1.0
_KEYS_SECONDS = 600.0
"""A key that the issuer withdrew is believed no longer than this."""

_JWKS_MAX_BYTES = 100_000
_log = get_logger(__name__)
_UNREADABLE = (httpx.HTTPError, httpx.InvalidURL, JoseError, ValueError, KeyError, TypeError)


class NotSignedIn(Refusal):
    """The request carries no token that this service accepts."""

    code = "not-signed-in"
    status = 401
    title = "Sign in first"


class IssuerUnreachable(Refusal):
    """The issuer's keys cannot be read, so no token can be checked."""

    code = "issuer-unreachable"
    status = 503
    title = "The sign-in service does not answer"


@dataclass(frozen=True, slots=True)
class Caller:
    """The person or service behind a request. `employee_id` limits every row that they see to that
    employee's; HR staff, who are employees too, are limited only where they ask as one.
    """

    sub: str
    roles: frozenset[str]
    employer_ids: tuple[str, ...] = ()
    employee_id: str = ""
    azp: str = ""
    token: str = ""
    own_employee_id: str = ""

    def may_act_for(self, employer_id: str) -> bool:
        return employer_id in self.employer_ids

    def must_act_for(self, employer_id: str) -> None:
        """NotFound for another's employer: it is never told apart from one that does not exist."""
        if not self.may_act_for(employer_id):
            raise NotFound(f"There is no employer {employer_id} that you may see.")


class SignIn:
    """Checks bearer tokens: signature, issuer, audience, expiry; ES256 only, keys by `kid` from the
    issuer.
    """

    _claims: ClassVar[dict[str, Any]] = {"exp": {"essential": True}, "sub": {"essential": True}}

    def __init__(
        self, issuer: str, audience: str, refetch_seconds: float = _REFETCH_SECONDS
    ) -> None:
        self._issuer = issuer.rstrip("/")
        self._refetch_seconds = refetch_seconds
        self._keys: KeySet | None = None
        self._tried_at = float("-inf")
        self._lock = asyncio.Lock()
        self._registry = jwt.JWTClaimsRegistry(
            leeway=_LEEWAY_SECONDS,
            iss={"essential": True, "value": self._issuer},
            aud={"essential": True, "value": audience},
            **self._claims,
        )

    async def check(self, token: str) -> Caller:
        """The caller of a good token; NotSignedIn with the reason otherwise, IssuerUnreachable
        without keys.
        """
        keys = self._keys or await self._first_keys()
        if time.monotonic() - self._tried_at > _KEYS_SECONDS:
            keys = await self._newer_keys(keys)
        try:
            return self._checked(token, keys)
        except NotSignedIn:
            # The issuer may have rotated its keys since; asked once in a while, by one request, and
            # never waited for by those whose tokens the known keys confirm.
            newer = await self._newer_keys(keys)
            if newer is keys:
                raise
        return self._checked(token, newer)

    def _checked(self, token: str, keys: KeySet) -> Caller:
        try:
            if len(token) > _TOKEN_MAX_CHARS:
                raise ValueError(f"the token is longer than {_TOKEN_MAX_CHARS} characters")
            decoded = jwt.decode(token, keys, algorithms=ALGORITHMS)
            if "kid" not in decoded.header:
                raise ValueError("the token does not name its key")
            self._registry.validate(decoded.claims)
            return _caller_of(decoded.claims, token)
        except (JoseError, ValueError, KeyError, RecursionError) as error:
            # Which check failed would help whoever forges one; operators find it in the log.
            _log.info("token_refused", reason=type(error).__name__, detail=str(error)[:200])
            raise NotSignedIn("The token is not accepted; sign in again.") from None

    async def _first_keys(self) -> KeySet:
        async with self._lock:
            if self._keys is None:
                # Those who waited for a try that failed share its failure: one by one, each with
                # the issuer's timeout, they would wait for minutes.
                if time.monotonic() - self._tried_at < _RETRY_SECONDS:
                    raise IssuerUnreachable("The issuer's keys cannot be read; try again later.")
                self._keys = await self._fetch()
            return self._keys

    async def _newer_keys(self, known: KeySet) -> KeySet:
        """The keys as the issuer has them now; `known` ones if it was asked lately or is down."""
        async with self._lock:
            if time.monotonic() - self._tried_at >= self._refetch_seconds:
                with suppress(IssuerUnreachable):
                    self._keys = await self._fetch()
            return known if self._keys is None else self._keys

    async def _fetch(self) -> KeySet:
        try:
            async with httpx.AsyncClient(timeout=5, follow_redirects=False) as client:
                discovery = await client.get(f"{self._issuer}/.well-known/openid-configuration")
                discovery.raise_for_status()
                answer = await client.get(discovery.json()["jwks_uri"])
                answer.raise_for_status()
                if len(answer.content) > _JWKS_MAX_BYTES:
                    raise ValueError("the key set is too large")
                return KeySet.import_key_set(answer.json())
        except _UNREADABLE as error:
            raise IssuerUnreachable(
                f"The issuer's keys cannot be read ({type(error).__name__}); try again later."
            ) from None
        finally:
            self._tried_at = time.monotonic()


def _caller_of(claims: dict[str, Any], token: str) -> Caller:
    """The caller that good claims name; ValueError where one is not of the type that it must be."""
    roles = frozenset(_texts(claims, "roles"))
    employee_id = _text(claims, "employee_id")
    sub = _text(claims, "sub")
    if not sub:
        raise ValueError("sub names nobody")
    # HR staff are employees too; their HR sight must not shrink to their own rows. Any other role
    # beside it widens nothing.
    limited = "employee" in roles and "hr" not in roles
    if limited and not employee_id:
        raise ValueError("the employee role names no employee")
    return Caller(
        sub=sub,
        roles=roles,
        employer_ids=_texts(claims, "employer_ids"),
        employee_id=employee_id if limited else "",
        azp=_text(claims, "azp"),
        token=token,
        own_employee_id=employee_id if "employee" in roles else "",
    )


def _text(claims: dict[str, Any], name: str) -> str:
    value = claims.get(name)
    if not isinstance(value, str | None):
        raise ValueError(f"{name} is no text")
    return value or ""


def _texts(claims: dict[str, Any], name: str) -> tuple[str, ...]:
    values = claims.get(name)
    if values is None:
        return ()
    # Row security joins them with commas; an empty one would be the employer of unowned rows.
    if not isinstance(values, list) or not all(
        isinstance(one, str) and one and "," not in one for one in values
    ):
        raise ValueError(f"{name} is no list of texts")
    return tuple(values)


_bearer = HTTPBearer(auto_error=False, description="An OpenID Connect access token.")


async def _caller(
    request: Request, credentials: Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)]
) -> Caller:
    if credentials is None:
        raise NotSignedIn("This endpoint needs a bearer token in the Authorization header.")
    sign_in: SignIn = request.app.state.sign_in
    return await sign_in.check(credentials.credentials)


def require(*roles: str) -> Callable[..., Awaitable[Caller]]:
    """A FastAPI dependency: the caller, who has at least one of `roles` (employee, hr, operator,
    service). Where only employees may ask, whoever asks is limited to their own rows.
    """

    as_employee = set(roles) == {"employee"}

    async def required(caller: Annotated[Caller, Depends(_caller)]) -> Caller:
        if caller.roles.isdisjoint(roles):
            raise Forbidden(
                f"This endpoint is for {' or '.join(roles)}; your token has"
                f" {', '.join(sorted(caller.roles)) or 'no role'}."
            )
        if not as_employee:
            return caller
        if not caller.own_employee_id:
            # Without it nothing would limit the rows.
            raise Forbidden("This endpoint is for employees; your token names no employee.")
        return replace(caller, employee_id=caller.own_employee_id)

    return required
