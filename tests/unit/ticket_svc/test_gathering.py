"""Which facts belong to one ticket, and that the order in which they are learned does not
matter.
"""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from ticket_svc.domain.facts import Anomaly, Feedback, merged
from ticket_svc.domain.gathering import Group, claim, gather
from ticket_svc.domain.office import Office
from ticket_svc.domain.regathering import Surroundings, regather
from ticket_svc.domain.ticket import Ticket, reopened, settled

START = datetime(2024, 10, 17, 0, 0, tzinfo=UTC)


def day(n: int) -> datetime:
    return START + timedelta(days=n)


def anomaly(
    name: str,
    raised: int,
    cleared: int | None = None,
    *,
    kind: str = "RecordMissing",
    authority: str = "medical-990100",
    period: str = "2024-10",
    insurances: tuple[str, ...] = ("medical", "maternity"),
    version: int = 1,
) -> Anomaly:
    return Anomaly(
        anomaly_id=name,
        occurrence=1,
        employer_id="the-employer",
        employee_id="xiaowang",
        version=version,
        kind=kind,
        levy_period=period,
        insurances=insurances,
        raised_at=day(raised),
        cleared_at=None if cleared is None else day(cleared),
        authority=authority,
    )


def feedback(
    name: str, at: int, *insurances: str, period: str = "2024-10", kind: str = "no_record"
) -> Feedback:
    return Feedback(
        feedback_id=name,
        employer_id="the-employer",
        employee_id="xiaowang",
        at=day(at),
        levy_period=period,
        insurances=insurances or ("medical",),
        kind=kind,
    )


def names(groups: list[Group]) -> list[list[str]]:
    return [[fact.fact_id for fact in group.facts] for group in groups]


def test_three_months_of_one_cause_are_one_ticket() -> None:
    months = [
        anomaly(f"missing-{m}", n * 30, period=f"2024-{m}") for n, m in enumerate((10, 11, 12))
    ]
    assert names(gather(months, [])) == [["missing-10#1", "missing-11#1", "missing-12#1"]]


def test_another_authority_is_another_cause() -> None:
    groups = gather([anomaly("at-medical", 0), anomaly("at-hrss", 0, authority="hrss-990100")], [])
    assert len(groups) == 2


def test_a_month_after_everything_cleared_opens_a_new_ticket() -> None:
    groups = gather([anomaly("october", 0, 16), anomaly("november", 31, period="2024-11")], [])
    assert names(groups) == [["october#1"], ["november#1"]]
    assert [group.closed_at for group in groups] == [day(16), None]


def test_feedback_joins_the_ticket_that_is_there() -> None:
    [group] = gather([anomaly("october", 0)], [feedback("i-see-nothing", 11)])
    assert [fact.fact_id for fact in group.facts] == ["october#1", "i-see-nothing"]


def test_an_anomaly_joins_the_feedback_that_is_there() -> None:
    [group] = gather([anomaly("october", 3)], [feedback("i-see-nothing", 1)])
    assert group.facts[0].fact_id == "i-see-nothing"


def test_feedback_about_another_month_is_another_ticket() -> None:
    assert len(gather([anomaly("october", 0)], [feedback("september", 1, period="2024-09")])) == 2


def test_a_second_report_joins_the_first() -> None:
    [group] = gather([], [feedback("first", 1), feedback("second", 2)])
    assert len(group.feedbacks) == 2


def test_feedback_alone_is_never_cleared() -> None:
    [group] = gather([], [feedback("no anomaly behind it", 1)])
    assert group.closed_at is None


def test_a_ticket_stays_open_for_what_only_the_employee_names() -> None:
    [group] = gather(
        [anomaly("october", 0, 16)], [feedback("and pension", 5, "medical", "pension")]
    )
    assert group.closed_at is None
    assert group.unexplained == {("2024-10", "pension")}


def test_a_month_takes_in_the_feedback_that_waited_for_it() -> None:
    groups = gather(
        [anomaly("october", 0), anomaly("november", 31, period="2024-11")],
        [feedback("november already?", 20, period="2024-11")],
    )
    assert names(groups) == [["october#1", "november already?", "november#1"]]


def test_a_ticket_goes_by_the_fact_that_opened_it() -> None:
    old, late = anomaly("november", 31), anomaly("october", 0)
    [first] = claim(gather([old], []), {})
    placed = replace(old, ticket_id=first)
    groups = gather([placed, late], [])
    assert claim(groups, {first: old.fact_id}) == [first]
    apart = gather([placed, replace(late, cleared_at=day(16), ticket_id=first)], [])
    october, november = claim(apart, {first: old.fact_id})
    assert november == first
    assert october != first


def test_an_insurance_that_leaves_is_remembered() -> None:
    both = anomaly("october", 0)
    one = replace(both, version=2, insurances=("maternity",))
    for learned in ((both, one), (one, both)):
        kept = merged(merged(None, learned[0], day(5)), learned[1], day(5))
        assert (kept.insurances, kept.left) == (("maternity",), {"medical": day(5)})


_OFFICE = Office(
    is_working_day=lambda _: True,
    day_of=lambda at: at.date(),
    opens_at=lambda d: datetime(d.year, d.month, d.day, 1, tzinfo=UTC),
    closes_at=lambda d: datetime(d.year, d.month, d.day, 10, tzinfo=UTC),
)
_AROUND_DAYS = 60


