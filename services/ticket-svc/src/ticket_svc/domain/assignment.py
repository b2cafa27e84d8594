"""Who takes a ticket: the HR staff of the employee's department, the least loaded first."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Staff:
    """An HR specialist by the `sub` of their token; no departments means all of them."""

    sub: str
    role: str = "specialist"
    department_ids: tuple[str, ...] = ()

    def cares_for(self, department_id: str) -> bool:
        return not self.department_ids or department_id in self.department_ids


def chosen(staff: Sequence[Staff], department_id: str, open_tickets: Mapping[str, int]) -> str:
    """The `sub` of whoever has the fewest open tickets among those who care for the department,
    else among all specialists.

    Empty when the employer has no HR staff. Equal loads are broken by `sub`, so that a repeat
    chooses alike.
    """
    specialists = [person for person in staff if person.role == "specialist"] or list(staff)
    near = [person for person in specialists if person.cares_for(department_id)]
    ranked = sorted(near or specialists, key=lambda p: (open_tickets.get(p.sub, 0), p.sub))
    return ranked[0].sub if ranked else ""
