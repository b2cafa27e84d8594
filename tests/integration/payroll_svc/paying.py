"""People, assessments and payroll runs of payroll-svc, each step as HR makes it."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

from shared.clock import china_time
from shared.contracts import AssessedLine, ContributionAssessed
from shared.values import Insurance
from tests.integration.payroll_svc.conftest import PayrollService
from tests.support.rosters import csv_file

PERIOD = "2024-10"
XIAOWANG = (
    (Insurance.PENSION, 152_000, 76_000),
    (Insurance.MEDICAL, 76_000, 19_000),
    (Insurance.UNEMPLOYMENT, 4_750, 4_750),
    (Insurance.WORK_INJURY, 3_800, 0),
    (Insurance.MATERNITY, 7_600, 0),
)
"""(insurance, employer fen, employee fen) on a base of 9,500.00."""


def at(day: str, clock: str = "10:00") -> datetime:
    return china_time(date.fromisoformat(day), clock)


def assessed(
    employer_id: str,
    employee_id: str,
    *,
    version: int = 1,
    period: str = PERIOD,
    blocked: str = "",
    more: Sequence[AssessedLine] = (),
    warnings: Sequence[str] = (),
) -> ContributionAssessed:
    """Every insurance due as 小王's are and `more` beside them, or all blocked for a reason."""
    due = tuple(
        AssessedLine(
            insurance=insurance,
            state="blocked" if blocked else "due",
            authority="any",
            reason=blocked,
            base_fen=0 if blocked else 950_000,
            employer_fen=0 if blocked else employer_fen,
            employee_fen=0 if blocked else employee_fen,
        )
        for insurance, employer_fen, employee_fen in XIAOWANG
    )
    return ContributionAssessed(
        version=version,
        employee_id=employee_id,
        employer_id=employer_id,
        levy_period=period,
        city="990100",
        account_id="account",
        department_id="department",
        file_by="2024-10-15",
        debit_by="2024-10-10",
        lines=(*due, *more),
        policy_warnings=tuple(warnings),
    )


async def with_people(
    service: PayrollService, *rows: dict[str, object], **employer: Any
) -> tuple[str, dict[str, str]]:
    """(employer id, employee ids by number)."""
    employer_id = await service.create_employer(**employer)
    await service.take_in(employer_id, "roster", "r.csv", csv_file(rows))
    people = await service.rows("SELECT employee_no, employee_id FROM employees")
    return employer_id, {row.employee_no: row.employee_id for row in people}


async def run_of(service: PayrollService, employer_id: str, period: str = PERIOD) -> Any:
    body = {"employer_id": employer_id, "levy_period": period}
    answer = await service.post("/payroll-runs", service.hr(employer_id), json=body)
    assert answer.status_code == 201, answer.text
    return answer.json()


async def step(service: PayrollService, run: Any, verb: str, *, sub: str = "", **body: Any) -> Any:
    """One step of a run: by hr-li, but for the approval, which is by a second person."""
    path = f"/payroll-runs/{run['run_id']}/{verb}"
    who = sub or ("hr-wang" if verb == "approve" else "hr-li")
    return await service.post(path, service.hr(run["employer_id"], sub=who), json=body or None)


async def pay_through(service: PayrollService, run: Any) -> None:
    for verb in ("check", "approve", "pay"):
        answer = await step(service, run, verb)
        assert answer.status_code == 200, answer.text
