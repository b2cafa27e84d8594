"""What stands before the parties: signature, rate and size."""

import httpx

from tests.support.parties import KEYS, Sandbox, Signing, Start, declaration

NOTICES = "/medical-990100/notices"


async def test_nothing_is_answered_without_a_signature(sandbox: Sandbox) -> None:
    addresses = sandbox.addresses
    async with httpx.AsyncClient() as stranger:
        for url in (
            addresses.authorities + NOTICES,
            addresses.collector + "/tax-990100/declarations/S-1",
            addresses.bank + "/statements?account=6200-1&since=2024-01-01",
            addresses.bank + "/no-such-path",
        ):
            answer = await stranger.get(url)
            assert (answer.status_code, answer.json()["code"]) == (401, "SIGNATURE_REFUSED")
            assert answer.headers["content-type"] == "application/problem+json"


async def test_each_key_opens_its_own_doors(sandbox: Sandbox) -> None:
    async with httpx.AsyncClient(auth=Signing(*KEYS["bank"])) as client:
        assert (await client.get(sandbox.addresses.authorities + NOTICES)).status_code == 401
    async with httpx.AsyncClient(auth=Signing(KEYS["bureau"][0], b"wrong")) as client:
        assert (await client.get(sandbox.addresses.authorities + NOTICES)).status_code == 401


async def test_a_key_is_slowed_down_at_each_party_by_itself(start: Start) -> None:
    sandbox = await start(requests_per_second=3)
    answers = [await sandbox.authorities.get(NOTICES) for _ in range(4)]
    assert [answer.status_code for answer in answers] == [200, 200, 200, 429]
    assert int(answers[-1].headers["retry-after"]) >= 1
    assert answers[-1].json()["code"] == "TOO_MANY_REQUESTS"
    assert (await sandbox.authorities.get("/hrss-990100/notices")).status_code == 200


async def test_a_body_is_bounded_before_it_is_read(start: Start) -> None:
    sandbox = await start(body_limit_bytes=1_024)
    body = declaration("S-1", account_no="A-1") | {"padding": "x" * 2_000}
    answer = await sandbox.collector.post("/tax-990100/declarations", json=body)
    assert (answer.status_code, answer.json()["code"]) == (413, "TOO_LARGE")
    answer = await sandbox.oidc.post("/token", content=b"x" * 2_000)
    assert answer.status_code == 413
