"""`python -m tests.support.schemas [--check] [--only events]`: write the documents, or compare."""

import argparse
import sys
from collections.abc import Callable
from pathlib import Path

from tests.support.schemas.asyncapi import rendered_document
from tests.support.schemas.events import rendered_schemas
from tests.support.schemas.history import ROOT
from tests.support.schemas.openapi import rendered_openapi


def rendered_events() -> dict[str, str]:
    """Everything in docs/events."""
    return {**rendered_schemas(), "asyncapi.yaml": rendered_document()}


SUBJECTS: dict[str, Callable[[], dict[str, str]]] = {
    "events": rendered_events,
    "openapi": rendered_openapi,
}
"""Folder under docs/ to what belongs in it: file name to text."""


def differences(folder: Path, wanted: dict[str, str]) -> list[str]:
    """Names of files that are missing, differ, or are there and should not be."""
    present = {path.name: path.read_text() for path in folder.glob("*") if path.is_file()}
    return sorted(
        name for name in present.keys() | wanted.keys() if present.get(name) != wanted.get(name)
    )


def write(folder: Path, wanted: dict[str, str]) -> None:
    """Exactly `wanted`, except that an event's schema is never deleted: its events were told."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in wanted.items():
        (folder / name).write_text(text)


def main() -> None:
    """Exit code 1 when `--check` finds a difference."""
    parser = argparse.ArgumentParser(prog="python -m tests.support.schemas", description=__doc__)
    parser.add_argument("--check", action="store_true", help="compare, write nothing")
    parser.add_argument("--only", choices=SUBJECTS, help="one of them; default: all")
    chosen = parser.parse_args()
    subjects = [chosen.only] if chosen.only else list(SUBJECTS)
    stale: list[str] = []
    for subject in subjects:
        folder, wanted = ROOT / "docs" / subject, SUBJECTS[subject]()
        if not chosen.check:
            write(folder, wanted)
        stale += [f"docs/{subject}/{name}" for name in differences(folder, wanted)]
    if stale:
        sys.exit(
            "Not what the code says (run `python -m tests.support.schemas`): " + ", ".join(stale)
        )
    sys.stdout.write(f"docs/{' and docs/'.join(subjects)}: as the code says\n")


if __name__ == "__main__":
    main()
