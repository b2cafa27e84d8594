"""One OpenAPI file per service: what its own `openapi` command prints."""

import importlib
import json
from typing import Any

from deploy.databases import SERVICES
from shared.serve import Service, openapi_document


def rendered_openapi() -> dict[str, str]:
    """`payroll-svc.json` and its siblings to their text, from the SERVICE in each main.py."""
    services: list[Service[Any]] = [
        importlib.import_module(f"{package}.main").SERVICE for package in SERVICES
    ]
    return {f"{service.name}.json": rendered(service) for service in services}


def rendered(service: Service[Any]) -> str:
    """The document in the form in which the command prints it."""
    document = openapi_document(service)
    return json.dumps(document, ensure_ascii=False, indent=1, sort_keys=True) + "\n"
