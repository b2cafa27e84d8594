"""退费: applying for what an account month paid too much, and closing it with the collector's
answer.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from contribution_svc.domain.refund import Refund, RefundState
from contribution_svc.errors import (
    AccountUnknown,
    NothingToRefund,
    RefundDayToCome,
    RefundNotReady,
    RefundUnknown,
)
from contribution_svc.policy import Policies
from contribution_svc.store import refunds, roster, supplements
from contribution_svc.usecases.supplement import Carried, carried_of
from contribution_svc.usecases.told_arrears import refund_changed
from shared import outbox
from shared.clock import china_day
from shared.db import Connection
from shared.refusal import FieldFault
from shared.values import derived_id


@dataclass(frozen=True, slots=True)
class Application:
    """The document by which an account month's refunds are applied for."""

    account_id: str
    levy_period: str
    document_no: str


async def request_refunds(
    conn: Connection, policies: Policies, made: Application, by: str, now: datetime
) -> list[Refund]:
    """One refund for each employee of whom too much was paid and nothing is applied for yet.

    Raises AccountUnknown, RefundNotReady while somebody is still to be compared, NothingToRefund.
    """
    if await roster.account_seen(conn, made.account_id) is None:
        raise AccountUnknown(f"no insurance account {made.account_id}")
    found = await supplements.of_account(conn, made.account_id, made.levy_period, lock=True)
    # What was just refunded stands among the proposals until then, and would be asked for again.
    if waiting := sum(one.waits for one in found if one.proposed is not None):
        raise RefundNotReady(
            f"{waiting} employees of {made.levy_period} are still being compared; try again"
        )
    before = await refunds.newest(conn, made.account_id, made.levy_period)
    requested = [
        _requested(one, before.get(one.assessment.employee_id), made, by, now)
        for one in carried_of(policies, found, china_day(now))
        if one.refunds and not _is_asked(one, before.get(one.assessment.employee_id))
    ]
    if not requested:
        raise NothingToRefund(
            f"nothing that was paid too much for {made.levy_period} is left to be applied for"
        )
    await _put(conn, requested, now)
    return requested


def _is_asked(one: Carried, before: Refund | None) -> bool:
    return before is not None and before.is_waiting_for(one.refunds)


def _requested(
    one: Carried, before: Refund | None, made: Application, by: str, now: datetime
) -> Refund:
    if before is not None and before.state is not RefundState.REFUNDED:
        return before.requested_again(one.refunds, made.document_no, by, now)
    row, number = one.assessment, before.number + 1 if before is not None else 1
    return Refund(
        refund_id=str(derived_id("refund", row.employee_id, row.levy_period, number)),
        employer_id=row.employer_id,
        account_id=row.account_id,
        employee_id=row.employee_id,
        levy_period=row.levy_period,
        number=number,
        lines=one.refunds,
        document_no=made.document_no,
        requested_by=by,
        requested_at=now,
    )


async def answer_refund(
    conn: Connection,
    refund_id: str,
    refunded_fen: int | None,
    refunded_on: date | None,
    reason: str,
    by: str,
    now: datetime,
) -> Refund:
    """What came back, and when; None: the collector refused, for a reason. What was refunded as it
    was applied for is paid too much no longer.

    Raises RefundUnknown, RefundAnsweredAlready, RefundDayToCome.
    """
    today = china_day(now)
    if refunded_on is not None and refunded_on > today:
        fault = FieldFault("/refunded_on", str(refunded_on), f"expected {today} or earlier")
        raise RefundDayToCome(
            "a refund is answered on the day when it has come, or later", (fault,)
        )
    refund = await refunds.locked(conn, refund_id)
    if refund is None:
        raise RefundUnknown(f"no refund {refund_id}")
    answered = refund.answered(refunded_fen, refunded_on, reason, by, now)
    await _put(conn, [answered], now)
    await supplements.compare_people(conn, [refund.employee_id], now)
    return answered


async def _put(conn: Connection, changed: Sequence[Refund], now: datetime) -> None:
    await refunds.put(conn, changed)
    await outbox.add(conn, [refund_changed(one) for one in changed], now)
