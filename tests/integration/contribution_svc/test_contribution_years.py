"""Hangzhou in March 2026: the housing fund still is in its year of 2025, everything else in that of
2026.
"""

from typing import Any

from shared.contracts import AccountFact, BaseChanged, BureauAck, BureauRow, SpellFact
from shared.values import Insurance
from tests.integration.contribution_svc.month import (
    ACCOUNT,
    EMPLOYER,
    WANG,
    Month,
    employee,
    employer,
    wage,
)

OWN = {"work_injury": (4_000, 0), "housing_fund": (120_000, 120_000)}
FUND, OTHERS = {"housing_fund"}, {"pension", "medical", "unemployment", "work_injury"}


async def open_hangzhou(month: Month) -> None:
    """10,000.00 in each month of 2024, 12,000.00 in 2025."""
    account = AccountFact(
        account_id=ACCOUNT,
        account_no="3301000001",
        city="330100",
        collector="tax-330100",
        bank_account_ref="BANK-1",
        own_rates=OWN,
    )
    await month.hear(employer(accounts=(account,), cut_over="2026-03"))
    await month.hear(employee(spells=(SpellFact("2020-03-01", "operations", "330100", ACCOUNT),)))
    for year, wage_fen in ((2024, 1_000_000), (2025, 1_200_000)):
        await month.hear(*(wage(WANG, f"{year}-{n:02d}", wage_fen) for n in range(1, 13)))


async def explained(month: Month, insurance: str) -> Any:
    path = f"/explanations/contribution?employee_id={WANG}&levy_period=2026-03"
    return (await month.get(f"{path}&insurance={insurance}&side=employee")).json()


async def test_each_year_has_its_row_and_each_figure_names_its_months(month: Month) -> None:
    await open_hangzhou(month)
    await month.work("2026-02-26 06:00")
    march = await month.assessed()
    assert march.levy_period == "2026-03"
    bases = {line.insurance: line.base_fen for line in march.lines}
    assert bases == {**dict.fromkeys(OTHERS, 1_200_000), "housing_fund": 1_000_000}

    told = {event.contribution_year: event for event in await month.told(BaseChanged)}
    assert {year: set(event.bases_fen) for year, event in told.items()} == {
        "2026": OTHERS,
        "2025-07": FUND,
    }
    assert {year: event.average_fen for year, event in told.items()} == {
        "2026": 1_200_000,
        "2025-07": 1_000_000,
    }
    assert "养老险" not in told["2025-07"].explanation

    medical, fund = await explained(month, "medical"), await explained(month, "housing_fund")
    assert medical["sentence"].startswith("2025年1月至12月工资合计144,000.00元")
    assert fund["sentence"].startswith("2024年1月至12月工资合计120,000.00元")
    assert (medical["amount_fen"], fund["amount_fen"]) == (24_000, 120_000)
    path = f"/explanations/base?employee_id={WANG}&levy_period=2026-03"
    found = (await month.get(path)).json()
    assert {one["insurance"]: one["contribution_year"] for one in found["bases"]} == {
        **dict.fromkeys(OTHERS, "2026"),
        "housing_fund": "2025",
    }
    listed = (await month.get(f"/bases?employee_id={WANG}")).json()["items"]
    assert [one["contribution_year"] for one in listed] == ["2026", "2025-07"]


async def test_the_funds_next_year_changes_the_funds_row_alone(month: Month) -> None:
    await open_hangzhou(month)
    await month.work("2026-06-26 06:00")
    assert (await month.assessed()).levy_period == "2026-07"
    told = await month.told(BaseChanged)
    years = [event.contribution_year for event in told]
    assert sorted(years) == ["2025-07", "2026", "2026-07"]
    assert told[years.index("2026-07")].average_fen == 1_200_000


def verified(levy_period: str, version: int = 1, **bases_fen: int) -> BureauAck:
    rows = tuple(
        BureauRow(
            insurance=Insurance(insurance),
            stage="verified",
            authority=f"{insurance}-330100",
            verified_base_fen=fen,
        )
        for insurance, fen in bases_fen.items()
    )
    return BureauAck(
        version=version,
        employee_id=WANG,
        employer_id=EMPLOYER,
        levy_period=levy_period,
        account_id=ACCOUNT,
        rows=rows,
    )


