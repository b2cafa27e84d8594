"""Declared months, a late notice, its differences, and the supplementary declarations that carry
them.
"""

from typing import Any

from bureau_sync_svc.domain.filing import filing_serial
from contribution_svc.domain.declaration import lines_hash
from shared.contracts import (
    ContributionAssessed,
    DeclarationApproved,
    Event,
    PolicyChanged,
)
from tests.integration.contribution_svc.hefei_months import (
    At,
    approve,
    arrears,
    at_the_floor,
    declare,
    hefei_employer,
    insured,
    supplementary,
)
from tests.integration.contribution_svc.month import (
    ACCOUNT,
    WANG,
    Month,
    facts_of,
    wage,
)
from tests.support.bank_statements import Booking
from tests.support.hefei import LATE_NOTICE
from tests.support.invariants.rules.fen import declaration_does_not_add_up
from tests.support.invariants.rules.journals import posted_not_as_debited

MONTHS = [f"2026-{month:02d}" for month in range(1, 9)]
LATE = "laozhang"


async def explained(month: Month, employee_id: str, period: str) -> Any:
    """The employee's pension on the payslip of a month."""
    path = f"/explanations/contribution?employee_id={employee_id}&levy_period={period}"
    answer = await month.get(f"{path}&insurance=pension&side=employee")
    assert answer.status_code == 200, answer.text
    return answer.json()


async def pay_the_difference(month: Month, declaration: Any) -> None:
    """A day late, in a debit of its own."""
    await month.debit(
        Booking(1_032, "", reference=filing_serial(declaration["declaration_id"], 1)),
        bank_id="S2",
        day="2026-09-16",
        opening_fen=100_000_000 - 103_464,
        number=2,
    )
    first, second = (await month.posted()).lines
    assert (first.employer_fen, first.kind, first.declaration_id) == (68_976, "regular", "")
    assert (second.employer_fen, second.kind) == (688, "difference")
    assert (second.due_on, second.late_fee_fen, second.debits) == ("2026-09-15", 1, 1)
    facts = await facts_of(month)
    for law in (declaration_does_not_add_up, posted_not_as_debited):
        assert list(law(facts)) == []


async def test_a_late_notice_makes_difference_lines_that_are_declared_and_paid(hefei: At) -> None:
    async with hefei("2025-12-20 09:00") as month:
        await declare(month, *MONTHS)
        await month.debit(Booking(103_464, "社保费 3401000001 202601"), day="2026-01-12")
    async with hefei("2026-09-08 09:00") as month:
        month.keys = 100  # the first process used the keys before it
        await month.work()
        assert {
            e.version for e in await month.told(ContributionAssessed) if e.levy_period in MONTHS
        } == {1}
        found = await arrears(month, WANG)
        assert [one["levy_period"] for one in found["lines"]] == MONTHS
        assert {(x["employee_fen"], x["employer_fen"], x["base_fen"]) for x in found["lines"]} == {
            (344, 688, 4_300)
        }
        assert found["owed_fen"] == 2_752 + 5_504
        assert LATE_NOTICE in found["lines"][0]["reason"]
        drafts = await supplementary(month)
        assert [(one["levy_period"], one["number"], one["total_fen"]) for one in drafts] == [
            (period, 1, 1_032) for period in MONTHS
        ]

        path = f"/supplementary-declarations/{drafts[0]['declaration_id']}/approve"
        late = await month.post(path, json={"withhold_in": "2026-07"})
        assert late.json()["type"].endswith("withhold-month-passed")
        january = await approve(month, drafts[0])
        assert (january["state"], january["due_on"]) == ("approved", "2026-09-15")
        told = await month.assessed()
        regular, difference = told.lines
        assert (told.version, told.levy_period) == (2, "2026-01")
        assert (regular.base_fen, regular.kind, regular.declared_version) == (431_100, "regular", 1)
        assert (difference.withhold_in, difference.declared_version) == ("2026-09", 2)
        assert (difference.kind, difference.employee_fen) == ("difference", 344)
        [approval] = [e for e in await month.told(DeclarationApproved) if e.number]
        assert approval.declaration_id == difference.declaration_id == january["declaration_id"]
        assert approval.lines_hash == lines_hash([(WANG, 2)])
        assert (approval.total_fen, approval.debit_on) == (1_032, "2026-09-10")
        assert (await arrears(month, WANG))["owed_fen"] == 7 * 1_032
        payslip = await explained(month, WANG, "2026-09")
        assert (payslip["amount_fen"], payslip["payslip_fen"]) == (34_832, 34_832 + 344)
        assert [(x["levy_period"], x["amount_fen"]) for x in payslip["withheld"]] == [
            ("2026-01", 344)
        ]
        assert payslip["sentence"].endswith("，预计工资条个人合计351.76元，以工资条为准。")
        assert (await explained(month, WANG, "2026-01"))["amount_fen"] == 34_488

        await pay_the_difference(month, january)


