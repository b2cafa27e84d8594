"""Every route of every service, asked by everybody, on real HTTP: another's data is not there."""

import asyncio
import json
import re
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from sandbox.case.addresses import SERVICES
from tests.support.access_table import REFUSED_FOR_ITS_STATE, TABLE, Route, content_of
from tests.support.cast import CALLERS, OPEN_IDS, Cast, House

DOCUMENTS = Path(__file__).parents[2] / "docs" / "openapi"
METHODS = ("get", "put", "post", "patch", "delete")
FILTERS = ("employee_id", "ticket_id", "incident_id")
"""What a list may be narrowed to beside the employer."""

OPEN = ("/healthz", "/readyz", "/metrics", "/openapi.json", "/docs")
"""Nobody's data (ADR 0018)."""


@dataclass(frozen=True)
class Operation:
    """One operation of a served document."""

    route: Route
    parameters: list[dict[str, Any]]

    @property
    def reads(self) -> bool:
        return self.route[1] == "GET"

    def path(self, ids: Mapping[str, str]) -> str:
        named = re.findall(r"{(\w+)}", self.route[2])
        return self.route[2].format(**{name: ids.get(name, "nowhere") for name in named})

    def query(self, ids: Mapping[str, str], *names: str) -> dict[str, str]:
        """What must be asked for, and of what may be the parameters named."""
        return {
            parameter["name"]: ids[parameter["name"]]
            for parameter in self.parameters
            if parameter["in"] == "query"
            and (parameter.get("required") or parameter["name"] in names)
        }


@pytest.fixture(scope="module")
async def operations(actors: Cast) -> list[Operation]:
    """From the documents as the running services serve them."""
    found = []
    for service in SERVICES:
        answer = await actors.client.get(f"{actors.addresses.services[service]}/openapi.json")
        document = answer.json()
        committed = await asyncio.to_thread((DOCUMENTS / f"{service}.json").read_text)
        assert document == json.loads(committed), service
        found += [
            Operation((service, method.upper(), path), operation.get("parameters", []))
            for path, item in document["paths"].items()
            for method, operation in item.items()
            if method in METHODS
        ]
    return found


async def ask(
    actors: Cast,
    operation: Operation,
    headers: dict[str, str],
    ids: Mapping[str, str],
    *filters: str,
) -> httpx.Response:
    service, method, path = operation.route
    content: dict[str, Any] = {} if operation.reads else content_of(path, ids)
    signed = {**content.pop("headers", {}), **headers}
    return await actors.client.request(
        method,
        actors.addresses.services[service] + operation.path(ids),
        params=operation.query(ids, "employer_id", *filters),
        headers=signed,
        **content,
    )


def home_of(actors: Cast, operation: Operation) -> House:
    """Writes go to the employer that was made for them; the finished case stays as it is."""
    return actors.case if operation.reads else actors.other


def without(text: str, ids: Mapping[str, str]) -> str:
    """The answer but for its request id and for what was asked for."""
    for value in sorted(ids.values(), key=len, reverse=True):
        text = text.replace(value, "…")
    return re.sub(r'"request_id":"[^"]*"', "", text)


def nowhere(ids: Mapping[str, str]) -> dict[str, str]:
    """The same ids, of things that do not exist."""
    kept = (*OPEN_IDS, "uscc", "employer_name")
    return {name: value if name in kept else str(uuid.uuid4()) for name, value in ids.items()}


def test_every_route_has_a_line_and_every_line_a_route(operations: list[Operation]) -> None:
    assert {operation.route for operation in operations} == TABLE.keys()
    assert len(operations) == len(TABLE)


@pytest.mark.parametrize("caller", CALLERS)
async def test_each_caller_is_answered_as_the_table_says(
    actors: Cast, operations: list[Operation], caller: str
) -> None:
    wrong = []
    for operation in operations:
        home = home_of(actors, operation)
        answer = await ask(actors, operation, actors.callers(home)[caller], home.ids)
        expected = TABLE[operation.route][caller]
        if not _is(expected, answer, operation):
            wrong.append((operation.route, expected, answer.status_code, answer.text[:300]))
        if answer.status_code == 401 and answer.headers.get("WWW-Authenticate") != "Bearer":
            wrong.append((operation.route, "WWW-Authenticate", 401, str(answer.headers)))
        for secret in _not_for(caller, actors, home):
            if secret in without(answer.text, home.ids if expected == "404" else {}):
                wrong.append((operation.route, f"shows {secret}", answer.status_code, answer.text))
    assert wrong == []


