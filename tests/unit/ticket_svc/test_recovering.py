"""A ticket that is followed through its events is the ticket that told them."""

from dataclasses import replace
from datetime import datetime

import pytest

from shared.values import derived_id
from tests.support.rooms import at
from ticket_svc.domain.recovering import BY_SOMEBODY, Told, feedback_of, followed, with_clock
from ticket_svc.domain.ticket import (
    Item,
    Ticket,
    WaitingOn,
    assigned,
    emptied,
    escalated,
    reopened,
    replied,
    resumed,
    settled,
    timed,
)
from ticket_svc.main import office_of
from ticket_svc.settings import Settings

OFFICE = office_of(Settings.model_construct())
FOUNDER = "the-anomaly#2"
ITEM = Item("2024-10", "medical", "the-anomaly", "RecordMissing", at(10, 17))
OPENED = timed(
    Ticket(
        ticket_id=str(derived_id("ticket", FOUNDER)),
        employer_id="the-employer",
        employee_id="xiaowang",
        founder=FOUNDER,
        number="DZ-202410-0001",
        cause="RecordMissing/medical-990100",
        kind="RecordMissing",
        authority="medical-990100",
        items=(ITEM,),
        opened_at=at(10, 17),
        version=1,
    ),
    OFFICE,
)
Step = tuple[str, datetime, Ticket]


def replied_to(ticket: Ticket, when: datetime, waits: WaitingOn) -> Ticket:
    return replied(ticket, when, OFFICE, by_hr=True, waiting_on=waits)


def story() -> list[Step]:
    """What happens to a ticket, each with its name and time."""
    waiting = replied_to(assigned(OPENED, "hr-li"), at(10, 18), WaitingOn.BUREAU)
    running = resumed(waiting, at(10, 28), OFFICE)
    late = escalated(running, at(11, 8, "19:00"), OFFICE)
    over = settled(late, at(11, 11), "hr-li", "已核实")
    again = reopened(over, at(11, 12), OFFICE)
    merged = emptied(again, "another ticket", at(11, 13))
    return [
        ("opened", at(10, 17), OPENED),
        ("assigned", at(10, 17, "09:00"), assigned(OPENED, "hr-li")),
        ("replied", at(10, 18), waiting),
        ("resumed", at(10, 28), running),
        ("escalated", at(11, 8, "19:00"), late),
        ("resolved", at(11, 11), over),
        ("reopened", at(11, 12), again),
        ("resolved", at(11, 13), merged),
    ]


def told(change: str, when: datetime, ticket: Ticket) -> Told:
    """As its event tells it: without what readers need not know."""
    public = replace(
        ticket,
        founder="",
        cause="",
        waiting_on=WaitingOn.NOBODY,
        authority_closed=False,
        resolve_days_left=None,
        last_reply_at=None,
        escalated_at=None,
        resolved_by="",
        reopened_at=None,
        merged_into="",
        reason="" if ticket.resolved_by else ticket.reason,
    )
    return Told(
        at=when,
        change=change,
        state=ticket.state,
        ticket=public,
        by_person=bool(ticket.resolved_by),
    )


@pytest.mark.parametrize("known", range(len(story())))
def test_from_whatever_version_the_backup_has_it_ends_as_it_was(known: int) -> None:
    """Only who resolved it, and why, is in no event."""
    steps = story()
    ticket = steps[known - 1][2] if known else None
    for change, when, after in steps[known:]:
        one = told(change, when, after)
        ticket = with_clock(ticket, followed(ticket, one), when, OFFICE)
        expected = replace(after, reason="", resolved_by=BY_SOMEBODY) if one.by_person else after
        assert ticket == expected, change


def test_feedback_that_joined_is_kept_without_its_words() -> None:
    joined = replace(OPENED, feedback_count=1, version=2)
    said = feedback_of(OPENED, told("feedback", at(10, 28), joined))
    assert said is not None
    assert (said.at, said.levy_period, said.insurances) == (at(10, 28), "2024-10", ("medical",))
    assert said.ticket_id == OPENED.ticket_id
    assert feedback_of(joined, told("cleared_in_part", at(11, 2), joined)) is None


def test_a_ticket_that_feedback_opened_names_a_founder_that_stays() -> None:
    item = Item("2024-09", "pension", "", "no_record", at(10, 20))
    opened = replace(
        OPENED, ticket_id="of feedback", items=(item,), origin="feedback", feedback_count=1
    )
    one = told("opened", at(10, 20), opened)
    said = feedback_of(None, one)
    assert said is not None
    assert followed(None, one).founder == said.fact_id
    assert followed(None, one).cause == f"feedback/{said.feedback_id}"
    assert said.kind == "no_record"
