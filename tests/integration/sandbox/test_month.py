"""A month at the parties without a fault: filed, verified, debited, stated, passed on, recorded."""

from lxml import etree

from tests.support.parties import Sandbox, declaration, detail, line

CAMT = "{urn:iso:std:iso:20022:tech:xsd:camt.053.001.08}"


async def test_a_declaration_becomes_a_debit_a_statement_and_records(sandbox: Sandbox) -> None:
    await sandbox.control.post(
        "/agreements",
        json={
            "party": "tax-990100",
            "AAB001": "A-1",
            "bank_account_ref": "6200-1",
            "holder": "示例公司",
        },
    )
    await sandbox.step("2024-10-08T10:00:00+08:00")
    sent = declaration("S-1", line(), line(insurance="110"))
    taken = await sandbox.collector.post("/tax-990100/declarations", json=sent)
    assert (taken.status_code, taken.json()) == (202, {"serial": "S-1", "state": "received"})

    await sandbox.step("2024-10-08T12:00:00+08:00")
    verified = (await sandbox.collector.get("/tax-990100/declarations/S-1")).json()
    assert verified["state"] == "verified"
    assert verified["verified_at"] == "2024-10-08T12:00:00+08:00"
    assert verified["total"] == "1900.00"
    assert verified["lines"][0]["AAE020"] == "760.00"

    await sandbox.step("2024-10-10T18:00:00+08:00")
    asked = {"account": "6200-1", "since": "2024-10-01"}
    [listed] = (await sandbox.bank.get("/statements", params=asked)).json()["statements"]
    assert listed["day"] == "2024-10-10"
    document = etree.fromstring((await sandbox.bank.get(f"/statements/{listed['id']}")).content)
    assert document.findtext(f".//{CAMT}EndToEndId") == "S-1"
    assert document.findtext(f".//{CAMT}Ustrd") == "社保费 A-1 202410"
    assert document.findtext(f".//{CAMT}Ntry/{CAMT}Amt") == "1900.00"

    taken = await sandbox.authorities.post("/medical-990100/details", json=detail("D-1"))
    assert (taken.status_code, taken.json()) == (202, {"serial": "D-1", "state": "accepted"})
    await sandbox.step("2024-10-11T06:00:00+08:00")
    looked_up = await sandbox.authorities.get(
        "/medical-990100/records", params={"AAB001": "A-1", "AAE003": "202410"}
    )
    assert looked_up.json() == {
        "rows": [
            {
                "AAC002": "110101199003070038",
                "AAE140": "310",
                "AAE003": "202410",
                "AAA115": "10",
                "AAE180": "9500.00",
                "AAE080": "760.00",
                "AAE082": "190.00",
                "AAE078": "1",
                "EAD131": "20241011",
            }
        ],
        "next_cursor": None,
        "as_of": "2024-10-11T06:00:00+08:00",
    }
    asked = (await sandbox.authorities.get("/medical-990100/details/D-1")).json()
    assert asked["state"] == "recorded"


async def test_a_collector_that_passes_the_detail_on_leaves_the_employer_to_watch(
    sandbox: Sandbox,
) -> None:
    await sandbox.step("2024-10-08T10:00:00+08:00")
    sent = declaration("S-1", line(), line(insurance="110"), account_no="B-1")
    await sandbox.collector.post("/tax-990200/declarations", json=sent)
    await sandbox.step("2024-10-11T08:00:00+08:00")
    for party, code in (("medical-990200", "310"), ("hrss-990200", "110")):
        asked = {"AAB001": "B-1", "AAE003": "202410"}
        found = await sandbox.authorities.get(f"/{party}/records", params=asked)
        assert [row["AAE140"] for row in found.json()["rows"]] == [code]
        asked = {"from": "202401", "to": "202412"}
        person = await sandbox.authorities.get(f"/{party}/records/110101199003070038", params=asked)
        assert [row["EAD131"] for row in person.json()["rows"]] == ["20241011"]
