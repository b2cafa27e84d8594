"""Asks the services what became of October, checks every figure, and writes it down as one JSON
object.
"""

import json
from collections import Counter
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from typing import Any

from sandbox.case.narrator import CHINA
from sandbox.case.october import (
    CONTRIBUTION,
    NOTIFY,
    PAYROLL,
    PORTAL,
    RECONCILIATION,
    TICKET,
    October,
)
from sandbox.case.tally import count_events
from shared.values import Insurance

BUREAU_SYNC = "bureau-sync-svc"
SIDES = ("withheld", "assessed", "filed", "verified", "debited", "recorded")
EXPECTED_NOTICE = "10月医疗险、生育险记录已补录，可正常查询"
_XIAOWANG = {"base_fen": 950_000, "medical_employer_fen": 76_000, "medical_employee_fen": 19_000}


@dataclass
class Verdicts:
    """Checks made so far; `failed` lists those whose figure was not as expected."""

    made: int = 0
    failed: list[str] = field(default_factory=list)

    def equal(self, what: str, found: object, expected: object) -> None:
        self.made += 1
        if found != expected:
            self.failed.append(f"{what}: expected {expected!r}, found {found!r}")


class Report:
    """The case's closing account. `collect` asks, `check` compares, `write` keeps."""

    def __init__(self, october: October) -> None:
        self._october, self._case = october, october.case
        self._employer = october.employer_id
        self.facts: dict[str, Any] = {}
        self.verdicts = Verdicts()

    async def collect(self, wall_seconds: float) -> None:
        october = self._october
        counts = await self._ask(RECONCILIATION, "/cells/counts")
        self.facts = {
            "case": "october-2024",
            "cells": {"K": self._case.count_cells(), "states": counts["states"]},
            "xiaowang": await self._xiaowang(),
            "record_missing": await self._record_missing(),
            "tickets": await self._tickets(),
            "notifications": await self._notifications(),
            "sums_fen": await self._sums(),
            "open_anomalies": await self._open_anomalies(),
            "events": await count_events(october.addresses.kafka_bootstrap),
            "wall_seconds": round(wall_seconds, 1),
        }

    async def _ask(self, service: str, path: str) -> Any:
        return await self._october.hr.get(
            service, path, employer_id=self._employer, levy_period=self._case.levy_period
        )

    async def _xiaowang(self) -> dict[str, Any]:
        month = await self._october.xiaowang.get(PORTAL, f"/me/months/{self._case.levy_period}")
        cells = {cell["insurance"]: cell for cell in month["insurances"]}
        return {
            "base_fen": cells["medical"]["base_fen"],
            "medical_employer_fen": cells["medical"]["employer_fen"],
            "medical_employee_fen": cells["medical"]["employee_fen"],
            "debited_on": cells["medical"]["debited_on"],
            "arrived_on": {insurance: cell["arrived_on"] for insurance, cell in cells.items()},
            "status": {insurance: cell["status_word"] for insurance, cell in cells.items()},
        }

    async def _record_missing(self) -> list[dict[str, Any]]:
        anomalies = await self._october.hr.all(
            RECONCILIATION, "/anomalies", employer_id=self._employer, kind="RecordMissing"
        )
        told = await self._told()
        tickets = {
            item["anomaly_id"]: ticket["number"]
            for ticket in await self._all_tickets()
            for item in ticket["items"]
            if item["anomaly_id"]
        }
        return [
            {
                "employee": anomaly["employee_id"],
                "insurance": insurance,
                "levy_period": anomaly["levy_period"],
                "raised_at": _local(anomaly["raised_at"]),
                "hr_told_at": _local(told.get(anomaly["anomaly_id"])),
                "ticket": tickets.get(anomaly["anomaly_id"]),
                "cleared_at": _local(anomaly["cleared_at"]),
            }
            for anomaly in sorted(anomalies, key=lambda one: one["employee_id"])
            for insurance in anomaly["insurances"]
        ]

    async def _told(self) -> dict[str, str]:
        """When HR was first told of each anomaly."""
        told: dict[str, str] = {}
        for notice in await self._hr_notices():
            for anomaly_id in notice["anomaly_ids"]:
                told[anomaly_id] = min(told.get(anomaly_id, notice["at"]), notice["at"])
        return told

    async def _hr_notices(self) -> list[Any]:
        return await self._october.hr.all(
            NOTIFY, "/notifications", employer_id=self._employer, recipient_kind="hr"
        )

    async def _all_tickets(self) -> list[Any]:
        return await self._october.hr.all(TICKET, "/tickets", employer_id=self._employer)

    async def _tickets(self) -> list[dict[str, Any]]:
        fields = (
            "number", "employee_id", "kind", "state", "assignee", "opened_at", "reply_due_at",
            "first_reply_at", "resolved_at", "feedback_count", "incident_id",
        )  # fmt: skip
        return [_picked(ticket, fields) for ticket in await self._all_tickets()]

    async def _notifications(self) -> list[dict[str, Any]]:
        fields = ("recipient_kind", "recipient", "channel", "template", "at", "state", "text")
        notices = await self._october.hr.all(NOTIFY, "/notifications", employer_id=self._employer)
        return [_picked(notice, fields) for notice in notices]

    async def _sums(self) -> dict[str, Any]:
        """Each side from the service that owns it; reconciliation-svc's bridge must say the
        same.
        """
        sums: dict[str, Any] = {}
        for service in (PAYROLL, CONTRIBUTION, BUREAU_SYNC):
            sums |= {
                side: value
                for side, value in (await self._ask(service, "/sums")).items()
                if side in SIDES
            }
        bridge = await self._ask(RECONCILIATION, "/bridge")
        for side in SIDES:
            self.verdicts.equal(f"bridge, {side}", bridge["sums_fen"][side], sums[side])
        unexplained = sum(abs(step["unexplained_fen"]) for step in bridge["steps"])
        self.verdicts.equal("bridge, unexplained fen", unexplained, 0)
        return {
            side: {name: sums[side].get(name) for name in Insurance if name in sums[side]}
            for side in SIDES
        }

    async def _open_anomalies(self) -> list[dict[str, Any]]:
        anomalies = await self._october.hr.all(
            RECONCILIATION, "/anomalies", employer_id=self._employer, open=True
        )
        fields = ("kind", "employee_id", "levy_period", "insurances", "reason", "raised_at")
        return [_picked(anomaly, fields) for anomaly in anomalies]

    def check(self) -> None:
        """Every figure of the case against what the roster, the policy and the calendar say it
        must be.
        """
        self._check_missing()
        self._check_tickets()
        self.check_end()

    def check_end(self) -> None:
        """What the case ends in, whatever happened on the way: cells, fen, and what people read."""
        self._check_cells()
        self._check_xiaowang()
        self._check_sums()
        own = [
            notice["text"]
            for notice in self.facts["notifications"]
            if notice["text"] == EXPECTED_NOTICE
        ]
        self.verdicts.equal(
            "employees told that their records were made good", len(own), len(self._broken())
        )

    def _broken(self) -> list[str]:
        """Employee numbers of those whose medical authority dropped the detail."""
        return [
            person.employee_no
            for person in self._case.people
            if person.city == "990100" and person.kind == "在职" and not person.missing
        ]

    def _check_cells(self) -> None:
        cells = self.facts["cells"]
        exempt = sum(5 for person in self._case.people if person.kind == "退休返聘")
        blocked = sum(5 for person in self._case.people if person.missing)
        states = {state: count for state, count in cells["states"].items() if count}
        self.verdicts.equal("cells add up to K", sum(states.values()), cells["K"])
        expected = {
            "arrived": cells["K"] - exempt - blocked,
            "not_required": exempt,
            "AssessmentBlocked": blocked,
        }
        self.verdicts.equal("cells by state", states, expected)
        # The paper is still missing when November opens, so both months wait for it.
        still_open = Counter(
            (anomaly["kind"], anomaly["levy_period"]) for anomaly in self.facts["open_anomalies"]
        )
        expected_open = {("AssessmentBlocked", period): 1 for period in ("2024-10", "2024-11")}
        self.verdicts.equal("anomalies still open", dict(still_open), expected_open)

    def _check_xiaowang(self) -> None:
        facts = self.facts["xiaowang"]
        for name, expected in _XIAOWANG.items():
            self.verdicts.equal(f"小王, {name}", facts[name], expected)
        self.verdicts.equal("小王, debited on", facts["debited_on"], "2024-10-10")
        in_time, late = "2024-10-11", "2024-11-02"
        expected_days = {
            "pension": in_time,
            "medical": late,
            "unemployment": in_time,
            "work_injury": in_time,
            "maternity": late,
        }
        self.verdicts.equal("小王, arrived on", facts["arrived_on"], expected_days)
        self.verdicts.equal("小王, status", set(facts["status"].values()), {"已到账"})

    def _check_missing(self) -> None:
        rows = self.facts["record_missing"]
        self.verdicts.equal("records missing", len(rows), 2 * len(self._broken()))
        self.verdicts.equal(
            "missing insurances", {row["insurance"] for row in rows}, {"medical", "maternity"}
        )
        for name, expected in (
            ("raised_at", "2024-10-17"),
            ("hr_told_at", "2024-10-17"),
            ("cleared_at", "2024-11-02"),
        ):
            self.verdicts.equal(
                name, {_day(row[name]) for row in rows}, {date.fromisoformat(expected)}
            )
        self.verdicts.equal(
            "missing records without a ticket", [row for row in rows if not row["ticket"]], []
        )

    def _check_tickets(self) -> None:
        tickets = [ticket for ticket in self.facts["tickets"] if ticket["kind"] == "RecordMissing"]
        self.verdicts.equal("tickets", len(tickets), len(self._broken()))
        self.verdicts.equal("ticket states", {ticket["state"] for ticket in tickets}, {"resolved"})
        self.verdicts.equal(
            "reply due", {_day(ticket["reply_due_at"]) for ticket in tickets}, {date(2024, 10, 21)}
        )
        self.verdicts.equal(
            "first reply",
            {_day(ticket["first_reply_at"]) for ticket in tickets},
            {date(2024, 10, 18)},
        )
        self.verdicts.equal(
            "tickets without an assignee", [t for t in tickets if not t["assignee"]], []
        )
        self.verdicts.equal("incidents", len({ticket["incident_id"] for ticket in tickets}), 1)
        self.verdicts.equal(
            "feedback joined", sum(ticket["feedback_count"] for ticket in tickets), 1
        )

    def _check_sums(self) -> None:
        sums = self.facts["sums_fen"]
        for side in SIDES[2:]:
            self.verdicts.equal(f"fen {side} = fen assessed", sums[side], sums["assessed"])
        for insurance, amounts in sums["withheld"].items():
            self.verdicts.equal(
                f"{insurance}: fen withheld from employees = fen assessed",
                amounts["employee_fen"],
                sums["assessed"][insurance]["employee_fen"],
            )

    def write(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(self.facts, ensure_ascii=False, indent=1) + "\n")


def _local(text: str | None) -> str | None:
    """The same moment in Asia/Shanghai, so that its date is the day that people lived."""
    return datetime.fromisoformat(text).astimezone(CHINA).isoformat() if text else None


def _picked(found: Any, fields: tuple[str, ...]) -> dict[str, Any]:
    """The fields named; moments (`…_at`) in Asia/Shanghai."""
    moments = {name for name in fields if name == "at" or name.endswith("_at")}
    return {name: _local(found[name]) if name in moments else found[name] for name in fields}


def _day(text: str | None) -> date | None:
    return datetime.fromisoformat(text).astimezone(CHINA).date() if text else None
