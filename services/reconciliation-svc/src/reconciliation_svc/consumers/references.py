"""What months are judged against and who is on a roster, from the events that tell it."""

from datetime import date, datetime

from reconciliation_svc.domain.roster import Employee, Policy, Scheme, Spell
from reconciliation_svc.domain.windows import NEVER, Authority, Closure
from shared.contracts import AuthorityStateChanged, EmployeeChanged, PolicyChanged


def employee_of(event: EmployeeChanged) -> Employee:
    """The employee's spells; kind and papers are the assessment's business."""
    spells = tuple(
        Spell(
            since=date.fromisoformat(spell.since),
            until=_day(spell.until),
            city=spell.city,
            account_id=spell.account_id,
            department_id=spell.department_id,
        )
        for spell in event.spells
    )
    return Employee(event.employee_id, event.employer_id, spells)


def policy_of(event: PolicyChanged) -> Policy:
    """The city's scheme, days and hour of look-ups."""
    scheme = tuple(
        Scheme(
            insurance=line.insurance,
            authority=line.authority,
            effective_from=date.fromisoformat(line.effective_from),
            ends_on=_day(line.ends_on),
        )
        for line in event.scheme
    )
    return Policy(
        event.city,
        event.filing_day,
        event.debit_day,
        scheme,
        event.look_up_at,
        event.months_after,
    )


def authority_of(event: AuthorityStateChanged) -> Authority:
    """The authority's state and every closure known of it; an announced upgrade during which it
    answers is none.
    """
    closures = {Closure(_moment(since), _until(until)) for since, until in event.closures}
    if event.state == "closed":
        closures.add(Closure(_moment(event.since), _until(event.until)))
    ordered = sorted(closures, key=lambda one: (one.since, one.until or NEVER))
    closed_until = _until(event.until) if event.state == "closed" else None
    return Authority(event.authority, event.state, tuple(ordered), closed_until)


def _day(text: str) -> date | None:
    return date.fromisoformat(text) if text else None


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text)


def _until(text: str) -> datetime | None:
    return _moment(text) if text else None
