"""Payroll runs as people see them."""

from collections.abc import Sequence
from dataclasses import dataclass

from payroll_svc.domain.employers import Department
from payroll_svc.domain.pay import Pay, waiting_for
from payroll_svc.domain.payroll_run import DepartmentSums, Member, PayrollRun
from payroll_svc.store import assessments as assessments_store
from payroll_svc.store import employers as employers_store
from payroll_svc.store import runs as runs_store
from shared.db import Connection

_NAMED_PEOPLE = 1_000
"""How many people one answer names; the counts are of all."""


@dataclass(frozen=True)
class RunView:
    """A run in numbers: how many are paid, how many are left out and the first of them with why,
    and who is waited for. `costs` has the sums by department from the check on.
    """

    run: PayrollRun
    people: int
    left_out_count: int
    left_out: Sequence[tuple[str, str]]
    gross_fen: int
    waiting: Sequence[tuple[str, str]]
    costs: Sequence[tuple[Department, DepartmentSums]] = ()

    @property
    def state(self) -> str:
        """`assessed` is what a computed run becomes when nobody is waited for any more."""
        if self.run.state == "computed" and not self.waiting:
            return "assessed"
        return self.run.state


async def view_run(conn: Connection, run_id: str) -> RunView:
    """The run as it stands."""
    return await view_of(conn, await runs_store.run(conn, run_id))


async def runs_of(
    conn: Connection, employer_id: str, before: tuple[str, str] | None, limit: int
) -> list[RunView]:
    """One page of an employer's runs, the newest levy period first."""
    runs = await runs_store.runs_page(conn, employer_id, before, limit)
    return [await view_of(conn, run) for run in runs]


async def people_of(
    conn: Connection, run_id: str, after: str, limit: int
) -> list[tuple[Member, Pay | None]]:
    """One page of the run's people by id; NotFound if it is another's."""
    run = await runs_store.run(conn, run_id)
    return await runs_store.people_page(conn, run.run_id, after, limit)


async def view_of(conn: Connection, run: PayrollRun) -> RunView:
    """A run that was read or changed just now."""
    people, left_out_count, gross_fen = await runs_store.counts_of(conn, run.run_id)
    waiting: Sequence[tuple[str, str]] = ()
    if run.state == "computed":
        awaited = await runs_store.awaited_of(conn, run.run_id)
        assessed = await assessments_store.assessments_of(conn, awaited, run.levy_period)
        waiting = waiting_for(awaited, assessed)
    employer = await employers_store.employer(conn, run.employer_id)
    return RunView(
        run=run,
        people=people,
        left_out_count=left_out_count,
        left_out=await runs_store.left_out_of(conn, run.run_id, _NAMED_PEOPLE),
        gross_fen=gross_fen,
        waiting=waiting,
        costs=_costs(employer.departments, await runs_store.sums_of(conn, run.run_id)),
    )


def _costs(
    departments: Sequence[Department], sums: Sequence[DepartmentSums]
) -> list[tuple[Department, DepartmentSums]]:
    """Those that anyone is paid in; one that is gone by now under its id."""
    known = {one.department_id: one for one in departments}
    found = [(known.get(s.department_id, Department(s.department_id, "", "")), s) for s in sums]
    return sorted(found, key=lambda one: one[0].code)
