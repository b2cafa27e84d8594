"""The third scenario on real processes: HR signs in and is told by name what cannot be right."""

from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from deploy.embedded.demo import addresses_of
from deploy.embedded.stack import Stack
from payroll_svc.domain.employers import employer_id_of
from sandbox.case.people import AnswerRefused, Person, register
from sandbox.case.roster import Case

CONTRIBUTION = "contribution-svc"
EMPLOYER = employer_id_of(Case().facts["employer"]["uscc"])


@pytest.fixture
async def hr(installation: Stack, report: dict[str, Any]) -> AsyncIterator[Person]:
    """An HR specialist of the case's employer, after the case has been played."""
    assert report["cells"]
    employer_ids = (EMPLOYER,)
    async with httpx.AsyncClient(timeout=60) as client:
        yield await register(
            addresses_of(installation), client, "hr-third", "hr", employer_ids=employer_ids
        )


async def test_seven_percent_where_the_policy_says_eight_is_refused_by_name(hr: Person) -> None:
    xiaowang = Case().xiaowang.employee_no
    line = {"employee_no": xiaowang, "insurance": "medical", "employer_ppm": 80_000}
    body = {"employer_id": EMPLOYER, "levy_period": "2024-10"}
    assert await hr.post(CONTRIBUTION, "/lines/check", {**body, "lines": [line]}) == {"lines": 1}
    with pytest.raises(AnswerRefused) as refused:
        await hr.post(
            CONTRIBUTION, "/lines/check", {**body, "lines": [{**line, "employer_ppm": 70_000}]}
        )
    assert f"employee {xiaowang}, medical: employer rate expected 8 %, found 7 %" in str(
        refused.value
    )
