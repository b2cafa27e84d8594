"""The policy library updates itself: a signed bundle at the update address, or carried as a file,
is a proposal within the hour; anything else is refused with its reason, and told.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from contribution_svc.errors import UpdatesUnreachable
from contribution_svc.policy.bundle import MAX_BUNDLE_BYTES, Publisher, sealed
from contribution_svc.policy.updates import Updates
from contribution_svc.usecases.release import Approval, approve
from shared import db
from shared.http_writes import cursor_of
from tests.integration.contribution_svc.bank import Bank
from tests.integration.contribution_svc.month import Month
from tests.integration.contribution_svc.service import running
from tests.support.eventually import eventually
from tests.support.issuer import Issuer
from tests.support.packs import AFTER, BEFORE
from tests.support.service_databases import ServiceDatabase
from tests.support.standins import serving
from tests.support.tls import loopback_certificate

PUBLISHER = Publisher("publisher-2026", Ed25519PrivateKey.generate())
STRANGER = Publisher("stranger", Ed25519PrivateKey.generate())
NAME = "990200.yaml"


def bundle(sequence: int, text: str = AFTER, publisher: Publisher = PUBLISHER) -> bytes:
    return sealed(publisher, sequence, "2024 年社平工资公布", {NAME: text.encode()})


@pytest.fixture
def address(tmp_path: Path) -> Path:
    """Where bundles are laid down."""
    return tmp_path / "updates" / "policy.json"


@pytest.fixture
async def service(
    service_database: Callable[[str], Awaitable[ServiceDatabase]],
    signing: Issuer,
    bank: Bank,
    tmp_path: Path,
    address: Path,
) -> AsyncIterator[Month]:
    """18 June 2024, with the pack of before the notice, and nothing at the update address yet."""
    (tmp_path / "packs").mkdir()
    (tmp_path / "packs" / NAME).write_text(BEFORE)
    (tmp_path / "keys").write_text(PUBLISHER.ring_line())
    address.parent.mkdir()
    async with running(
        await service_database("contribution_svc"),
        signing,
        bank,
        tmp_path,
        "2024-06-18 09:00",
        policy_dir=tmp_path / "packs",
        policy_keys_file=tmp_path / "keys",
        policy_update_address=str(address),
    ) as month:
        yield month


async def proposals(service: Month) -> list[Any]:
    items: list[Any] = (await service.get("/policy-proposals", service.operator())).json()["items"]
    return items


async def warnings(service: Month) -> dict[str, str]:
    async with db.transaction(service.parts.worker) as conn:
        return dict(await service.wiring.warnings(conn))


async def an_hour_later(service: Month) -> None:
    later = service.clock.now() + timedelta(hours=1)
    service.clock.set(later)
    await service.work()


def lay_down(address: Path, content: bytes) -> None:
    address.write_bytes(content)


async def test_what_is_published_is_a_proposal_within_the_hour_and_trouble_is_told(
    service: Month, address: Path
) -> None:
    await service.work()
    assert "FileNotFoundError" in (await warnings(service))["policy_updates"]
    lay_down(address, bundle(7, publisher=STRANGER))
    await an_hour_later(service)
    assert "not in the key ring" in (await warnings(service))["policy_updates"]
    assert await proposals(service) == []

    lay_down(address, bundle(7))
    await an_hour_later(service)
    assert await warnings(service) == {}
    [proposed] = await proposals(service)
    assert (proposed["origin"], proposed["state"]) == ("update_address", "simulated")
    assert (proposed["proposed_by"], proposed["note"]) == (
        "key:publisher-2026",
        "2024 年社平工资公布",
    )
    await an_hour_later(service)
    assert len(await proposals(service)) == 1, "the same bundle again is no news"

    lay_down(address, bundle(6, AFTER.replace("25500.00", "25600.00")))
    await an_hour_later(service)
    assert "bundle 6 is not newer than 7" in (await warnings(service))["policy_updates"]
    altered = json.loads(bundle(8))
    altered["packs"][NAME] += "# altered\n"
    lay_down(address, json.dumps(altered).encode())
    await an_hour_later(service)
    assert "is not what was signed" in (await warnings(service))["policy_updates"]
    broken = AFTER.replace("value: '9'", "value: '90'")
    lay_down(address, sealed(PUBLISHER, 8, "", {NAME: broken.encode(), "b.yaml": AFTER.encode()}))
    await an_hour_later(service)
    assert "990200.yaml:" in (await warnings(service))["policy_updates"]
    assert len(await proposals(service)) == 1, "nothing of a refused bundle is applied"
    rows = await service.rows("SELECT sequence FROM policy_updates")
    assert [row.sequence for row in rows] == [7]


async def test_a_carried_bundle_is_the_carriers_proposal(service: Month) -> None:
    async def carry(content: bytes, key: str = "") -> Any:
        return await service.post(
            "/policy-updates", service.operator(), key, files={"file": ("b.json", content)}
        )

    refused = await carry(bundle(3, publisher=STRANGER))
    assert (refused.status_code, refused.json()["type"][-21:]) == (422, "policy-bundle-refused")
    taken = await carry(bundle(3), "carried")
    assert taken.status_code == 201, taken.text
    assert (await carry(bundle(3), "carried")).json() == taken.json()
    assert (await carry(bundle(3))).json()["proposal_ids"] == taken.json()["proposal_ids"]
    assert (await carry(bundle(3, BEFORE))).status_code == 422, "one number, one content"
    await service.work()
    [proposed] = await proposals(service)
    assert proposed["proposal_id"] in taken.json()["proposal_ids"]
    path = f"/policy-proposals/{proposed['proposal_id']}/approve"
    body = {"sha256": proposed["sha256"]}
    assert (await service.post(path, service.operator(), json=body)).status_code == 409
    second = await service.post(path, service.operator("operator-2"), json=body)
    assert second.status_code == 200


async def test_of_two_releases_of_a_city_that_are_approved_at_once_one_is_refused(
    service: Month,
) -> None:
    for text in (AFTER, AFTER.replace("25500.00", "25600.00")):
        file = {"file": (NAME, text.encode())}
        assert (await service.post("/policy-proposals", service.operator(), files=file)).is_success
    await service.work()
    first, second = await proposals(service)
    async with db.transaction(service.parts.worker) as conn:
        approval = Approval("operator-2", first["sha256"], retroactive=False)
        await approve(conn, first["proposal_id"], approval, service.clock.now())
        path = f"/policy-proposals/{second['proposal_id']}/approve"
        body = {"sha256": second["sha256"]}
        request = asyncio.create_task(service.post(path, service.operator("o-3"), json=body))
        await eventually(lambda: _waiting(service))
    answer = await request
    assert (answer.status_code, answer.json()["type"][-24:]) == (409, "another-release-approved")


async def _waiting(service: Month) -> bool:
    """Whether somebody waits for what another transaction holds."""
    waiting = "SELECT 1 FROM pg_locks l JOIN pg_database d ON d.oid = l.database"
    return bool(await service.rows(f"{waiting} WHERE NOT granted AND datname = current_database()"))


async def test_what_nobody_can_read_is_malformed_and_takes_nothing_in(service: Month) -> None:
    by, path = service.operator(), "/policy-proposals"
    pack = {"file": (NAME, AFTER.encode())}
    place = ("0001-01-01T00:00:00+14:00", "x")
    in_seconds = "insurance=medical&levy_period=2024-08&known_on=1722470400"
    answers = [
        await service.get(f"/policies/990200/in-force?{in_seconds}", by),
        await service.post(path, by, files=pack, data={"note": "a\0b"}),
        await service.post(path, by, data={"file": "a form without parts"}),
        await service.post("/policy-updates", by, data={"file": "{}"}),
        await service.get(f"{path}?cursor={cursor_of(*place)}", by),
    ]
    assert [(one.status_code, one.json()["type"][-9:]) for one in answers] == [
        (422, "malformed")
    ] * len(answers)
    assert await proposals(service) == []


async def test_the_address_is_asked_by_https_and_no_other_address_is(tmp_path: Path) -> None:
    certificate = loopback_certificate(tmp_path)
    asked: list[str] = []

    async def answer(request: Request) -> Response:
        asked.append(request.url.path)
        if request.url.path == "/moved":
            return RedirectResponse("/policy.json")
        if request.url.path == "/endless":
            return Response(b"x" * (2 * MAX_BUNDLE_BYTES))
        return Response(b"{}", 200 if request.url.path == "/policy.json" else 404)

    app = Starlette(routes=[Route("/{path}", answer)])
    async with serving(app, certificate) as url:
        trusts = certificate.trusted()
        assert await Updates(f"{url}/policy.json", trusts).fetch() == b"{}"
        assert len(await Updates(f"{url}/endless", trusts).fetch()) < 2 * MAX_BUNDLE_BYTES
        for path in ("moved", "nowhere"):
            with pytest.raises(UpdatesUnreachable, match=r"answers (307|404)"):
                await Updates(f"{url}/{path}", trusts).fetch()
        assert asked == ["/policy.json", "/endless", "/moved", "/nowhere"]
        with pytest.raises(UpdatesUnreachable, match="certificate"):
            await Updates(f"{url}/policy.json").fetch()
    with pytest.raises(UpdatesUnreachable, match="ConnectError"):
        await Updates(f"{url}/policy.json", trusts).fetch()
