"""The HTTP door: who sees what, pages, the bridge, and the close of a period."""

from typing import Any

import httpx
import pytest

from shared.contracts import Anomaly, PeriodClosed
from tests.support.reconciling import at
from tests.support.reconciling_events import (
    AMOUNTS,
    EMPLOYER,
    HEALTH,
    INJURY,
    MATERNITY,
    PENSION,
    PERIOD,
    UNEMPLOYMENT,
    acked,
    assessed,
    employee,
    employer,
    payslip,
    policy,
    posted,
)
from tests.support.reconciling_service import Reconciliation
from tests.support.standins import Issuer

OCTOBER = {"employer_id": EMPLOYER, "levy_period": PERIOD}
AT_HRSS = (PENSION, UNEMPLOYMENT, INJURY)
HR_TOTAL_FEN = sum(map(sum, AMOUNTS.values()))


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


@pytest.fixture
def hr(issuer: Issuer) -> dict[str, str]:
    return bearer(issuer.token("hr", sub="hr-1", employer_ids=[EMPLOYER]))


@pytest.fixture
def other_hr(issuer: Issuer) -> dict[str, str]:
    return bearer(issuer.token("hr", sub="hr-2", employer_ids=["employer-2"]))


@pytest.fixture
def operator(issuer: Issuer) -> dict[str, str]:
    return bearer(issuer.token("operator", sub="operator-1"))


@pytest.fixture
def wang(issuer: Issuer) -> dict[str, str]:
    return bearer(issuer.token("employee", sub="wang", employer_ids=[EMPLOYER], employee_id="wang"))


async def played(service: Reconciliation) -> None:
    """October of two people up to the 17th; medical and maternity are missing for both."""
    await service.tell(employer(), policy())
    for name in ("wang", "li"):
        await service.tell(employee(name), assessed(name), payslip(name))
        await service.tell(acked(name, 1, "verified"), posted(name))
        await service.tell(acked(name, 2, "absent", "2024-10-17T00:00:00Z", AT_HRSS))
    await service.until(at(17, "08:10"))


async def get(
    http: httpx.AsyncClient, path: str, headers: dict[str, str], **params: Any
) -> httpx.Response:
    return await http.get(f"/api/v1{path}", headers=headers, params=params)


async def test_counts_add_up_to_k_for_hr_and_for_an_operator(
    service: Reconciliation,
    http: httpx.AsyncClient,
    hr: dict[str, str],
    operator: dict[str, str],
) -> None:
    await played(service)
    expected = {**OCTOBER, "K": 10, "states": {"arrived": 6, "RecordMissing": 4}, "extras": 0}
    for headers in (hr, operator):
        answer = await get(http, "/cells/counts", headers, **OCTOBER)
        assert (answer.status_code, answer.json()) == (200, expected)


async def test_who_may_see_what(
    service: Reconciliation,
    http: httpx.AsyncClient,
    hr: dict[str, str],
    other_hr: dict[str, str],
    operator: dict[str, str],
    wang: dict[str, str],
) -> None:
    await played(service)
    statuses = {
        path: [
            (await get(http, path, headers, **OCTOBER)).status_code
            for headers in ({}, hr, other_hr, operator, wang)
        ]
        for path in ("/cells/counts", "/bridge", "/cells", "/anomalies")
    }
    assert statuses == {
        "/cells/counts": [401, 200, 404, 200, 403],
        "/bridge": [401, 200, 404, 200, 403],
        "/cells": [401, 200, 404, 403, 200],
        "/anomalies": [401, 200, 404, 403, 403],
    }
    assert (await get(http, "/cells", other_hr)).json()["items"] == []
    own = (await get(http, "/cells", wang)).json()["items"]
    assert {cell["employee_id"] for cell in own} == {"wang"}
    asked_for_li = await get(http, "/cells", wang, employee_id="li")
    assert asked_for_li.json()["items"] == []


async def test_a_cell_says_everything_that_is_known_of_it(
    service: Reconciliation, http: httpx.AsyncClient, wang: dict[str, str]
) -> None:
    await played(service)
    cells = (await get(http, "/cells", wang, levy_period=PERIOD)).json()["items"]
    assert [cell["insurance"] for cell in cells] == list(AMOUNTS)
    medical = cells[1]
    assert (medical["outcome"], medical["word"]) == ("RecordMissing", "未到账")
    assert medical["window_ends_at"] == "2024-10-16T16:00:00Z"
    assert medical["debited_on"] == "2024-10-10"
    amounts = {"employer_fen": 76_000, "employee_fen": 19_000}
    assert medical["sides"]["assessed"] == {**amounts, "base_fen": 950_000}
    assert medical["sides"]["debited"] == {**amounts, "base_fen": None}
    assert "recorded" not in medical["sides"]
    assert cells[0]["sides"]["recorded"]["base_fen"] == 950_000


