"""The checker raises no false alarm in the middle of the case: after every act all laws hold."""

from pathlib import Path

import httpx
import pytest
from rich.console import Console

from deploy.embedded.demo import addresses_of
from deploy.embedded.journal import nowhere
from deploy.embedded.stack import stack
from sandbox.case.narrator import Narrator
from sandbox.case.october import October
from sandbox.case.roster import Case
from tests.support.invariants import check


@pytest.mark.long
async def test_every_law_holds_after_every_act_of_october(tmp_path: Path) -> None:
    """The short form is in tests/e2e: the finished October, with its open November."""
    async with (
        stack(tmp_path, log=nowhere) as installation,
        httpx.AsyncClient(timeout=30) as client,
    ):
        narrator = Narrator(Console(quiet=True))
        october = October(addresses_of(installation), client, Case(), narrator)
        acts = october.acts()
        assert len(acts) > 5
        for act in acts:
            await act()
            assert [str(one) for one in await check(installation)] == [], f"after {act}"
