"""缓缴 by a second person, and what is assessed of an account that did not file."""

import asyncio
from typing import Any

from contribution_svc.domain.declaration import lines_hash
from shared.contracts import (
    ContributionAssessed,
    ContributionPosted,
    DeadlineAtRisk,
    DeclarationApproved,
    DeferralChanged,
)
from shared.values import Insurance
from tests.integration.contribution_svc.month import (
    ACCOUNT,
    ACCOUNT_NO,
    EMPLOYER,
    OTHER_EMPLOYER,
    PERIOD,
    REMARK,
    WANG,
    Month,
    employee,
    employer,
    facts_of,
    last_year,
)
from tests.support.bank_statements import Booking
from tests.support.invariants.rules.journals import posted_not_as_debited


def deferral(**changes: Any) -> dict[str, Any]:
    return {
        "account_id": ACCOUNT,
        "insurances": [one.value for one in Insurance if one is not Insurance.HOUSING_FUND],
        "first_period": PERIOD,
        "last_period": PERIOD,
        "until": "2024-12-31",
        "ground": "force_majeure",
        "document_no": "税缓〔2024〕12号",
        "granted_by": "示例甲市税务局",
        **changes,
    }


async def test_a_deferral_of_a_second_person_stills_alarm_and_late_fee(month: Month) -> None:
    await month.open()
    made = await month.post("/deferrals", json=deferral())
    assert made.status_code == 201, made.text
    path = f"/deferrals/{made.json()['deferral_id']}/approve"
    assert (await month.post(path)).json()["type"].endswith("second-person-needed")
    other = month.issuer.headers("hr-zhao", ["hr"], employer_ids=[EMPLOYER])
    approved = await month.post(path, other)
    assert (approved.json()["state"], approved.json()["approved_by"]) == ("approved", "hr-zhao")
    assert (await month.post(path, other)).json()["type"].endswith("deferral-approved-already")
    await month.work("2024-10-09 09:00")
    assert await month.told(DeadlineAtRisk) == []
    total = (await month.approve()).json()["total_fen"]
    await month.debit(Booking(total, REMARK), day="2024-12-30")
    assert {line.late_fee_fen for line in (await month.posted()).lines} == {0}
    assert {line.due_on for line in (await month.posted()).lines} == {"2024-12-31"}


async def test_a_late_fee_that_was_posted_falls_when_a_deferral_comes(month: Month) -> None:
    await month.open()
    await month.work("2024-10-08 09:00")
    total = (await month.approve()).json()["total_fen"]
    await month.debit(Booking(total, REMARK), day="2024-10-17")
    assert sum(line.late_fee_fen for line in (await month.posted()).lines) > 0
    made = (await month.post("/deferrals", json=deferral())).json()
    other = month.issuer.headers("hr-zhao", ["hr"], employer_ids=[EMPLOYER])
    await month.post(f"/deferrals/{made['deferral_id']}/approve", other)
    assert sum(line.late_fee_fen for line in (await month.posted()).lines) == 0


async def granted(month: Month, **changes: Any) -> None:
    """A deferral that is recorded and approved, and everything that follows at once."""
    made = (await month.post("/deferrals", json=deferral(**changes))).json()
    other = month.issuer.headers("hr-zhao", ["hr"], employer_ids=[EMPLOYER])
    answer = await month.post(f"/deferrals/{made['deferral_id']}/approve", other)
    assert answer.status_code == 200, answer.text
    await month.work()


def days(told: ContributionAssessed) -> dict[str, str]:
    return {str(line.insurance): line.debit_by for line in told.lines if line.debit_by}


async def test_a_deferral_moves_the_day_of_debiting_what_it_covers(month: Month) -> None:
    """Of a month that is open, of one that opens later, and of nothing else."""
    await month.open()
    before = await month.assessed()
    await granted(month, insurances=["pension"], last_period="2024-11")
    after = await month.assessed()
    assert (after.version, days(after)) == (before.version + 1, {"pension": "2024-12-31"})
    assert (after.debit_by, after.lines[0].declared_version) == (before.debit_by, 0)
    approved = (await month.approve()).json()
    assert approved["debit_by"] == "2024-10-10", "the rest is debited on its day"
    await month.work("2024-10-25 09:00")
    november = await month.assessed()
    assert (november.levy_period, days(november)) == ("2024-11", {"pension": "2024-12-31"})
    await month.work("2024-11-25 09:00")
    assert days(await month.assessed()) == {}


async def test_a_declared_month_keeps_what_it_declared_and_gets_the_later_day(
    month: Month,
) -> None:
    await month.open()
    await month.work("2024-10-08 09:00")
    declared = await month.assessed()
    await month.approve()
    await granted(month)
    told = await month.assessed()
    assert (told.version, set(days(told).values())) == (declared.version + 1, {"2024-12-31"})
    assert {line.declared_version for line in told.lines} == {declared.version}
    [approval] = await month.told(DeclarationApproved)
    assert approval.lines_hash == lines_hash([(WANG, declared.version)])
    await month.work("2024-10-09 09:00")
    assert (await month.assessed()).version == told.version, "told once"


