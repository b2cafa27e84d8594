"""Reading payslips, where their figures come from, and what people say of them."""

from datetime import datetime

from payroll_svc.domain.explanations import ITEM, Explanation, explained, figures_of, with_words
from payroll_svc.domain.payroll_run import CORRECTION
from payroll_svc.domain.payslip import ANSWERED, Payslip, Reply, may_follow
from payroll_svc.errors import ReplyOutOfTurn
from payroll_svc.store import imported_payslips as imported_store
from payroll_svc.store import payslips as payslips_store
from payroll_svc.store import runs as runs_store
from payroll_svc.usecases.entered import tell_replies
from payroll_svc.usecases.identities import Keys
from payroll_svc.usecases.origins import origins_of
from shared.db import Connection
from shared.refusal import NotFound


async def payslips_of(
    conn: Connection,
    employer_id: str | None,
    levy_period: str | None,
    before: tuple[str, ...] | None,
    limit: int,
) -> list[Payslip]:
    """One page of what the caller may see, the newest levy period first."""
    return await payslips_store.payslips_page(conn, employer_id, levy_period, before, limit)


async def payslip_of(
    conn: Connection, run_id: str, employee_id: str
) -> tuple[Payslip, list[Reply]]:
    """One payslip and what was said of it; NotFound if there is none that the caller may see."""
    slip = await payslips_store.payslip(conn, run_id, employee_id)
    return slip, await payslips_store.replies_to(conn, run_id, employee_id)


async def explain_figure(
    conn: Connection, run_id: str, employee_id: str, figure: str, with_origins: bool
) -> Explanation:
    """Where one figure of the payslip comes from, if wanted with who entered what an item rests on
    or which file brought it; NotFound names the figures that it has.
    """
    slip = await payslips_store.payslip(conn, run_id, employee_id)
    found = explained(slip, figure)
    if found is None:
        known = ", ".join(figures_of(slip))
        raise NotFound(f"The payslip has no figure {figure}; it has {known}.")
    if with_origins and figure.startswith(ITEM):
        return with_words(found, await origins_of(conn, slip, figure.removeprefix(ITEM)))
    return found


async def reply_to_payslip(
    conn: Connection,
    keys: Keys,
    run_id: str,
    employee_id: str,
    kind: str,
    words: str,
    by: str,
    at: datetime,
    correction_run_id: str | None = None,
) -> list[Reply]:
    """Keeps what is said of a payslip, which stays as it is: a dispute leads to an answer in words
    or to a correction run. ReplyOutOfTurn when what was said before does not allow it.
    """
    slip, replies = await payslip_of(conn, run_id, employee_id)
    if not may_follow(replies, kind):
        last = replies[-1].kind if replies else "nothing"
        raise ReplyOutOfTurn(f"The last word on this payslip is {last}; {kind} cannot follow it.")
    if kind == ANSWERED and correction_run_id is not None:
        await _refuse_other_run(conn, slip, correction_run_id)
    reply = Reply(employee_id, run_id, len(replies) + 1, kind, words, by, at, correction_run_id)
    if not await payslips_store.add_reply(conn, slip.employer_id, reply):
        raise ReplyOutOfTurn("Somebody else replied in this moment; read it first.")
    await tell_replies(conn, keys, slip.employer_id, [*replies, reply], at)
    return [*replies, reply]


async def _refuse_other_run(conn: Connection, slip: Payslip, correction_run_id: str) -> None:
    run = await runs_store.run(conn, correction_run_id)
    if run.kind != CORRECTION or run.levy_period != slip.levy_period:
        raise ReplyOutOfTurn(
            f"The run {correction_run_id} does not correct {slip.levy_period}; name one that does."
        )


async def disputes_of(conn: Connection, employer_id: str, limit: int) -> list[Reply]:
    """Disputes that nobody has answered yet, the oldest first."""
    return await payslips_store.open_disputes(conn, employer_id, limit)


async def sums_of(
    conn: Connection, employer_id: str, levy_period: str
) -> dict[str, tuple[int, int]]:
    """(employer fen, employee fen) per insurance: of runs here and of the company's own payroll; no
    month is paid by both, though a run may withhold late what an imported month left out.
    """
    sums = await payslips_store.withheld_sums(conn, employer_id, levy_period)
    imported = await imported_store.withheld_sums(conn, employer_id, levy_period)
    for insurance, (employer_fen, employee_fen) in imported.items():
        late = sums.get(insurance, (0, 0))
        sums[insurance] = (employer_fen + late[0], employee_fen + late[1])
    return sums
