"""What linters cannot enforce: the tree's own rules (lengths, names, hosts, sources, commands)."""

import ast
import os
import re
import subprocess
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from ruamel.yaml import YAML

from deploy.databases import SERVICES
from deploy.topics import TOPICS_FILE
from shared.contracts import EVENTS
from tests.support.schemas.asyncapi import HEARS
from tests.support.schemas.events import OWNERS

ROOT = Path(__file__).parents[2]
MAX_LINES = 400
CODE_SUFFIXES = {".py", ".sh", ".toml", ".ts", ".tsx", ".css", ".html", ""}
GENERATED = {"requirements.lock", "jars.lock.toml", "package-lock.json"}
LOCKS = ("*.lock", "*.lock.toml", "package-lock.json")

# Written in two parts, so that this file is not its own first find.
UNFINISHED = re.compile(r"\b(TO" + r"DO|FIX" + r"ME|XX" + r"X|HA" + r"CK)\b")
MACHINE_PATH = re.compile(r"(?<![\w.:/$}-])/(?:wo" + r"rk|ro" + r"ot|ho" + r"me|Us" + r"ers)/")
REGISTRY_HOSTS = [
    "py" + "pi.org",
    "python" + "hosted.org",
    "npm" + "js.org",
    "npm" + "mirror.com",
    "maven" + ".org",
    "maven" + ".apache.org",
    "docker" + ".io",
]
INDEX_SETTINGS = ("PIP_INDEX_URL", "UV_INDEX_URL", "UV_DEFAULT_INDEX", "NPM_CONFIG_REGISTRY")
"""Settings of the machine's own registries: their hosts are nobody else's business."""