class Desk:
    """One employee's facts and tickets, learned one event at a time as the service does."""

    def __init__(self) -> None:
        self.anomalies: dict[str, Anomaly] = {}
        self.feedbacks: dict[str, Feedback] = {}
        self.tickets: dict[str, Ticket] = {}

    def learn(self, *events: Anomaly | Feedback) -> "Desk":
        for event in events:
            if isinstance(event, Anomaly):
                known = self.anomalies.get(event.fact_id)
                self.anomalies[event.fact_id] = merged(known, event, day(_AROUND_DAYS))
            else:
                self.feedbacks.setdefault(event.fact_id, event)
            self._regather()
        return self

    def _regather(self) -> None:
        facts = list(self.anomalies.values()), list(self.feedbacks.values())
        around = Surroundings(_OFFICE, day(_AROUND_DAYS), {}, frozenset(), "operations")
        after = regather(list(self.tickets.values()), *facts, around)
        self.tickets |= {change.after.ticket_id: change.after for change in after.changes}
        for fact_id, ticket_id in after.places.items():
            if fact_id in self.anomalies:
                placed = replace(self.anomalies[fact_id], ticket_id=ticket_id)
                self.anomalies[fact_id] = placed
            else:
                self.feedbacks[fact_id] = replace(self.feedbacks[fact_id], ticket_id=ticket_id)

    def decide(self, ticket: Ticket) -> None:
        """What a person made of a ticket."""
        self.tickets[ticket.ticket_id] = ticket

    @property
    def states(self) -> list[str]:
        return [t.state for t in sorted(self.tickets.values(), key=lambda t: t.opened_at)]


def test_the_ticket_that_waited_for_its_month_goes_on_in_the_other() -> None:
    desk = Desk().learn(anomaly("october", 0), feedback("november?", 20, period="2024-11"))
    assert desk.states == ["open", "open"]
    desk.learn(anomaly("november", 31, period="2024-11"))
    assert desk.states == ["open", "closed"]
    [gone] = [ticket for ticket in desk.tickets.values() if ticket.merged_into]
    assert (gone.items, gone.feedback_count) == ((), 0)
    assert desk.tickets[gone.merged_into].feedback_count == 1


def test_what_a_person_resolved_takes_nothing_more() -> None:
    desk = Desk().learn(anomaly("october", 0))
    [ticket] = desk.tickets.values()
    desk.decide(settled(ticket, day(1), "hr-li", "另行处理"))
    desk.learn(anomaly("november", 31, period="2024-11"), anomaly("october", 0, 16, version=2))
    assert desk.states == ["resolved", "open"]
    assert all(item.cleared_at for item in desk.tickets[ticket.ticket_id].items)


def test_what_a_person_reopened_keeps_its_facts_and_takes_in_new_ones() -> None:
    desk = Desk().learn(anomaly("october", 0, 16))
    [ticket] = desk.tickets.values()
    desk.decide(reopened(ticket, day(20), _OFFICE))
    desk.learn(feedback("still nothing", 21))
    assert desk.states == ["reopened"]
    desk.learn(anomaly("november", 31, period="2024-11"))
    assert desk.states == ["reopened"]
    desk.learn(anomaly("november", 31, 40, period="2024-11", version=2))
    assert desk.states == ["resolved"]


# Every order of learning the facts ends in the same tickets.

_insurances = st.lists(
    st.sampled_from(["pension", "medical", "maternity"]), min_size=1, max_size=3, unique=True
).map(tuple)


@st.composite
def _histories(draw: st.DrawFn) -> list[Anomaly | Feedback]:
    """Versions of a few anomalies and some feedback of one employee, as events in a drawn order."""
    learned: list[Anomaly | Feedback] = []
    for n in range(draw(st.integers(1, 4))):
        raised = draw(st.integers(0, 40))
        first = anomaly(
            f"anomaly-{n}",
            raised,
            kind=draw(st.sampled_from(["RecordMissing", "AmountDiffers"])),
            period=draw(st.sampled_from(["2024-10", "2024-11"])),
            insurances=draw(_insurances),
        )
        learned.append(first)
        if draw(st.booleans()):
            learned.append(replace(first, version=2, insurances=draw(_insurances)))
        if draw(st.booleans()):
            cleared = day(raised + draw(st.integers(0, 20)))
            learned.append(replace(first, version=3, cleared_at=cleared))
    for n in range(draw(st.integers(0, 3))):
        period = draw(st.sampled_from(["2024-10", "2024-11"]))
        said = feedback(
            f"feedback-{n}", draw(st.integers(0, 50)), *draw(_insurances), period=period
        )
        learned.append(said)
    return learned


def _learn(events: list[Anomaly | Feedback]) -> list[Ticket]:
    """The tickets after learning the events one by one, but for those that went on in another."""
    return [ticket for ticket in Desk().learn(*events).tickets.values() if not ticket.merged_into]


def _content(tickets: list[Ticket]) -> list[tuple[object, ...]]:
    """What two runs must agree on: all but numbers, ids and what people did."""
    return sorted(
        (t.cause, t.state, str(t.resolved_at), t.feedback_count, str(t.items)) for t in tickets
    )


@given(data=st.data(), history=_histories())
@settings(max_examples=150, deadline=None)
def test_every_order_ends_in_the_same_tickets(
    data: st.DataObject, history: list[Anomaly | Feedback]
) -> None:
    shuffled = data.draw(st.permutations(history + data.draw(st.permutations(history))))
    once, twice = _learn(history), _learn(shuffled)
    assert _content(once) == _content(twice)
    open_causes = [ticket.cause for ticket in twice if ticket.is_open]
    assert len(open_causes) == len(set(open_causes))
