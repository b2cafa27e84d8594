"""Business time: published, never backwards, and the same acts however far it is stepped."""

from tests.support.parties import Sandbox, Start, declaration, detail, told

START = "2024-09-20T01:00:00+00:00"


async def test_the_first_start_publishes_the_time_and_each_step_once(sandbox: Sandbox) -> None:
    assert await told(sandbox) == [(b"clock", START)]
    for _ in range(2):
        answer = await sandbox.control.post("/clock", json={"at": "2024-09-25T06:00:00+08:00"})
        assert answer.json() == {"at": "2024-09-25T06:00:00+08:00"}
    assert await told(sandbox) == [(b"clock", START), (b"clock", "2024-09-24T22:00:00+00:00")]
    assert (await sandbox.control.get("/clock")).json() == {"at": "2024-09-25T06:00:00+08:00"}


async def test_time_does_not_go_back_and_has_a_zone(sandbox: Sandbox) -> None:
    await sandbox.step("2024-10-01T00:00:00+08:00")
    answer = await sandbox.control.post("/clock", json={"at": "2024-09-30T23:59:59+08:00"})
    assert (answer.status_code, answer.json()["code"]) == (409, "CLOCK_BACKWARDS")
    answer = await sandbox.control.post("/clock", json={"at": "2024-10-02T00:00:00"})
    assert answer.status_code == 400
    assert len(await told(sandbox)) == 2


async def test_readyz_says_what_is_due_next_and_counts_what_was_done(sandbox: Sandbox) -> None:
    said = (await sandbox.control.get("/readyz")).json()
    assert said == {
        "ready": True,
        "checks": {},
        "service": "sandbox",
        "business_time": START,
        "consumer_lag": 0,
        "outbox_unsent": 0,
        "parked": 0,
        "jobs_due": 0,
        "next_due_at": None,
        "activity": 0,
    }
    await sandbox.step("2024-10-08T10:00:00+08:00")
    await sandbox.collector.post("/tax-990100/declarations", json=declaration("S-1"))
    expected = [
        "2024-10-08T04:00:00+00:00",
        "2024-10-10T02:00:00+00:00",
        "2024-10-10T10:00:00+00:00",
    ]
    activity = 0
    for due_at in expected:
        said = (await sandbox.control.get("/readyz")).json()
        assert said["next_due_at"] == due_at
        assert said["activity"] > activity
        activity = said["activity"]
        await sandbox.step(due_at)
    assert (await sandbox.control.get("/readyz")).json()["next_due_at"] is None


async def test_a_quarter_in_one_step_does_what_a_quarter_by_the_day_does(start: Start) -> None:
    async def played(*steps: str) -> tuple[str, str]:
        sandbox = await start()
        await sandbox.step("2024-10-08T10:00:00+08:00")
        sent = declaration("S-1")
        await sandbox.collector.post("/tax-990200/declarations", json=sent)
        await sandbox.authorities.post("/medical-990100/details", json=detail("D-1"))
        for at in steps:
            await sandbox.step(at)
        asked = {"account": "A-1", "since": "2024-01-01"}
        stated = await sandbox.bank.get("/statements", params=asked)
        asked = {"AAB001": "A-1", "AAE003": "202410"}
        recorded = await sandbox.authorities.get("/medical-990200/records", params=asked)
        return stated.text, recorded.text

    days = [f"2024-10-{day:02d}T{hour}:00:00+08:00" for day in (8, 9, 10, 11) for hour in (13, 19)]
    last = "2024-12-31T00:00:00+08:00"
    assert await played(*days, last) == await played(last)
