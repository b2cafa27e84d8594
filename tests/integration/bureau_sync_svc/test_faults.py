"""Parties that are silent, closed, hurried or wrong: never two live submissions, never a crash."""

import asyncio

import pytest

from shared.contracts import AuthorityStateChanged
from tests.integration.bureau_sync_svc.world import World, china


async def state(world: World) -> tuple[str, str]:
    (row,) = await world.query("SELECT state, reason FROM submissions WHERE kind = 'filing'")
    return row.state, row.reason


async def test_a_reply_lost_after_the_effect_is_asked_about(world: World) -> None:
    await world.approve("e1")
    world.collector.faults = ["timeout_after"]
    await world.work(china("2024-10-08 09:00"))
    assert (await state(world))[0] == "unknown"
    assert (await world.row()).stage == "unknown"
    await world.work(china("2024-10-08 09:01"))
    assert (await world.row()).stage == "filed"
    assert world.collector.posts() == 1


async def test_a_request_lost_before_the_effect_goes_out_again_under_its_serial(
    world: World,
) -> None:
    await world.approve("e1")
    world.collector.faults = ["timeout_before"]
    await world.work(china("2024-10-08 09:00"))
    assert (await state(world))[0] == "unknown"
    await world.work(china("2024-10-08 09:01"))
    assert (await world.row()).stage == "filed"
    assert world.collector.posts() == 2
    assert len(world.collector.submissions) == 1


@pytest.mark.parametrize("fault", ["web page", "other serial"])
async def test_nonsense_leaves_the_outcome_unknown(world: World, fault: str) -> None:
    await world.approve("e1")
    world.collector.faults = [fault]
    await world.work(china("2024-10-08 09:00"))
    assert (await state(world))[0] == "unknown"
    (exchange,) = await world.query("SELECT outcome FROM exchanges WHERE operation = 'send_filing'")
    assert exchange.outcome == "unreadable"
    await world.work(china("2024-10-08 09:01"))
    assert (await world.row()).stage == "filed"
    assert len(world.collector.submissions) == 1


async def test_a_death_between_intent_and_reply_is_asked_about(world: World) -> None:
    """The intent says sending; whoever finds it does not know whether the request left."""
    await world.approve("e1")
    await world.work(china("2024-10-08 09:00"))
    await world.change("UPDATE submissions SET state = 'sending'")
    await world.work(china("2024-10-08 09:15"))
    assert (await state(world))[0] == "taken"
    assert world.collector.posts() == 1


async def test_two_replicas_send_once(world: World) -> None:
    """Both run the same jobs over one database; the lease gives the submission to one of them."""
    await world.approve("e1")
    now = china("2024-10-08 09:00")
    jobs = {job.name: job for job in world.wiring.jobs}
    await jobs["plan"].run(now)
    done = await asyncio.gather(*(jobs["submissions"].run(now) for _ in range(4)))
    assert sum(done) == 1
    assert world.collector.posts() == 1


async def test_a_closed_party_is_left_alone_until_it_opens(world: World) -> None:
    await world.approve("e1")
    world.collector.closed_until = "2024-10-09T00:00:00+08:00"
    await world.work(china("2024-10-08 09:00"))
    await world.work(china("2024-10-08 20:00"))
    assert world.collector.posts() == 1
    world.collector.closed_until = ""
    await world.work(china("2024-10-09 00:00"))
    assert (await world.row()).stage == "filed"
    told = [event for event in await world.told() if isinstance(event, AuthorityStateChanged)]
    assert [one.state for one in told] == ["closed", "open"]
    assert told[0].closures == (("2024-10-08T01:00:00+00:00", "2024-10-08T16:00:00+00:00"),)


async def test_a_refused_filing_is_rejected_with_the_reason(world: World) -> None:
    await world.approve("e1")
    world.collector.faults = ["refused"]
    await world.work(china("2024-10-08 09:00"))
    row = await world.row()
    assert (row.stage, row.reason, row.filed_employer_fen) == ("rejected", "单位状态异常", None)
    assert await world.query("SELECT 1 FROM look_ups") == []


async def test_a_rate_limit_is_waited_for(world: World) -> None:
    await world.approve("e1")
    world.collector.faults = ["limited"]
    await world.work(china("2024-10-08 09:00"))
    assert (await state(world))[0] == "ready"
    await world.work(china("2024-10-08 09:01"))
    assert (await world.row()).stage == "filed"


async def test_a_silent_party_is_asked_ever_more_rarely(world: World) -> None:
    """After three failures in a row its circuit is open, for look-ups as well."""
    await world.approve("e1")
    await world.work(china("2024-10-08 09:00"))
    await world.work(china("2024-10-09 07:30"))
    world.authority.faults = ["timeout_before"] * 3
    for clock in ("08:00", "08:01", "08:02"):
        await world.work(china(f"2024-10-09 {clock}"))
    (party,) = await world.query("SELECT failures, retry_at FROM parties WHERE failures > 0")
    assert (party.failures, party.retry_at) == (3, china("2024-10-09 08:02:30"))
    world.record()
    await world.work(china("2024-10-09 08:30"))
    assert (await world.row()).stage == "recorded"


async def test_half_a_look_up_proves_nobody_absent(world: World) -> None:
    """The second page fails: what the first showed is not taken, and nobody is called absent."""
    await world.approve("e1", "e2")
    await world.work(china("2024-10-08 09:00"))
    world.record("e1")
    world.record("e2")
    world.authority.notices = []
    await world.work(china("2024-10-09 07:30"))
    world.authority.faults = ["", "web page"]
    await world.work(china("2024-10-09 08:00"))
    assert (await world.row("e1")).stage == "filed"
    await world.work(china("2024-10-09 08:01"))
    assert (await world.row("e1")).stage == (await world.row("e2")).stage == "recorded"
