"""Levy periods of Hefei's pension in 2026 on the running service, and what HR sees of arrears."""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Any

from shared.contracts import AccountFact, SpellFact
from tests.integration.contribution_svc.bank import Bank
from tests.integration.contribution_svc.month import (
    ACCOUNT,
    EMPLOYER,
    WANG,
    Month,
    employee,
    employer,
    wage,
)
from tests.integration.contribution_svc.service import running
from tests.support.hefei import hefei_pack
from tests.support.issuer import Issuer
from tests.support.service_databases import ServiceDatabase

At = Callable[[str], AbstractAsyncContextManager[Month]]


def hefei_at(database: ServiceDatabase, signing: Issuer, bank: Bank, folder: Path) -> At:
    """The service at a time, with Hefei's pack, always on this database."""
    packs = folder / "packs"
    packs.mkdir(exist_ok=True)
    (packs / "340100.yaml").write_bytes(hefei_pack())

    def at(time: str) -> AbstractAsyncContextManager[Month]:
        return running(database, signing, bank, folder, time, policy_dir=packs)

    return at


def insured(employee_id: str, since: str = "2020-03-01") -> Any:
    spell = SpellFact(
        since=since, until="", department_id="operations", city="340100", account_id=ACCOUNT
    )
    return employee(employee_id, spells=(spell,))


def hefei_employer(cut_over: str) -> Any:
    account = AccountFact(
        account_id=ACCOUNT,
        account_no="3401000001",
        city="340100",
        collector="tax-340100",
        bank_account_ref="BANK-1",
    )
    return employer(cut_over=cut_over, accounts=(account,))


def at_the_floor(employee_id: str) -> list[Any]:
    """Last year's wages, below every floor."""
    return [wage(employee_id, f"2025-{month:02d}", 300_000) for month in range(1, 13)]


async def declare(month: Month, *periods: str) -> None:
    """Each opened and approved in its time, the first with the employer's cut-over."""
    await month.hear(hefei_employer(periods[0]))
    await month.hear(insured(WANG))
    await month.hear(*at_the_floor(WANG))
    for period in periods:
        await month.work(f"{period}-08 09:00")
        path = f"/declarations?employer_id={EMPLOYER}&levy_period={period}"
        [draft] = (await month.get(path)).json()["items"]
        answer = await month.post(f"/declarations/{draft['declaration_id']}/approve")
        assert answer.status_code == 200, answer.text


async def supplementary(month: Month) -> list[Any]:
    answer = await month.get(f"/supplementary-declarations?employer_id={EMPLOYER}")
    assert answer.status_code == 200, answer.text
    found: list[Any] = answer.json()["items"]
    return sorted(found, key=lambda one: (one["levy_period"], one["number"]))


async def arrears(month: Month, employee_id: str) -> Any:
    answer = await month.get(f"/arrears?employee_id={employee_id}")
    assert answer.status_code == 200, answer.text
    return answer.json()


async def approve(month: Month, declaration: Any, **body: str) -> Any:
    path = f"/supplementary-declarations/{declaration['declaration_id']}/approve"
    answer = await month.post(path, json=body)
    assert answer.status_code == 200, answer.text
    return answer.json()
