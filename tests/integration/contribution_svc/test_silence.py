"""Facts that came and could not be taken in: whose base cannot be known is blocked and named, with
the reason, before the last day of filing.
"""

from contribution_svc.domain.lines import LineState
from contribution_svc.store.declarations import risk_again
from contribution_svc.usecases.deadline import look_at_deadlines
from shared import db
from shared.clock import china_day
from shared.consumer import Replay, drop_key, replay_key
from shared.contracts import PAYROLL, ContributionAssessed, DeadlineAtRisk
from tests.integration.contribution_svc.month import (
    ACCOUNT,
    WANG,
    Month,
    employee,
    employer,
    last_year,
    wage,
)
from tests.support.rejecting_trigger import plant, pull

WAGES_OF_WANG = f"NEW.employee_id = '{WANG}'"


async def reasons(month: Month) -> set[str]:
    return {line.reason for line in (await month.assessed()).lines}


async def open_without_wages(month: Month) -> None:
    """小王's twelve wages are parked; a colleague's are taken in."""
    await plant(month.superuser_url, "wages", WAGES_OF_WANG)
    await month.hear(employer())
    await month.hear(employee(), employee("colleague"))
    outcome = await month.hear(*last_year(), *last_year("colleague"))
    assert (outcome.parked, outcome.handled) == (12, 12)
    await month.work("2024-09-25 06:00")


async def replay(month: Month) -> None:
    await pull(month.superuser_url, "wages")
    async with db.transaction(month.parts.worker) as conn:
        assert await replay_key(conn, month.wiring.handlers, PAYROLL, WANG, "ops") == Replay(
            12, "", 0
        )
    await month.work()


async def test_whose_wages_are_parked_is_blocked_with_the_reason(month: Month) -> None:
    await open_without_wages(month)
    assert {line.state for line in (await month.assessed()).lines} == {LineState.BLOCKED}
    assert await reasons(month) == {"facts_parked:wage_history_missing"}
    assert {x.state for x in (await month.assessed("colleague")).lines} == {LineState.DUE}


async def test_hr_is_told_whose_data_are_missing_two_working_days_before_filing(
    month: Month,
) -> None:
    await open_without_wages(month)
    await month.work("2024-09-30 09:00")
    [risk] = await month.told(DeadlineAtRisk)
    named = [(one.employee_id, one.reason) for one in risk.missing]
    assert named == [(WANG, "facts_parked:wage_history_missing")]
    await replay(month)
    assert (await month.told(DeadlineAtRisk))[-1].missing == ()


async def test_nobody_looks_at_a_deadline_before_what_is_being_assessed_is_seen(
    month: Month,
) -> None:
    """It is marked already by another batch: whoever looks now would never hear of this one's."""
    await open_without_wages(month)
    await month.work("2024-09-30 09:00")
    now, marked = month.parts.clock.now(), [(ACCOUNT, "2024-10")]
    async with db.transaction(month.parts.worker) as one:
        await risk_again(one, marked, now, china_day(now))
    async with db.transaction(month.parts.worker) as assessing:
        await risk_again(assessing, marked, now, china_day(now))
        async with db.transaction(month.parts.worker) as looking:
            assert await look_at_deadlines(looking, now) == 0
    async with db.transaction(month.parts.worker) as looking:
        assert await look_at_deadlines(looking, now) == 1


async def test_after_the_replay_the_base_is_that_of_the_wages(month: Month) -> None:
    await open_without_wages(month)
    await replay(month)
    assert {line.base_fen for line in (await month.assessed()).lines} == {950_000}
    assert {line.state for line in (await month.assessed()).lines} == {LineState.DUE}
    assert await reasons(month) == {""}


async def test_the_reason_follows_what_is_parked_and_what_is_given_up(month: Month) -> None:
    await month.hear(employer())
    await month.hear(employee())
    await month.work("2024-09-25 06:00")
    assert await reasons(month) == {"wage_history_missing"}
    await plant(month.superuser_url, "wages", WAGES_OF_WANG)
    await month.hear(*last_year())
    await month.work()
    assert await reasons(month) == {"facts_parked:wage_history_missing"}
    async with db.transaction(month.parts.worker) as conn:
        await drop_key(conn, PAYROLL, WANG, "ops", "entered by hand instead")
    await month.work()
    assert await reasons(month) == {"wage_history_missing"}


async def test_whoever_is_unknown_because_they_are_parked_is_named_at_the_deadline(
    month: Month,
) -> None:
    await plant(month.superuser_url, "employees", "NEW.employee_id IN ('hire', 'gone')")
    await month.open()
    joins = employee("hire", since="2024-10-08")
    leaves = employee("gone", since="2023-01-01", until="2024-08-31")
    assert (await month.hear(joins, leaves)).parked == 2
    await month.work("2024-09-30 09:00")
    [risk] = await month.told(DeadlineAtRisk)
    assert [(one.employee_id, one.reason) for one in risk.missing] == [("hire", "facts_parked")]


async def test_who_is_due_is_named_at_the_deadline_while_later_facts_are_parked(
    month: Month,
) -> None:
    await month.open()
    told = len(await month.told(ContributionAssessed))
    await plant(month.superuser_url, "wages", WAGES_OF_WANG)
    assert (await month.hear(wage(WANG, "2024-09", 1_000_000, "run"))).parked == 1
    await month.work("2024-09-30 09:00")
    assert len(await month.told(ContributionAssessed)) == told, "what is due has not changed"
    [risk] = await month.told(DeadlineAtRisk)
    assert [(one.employee_id, one.reason) for one in risk.missing] == [(WANG, "facts_parked")]