async def test_pages_go_on_where_the_last_one_ended(
    service: Reconciliation,
    http: httpx.AsyncClient,
    hr: dict[str, str],
) -> None:
    await played(service)
    for path in ("/cells", "/anomalies"):
        found, cursor, pages = [], None, 0
        while pages == 0 or cursor:
            params = {**OCTOBER, "limit": 1, **({"cursor": cursor} if cursor else {})}
            page = (await get(http, path, hr, **params)).json()
            found += [item["employee_id"] for item in page["items"]]
            cursor, pages = page["next_cursor"], pages + 1
        assert (sorted(set(found)), pages) == (["li", "wang"], 3)
    assert (await get(http, "/cells", hr, cursor="nonsense")).status_code == 422


async def test_cells_are_found_by_outcome(
    service: Reconciliation, http: httpx.AsyncClient, hr: dict[str, str]
) -> None:
    await played(service)
    missing = (await get(http, "/cells", hr, outcome="RecordMissing", **OCTOBER)).json()["items"]
    assert {(cell["employee_id"], cell["insurance"]) for cell in missing} == {
        (name, insurance) for name in ("wang", "li") for insurance in (HEALTH, MATERNITY)
    }
    assert (await get(http, "/cells", hr, outcome="nonsense")).status_code == 422
    assert (await get(http, "/cells", hr, levy_period="2024-13")).status_code == 422


async def test_open_anomalies_are_listed_until_they_clear(
    service: Reconciliation, http: httpx.AsyncClient, hr: dict[str, str]
) -> None:
    await played(service)
    found = (await get(http, "/anomalies", hr, open="true", employer_id=EMPLOYER)).json()["items"]
    assert [(one["kind"], one["word"], one["spread"]) for one in found] == [
        ("RecordMissing", "未到账", 2)
    ] * 2
    told = {one.anomaly_id for one in await service.told(Anomaly)}
    assert {one["anomaly_id"] for one in found} == told
    await service.tell(acked("wang", 3, "recorded", "2024-10-18T00:00:00Z"))
    found = (await get(http, "/anomalies", hr, open="true")).json()["items"]
    assert [one["employee_id"] for one in found] == ["li"]
    cleared = (await get(http, "/anomalies", hr, open="false", kind="RecordMissing")).json()
    assert [one["employee_id"] for one in cleared["items"]] == ["wang"]


async def test_the_bridge_explains_every_fen(
    service: Reconciliation, http: httpx.AsyncClient, hr: dict[str, str]
) -> None:
    await played(service)
    bridge = (await get(http, "/bridge", hr, **OCTOBER)).json()
    assert bridge["sums_fen"]["withheld"]["medical"] == {
        "employer_fen": 152_000,
        "employee_fen": 38_000,
    }
    assert "medical" not in bridge["sums_fen"]["recorded"]
    assert len(bridge["steps"]) == 25
    assert {step["unexplained_fen"] for step in bridge["steps"]} == {0}
    differing = [step for step in bridge["steps"] if step["difference_fen"]]
    assert [(step["from"], step["to"], step["insurance"]) for step in differing] == [
        ("debited", "recorded", "medical"),
        ("debited", "recorded", "maternity"),
    ]
    assert differing[0]["explained"] == [{"reason": "RecordMissing", "cells": 2, "fen": 190_000}]


async def close(
    http: httpx.AsyncClient, headers: dict[str, str], key: str, **body: str
) -> httpx.Response:
    return await http.post(
        "/api/v1/periods/close",
        headers={**headers, "Idempotency-Key": key},
        json={**OCTOBER, **body},
    )


async def test_a_period_with_open_cells_is_closed_only_with_a_reason(
    service: Reconciliation, http: httpx.AsyncClient, hr: dict[str, str], other_hr: dict[str, str]
) -> None:
    await played(service)
    refused = await close(http, hr, "key-1")
    assert (refused.status_code, refused.json()["type"]) == (
        409,
        "urn:daozhang:problem:period-has-open-cells",
    )
    assert (await close(http, other_hr, "key-1", reason="x")).status_code == 404
    closed = await close(http, hr, "key-2", reason="经办机构接口故障，已报修")
    assert (closed.status_code, closed.json()["cells"]) == (201, 10)
    again = await close(http, hr, "key-2", reason="经办机构接口故障，已报修")
    assert again.json() == closed.json()
    [event] = await service.told(PeriodClosed)
    assert event.states == {"RecordMissing": 4, "arrived": 6}
    assert sum(event.sums_fen["debited"].values()) == 2 * HR_TOTAL_FEN
    assert (event.closed_by, event.version) == ("hr-1", 1)


async def test_a_closed_period_still_judges_and_may_be_closed_again(
    service: Reconciliation, http: httpx.AsyncClient, hr: dict[str, str]
) -> None:
    await played(service)
    assert (await close(http, hr, "key-1", reason="先行关账")).status_code == 201
    for name in ("wang", "li"):
        await service.tell(acked(name, 3, "recorded", "2024-10-18T00:00:00Z"))
    assert (await close(http, hr, "key-2")).json()["states"] == {"arrived": 10}
    assert [one.version for one in await service.told(PeriodClosed)] == [1, 2]


async def test_a_period_without_cells_cannot_be_closed(
    service: Reconciliation, http: httpx.AsyncClient, hr: dict[str, str]
) -> None:
    await played(service)
    refused = await close(http, hr, "key-1", levy_period="2024-09", reason="x")
    assert refused.json()["type"] == "urn:daozhang:problem:period-not-opened"
