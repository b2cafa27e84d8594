"""Bank statements: refused whole with all their faults, recognised when they come again, returned
debits, suspense.
"""

import asyncio
import hashlib
from typing import Any

import pytest

from shared.contracts import ContributionPosted
from shared.values import Insurance
from tests.integration.contribution_svc.month import EMPLOYER, REMARK, Month, employee, wage
from tests.support.bank_statements import Booking, camt
from tests.support.broken_statements import BROKEN_STATEMENTS, NOT_WHOLE_STATEMENTS


async def approved(month: Month) -> int:
    """October approved for 小王 alone; the fen that the bank is to debit."""
    await month.open()
    await month.work("2024-10-08 09:00")
    answer = await month.approve()
    assert answer.status_code == 200, answer.text
    return int(answer.json()["total_fen"])


async def suspense(month: Month) -> list[Any]:
    answer = await month.get(f"/suspense?employer_id={EMPLOYER}")
    assert answer.status_code == 200, answer.text
    return list(answer.json()["items"])


async def test_a_file_with_faults_is_refused_whole_and_kept(month: Month) -> None:
    total = await approved(month)
    broken = camt("S1", [Booking(total, REMARK)], closing_fen=1, account="BANK-77")
    answer = await month.upload(broken)
    assert answer.status_code == 422
    problem = answer.json()
    assert problem["type"].endswith("statement-file-invalid")
    assert {fault["where"].split(":")[2] for fault in problem["faults"]} == {
        "Stmt/Bal",
        "Stmt/Acct/Id",
    }
    assert await month.rows("SELECT 1 FROM entries") == []
    [kept] = await month.rows("SELECT state, content, faults FROM statement_files")
    assert (kept.state, bytes(kept.content), len(kept.faults)) == ("refused", broken, 2)


async def test_every_class_of_broken_file_is_refused_whole_and_the_good_one_works(
    month: Month,
) -> None:
    """The third scenario's bank file (reliability.md 4.3): 422 with its faults, never 500."""
    await approved(month)
    good = camt("S1", [Booking(345_800, REMARK, reference="abc")])
    broken = {**BROKEN_STATEMENTS, **NOT_WHOLE_STATEMENTS}
    answered = {}
    for name, (change, said) in broken.items():
        answer = await month.upload(change(good))
        problem = answer.json()
        assert (answer.status_code, problem["type"].rpartition(":")[2]) == (
            422,
            "statement-file-invalid",
        ), name
        assert answer.headers["content-type"] == "application/problem+json"
        assert all(fault["where"].startswith("s.xml:") for fault in problem["faults"]), name
        answered[name] = said in "; ".join(
            f"{fault['value']} {fault['reason']}" for fault in problem["faults"]
        )
    assert answered == dict.fromkeys(broken, True)
    assert await month.rows("SELECT 1 FROM entries UNION ALL SELECT 1 FROM statements") == []
    kept = await month.rows("SELECT content, sha256, state, faults FROM statement_files")
    assert {file.state for file in kept} == {"refused"}
    assert len(kept) == len(broken), "each is kept as it came"
    assert all(hashlib.sha256(bytes(file.content)).hexdigest() == file.sha256 for file in kept)
    assert all(file.faults for file in kept)
    first, second = [(await month.upload(good)).json() for _ in range(2)]
    assert (first["entries"], first["recognised"]) == (1, False)
    assert (second["entries"], second["recognised"]) == (0, True)


async def test_the_same_file_works_once_its_account_is_known(month: Month) -> None:
    total = await approved(month)
    content = camt("S1", [Booking(total, REMARK)])
    await month.rows("DELETE FROM bank_accounts RETURNING 1")
    assert (await month.upload(content)).status_code == 422
    await month.rows(
        "INSERT INTO bank_accounts (account_ref, employer_id, list_at)"
        " VALUES ('BANK-1', 'employer-1', '2030-01-01') RETURNING 1"
    )
    assert (await month.upload(content)).json()["allocated"] == 1


async def test_a_second_arrival_of_the_same_file_is_recognised(month: Month) -> None:
    total = await approved(month)
    content = camt("S1", [Booking(total, REMARK)])
    assert (await month.upload(content)).json()["recognised"] is False
    again = (await month.upload(content)).json()
    assert (again["recognised"], again["statement_ids"]) == (True, [])
    assert len(await month.told(ContributionPosted)) == 1


