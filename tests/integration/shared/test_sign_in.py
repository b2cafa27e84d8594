"""Access tokens against a real issuer over HTTP: what is accepted, refused, and when it is down."""

import asyncio
import base64
import hmac
import json
import socket
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest
import uvicorn
from fastapi import FastAPI, Response
from hypothesis import given, settings
from hypothesis import strategies as st
from joserfc import jws, jwt
from joserfc.jwk import ECKey
from structlog.testing import capture_logs

from shared.refusal import Forbidden
from shared.serve import Caller, IssuerUnreachable, NotSignedIn, SignIn, require
from tests.support.eventually import eventually

EMPLOYEE = {"roles": ["employee"], "employer_ids": ["employer-1"], "employee_id": "employee-1"}


def new_key() -> ECKey:
    return ECKey.generate_key("P-256", {"use": "sig", "alg": "ES256"}, auto_kid=True)


@dataclass
class Issuer:
    """What it publishes may change while it runs; `fetches` counts who asked for keys."""

    url: str
    keys: list[ECKey] = field(default_factory=lambda: [new_key()])
    key_set: bytes | None = None
    fetches: int = 0

    def discovery(self) -> dict[str, str]:
        return {"issuer": self.url, "jwks_uri": f"{self.url}/jwks"}

    def jwks(self) -> Response:
        self.fetches += 1
        published = {"keys": [key.as_dict(private=False) for key in self.keys]}
        body = self.key_set if self.key_set is not None else json.dumps(published).encode()
        return Response(body, media_type="application/json")

    def claims(self, **changed: Any) -> dict[str, Any]:
        """A good employee's claims, but for what is changed; None leaves one out."""
        claims = {"iss": self.url, "aud": "daozhang", "sub": "wang", "exp": int(time.time()) + 600}
        return {
            name: value
            for name, value in (claims | EMPLOYEE | changed).items()
            if value is not None
        }

    def token(self, key: ECKey | None = None, **changed: Any) -> str:
        key = key or self.keys[-1]
        return jwt.encode({"alg": "ES256", "kid": key.kid}, self.claims(**changed), key)


@asynccontextmanager
async def running(issuer: Issuer) -> AsyncIterator[None]:
    app = FastAPI()
    app.add_api_route("/.well-known/openid-configuration", issuer.discovery)
    app.add_api_route("/jwks", issuer.jwks)
    port = int(issuer.url.rpartition(":")[2])
    server = uvicorn.Server(
        uvicorn.Config(app, host="127.0.0.1", port=port, log_config=None, lifespan="off")
    )
    serving = asyncio.create_task(server.serve())
    try:
        await eventually(lambda: server.started)
        yield
    finally:
        server.should_exit = True
        await serving


