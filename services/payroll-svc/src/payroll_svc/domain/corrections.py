"""A correction run: what a paid month should have been, less what was paid and withheld for it."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from payroll_svc.domain.differences import PaidMonth
from payroll_svc.domain.pay import Assessment, DueLine, still_due
from payroll_svc.domain.payroll_run import (
    NO_DIFFERENCE,
    NOTHING_ENTERED,
    Entered,
    Member,
    differences_of,
)
from payroll_svc.domain.people import Person
from payroll_svc.domain.reckoning import Catalogue


def corrected_members(
    fresh: Sequence[Member],
    people: Mapping[str, Person],
    catalogue: Catalogue,
    entered: Mapping[str, Entered],
    paid: Mapping[str, PaidMonth],
    owed: Mapping[str, Sequence[DueLine]],
) -> list[Member]:
    """Everyone of the month as it is known now (`fresh`), and everyone who was paid for it.

    Who was paid (`paid`) gets the differences; who was not gets the whole month. Who is owed
    neither items nor contribution lines (`owed`) is named with that.
    """
    named = {member.employee_id: member for member in fresh}
    for employee_id in paid.keys() - named.keys():
        named[employee_id] = Member(employee_id)
    return [
        _member(
            member,
            people[employee_id],
            catalogue,
            entered.get(employee_id, NOTHING_ENTERED),
            paid.get(employee_id),
            bool(owed.get(employee_id)),
        )
        for employee_id, member in sorted(named.items())
    ]


def _member(
    member: Member,
    person: Person,
    catalogue: Catalogue,
    entered: Entered,
    paid: PaidMonth | None,
    is_owed_lines: bool,
) -> Member:
    if paid is None:
        return member
    items = differences_of(person, paid, catalogue, entered)
    left_out = "" if items or is_owed_lines else NO_DIFFERENCE
    return replace(member, items=items, left_out=left_out, awaits_assessment=False)


def lines_owed(
    levy_period: str, assessment: Assessment | None, taken: Sequence[DueLine]
) -> tuple[DueLine, ...]:
    """The contribution lines of a correction; none before the month is assessed."""
    return still_due(levy_period, assessment.due(levy_period), taken) if assessment else ()