async def test_upload_and_bank_bring_the_same_statement_once(month: Month) -> None:
    total = await approved(month)
    content = camt("stmt-1", [Booking(total, REMARK)])
    month.bank.publish("stmt-1", content)
    await asyncio.gather(month.upload(content), month.webhook(month.bank.notice("stmt-1")))
    await month.work()
    assert (await month.posted()).lines[0].debits == 1
    assert len(await month.rows("SELECT 1 FROM statements")) == 1


async def test_the_same_statement_in_another_file_is_passed_over(month: Month) -> None:
    total = await approved(month)
    content = camt("S1", [Booking(total, REMARK)])
    await month.upload(content)
    reprinted = content.replace(b"</Document>", b"<!-- printed again --></Document>")
    assert (await month.upload(reprinted)).json()["statement_ids"] == []
    assert (await month.posted()).lines[0].debits == 1


async def test_the_same_id_with_other_content_is_refused(month: Month) -> None:
    total = await approved(month)
    await month.debit(Booking(total, REMARK))
    answer = await month.upload(camt("S1", [Booking(total + 1, REMARK)]))
    assert answer.status_code == 422
    assert "other content" in answer.json()["faults"][0]["reason"]


async def test_one_key_one_effect(month: Month) -> None:
    total = await approved(month)
    content = camt("S1", [Booking(total, REMARK)])
    first, second = [await month.upload(content, key="key-a") for _ in range(2)]
    assert first.json() == second.json()
    other = await month.upload(camt("S2", [Booking(total, REMARK)]), key="key-a")
    assert other.status_code == 422
    assert other.json()["type"].endswith("idempotency-key-reused")


async def test_a_second_sum_is_debit_number_two(month: Month) -> None:
    total = await approved(month)
    bookings = [Booking(total, REMARK, voucher="V1"), Booking(total, REMARK, voucher="V2")]
    await month.debit(*bookings)
    assert {line.debits for line in (await month.posted()).lines} == {2}


async def test_another_sum_waits_in_suspense(month: Month) -> None:
    total = await approved(month)
    await month.debit(Booking(total + 1, REMARK))
    [held] = await suspense(month)
    assert (held["amount_fen"], held["reason"]) == (total + 1, "amount_differs")
    assert await month.told(ContributionPosted) == []


@pytest.mark.parametrize(
    ("remark", "reason"),
    [
        pytest.param("社保费 9901000009 202410", "account_unknown", id="another account"),
        pytest.param("社保费 9901000001 202407", "declaration_unknown", id="another month"),
        pytest.param("工资 202410", "unidentified", id="not ours"),
        pytest.param(f"{REMARK} 医疗险 no-nobody", "employee_unknown", id="nobody of that number"),
    ],
)
async def test_what_cannot_be_identified_waits(month: Month, remark: str, reason: str) -> None:
    total = await approved(month)
    await month.debit(Booking(total, remark))
    assert [held["reason"] for held in await suspense(month)] == [reason]


async def test_a_debit_before_the_approval_waits_for_it(month: Month) -> None:
    await month.open()
    await month.work("2024-10-08 09:00")
    total = (await month.declaration())["total_fen"]
    await month.debit(Booking(total, REMARK))
    assert [held["reason"] for held in await suspense(month)] == ["declaration_not_approved"]
    await month.approve()
    assert await suspense(month) == []
    assert (await month.posted()).lines[0].debit_state == "posted"


async def test_the_end_to_end_id_alone_identifies_a_declaration(month: Month) -> None:
    total = await approved(month)
    reference = (await month.declaration())["declaration_id"].replace("-", "")
    await month.debit(Booking(total, "税务扣款", reference=reference))
    assert (await month.posted()).lines[0].debits == 1


async def test_one_insurance_and_a_single_line_are_posted_apart(month: Month) -> None:
    await month.open(employee("second"))
    await month.hear(*[wage("second", f"2023-{m:02d}", 600_000) for m in range(1, 13)])
    await month.work("2024-10-08 09:00")
    sums = (await month.approve()).json()["sums"]
    pension = sum(sums["pension"].values())
    await month.debit(
        Booking(pension, f"{REMARK} 养老险", voucher="V1"),
        Booking(95_000, REMARK, voucher="V2"),
        Booking(12_345, f"{REMARK} 住房公积金 no-second", voucher="V3"),
    )
    lines = {x.insurance: x for x in (await month.posted()).lines}
    assert {insurance: line.voucher for insurance, line in lines.items()} == {
        "pension": "V1",
        "medical": "V2",
    }
    second = {x.insurance: x for x in (await month.posted("second")).lines}
    assert second[Insurance.HOUSING_FUND].employer_fen == 12_345, (
        "nobody assessed it: posted as such"
    )


