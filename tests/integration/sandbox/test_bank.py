"""The bank: debits, statements that chain, each fault that can be ordered of it, its webhook."""

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path

import pytest
from lxml import etree
from standardwebhooks import Webhook

from tests.support.eventually import eventually
from tests.support.parties import WEBHOOK_SECRET, Sandbox, Start, declaration
from tests.support.receiver import receiving

SCHEMA_FILE = Path(__file__).parents[2] / "support" / "iso20022" / "camt.053.001.08.xsd"
SCHEMA = etree.XMLSchema(etree.parse(str(SCHEMA_FILE)))
CAMT = {"c": "urn:iso:std:iso:20022:tech:xsd:camt.053.001.08"}


@dataclass
class Stated:
    """What a statement says: balances, and per entry amount, direction, status and return code."""

    day: str
    opening: str
    closing: str
    entries: list[tuple[str, str, str, str]]


async def statements(sandbox: Sandbox, account: str = "6200-1") -> list[Stated]:
    """All statements of an account, each valid against the schema and as its hash says."""
    asked = {"account": account, "since": "2024-01-01"}
    listed = (await sandbox.bank.get("/statements", params=asked)).json()["statements"]
    said = []
    for one in listed:
        answer = await sandbox.bank.get(f"/statements/{one['id']}")
        assert answer.headers["content-type"] == "application/xml"
        assert hashlib.sha256(answer.content).hexdigest() == one["sha256"]
        root = etree.fromstring(answer.content)
        SCHEMA.assertValid(root)
        opening, closing = (b.findtext("c:Amt", "", CAMT) for b in root.findall(".//c:Bal", CAMT))
        paths = ("c:Amt", "c:CdtDbtInd", "c:Sts/c:Cd", ".//c:RtrInf/c:Rsn/c:Cd")
        entries = [
            tuple(entry.findtext(path, "", CAMT) for path in paths)
            for entry in root.findall(".//c:Ntry", CAMT)
        ]
        said.append(Stated(one["day"], opening, closing, entries))  # type: ignore[arg-type]
    return said


async def filed(sandbox: Sandbox, serial: str = "S-1", *, balance: str = "10000.00") -> None:
    """A declaration of 950.00 on an account with an agreement, to be debited on the 10th."""
    agreement = {
        "party": "tax-990100",
        "AAB001": "A-1",
        "bank_account_ref": "6200-1",
        "balance": balance,
    }
    assert (await sandbox.control.post("/agreements", json=agreement)).status_code == 201
    await sandbox.step("2024-10-08T10:00:00+08:00")
    answer = await sandbox.collector.post("/tax-990100/declarations", json=declaration(serial))
    assert answer.status_code == 202


DEBITED = ("950.00", "DBIT", "BOOK", "")
STATED = "2024-10-10T18:00:00+08:00"


async def test_statements_chain_from_one_to_the_next(sandbox: Sandbox) -> None:
    await filed(sandbox)
    await sandbox.step("2024-10-10T17:59:00+08:00")
    assert await statements(sandbox) == []
    await sandbox.step("2024-10-10T19:00:00+08:00")
    late = declaration("S-2")
    await sandbox.collector.post("/tax-990100/declarations", json=late)
    await sandbox.step("2024-10-11T18:00:00+08:00")
    assert await statements(sandbox) == [
        Stated("2024-10-10", "10000.00", "9050.00", [DEBITED]),
        Stated("2024-10-11", "9050.00", "8100.00", [DEBITED]),
    ]


async def test_an_account_without_an_agreement_has_the_number_of_the_employers(
    sandbox: Sandbox,
) -> None:
    await sandbox.step("2024-10-08T10:00:00+08:00")
    await sandbox.collector.post("/tax-990100/declarations", json=declaration("S-1"))
    await sandbox.step(STATED)
    [stated] = await statements(sandbox, "A-1")
    assert stated.entries == [DEBITED]


async def test_a_refused_debit_is_told_with_its_reason_and_books_nothing(sandbox: Sandbox) -> None:
    await filed(sandbox)
    await sandbox.order("bank", "refuse", params={"code": "AC04", "text": "账户已销户"})
    await sandbox.step(STATED)
    [stated] = await statements(sandbox)
    assert stated.entries == [("950.00", "DBIT", "INFO", "AC04")]
    assert stated.opening == stated.closing


