"""An authority's wire, and each fault that can be ordered of it."""

from typing import Any

from tests.support.parties import Sandbox, declaration, detail, line

PARTY = "medical-990100"
MATERNITY = line(insurance="510", AAE020="76.00", AAE022="0.00")
OTHER_PERSON = line(id_no="110101199003070011")
DEBIT_DAY = "2024-10-10T18:30:00+08:00"
BOOKED = "2024-10-11T06:00:00+08:00"


async def send(sandbox: Sandbox, body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
    answer = await sandbox.authorities.post(f"/{PARTY}/details", json=body)
    return answer.status_code, answer.json()


async def ask(sandbox: Sandbox, serial: str) -> dict[str, Any]:
    answer = await sandbox.authorities.get(f"/{PARTY}/details/{serial}")
    return {"status": answer.status_code, **answer.json()}


async def rows(sandbox: Sandbox, party: str = PARTY, **changes: str) -> list[dict[str, str]]:
    """All records of the account and month."""
    asked = {"AAB001": "A-1", "AAE003": "202410", **changes}
    answer = await sandbox.authorities.get(f"/{party}/records", params=asked)
    assert answer.status_code == 200, answer.text
    return list(answer.json()["rows"])


async def test_a_serial_is_taken_once(sandbox: Sandbox) -> None:
    assert await send(sandbox, detail("D-1")) == (202, {"serial": "D-1", "state": "accepted"})
    assert await send(sandbox, detail("D-1")) == (202, {"serial": "D-1", "state": "accepted"})
    status, refusal = await send(sandbox, detail("D-1", MATERNITY))
    assert (status, refusal["code"]) == (409, "SERIAL_CONFLICT")
    assert (await ask(sandbox, "D-2"))["code"] == "UNKNOWN_SERIAL"


async def test_the_same_line_under_a_second_serial_is_recorded_twice(sandbox: Sandbox) -> None:
    """As true authorities do, and why an unknown outcome is asked about and never sent as new."""
    await sandbox.step(DEBIT_DAY)
    await send(sandbox, detail("D-1"))
    await send(sandbox, detail("D-2"))
    await sandbox.step(BOOKED)
    assert len(await rows(sandbox)) == 2


async def test_an_authority_records_its_own_insurances_alone(sandbox: Sandbox) -> None:
    status, refusal = await send(sandbox, detail("D-1", line(insurance="110")))
    assert (status, refusal["code"]) == (422, "REFUSED")
    await sandbox.step(DEBIT_DAY)
    assert (await send(sandbox, detail("D-2", line(insurance="110"), line())))[0] == 202
    await sandbox.step(BOOKED)
    said = await ask(sandbox, "D-2")
    assert [one["state"] for one in said["lines"]] == ["refused", "recorded"]
    assert said["state"] == "partly_recorded"


async def test_accepted_and_dropped_until_it_is_repaired(sandbox: Sandbox) -> None:
    """The founding fault: it says accepted, records nothing, and books on the day of the repair."""
    await sandbox.step(DEBIT_DAY)
    fault_id = await sandbox.order(PARTY, "accept_and_drop")
    assert (await send(sandbox, detail("D-1", line(), MATERNITY)))[0] == 202
    await sandbox.step("2024-11-01T10:00:00+08:00")
    assert (await ask(sandbox, "D-1"))["state"] == "accepted"
    assert await rows(sandbox) == []

    late = {"records_on": "2024-10-31T00:30:00+08:00"}
    refused = await sandbox.control.post(f"/faults/{fault_id}/repair", json=late)
    assert (refused.status_code, refused.json()["code"]) == (422, "IN_THE_PAST")
    repair = {"records_on": "2024-11-02T00:30:00+08:00"}
    repaired = await sandbox.control.post(f"/faults/{fault_id}/repair", json=repair)
    assert repaired.json()["restored"] == 1
    assert await rows(sandbox) == []
    await sandbox.step("2024-11-02T08:00:00+08:00")
    assert {row["EAD131"] for row in await rows(sandbox)} == {"20241102"}
    assert (await ask(sandbox, "D-1"))["state"] == "recorded"
    assert (await send(sandbox, detail("D-2", OTHER_PERSON)))[0] == 202
    await sandbox.step("2024-11-03T06:00:00+08:00")
    assert len(await rows(sandbox)) == 3


async def test_a_fault_that_is_lifted_strikes_no_more(sandbox: Sandbox) -> None:
    await sandbox.step(DEBIT_DAY)
    fault_id = await sandbox.order(PARTY, "accept_and_drop", people=[OTHER_PERSON["AAC002"]])
    await send(sandbox, detail("D-1", line(), OTHER_PERSON))
    assert (await sandbox.control.delete(f"/faults/{fault_id}")).status_code == 204
    await send(sandbox, detail("D-2", MATERNITY, {**OTHER_PERSON, "AAE140": "510"}))
    await sandbox.step(BOOKED)
    assert (await ask(sandbox, "D-1"))["state"] == "partly_recorded"
    assert (await ask(sandbox, "D-2"))["state"] == "recorded"


async def test_recorded_late_and_meanwhile_in_transit(sandbox: Sandbox) -> None:
    await sandbox.step(DEBIT_DAY)
    late = {"days": 3, "in_transit": True}
    await sandbox.order(PARTY, "record_late", insurances=["medical"], params=late)
    await send(sandbox, detail("D-1", line(), MATERNITY))
    await sandbox.step(BOOKED)
    shown = {row["AAE140"]: (row["AAE078"], row["EAD131"]) for row in await rows(sandbox)}
    assert shown == {"310": ("3", ""), "510": ("1", "20241011")}
    await sandbox.step("2024-10-14T06:00:00+08:00")
    shown = {row["AAE140"]: (row["AAE078"], row["EAD131"]) for row in await rows(sandbox)}
    assert shown["310"] == ("1", "20241014")


async def test_refused_at_once_or_after_it_was_accepted(sandbox: Sandbox) -> None:
    await sandbox.step(DEBIT_DAY)
    await sandbox.order(PARTY, "refuse", accounts=["A-1"], params={"text": "人员未参保"})
    status, refusal = await send(sandbox, detail("D-1"))
    assert (status, refusal["text"]) == (422, "人员未参保")
    assert [one["text"] for one in refusal["lines"]] == ["人员未参保"]
    assert (await ask(sandbox, "D-1"))["state"] == "refused"

    later = {"text": "金额不符", "later": True}
    await sandbox.order(PARTY, "refuse", accounts=["A-2"], params=later)
    assert (await send(sandbox, detail("D-2", account_no="A-2")))[0] == 202
    said = await ask(sandbox, "D-2")
    assert (said["state"], said["text"]) == ("accepted", "")
    await sandbox.step(BOOKED)
    said = await ask(sandbox, "D-2")
    assert (said["state"], said["text"]) == ("refused", "金额不符")
    assert await rows(sandbox, AAB001="A-2") == []


async def test_what_is_refused_after_it_was_in_transit_is_listed_no_more(sandbox: Sandbox) -> None:
    await sandbox.step(DEBIT_DAY)
    late = {"days": 3, "in_transit": True}
    await sandbox.order(PARTY, "record_late", insurances=["medical"], params=late)
    later = {"text": "金额不符", "later": True}
    await sandbox.order(PARTY, "refuse", insurances=["medical"], params=later)
    await send(sandbox, detail("D-1", line(), MATERNITY))
    await sandbox.step(BOOKED)
    assert sorted(row["AAE140"] for row in await rows(sandbox)) == ["310", "510"]
    await sandbox.step("2024-10-14T06:00:00+08:00")
    assert [row["AAE140"] for row in await rows(sandbox)] == ["510"]


async def test_recorded_on_another_base(sandbox: Sandbox) -> None:
    await sandbox.step(DEBIT_DAY)
    await sandbox.order(PARTY, "wrong_base", params={"percent": -10})
    await send(sandbox, detail("D-1"))
    await sandbox.step(BOOKED)
    [row] = await rows(sandbox)
    assert (row["AAE180"], row["AAE080"], row["AAE082"]) == ("8550.00", "760.00", "190.00")


async def test_only_some_insurances_are_recorded(sandbox: Sandbox) -> None:
    await sandbox.step(DEBIT_DAY)
    await sandbox.order(PARTY, "only_insurances", insurances=["maternity"])
    await send(sandbox, detail("D-1", line(), MATERNITY))
    await sandbox.step(BOOKED)
    assert [row["AAE140"] for row in await rows(sandbox)] == ["510"]


async def test_records_are_listed_twice(sandbox: Sandbox) -> None:
    await sandbox.step(DEBIT_DAY)
    await send(sandbox, detail("D-1", line(), OTHER_PERSON))
    await sandbox.step(BOOKED)
    await sandbox.order(PARTY, "answer_twice", people=[line()["AAC002"]], times=1)
    assert [row["AAC002"][-4:] for row in await rows(sandbox)] == ["0038", "0038", "0011"]
    assert len(await rows(sandbox)) == 2


async def test_no_answer_before_or_after_it_took_effect(sandbox: Sandbox) -> None:
    await sandbox.order(PARTY, "timeout_before", params={"seconds": 0}, times=1)
    assert (await send(sandbox, detail("D-1")))[0] == 504
    assert (await ask(sandbox, "D-1"))["status"] == 404
    await sandbox.order(PARTY, "timeout_after", params={"seconds": 0}, times=1)
    assert (await send(sandbox, detail("D-1")))[0] == 504
    assert (await ask(sandbox, "D-1"))["state"] == "accepted"


async def test_a_time_out_may_strike_look_ups_too(sandbox: Sandbox) -> None:
    silent = {"seconds": 0, "reads": True}
    await sandbox.order(PARTY, "timeout_before", params=silent, times=1)
    asked = {"AAB001": "A-1", "AAE003": "202410"}
    answer = await sandbox.authorities.get(f"/{PARTY}/records", params=asked)
    assert answer.status_code == 504
    assert await rows(sandbox) == []


async def test_a_closed_authority_shows_its_notices_and_gets_the_detail_when_it_opens(
    sandbox: Sandbox,
) -> None:
    """The collector of 990200 passes the detail on itself: it waits for the opening."""
    span = {"from": "2024-10-10T00:00:00+08:00", "until": "2024-10-13T00:00:00+08:00"}
    await sandbox.order("medical-990200", "closed", **span)
    notice = {"party": "medical-990200", "kind": "closure", "text": "系统升级", **span}
    made = await sandbox.control.post("/notices", json=notice)
    await sandbox.step("2024-10-08T10:00:00+08:00")
    filed = declaration("S-1")
    await sandbox.collector.post("/tax-990200/declarations", json=filed)
    await sandbox.step("2024-10-12T08:00:00+08:00")
    asked = {"AAB001": "A-1", "AAE003": "202410"}
    answer = await sandbox.authorities.get("/medical-990200/records", params=asked)
    assert answer.status_code == 503
    shown = (await sandbox.authorities.get("/medical-990200/notices")).json()["notices"]
    assert shown == [{"id": made.json()["id"], "kind": "closure", "text": "系统升级", **span}]
    await sandbox.step("2024-10-14T06:00:00+08:00")
    assert [row["EAD131"] for row in await rows(sandbox, "medical-990200")] == ["20241014"]


async def test_bulk_look_ups_page_by_record(sandbox: Sandbox) -> None:
    people = [line(id_no=f"11010119900307{n:04d}") for n in range(501)]
    await sandbox.step(DEBIT_DAY)
    await send(sandbox, detail("D-1", *people))
    await sandbox.step(BOOKED)
    asked = {"AAB001": "A-1", "AAE003": "202410"}
    first = (await sandbox.authorities.get(f"/{PARTY}/records", params=asked)).json()
    assert len(first["rows"]) == 500
    more = await rows(sandbox, cursor=first["next_cursor"])
    assert len({row["AAC002"] for row in [*first["rows"], *more]}) == 501
    answer = await sandbox.authorities.get(f"/{PARTY}/records", params={**asked, "cursor": "x"})
    assert answer.status_code == 400


async def test_a_planted_record_may_span_months_or_interrupt(sandbox: Sandbox) -> None:
    record = {
        "party": PARTY,
        "AAB001": "A-1",
        "AAC002": "110101199003070038",
        "AAE140": "310",
        "AAE003": "202408",
        "AAE003_END": "202410",
        "AAE180": "9500.00",
        "AAE080": "2280.00",
        "AAE082": "570.00",
        "AAE078": "2",
        "EAD131": "20241105",
    }
    assert (await sandbox.control.post("/records", json=record)).status_code == 201
    [row] = await rows(sandbox)
    assert (row["AAE003"], row["AAE003_END"], row["AAE078"]) == ("202408", "202410", "2")
    for span, found in ((("202409", "202409"), 1), (("202401", "202407"), 0)):
        asked = {"from": span[0], "to": span[1]}
        answer = await sandbox.authorities.get(f"/{PARTY}/records/110101199003070038", params=asked)
        assert len(answer.json()["rows"]) == found
