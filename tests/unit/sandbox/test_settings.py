import json
from pathlib import Path

import pytest

from sandbox.settings import Settings, load
from shared.serve import SettingsRefused
from tests.support.parties import settings_of


def settings(folder: Path, parties: object = None) -> Settings:
    if parties is None:
        return settings_of(folder, "postgresql+asyncpg://", "127.0.0.1:9", "sandbox.clock")
    (folder / "parties.json").write_text(json.dumps(parties))
    more = {"parties_file": folder / "parties.json"}
    return settings_of(folder, "postgresql+asyncpg://", "127.0.0.1:9", "sandbox.clock", **more)


def test_the_package_brings_the_parties_of_two_cities(tmp_path: Path) -> None:
    parties = settings(tmp_path).parties().values()
    for city, passes_detail in (("990100", False), ("990200", True)):
        here = [party for party in parties if party.city == city]
        [collector] = [party for party in here if party.kind == "collector"]
        assert collector.passes_detail is passes_detail
        recorded = [insurance for party in here for insurance in party.insurances]
        assert sorted(recorded) == [
            "maternity",
            "medical",
            "pension",
            "unemployment",
            "work_injury",
        ]


@pytest.mark.parametrize(
    "parties",
    [
        {"party": "tax-1"},
        [{"party": "tax-1", "kind": "bank", "city": "990100"}],
        [{"party": "Tax/1", "kind": "collector", "city": "990100"}],
        [{"party": "tax-1", "kind": "collector", "city": "990100"}] * 2,
    ],
)
def test_a_list_of_parties_that_cannot_be_played_is_refused(
    tmp_path: Path, parties: object
) -> None:
    with pytest.raises(ValueError, match=r"."):
        settings(tmp_path, parties).parties()


def test_a_missing_or_wrong_setting_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("KAFKA_BOOTSTRAP", "SANDBOX_DATABASE_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("SANDBOX_PORT_BANK", "many")
    monkeypatch.setenv("SANDBOX_REQUESTS_PER_SECOND", "0")
    with pytest.raises(SettingsRefused) as refused:
        load()
    said = str(refused.value)
    for name in (
        *("SANDBOX_DATABASE_URL", "KAFKA_BOOTSTRAP"),
        *("SANDBOX_PORT_BANK", "SANDBOX_REQUESTS_PER_SECOND"),
    ):
        assert name in said
