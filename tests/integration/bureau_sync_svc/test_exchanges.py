"""A declaration from approval to record, through real parties."""

import json

from shared.contracts import AuthorityStateChanged
from tests.integration.bureau_sync_svc.world import (
    ID_NUMBERS,
    World,
    approved,
    assessed,
    china,
    deleted,
    policy,
    posted,
)


async def stages(world: World, employee_id: str = "e1") -> list[str]:
    return [ack.rows[0].stage for ack in await world.acks(employee_id)]


async def test_from_filing_to_record(world: World) -> None:
    """Each stage is told once, and no look-up follows the last record."""
    await world.approve("e1", "e2")
    await world.work(china("2024-10-08 09:00"))
    assert len(world.collector.submissions[world.serial()]["lines"]) == 2
    world.verify()
    await world.work(china("2024-10-08 09:15"))
    await world.work(china("2024-10-09 08:00"))
    await world.hear(posted("e1"), posted("e2"))
    await world.work(china("2024-10-10 18:00"))
    (detail,) = world.authority.submissions.values()
    assert [line["AAE080"] for line in detail["lines"]] == ["760.00", "760.00"]
    await world.work(china("2024-10-11 08:00"))
    world.record("e1")
    await world.work(china("2024-10-12 08:00"))
    world.record("e2")
    await world.work(china("2024-10-13 08:00"))

    assert await stages(world) == ["filed", "verified", "absent", "accepted", "absent", "recorded"]
    row = await world.row()
    assert (row.record_base_fen, row.record_employer_fen, row.record_employee_fen) == (
        950_000,
        76_000,
        19_000,
    )
    assert (row.verified_employer_fen, row.filed_employee_fen) == (76_000, 19_000)
    assert (row.records, row.recorded_on) == (1, "2024-10-11")
    # The last event at which e1's row rested on was of the 12th; on the 13th nothing of it changed.
    assert row.looked_up_at == "2024-10-12T00:00:00Z"
    (look_up,) = await world.query("SELECT next_at, lines, recorded FROM look_ups")
    assert (look_up.next_at, look_up.lines, look_up.recorded) == (None, 2, 2)
    versions = [ack.version for ack in await world.acks()]
    assert versions == list(range(1, len(versions) + 1))


async def test_accepted_without_a_record_is_told_again_after_the_window(world: World) -> None:
    """The window ends with 16 October; the first look-up after it is told although nothing
    changed.
    """
    await world.approve("e1")
    await world.work(china("2024-10-08 09:00"))
    await world.hear(posted("e1"))
    await world.work(china("2024-10-10 18:00"))
    for day in range(11, 20):
        await world.work(china(f"2024-10-{day} 08:00"))
    looked_up = [ack.rows[0].looked_up_at for ack in await world.acks()]
    assert looked_up[-2:] == ["2024-10-10T10:00:00Z", "2024-10-17T00:00:00Z"]
    row = await world.row()
    assert (row.stage, row.reason) == ("absent", "受理但无记录")


async def test_the_order_in_which_facts_come_does_not_matter(world: World) -> None:
    """Postings, declaration, policy, assessments, identities: the other way round from life."""
    await world.hear(posted("e1"), approved("e1"))
    await world.work(china("2024-10-10 18:00"))
    (waiting,) = await world.query("SELECT state, reason FROM submissions")
    assert waiting.state == "waiting"
    assert "持有 0 人" in waiting.reason
    await world.hear(assessed("e1"))
    await world.work(china("2024-10-10 18:01"))
    (ready,) = await world.query("SELECT state, reason FROM submissions")
    assert (ready.state, ready.reason) == ("ready", "1 人缺少可用的身份资料")
    await world.hear(world.sealed("e1"), policy())
    await world.work(china("2024-10-10 18:06"))
    assert (await world.row()).stage == "accepted"
    assert world.collector.posts() == world.authority.posts() == 1


async def test_older_versions_change_nothing(world: World) -> None:
    await world.hear(assessed("e1", version=2), assessed("e1", version=1))
    (kept,) = await world.query("SELECT version FROM assessments")
    assert kept.version == 2


