"""Whatever the outside parties do, no law is broken, in the middle of the month as at its end: what
they did wrong has an outcome of its own.
"""

from collections import Counter
from pathlib import Path
from typing import Any

import httpx
import pytest
from rich.console import Console

from deploy.embedded.demo import addresses_of
from deploy.embedded.journal import nowhere
from deploy.embedded.stack import stack
from sandbox.case.files import identity_number
from sandbox.case.narrator import Narrator
from sandbox.case.october import October
from sandbox.case.people import order
from sandbox.case.roster import Case
from tests.support.invariants import check

Fault = dict[str, Any]


def _person(number: int) -> list[str]:
    return [identity_number(number, 1990)]


NOTHING_ELSE: list[Fault] = []
RECORDS: list[Fault] = [
    {
        "party": "tax-990200",
        "kind": "wrong_base",
        "people": _person(40),
        "insurances": ["medical"],
        "params": {"delta": "-500.00"},
    },
    {"party": "tax-990100", "kind": "timeout_after", "params": {"seconds": 2}, "times": 1},
    {"party": "hrss-990100", "kind": "record_late", "params": {"days": 3, "in_transit": True}},
    {
        "party": "hrss-990100",
        "kind": "wrong_base",
        "people": _person(3),
        "params": {"delta": "-500.00"},
    },
    {
        "party": "hrss-990100",
        "kind": "refuse",
        "people": _person(5),
        "params": {"text": "证件号码不符", "later": True},
    },
    {
        "party": "hrss-990100",
        "kind": "answer_twice",
        "people": _person(6),
        "insurances": ["pension"],
    },
]
DEBITS: list[Fault] = [
    {"party": "bank", "kind": "debit_twice", "accounts": ["BASIC-990200-8802"]},
    {
        "party": "bank",
        "kind": "refuse",
        "accounts": ["BASIC-990100-8801"],
        "params": {"code": "MD06", "reversed_after_days": 2},
    },
    {"party": "hrss-990200", "kind": "only_insurances", "insurances": ["pension"]},
    {
        "party": "medical-990200",
        "kind": "closed",
        "from": "2024-10-11T00:00:00+08:00",
        "until": "2024-10-14T00:00:00+08:00",
    },
]


@pytest.mark.long
@pytest.mark.parametrize(
    ("faults", "outcomes"),
    [
        (NOTHING_ELSE, {"arrived": 290}),
        (
            RECORDS,
            {
                "VerifiedDiffers": 1,
                "BaseDiffers": 3,
                "DuplicateRecord": 1,
                "RecordRejected": 3,
                "RecordWithoutDebit": 119,
                "arrived": 163,
            },
        ),
        (DEBITS, {"DuplicateDebit": 120, "RecordWithoutDebit": 170}),
    ],
    ids=[
        "the case as it was",
        "records late, refused, doubled and on other bases",
        "a debit taken twice, one taken back, an authority closed",
    ],
)
async def test_every_law_holds_after_every_act_of_october(
    tmp_path: Path, faults: list[Fault], outcomes: dict[str, int]
) -> None:
    """The short form is in tests/e2e: the finished October, with its open November."""
    async with (
        stack(tmp_path, log=nowhere) as installation,
        httpx.AsyncClient(timeout=30) as client,
    ):
        addresses = addresses_of(installation)
        for fault in faults:
            await order(addresses, client, "/faults", fault)
        october = October(addresses, client, Case(), Narrator(Console(quiet=True)))
        acts = october.acts()
        assert len(acts) > 5
        for act in acts:
            await act()
            assert [str(one) for one in await check(installation)] == [], f"after {act}"
        cells = await october.hr.get(
            "reconciliation-svc",
            "/cells/counts",
            employer_id=october.employer_id,
            levy_period=october.case.levy_period,
        )
    # The faults bit: a run in which none did would prove nothing.
    others = {"AssessmentBlocked": 5, "not_required": 5}
    assert Counter(cells["states"]) == Counter({**outcomes, **others})
