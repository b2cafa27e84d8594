"""Events of the October case, as ticket-svc and notify-svc hear them."""

from typing import Any

from shared.contracts import (
    AccountFact,
    AnomalyCleared,
    EmployeeChanged,
    EmployerChanged,
    HrStaffFact,
    RecordMissing,
    SpellFact,
)
from shared.values import Insurance, Outcome
from tests.support.rooms import at

MISSING = (Insurance.MEDICAL, Insurance.MATERNITY)


def employer(version: int = 1, *subs: str) -> EmployerChanged:
    """The employer with two specialists for all departments, unless said otherwise."""
    account = AccountFact(
        account_id="account-a",
        account_no="A1",
        city="990100",
        collector="tax-990100",
        bank_account_ref="bank-1",
    )
    return EmployerChanged(
        version=version,
        employer_id="the-employer",
        group_id="the-group",
        name="示例",
        uscc="91",
        cut_over="2024-10",
        payday=5,
        accounts=(account,),
        departments=(),
        hr_staff=tuple(HrStaffFact(sub=sub) for sub in subs or ("hr-li", "hr-zhao")),
    )


def employee(name: str, version: int = 1) -> EmployeeChanged:
    """Someone in operations."""
    spell = SpellFact(since="2023-01-01", department_id="operations", city="990100", account_id="a")
    return EmployeeChanged(
        version=version,
        employee_id=name,
        employer_id="the-employer",
        employee_no=name,
        person_kind="regular",
        spells=(spell,),
    )


def _facts(name: str, period: str) -> dict[str, Any]:
    return {
        "employee_id": name,
        "employer_id": "the-employer",
        "levy_period": period,
        "anomaly_id": f"missing-{name}-{period}",
        "occurrence": 1,
        "insurances": MISSING,
        "raised_at": at(10, 17).isoformat(),
        "city": "990100",
        "department_id": "operations",
        "account_id": "account-a",
        "authority": "medical-990100",
        "reason": "窗口已过，仍无记录",
        "likely_cause": "authority",
        "spread": 36,
        "cause_id": "medical-990100 drops",
    }


def missing(name: str, version: int = 1, period: str = "2024-10") -> RecordMissing:
    """Medical and maternity of one month are not there."""
    return RecordMissing(version=version, **_facts(name, period))


def cleared(
    name: str, version: int = 2, period: str = "2024-10", became: Outcome = Outcome.ARRIVED
) -> AnomalyCleared:
    """They are there on 2 November, or have become something else."""
    return AnomalyCleared(
        version=version,
        **_facts(name, period),
        kind="RecordMissing",
        cleared_at=at(11, 2).isoformat(),
        outcomes=dict.fromkeys(MISSING, became),
    )
