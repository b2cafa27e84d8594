"""Erasure 删除: when a person's identity may be destroyed, which cannot be undone."""

import calendar
from dataclasses import dataclass
from datetime import date, datetime

from payroll_svc.domain.people import Person


@dataclass(frozen=True, slots=True)
class Erasure:
    """Who asked that whose identity be destroyed, and when it was: `erased_at` None means soon."""

    employee_id: str
    employer_id: str
    reason: str
    asked_by: str
    asked_at: datetime
    erased_at: datetime | None = None


def kept_until(person: Person, months: int) -> date | None:
    """The last day on which the identity must still be here; None while the person is employed, the
    first of all days for who never was: their import was undone.

    个人信息保护法 art. 47: within a period of retention that law prescribes, data are not deleted
    but only stored. The records of contributions stay ten years in any case, under an id that then
    names nobody.
    """
    if not person.spells:
        return date.min
    left = person.left_on
    if left is None:
        return None
    year, month = divmod(left.year * 12 + left.month - 1 + months, 12)
    return date(year, month + 1, min(left.day, calendar.monthrange(year, month + 1)[1]))