def somewhere() -> Issuer:
    """An issuer that does not run yet."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        return Issuer(f"http://127.0.0.1:{free.getsockname()[1]}")


@pytest.fixture(scope="module")
async def running_issuer() -> AsyncIterator[Issuer]:
    issuer = somewhere()
    async with running(issuer):
        yield issuer


@pytest.fixture
def issuer(running_issuer: Issuer) -> Issuer:
    """The one that runs for all tests of this file, with keys for this test alone."""
    running_issuer.keys, running_issuer.key_set, running_issuer.fetches = [new_key()], None, 0
    return running_issuer


@pytest.fixture
def sign_in(issuer: Issuer) -> SignIn:
    return SignIn(issuer.url, "daozhang", refetch_seconds=0)


@pytest.fixture
def absent() -> Issuer:
    return somewhere()


async def refused(sign_in: SignIn, token: str) -> None:
    """Whoever sent the token is told the same for every reason."""
    with pytest.raises(NotSignedIn) as refusal:
        await sign_in.check(token)
    assert refusal.value.detail == "The token is not accepted; sign in again."


async def why_refused(sign_in: SignIn, token: str) -> str:
    """Why, as the log alone says it."""
    with capture_logs() as entries:
        await refused(sign_in, token)
    last = [entry for entry in entries if entry["event"] == "token_refused"][-1]
    return f"{last['reason']}: {last['detail']}"


async def test_a_good_token_names_its_caller(issuer: Issuer, sign_in: SignIn) -> None:
    token = issuer.token(azp="portal")
    assert await sign_in.check(token) == Caller(
        sub="wang",
        roles=frozenset({"employee"}),
        employer_ids=("employer-1",),
        employee_id="employee-1",
        azp="portal",
        token=token,
        own_employee_id="employee-1",
    )


async def test_the_issuers_address_may_end_in_a_slash(issuer: Issuer) -> None:
    assert (await SignIn(f"{issuer.url}/", "daozhang").check(issuer.token())).sub == "wang"


async def test_hr_who_are_employees_too_keep_their_sight(issuer: Issuer, sign_in: SignIn) -> None:
    caller = await sign_in.check(issuer.token(roles=["employee", "hr"]))
    assert (caller.employee_id, caller.employer_ids) == ("", ("employer-1",))


async def test_hr_who_ask_as_employees_are_limited_to_their_own_rows(
    issuer: Issuer, sign_in: SignIn
) -> None:
    caller = await sign_in.check(issuer.token(roles=["employee", "hr"]))
    assert (await require("employee")(caller)).employee_id == "employee-1"
    assert (await require("employee", "hr")(caller)).employee_id == ""


@pytest.mark.parametrize("beside", ["operator", "service"])
async def test_a_role_beside_it_does_not_widen_an_employees_sight(
    issuer: Issuer, sign_in: SignIn, beside: str
) -> None:
    caller = await sign_in.check(issuer.token(roles=["employee", beside]))
    assert (await require("hr", "employee")(caller)).employee_id == "employee-1"


async def test_an_employee_role_without_an_employee_opens_nothing(
    issuer: Issuer, sign_in: SignIn
) -> None:
    caller = await sign_in.check(issuer.token(roles=["employee", "hr"], employee_id=None))
    with pytest.raises(Forbidden, match="names no employee"):
        await require("employee")(caller)


async def test_an_audience_among_several_is_enough(issuer: Issuer, sign_in: SignIn) -> None:
    assert (await sign_in.check(issuer.token(aud=["portal", "daozhang"]))).sub == "wang"


async def test_clocks_may_differ_by_ninety_seconds(issuer: Issuer, sign_in: SignIn) -> None:
    now = int(time.time())
    for good in (
        issuer.token(exp=now - 85),
        issuer.token(nbf=now + 85),
        issuer.token(iat=now + 85),
    ):
        assert (await sign_in.check(good)).sub == "wang"
    for bad in (issuer.token(exp=now - 99), issuer.token(nbf=now + 99), issuer.token(iat=now + 99)):
        assert "Error" in await why_refused(sign_in, bad)


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"exp": 1_700_000_000}, "ExpiredTokenError"),
        ({"exp": None}, "MissingClaimError"),
        ({"exp": "tomorrow"}, "InvalidClaimError"),
        ({"nbf": 4_000_000_000}, "InvalidClaimError"),
        ({"aud": "another"}, "InvalidClaimError"),
        ({"aud": None}, "MissingClaimError"),
        ({"iss": "https://stranger.example"}, "InvalidClaimError"),
        ({"iss": None}, "MissingClaimError"),
        ({"sub": None}, "MissingClaimError"),
        ({"sub": ""}, "Claim"),
        ({"sub": 7}, "Claim"),
        ({"employee_id": None}, "names no employee"),
        ({"employee_id": 7}, "employee_id is no text"),
        ({"employee_id": None, "roles": ["employee", "operator"]}, "names no employee"),
        ({"roles": "hr operator"}, "roles is no list"),
        ({"roles": {"hr": True}}, "roles is no list"),
        ({"roles": ["hr", 7]}, "roles is no list"),
        ({"employer_ids": "employer-1"}, "employer_ids is no list"),
        ({"employer_ids": ["", "employer-1"]}, "employer_ids is no list"),
        ({"employer_ids": ["employer-1,employer-2"]}, "employer_ids is no list"),
        ({"azp": ["portal"]}, "azp is no text"),
        ({"padding": "x" * 9_000}, "longer than"),
    ],
    ids=[
        "expired",
        "without an end",
        "an end that is no time",
        "not valid yet",
        "another audience",
        "no audience",
        "another issuer",
        "no issuer",
        "no subject",
        "an empty subject",
        "a subject that is no text",
        "an employee without an id",
        "an employee id that is no text",
        "an employee without an id and with another role",
        "roles as one text",
        "roles as an object",
        "a role that is no text",
        "employers as one text",
        "an employer without a name",
        "two employers as one",
        "a party that is no text",
        "a token of 12,000 characters",
    ],
)
async def test_a_token_with_a_wrong_claim_is_refused(
    issuer: Issuer, sign_in: SignIn, changed: dict[str, Any], reason: str
) -> None:
    assert reason in await why_refused(sign_in, issuer.token(**changed))


def _base64(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def _part(content: object) -> str:
    return _base64(json.dumps(content).encode())


async def test_an_unsigned_token_is_refused(issuer: Issuer, sign_in: SignIn) -> None:
    claims = _part(issuer.claims())
    for alg in ("none", "None", "NONE"):
        token = f"{_part({'alg': alg, 'kid': issuer.keys[0].kid})}.{claims}."
        await refused(sign_in, token)


async def test_a_token_signed_with_the_public_key_as_a_secret_is_refused(
    issuer: Issuer, sign_in: SignIn
) -> None:
    [key] = issuer.keys
    for public in (key.as_pem(private=False), json.dumps(key.as_dict(private=False)).encode()):
        signed = f"{_part({'alg': 'HS256', 'kid': key.kid})}.{_part(issuer.claims())}"
        signature = hmac.digest(public, signed.encode(), "sha256")
        await refused(sign_in, f"{signed}.{_base64(signature)}")


async def test_a_strangers_key_is_refused(issuer: Issuer, sign_in: SignIn) -> None:
    stranger = new_key()
    await refused(sign_in, issuer.token(stranger))
    # The same under the name of a known key.
    header = {"alg": "ES256", "kid": issuer.keys[0].kid}
    await refused(sign_in, jwt.encode(header, issuer.claims(), stranger))


async def test_a_key_that_the_token_brings_itself_is_not_believed(
    issuer: Issuer, sign_in: SignIn
) -> None:
    stranger = new_key()
    header = {"alg": "ES256", "jwk": stranger.as_dict(private=False), "kid": stranger.kid}
    await refused(sign_in, jwt.encode(header, issuer.claims(), stranger))


async def test_a_changed_claim_breaks_the_signature(issuer: Issuer, sign_in: SignIn) -> None:
    head, _, signature = issuer.token().split(".")
    forged = f"{head}.{_part(issuer.claims(roles=['operator']))}.{signature}"
    await refused(sign_in, forged)


@pytest.mark.parametrize(
    "token",
    [
        "",
        ".",
        "..",
        "a.b.c",
        "王.王.王",
        f"{_part([])}.{_part({})}.x",
        f"{_part({})}.{_part({})}.x",
    ],
)
async def test_what_is_no_token_is_refused(issuer: Issuer, sign_in: SignIn, token: str) -> None:
    assert issuer.keys
    await refused(sign_in, token)


@pytest.mark.parametrize("claims", [[], "text", 7, None], ids=["list", "text", "number", "nothing"])
async def test_claims_that_are_no_object_are_refused(
    issuer: Issuer, sign_in: SignIn, claims: object
) -> None:
    [key] = issuer.keys
    header = {"alg": "ES256", "kid": key.kid}
    token = jws.serialize_compact(header, json.dumps(claims).encode(), key)
    await refused(sign_in, token)


async def test_no_text_does_worse_than_be_refused(issuer: Issuer, sign_in: SignIn) -> None:
    good = issuer.token()
    await sign_in.check(good)
    once = SignIn(issuer.url, "daozhang")
    await once.check(good)
    parts = st.lists(st.sampled_from([*good.split("."), "", "e30", "W10"]) | st.text(), max_size=5)
    tried: list[str] = []
    settings(deadline=None)(given(parts)(lambda some: tried.append(".".join(some))))()
    for token in tried:
        if token != good:
            await refused(once, token)


async def test_after_a_rotation_both_keys_are_good_while_published(
    issuer: Issuer, sign_in: SignIn
) -> None:
    before = issuer.token()
    await sign_in.check(before)
    issuer.keys.append(new_key())
    after = issuer.token()
    for token in (after, before):
        assert (await sign_in.check(token)).sub == "wang"
    issuer.keys.pop(0)
    await refused(sign_in, issuer.token(new_key()))  # makes it ask for the keys again
    assert (await sign_in.check(after)).sub == "wang"
    await refused(sign_in, before)


async def test_bad_tokens_do_not_make_it_ask_the_issuer_each_time(issuer: Issuer) -> None:
    sign_in = SignIn(issuer.url, "daozhang")
    stranger = issuer.token(new_key())
    await asyncio.gather(*(refused(sign_in, stranger) for _ in range(20)))
    assert issuer.fetches == 1


async def test_without_the_issuer_no_token_can_be_checked(absent: Issuer) -> None:
    sign_in = SignIn(absent.url, "daozhang", refetch_seconds=0)
    with pytest.raises(IssuerUnreachable) as refusal:
        await sign_in.check(absent.token())
    assert refusal.value.status == 503


async def test_it_recovers_when_the_issuer_comes_back(absent: Issuer) -> None:
    sign_in = SignIn(absent.url, "daozhang", refetch_seconds=0)
    with pytest.raises(IssuerUnreachable):
        await sign_in.check(absent.token())
    async with running(absent):

        async def signed_in() -> bool:
            try:
                return (await sign_in.check(absent.token())).sub == "wang"
            except IssuerUnreachable:
                return False

        await eventually(signed_in, within=10)


async def test_known_keys_serve_on_while_the_issuer_is_down(absent: Issuer) -> None:
    sign_in = SignIn(absent.url, "daozhang", refetch_seconds=0)
    async with running(absent):
        await sign_in.check(absent.token())
    assert (await sign_in.check(absent.token())).sub == "wang"
    await refused(sign_in, absent.token(new_key()))


@pytest.mark.parametrize(
    "key_set",
    [b"", b"<html>", b"[]", b"{}", b'{"keys": 7}', b'{"keys": [7]}', b'{"keys": [{}]}'],
)
async def test_keys_that_cannot_be_read_are_an_outage_and_no_bug(
    issuer: Issuer, sign_in: SignIn, key_set: bytes
) -> None:
    issuer.key_set = key_set
    with pytest.raises(IssuerUnreachable):
        await sign_in.check(issuer.token())
