"""Where the command finds an embedded installation: in what its servers wrote into its folder."""

import json
from pathlib import Path

import pytest

from tests.support.invariants.__main__ import Addresses, NotRunning, addresses_in


def test_the_folder_of_a_running_installation_names_its_servers(tmp_path: Path) -> None:
    for name in ("secrets", "postgres", "run"):
        (tmp_path / name).mkdir()
    (tmp_path / "secrets" / "passwords.json").write_text(json.dumps({"postgres": "pw"}))
    (tmp_path / "postgres" / "postmaster.pid").write_text("7\n/data\n1730\n54329\n\n127.0.0.1\n")
    (tmp_path / "run" / "server.properties").write_text(
        "listeners=PLAINTEXT://127.0.0.1:9292,CONTROLLER://127.0.0.1:9293\n"
        "advertised.listeners=PLAINTEXT://127.0.0.1:9292\n"
    )
    assert addresses_in(tmp_path) == Addresses(
        "postgresql://postgres:pw@127.0.0.1:54329/postgres", "127.0.0.1:9292"
    )


def test_a_folder_in_which_nothing_runs_is_named(tmp_path: Path) -> None:
    with pytest.raises(NotRunning, match=str(tmp_path)):
        addresses_in(tmp_path)
