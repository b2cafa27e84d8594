"""October while parts are killed: whatever plug is pulled, the last table is the same.

`FAULT_SEED=7 make test-faults` plays the plans of seed 7 again.
"""

import json
import os
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from tests.support.fault_plan import SEEDS, Fault, long_plan, short_plan
from tests.support.fault_run import Landed, play_under
from tests.support.final_state import State, differences

SEED = os.environ.get("FAULT_SEED", "")
PLAYED = (int(SEED),) if SEED else SEEDS

CLEAN_EVENTS = {
    "AnomalyCleared": 35,
    "AssessmentBlocked": 3,
    "BaseChanged": 58,
    "ContributionAssessed": 121,
    "ContributionPosted": 58,
    "DeclarationApproved": 2,
    "EmployeeChanged": 60,
    "EmployeeSealed": 60,
    "PayslipIssued": 60,
    "RecordMissing": 34,
    "SalaryComputed": 763,
    "TicketOpened": 36,
    "TicketResolved": 35,
}
"""Facts that are told once each, however they happen to be batched; NotificationDelivered and
NotificationFailed are counted as notices.
"""
CLEAN_NOTICES = {
    ("employee", "email", "payslip_issued"): 60,
    ("employee", "email", "records_arrived"): 34,
    ("employee", "email", "ticket_replied"): 34,
    ("employee", "inbox", "payslip_issued"): 60,
    ("employee", "inbox", "records_arrived"): 34,
    ("employee", "inbox", "ticket_replied"): 34,
    ("hr", "inbox", "hr_anomalies"): 5,
    ("hr", "inbox", "hr_deadline_at_risk"): 6,
    ("hr", "inbox", "hr_ticket_assigned"): 3,
    ("hr", "inbox", "hr_ticket_escalated"): 3,
}
MAILS_AT_ONCE = 10
"""notify-svc sends so many at once: a kill leaves at most that many whose outcome nobody knows."""


async def test_the_last_table_is_the_same_whatever_is_killed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    seed = PLAYED[0]
    landed = await _play(seed, short_plan(seed), tmp_path, capsys)
    assert landed.seconds > 0


@pytest.mark.long
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("seed", PLAYED)
async def test_every_store_is_the_same_after_a_kill_at_every_named_point(
    seed: int, clean_state: State, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    landed = await _play(seed, long_plan(seed), tmp_path, capsys)
    assert _but_for_unknown_mails(landed, differences(clean_state, landed.state)) == [], (
        f"seed {seed}\n{landed.text()}"
    )


@pytest.fixture(scope="module")
async def clean_state(tmp_path_factory: pytest.TempPathFactory) -> State:
    """What the stores hold when nothing strikes."""
    landed = await play_under([], tmp_path_factory.mktemp("clean"))
    assert landed.differing == []
    return landed.state


async def _play(
    seed: int, plan: Sequence[Fault], home: Path, capsys: pytest.CaptureFixture[str]
) -> Landed:
    """Plays the plan and holds what became of the case against the undisturbed one."""
    landed = await play_under(plan, home)
    with capsys.disabled():
        print(f"\nseed {seed}\n{landed.text()}")  # noqa: T201  # the counts are the test's product
    faults = [
        *(f"a figure differs: {line}" for line in landed.differing),
        *(f"did not bite: {line}" for line in landed.missed),
        *(f"a law is broken: {line}" for line in landed.broken),
        *_bitten(landed),
        *_told_once(landed.report),
        *_notices(landed),
    ]
    assert faults == [], f"seed {seed}\n{landed.text()}"
    return landed


def _bitten(landed: Landed) -> list[str]:
    """A run whose faults left no trace has shown nothing."""
    traces = landed.traces
    counts = {
        "redelivery": traces.redeliveries,
        "inbox hit": traces.inbox_hits,
        "replaced client": traces.replaced_clients,
    }
    return [f"the faults left no {name}" for name, count in counts.items() if count == 0]


def _told_once(report: dict[str, Any]) -> list[str]:
    """Events that are told once each, and tickets: one for each employee and cause."""
    found = {name: report["events"].get(name) for name in CLEAN_EVENTS}
    wrong = [
        f"{name}: {found[name]} events, not {count}"
        for name, count in CLEAN_EVENTS.items()
        if found[name] != count
    ]
    tickets = Counter((one["employee_id"], one["kind"]) for one in report["tickets"])
    return wrong + [f"{count} tickets for {one}" for one, count in tickets.items() if count > 1]


def _notices(landed: Landed) -> list[str]:
    """Each notice once; delivered, or a mail whose outcome is a person's to find out because the
    process that sent it was killed before it knew (at most once, never twice).
    """
    notices = landed.report["notifications"]
    found = Counter((one["recipient_kind"], one["channel"], one["template"]) for one in notices)
    wrong = [] if found == CLEAN_NOTICES else [f"notices: {found}, not {CLEAN_NOTICES}"]
    unknown = _unknown(landed)
    hits = sum(fault.part in ("notify-svc", "postgres") for fault in landed.plan)
    if any(one["channel"] != "email" for one in unknown) or len(unknown) > MAILS_AT_ONCE * hits:
        wrong.append(f"{len(unknown)} notices are not delivered after {hits} hits")
    return wrong + [f"mail {one} came {count} times" for one, count in landed.mails_twice.items()]


def _unknown(landed: Landed) -> list[dict[str, Any]]:
    return [one for one in landed.report["notifications"] if one["state"] != "delivered"]


def _but_for_unknown_mails(landed: Landed, lines: Sequence[str]) -> list[str]:
    """The differing rows, without those of mails whose outcome nobody knows: notify-svc's row says
    so, and the portal has none, since nothing was told of them.
    """
    unknown = Counter(one["template"] for one in _unknown(landed))
    rest, told = [], Counter[str]()
    for line in lines:
        row = json.loads(line.partition(": ")[2].partition(" ")[2])
        template = row.get("template") or row.get("payload", {}).get("template")
        if line.startswith(("notify_svc.notifications", "portal_svc.notifications")) and (
            told[template] < 3 * unknown[template]
        ):
            told[template] += 1
        else:
            rest.append(line)
    return rest
