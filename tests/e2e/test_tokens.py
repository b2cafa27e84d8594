"""Tokens on real HTTP, against every service: what the issuer did not sign for us, now and for this
person, is answered 401, in the same words whatever is wrong with it.
"""

import base64
import hmac
import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import asyncpg
import httpx
import pytest
from joserfc import jwt
from joserfc.jwk import ECKey, RSAKey

from deploy.embedded.stack import Stack
from sandbox.case.addresses import SERVICES
from tests.support.cast import Cast

PATH = "/api/v1/dead-letters"
"""Every service has it, and answers an operator 200."""

TOLD = "The token is not accepted; sign in again."


def coded(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def part(content: object) -> str:
    return coded(json.dumps(content).encode())


@dataclass(frozen=True)
class Forge:
    """The issuer's own key, as only this test has it, an operator's good claims, and a stranger's
    keys.
    """

    key: ECKey
    claims: Mapping[str, Any]
    stranger: ECKey
    other_kind: RSAKey

    def signed(
        self, key: ECKey | None = None, header: Mapping[str, Any] | None = None, **changed: Any
    ) -> str:
        """A good token, but for what is changed; None leaves a claim out."""
        claims = {**self.claims, **changed}
        kept = {name: value for name, value in claims.items() if value is not None}
        known = {"alg": "ES256", "kid": self.key.kid, **(header or {})}
        return jwt.encode(known, kept, key or self.key)

    def unsigned(self, alg: str) -> str:
        return f"{part({'alg': alg, 'kid': self.key.kid})}.{part(dict(self.claims))}."

    def by_public_key(self, public: bytes) -> str:
        """HS256 with what everybody knows as the secret."""
        signed = f"{part({'alg': 'HS256', 'kid': self.key.kid})}.{part(dict(self.claims))}"
        return f"{signed}.{coded(hmac.digest(public, signed.encode(), 'sha256'))}"

    def changed_after(self, **changed: Any) -> str:
        """Another's name under a good signature."""
        head, _, signature = self.signed().split(".")
        return f"{head}.{part({**self.claims, **changed})}.{signature}"

    def nested(self) -> str:
        """JSON so deep that reading it overflows a careless reader's stack."""
        deep = coded(b"[" * 2_900)
        return f"{deep}.{deep}.{deep[:9]}"


Make = Callable[[Forge, int], str]

BAD: dict[str, Make] = {
    "a signature of zeros": lambda f, _: f.signed().rsplit(".", 1)[0] + "." + coded(bytes(64)),
    "no signature": lambda f, _: f.signed().rsplit(".", 1)[0] + ".",
    "another's signature": lambda f, _: (
        f.signed().rsplit(".", 1)[0] + "." + f.signed(sub="another").rsplit(".", 1)[1]
    ),
    "a stranger's key under the known name": lambda f, _: f.signed(f.stranger),
    "a stranger's key": lambda f, _: f.signed(f.stranger, {"kid": f.stranger.kid}),
    "a key that it brings itself": lambda f, _: f.signed(
        f.stranger, {"kid": f.stranger.kid, "jwk": f.stranger.as_dict(private=False)}
    ),
    "a key to be fetched elsewhere": lambda f, _: f.signed(
        f.stranger, {"kid": f.stranger.kid, "jku": "http://127.0.0.1:1/jwks"}
    ),
    "the issuer's key under an unknown name": lambda f, _: f.signed(header={"kid": "nobody"}),
    "RS256": lambda f, _: jwt.encode(
        {"alg": "RS256", "kid": f.key.kid}, dict(f.claims), f.other_kind, algorithms=["RS256"]
    ),
    "none": lambda f, _: f.unsigned("none"),
    "None": lambda f, _: f.unsigned("None"),
    "nOnE": lambda f, _: f.unsigned("nOnE"),
    "the public key as a secret": lambda f, _: f.by_public_key(f.key.as_pem(private=False)),
    "the public key's JSON as a secret": lambda f, _: f.by_public_key(
        json.dumps(f.key.as_dict(private=False)).encode()
    ),
    "no name of a key": lambda f, _: jwt.encode({"alg": "ES256"}, dict(f.claims), f.key),
    "expired": lambda f, now: f.signed(exp=now - 100),
    "not valid yet": lambda f, now: f.signed(nbf=now + 100),
    "of tomorrow": lambda f, now: f.signed(iat=now + 86_400),
    "another audience": lambda f, _: f.signed(aud="another"),
    "other audiences": lambda f, _: f.signed(aud=["another", "portal"]),
    "another issuer": lambda f, _: f.signed(iss="https://stranger.example"),
    "without an end": lambda f, _: f.signed(exp=None),
    "without an audience": lambda f, _: f.signed(aud=None),
    "without an issuer": lambda f, _: f.signed(iss=None),
    "without a subject": lambda f, _: f.signed(sub=None),
    "an end that is text": lambda f, _: f.signed(exp="tomorrow"),
    "a subject that is a list": lambda f, _: f.signed(sub=["operator"]),
    "an audience that is a number": lambda f, _: f.signed(aud=7),
    "roles as one text": lambda f, _: f.signed(roles="operator"),
    "roles as an object": lambda f, _: f.signed(roles={"operator": True}),
    "a role that is a number": lambda f, _: f.signed(roles=["operator", 1]),
    "employers as one text": lambda f, _: f.signed(employer_ids="all"),
    "an employee without an id": lambda f, _: f.signed(roles=["employee"], employee_id=""),
    "roles put in afterwards": lambda f, _: f.changed_after(roles=["hr", "operator"]),
    "another's employee id": lambda f, _: f.changed_after(
        employee_id="another", roles=["employee"]
    ),
    "9,000 characters": lambda f, _: f.signed(padding="x" * 6_500),
    "60,000 characters": lambda f, _: f.signed(padding="x" * 45_000),
    "deeply nested": lambda f, _: f.nested(),
    "two dots": lambda _f, _: "..",
    "words": lambda _f, _: "a b c",
    "five parts": lambda f, _: f.signed() + ".e30.e30",
}

GOOD: dict[str, Make] = {
    "as the issuer makes them": lambda f, _: f.signed(),
    "just expired, by our clock": lambda f, now: f.signed(exp=now - 80),
    "not valid yet, by our clock": lambda f, now: f.signed(nbf=now + 80),
    "of a moment that our clock has yet to see": lambda f, now: f.signed(iat=now + 80),
    "several audiences": lambda f, _: f.signed(aud=["another", "daozhang"]),
}


@pytest.fixture(scope="module")
async def forge(installation: Stack, actors: Cast) -> Forge:
    server = installation.postgres_url.rsplit("/", 1)[0]
    connection = await asyncpg.connect(f"{server}/sandbox")
    try:
        private = await connection.fetchval(
            "SELECT private_jwk FROM issuer_keys ORDER BY made_at DESC LIMIT 1"
        )
    finally:
        await connection.close()
    token = actors.operator.headers()["Authorization"].removeprefix("Bearer ")
    payload = token.split(".")[1]
    claims = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    stranger = ECKey.generate_key("P-256", {"kid": "stranger"})
    rsa = RSAKey.generate_key(2048, {"kid": "rsa"})
    return Forge(ECKey.import_key(json.loads(private)), claims, stranger, rsa)


async def answers(actors: Cast, token: str) -> dict[str, httpx.Response]:
    headers = {"Authorization": f"Bearer {token}"}
    return {
        service: await actors.client.get(actors.addresses.services[service] + PATH, headers=headers)
        for service in SERVICES
    }


@pytest.mark.parametrize("name", GOOD)
async def test_a_token_of_the_issuer_opens_every_service(
    actors: Cast, forge: Forge, name: str
) -> None:
    token = GOOD[name](forge, int(time.time()))
    assert {s: a.status_code for s, a in (await answers(actors, token)).items()} == dict.fromkeys(
        SERVICES, 200
    )


@pytest.mark.parametrize("name", BAD)
async def test_any_other_token_opens_none_and_is_not_told_why(
    actors: Cast, forge: Forge, name: str
) -> None:
    token = BAD[name](forge, int(time.time()))
    for service, answer in (await answers(actors, token)).items():
        assert (service, answer.status_code) == (service, 401), answer.text
        assert answer.headers["WWW-Authenticate"] == "Bearer"
        problem = answer.json()
        assert (problem["type"], problem["detail"]) == ("urn:daozhang:problem:not-signed-in", TOLD)


@pytest.mark.parametrize(
    "header",
    ["Bearer", "Basic b3BlcmF0b3I6eA==", "Token x", "Bearer \u738b"],
)
async def test_what_is_no_bearer_token_is_nobody(actors: Cast, header: str) -> None:
    for service in SERVICES:
        answer = await actors.client.get(
            actors.addresses.services[service] + PATH,
            headers={b"Authorization": header.encode()},
        )
        assert (service, answer.status_code) == (service, 401), answer.text


async def test_a_token_elsewhere_than_in_its_header_is_not_looked_for(
    actors: Cast, forge: Forge
) -> None:
    token = forge.signed()
    for service in SERVICES:
        url = actors.addresses.services[service] + PATH
        for asked in (
            actors.client.build_request("GET", url, params={"access_token": token}),
            actors.client.build_request("GET", url, headers={"Cookie": f"access_token={token}"}),
            actors.client.build_request("GET", url, headers={"X-Authorization": f"Bearer {token}"}),
        ):
            assert (await actors.client.send(asked)).status_code == 401


async def test_a_header_of_a_megabyte_is_refused_and_harms_nobody(actors: Cast) -> None:
    headers = {"Authorization": f"Bearer {'x' * 1_000_000}"}
    for service in SERVICES:
        url = actors.addresses.services[service]
        try:
            answer = await actors.client.get(url + PATH, headers=headers)
        except httpx.TransportError:
            pass  # cut off before it was sent whole
        else:
            assert answer.status_code in (400, 401, 431)
        assert (await actors.client.get(url + "/healthz")).status_code == 200


async def test_the_issuer_gives_a_person_their_own_claims_whatever_they_ask_for(
    actors: Cast,
) -> None:
    wished = {
        "roles": "hr operator",
        "employee_id": next(iter(actors.case.people)),
        "employer_ids": actors.other.ids["employer_id"],
        "sub": "operator",
        "scope": "openid hr operator",
    }
    answer = await actors.client.post(
        f"{actors.addresses.oidc}/token",
        data={
            **wished,
            "grant_type": "password",
            "username": actors.case.employee.sub,
            "password": "october-2024",
            "client_id": "strangers",
        },
    )
    payload = answer.raise_for_status().json()["access_token"].split(".")[1]
    claims = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    assert claims["sub"] == actors.case.employee.sub
    assert claims["roles"] == ["employee"]
    assert claims["employee_id"] == actors.case.ids["employee_id"]
    assert claims["employer_ids"] == [actors.case.ids["employer_id"]]