async def test_an_event_that_comes_twice_is_known(world: World) -> None:
    first = await world.hear(approved("e1"))
    again = await world.hear(approved("e1"))
    assert (first.handled, again.handled, again.known) == (1, 0, 1)


async def test_lines_of_another_version_are_not_filed(world: World) -> None:
    await world.approve("e1")
    await world.hear(assessed("e1", version=2))
    await world.work(china("2024-10-08 09:00"))
    assert world.collector.posts() == 0
    await world.hear(approved("e1", version=2, assessed_at=2))
    await world.work(china("2024-10-08 09:01"))
    assert world.collector.posts() == 1


async def test_an_approval_after_filing_is_not_filed_again(world: World) -> None:
    await world.approve("e1")
    await world.work(china("2024-10-08 09:00"))
    await world.hear(assessed("e1", version=2), approved("e1", version=2, assessed_at=2))
    await world.work(china("2024-10-08 09:01"))
    states = {row.state for row in await world.query("SELECT state FROM submissions")}
    assert states == {"taken", "conflict"}
    assert world.collector.posts() == 1


async def test_a_record_shown_twice_is_counted(world: World) -> None:
    await world.approve("e1")
    await world.work(china("2024-10-08 09:00"))
    world.record()
    world.record()
    await world.work(china("2024-10-09 08:00"))
    row = await world.row()
    assert (row.stage, row.records, row.record_employer_fen) == ("recorded", 2, 76_000)


async def test_a_row_about_a_stranger_is_kept_for_nobody(world: World) -> None:
    await world.approve("e1")
    await world.work(china("2024-10-08 09:00"))
    world.record("e2")
    await world.work(china("2024-10-09 08:00"))
    assert await world.acks("e2") == []
    (look_up,) = await world.query("SELECT reason FROM look_ups")
    assert look_up.reason == "有 1 条记录不属于本单位已知人员"


async def test_no_identity_number_rests_in_clear(world: World) -> None:
    """Neither in the log of filings and look-ups, nor in what a web page instead of a reply
    says.
    """
    await world.approve("e1")
    world.collector.faults = ["web page"]
    await world.work(china("2024-10-08 09:00"))
    world.record()
    await world.work(china("2024-10-09 08:00"))
    tables = await world.query(
        "SELECT tablename FROM pg_tables"
        " WHERE schemaname = 'public' AND tablename <> 'alembic_version'"
    )
    for table in tables:
        rows = await world.query(f"SELECT t::text AS row FROM {table.tablename} t")  # noqa: S608
        assert not [row for row in rows if ID_NUMBERS["e1"] in row.row or "王小明" in row.row]
    sent = await world.query("SELECT request FROM exchanges WHERE operation = 'send_filing'")
    assert json.loads(sent[0].request)["lines"][0]["AAC002"] == "e1"


async def test_a_tombstone_deletes_the_identity(world: World) -> None:
    await world.approve("e1")
    await world.work(china("2024-10-08 09:00"))
    await world.hear(deleted("e1"))
    # An older event of it that comes late, out of a dead letter or a replay, brings nothing back.
    await world.hear(world.sealed("e1", version=2))
    [left] = await world.query("SELECT sealed, wrapped_key, root_key_id FROM identities")
    assert set(left) == {""}
    assert await world.query("SELECT 1 FROM identity_indexes") == []


async def test_an_announced_upgrade_is_told_when_it_begins_and_when_it_ends(world: World) -> None:
    world.authority.notices = [
        {
            "id": "n1",
            "kind": "upgrade",
            "from": "2024-10-10T00:00:00+08:00",
            "until": "2024-10-13T00:00:00+08:00",
            "text": "系统升级",
        }
    ]
    await world.hear(policy())
    await world.work(china("2024-10-09 07:30"))
    assert await world.next_due() == china("2024-10-10 00:00")
    await world.work(china("2024-10-10 00:00"))
    await world.work(china("2024-10-13 00:00"))
    told = [event for event in await world.told() if isinstance(event, AuthorityStateChanged)]
    assert [(one.state, one.reason, one.closures) for one in told] == [
        ("degraded", "系统升级", ()),
        ("open", "", ()),
    ]
