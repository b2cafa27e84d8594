"""The identity provider: what tokens say, who gets one, and the code flow with its page."""

import base64
import hashlib
import re
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from joserfc import jwt
from joserfc.jwk import KeySet

from shared.clock import system_now
from shared.serve import SignIn
from tests.support.parties import Sandbox

BACK = "http://127.0.0.1:9999/signed-in"
VERIFIER = "v" * 43
CHALLENGE = (
    base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).rstrip(b"=").decode()
)
ASKED = {
    "response_type": "code",
    "client_id": "portal",
    "redirect_uri": BACK,
    "scope": "openid",
    "state": 'st"ate',
    "nonce": "n-1",
    "code_challenge": CHALLENGE,
    "code_challenge_method": "S256",
}
PASSWORD = "correct horse battery"


async def person(sandbox: Sandbox, **changes: Any) -> None:
    order = {
        "sub": "wang",
        "password": PASSWORD,
        "roles": ["employee"],
        "employer_ids": ["employer-1"],
        "employee_id": "employee-1",
        "name": "小王",
        **changes,
    }
    assert (await sandbox.control.post("/people", json=order)).status_code == 201


async def token(sandbox: Sandbox, **form: str) -> tuple[int, dict[str, Any]]:
    answer = await sandbox.oidc.post("/token", data=form)
    assert answer.headers["cache-control"] == "no-store"
    return answer.status_code, answer.json()


async def claims(sandbox: Sandbox, signed: str) -> dict[str, Any]:
    """What a token says, checked against the published keys."""
    metadata = (await sandbox.oidc.get("/.well-known/openid-configuration")).json()
    keys = (await sandbox.oidc.get(urlsplit(metadata["jwks_uri"]).path)).json()
    assert all("d" not in key for key in keys["keys"])
    decoded = jwt.decode(signed, KeySet.import_key_set(keys), algorithms=["ES256"])
    assert decoded.header["kid"] in {key["kid"] for key in keys["keys"]}
    assert decoded.claims["iss"] == metadata["issuer"]
    return decoded.claims


async def code(sandbox: Sandbox, **changes: str) -> str:
    form = {**ASKED, "username": "wang", "password": PASSWORD, **changes}
    answer = await sandbox.oidc.post("/authorize", data=form)
    assert answer.status_code == 303, answer.text
    back = parse_qs(urlsplit(answer.headers["location"]).query)
    assert back["state"] == [ASKED["state"]]
    assert back["iss"] == [sandbox.addresses.oidc]
    return back["code"][0]


async def test_a_password_gives_a_token_that_says_who_and_for_whom(sandbox: Sandbox) -> None:
    await person(sandbox)
    form = {"grant_type": "password", "username": "wang", "password": PASSWORD}
    status, answer = await token(sandbox, client_id="demo", **form)
    assert (status, answer["token_type"]) == (200, "Bearer")
    said = await claims(sandbox, answer["access_token"])
    now = system_now().timestamp()
    assert now - 60 < said["iat"] <= now < said["exp"] <= now + 3_600
    expected = {
        "aud": "daozhang",
        "sub": "wang",
        "azp": "demo",
        "roles": ["employee"],
        "employer_ids": ["employer-1"],
        "employee_id": "employee-1",
    }
    assert {name: said[name] for name in expected} == expected


async def test_the_services_take_the_token_for_its_person(sandbox: Sandbox) -> None:
    await person(sandbox)
    form = {"grant_type": "password", "username": "wang", "password": PASSWORD}
    _, answer = await token(sandbox, client_id="portal", **form)
    caller = await SignIn(sandbox.addresses.oidc, "daozhang").check(answer["access_token"])
    assert (caller.sub, caller.employee_id, caller.azp) == ("wang", "employee-1", "portal")
    assert caller.roles == {"employee"}
    assert caller.employer_ids == ("employer-1",)


async def test_a_wrong_password_is_refused_and_slows_down(sandbox: Sandbox) -> None:
    await person(sandbox)
    form = {"grant_type": "password", "username": "wang"}
    for _ in range(10):
        status, answer = await token(sandbox, password="wrong", **form)
        assert (status, answer["error"]) == (400, "invalid_grant")
    status, answer = await token(sandbox, password=PASSWORD, **form)
    assert (status, answer["error"]) == (429, "slow_down")
    status, answer = await token(sandbox, grant_type="password", username="x", password="y")
    assert (status, answer["error"]) == (400, "invalid_grant")


async def test_a_service_gets_a_token_of_its_own(sandbox: Sandbox) -> None:
    await person(sandbox, sub="portal-svc", roles=["service"], employee_id="", employer_ids=[])
    await person(sandbox)
    form = {"grant_type": "client_credentials"}
    basic = base64.b64encode(f"portal-svc:{PASSWORD}".encode()).decode()
    answer = await sandbox.oidc.post(
        "/token", data=form, headers={"authorization": f"Basic {basic}"}
    )
    assert (await claims(sandbox, answer.json()["access_token"]))["azp"] == "portal-svc"
    assert "refresh_token" not in answer.json()
    status, refusal = await token(sandbox, client_id="portal-svc", client_secret="no", **form)
    assert (status, refusal["error"]) == (401, "invalid_client")
    status, refusal = await token(sandbox, client_id="wang", client_secret=PASSWORD, **form)
    assert (status, refusal["error"]) == (400, "unauthorized_client")


