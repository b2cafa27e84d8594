"""Reply and resolution clocks, by the real calendar of October 2024."""

from dataclasses import replace
from datetime import UTC, date, datetime

import pytest
from pydantic import SecretStr

from shared.clock import china_time
from shared.values import derived_id
from ticket_svc.domain.assignment import Staff, chosen
from ticket_svc.domain.ticket import (
    Ticket,
    WaitingOn,
    assigned,
    escalate_at,
    escalated,
    paused_or_running,
    reopened,
    replied,
    resumed,
    settled,
    timed,
)
from ticket_svc.errors import TicketIsNotWaiting, TicketIsOpen, TicketIsResolved
from ticket_svc.main import office_of
from ticket_svc.settings import Settings

OFFICE = office_of(
    Settings(
        http_port=1,
        database_api_url=SecretStr("postgresql+asyncpg://api:x@localhost:1/t"),
        database_worker_url=SecretStr("postgresql+asyncpg://worker:x@localhost:1/t"),
        kafka_bootstrap="localhost:1",
        oidc_issuer="http://issuer",
    )
)


def at(month: int, day: int, clock: str = "08:00", year: int = 2024) -> datetime:
    return china_time(date(year, month, day), clock)


def ticket(opened_at: datetime) -> Ticket:
    fresh = Ticket(
        ticket_id=str(derived_id("the ticket")),
        employer_id="the-employer",
        employee_id="xiaowang",
        founder="october#1",
        opened_at=opened_at,
    )
    return timed(fresh, OFFICE)


def test_opened_on_thursday_the_17th_a_reply_is_due_on_monday_the_21st() -> None:
    assert ticket(at(10, 17)).reply_due_at == at(10, 21, "18:00")


def test_a_worked_saturday_counts() -> None:
    assert ticket(at(10, 10)).reply_due_at == at(10, 12, "18:00")


def test_the_resolution_clock_stands_while_it_waits_on_the_bureau() -> None:
    opened = ticket(at(10, 17))
    assert opened.resolve_due_at == at(10, 31, "18:00")
    waiting = replied(opened, at(10, 18), OFFICE, by_hr=True, waiting_on=WaitingOn.BUREAU)
    assert (waiting.state, waiting.resolve_due_at, waiting.resolve_days_left) == (
        "waiting_bureau",
        None,
        9,
    )
    running = resumed(waiting, at(11, 4), OFFICE)
    assert (running.state, running.resolve_due_at) == ("investigating", at(11, 15, "18:00"))


def test_a_closed_authority_stops_the_clock_and_its_opening_starts_it() -> None:
    opened = ticket(at(10, 17))
    closed = paused_or_running(
        opened, at(10, 18), OFFICE, waiting_on=WaitingOn.NOBODY, authority_closed=True
    )
    assert (closed.state, closed.resolve_due_at, closed.resolve_days_left) == ("open", None, 9)
    both = replied(closed, at(10, 21), OFFICE, by_hr=True, waiting_on=WaitingOn.BUREAU)
    assert both.resolve_days_left == 9
    again = paused_or_running(
        both, at(10, 22), OFFICE, waiting_on=WaitingOn.BUREAU, authority_closed=False
    )
    assert again.resolve_due_at is None


def test_the_employees_answer_ends_the_waiting_on_the_employee_only() -> None:
    asked = replied(
        ticket(at(10, 17)), at(10, 18), OFFICE, by_hr=True, waiting_on=WaitingOn.EMPLOYEE
    )
    answered = replied(asked, at(10, 19), OFFICE, by_hr=False, waiting_on=WaitingOn.NOBODY)
    assert answered.waiting_on is WaitingOn.NOBODY
    assert answered.first_reply_at == at(10, 18)
    at_bureau = replace(asked, waiting_on=WaitingOn.BUREAU)
    said = replied(at_bureau, at(10, 19), OFFICE, by_hr=False, waiting_on=WaitingOn.NOBODY)
    assert said.waiting_on is WaitingOn.BUREAU


def test_a_late_reply_goes_up_at_its_due_time_and_then_each_working_morning() -> None:
    late = ticket(at(10, 17))
    assert escalate_at(late, OFFICE) == at(10, 21, "18:00")
    first = escalated(late, at(10, 21, "18:00"), OFFICE)
    assert (first.escalation, escalate_at(first, OFFICE)) == (1, at(10, 22, "09:00"))
    third = escalated(escalated(first, at(10, 22, "09:00"), OFFICE), at(10, 23, "09:00"), OFFICE)
    assert (third.escalation, escalate_at(third, OFFICE)) == (3, None)


def test_a_reply_in_time_leaves_only_the_resolution_clock() -> None:
    answered = replied(
        ticket(at(10, 17)), at(10, 18), OFFICE, by_hr=True, waiting_on=WaitingOn.NOBODY
    )
    assert escalate_at(answered, OFFICE) == at(10, 31, "18:00")


def test_an_unannounced_year_is_asked_for_again_every_day() -> None:
    unknown = ticket(at(12, 30, year=2099))
    assert (unknown.reply_due_at, unknown.resolve_due_at) == (None, None)
    assert escalate_at(unknown, OFFICE) == at(12, 31, "09:00", year=2099)
    looked = escalated(unknown, at(12, 31, "09:00", year=2099), OFFICE)
    assert looked.escalation == 0


def test_a_resolved_ticket_takes_no_more_until_it_is_reopened() -> None:
    done = settled(ticket(at(10, 17)), at(10, 18), "hr-li", "已核对")
    assert (done.state, escalate_at(done, OFFICE)) == ("resolved", None)
    with pytest.raises(TicketIsResolved):
        replied(done, at(10, 19), OFFICE, by_hr=True, waiting_on=WaitingOn.NOBODY)
    with pytest.raises(TicketIsResolved):
        assigned(done, "hr-zhao")
    again = reopened(done, at(10, 22), OFFICE)
    assert (again.state, again.resolve_due_at) == ("reopened", at(11, 5, "18:00"))
    with pytest.raises(TicketIsOpen):
        reopened(again, at(10, 23), OFFICE)
    with pytest.raises(TicketIsNotWaiting):
        resumed(again, at(10, 23), OFFICE)


def test_the_least_loaded_of_the_department_takes_it() -> None:
    staff = [
        Staff("hr-li", department_ids=("operations",)),
        Staff("hr-zhao", department_ids=("operations", "sales")),
        Staff("hr-sun", department_ids=("engineering",)),
    ]
    assert chosen(staff, "operations", {"hr-li": 3, "hr-zhao": 2}) == "hr-zhao"
    assert chosen(staff, "operations", {}) == "hr-li"
    assert chosen(staff, "a new department", {"hr-li": 1, "hr-zhao": 1}) == "hr-sun"
    assert chosen([], "operations", {}) == ""


def test_due_times_are_utc() -> None:
    due = ticket(at(10, 17)).reply_due_at
    assert due is not None
    assert due.tzinfo is UTC
