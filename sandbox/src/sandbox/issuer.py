"""The identity provider: OpenID Connect discovery, keys, a sign-in page, and the token endpoint."""

import base64
import binascii
import hashlib
import hmac
import html
import re
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass, field
from importlib.resources import files
from string import Template
from typing import Any
from urllib.parse import parse_qsl, unquote, urlencode, urlsplit

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from limits import RateLimitItemPerMinute
from limits.aio.storage import MemoryStorage
from limits.aio.strategies import MovingWindowRateLimiter
from sqlalchemy import Row

from sandbox import passwords, tokens
from sandbox.store import people as store
from sandbox.tokens import Issuer
from shared.clock import system_now
from shared.db import Engine, transaction

FAILURES_A_MINUTE = 10
"""Wrong passwords for one name, after which it waits: a delay, never a lock that others could
turn.
"""
MOST_FIELDS = 20

_PAGE = Template(files("sandbox").joinpath("sign_in.html").read_text(encoding="utf-8"))
_CHALLENGE = re.compile(r"^[A-Za-z0-9_-]{43}$")
_VERIFIER = re.compile(r"^[A-Za-z0-9._~-]{43,128}$")
_CLIENT = re.compile(r"^[A-Za-z0-9._-]{1,64}$")
_LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})
_CARRIED = (
    *("response_type", "client_id", "redirect_uri", "scope", "state", "nonce"),
    *("code_challenge", "code_challenge_method"),
)

Form = dict[str, str]


class OAuthError(Exception):
    """What the token endpoint refuses, in the words of RFC 6749 section 5.2."""

    def __init__(self, error: str, description: str, status: int = 400) -> None:
        super().__init__(f"{error}: {description}")
        self.error = error
        self.description = description
        self.status = status


@dataclass
class Desk:
    """What every sign-in needs: the store, the signing keys, where may be redirected to, and the
    brake.
    """

    engine: Engine
    issuer: Issuer
    redirects: Sequence[str]
    brake: MovingWindowRateLimiter = field(
        default_factory=lambda: MovingWindowRateLimiter(MemoryStorage())
    )

    async def signed_in(self, sub: str, password: str) -> Row[Any]:
        """The person whose password this is; OAuthError otherwise, and a pause after too many
        errors.
        """
        rate = RateLimitItemPerMinute(FAILURES_A_MINUTE)
        if not await self.brake.test(rate, sub):
            raise OAuthError("slow_down", "too many wrong passwords, wait a minute", 429)
        async with transaction(self.engine) as conn:
            person = await store.person(conn, sub)
        stored = None if person is None else person.password_hash
        if not await passwords.matches(password, stored) or person is None:
            await self.brake.hit(rate, sub)
            raise OAuthError("invalid_grant", "the name or the password is wrong")
        return person

    def may_redirect(self, uri: str) -> bool:
        """Exactly as registered, or any port of the loopback (RFC 8252 section 7.3)."""
        parts = urlsplit(uri)
        loopback = parts.scheme == "http" and parts.hostname in _LOOPBACK
        return not parts.fragment and (loopback or uri in self.redirects)


def routes(desk: Desk) -> APIRouter:
    """The wire of the issuer."""
    router = APIRouter(tags=["oidc"])

    @router.get("/.well-known/openid-configuration")
    async def discover() -> JSONResponse:
        return JSONResponse(_metadata(desk.issuer.address))

    @router.get("/jwks")
    async def publish_keys() -> JSONResponse:
        return JSONResponse(desk.issuer.published())

    _add_sign_in(router, desk)
    _add_token(router, desk)
    return router


def _add_sign_in(router: APIRouter, desk: Desk) -> None:
    @router.get("/authorize")
    async def show_sign_in(request: Request) -> Response:
        asked = _fields(request.url.query)
        return _unusable(desk, asked) or _page(desk, asked)

    @router.post("/authorize")
    async def sign_in(request: Request) -> Response:
        form = _fields((await request.body()).decode("utf-8", "replace"))
        unusable = _unusable(desk, form)
        if unusable is not None:
            return unusable
        try:
            person = await desk.signed_in(form.get("username", ""), form.get("password", ""))
        except OAuthError as refusal:
            return _page(desk, form, refusal)
        return await _back_with_code(desk, form, person)


