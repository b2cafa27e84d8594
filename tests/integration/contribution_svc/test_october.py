"""One month: the levy period opens, everyone is assessed, HR approves, the bank debits, it is
posted.
"""

from contribution_svc.domain.declaration import lines_hash
from shared.contracts import (
    BaseChanged,
    ContributionAssessed,
    ContributionPosted,
    DeclarationApproved,
    PolicyChanged,
)
from tests.integration.contribution_svc.month import (
    EMPLOYER,
    PERIOD,
    REMARK,
    WANG,
    Month,
    china,
    employee,
    employer,
    last_year,
    wage,
)
from tests.support.bank_statements import Booking, camt


async def test_policies_are_told_once_at_start(month: Month) -> None:
    await month.work()
    await month.work()
    told = await month.told(PolicyChanged)
    listed = (await month.get("/policies")).json()["items"]
    assert sorted((event.city, event.version) for event in told) == [
        (one["city"], 1) for one in listed
    ]
    [first] = [event for event in told if event.city == "990100"]
    assert (first.filing_day, first.debit_day, first.record_working_days) == (15, 10, 5)
    assert first.person_kinds_exempt["retired_rehired"]["medical"] == "retired_rehired"
    [second] = [event for event in told if event.city == "990200"]
    ceilings = [
        (s.effective_from, s.ends_on, s.ceiling_fen)
        for s in second.scheme
        if s.insurance == "medical"
    ]
    assert ceilings == [
        ("2023-07-01", "2024-06-30", 2_400_000),
        ("2024-07-01", "", 2_550_000),
    ]


async def test_xiaowang_is_assessed_when_the_period_opens(month: Month) -> None:
    await month.open()
    assessed = await month.assessed()
    medical = next(line for line in assessed.lines if line.insurance == "medical")
    assert (medical.base_fen, medical.employer_fen, medical.employee_fen) == (
        950_000,
        76_000,
        19_000,
    )
    assert [line.state for line in assessed.lines] == ["due"] * 5
    assert (
        assessed.base_explanation
        == "上年度月均工资9,500.00元，在下限5,000.00元与上限20,000.00元之间"
    )
    assert (assessed.file_by, assessed.debit_by) == ("2024-10-09", "2024-10-10")
    [base] = await month.told(BaseChanged)
    assert (base.contribution_year, base.average_fen, base.months) == ("2024", 950_000, 12)
    assert base.bounds["medical"] == "within"


async def test_nothing_opens_a_minute_early(month: Month) -> None:
    await month.open()
    await month.work("2024-10-25 05:59")
    assert {event.levy_period for event in await month.told(ContributionAssessed)} == {PERIOD}
    assert await month.next_due() is not None
    await month.work("2024-10-25 06:00")
    assert {event.levy_period for event in await month.told(ContributionAssessed)} == {
        PERIOD,
        "2024-11",
    }


async def test_exempt_and_blocked_people_are_assessed_with_their_reasons(month: Month) -> None:
    await month.open(
        employee("retired", person_kind="retired_rehired"),
        employee("foreigner", person_kind="foreigner", documents_missing=("work_permit",)),
        employee("new", since="2024-09-23"),
        employee("no-history"),
        employee("unknown-kind", person_kind="astronaut"),
    )
    lines = {e.employee_id: e.lines for e in await month.told(ContributionAssessed)}
    assert {(x.state, x.reason) for x in lines["retired"]} == {("exempt", "retired_rehired")}
    assert {(x.state, x.reason) for x in lines["foreigner"]} == {
        ("blocked", "documents_missing:work_permit")
    }
    assert {(x.state, x.reason) for x in lines["new"]} == {("blocked", "first_wage_unknown")}
    assert {x.reason for x in lines["no-history"]} == {"wage_history_missing"}
    assert {x.reason for x in lines["unknown-kind"]} == {"person_kind_unknown:astronaut"}
    assert all(len(five) == 5 for five in lines.values())


async def test_the_first_wage_makes_a_new_hire_due(month: Month) -> None:
    await month.open(employee("new", since="2024-09-23"))
    await month.hear(wage("new", PERIOD, 800_000, purpose="run"))
    await month.work("2024-09-30 10:00")
    assessed = await month.assessed("new")
    assert {line.state for line in assessed.lines} == {"due"}
    assert assessed.base_explanation.startswith("新入职首月工资8,000.00元")
    assert assessed.version == 2


async def test_a_run_tells_nothing_new_of_whoever_rests_on_last_year(month: Month) -> None:
    await month.open()
    await month.hear(wage(WANG, PERIOD, 1_200_000, purpose="run"))
    await month.work("2024-09-30 10:00")
    assert len(await month.told(ContributionAssessed)) == 1


