"""A lost store takes back what people entered: own items, standing items, entries, declarations and
words on payslips, these sealed on their way.
"""

from typing import Any

from sqlalchemy import text

from payroll_svc.main import build
from shared import db, outbox
from shared.codec import Received, body_of
from shared.contracts import (
    EmployeeSealed,
    Event,
    PayslipReplied,
    TaxDeclared,
)
from shared.db import transaction
from tests.integration.payroll_svc.conftest import PayrollService
from tests.integration.payroll_svc.paying import assessed, pay_through, run_of, with_people
from tests.integration.payroll_svc.test_wage_data import stage, wide
from tests.support.rosters import csv_file, roster_row

WORDS = "孩子 chenxi 的扣除没有算"
DECLARED = {
    "deductions": [
        {
            "kind": "child_education",
            "since": "2024-09",
            "until": None,
            "amount_fen": 200_000,
            "subject": "chenxi",
        }
    ],
    "elections": [{"tax_year": 2024, "election": "bonus_taxed_apart"}],
}

TABLES = {
    "employees": "SELECT employee_id, agreed_wage_fen, special_additional_fen, version"
    " FROM employees ORDER BY 1",
    "pay_items": "SELECT * FROM pay_items ORDER BY 1, 2",
    "standing_items": "SELECT * FROM standing_items ORDER BY 1, 2",
    "entries": "SELECT * FROM entries ORDER BY 1, 2, 3",
    "tax_declarations": "SELECT * FROM tax_declarations ORDER BY 1",
    "payslip_replies": "SELECT * FROM payslip_replies ORDER BY 1, 2, 3",
    "entered_versions": "SELECT * FROM entered_versions ORDER BY 1, 2",
    "payslips": "SELECT run_id, employee_id, tax_fen, income_fen, special_additional_fen"
    " FROM payslips ORDER BY 1, 2",
}
"""What is compared of each table: how pay was reckoned is not told."""


async def rows_of(service: PayrollService) -> dict[str, list[Any]]:
    return {
        table: [tuple(row) for row in await service.rows(statement)]
        for table, statement in TABLES.items()
    }


async def received(service: PayrollService) -> list[Received]:
    """Everything that was told, as the topics have it."""
    async with transaction(service.parts.worker) as conn:
        times = (await conn.execute(text("SELECT ce_time FROM outbox ORDER BY seq"))).scalars()
        at = [time.isoformat() for time in times]
    told = await service.told(Event)
    return [
        Received(event, str(event.event_id()), b"", "", time)
        for event, time in zip(told, at, strict=True)
    ]


async def recover(service: PayrollService, told: list[Received]) -> list[str]:
    recovery = service.wiring.recovery
    async with db.transaction(service.parts.worker) as conn:
        for keeper in dict.fromkeys(recovery.own.values()):
            await keeper(conn, told)
        return list(await recovery.settle(conn, service.clock.now()))


async def enter_everything(service: PayrollService) -> tuple[str, str]:
    """(employer id, employee id) after one of everything was entered, a file's entries too."""
    employer_id, ids = await with_people(service, roster_row(1))
    me = ids["E0001"]
    hr, mine = service.hr(employer_id), service.employee(employer_id, me)
    item = {"employer_id": employer_id, "code": "night", "name": "夜班津贴", "law": "约定"}
    standing = {"code": "base_salary", "since": "2024-09-16", "amount_fen": 1_200_000}
    entry = {"employee_id": me, "code": "bonus", "amount_fen": 5_000}
    month = {"employer_id": employer_id, "levy_period": "2024-10", "entries": [entry]}
    for path, body in (
        ("/pay-items", item),
        (f"/employees/{me}/standing-items", {"items": [standing]}),
        ("/entries", month),
    ):
        answer = await service.post(path, hr, json=body)
        assert answer.status_code in (200, 201), answer.text
    staged = await stage(
        service, employer_id, csv_file([wide(1, 夜班津贴="300")], ["工号", "夜班津贴"])
    )
    assert (await service.apply(employer_id, staged)).status_code == 200
    headers = {**hr, "Idempotency-Key": "declared"}
    path = f"/employees/{me}/tax-declaration"
    assert (await service.http.put(path, headers=headers, json=DECLARED)).status_code == 200
    await service.hear(assessed(employer_id, me))
    run = await run_of(service, employer_id)
    await pay_through(service, run)
    reply = f"/payslips/{run['run_id']}/{me}/"
    said: tuple[tuple[str, dict[str, str], Any], ...] = (
        ("dispute", mine, {"words": WORDS}),
        ("answer", hr, {"words": "已补登记"}),
        ("confirm", mine, None),
    )
    for verb, who, words in said:
        answer = await service.post(f"{reply}{verb}", who, json=words)
        assert answer.status_code == 200, answer.text
    return employer_id, me


async def test_what_people_entered_comes_back_to_an_empty_store(
    service: PayrollService, restored: PayrollService
) -> None:
    await enter_everything(service)
    before, told = await rows_of(service), await received(service)
    assert len(before["payslip_replies"]) == 3
    assert [row[-1] for row in before["employees"]] == [1]
    for one in told:
        if not isinstance(one.event, EmployeeSealed):
            body = body_of(one.event).decode()
            assert "chenxi" not in body, one.event
            assert "child_education" not in body, one.event
    notes = await recover(restored, told)
    assert await rows_of(restored) == before
    assert not [note for note in notes if "standing items" in note or "do not open" in note]
    # The command once more, in a process of its own: taken back twice is taken back once.
    restored.wiring = build(restored.parts)
    await recover(restored, told)
    assert await rows_of(restored) == before


async def test_the_next_change_is_told_under_the_next_version(
    service: PayrollService, restored: PayrollService
) -> None:
    employer_id, me = await enter_everything(service)
    told = await received(service)
    await recover(restored, told)
    async with transaction(restored.parts.worker) as conn:
        await outbox.take_back(conn, [(one, body_of(one.event)) for one in told])
    raised = {"code": "base_salary", "since": "2024-10-01", "amount_fen": 1_500_000}
    answer = await restored.post(
        f"/employees/{me}/standing-items", restored.hr(employer_id), json={"items": [raised]}
    )
    # How the month was reckoned is not told: no run makes it good, and HR hears of it.
    [note] = answer.json()["notes"]
    assert note.startswith("2024-10（1 人）已发薪，核算过程没有保存：")
    headers = {**restored.hr(employer_id), "Idempotency-Key": "again"}
    path = f"/employees/{me}/tax-declaration"
    nothing: dict[str, list[Any]] = {"deductions": [], "elections": []}
    assert (await restored.http.put(path, headers=headers, json=nothing)).status_code == 200
    assert [event.version for event in await restored.told(TaxDeclared)] == [1, 2]
    run_id = (await restored.told(PayslipReplied))[-1].run_id
    again = await restored.post(
        f"/payslips/{run_id}/{me}/dispute",
        restored.employee(employer_id, me),
        json={"words": "又错"},
    )
    assert again.status_code == 200, again.text
    versions = [event.version for event in await restored.told(PayslipReplied)]
    assert versions == [1, 2, 3, 4]


async def test_what_a_destroyed_key_sealed_stays_closed(
    service: PayrollService, restored: PayrollService
) -> None:
    await enter_everything(service)
    told = [one for one in await received(service) if not isinstance(one.event, EmployeeSealed)]
    notes = await recover(restored, told)
    assert "2 sealed declarations or replies do not open and are lost" in notes
    after = await rows_of(restored)
    assert after["tax_declarations"] == after["payslip_replies"] == []
    assert len(after["entries"]) == 2