async def test_a_campaign_declares_each_insurance_from_its_own_beginning(month: Month) -> None:
    await open_hangzhou(month)
    joiner = SpellFact("2026-03-02", "operations", "330100", ACCOUNT)
    await month.hear(employee("joiner", spells=(joiner,), first_month_wage_fen=900_000))
    await month.work("2026-07-06 09:00")
    opened = {"employer_id": EMPLOYER, "contribution_year": 2026, "confirm_by": "2026-07-20"}
    answer = await month.post("/base-campaigns", json=opened)
    path = f"/base-campaigns/{answer.json()['campaign_id']}"
    await month.work()
    found = {x["employee_id"]: x for x in (await month.get(f"{path}/members")).json()["items"]}
    wang, joined = found[WANG], found["joiner"]
    assert (wang["levy_period"], wang["since"]) == ("2026-01", {"housing_fund": "2026-07"})
    assert set(wang["bases_fen"].values()) == {1_200_000}, "all of 2026 rests on 2025"
    assert wang["explanation"].startswith("2026-01起：上年度月均工资12,000.00元，养老险、")
    assert "2026-07起：上年度月均工资12,000.00元，住房公积金" in wang["explanation"]
    assert (joined["levy_period"], joined["since"]) == ("2026-07", {})
    assert joined["rule"] == "first_month_wage"
    exported = (await month.get(f"{path}/export?format=csv")).content.decode("utf-8-sig")
    head, *lines = (line.split(",") for line in exported.splitlines())
    column = head.index("住房公积金起始费款所属期")
    assert sorted(line[column] for line in lines) == ["", "2026-07"]

    still_2025 = verified("2026-03", pension=1_200_000, housing_fund=1_000_000)
    await month.hear(still_2025)
    early = (await month.get(f"{path}/verified")).json()
    assert (early["differing"], early["agreeing"]) == ([], 1), "the fund's was that of 2025"
    await month.hear(verified("2026-07", pension=1_200_000, housing_fund=1_000_000))
    [late] = (await month.get(f"{path}/verified")).json()["differing"]
    [difference] = late["differences"]
    assert (difference["insurance"], difference["why"]) == ("housing_fund", "last_year")


async def test_a_run_of_last_year_that_comes_late_is_part_of_the_average(month: Month) -> None:
    await open_hangzhou(month)
    await month.hear(employee("late", spells=(SpellFact("2020-03-01", "a", "330100", ACCOUNT),)))
    runs = [wage("late", f"2025-{n:02d}", 1_000_000, purpose="run") for n in range(1, 13)]
    await month.hear(*runs[:11])
    await month.work("2026-02-26 06:00")
    assert (await month.assessed("late")).lines[0].base_fen == 1_000_000
    await month.hear(wage("late", "2025-12", 2_200_000, purpose="run"))
    await month.work()
    found = {line.insurance: line for line in (await month.assessed("late")).lines}
    assert found[Insurance.PENSION].base_fen == 1_100_000
    assert found[Insurance.HOUSING_FUND].reason == "wage_history_missing", (
        "of 2024 nothing was told"
    )


async def test_the_fund_bears_no_late_fee(month: Month) -> None:
    await open_hangzhou(month)
    await month.work("2026-02-26 06:00")
    path = f"/declarations?employer_id={EMPLOYER}&levy_period=2026-03"
    [draft] = (await month.get(path)).json()["items"]
    asked = f"/late-fees?declaration_id={draft['declaration_id']}&paid_on=2026-05-01"
    fee = (await month.get(asked)).json()
    fees = {one["arrears_fen"]: one["late_fee_fen"] for one in fee["groups"]}
    fund_fen = 240_000
    assert fees.pop(fund_fen) == 0
    [others_fen] = fees
    assert others_fen + fund_fen == sum(
        line.employer_fen + line.employee_fen for line in (await month.assessed()).lines
    )
    assert fee["late_fee_fen"] == fees[others_fen] > 0
