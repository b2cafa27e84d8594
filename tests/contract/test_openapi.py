"""The committed OpenAPI files are what each service serves, and keep our conventions."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from portal_svc.main import SERVICE
from tests.support.schemas.__main__ import differences
from tests.support.schemas.history import ROOT
from tests.support.schemas.openapi import rendered, rendered_openapi

DOCS = ROOT / "docs" / "openapi"
METHODS = {"get", "post", "put", "patch", "delete"}


@pytest.fixture(scope="module")
def documents() -> dict[str, str]:
    return rendered_openapi()


def operations(text: str) -> list[tuple[str, str, dict[str, Any]]]:
    return [
        (path, method, operation)
        for path, methods in json.loads(text)["paths"].items()
        for method, operation in methods.items()
        if method in METHODS
    ]


def test_the_committed_files_are_what_the_services_serve(documents: dict[str, str]) -> None:
    assert differences(DOCS, documents) == [], "run `python -m tests.support.schemas`"


def test_business_paths_are_versioned(documents: dict[str, str]) -> None:
    for service, text in documents.items():
        for path, _method, _operation in operations(text):
            assert path.startswith("/api/v1/") or path in {"/healthz", "/readyz", "/metrics"}, (
                service,
                path,
            )


def test_money_is_an_integer_number_of_fen(documents: dict[str, str]) -> None:
    for service, text in documents.items():
        assert '"type": "number"' not in text, f"{service}: amounts are fen, rates millionths"


def test_the_command_prints_what_is_committed() -> None:
    printed = subprocess.run(  # noqa: S603 - our own command
        [Path(sys.executable).with_name("portal-svc"), "openapi"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    assert printed == rendered(SERVICE)