async def test_whoever_was_forgotten_is_declared_late_and_pays_back_with_a_fee(hefei: At) -> None:
    async with hefei("2025-12-20 09:00") as month:
        await declare(month, "2026-08")
        await month.hear(insured(LATE, "2026-08-01"))
        await month.work("2026-08-31 08:00")
        body = {"account_id": ACCOUNT, "levy_period": "2026-08"}
        empty = (await month.post("/supplementary-declarations", json=body)).json()
        left_out = [{"employee_id": LATE, "reasons": ["first_wage_unknown"]}]
        assert (empty["people"], empty["blocked"]) == (0, left_out)
        path = f"/supplementary-declarations/{empty['declaration_id']}/approve"
        refused = (await month.post(path, json={})).json()
        assert f"{LATE} is left out: first_wage_unknown" in refused["detail"]
        await month.hear(wage(LATE, "2026-08", 500_000, purpose="run"))
        await month.work("2026-08-31 09:00")
        opened = (await month.post("/supplementary-declarations", json=body)).json()
        assert (opened["people"], opened["total_fen"], opened["blocked"]) == (1, 120_000, [])
        assert opened["warnings"] == [
            "合肥市能补缴几个月前的费款未知，请先向征收机构核实2026-08能否补缴"
        ]
        again = (await month.post("/supplementary-declarations", json=body)).json()
        assert again["declaration_id"] == opened["declaration_id"]
        [owed] = (await arrears(month, LATE))["lines"]
        assert (owed["kind"], owed["due_on"], owed["state"]) == (
            "back_payment",
            "2026-08-17",
            "proposed",
        )
        path = f"/late-fees?declaration_id={opened['declaration_id']}&paid_on=2026-09-06"
        fee = (await month.get(path)).json()
        assert fee["late_fee_fen"] == 1_200
        assert fee["groups"][0]["explanation"].endswith(
            "滞纳金1,200.00元×20天×0.05 %=12.00元，全部由单位承担"
        )
        await approve(month, opened)
        told = await month.assessed(LATE)
        assert [(x.kind, x.employer_fen, x.declared_version) for x in told.lines] == [
            ("back_payment", 80_000, told.version)
        ]
        assert told.debit_by == "2026-09-10"
        late = await explained(month, LATE, "2026-08")
        assert (late["base_fen"], late["payslip_fen"]) == (500_000, 40_000)
        assert late["sentence"].endswith("个人应缴400.00元。")
        debit = Booking(120_000, "社保费 3401000001 202608")
        await month.debit(debit, day="2026-09-10")
        [paid] = (await month.posted(LATE)).lines
        assert (paid.kind, paid.due_on, paid.late_fee_fen) == ("back_payment", "2026-08-17", 1_440)
        assert (await arrears(month, LATE))["owed_fen"] == 0
        refused = await month.post(
            "/supplementary-declarations", json={**body, "levy_period": "2026-12"}
        )
        assert refused.status_code == 404


async def test_a_back_payment_is_withheld_by_the_payroll_that_hr_names(hefei: At) -> None:
    """The month's own payroll was paid before anybody knew of them."""
    async with hefei("2025-12-20 09:00") as month:
        await declare(month, "2026-08")
        await month.hear(insured(LATE, "2026-08-01"))
        await month.hear(wage(LATE, "2026-08", 500_000, purpose="run"))
        await month.work("2026-08-31 09:00")
        body = {"account_id": ACCOUNT, "levy_period": "2026-08"}
        opened = (await month.post("/supplementary-declarations", json=body)).json()
        await approve(month, opened, withhold_in="2026-09")
        [line] = (await month.assessed(LATE)).lines
        assert (line.kind, line.withhold_in) == ("back_payment", "2026-09")
        await month.work("2026-09-01 09:00")
        own = await explained(month, LATE, "2026-08")
        assert (own["amount_fen"], own["payslip_fen"]) == (40_000, 0)
        assert own["sentence"].endswith("个人应缴400.00元；在2026-09的工资中代扣。")
        later = await explained(month, LATE, "2026-09")
        assert (later["amount_fen"], later["payslip_fen"]) == (40_000, 80_000)
        assert [(x["levy_period"], x["amount_fen"]) for x in later["withheld"]] == [
            ("2026-08", 40_000)
        ]