def _add_token(router: APIRouter, desk: Desk) -> None:
    @router.post("/token")
    async def give_token(request: Request) -> JSONResponse:
        no_store = {"Cache-Control": "no-store"}
        try:
            form = _client_of(request, _fields((await request.body()).decode("utf-8", "replace")))
            grant = _GRANTS.get(form.get("grant_type", ""))
            if grant is None:
                raise OAuthError("unsupported_grant_type", f"one of {', '.join(_GRANTS)}")
            return JSONResponse(await grant(desk, form), headers=no_store)
        except OAuthError as refusal:
            body = {"error": refusal.error, "error_description": refusal.description}
            return JSONResponse(body, refusal.status, no_store)


def _metadata(address: str) -> dict[str, Any]:
    return {
        "issuer": address,
        "authorization_endpoint": f"{address}/authorize",
        "token_endpoint": f"{address}/token",
        "jwks_uri": f"{address}/jwks",
        "response_types_supported": ["code"],
        "response_modes_supported": ["query"],
        "grant_types_supported": list(_GRANTS),
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": [tokens.ALGORITHM],
        "scopes_supported": ["openid", "offline_access"],
        "code_challenge_methods_supported": ["S256"],
        "token_endpoint_auth_methods_supported": [
            *("none", "client_secret_post", "client_secret_basic")
        ],
        "authorization_response_iss_parameter_supported": True,
    }


def _fields(text: str) -> Form:
    """A query or form as a dict; a repeated field makes the whole unusable, since readers would
    differ.
    """
    try:
        pairs = parse_qsl(text, keep_blank_values=True, max_num_fields=MOST_FIELDS)
    except ValueError:
        return {}
    fields = dict(pairs)
    return fields if len(fields) == len(pairs) else {}


