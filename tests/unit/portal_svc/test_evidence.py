"""The evidence chain: five links, and the first break marked."""

from dataclasses import replace

import pytest

from portal_svc.domain import facts
from portal_svc.domain.evidence import DEBIT, GREEN, MISSING, PAYSLIP, RECORD, RED, Link, chains
from shared.values import Insurance, Outcome


def links(ticket: facts.Ticket, *months: facts.Month) -> tuple[Link, ...]:
    (chain,) = chains(ticket, months)
    return chain.links


def broken(found: tuple[Link, ...]) -> list[str]:
    return [link.name for link in found if link.broken_here]


def with_verdict(month: facts.Month, **changes: object) -> facts.Month:
    """The month with its medical verdict changed."""
    assert month.judged is not None
    cells = tuple(
        replace(cell, **changes) if cell.insurance is Insurance.MEDICAL else cell  # type: ignore[arg-type]
        for cell in month.judged.cells
    )
    return replace(month, judged=replace(month.judged, cells=cells))


def test_xiaowangs_chain_breaks_at_the_record(october: facts.Month, ticket: facts.Ticket) -> None:
    found = links(ticket, october)
    assert [link.state for link in found] == [GREEN, GREEN, GREEN, GREEN, MISSING]
    assert [link.event_id for link in found] == [
        "event-1",
        "event-2",
        "event-3",
        "event-4",
        "event-4",
    ]
    assert broken(found) == [RECORD]
    assert found[0].detail == "代扣个人 190.00"
    assert found[1].detail == "应缴单位 836.00、个人 190.00"
    assert found[2].detail == "扣款 1,026.00，凭证 BK202410100001"


def test_a_chain_per_levy_period(october: facts.Month, ticket: facts.Ticket) -> None:
    later = facts.TicketItem("2024-11", Insurance.MEDICAL)
    found = chains(replace(ticket, items=(later, *ticket.items)), [october])
    assert [(chain.levy_period, len(chain.insurances)) for chain in found] == [
        ("2024-10", 2),
        ("2024-11", 1),
    ]
    assert broken(found[1].links) == [PAYSLIP]
    assert {link.state for link in found[1].links} == {MISSING}


@pytest.mark.parametrize(
    ("outcome", "name"),
    [
        (Outcome.DUPLICATE_DEBIT, DEBIT),
        (Outcome.DEBIT_DIFFERS, DEBIT),
        (Outcome.VERIFIED_DIFFERS, "申报回执"),
        (Outcome.ASSESSMENT_BLOCKED, "缴费明细"),
    ],
)
def test_a_verdict_points_at_its_link(
    october: facts.Month, ticket: facts.Ticket, outcome: Outcome, name: str
) -> None:
    found = links(ticket, with_verdict(october, outcome=outcome, reason="说明"))
    assert broken(found) == [name]
    assert {link.name: (link.state, link.detail) for link in found}[name] == (RED, "说明")


def test_another_sum_on_the_payslip(october: facts.Month, ticket: facts.Ticket) -> None:
    found = links(ticket, with_verdict(october, annotations=("WithheldDiffers",)))
    assert (found[0].state, found[0].broken_here) == (RED, True)
    assert [link.broken_here for link in found[1:]] == [False] * 4


def test_a_record_that_differs_is_red(october: facts.Month, ticket: facts.Ticket) -> None:
    assert october.bureau is not None
    rows = tuple(replace(row, stage="recorded") for row in october.bureau.rows)
    month = replace(with_verdict(october, outcome=Outcome.BASE_DIFFERS), bureau=facts.Bureau(rows))
    assert links(ticket, month)[4].state == RED


def test_what_the_bank_refused_is_red(october: facts.Month, ticket: facts.Ticket) -> None:
    assert october.posted is not None
    lines = tuple(
        replace(line, debit_state="refused", reason="余额不足") for line in october.posted.lines
    )
    found = links(ticket, replace(october, posted=replace(october.posted, lines=lines)))
    assert (found[2].state, found[2].detail) == (RED, "余额不足")
    assert broken(found) == [DEBIT]


def test_what_the_bureau_rejected_is_red(october: facts.Month, ticket: facts.Ticket) -> None:
    assert october.bureau is not None
    rows = tuple(replace(row, stage="rejected", reason="姓名不符") for row in october.bureau.rows)
    found = links(ticket, replace(october, bureau=facts.Bureau(rows)))
    assert (found[4].state, found[4].detail) == (RED, "姓名不符")


def test_a_blocked_assessment_says_what_is_missing(
    october: facts.Month, ticket: facts.Ticket
) -> None:
    assert october.assessed is not None
    lines = tuple(
        replace(line, state="blocked", reason="work_permit") for line in october.assessed.lines
    )
    found = links(ticket, replace(october, assessed=replace(october.assessed, lines=lines)))
    assert (found[1].state, found[1].detail) == (RED, "work_permit")
