"""Reading a file in a process of its own: the same answer as at home, and its limits."""

import asyncio
import sys
from datetime import date

import pytest

from payroll_svc.domain.imports import ROSTER, WAGES
from payroll_svc.errors import FileUnreadable
from payroll_svc.files.apart import Reading, read_apart
from payroll_svc.files.reader import read_grid
from payroll_svc.files.roster import read_roster
from payroll_svc.files.wages import read_wages
from tests.support.broken_files import broken_wages, wages_xlsx
from tests.support.rosters import csv_file, roster_row
from tests.unit.payroll_svc.test_files import EMPLOYER, TODAY

NUMBERS = {"E0001": "id-1"}


def reading(kind: str, data: bytes) -> Reading:
    return Reading(kind, "f", data, EMPLOYER, NUMBERS, TODAY)


async def test_a_roster_comes_back_as_it_was_read() -> None:
    data = csv_file([roster_row(1, 离职日期="2024-09-30"), roster_row(2, 部门="无")])
    expected = read_roster(read_grid("f", data), EMPLOYER, TODAY)
    assert await read_apart(reading(ROSTER, data)) == expected
    assert expected.rows[0].spell.until == date(2024, 9, 30)
    assert expected.faults


async def test_wages_come_back_as_they_were_read() -> None:
    data = wages_xlsx(broken_wages())
    expected = read_wages(read_grid("f", data), EMPLOYER.employer_id, NUMBERS, TODAY)
    assert await read_apart(reading(WAGES, data)) == expected


async def test_a_refusal_comes_back_with_its_faults() -> None:
    with pytest.raises(FileUnreadable) as refused:
        await read_apart(reading(ROSTER, b"%PDF-1.7"))
    assert "PDF" in refused.value.faults[0].reason


@pytest.mark.parametrize(
    ("excess", "error"),
    [
        pytest.param("bytearray(2 * 1024 ** 3)", "MemoryError", id="memory"),
        pytest.param(
            "os.write(os.open(sys.argv[1], os.O_CREAT | os.O_WRONLY), b'x')",
            "File too large",
            id="a file",
        ),
    ],
)
async def test_the_process_cannot_exceed_its_limits(
    excess: str, error: str, tmp_path: object
) -> None:
    """What it may not have fails in it, and nowhere else."""
    limits = "import os, sys; from payroll_svc.files.apart import limit_this_process as limit"
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-I", "-c", f"{limits}; limit(); {excess}", f"{tmp_path}/x"), stderr=-1
    )
    _, err = await process.communicate()
    assert process.returncode == 1
    assert error in err.decode()
