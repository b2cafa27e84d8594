"""Messages to HR are gathered: one per recipient, template and cause at each quarter of an hour."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from notify_svc.domain.words import insurances_text, months_text
from shared.values import OUTCOME_WORDS, Outcome

QUARTER = timedelta(minutes=15)
_NAMED_TICKETS = 3
"""So many ticket numbers fit one line on a phone; the rest are counted."""

Params = dict[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Mention:
    """One thing that HR has to hear of, before it is gathered.

    `recipient` is the `sub` of one person, or empty for whoever cares for the department (of the
    employer, where that is empty too). `params` are what the template is filled from.
    """

    mention_id: str
    employer_id: str
    template: str
    cause: str
    due_at: datetime
    cause_event: str
    recipient: str = ""
    department_id: str = ""
    employee_id: str = ""
    ticket_id: str = ""
    anomaly_ids: tuple[str, ...] = ()
    params: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Staff:
    """HR staff by the `sub` of their token; no departments means all of them."""

    sub: str
    department_ids: tuple[str, ...] = ()

    def cares_for(self, department_id: str) -> bool:
        return not (self.department_ids and department_id) or department_id in self.department_ids


@dataclass(frozen=True, slots=True)
class Digest:
    """What one recipient hears of one cause, in order of time."""

    recipient: str
    mentions: tuple[Mention, ...]

    @property
    def first(self) -> Mention:
        return self.mentions[0]


def next_quarter(now: datetime) -> datetime:
    """The first quarter of an hour after `now`: what happens at a quarter is gathered until the
    next.
    """
    passed = timedelta(minutes=now.minute % 15, seconds=now.second, microseconds=now.microsecond)
    return now - passed + QUARTER


def recipients_of(mention: Mention, staff: Sequence[Staff]) -> list[str]:
    """Whoever is named; else who cares for the department; else all of the employer's HR staff."""
    if mention.recipient:
        return [mention.recipient]
    near = [person.sub for person in staff if person.cares_for(mention.department_id)]
    return near or [person.sub for person in staff]


def digests_of(mentions: Iterable[Mention], staff: Mapping[str, Sequence[Staff]]) -> list[Digest]:
    """One digest per employer, template, cause and recipient."""
    gathered: dict[tuple[str, str, str, str], list[Mention]] = defaultdict(list)
    for mention in sorted(mentions, key=lambda m: (m.due_at, m.mention_id)):
        for recipient in recipients_of(mention, staff.get(mention.employer_id, ())):
            key = (mention.employer_id, mention.template, mention.cause, recipient)
            gathered[key].append(mention)
    return [Digest(key[3], tuple(found)) for key, found in sorted(gathered.items())]


def is_over(digest: Digest) -> bool:
    """Whether what was at risk is at risk no longer: then there is nothing to tell."""
    if digest.first.template == "hr_wage_data_due":
        return not _awaited(digest.mentions)
    if digest.first.template == "hr_deadline_at_risk":
        return bool(_newest(digest.mentions).get("over"))
    return False


def params_of(digest: Digest) -> Params:
    """What the digest's template is filled with."""
    return _PARAMS[digest.first.template](digest.mentions)


def _anomalies(mentions: Sequence[Mention]) -> Params:
    insurances = {name for m in mentions for name in m.params["insurances"].split(",") if name}
    return {
        "count": str(len({mention.employee_id for mention in mentions})),
        "months": months_text(mention.params["levy_period"] for mention in mentions),
        "insurances": insurances_text(insurances),
        "outcome": OUTCOME_WORDS[Outcome(mentions[0].params["kind"])],
    }


def _tickets(mentions: Sequence[Mention]) -> Params:
    numbers = sorted({mention.params["number"] for mention in mentions})
    rest = "" if len(numbers) <= _NAMED_TICKETS else " 等"
    dues = sorted(mention.params["due"] for mention in mentions if mention.params["due"])
    return {
        "count": str(len(numbers)),
        "numbers": "、".join(numbers[:_NAMED_TICKETS]) + rest,
        "due": dues[0] if dues else "时限",
    }


def _newest(mentions: Sequence[Mention]) -> Params:
    """Of several states of one thing only the newest is told."""
    return dict(max(mentions, key=lambda mention: int(mention.params["version"])).params)


def _at_risk(mentions: Sequence[Mention]) -> Params:
    newest = _newest(mentions)
    people = newest["count"]
    return {**newest, "incomplete": f"，{people} 名员工资料待补" if people != "0" else ""}


_STAGES = {
    "missed": "{names}已于 {due_on} 截止，尚未提交",
    "due_today": "{names}今天（{due_on}）截止",
    "due_soon": "{names}将于 {due_on} 截止",
}
"""What is said of wage data that are awaited, the most urgent first; other stages are no news."""


def _awaited(mentions: Sequence[Mention]) -> list[Params]:
    """The newest state of each department whose data HR has to be reminded of."""
    of_department: dict[str, list[Mention]] = defaultdict(list)
    for mention in mentions:
        of_department[mention.department_id].append(mention)
    newest = [_newest(found) for found in of_department.values()]
    return [state for state in newest if state["stage"] in _STAGES]


def _wage_data(mentions: Sequence[Mention]) -> Params:
    awaited = sorted(_awaited(mentions), key=lambda state: (state["due_on"], state["department"]))
    sentences = []
    for stage, words in _STAGES.items():
        for due_on in sorted({state["due_on"] for state in awaited if state["stage"] == stage}):
            names = "、".join(
                state["department"]
                for state in awaited
                if (state["stage"], state["due_on"]) == (stage, due_on)
            )
            sentences.append(words.format(names=names, due_on=due_on))
    return {"month": mentions[0].params["month"], "sentences": "；".join(sentences)}


_PARAMS: dict[str, Callable[[Sequence[Mention]], Params]] = {
    "hr_anomalies": _anomalies,
    "hr_ticket_assigned": _tickets,
    "hr_ticket_escalated": _tickets,
    "hr_deadline_at_risk": _at_risk,
    "hr_policy_changed": _newest,
    "hr_policy_release": _newest,
    "hr_wage_data_due": _wage_data,
}