def _is(expected: str, answer: httpx.Response, operation: Operation) -> bool:
    if expected != "own":
        return answer.status_code == int(expected)
    if "/dead-letters/" in operation.route[2]:
        return answer.status_code == 404  # an operator is told that nothing is parked there
    return answer.is_success or (
        not operation.reads and answer.status_code in REFUSED_FOR_ITS_STATE
    )


def _not_for(caller: str, actors: Cast, home: House) -> set[str]:
    """What no answer to this caller may hold."""
    away = actors.other if home is actors.case else actors.case
    me, colleague = home.ids["employee_id"], _colleague(home)
    everyone = home.people.keys() | away.people.keys()
    return {
        "employee": (everyone | away.secrets) - {me},
        "colleague": (everyone | away.secrets) - {colleague},
        "outsider": (everyone | home.secrets) - {away.ids["employee_id"]},
        "hr": set(away.secrets),
        "other hr": set(home.secrets),
        "operator": set(everyone),
    }.get(caller, set(home.secrets | away.secrets))


def _colleague(home: House) -> str:
    [first, second] = list(home.people)[:2]
    return second if first == home.ids["employee_id"] else first


async def test_anothers_is_answered_as_what_does_not_exist(
    actors: Cast, operations: list[Operation]
) -> None:
    compared = 0
    for operation in operations:
        home = home_of(actors, operation)
        for caller, headers in actors.callers(home).items():
            # What is 404 to the house's own HR is not there, and not another's.
            if TABLE[operation.route][caller] != "404" or caller == "hr":
                continue
            absent = nowhere(home.ids)
            there = await ask(actors, operation, headers, home.ids)
            not_there = await ask(actors, operation, headers, absent)
            assert there.status_code == not_there.status_code == 404, operation.route
            assert without(there.text, home.ids) == without(not_there.text, absent), operation.route
            assert _shape(there) == _shape(not_there), operation.route
            compared += 1
    assert compared >= 60


def _shape(answer: httpx.Response) -> list[str]:
    return sorted(name for name in answer.headers if name not in ("date", "content-length"))


async def test_a_filter_by_anothers_id_finds_nothing(
    actors: Cast, operations: list[Operation]
) -> None:
    """Under the caller's own employer, or under none."""
    narrowed = 0
    for operation in operations:
        names = {one["name"] for one in operation.parameters if one["in"] == "query"}
        if not names.intersection(FILTERS) or not operation.reads:
            continue
        for caller, own in (("other hr", actors.other), ("outsider", actors.other)):
            if TABLE[operation.route][caller] == "403":
                continue
            asked = {**actors.case.ids, "employer_id": own.ids["employer_id"]}
            headers = actors.callers(actors.case)[caller]
            for name in sorted(names.intersection(FILTERS)):
                answer = await ask(actors, operation, headers, asked, name)
                if answer.status_code != 404:
                    assert answer.json()["items"] == [], (operation.route, name)
                narrowed += 1
    assert narrowed >= 8


async def test_an_employee_who_asks_for_a_colleague_gets_nothing(
    actors: Cast, operations: list[Operation]
) -> None:
    headers = actors.case.colleague.headers()
    asked = 0
    for operation in operations:
        names = {one["name"] for one in operation.parameters if one["in"] == "query"}
        if "employee_id" not in names or TABLE[operation.route]["colleague"] == "403":
            continue
        answer = await ask(actors, operation, headers, actors.case.ids, "employee_id")
        assert answer.status_code == 404 or answer.json()["items"] == [], operation.route
        asked += 1
    assert asked >= 4


async def test_what_is_open_to_nobody_says_nothing_of_anybody(actors: Cast) -> None:
    secrets = actors.case.secrets | actors.other.secrets
    for service in SERVICES:
        for path in OPEN:
            answer = await actors.client.get(actors.addresses.services[service] + path)
            assert answer.status_code == 200, (service, path)
            assert not [secret for secret in secrets if secret in answer.text], (service, path)
        for path in ("/", "/redoc", "/api/v1", "/admin", "/docs/../api/v1/employees"):
            answer = await actors.client.get(actors.addresses.services[service] + path)
            assert answer.status_code in (401, 404), (service, path)
