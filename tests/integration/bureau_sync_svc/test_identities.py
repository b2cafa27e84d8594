"""People whose key comes late, is moved, or is gone: the others go on, and facts stay."""

import dataclasses
from pathlib import Path

import msgspec
from prometheus_client import REGISTRY

from shared.sealed import Sealer
from tests.integration.bureau_sync_svc.world import World, approved, assessed, china, deleted
from tests.support import root_keys


def broken_seals() -> float:
    sample = ("daozhang_seal_broken_total", {"reason": "altered or moved"})
    return REGISTRY.get_sample_value(*sample) or 0


async def test_what_was_recorded_of_an_erased_person_stays_recorded(world: World) -> None:
    """The authority goes on showing them; we no longer know whom it shows."""
    await world.approve("e1", "e2")
    await world.work(china("2024-10-08 09:00"))
    world.record("e1")
    await world.work(china("2024-10-11 08:00"))
    before = await world.acks("e1")
    assert before[-1].rows[0].stage == "recorded"
    await world.hear(deleted("e1"))
    await world.work(china("2024-10-12 08:00"))
    assert await world.acks("e1") == before
    world.record("e2")
    await world.work(china("2024-10-13 08:00"))
    assert await world.acks("e1") == before
    assert (await world.row("e2")).stage == "recorded"
    # Nobody else is waited for, so that the look-ups end.
    (look_up,) = await world.query("SELECT next_at, lines, recorded FROM look_ups")
    assert (look_up.next_at, look_up.lines, look_up.recorded) == (None, 1, 1)


async def test_a_root_key_that_comes_after_the_people_whom_it_wraps(world: World) -> None:
    path: Path = world.parts.settings.root_key_file
    ahead = root_keys.copied(path, "payroll.keys")
    root_keys.rotate(ahead)
    early = dataclasses.replace(world, sealer=Sealer.from_file(ahead))
    await world.approve("e1")
    await world.hear(early.sealed("e1", version=2))
    await world.work(china("2024-10-08 09:00"))
    assert world.collector.submissions == {}
    ahead.replace(path)
    await world.work(china("2024-10-08 09:05"))
    assert len(world.collector.submissions[world.serial()]["lines"]) == 1
    world.record("e1")
    await world.work(china("2024-10-11 08:00"))
    assert (await world.row()).stage == "recorded"


async def test_a_ciphertext_moved_to_another_row_is_an_alarm_and_stops_nobody_else(
    world: World,
) -> None:
    await world.approve("e1", "e2")
    await world.change(
        "UPDATE identities SET sealed = theirs.sealed, wrapped_key = theirs.wrapped_key"
        " FROM identities theirs WHERE identities.employee_id = 'e1' AND theirs.employee_id = 'e2'"
    )
    before = broken_seals()
    await world.work(china("2024-10-08 09:00"))
    assert broken_seals() > before
    # A declaration goes out whole or not at all; it says what it waits for.
    assert world.collector.submissions == {}
    (waiting,) = await world.query("SELECT reason FROM submissions")
    assert waiting.reason == "1 人缺少可用的身份资料"
    others = msgspec.structs.replace(approved("e3"), declaration_id="d2", account_id="account-2")
    theirs = msgspec.structs.replace(assessed("e3"), account_id="account-2")
    await world.hear(world.sealed("e3"), theirs, others)
    await world.work(china("2024-10-08 09:10"))
    assert [len(one["lines"]) for one in world.collector.submissions.values()] == [1]