def _client_of(request: Request, form: Form) -> Form:
    """The form with the client's name and secret, wherever it put them (RFC 6749 section 2.3.1)."""
    scheme, _, credentials = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "basic":
        return form
    try:
        pair = base64.b64decode(credentials, validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        raise OAuthError("invalid_client", "the Basic credentials cannot be read", 401) from None
    name, _, secret = pair.partition(":")
    return {**form, "client_id": unquote(name), "client_secret": unquote(secret)}


# --- the code flow -----------------------------------------------------------------------------


def _unusable(desk: Desk, asked: Form) -> Response | None:
    """Why the request is not answered: on a page while the way back is not trusted, by redirect
    after.
    """
    back = asked.get("redirect_uri", "")
    if not (_CLIENT.match(asked.get("client_id", "")) and desk.may_redirect(back)):
        return HTMLResponse(
            "<!doctype html><html lang='zh-CN'><title>无法登录</title>"
            "<p>client_id 或 redirect_uri 未登记。</p></html>",
            400,
        )
    if asked.get("response_type") != "code":
        return _redirect(desk, asked, {"error": "unsupported_response_type"})
    proven = asked.get("code_challenge_method") == "S256"
    if not (proven and _CHALLENGE.match(asked.get("code_challenge", ""))):
        return _redirect(desk, asked, {"error": "invalid_request"})
    return None


def _redirect(desk: Desk, asked: Form, facts: Form) -> Response:
    sent = {**facts, "iss": desk.issuer.address}
    if "state" in asked:
        sent["state"] = asked["state"]
    back = asked["redirect_uri"]
    joint = "&" if urlsplit(back).query else "?"
    return RedirectResponse(back + joint + urlencode(sent), 303, {"Cache-Control": "no-store"})


def _page(desk: Desk, asked: Form, refusal: OAuthError | None = None) -> HTMLResponse:
    hidden = "\n".join(
        f'<input type="hidden" name="{name}" value="{html.escape(asked[name])}">'
        for name in _CARRIED
        if name in asked
    )
    words = "" if refusal is None else _WORDS[refusal.error]
    page = _PAGE.substitute(
        action=html.escape(f"{desk.issuer.address}/authorize"),
        client=html.escape(asked["client_id"]),
        hidden=hidden,
        username=html.escape(asked.get("username", "")),
        alert=f'<p role="alert" id="fault">{words}</p>' if words else "",
        invalid='aria-invalid="true" aria-describedby="fault"' if words else "",
    )
    back = urlsplit(asked["redirect_uri"])
    # Browsers apply form-action to the redirect that answers the form as well.
    policy = (
        "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; base-uri 'none';"
        f" form-action 'self' {back.scheme}://{back.netloc}"
    )
    headers = {"Content-Security-Policy": policy, "Cache-Control": "no-store"}
    return HTMLResponse(page, 200 if refusal is None else refusal.status, headers)


_WORDS = {"invalid_grant": "账号或密码不正确。", "slow_down": "密码错误次数过多，请一分钟后再试。"}


async def _back_with_code(desk: Desk, asked: Form, person: Row[Any]) -> Response:
    kept = ("redirect_uri", "code_challenge", "nonce", "scope")
    facts = {name: asked.get(name, "") for name in kept}
    async with transaction(desk.engine) as conn:
        code = await tokens.grant(conn, "code", person.sub, asked["client_id"], facts)
    return _redirect(desk, asked, {"code": code})


# --- the grants of the token endpoint ----------------------------------------------------------


async def _by_code(desk: Desk, form: Form) -> dict[str, Any]:
    grant = await _used(desk, form.get("code", ""), "code", form)
    verifier = form.get("code_verifier", "")
    digest = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=")
    if not (
        _VERIFIER.match(verifier)
        and hmac.compare_digest(digest.decode(), grant.facts["code_challenge"])
        and form.get("redirect_uri") == grant.facts["redirect_uri"]
    ):
        raise OAuthError("invalid_grant", "code_verifier or redirect_uri is not the code's")
    return await _answer_grant(desk, grant)


async def _by_refresh(desk: Desk, form: Form) -> dict[str, Any]:
    return await _answer_grant(
        desk, await _used(desk, form.get("refresh_token", ""), "refresh", form)
    )


async def _used(desk: Desk, token: str, kind: str, form: Form) -> Row[Any]:
    async with transaction(desk.engine) as conn:
        grant, good = await store.use_grant(conn, tokens.grant_hash(token), kind, system_now())
    if grant is None or not good or grant.client_id != form.get("client_id", grant.client_id):
        raise OAuthError("invalid_grant", f"the {kind} is unknown, used, expired, or another's")
    return grant


async def _answer_grant(desk: Desk, grant: Row[Any]) -> dict[str, Any]:
    async with transaction(desk.engine) as conn:
        person = await store.person(conn, grant.sub)
        if person is None:
            raise OAuthError("invalid_grant", "the person is not there any more")
        facts = {"scope": grant.facts.get("scope", "")}
        refresh = await tokens.grant(
            conn, "refresh", grant.sub, grant.client_id, facts, family=grant.family
        )
    answer = {**_answer(desk, person, grant.client_id), "refresh_token": refresh}
    if grant.kind == "code" and "openid" in grant.facts["scope"].split():
        nonce = grant.facts["nonce"]
        answer["id_token"] = desk.issuer.id_token(person, grant.client_id, nonce, system_now())
    return answer


async def _by_password(desk: Desk, form: Form) -> dict[str, Any]:
    """For the command line and the tests: browsers use the code flow."""
    person = await desk.signed_in(form.get("username", ""), form.get("password", ""))
    client_id = form.get("client_id") or tokens.AUDIENCE
    async with transaction(desk.engine) as conn:
        refresh = await tokens.grant(conn, "refresh", person.sub, client_id, {"scope": ""})
    return {**_answer(desk, person, client_id), "refresh_token": refresh}


async def _by_client(desk: Desk, form: Form) -> dict[str, Any]:
    """A service acts for itself: its name and secret are those of a person with the role
    `service`.
    """
    client_id = form.get("client_id", "")
    try:
        person = await desk.signed_in(client_id, form.get("client_secret", ""))
    except OAuthError as refusal:
        if refusal.status == 429:
            raise
        raise OAuthError("invalid_client", "the client or its secret is wrong", 401) from None
    if "service" not in person.roles:
        raise OAuthError("unauthorized_client", "only a person with the role service may")
    return _answer(desk, person, client_id)


def _answer(desk: Desk, person: Row[Any], client_id: str) -> dict[str, Any]:
    return {
        "access_token": desk.issuer.access_token(person, client_id, system_now()),
        "token_type": "Bearer",
        "expires_in": int(tokens.ACCESS_LASTS.total_seconds()),
    }


_GRANTS: dict[str, Callable[[Desk, Form], Coroutine[Any, Any, dict[str, Any]]]] = {
    "authorization_code": _by_code,
    "refresh_token": _by_refresh,
    "client_credentials": _by_client,
    "password": _by_password,
}