async def test_an_account_without_funds_is_not_overdrawn(sandbox: Sandbox) -> None:
    await filed(sandbox, balance="949.99")
    await sandbox.step(STATED)
    [stated] = await statements(sandbox)
    assert stated.entries == [("950.00", "DBIT", "INFO", "AM04")]


async def test_a_debit_may_be_taken_back_days_later(sandbox: Sandbox) -> None:
    await filed(sandbox)
    await sandbox.order("bank", "refuse", params={"code": "MD06", "reversed_after_days": 2})
    await sandbox.step("2024-10-12T18:00:00+08:00")
    assert await statements(sandbox) == [
        Stated("2024-10-10", "10000.00", "9050.00", [DEBITED]),
        Stated("2024-10-12", "9050.00", "10000.00", [("950.00", "CRDT", "BOOK", "MD06")]),
    ]


async def test_debited_twice(sandbox: Sandbox) -> None:
    await filed(sandbox)
    await sandbox.order("bank", "debit_twice", accounts=["6200-1"])
    await sandbox.step(STATED)
    [stated] = await statements(sandbox)
    assert (stated.entries, stated.closing) == ([DEBITED, DEBITED], "8100.00")


async def test_debited_with_another_sum(sandbox: Sandbox) -> None:
    await filed(sandbox)
    await sandbox.order("bank", "other_amount", accounts=["A-1"], params={"delta": "-0.01"})
    await sandbox.step(STATED)
    [stated] = await statements(sandbox)
    assert stated.entries == [("949.99", "DBIT", "BOOK", "")]


async def test_debited_late(sandbox: Sandbox) -> None:
    await filed(sandbox)
    await sandbox.order("bank", "late", params={"days": 3})
    await sandbox.step("2024-10-13T18:00:00+08:00")
    [stated] = await statements(sandbox)
    assert (stated.day, stated.entries) == ("2024-10-13", [DEBITED])


async def test_a_bank_that_is_silent_or_closed(sandbox: Sandbox) -> None:
    asked = {"account": "6200-1", "since": "2024-01-01"}
    await sandbox.order("bank", "timeout_before", params={"seconds": 0}, times=1)
    assert (await sandbox.bank.get("/statements", params=asked)).status_code == 504
    assert (await sandbox.bank.get("/statements", params=asked)).status_code == 200
    await sandbox.order("bank", "closed", until="2024-10-09T00:00:00+08:00")
    assert (await sandbox.bank.get("/statements/x")).status_code == 503


async def test_an_unknown_statement_and_a_wrong_question(sandbox: Sandbox) -> None:
    answer = await sandbox.bank.get("/statements/none")
    assert (answer.status_code, answer.json()["code"]) == (404, "UNKNOWN_STATEMENT")
    answer = await sandbox.bank.get("/statements", params={"account": "6200-1", "since": "soon"})
    assert (answer.status_code, answer.json()["code"]) == (400, "MALFORMED")


@pytest.mark.parametrize("order", [{"insurances": ["medical"]}, {"people": ["x"]}])
async def test_the_bank_knows_no_persons(sandbox: Sandbox, order: dict[str, list[str]]) -> None:
    wanted = {"party": "bank", "kind": "refuse", **order}
    answer = await sandbox.control.post("/faults", json=wanted)
    assert (answer.status_code, answer.json()["code"]) == (422, "UNFITTING_FAULT")


async def test_the_webhook_is_signed_and_sent_until_it_is_taken(start: Start) -> None:
    async with receiving() as receiver:
        receiver.statuses = [500, 302]
        sandbox = await start(webhook_url=receiver.url)
        await filed(sandbox)
        await sandbox.step(STATED)
        await eventually(lambda: len(receiver.taken) == 3)
        [stated] = (
            await sandbox.bank.get(
                "/statements", params={"account": "6200-1", "since": "2024-01-01"}
            )
        ).json()["statements"]
        for headers, body in receiver.taken:
            Webhook(WEBHOOK_SECRET).verify(body, headers)
            assert json.loads(body) == {
                "type": "statement.published",
                "data": {
                    "statement_id": stated["id"],
                    "account": "6200-1",
                    "day": "2024-10-10",
                    "sha256": stated["sha256"],
                },
            }
        assert len({headers["webhook-id"] for headers, _ in receiver.taken}) == 1
