"""The third scenario's wage files (reliability.md 4.2): every class of broken row in one file of
each format, and every class of file that is none; never 500, and nothing half-applied.
"""

import base64
import hashlib
import time
from typing import Any

import pytest

from shared.contracts import SalaryComputed
from shared.sealed import Sealed
from tests.integration.payroll_svc.conftest import PayrollService
from tests.support.broken_files import (
    BROKEN_ROWS,
    GOOD_ROWS,
    broken_wage_places,
    broken_wages,
    wage_row,
    wages_csv,
    wages_xlsx,
    whole_files,
)
from tests.support.rosters import csv_file, resident_number, roster_row

FORMATS = {"wages.csv": wages_csv, "wages.xlsx": wages_xlsx}


async def employer_with_a_roster(service: PayrollService) -> str:
    """One person, whose December 2023 is taken in."""
    employer_id = await service.create_employer()
    await service.take_in(employer_id, "roster", "r.csv", csv_file([roster_row(1)]))
    await service.take_in(employer_id, "wages", "december.csv", wages_csv([wage_row(12)]))
    return employer_id


async def kept_bytes(service: PayrollService, employer_id: str, sha256: str) -> bytes:
    """What is kept of a file, opened."""
    [row] = await service.rows(
        f"SELECT sealed, wrapped_key, root_key_id FROM import_files WHERE sha256 = '{sha256}'"  # noqa: S608
    )
    opened = service.sealer.open(employer_id, sha256, Sealed(*row))
    return base64.b64decode(opened["base64"])


@pytest.mark.parametrize("name", FORMATS)
async def test_every_broken_row_is_named_and_the_corrected_file_works(
    service: PayrollService, name: str
) -> None:
    employer_id = await employer_with_a_roster(service)
    told = len(await service.told(SalaryComputed))
    data = FORMATS[name](broken_wages())
    answer = await service.upload(employer_id, "wages", name, data)
    assert answer.status_code == 201, answer.text
    staged: dict[str, Any] = answer.json()
    places = {(fault["row"], fault["column"]) for fault in staged["faults"]}
    assert places == broken_wage_places()
    assert len(places) == len(staged["faults"]) == len(BROKEN_ROWS) + 1
    assert {fault["file"] for fault in staged["faults"]} == {name}
    assert all(fault["reason"] and fault["todo"] for fault in staged["faults"])
    assert (staged["rows"], staged["good_rows"]) == (len(broken_wages()), len(GOOD_ROWS))
    assert "\u202e" not in answer.text

    assert (await service.apply(employer_id, staged)).status_code == 409
    assert len(await service.told(SalaryComputed)) == told, "nothing is half-applied"
    assert staged["sha256"] == hashlib.sha256(data).hexdigest()
    assert await kept_bytes(service, employer_id, staged["sha256"]) == data

    corrected = FORMATS[name]([*map(dict, GOOD_ROWS)])
    applied = await service.take_in(employer_id, "wages", name, corrected)
    assert applied["applied_rows"] == len(GOOD_ROWS)
    assert len(await service.told(SalaryComputed)) == told + len(GOOD_ROWS)
    again = (await service.upload(employer_id, "wages", f"copy of {name}", corrected)).json()
    assert (again["seen_before"], again["state"]) == (True, "applied")
    assert len(await service.told(SalaryComputed)) == told + len(GOOD_ROWS)


async def test_one_bad_row_among_thousands_is_found(service: PayrollService) -> None:
    employer_id = await employer_with_a_roster(service)
    rows = [wage_row(1, 项目=f"项目{number}") for number in range(5_000)]
    rows[4_321]["金额"] = "9.5E3"
    staged = (await service.upload(employer_id, "wages", "w.csv", wages_csv(rows))).json()
    assert [(fault["row"], fault["column"]) for fault in staged["faults"]] == [(4_323, "金额")]
    assert staged["good_rows"] == 4_999


async def test_every_file_that_is_none_is_refused_with_what_it_is(service: PayrollService) -> None:
    employer_id = await employer_with_a_roster(service)
    answered, slowest = {}, 0.0
    for name, (data, reason) in whole_files().items():
        began = time.monotonic()
        answer = await service.upload(employer_id, "wages", "w.xlsx", data)
        if "bomb" in name:
            slowest = max(slowest, time.monotonic() - began)
        problem = answer.json()
        assert answer.status_code == 422, (name, problem)
        assert answer.headers["content-type"] == "application/problem+json"
        assert problem["type"].endswith("file-unreadable"), name
        [fault, *_] = problem["faults"]
        assert fault["where"].startswith("w.xlsx:"), name
        assert fault["todo"], name
        answered[name] = reason in fault["reason"]
        sha256 = hashlib.sha256(data).hexdigest()
        assert await kept_bytes(service, employer_id, sha256) == data, name
    assert answered == dict.fromkeys(answered, True)
    assert slowest < 10, "a bomb is refused before it is unpacked"
    assert [event.levy_period for event in await service.told(SalaryComputed)] == ["2023-12"]


async def test_a_rosters_bytes_are_destroyed_once_it_is_applied(service: PayrollService) -> None:
    """No copy of identities may outlive a person's erased key; nor may one lie there in clear."""
    employer_id = await service.create_employer()
    data = csv_file([roster_row(1)])
    staged = (await service.upload(employer_id, "roster", "r.csv", data)).json()
    kept = await service.rows("SELECT to_jsonb(f)::text AS stored FROM import_files f")
    assert len(kept) == 1
    assert resident_number(1) not in kept[0].stored
    assert (await service.apply(employer_id, staged)).status_code == 200
    assert await service.rows("SELECT 1 FROM import_files") == []


async def test_of_another_employers_file_nothing_is_kept(service: PayrollService) -> None:
    employer_id = await service.create_employer()
    answer = await service.post(
        "/imports",
        service.hr("another-employer"),
        data={"kind": "wages", "employer_id": employer_id},
        files={"file": ("w.csv", wages_csv([wage_row(1)]))},
    )
    assert answer.status_code == 404
    assert await service.rows("SELECT 1 FROM import_files") == []