async def test_a_late_joiner_is_assessed_when_their_data_come(month: Month) -> None:
    await month.open()
    await month.hear(employee("late"))
    await month.hear(*[wage("late", f"2023-{m:02d}", 700_000) for m in range(1, 13)])
    await month.work("2024-09-28 10:00")
    assert (await month.assessed("late")).lines[0].base_fen == 700_000


async def test_people_may_come_before_their_employer(month: Month) -> None:

    await month.hear(*last_year())
    await month.hear(employee())
    await month.work("2024-09-26 09:00")
    await month.hear(employer())
    await month.work()
    assert (await month.assessed()).lines[0].base_fen == 950_000


async def test_papers_that_come_make_the_blocked_due(month: Month) -> None:
    await month.open(employee("foreigner", documents_missing=("work_permit",)))
    await month.hear(*[wage("foreigner", f"2023-{m:02d}", 600_000) for m in range(1, 13)])
    await month.hear(employee("foreigner", version=2))
    await month.work("2024-09-27 09:00")
    assert {line.state for line in (await month.assessed("foreigner")).lines} == {"due"}


async def test_an_older_version_of_an_employee_changes_nothing(month: Month) -> None:
    await month.open(employee("foreigner", version=2))
    before = await month.assessed("foreigner")
    await month.hear(employee("foreigner", version=1, documents_missing=("work_permit",)))
    await month.work("2024-09-27 09:00")
    assert await month.assessed("foreigner") == before


async def test_whoever_leaves_before_the_period_is_no_longer_due(month: Month) -> None:
    await month.open()
    await month.hear(employee(version=2, until="2024-09-28"))
    await month.work("2024-09-28 09:00")
    assert {(x.state, x.reason) for x in (await month.assessed()).lines} == {
        ("exempt", "not_on_roster")
    }


async def test_the_approved_declaration_names_its_people_sums_and_hash(month: Month) -> None:
    await month.open(employee("retired", person_kind="retired_rehired"))
    month.clock.set(china("2024-10-08 09:00"))
    answer = await month.approve()
    assert answer.status_code == 200, answer.text
    [told] = await month.told(DeclarationApproved)
    assert (told.people, told.file_by, told.debit_on) == (1, "2024-10-09", "2024-10-10")
    assert told.sums_fen["medical"] == (76_000, 19_000)
    assert (
        told.total_fen
        == sum(sum(pair) for pair in told.sums_fen.values())
        == answer.json()["total_fen"]
    )
    assert told.lines_hash == lines_hash([(WANG, 1)])
    assert told.approved_by == "hr-li"


async def test_a_lump_sum_is_posted_to_the_fen(month: Month) -> None:
    await month.open(employee("second"))
    await month.hear(*[wage("second", f"2023-{m:02d}", 777_777) for m in range(1, 13)])
    await month.work("2024-10-08 09:00")
    total = (await month.approve()).json()["total_fen"]
    imported = await month.debit(Booking(total, REMARK))
    assert (imported["entries"], imported["allocated"]) == (1, 1)
    posted = [await month.posted(one) for one in (WANG, "second")]
    assert sum(x.employer_fen + x.employee_fen for event in posted for x in event.lines) == total
    line = posted[0].lines[1]
    assert (line.insurance, line.debit_state, line.debits) == ("medical", "posted", 1)
    assert (line.debited_on, line.record_by, line.voucher) == ("2024-10-10", "2024-10-16", "V1")
    assert (line.late_fee_fen, line.due_on) == (0, "2024-10-15")
    sums = (await month.get(f"/sums?employer_id={EMPLOYER}&levy_period={PERIOD}")).json()
    assert sums["assessed"] == sums["debited"]


async def test_the_webhook_brings_the_statement_at_once(month: Month) -> None:
    await month.open()
    await month.work("2024-10-08 09:00")
    total = (await month.approve()).json()["total_fen"]
    month.bank.publish("stmt-1", camt("stmt-1", [Booking(total, REMARK)]))
    month.clock.set(china("2024-10-10 18:00"))
    for _ in range(2):
        assert (await month.webhook(month.bank.notice("stmt-1"))).status_code == 204
    await month.work()
    assert len(await month.told(ContributionPosted)) == 1
    assert month.bank.asked.count("stmt-1") == 1


async def test_a_lost_webhook_loses_nothing(month: Month) -> None:
    await month.open()
    await month.work("2024-10-08 09:00")
    total = (await month.approve()).json()["total_fen"]
    await month.work("2024-10-09 19:00")
    month.bank.publish("stmt-1", camt("stmt-1", [Booking(total, REMARK)]))
    await month.work("2024-10-10 18:59")
    assert await month.told(ContributionPosted) == []
    await month.work("2024-10-10 19:00")
    assert len(await month.told(ContributionPosted)) == 1