async def hear_payroll(month: Month, since: str) -> None:
    """What the service listens to, from the beginning."""
    await month.hear(hefei_employer(since))
    await month.hear(insured(WANG), insured(LATE, "2026-08-01"))
    await month.hear(*at_the_floor(WANG), wage(LATE, "2026-08", 500_000, purpose="run"))


def corrected() -> list[Any]:
    """小王's wages of last year as they were after all: 6,000.00 a month."""
    return [wage(WANG, f"2025-{month:02d}", 600_000, version=2) for month in range(1, 13)]


async def declare_again(month: Month) -> Any:
    """A correction after a supplementary declaration was approved: a second one, of what differs
    from all that was declared so far.
    """
    await month.hear(*corrected())
    await month.work()
    [first, second] = await supplementary(month)
    assert (first["state"], second["state"], second["number"]) == ("approved", "draft", 2)
    approved = await approve(month, second)
    told = await month.assessed()
    [regular, late_notice, correction] = told.lines
    bases = [regular.base_fen, late_notice.base_fen, correction.base_fen]
    assert bases == [431_100, 4_300, 600_000 - 435_400]
    sums = [line.employer_fen + line.employee_fen for line in told.lines]
    assert (sums[2], sum(sums)) == (approved["total_fen"], 600_000 * 24 // 100)
    assert [line.declared_version for line in told.lines] == [1, 2, 3]
    [*_, approval] = await month.told(DeclarationApproved)
    assert (approval.number, approval.lines_hash) == (2, lines_hash([(WANG, 3)]))
    assert (await arrears(month, WANG))["owed_fen"] == 0
    return approved


async def test_a_restored_store_tells_no_policy_a_second_time(hefei: At, restored: At) -> None:
    """A notice became known after the backup and was told: to the store that is news no more."""
    async with hefei("2026-09-06 09:00") as month:
        await month.work()
        await month.work(at="2026-09-07 09:00")
        before, notice = await month.told(PolicyChanged)
        assert (before.known_since, notice.known_since) == ("2025-09-01", "2026-09-07")
    async with restored("2026-09-06 09:00") as month:
        await month.work()
    async with restored("2026-11-05 09:00") as month:
        await month.take_back([notice], "2026-09-07 09:00")
        await month.work()
        assert await month.told(PolicyChanged) == [before]


async def test_a_restored_store_takes_its_supplementary_declarations_back(
    hefei: At, restored: At
) -> None:
    async with hefei("2025-12-20 09:00") as month:
        await declare(month, "2026-08")
    async with hefei("2026-09-08 09:00") as month:
        month.keys = 100
        await hear_payroll(month, "2026-08")
        await month.work()
        [draft] = await supplementary(month)
        assert (draft["people"], draft["total_fen"]) == (2, 120_000 + 1_032)
        before = [await approve(month, draft), await declare_again(month)]
        told = await month.told(Event)
        mine = [await arrears(month, one) for one in (WANG, LATE)]
    async with restored("2026-09-08 10:00") as month:
        await hear_payroll(month, "2026-08")
        await month.hear(*corrected())
        notes = await month.take_back(told, "2026-09-08 09:00")
        assert [note for note in notes if "was approved" in note] == []
        await month.work()
        again = [e for e in await month.told(ContributionAssessed) if e.levy_period == "2026-08"]
        assert again == [], "everything is as readers know it"
        kept = ("declaration_id", "number", "state", "people", "sums", "lines_hash", "debit_by")
        found = [{name: one[name] for name in kept} for one in await supplementary(month)]
        assert found == [{name: one[name] for name in kept} for one in before]
        for one in [await arrears(month, who) for who in (WANG, LATE)]:
            assert one in mine
