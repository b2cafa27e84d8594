"""Payroll runs as people see them."""

from collections.abc import Sequence
from dataclasses import dataclass

from payroll_svc.domain.employers import Department
from payroll_svc.domain.pay import Pay, waiting_for
from payroll_svc.domain.payroll_run import Member, PayrollRun
from payroll_svc.store import assessments as assessments_store
from payroll_svc.store import employers as employers_store
from payroll_svc.store import runs as runs_store
from shared.db import Connection


@dataclass(frozen=True)
class DepartmentCost:
    """用工成本 of one department: gross and the employer's part of every insurance, in fen."""

    department: Department
    people: int
    gross_fen: int
    employer_fen: int


@dataclass(frozen=True)
class RunView:
    """A run with its people: who is paid, who is left out and why, and who is waited for.

    `paid` has everyone with their pay from the check on, `costs` the same by department.
    """

    run: PayrollRun
    members: Sequence[Member]
    waiting: Sequence[tuple[str, str]]
    paid: Sequence[tuple[Member, Pay]] = ()
    costs: Sequence[DepartmentCost] = ()

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


async def view_of(conn: Connection, run: PayrollRun) -> RunView:
    """A run that was read or changed just now."""
    members = await runs_store.members(conn, run.run_id)
    awaited = [m.employee_id for m in members if not m.left_out and m.awaits_assessment]
    waiting: Sequence[tuple[str, str]] = ()
    if run.state == "computed":
        assessed = await assessments_store.assessments_of(conn, awaited, run.levy_period)
        waiting = waiting_for(awaited, assessed)
    paid = await runs_store.paid_members(conn, run.run_id)
    employer = await employers_store.employer(conn, run.employer_id)
    return RunView(run, members, waiting, paid, _costs(employer.departments, paid))


def _costs(
    departments: Sequence[Department], paid: Sequence[tuple[Member, Pay]]
) -> list[DepartmentCost]:
    """Those that anyone is paid in; one that is gone by now under its id."""
    known = {one.department_id: one for one in departments}
    costs: dict[str, DepartmentCost] = {}
    for member, pay in paid:
        at = member.department_id
        before = costs.get(at, DepartmentCost(known.get(at, Department(at, "", "")), 0, 0, 0))
        costs[at] = DepartmentCost(
            before.department,
            before.people + 1,
            before.gross_fen + member.gross_fen,
            before.employer_fen + pay.employer_fen,
        )
    return sorted(costs.values(), key=lambda cost: cost.department.code)
