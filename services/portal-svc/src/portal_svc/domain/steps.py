"""The way of one insurance from the payslip to the record, and one sentence of plain advice."""

from collections.abc import Sequence
from dataclasses import dataclass

from portal_svc.domain.facts import (
    Authority,
    BureauRow,
    Declaration,
    Month,
    Policy,
    Ticket,
    Verdict,
)
from portal_svc.domain.months import Line, china_day_text, lines_of
from shared.values import ANOMALIES, INSURANCE_WORDS, OUTCOME_WORDS, Insurance, Outcome

DONE = "done"
WAITING = "waiting"
FAILED = "failed"
UNCLEAR = "unclear"

_TICKET_OVER = ("resolved", "closed")


@dataclass(frozen=True, slots=True)
class Step:
    """One of five steps; `at` is a day or RFC 3339, empty while unknown, `source` who says so."""

    name: str
    state: str
    at: str = ""
    source: str = ""


@dataclass(frozen=True, slots=True)
class InsuranceSteps:
    insurance: Insurance
    name: str
    steps: tuple[Step, ...]


def month_steps(
    month: Month, declaration: Declaration | None, policy: Policy | None
) -> tuple[InsuranceSteps, ...]:
    """已代扣, 已申报核定, 银行已扣款, 明细已转交, 已到账: for each insurance of the month."""
    return tuple(
        InsuranceSteps(
            line.insurance,
            INSURANCE_WORDS[line.insurance],
            (
                _withheld(month),
                _verified(line.row, declaration),
                _debited(line),
                _passed_on(line.row, policy),
                _arrived(line.row, line.verdict),
            ),
        )
        for line in lines_of(month)
    )


def _withheld(month: Month) -> Step:
    if month.payslip is None:
        return Step("已代扣", WAITING)
    return Step("已代扣", DONE, month.payslip.payday, "工资条")


def _verified(row: BureauRow | None, declaration: Declaration | None) -> Step:
    """The time is that of the collector's answer; of the approval, where an older row has none."""
    name = "已申报核定"
    if row is None:
        return Step(name, WAITING)
    if row.verified_employer_fen is not None:
        if row.verified_at:
            return Step(name, DONE, row.verified_at, "税务核定结果")
        approved_at = declaration.approved_at if declaration else ""
        return Step(name, DONE, approved_at, "申报批准时间，税务已核定")
    return Step(name, FAILED if row.stage == "rejected" else WAITING, source=row.reason)


def _debited(line: Line) -> Step:
    name, posted = "银行已扣款", line.posted
    if posted is None:
        return Step(name, WAITING)
    if posted.debit_state == "posted":
        return Step(name, DONE, posted.debited_on, f"银行回单 {posted.voucher}")
    state = UNCLEAR if posted.debit_state == "unknown" else FAILED
    return Step(name, state, posted.debited_on, posted.reason or "银行对账单")


def _passed_on(row: BureauRow | None, policy: Policy | None) -> Step:
    """What the authority accepted was passed on, whatever it recorded. Where the collector passes
    it on, a bureau that shows no record says nothing about whether it holds the detail: *unclear*.
    """
    name = "明细已转交"
    if row is not None and row.passed_on_at:
        return Step(name, DONE, row.passed_on_at, f"{row.authority} 受理回执")
    by_us = policy is None or policy.passes_detail_on
    if row is None or row.stage in ("filed", "verified"):
        return Step(name, WAITING, source="" if by_us else "由税务部门转交")
    if row.stage in ("accepted", "in_transit", "recorded"):
        return Step(name, DONE, source=f"{row.authority} 受理回执" if by_us else "由税务部门转交")
    return Step(name, FAILED if row.stage == "rejected" else UNCLEAR, source=row.reason)


def _arrived(row: BureauRow | None, verdict: Verdict | None) -> Step:
    name = "已到账"
    source = f"{row.authority} 缴费记录" if row else ""
    if verdict is None:
        return Step(name, WAITING)
    if verdict.outcome is Outcome.ARRIVED:
        return Step(name, DONE, row.recorded_on if row else "", source)
    if verdict.outcome in ANOMALIES:
        return Step(name, FAILED, row.looked_up_at if row else "", source)
    return Step(name, WAITING, row.looked_up_at if row else "", source)


def advice(month: Month, tickets: Sequence[Ticket], authorities: Sequence[Authority]) -> str:
    """One sentence: what is going on, and what the employee should, or should not, do."""
    verdicts = month.judged.cells if month.judged else ()
    if not verdicts:
        return "本月数据正在核对，请稍后再看。"
    wrong = [verdict for verdict in verdicts if verdict.outcome in ANOMALIES]
    if wrong:
        return _about_anomalies(month, wrong, tickets, authorities)
    if all(one.outcome in (Outcome.ARRIVED, Outcome.NOT_REQUIRED) for one in verdicts):
        return "本月记录均已到账，无需处理。"
    waiting = [one for one in verdicts if one.outcome is Outcome.AWAITING_RECORD]
    if latest := max(filter(None, (one.window_ends_at for one in waiting)), default=""):
        until = _until(waiting, month, authorities)
        return (
            f"银行已扣款，社保局正在记账，预计 {china_day_text(latest)}前可查，请耐心等待{until}。"
        )
    return "本月缴费正在办理，无需处理。"


def _about_anomalies(
    month: Month,
    wrong: Sequence[Verdict],
    tickets: Sequence[Ticket],
    authorities: Sequence[Authority],
) -> str:
    outcomes = {verdict.outcome for verdict in wrong}
    names = "、".join(INSURANCE_WORDS[verdict.insurance] for verdict in wrong)
    word = OUTCOME_WORDS[outcomes.pop()] if len(outcomes) == 1 else "有异常"
    sentence = f"{names}{word}，{_who_acts(month, tickets)}"
    if Outcome.RECORD_MISSING in {verdict.outcome for verdict in wrong}:
        sentence += "；钱款已扣，请勿自行重复缴纳"
    return sentence + _until(wrong, month, authorities) + "。"


def _who_acts(month: Month, tickets: Sequence[Ticket]) -> str:
    for ticket in tickets:
        months = {item.levy_period for item in ticket.items}
        if month.levy_period in months and ticket.state not in _TICKET_OVER:
            return f"HR 已在处理（工单 {ticket.number}）"
    return "HR 已收到提醒，如有疑问可上报异常"


def _until(wrong: Sequence[Verdict], month: Month, authorities: Sequence[Authority]) -> str:
    concerned = {verdict.insurance for verdict in wrong}
    records = {
        line.authority
        for line in (month.assessed.lines if month.assessed else ())
        if line.insurance in concerned
    }
    for authority in authorities:
        if authority.authority in records and authority.state != "open" and authority.until:
            return f"；社保局公告暂停至 {china_day_text(authority.until)}"
    return ""
