"""Keys wrapped anew after a rotation, and a person's key destroyed: what stays, what is told."""

import json
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import text

from payroll_svc.usecases import identities
from shared import db
from shared.contracts import EmployeeChanged, EmployeeSealed
from shared.refusal import Refusal
from shared.sealed import Sealed, Sealer
from tests.integration.payroll_svc.conftest import PayrollService
from tests.support import root_keys
from tests.support.rosters import csv_file, resident_number, roster_row

LEFT = "2022-08-31"
"""Two years and some days before the tests' business time, 20 September 2024."""


def rotated(service: PayrollService) -> Sealer:
    root_keys.rotate(service.parts.settings.root_key_file)
    return Sealer.from_file(service.parts.settings.root_key_file)


async def rewrap_all(service: PayrollService, sealer: Sealer) -> tuple[int, int]:
    """(done, broken) of the batches that the command makes."""
    done = broken = 0
    async with db.transaction(service.parts.worker) as conn:
        employer_ids = await identities.employers_to_rewrap(conn, sealer)
    for employer_id in employer_ids:
        batch = identities.Rewrapped(1, 0, "")
        while batch.done:
            async with db.transaction(service.parts.worker) as conn:
                batch = await identities.rewrap(
                    conn, sealer, employer_id, batch.last, service.clock.now()
                )
            done, broken = done + batch.done, broken + batch.broken
    return done, broken


async def take_in(service: PayrollService, *rows: dict[str, object]) -> str:
    employer_id = await service.create_employer()
    await service.take_in(employer_id, "roster", "roster.csv", csv_file(rows))
    return employer_id


async def names(service: PayrollService, employer_id: str) -> dict[str, str]:
    answer = await service.http.get(
        "/employees", params={"employer_id": employer_id}, headers=service.hr(employer_id)
    )
    return {one["employee_no"]: one["name"] for one in answer.json()["items"]}


async def ids(service: PayrollService) -> dict[str, str]:
    rows = await service.rows("SELECT employee_no, employee_id FROM employees")
    return {row.employee_no: row.employee_id for row in rows}


async def erase(service: PayrollService, employer_id: str, employee_id: str) -> Any:
    return await service.post(
        f"/employees/{employee_id}/erasure",
        service.hr(employer_id),
        json={"reason": "retention_over"},
    )


async def carry_out(service: PayrollService) -> int:
    [job] = [job for job in service.wiring.jobs if job.name == "erase"]
    return await job.run(service.clock.now())


async def everything(service: PayrollService) -> str:
    """Every row of the database as text, bytes decoded."""
    tables = await service.rows(
        "SELECT relname FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace"
    )
    texts = []
    for table in tables:
        if table.relname != "alembic_version":
            rows = await service.rows(f"SELECT to_jsonb(t)::text AS row FROM {table.relname} t")  # noqa: S608
            texts += [row.row for row in rows]
    bodies = await service.rows("SELECT payload FROM outbox WHERE payload IS NOT NULL")
    return "\n".join([*texts, *(bytes(row.payload).decode() for row in bodies)])


async def test_after_a_rotation_every_key_is_wrapped_by_the_newest_root_key_and_told_anew(
    service: PayrollService,
) -> None:
    employer_id = await take_in(service, *(roster_row(number) for number in range(1, 6)))
    old = service.sealer.newest
    staged = await service.upload(employer_id, "roster", "b.csv", csv_file([roster_row(6)]))
    before = await names(service, employer_id)
    sealer = rotated(service)
    # Five people, one who is staged, and the file that names them.
    assert await rewrap_all(service, sealer) == (7, 0)
    root_keys.take_older_out(service.parts.settings.root_key_file)
    # Nothing depends on the root key that is gone: not the people, not what was told of them, not
    # the row that was staged under it.
    assert await names(service, employer_id) == before
    assert old not in await everything(service)
    told = await service.told(EmployeeSealed)
    assert {event.version for event in told} == {2}
    assert len(told) == 5
    for event in told:
        sealed = Sealed(event.sealed, event.wrapped_key, event.root_key_id)
        assert "王小" in sealer.open(employer_id, event.employee_id, sealed)["name"]
    assert (await service.apply(employer_id, staged.json())).status_code == 200
    assert (await names(service, employer_id))["E0006"] == "王小七"


async def test_wrapping_anew_goes_on_where_it_was_cut_short_and_then_has_nothing_to_do(
    service: PayrollService,
) -> None:
    employer_id = await take_in(service, *(roster_row(number) for number in range(1, 6)))
    sealer = rotated(service)
    async with service.parts.worker.connect() as conn:
        cut = await identities.rewrap(conn, sealer, employer_id, "", service.clock.now())
        assert cut.done == 5
        await conn.rollback()
    assert await rewrap_all(service, sealer) == (5, 0)
    assert await rewrap_all(service, sealer) == (0, 0)
    assert {event.version for event in await service.told(EmployeeSealed)} == {2}


async def test_a_key_that_does_not_open_holds_up_no_other(service: PayrollService) -> None:
    employer_id = await take_in(service, *(roster_row(number) for number in range(1, 4)))
    people = await ids(service)
    moved = text(
        "UPDATE identities SET wrapped_key = theirs.wrapped_key FROM identities theirs"
        " WHERE theirs.employee_id = :of AND identities.employee_id = :to"
    )
    async with db.transaction(service.parts.worker) as conn:
        await conn.execute(moved, {"of": people["E0002"], "to": people["E0001"]})
    assert await rewrap_all(service, rotated(service)) == (2, 1)
    shown = await names(service, employer_id)
    assert shown == {"E0001": "", "E0002": "王小三", "E0003": "王小四"}


