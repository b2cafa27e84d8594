"""Wage data that departments have to hand in: kept for the digest of their HR."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from notify_svc import store
from notify_svc.domain.digest import Mention, next_quarter
from notify_svc.domain.words import months_text
from shared.db import Connection
from shared.values import derived_id


@dataclass(frozen=True, slots=True, kw_only=True)
class WageData:
    """A department's wage data of a month: when they are due, and how they stand."""

    employer_id: str
    department_id: str
    department: str
    levy_period: str
    due_on: str
    stage: str
    version: int
    cause_event: str


async def take_wage_data(conn: Connection, heard: Sequence[WageData], now: datetime) -> None:
    """The newest state of each department and month goes into the next digest of its HR."""
    await store.mentions.add(conn, [_wage_data_due(one, now) for one in heard])


def _wage_data_due(heard: WageData, now: datetime) -> Mention:
    name = (heard.department_id, heard.levy_period, heard.version)
    return Mention(
        mention_id=str(derived_id("mention", "hr_wage_data_due", *name)),
        employer_id=heard.employer_id,
        template="hr_wage_data_due",
        cause=f"wage-data/{heard.levy_period}",
        due_at=next_quarter(now),
        cause_event=heard.cause_event,
        department_id=heard.department_id,
        params={
            "version": str(heard.version),
            "month": months_text([heard.levy_period]),
            "department": heard.department,
            "due_on": heard.due_on,
            "stage": heard.stage,
        },
    )