async def test_what_is_deferred_as_a_whole_is_debited_by_its_own_day(month: Month) -> None:
    await month.open()
    await granted(month)
    assert (await month.approve()).json()["debit_by"] == "2024-12-31"
    [approval] = await month.told(DeclarationApproved)
    assert approval.debit_on == "2024-12-31"


async def test_a_grant_is_recorded_once_and_a_document_may_grant_several(month: Month) -> None:
    """Also at the same moment: two people who enter one letter."""
    await month.hear(employer())
    answers = [await month.post("/deferrals", json=deferral()) for _ in range(2)]
    assert [one.status_code for one in answers] == [201, 409]
    assert answers[1].json()["type"].endswith("deferral-recorded-already")
    fund = await month.post("/deferrals", json=deferral(insurances=["housing_fund"]))
    assert fund.status_code == 201, fund.text
    other = month.issuer.headers("hr-zhao", ["hr"], employer_ids=[EMPLOYER])
    longer = deferral(until="2025-01-31")
    both = await asyncio.gather(
        month.post("/deferrals", json=longer), month.post("/deferrals", other, json=longer)
    )
    assert sorted(one.status_code for one in both) == [201, 409]
    listed = (await month.get(f"/deferrals?employer_id={EMPLOYER}")).json()["items"]
    assert len(listed) == 3


async def test_a_deferral_that_is_refused_has_no_effect_and_may_be_recorded_again(
    month: Month,
) -> None:
    await month.open()
    other = month.issuer.headers("hr-zhao", ["hr"], employer_ids=[EMPLOYER])
    made = (await month.post("/deferrals", json=deferral())).json()
    path = f"/deferrals/{made['deferral_id']}"
    for bad in ({}, {"reason": " "}, {"reason": "a\u202eb"}, {"reason": "x", "state": "approved"}):
        assert (await month.post(f"{path}/refuse", json=bad)).status_code == 422
    no = {"reason": "文件号与原件不符"}
    strangers = month.hr(OTHER_EMPLOYER)
    assert (await month.post(f"{path}/refuse", strangers, json=no)).status_code == 404
    refused = (await month.post(f"{path}/refuse", other, json=no)).json()
    assert (refused["state"], refused["refused_by"], refused["reason"]) == (
        "refused",
        "hr-zhao",
        no["reason"],
    )
    for answer in ("approve", "refuse"):
        late = await month.post(f"{path}/{answer}", other, json=no)
        assert late.json()["type"].endswith("deferral-refused-already")
    await month.work()
    assert days(await month.assessed()) == {}
    again = await month.post("/deferrals", json=deferral())
    assert (again.status_code, again.json()["state"]) == (201, "proposed")
    assert (await month.post("/deferrals", json=deferral())).status_code == 409
    path = f"/deferrals/{again.json()['deferral_id']}"
    assert (await month.post(f"{path}/approve", other)).json()["state"] == "approved"
    late = await month.post(f"{path}/refuse", other, json=no)
    assert late.json()["type"].endswith("deferral-approved-already")
    told = [(one.version, one.state, one.reason) for one in await month.told(DeferralChanged)]
    assert told == [
        (1, "proposed", ""),
        (2, "refused", no["reason"]),
        (1, "proposed", ""),
        (2, "approved", ""),
    ]


BAD: list[tuple[dict[str, Any], int]] = [
    ({"until": "2024-13-01"}, 422),
    ({"last_period": "2024-09"}, 422),
    ({"until": "2024-09-30"}, 422),
    ({"insurances": []}, 422),
    ({"document_no": "a\u202eb"}, 422),
    ({"document_no": "a\x00b"}, 422),
    ({"document_no": " \u3000"}, 422),
    ({"granted_by": "\t"}, 422),
    ({"until": 20241231}, 422),
    ({"until": 1735603200}, 422),
    ({"until": "2024-02-30"}, 422),
    ({"until": 1.5}, 422),
    ({"state": "approved"}, 422),
    ({"account_id": "nobody"}, 404),
]


async def test_a_deferral_that_cannot_be_is_refused(month: Month) -> None:
    await month.hear(employer())
    for changes, status in BAD:
        answer = await month.post("/deferrals", json=deferral(**changes))
        assert answer.status_code == status, (changes, answer.text)
    others = month.hr(OTHER_EMPLOYER)
    assert (await month.post("/deferrals", others, json=deferral())).status_code == 404
    assert (await month.get(f"/deferrals?employer_id={EMPLOYER}")).json()["items"] == []