async def test_new_people_are_sealed_by_the_new_root_key_without_a_restart(
    service: PayrollService,
) -> None:
    employer_id = await take_in(service, roster_row(1))
    sealer = rotated(service)
    await service.take_in(employer_id, "roster", "b.csv", csv_file([roster_row(2)]))
    rows = await service.rows(
        "SELECT root_key_id FROM identities JOIN employees USING (employee_id) ORDER BY employee_no"
    )
    assert [row.root_key_id for row in rows] == [service.sealer.newest, sealer.newest]
    assert await names(service, employer_id) == {"E0001": "王小二", "E0002": "王小三"}


async def test_an_erased_person_leaves_amounts_and_ids_and_nothing_else(
    service: PayrollService,
) -> None:
    employer_id = await take_in(service, roster_row(1, 离职日期=LEFT), roster_row(2))
    wages = "工号,2021-05\r\nE0001,9000.00\r\n".encode("utf-8-sig")
    await service.take_in(employer_id, "wages", "wages.csv", wages)
    person = (await ids(service))["E0001"]
    sealed = (await service.told(EmployeeSealed))[0]
    answer = await erase(service, employer_id, person)
    assert answer.status_code == 202, answer.text
    assert await carry_out(service) == 1
    assert await carry_out(service) == 0

    assert await names(service, employer_id) == {"E0001": "已删除", "E0002": "王小三"}
    kept = await everything(service)
    for gone in (sealed.sealed, sealed.wrapped_key, "person-1", resident_number(1), "王小二"):
        assert gone not in kept
    [wage] = await service.rows("SELECT employee_id, gross_fen FROM wages")
    assert (wage.employee_id, wage.gross_fen) == (person, 900_000)
    [tombstone] = await service.rows("SELECT * FROM outbox WHERE payload IS NULL")
    assert (tombstone.aggregatetype, tombstone.aggregateid) == ("payroll.identities", person)
    changed = [e for e in await service.told(EmployeeChanged) if e.employee_id == person]
    assert (changed[-1].version, changed[-1].sub, changed[-1].employee_no) == (2, "", "E0001")


async def test_a_demand_is_answered_once_and_asked_again_changes_nothing(
    service: PayrollService,
) -> None:
    employer_id = await take_in(service, roster_row(1, 离职日期=LEFT))
    person = (await ids(service))["E0001"]
    first = await erase(service, employer_id, person)
    await carry_out(service)
    service.clock.set(service.clock.now() + timedelta(days=1))
    again = await erase(service, employer_id, person)
    assert again.json()["asked_at"] == first.json()["asked_at"]
    assert again.json()["erased_at"] is not None
    assert await carry_out(service) == 0


@pytest.mark.parametrize(
    ("left", "said"),
    [
        ("", "is employed"),
        ("2024-09-30", "kept until 2026-09-30"),
        ("2022-09-20", "kept until 2024-09-20"),
    ],
    ids=["employed", "leaves soon", "left two years ago today"],
)
async def test_whose_identity_the_law_wants_kept_is_not_erased(
    service: PayrollService, left: str, said: str
) -> None:
    employer_id = await take_in(service, roster_row(1, 离职日期=left))
    answer = await erase(service, employer_id, (await ids(service))["E0001"])
    assert answer.status_code == 409
    assert answer.json()["type"].endswith("identity-still-needed")
    assert said in answer.json()["detail"]
    assert await carry_out(service) == 0
    assert await names(service, employer_id) == {"E0001": "王小二"}


async def test_nobody_but_the_employers_hr_may_ask(service: PayrollService) -> None:
    employer_id = await take_in(service, roster_row(1, 离职日期=LEFT))
    person = (await ids(service))["E0001"]
    path, body = f"/employees/{person}/erasure", {"reason": "retention_over"}
    for headers, status in (
        (service.hr("another-employer"), 404),
        (service.operator(), 403),
        (service.employee(employer_id, person), 403),
    ):
        assert (await service.post(path, headers, json=body)).status_code == status
    assert await carry_out(service) == 0


async def test_an_old_roster_does_not_bring_an_erased_person_back(
    service: PayrollService,
) -> None:
    rows = [roster_row(1, 离职日期=LEFT), roster_row(2)]
    employer_id = await take_in(service, *rows)
    staged = await service.upload(
        employer_id, "roster", "b.csv", csv_file([roster_row(1, 离职日期=LEFT, 手机="13900000009")])
    )
    await erase(service, employer_id, (await ids(service))["E0001"])
    await carry_out(service)
    applied = await service.apply(employer_id, staged.json())
    assert applied.status_code == 409
    again = await service.upload(employer_id, "roster", "c.csv", csv_file([*rows, roster_row(3)]))
    [fault] = again.json()["faults"]
    assert (fault["row"], fault["column"], fault["todo"]) == (2, "工号", "重新入职请使用新的工号")
    assert json.dumps(again.json(), ensure_ascii=False).count("已依法删除") == 1


async def test_what_is_erased_is_refused_by_the_command_too(service: PayrollService) -> None:
    await take_in(service, roster_row(1))
    person = (await ids(service))["E0001"]
    async with db.transaction(service.parts.worker) as conn:
        with pytest.raises(Refusal, match="is employed"):
            await identities.ask_erasure(
                conn, person, "retention_over", "command line", 24, service.clock.now()
            )
