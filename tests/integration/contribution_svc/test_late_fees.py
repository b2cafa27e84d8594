"""滞纳金 follows what the bank really debited: asked about beforehand, and as it was posted."""

from typing import Any

from tests.integration.contribution_svc.hefei_months import At, approve, declare, supplementary
from tests.integration.contribution_svc.month import REMARK, Month, employee, facts_of, wage
from tests.support.bank_statements import Booking
from tests.support.invariants.rules.journals import posted_not_as_debited


async def approved(month: Month) -> int:
    """October approved for 小王, due by the 15th: pension 2,280.00, medical 950.00, unemployment
    95.00, work injury 38.00, maternity 76.00. Its fen.
    """
    await month.open()
    await month.work("2024-10-08 09:00")
    total: int = (await month.approve()).json()["total_fen"]
    assert total == 343_900
    return total


async def fee_on(month: Month, day: str) -> dict[str, Any]:
    """What paying October's rest on this day would cost."""
    declaration_id = (await month.declaration())["declaration_id"]
    answer = await month.get(f"/late-fees?declaration_id={declaration_id}&paid_on={day}")
    assert answer.status_code == 200, answer.text
    [group] = answer.json()["groups"]
    assert group["late_fee_fen"] == answer.json()["late_fee_fen"]
    found: dict[str, Any] = group
    return found


async def test_what_was_debited_of_an_insurance_is_late_no_more(month: Month) -> None:
    """Pension in time, medical five days late, the rest asked about on the fifteenth day: 0.05 % of
    1,159.00 for five days and of 209.00 for ten.
    """
    await approved(month)
    await month.debit(Booking(228_000, f"{REMARK} 养老险"))
    facts = {"opening_fen": 100_000_000 - 228_000, "number": 2}
    await month.debit(Booking(95_000, f"{REMARK} 医疗险"), bank_id="S2", day="2024-10-20", **facts)
    fee = await fee_on(month, "2024-10-30")
    assert (fee["arrears_fen"], fee["debited_fen"], fee["days"]) == (20_900, 323_000, 15)
    assert fee["late_fee_fen"] == 394, "2.8975 + 1.045 yuan"
    assert fee["explanation"] == (
        "欠缴3,439.00元，应于2024-10-15前缴纳，2024-10-10已扣2,280.00元，2024-10-20已扣950.00元，"
        "其余2024-10-30缴纳，滞纳金1,159.00元×5天×0.05 %＋209.00元×10天×0.05 %=3.94元，"
        "全部由单位承担"
    )
    before = await fee_on(month, "2024-10-18")
    assert (before["arrears_fen"], before["debited_fen"]) == (115_900, 228_000)
    assert before["late_fee_fen"] == 174, "three days of 1,159.00, medical among it"


async def test_of_one_person_a_line_is_debited_and_the_others_stay_late(month: Month) -> None:
    """Two people with 950.00 and 1,000.00 of medical: the second one's was debited five days late,
    theirs alone: 0.05 % of 7,059.00 for five days and of 6,059.00 for five more.
    """
    await month.open(employee("second"))
    await month.hear(*[wage("second", f"2023-{m:02d}", 1_000_000) for m in range(1, 13)])
    await month.work("2024-10-08 09:00")
    total = (await month.approve()).json()["total_fen"]
    await month.debit(Booking(100_000, f"{REMARK} 医疗险 no-second"), day="2024-10-20")
    fee = await fee_on(month, "2024-10-25")
    assert (fee["arrears_fen"], fee["debited_fen"]) == (total - 100_000, 100_000)
    assert total == 343_900 + 362_000
    assert fee["late_fee_fen"] == 3_280, "5 x 3.5295 + 5 x 3.0295 yuan"


async def test_a_debit_that_came_back_stops_no_late_fee(month: Month) -> None:
    total = await approved(month)
    await month.debit(Booking(total, REMARK))
    assert (await fee_on(month, "2024-10-25"))["late_fee_fen"] == 0
    back = Booking(total, REMARK, direction="CRDT", is_reversal=True, return_code="AC04")
    await month.debit(back, bank_id="S2", day="2024-10-18", opening_fen=100_000_000 - total)
    fee = await fee_on(month, "2024-10-25")
    assert (fee["arrears_fen"], fee["debited_fen"]) == (total, 0)
    assert fee["late_fee_fen"] == 1_720, "ten days of 3,439.00: 17.195 yuan"


async def test_a_second_debit_makes_the_late_fee_no_larger(month: Month) -> None:
    """Arrears are what was due: what the bank took twice was not owed twice."""
    total = await approved(month)
    twice = [Booking(total, REMARK, voucher=one) for one in ("V1", "V2")]
    await month.debit(*twice, day="2024-10-17")
    posted = await month.posted()
    fees = [(line.debits, line.late_fee_fen) for line in posted.lines]
    assert fees == [(2, 228), (2, 95), (2, 10), (2, 4), (2, 8)], "two days of each line"
    fee = await fee_on(month, "2024-10-30")
    assert (fee["arrears_fen"], fee["debited_fen"], fee["days"]) == (0, total, 2)
    assert fee["late_fee_fen"] == 344


async def test_a_debit_after_a_refusal_pays_and_is_late_by_its_own_day(month: Month) -> None:
    """The bank refused it, which moved nothing; a week later it took the sum after all."""
    total = await approved(month)
    await month.debit(Booking(total, REMARK, status="INFO", return_code="AM04"))
    assert {line.debit_state for line in (await month.posted()).lines} == {"refused"}
    await month.debit(Booking(total, REMARK), bank_id="S2", day="2024-10-17", number=2)
    lines = (await month.posted()).lines
    assert {(x.debit_state, x.debits, x.debited_on, x.reason) for x in lines} == {
        ("posted", 1, "2024-10-17", "")
    }
    assert [line.late_fee_fen for line in lines] == [228, 95, 10, 4, 8]
    assert list(posted_not_as_debited(await facts_of(month))) == []


async def test_a_second_debit_given_back_leaves_the_one_that_was_in_time(month: Month) -> None:
    total = await approved(month)
    await month.debit(Booking(total, REMARK))
    again, facts = Booking(total, REMARK), {"opening_fen": 100_000_000 - total, "number": 2}
    await month.debit(again, bank_id="S2", day="2024-10-17", **facts)
    back = Booking(total, REMARK, direction="CRDT", is_reversal=True)
    facts = {"opening_fen": 100_000_000 - 2 * total, "number": 3}
    await month.debit(back, bank_id="S3", day="2024-10-21", **facts)
    lines = (await month.posted()).lines
    assert {(x.debits, x.debited_on, x.late_fee_fen) for x in lines} == {(1, "2024-10-10", 0)}
    assert list(posted_not_as_debited(await facts_of(month))) == []


async def test_what_a_late_notice_makes_due_is_late_after_the_next_day_of_filing(hefei: At) -> None:
    """Of the draft as of what is approved: 10.32 by 15 September, though August was due before."""
    async with hefei("2025-12-20 09:00") as month:
        await declare(month, "2026-08")
    async with hefei("2026-09-08 09:00") as month:
        month.keys = 100
        await month.work()
        [draft] = await supplementary(month)
        path = f"/late-fees?declaration_id={draft['declaration_id']}&paid_on="
        asked = [(await month.get(f"{path}2026-09-{day}")).json() for day in (15, 16)]
        assert [one["late_fee_fen"] for one in asked] == [0, 1]
        assert [one["groups"][0]["due_on"] for one in asked] == ["2026-09-15"] * 2
        await approve(month, draft)
        assert (await month.get(f"{path}2026-09-16")).json() == asked[1]