async def missed_november(month: Month, wage_fen: int) -> tuple[int, str]:
    """October paid, November not filed by its day, with a second employee; what October came to,
    and the November declaration's id.
    """
    await month.open()
    await month.work("2024-10-08 09:00")
    total: int = (await month.approve()).json()["total_fen"]
    await month.hear(*last_year("second"))
    await month.hear(employee("second", since="2024-11-01", first_month_wage_fen=wage_fen))
    await month.work("2024-11-15 23:59")
    assert await provisional(month) == []
    await month.work("2024-11-16 00:00")
    listing = f"/declarations?employer_id={EMPLOYER}&levy_period=2024-11"
    [draft] = (await month.get(listing)).json()["items"]
    return total, draft["declaration_id"]


async def provisional(month: Month) -> list[Any]:
    answer = await month.get(f"/provisional-assessments?employer_id={EMPLOYER}")
    found: list[Any] = answer.json()["items"]
    return found


async def test_what_is_not_filed_by_its_day_is_assessed_and_settled_by_the_late_filing(
    month: Month,
) -> None:
    total, declaration_id = await missed_november(month, 950_000)
    [found] = await provisional(month)
    assert (found["levy_period"], found["assessed_fen"]) == ("2024-11", total * 11 // 10)
    late = await month.post(f"/declarations/{declaration_id}/approve")
    [settled] = await provisional(month)
    assert settled["settled_fen"] == late.json()["total_fen"] - total * 11 // 10
    assert "少补" in settled["settlement"]


async def test_a_second_month_that_is_not_filed_goes_by_what_was_paid_for_the_first(
    month: Month,
) -> None:
    """November was debited at 110 % of October: that is what the account paid last."""
    total, _ = await missed_november(month, 950_000)
    paid = total * 11 // 10
    await month.debit(Booking(paid, f"社保费 {ACCOUNT_NO} 202411"), day="2024-11-20")
    refusal = Booking(paid, f"社保费 {ACCOUNT_NO} 202411", status="INFO", return_code="AM04")
    facts = {"day": "2024-11-21", "opening_fen": 100_000_000 - paid, "number": 2}
    await month.debit(refusal, bank_id="S2", **facts)
    await month.work("2024-12-17 00:00")
    found = {one["levy_period"]: one for one in await provisional(month)}
    assert found["2024-11"]["paid_fen"] == paid
    assert found["2024-12"]["assessed_fen"] == (paid * 110 + 50) // 100


async def test_what_is_deferred_as_a_whole_is_not_assessed_before_its_own_day(
    month: Month,
) -> None:
    await month.open()
    await month.work("2024-10-08 09:00")
    await month.approve()
    await granted(month, first_period="2024-11", last_period="2024-11", until="2024-12-27")
    await month.work("2024-11-25 00:00")
    assert await provisional(month) == []
    await month.work("2024-12-28 00:00")
    found = [one["levy_period"] for one in await provisional(month)]
    assert sorted(found) == ["2024-11", "2024-12"], "December was not deferred"


async def test_the_debit_of_what_was_assessed_pays_the_late_filing_once_it_is_settled(
    month: Month,
) -> None:
    """Debited at 110 % while nothing is filed, filed late, and the rest debited after that."""
    total, declaration_id = await missed_november(month, 950_000)
    assessed, remark = total * 11 // 10, f"社保费 {ACCOUNT_NO} 202411"
    await month.debit(Booking(assessed, remark), day="2024-11-20")
    [found] = await provisional(month)
    assert found["paid_fen"] == assessed
    assert (await month.get(f"/suspense?employer_id={EMPLOYER}")).json()["items"] == []
    asked = f"/late-fees?declaration_id={declaration_id}&paid_on=2024-11-25"
    fee = (await month.get(asked)).json()
    late = await month.post(f"/declarations/{declaration_id}/approve")
    assert await month.told(ContributionPosted) == [], "a part of it pays no line"
    assert (await month.get(asked)).json() == fee, "of the draft as of what was declared"
    rest = late.json()["total_fen"] - assessed
    [group] = fee["groups"]
    assert (group["arrears_fen"], group["debited_fen"]) == (rest, assessed)
    assert fee["late_fee_fen"] == (assessed * 5 * 500 + rest * 10 * 500 + 500_000) // 1_000_000
    opening_fen = 100_000_000 - assessed
    facts = {"day": "2024-11-25", "opening_fen": opening_fen, "number": 2}
    await month.debit(Booking(rest, remark), bank_id="S2", **facts)
    for who in (WANG, "second"):
        posted = await month.posted(who)
        assert {(line.debit_state, line.debits) for line in posted.lines} == {("posted", 1)}
        assert {line.debited_on for line in posted.lines} == {"2024-11-25"}
        # Five days of what was taken on the 20th, ten of what was left until the 25th.
        for line in posted.lines:
            line_fen = line.employer_fen + line.employee_fen
            first = line_fen * assessed // (assessed + rest)
            fee = first * 5 * 500 + (line_fen - first) * 10 * 500
            assert line.late_fee_fen == (fee + 500_000) // 1_000_000
    assert list(posted_not_as_debited(await facts_of(month))) == []
