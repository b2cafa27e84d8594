"""Payslips are told to their employees: once when a month's is issued, and each correction."""

from collections.abc import Sequence
from datetime import datetime

from notify_svc import store
from notify_svc.domain.payslips import Payslip, changes_text
from notify_svc.domain.words import months_text
from notify_svc.usecases.telling import Message, Voice, tell
from shared.db import Connection


async def take_payslips(
    conn: Connection, voice: Voice, payslips: Sequence[Payslip], now: datetime
) -> None:
    """Amounts stay out of mails: what a correction changed is said in the inbox alone.

    What is older than what is known, and a version of which nothing before it is known, changes
    nothing that could be said.
    """
    known = await store.payslips.known(conn, payslips)
    messages: list[Message] = []
    for slip in sorted(payslips, key=lambda slip: slip.version):
        key = (slip.employee_id, slip.levy_period)
        before = known.get(key)
        if before is None:
            messages.append(_message(slip, "payslip_issued", "issued"))
        elif before.version >= slip.version:
            continue
        elif changes := changes_text(before, slip):
            transition = f"corrected {slip.version}"
            messages.append(_message(slip, "payslip_corrected", transition, changes))
        known[key] = slip
    await store.payslips.save(conn, list(known.values()))
    await tell(conn, voice, messages, now)


def _message(slip: Payslip, template: str, transition: str, changes: str = "") -> Message:
    return Message(
        employer_id=slip.employer_id,
        employee_id=slip.employee_id,
        recipient_kind="employee",
        recipient=slip.employee_id,
        template=template,
        cause=f"payslip/{slip.employee_id}/{slip.levy_period}",
        transition=transition,
        cause_event=slip.cause_event,
        params={"month": months_text([slip.levy_period]), "changes": changes},
    )
