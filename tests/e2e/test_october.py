"""The October case from end to end: the same that `make demo` plays, held against the story's
figures.
"""

from typing import Any

import httpx

from deploy.embedded.stack import Stack
from sandbox.case.roster import Case


async def test_every_cell_of_the_roster_is_in_exactly_one_state(report: dict[str, Any]) -> None:
    assert report["cells"] == {
        "K": Case().count_cells(),
        "states": {"arrived": 290, "not_required": 5, "AssessmentBlocked": 5},
    }
    assert sum(report["cells"]["states"].values()) == 300


async def test_xiaowang_sees_his_base_his_debit_and_when_each_record_arrived(
    report: dict[str, Any],
) -> None:
    facts = report["xiaowang"]
    assert facts["base_fen"] == 950_000
    assert (facts["medical_employer_fen"], facts["medical_employee_fen"]) == (76_000, 19_000)
    assert facts["debited_on"] == "2024-10-10"
    assert facts["arrived_on"]["pension"] == "2024-10-11"
    assert facts["arrived_on"]["medical"] == facts["arrived_on"]["maternity"] == "2024-11-02"


async def test_hr_is_told_of_every_missing_record_on_the_17th_and_each_clears_on_2_november(
    report: dict[str, Any],
) -> None:
    missing = report["record_missing"]
    assert len(missing) == 2 * 34
    assert {row["insurance"] for row in missing} == {"medical", "maternity"}
    assert {row["raised_at"][:10] for row in missing} == {"2024-10-17"}
    assert {row["hr_told_at"][:10] for row in missing} == {"2024-10-17"}
    assert {row["cleared_at"][:10] for row in missing} == {"2024-11-02"}
    assert all(row["ticket"] for row in missing)


async def test_tickets_are_due_on_the_21st_are_answered_before_and_resolve_themselves(
    report: dict[str, Any],
) -> None:
    tickets = [ticket for ticket in report["tickets"] if ticket["kind"] == "RecordMissing"]
    assert {ticket["reply_due_at"] for ticket in tickets} == {"2024-10-21T18:00:00+08:00"}
    assert {ticket["first_reply_at"][:10] for ticket in tickets} == {"2024-10-18"}
    assert {ticket["state"] for ticket in tickets} == {"resolved"}
    assert len({ticket["incident_id"] for ticket in tickets}) == 1
    assert sum(ticket["feedback_count"] for ticket in tickets) == 1


async def test_the_fen_of_every_side_are_the_same(report: dict[str, Any]) -> None:
    sums = report["sums_fen"]
    assert (
        sums["assessed"] == sums["filed"] == sums["verified"] == sums["debited"] == sums["recorded"]
    )
    assert (
        sums["assessed"]["medical"]["employee_fen"] == sums["withheld"]["medical"]["employee_fen"]
    )


async def test_what_is_still_open_is_named(report: dict[str, Any]) -> None:
    still_open = [(row["kind"], row["levy_period"]) for row in report["open_anomalies"]]
    assert sorted(still_open) == [
        ("AssessmentBlocked", "2024-10"),
        ("AssessmentBlocked", "2024-11"),
    ]
    assert "工作许可" in report["open_anomalies"][0]["reason"]


async def test_every_service_has_said_its_part(report: dict[str, Any]) -> None:
    for name, count in {
        "EmployeeChanged": 60,
        "EmployeeSealed": 60,
        "PayslipIssued": 60,
        "ContributionPosted": 58,
        "DeclarationApproved": 2,
        "RecordMissing": 34,
    }.items():
        assert report["events"][name] == count, name
    for name in ("BureauAck", "CellsJudged", "AnomalyCleared", "TicketResolved"):
        assert report["events"][name] >= 34, name


async def test_nothing_was_parked_on_the_way(installation: Stack, report: dict[str, Any]) -> None:
    assert report["events"]
    async with httpx.AsyncClient() as client:
        for name in installation.layout.services:
            answer = await client.get(installation.layout.service_url(name) + "/readyz")
            assert (name, answer.status_code, answer.json()["parked"]) == (name, 200, 0)
