"""The card of one month: each insurance with base, amounts, voucher, and the verdict as told."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from portal_svc.domain.facts import (
    AssessedLine,
    Authority,
    BureauRow,
    Employer,
    Month,
    PostedLine,
    Verdict,
)
from shared.values import ANOMALIES, INSURANCE_WORDS, OUTCOME_WORDS, Insurance, Outcome

_CHINA = ZoneInfo("Asia/Shanghai")
_SHOWN_DIGITS = 4
NO_VERDICT_WORD = "核对中"


@dataclass(frozen=True, slots=True)
class Voucher:
    """银行扣款凭证, as much of it as an employee is shown."""

    statement_id: str
    voucher: str
    account_masked: str


@dataclass(frozen=True, slots=True)
class InsuranceView:
    """One insurance of a month. Fen and millionths; None and empty where no fact has come yet.

    `status` is the verdict's code, empty before the first one; `status_word` its word for people.
    `waits_until` is when the verdict's window ends, closures of the authority counted;
    `closed_until` when the authority opens again, both empty where there is nothing to wait for.
    Base and amounts are those of all lines together, the rates the newest line's; `supplements` are
    sentences, one for each that a supplementary declaration has added (补差, 补缴).
    """

    insurance: Insurance
    name: str
    base_fen: int | None
    employer_fen: int | None
    employee_fen: int | None
    employer_ppm: int | None
    employee_ppm: int | None
    status: str
    status_word: str
    reason: str
    debited_on: str
    voucher: Voucher | None
    arrived_on: str
    extra: bool
    waits_until: str = ""
    closed_until: str = ""
    supplements: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class MonthCard:
    """One employee's levy period; `cells` are the required ones, `arrived` those 已到账.

    `policy_warnings` are sentences, of figures that are unverified, disputed or provisional.
    """

    employee_id: str
    levy_period: str
    summary: str
    cells: int
    arrived: int
    insurances: tuple[InsuranceView, ...]
    base_explanation: str
    updated_at: str
    updated_text: str
    policy_warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Line:
    """What each side says of one insurance."""

    insurance: Insurance
    assessed: tuple[AssessedLine, ...]
    posted: PostedLine | None
    row: BureauRow | None
    verdict: Verdict | None


def lines_of(month: Month) -> tuple[Line, ...]:
    """One line per insurance that any side names, in the order of the insurances."""
    assessed = month.assessed.lines if month.assessed else ()
    posted = {line.insurance: line for line in (month.posted.lines if month.posted else ())}
    rows = {row.insurance: row for row in (month.bureau.rows if month.bureau else ())}
    verdicts = {cell.insurance: cell for cell in (month.judged.cells if month.judged else ())}
    named = {line.insurance for line in assessed} | posted.keys() | rows.keys() | verdicts.keys()
    return tuple(
        Line(
            insurance,
            tuple(line for line in assessed if line.insurance == insurance),
            posted.get(insurance),
            rows.get(insurance),
            verdicts.get(insurance),
        )
        for insurance in Insurance
        if insurance in named
    )


def month_card(
    month: Month, employer: Employer | None, authorities: Sequence[Authority] = ()
) -> MonthCard:
    """The card as the employee, and HR, see it."""
    closed = {one.authority: one.until for one in authorities if one.state == "closed"}
    lines = lines_of(month)
    required = [line.verdict for line in lines if line.verdict and _is_required(line.verdict)]
    arrived = sum(verdict.outcome is Outcome.ARRIVED for verdict in required)
    updated_at, updated_text = _updated(month)
    return MonthCard(
        employee_id=month.employee_id,
        levy_period=month.levy_period,
        summary=_summary(required, arrived, judged=month.judged is not None),
        cells=len(required),
        arrived=arrived,
        insurances=tuple(_view(line, _account_masked(month, employer), closed) for line in lines),
        base_explanation=month.assessed.base_explanation if month.assessed else "",
        updated_at=updated_at,
        updated_text=updated_text,
        policy_warnings=month.assessed.policy_warnings if month.assessed else (),
    )


def _is_required(verdict: Verdict) -> bool:
    return not verdict.extra and verdict.outcome is not Outcome.NOT_REQUIRED


def _summary(required: list[Verdict], arrived: int, *, judged: bool) -> str:
    """5 项中 2 项未到账: the anomalies by their word if they share one, else what has arrived."""
    if not required:
        return OUTCOME_WORDS[Outcome.NOT_REQUIRED] if judged else NO_VERDICT_WORD
    wrong = [verdict.outcome for verdict in required if verdict.outcome in ANOMALIES]
    if wrong:
        words = {OUTCOME_WORDS[outcome] for outcome in wrong}
        return f"{len(required)} 项中 {len(wrong)} 项{words.pop() if len(words) == 1 else '异常'}"
    if arrived == len(required):
        return f"{arrived} 项均已到账"
    return f"{len(required)} 项中 {arrived} 项已到账"


def _view(line: Line, account_masked: str, closed: Mapping[str, str]) -> InsuranceView:
    due = [one for one in line.assessed if one.state == "due"]
    newest = (due or line.assessed)[-1] if line.assessed else None
    added = [one for one in due if one.kind != "regular"]
    verdict, posted, row = line.verdict, line.posted, line.row
    waits = verdict is not None and verdict.outcome is Outcome.AWAITING_RECORD
    authority = line.assessed[0].authority if line.assessed else ""
    return InsuranceView(
        insurance=line.insurance,
        name=INSURANCE_WORDS[line.insurance],
        base_fen=sum(one.base_fen for one in due) if line.assessed else None,
        employer_fen=sum(one.employer_fen for one in due) if line.assessed else None,
        employee_fen=sum(one.employee_fen for one in due) if line.assessed else None,
        employer_ppm=newest.employer_ppm if newest else None,
        employee_ppm=newest.employee_ppm if newest else None,
        status=verdict.outcome.value if verdict else "",
        status_word=OUTCOME_WORDS[verdict.outcome] if verdict else NO_VERDICT_WORD,
        reason=verdict.reason if verdict else "",
        debited_on=posted.debited_on if posted else "",
        voucher=Voucher(posted.statement_id, posted.voucher, account_masked)
        if posted and posted.voucher
        else None,
        arrived_on=row.recorded_on if row and row.stage == "recorded" else "",
        extra=verdict.extra if verdict else False,
        waits_until=verdict.window_ends_at if verdict and waits else "",
        closed_until=closed.get(authority, "") if waits else "",
        supplements=tuple(one.reason for one in added if one.reason),
    )


def _account_masked(month: Month, employer: Employer | None) -> str:
    account_id = month.assessed.account_id if month.assessed else ""
    for account in employer.accounts if employer else ():
        if account.account_id == account_id:
            return "****" + account.bank_account_ref[-_SHOWN_DIGITS:]
    return ""


def _updated(month: Month) -> tuple[str, str]:
    """When what is shown was last looked at, and by whom: never more recent than it is."""
    looked = [row.looked_up_at for row in (month.bureau.rows if month.bureau else ())]
    if newest := max(filter(None, looked), default="", key=_moment):
        return newest, f"数据更新于 {china_text(newest)}（社保局回执）"
    if month.judged:
        return (
            month.judged.judged_at,
            f"数据更新于 {china_text(month.judged.judged_at)}（系统核对）",
        )
    return "", ""


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text)


def china_text(moment: str) -> str:
    """RFC 3339 to the minute in Asia/Shanghai: 2024-10-17 08:00."""
    return _moment(moment).astimezone(_CHINA).strftime("%Y-%m-%d %H:%M")


def china_day_text(moment: str) -> str:
    """RFC 3339 to a day for people, in Asia/Shanghai: 10月17日."""
    day = _moment(moment).astimezone(_CHINA)
    return f"{day.month}月{day.day}日"
