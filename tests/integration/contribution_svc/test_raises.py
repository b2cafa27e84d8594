"""A base follows a raise at once, or not, as the pack says: the article has it at once."""

import importlib.resources
from collections.abc import Awaitable, Callable
from pathlib import Path

from tests.integration.contribution_svc.bank import Bank
from tests.integration.contribution_svc.month import PERIOD, WANG, Month, wage
from tests.integration.contribution_svc.service import running
from tests.support.issuer import Issuer
from tests.support.service_databases import ServiceDatabase


def at_once(folder: Path) -> Path:
    """A folder with the example city's pack, but for how its bases follow a raise."""
    pack = importlib.resources.files("contribution_svc").joinpath("policies/990100.yaml")
    fixed = pack.read_text(encoding="utf-8")
    assert "after_raise: fixed_for_the_year" in fixed
    folder.mkdir()
    changed = fixed.replace("after_raise: fixed_for_the_year", "after_raise: at_once")
    (folder / "990100.yaml").write_text(changed, encoding="utf-8")
    return folder


async def bases_after_a_raise(month: Month) -> tuple[set[int], str]:
    """小王's bases of October, and why, after a run of 12,000 where last year averaged 9,500."""
    await month.open()
    await month.hear(wage(WANG, PERIOD, 1_200_000, purpose="run"))
    await month.work("2024-09-30 10:00")
    assessed = await month.assessed()
    return {line.base_fen for line in assessed.lines}, assessed.base_explanation


async def test_a_base_follows_a_raise_at_once_where_the_pack_says_so(
    service_database: Callable[[str], Awaitable[ServiceDatabase]],
    signing: Issuer,
    bank: Bank,
    tmp_path: Path,
) -> None:
    database = await service_database("contribution_svc")
    packs = at_once(tmp_path / "packs")
    async with running(database, signing, bank, tmp_path, policy_dir=packs) as month:
        bases, why = await bases_after_a_raise(month)
        assert bases == {1_200_000}
        assert why.startswith("调薪后月工资12,000.00元")
        path = f"/explanations/contribution?employee_id={WANG}&levy_period={PERIOD}"
        found = (await month.get(f"{path}&insurance=medical&side=employee")).json()
        assert found["sentence"].startswith("2024-10调薪后月工资12,000.00元")
        assert found["amount_fen"] == 24_000


async def test_elsewhere_it_stays_for_the_year(month: Month) -> None:
    bases, why = await bases_after_a_raise(month)
    assert bases == {950_000}
    assert why.startswith("上年度月均工资9,500.00元")
