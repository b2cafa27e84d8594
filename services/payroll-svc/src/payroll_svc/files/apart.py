"""Reading a file in a process of its own: whatever it holds, it can cost no more than that process
may use, and it can break nothing but it.
"""

import asyncio
import resource
import sys
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import date

import msgspec

from payroll_svc.domain.employers import Employer
from payroll_svc.domain.faults import Fault
from payroll_svc.domain.imported_payslips import SaidPayslip
from payroll_svc.domain.imports import PAYSLIPS, ROSTER, WAGE_DATA
from payroll_svc.domain.pay_items import PayItem
from payroll_svc.domain.wage_inputs import WageInput
from payroll_svc.domain.wages import WageRow
from payroll_svc.errors import FileUnreadable
from payroll_svc.files.annotated import annotated
from payroll_svc.files.grid import Grid, unreadable
from payroll_svc.files.payslips import read_payslips
from payroll_svc.files.person_rows import RowsRead
from payroll_svc.files.reader import read_grid
from payroll_svc.files.roster import RosterFile, read_roster
from payroll_svc.files.wage_data import read_wage_data
from payroll_svc.files.wages import read_wages
from shared.logs import get_logger
from shared.refusal import FieldFault

_MOST_MEMORY_BYTES = 1024 * 1024 * 1024
"""Address space. The widest workbook of MOST_ROWS rows takes half of it."""

_MOST_CPU_SECONDS = 60
"""MOST_ROWS rows of a workbook take a quarter of it on two cores."""

_MOST_SECONDS = 180
_MOST_AT_ONCE = 2
"""More files wait for their turn: the service's memory is theirs together."""

_log = get_logger(__name__)
_turns = asyncio.Semaphore(_MOST_AT_ONCE)


ReadFile = RosterFile | RowsRead[WageRow] | RowsRead[WageInput] | RowsRead[SaidPayslip]


@dataclass(frozen=True, slots=True)
class Reading:
    """What is read against what: everything that a reader may know. `numbers` are the employee ids
    by employee number, `names` their names, `levy_period` the month that the sender named,
    `own_items` the employer's own pay items.

    To `annotate` is to hand the file back with these `faults`, not to read it.
    """

    kind: str
    file: str
    data: bytes
    employer: Employer
    numbers: Mapping[str, str]
    today: date
    levy_period: str = ""
    own_items: tuple[PayItem, ...] = ()
    names: Mapping[str, str] = field(default_factory=dict)
    annotate: bool = False
    faults: tuple[Fault, ...] = ()


@dataclass(frozen=True, slots=True)
class _Answer:
    """One of them."""

    roster: RosterFile | None = None
    wages: RowsRead[WageRow] | None = None
    wage_data: RowsRead[WageInput] | None = None
    payslips: RowsRead[SaidPayslip] | None = None
    annotated: bytes = b""
    refused: str = ""
    faults: tuple[FieldFault, ...] = ()


async def read_apart(reading: Reading) -> ReadFile:
    """The file's rows and faults; FileUnreadable where there are none, or where reading took more
    memory or time than a file may.
    """
    answer = await _whole_answer(reading)
    read = answer.roster or answer.wages or answer.wage_data or answer.payslips
    if read is None:
        raise FileUnreadable(answer.refused, answer.faults)
    return read


async def annotate_apart(reading: Reading) -> bytes:
    """The file with its `faults` as a workbook; FileUnreadable where it has no table at all."""
    answer = await _whole_answer(reading)
    if not answer.annotated:
        raise FileUnreadable(answer.refused, answer.faults)
    return answer.annotated


async def _whole_answer(reading: Reading) -> _Answer:
    async with _turns:
        answer = await _answer(reading)
    if answer is None:
        reason = "读取它所需的内存或时间超出了限度，或者它使读取程序出错"
        todo = "用表格软件打开，只保留数据，另存为 .xlsx 或分成几个文件"
        raise unreadable(reading.file, reason, todo)
    return answer


async def _answer(reading: Reading) -> _Answer | None:
    """None where the process gave none. It inherits no setting and no secret of ours."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-I", "-m", __name__),
        env={},
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        async with asyncio.timeout(_MOST_SECONDS):
            out, err = await process.communicate(msgspec.msgpack.encode(reading))
    except TimeoutError:
        out, err = b"", b"it took too long"
    finally:
        with suppress(ProcessLookupError):
            process.kill()
        await process.wait()
    if process.returncode or not out:
        # The last line names the error; what comes before may quote the file.
        last = err.decode(errors="replace").strip().rpartition("\n")[2].partition(":")[0]
        _log.error("file_reader_ended", code=process.returncode, error=last)
        return None
    return msgspec.msgpack.decode(out, type=_Answer)


def _read(reading: Reading) -> _Answer:
    try:
        grid = read_grid(reading.file, reading.data)
        return _marked(reading, grid) if reading.annotate else _rows(reading, grid)
    except FileUnreadable as refusal:
        return _Answer(refused=refusal.detail, faults=refusal.faults)


def _rows(reading: Reading, grid: Grid) -> _Answer:
    if reading.kind == ROSTER:
        return _Answer(roster=read_roster(grid, reading.employer, reading.today))
    known, own = (reading.employer.employer_id, reading.numbers), reading.own_items
    month, names = reading.levy_period, reading.names
    if reading.kind == WAGE_DATA:
        return _Answer(wage_data=read_wage_data(grid, *known, month, own, names))
    if reading.kind == PAYSLIPS:
        return _Answer(payslips=read_payslips(grid, *known, month, names))
    return _Answer(wages=read_wages(grid, *known, reading.today, own, names))


def _marked(reading: Reading, grid: Grid) -> _Answer:
    return _Answer(annotated=annotated(grid, reading.faults))


def limit_this_process() -> None:
    """Memory and CPU as above, and not one byte written to a file."""
    resource.setrlimit(resource.RLIMIT_AS, (_MOST_MEMORY_BYTES, _MOST_MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_CPU, (_MOST_CPU_SECONDS, _MOST_CPU_SECONDS))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def main() -> None:
    """The process: a Reading on standard input, an answer on standard output."""
    limit_this_process()
    reading = msgspec.msgpack.decode(sys.stdin.buffer.read(), type=Reading)
    sys.stdout.buffer.write(msgspec.msgpack.encode(_read(reading)))


if __name__ == "__main__":
    main()