async def test_the_sign_in_page_is_chinese_and_holds_no_markup_of_strangers(
    sandbox: Sandbox,
) -> None:
    asked = {**ASKED, "state": '"><script>alert(1)</script>'}
    page = await sandbox.oidc.get("/authorize", params=asked)
    assert page.status_code == 200
    assert '<html lang="zh-CN">' in page.text
    for name in ("username", "password"):
        assert f'<label for="{name}">' in page.text
        assert f'id="{name}"' in page.text
    assert "<script" not in page.text
    assert "default-src 'none'" in page.headers["content-security-policy"]
    assert "form-action 'self' http://127.0.0.1:9999" in page.headers["content-security-policy"]

    form = {**ASKED, "username": "wang", "password": "wrong"}
    page = await sandbox.oidc.post("/authorize", data=form)
    assert page.status_code == 400
    assert re.search(r'<p role="alert" id="fault">账号或密码不正确。</p>', page.text)
    assert 'value="wang"' in page.text
    assert "wrong" not in page.text


async def test_a_code_is_good_once_and_with_its_verifier(sandbox: Sandbox) -> None:
    await person(sandbox)
    form = {"grant_type": "authorization_code", "client_id": "portal", "redirect_uri": BACK}
    given = await code(sandbox)
    status, answer = await token(sandbox, code=given, code_verifier=VERIFIER, **form)
    assert status == 200
    said = await claims(sandbox, answer["id_token"])
    assert (said["aud"], said["nonce"], said["name"]) == ("portal", "n-1", "小王")

    status, refusal = await token(sandbox, code=given, code_verifier=VERIFIER, **form)
    assert (status, refusal["error"]) == (400, "invalid_grant")
    refresh = {"grant_type": "refresh_token", "refresh_token": answer["refresh_token"]}
    assert (await token(sandbox, client_id="portal", **refresh))[0] == 400


@pytest.mark.parametrize(
    "changes",
    [
        {"code_verifier": "w" * 43},
        {"code_verifier": ""},
        {"redirect_uri": BACK + "/other"},
        {"client_id": "other"},
        {"code": "guessed"},
    ],
)
async def test_a_code_in_other_hands_is_worthless(
    sandbox: Sandbox, changes: dict[str, str]
) -> None:
    await person(sandbox)
    form = {
        "grant_type": "authorization_code",
        "client_id": "portal",
        "redirect_uri": BACK,
        "code": await code(sandbox),
        "code_verifier": VERIFIER,
    }
    status, refusal = await token(sandbox, **{**form, **changes})
    assert (status, refusal["error"]) == (400, "invalid_grant")


async def test_a_refresh_token_is_replaced_at_each_use(sandbox: Sandbox) -> None:
    await person(sandbox)
    form = {"grant_type": "password", "username": "wang", "password": PASSWORD}
    _, first = await token(sandbox, client_id="portal", **form)
    await person(sandbox, roles=["employee", "hr"])
    refresh = {"grant_type": "refresh_token", "client_id": "portal"}
    _, second = await token(sandbox, refresh_token=first["refresh_token"], **refresh)
    assert (await claims(sandbox, second["access_token"]))["roles"] == ["employee", "hr"]
    status, _ = await token(sandbox, refresh_token=first["refresh_token"], **refresh)
    assert status == 400
    status, _ = await token(sandbox, refresh_token=second["refresh_token"], **refresh)
    assert status == 400, "the family of a token that came twice is gone"


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"response_type": "token"}, "unsupported_response_type"),
        ({"code_challenge_method": "plain"}, "invalid_request"),
        ({"code_challenge": ""}, "invalid_request"),
        ({"redirect_uri": "https://elsewhere.example/"}, None),
        ({"redirect_uri": "http://127.0.0.1:1/#x"}, None),
        ({"client_id": "<script>"}, None),
    ],
)
async def test_who_asks_wrongly_is_told_only_where_it_is_safe(
    sandbox: Sandbox, changes: dict[str, str], error: str | None
) -> None:
    answer = await sandbox.oidc.get("/authorize", params={**ASKED, **changes})
    if error is None:
        assert answer.status_code == 400
        assert "location" not in answer.headers
    else:
        assert answer.status_code == 303
        assert parse_qs(urlsplit(answer.headers["location"]).query)["error"] == [error]


async def test_other_grants_and_repeated_fields_are_refused(sandbox: Sandbox) -> None:
    status, refusal = await token(sandbox, grant_type="implicit")
    assert (status, refusal["error"]) == (400, "unsupported_grant_type")
    answer = await sandbox.oidc.post(
        "/token", content=b"grant_type=password&username=a&username=b&password=c"
    )
    assert answer.json()["error"] == "unsupported_grant_type"


async def test_a_short_password_is_refused_and_not_shown(sandbox: Sandbox) -> None:
    answer = await sandbox.control.post("/people", json={"sub": "x", "password": "short"})
    assert answer.status_code == 400
    assert "short" not in answer.text
