"""What the campaign's doors take and give: bodies and views."""

import unicodedata
from datetime import date, datetime
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from contribution_svc.api.callers import Day
from contribution_svc.domain.campaign import MemberState
from contribution_svc.store.base_members import MemberRow
from contribution_svc.usecases.campaign import Compared, Progress
from shared.http_writes import cursor_of

_LONGEST_TEXT = 2_000


def writing(text: str) -> str:
    """Refuses what is no writing: control characters (PostgreSQL cannot keep U+0000), lone
    surrogates.
    """
    kinds = {unicodedata.category(mark) for mark in text if mark not in "\n\t"}
    if kinds & {"Cc", "Cs"}:
        raise ValueError("control characters are not text; send plain text with line breaks")
    return text


Writing = Annotated[str, Field(min_length=1, max_length=_LONGEST_TEXT), AfterValidator(writing)]


class CampaignIn(BaseModel):
    """Everyone on the roster in a first month of the contribution year takes part."""

    model_config = ConfigDict(extra="forbid")

    employer_id: str = Field(max_length=64)
    contribution_year: int = Field(ge=2000, le=2100, strict=True, examples=[2025])
    confirm_by: Day = Field(description="The last day for employees.", examples=["2025-06-20"])


class CampaignOut(BaseModel):
    """A campaign and how far it is: members by state."""

    campaign_id: str
    employer_id: str
    contribution_year: str = Field(examples=["2025"])
    confirm_by: date
    opened_by: str
    opened_at: datetime
    closed_at: datetime | None
    filling: bool = Field(description="The roster is still being read.")
    people: dict[MemberState, int] = Field(examples=[{"confirmed": 950, "disputed": 3}])


class MemberOut(BaseModel):
    """One employee's base of the coming contribution year, or why there is none."""

    campaign_id: str
    employee_id: str
    employee_no: str
    city: str
    levy_period: str = Field(examples=["2025-07"], description="From which it holds.")
    since: dict[str, str] = Field(
        description="The insurances whose base holds from a later levy period on.",
        examples=[{"housing_fund": "2026-07"}],
    )
    confirm_by: date
    state: MemberState
    version: int = Field(description="To be named when it is confirmed or disputed.")
    average_fen: int = Field(examples=[950_000])
    months: int
    rule: str = Field(examples=["last_year_average"])
    bases_fen: dict[str, int] = Field(examples=[{"medical": 950_000}])
    bounds: dict[str, str] = Field(examples=[{"medical": "within"}])
    explanation: str
    warnings: list[str]
    reason: str = Field(description="Why there is no base.", examples=["wage_history_missing"])
    words: str = Field(description="What the employee wrote.")
    answer: str = Field(description="What HR answered.")
    answered_by: str
    changed_at: datetime | None


class ConfirmIn(BaseModel):
    """`version` is that of the base that the employee has seen."""

    model_config = ConfigDict(extra="forbid")

    version: int = Field(ge=0, strict=True)


class DisputeIn(ConfirmIn):
    words: Writing = Field(examples=["去年3月的奖金没有计入"])


class AnswerIn(BaseModel):
    """`correct`: the wages are to be corrected, in payroll, and the base is computed again; `keep`:
    it stays, for the reason.
    """

    model_config = ConfigDict(extra="forbid")

    decision: Literal["correct", "keep"]
    reason: Writing = Field(examples=["奖金已计入4月，请见工资明细"])


class DifferenceOut(BaseModel):
    insurance: str
    ours_fen: int
    verified_fen: int
    difference_fen: int = Field(description="Verified less ours.")
    why: str = Field(examples=["at_bound"])
    said: str


class MemberDiffersOut(BaseModel):
    employee_id: str
    employee_no: str
    levy_period: str = Field(description="The newest month that was verified.")
    differences: list[DifferenceOut]


class ComparedOut(BaseModel):
    """One page of members beside what the collector verified."""

    differing: list[MemberDiffersOut]
    agreeing: int
    waiting: int = Field(description="Members of this page of whom nothing was verified yet.")
    next_cursor: str | None


def campaign_out(found: Progress) -> CampaignOut:
    campaign = found.campaign
    return CampaignOut(
        campaign_id=campaign.campaign_id,
        employer_id=campaign.employer_id,
        contribution_year=campaign.contribution_year,
        confirm_by=campaign.confirm_by,
        opened_by=campaign.opened_by,
        opened_at=campaign.opened_at,
        closed_at=campaign.closed_at,
        filling=campaign.fill_at is not None,
        people=dict(found.people),
    )


def member_out(row: MemberRow) -> MemberOut:
    member, base = row.member, row.member.base
    return MemberOut(
        campaign_id=row.campaign_id,
        employee_id=row.employee_id,
        employee_no=row.employee_no,
        city=row.city,
        levy_period=row.levy_period,
        since={str(i): period for i, period in base.since.items()} if base else {},
        confirm_by=row.confirm_by,
        state=member.state,
        version=member.version,
        average_fen=base.average_fen if base else 0,
        months=base.months if base else 0,
        rule=base.rule if base else "",
        bases_fen={str(i): fen for i, fen in base.bases_fen.items()} if base else {},
        bounds={str(i): str(bound) for i, bound in base.bounds.items()} if base else {},
        explanation=base.explanation if base else "",
        warnings=list(base.warnings) if base else [],
        reason=member.reason,
        words=member.answers.words,
        answer=member.answers.reason,
        answered_by=member.answers.answered_by,
        changed_at=row.changed_at,
    )


def compared_out(found: Compared) -> ComparedOut:
    return ComparedOut(
        differing=[
            MemberDiffersOut(
                employee_id=one.employee_id,
                employee_no=one.employee_no,
                levy_period=one.levy_period,
                differences=[
                    DifferenceOut(
                        insurance=each.insurance,
                        ours_fen=each.ours_fen,
                        verified_fen=each.verified_fen,
                        difference_fen=each.difference_fen(),
                        why=each.why,
                        said=each.said,
                    )
                    for each in one.differences
                ],
            )
            for one in found.differing
        ],
        agreeing=found.agreeing,
        waiting=found.waiting,
        next_cursor=cursor_of(found.last) if found.last else None,
    )