async def test_a_refused_debit_is_told_with_its_reason(month: Month) -> None:
    total = await approved(month)
    await month.debit(Booking(total, REMARK, status="INFO", return_code="AM04"))
    line = (await month.posted()).lines[0]
    assert (line.debit_state, line.reason, line.debits, line.record_by) == (
        "refused",
        "AM04",
        0,
        "",
    )


async def test_a_debit_taken_back_days_later_is_reversed_then_late(month: Month) -> None:
    total = await approved(month)
    await month.debit(Booking(total, REMARK))
    back = Booking(
        total, REMARK, voucher="V2", direction="CRDT", is_reversal=True, return_code="AC04"
    )
    await month.debit(back, bank_id="S2", day="2024-10-14", opening_fen=100_000_000 - total)
    line = (await month.posted()).lines[0]
    assert (line.debit_state, line.reason) == ("reversed", "AC04")
    again = Booking(total, REMARK, voucher="V3")
    await month.debit(again, bank_id="S3", day="2024-10-17", number=4)
    late = (await month.posted()).lines[0]
    assert (late.debit_state, late.debited_on, late.record_by) == (
        "posted",
        "2024-10-17",
        "2024-10-24",
    )
    assert late.late_fee_fen == 228, "two days of 0.05 % on 2,280.00"
    listed = (await month.get(f"/statements?employer_id={EMPLOYER}")).json()["items"]
    assert [one["gap_before"] for one in listed] == [False, False, True]


async def test_pending_entries_and_credits_have_no_effect(month: Month) -> None:
    total = await approved(month)
    await month.debit(
        Booking(total, REMARK, status="PDNG"),
        Booking(500_000, "销售回款", voucher="V2", direction="CRDT"),
    )
    assert await month.told(ContributionPosted) == []
    assert await suspense(month) == []


async def test_a_statement_that_the_bank_cannot_give_does_not_hold_up_the_next(
    month: Month,
) -> None:
    total = await approved(month)
    month.bank.publish("gone", camt("gone", []))
    notice = month.bank.notice("gone")
    del month.bank.published["gone"]
    await month.webhook(notice, "msg_gone")
    month.bank.publish("stmt-1", camt("stmt-1", [Booking(total, REMARK)]))
    await month.webhook(month.bank.notice("stmt-1"), "msg_2")
    await month.work()
    assert (await month.posted()).lines[0].debits == 1


async def test_a_file_from_the_bank_with_faults_is_kept_and_not_asked_for_again(
    month: Month,
) -> None:
    await approved(month)
    month.bank.publish("bad", camt("bad", [Booking(1, REMARK)], closing_fen=5))
    await month.webhook(month.bank.notice("bad"))
    await month.work()
    await month.work("2024-10-11 19:00")
    assert month.bank.asked.count("bad") == 1
    [row] = await month.rows("SELECT state FROM offered_statements")
    assert row.state == "refused"


@pytest.mark.parametrize("spoil", ["signature", "time", "body", "missing"])
async def test_a_webhook_that_is_not_the_banks_is_refused(month: Month, spoil: str) -> None:
    month.bank.publish("stmt-1", camt("stmt-1", []))
    good = (await month.webhook(month.bank.notice("stmt-1"))).request
    headers = {k: v for k, v in good.headers.items() if k.startswith("webhook-")}
    raw = good.content
    if spoil == "signature":
        headers["webhook-signature"] = "v1,AAAA"
    if spoil == "time":
        headers["webhook-timestamp"] = str(int(headers["webhook-timestamp"]) - 600)
    if spoil == "body":
        raw = raw + b" "
    if spoil == "missing":
        del headers["webhook-signature"]
    answer = await month.http.post("/webhooks/bank", headers=headers, content=raw)
    assert answer.status_code == (422 if spoil == "missing" else 401), answer.text


async def test_a_webhook_of_another_type_is_kept_and_does_nothing(month: Month) -> None:
    assert (await month.webhook({"type": "account.closed"})).status_code == 204
    assert await month.rows("SELECT 1 FROM offered_statements") == []
    assert len(await month.rows("SELECT 1 FROM bank_webhooks")) == 1