def in_the_tree(*patterns: str) -> list[Path]:
    """Files that are, or would be, committed: all, or those that match one of `patterns`."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],  # noqa: S607
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    paths = [ROOT / name for name in sorted(set(listed.split("\0"))) if name]
    return [
        path
        for path in paths
        if path.is_file() and (not patterns or any(path.match(pattern) for pattern in patterns))
    ]


def texts() -> Iterator[tuple[str, str]]:
    """Every text file of the tree: its path from the root, and its content."""
    for path in in_the_tree():
        try:
            yield str(path.relative_to(ROOT)), path.read_text()
        except UnicodeDecodeError:
            continue


def lines_with(pattern: re.Pattern[str]) -> list[str]:
    return [
        f"{name}:{number}"
        for name, text in texts()
        for number, line in enumerate(text.splitlines(), 1)
        if pattern.search(line)
    ]


def python_files(*patterns: str) -> Iterator[tuple[str, ast.Module]]:
    for path in in_the_tree(*patterns):
        yield str(path.relative_to(ROOT)), ast.parse(path.read_text())


def workspace() -> dict[str, Any]:
    return tomllib.loads((ROOT / "pyproject.toml").read_text())


def test_no_file_is_longer_than_a_reader_can_hold() -> None:
    too_long = {
        str(path.relative_to(ROOT)): lines
        for path in in_the_tree()
        if path.suffix in CODE_SUFFIXES and path.name not in GENERATED
        if (lines := len(path.read_text(errors="replace").splitlines())) > MAX_LINES
    }
    assert not too_long, f"split into a package of the same name, by the field's nouns: {too_long}"


def test_no_domain_knows_floats() -> None:
    """A literal, a conversion, a division that makes one: each has lost somebody a fen."""
    found = [
        f"{name}:{node.lineno}"
        for name, tree in python_files("services/*/src/*/domain.py", "services/*/src/*/domain/*.py")
        for node in ast.walk(tree)
        if (isinstance(node, ast.Constant) and isinstance(node.value, float))
        or (isinstance(node, ast.Name) and node.id == "float")
        or (isinstance(node, ast.BinOp | ast.AugAssign) and isinstance(node.op, ast.Div))
    ]
    assert not found, f"integer fen and millionths; divide by // and round once: {found}"


def test_nobody_catches_everything_outside_the_plumbing() -> None:
    found = [
        f"{name}:{node.lineno}"
        for name, tree in python_files("*.py")
        if not name.startswith("shared/src/")
        for node in ast.walk(tree)
        if isinstance(node, ast.ExceptHandler) and _catches_everything(node.type)
    ]
    assert not found, f"name the refusal or the outage that is meant: {found}"


def _catches_everything(caught: ast.expr | None) -> bool:
    if caught is None:
        return True
    names = caught.elts if isinstance(caught, ast.Tuple) else [caught]
    return any(isinstance(one, ast.Name) and one.id in _EVERYTHING for one in names)


_EVERYTHING = {"Exception", "BaseException"}


def test_nothing_is_left_for_later() -> None:
    assert lines_with(UNFINISHED) == []


def test_no_path_of_somebodys_machine() -> None:
    assert lines_with(MACHINE_PATH) == []


def test_no_registry_is_named() -> None:
    configured = (urlsplit(os.environ.get(name, "")).hostname for name in INDEX_SETTINGS)
    hosts = [*REGISTRY_HOSTS, *(host for host in configured if host)]
    assert lines_with(re.compile("|".join(re.escape(host) for host in hosts))) == []


def test_lock_files_name_no_host() -> None:
    locks = in_the_tree(*LOCKS)
    assert locks
    assert [path.name for path in locks if "://" in path.read_text()] == []


@pytest.mark.parametrize("package", SERVICES)
def test_a_service_has_one_name(package: str) -> None:
    """`payroll-svc`: folder, distribution, command, consumer group; `payroll_svc`: the package."""
    name = package.replace("_", "-")
    member = tomllib.loads((ROOT / "services" / name / "pyproject.toml").read_text())
    assert member["project"]["name"] == name
    assert member["project"]["scripts"] == {name: f"{package}.main:main"}
    assert (ROOT / "services" / name / "src" / package / "__init__.py").is_file()


def test_the_services_are_the_same_wherever_they_are_listed() -> None:
    packages = list(SERVICES)
    names = [package.replace("_", "-") for package in packages]
    topics = tomllib.loads(TOPICS_FILE.read_text())
    tools = workspace()["tool"]
    lists = {
        "services/": sorted(path.name for path in (ROOT / "services").iterdir() if path.is_dir()),
        "topics.toml subscriptions": sorted(topics["subscriptions"]),
        "asyncapi HEARS": sorted(HEARS),
        "mypy_path": sorted(
            path.split("/")[1] for path in tools["mypy"]["mypy_path"] if "services/" in path
        ),
    }
    assert lists == dict.fromkeys(lists, sorted(names))
    linter = tools["importlinter"]
    assert linter["root_packages"] == ["shared", "sandbox", *packages]
    rooms, independence, sandbox = (
        _contract(linter, "The rooms"),
        _contract(linter, "No service imports another"),
        _contract(linter, "Nothing in services"),
    )
    assert rooms["containers"] == packages
    assert independence["layers"][0].split(" | ") == [*packages, "sandbox"]
    assert sandbox["source_modules"] == packages


def _contract(linter: dict[str, Any], title: str) -> dict[str, Any]:
    (found,) = [one for one in linter["contracts"] if one["name"].startswith(title)]
    return dict(found)


def test_a_topic_is_named_after_the_service_that_owns_it() -> None:
    topics = tomllib.loads(TOPICS_FILE.read_text())
    listed = {
        name for group in ("events", "identities", "policies") for name in topics[group]["names"]
    }
    assert listed == set(OWNERS) == {cls.TOPIC for cls in EVENTS.values()}
    for topic, owner in OWNERS.items():
        assert topic.split(".")[0] == owner.removesuffix("-svc")


def test_every_policy_value_has_a_source() -> None:
    """And the day since which it is known, or that nobody knows it: a late notice must not rewrite
    closed months.
    """
    packs = in_the_tree("services/*/src/*/policies/*.yaml")
    assert packs, "no policy pack was found: has the folder moved?"
    for path in packs:
        pack = YAML(typ="safe").load(path)
        dated = list(_dated_values(pack, path.name))
        assert dated, f"{path.name} holds no dated value"
        for place, value in dated:
            named = value.get("source")
            sources = named if isinstance(named, list) else [named]
            assert sources, f"{place}: name a source of the pack"
            for source in sources:
                assert pack["sources"].get(source), f"{place}: name a source of the pack"
            assert "known_since" in value, f"{place}: since when is it known?"


def _dated_values(node: Any, place: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Every mapping with `effective_from`, and its place in the file."""
    if isinstance(node, list):
        for index, part in enumerate(node):
            yield from _dated_values(part, f"{place}[{index}]")
    if isinstance(node, dict):
        if "effective_from" in node:
            yield place, node
        for name, part in node.items():
            yield from _dated_values(part, f"{place}.{name}")


def make_targets() -> set[str]:
    return set(re.findall(r"^([a-z][a-z0-9-]*):", (ROOT / "Makefile").read_text(), re.MULTILINE))


def test_every_documented_command_is_a_target() -> None:
    documented = {
        (name, target)
        for name, text in texts()
        if name.endswith(".md") or name.startswith(".ci/")
        for target in re.findall(r"(?:`|^\s*(?:\$ )?)make ([a-z][a-z0-9-]+)", text, re.MULTILINE)
    }
    assert documented, "README names `make demo` and `make test`"
    assert {(name, target) for name, target in documented if target not in make_targets()} == set()


def test_help_explains_every_target() -> None:
    lines = (ROOT / "Makefile").read_text().splitlines()
    explained = {line.split(":")[0] for line in lines if re.match(r"[a-z0-9-]+:.*## ", line)}
    assert make_targets() == explained


def test_shared_stays_plumbing() -> None:
    """ADR 0020: without the contracts, 5,500 lines at most."""
    shared, contracts = ROOT / "shared/src", ROOT / "shared/src/shared/contracts"
    files = [p for p in in_the_tree("*.py") if shared in p.parents and contracts not in p.parents]
    assert len(files) > 20
    assert sum(len(path.read_text().splitlines()) for path in files) <= 5_500
