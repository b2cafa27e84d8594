"""基数申报表: a campaign's members as a table to be filed with the collector: everyone, with a base
or the reason why there is none.

Names and identity numbers rest in payroll-svc: whoever files joins them by 工号.
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass

from contribution_svc.domain.base import Bound
from contribution_svc.domain.campaign import STATE_WORDS
from contribution_svc.domain.explanation import reason_said
from contribution_svc.errors import CampaignUnknown
from contribution_svc.files.listing import Cell
from contribution_svc.policy import Policies
from contribution_svc.store import base_members, campaigns
from contribution_svc.store.base_members import MemberRow
from contribution_svc.store.campaigns import Campaign
from shared.db import Connection
from shared.values import INSURANCE_WORDS, Insurance

_PAGE = 2_000
_BEFORE = ("单位社保账户", "统筹地区", "工号", "员工编号", "缴费年度", "起始费款所属期")
_WAGE = ("上年度月均工资", "月数")
_AFTER = ("确认状态", "员工意见", "单位答复", "说明")
_BOUND_WORDS = {Bound.WITHIN: "", Bound.FLOOR: "按下限", Bound.CEILING: "按上限"}


@dataclass(frozen=True, slots=True)
class CampaignExport:
    """What is to be written of a campaign: a column pair for each insurance of which anybody has a
    base, and one for those that hold from a levy period of their own on.
    """

    campaign: Campaign
    insurances: Sequence[Insurance]
    later: Sequence[Insurance]
    account_numbers: Mapping[str, str]
    policies: Policies

    def name(self) -> str:
        return f"{self.campaign.contribution_year}年度基数申报"

    def titles(self) -> list[str]:
        titles = [*_BEFORE, *_WAGE]
        for insurance in self.insurances:
            titles += [f"{INSURANCE_WORDS[insurance]}基数", f"{INSURANCE_WORDS[insurance]}上下限"]
        titles += [f"{INSURANCE_WORDS[insurance]}起始费款所属期" for insurance in self.later]
        return [*titles, *_AFTER]

    def cells(self, row: MemberRow) -> list[Cell]:
        base = row.member.base
        return [
            self.account_numbers.get(row.account_id, row.account_id),
            row.city,
            row.employee_no,
            row.employee_id,
            self.campaign.contribution_year,
            row.levy_period,
            *_figures(row, self.insurances),
            *(base.since.get(one, "") if base else "" for one in self.later),
            STATE_WORDS[row.member.state],
            row.member.answers.words,
            row.member.answers.reason,
            base.explanation if base else self._why_none(row),
        ]

    def _why_none(self, row: MemberRow) -> str:
        if not row.member.reason:
            return ""
        pack = self.policies.pack(row.city)
        return reason_said(row.member.reason, pack.national.reasons if pack else {})


async def campaign_export(conn: Connection, policies: Policies, campaign_id: str) -> CampaignExport:
    """CampaignUnknown."""
    campaign = await campaigns.campaign(conn, campaign_id)
    if campaign is None:
        raise CampaignUnknown(f"no campaign {campaign_id}")
    found = await base_members.insurances(conn, campaign_id)
    return CampaignExport(
        campaign,
        insurances=list(found),
        later=[insurance for insurance, is_later in found.items() if is_later],
        account_numbers=await campaigns.account_numbers(conn, campaign.employer_id),
        policies=policies,
    )


async def exported_rows(
    conn: Connection, export: CampaignExport
) -> AsyncIterator[Sequence[Sequence[Cell]]]:
    """By employee id, in pages."""
    campaign_id, after = export.campaign.campaign_id, ""
    while page := await base_members.members(conn, campaign_id, "", after, _PAGE):
        yield [export.cells(row) for row in page]
        after = page[-1].employee_id


def _figures(row: MemberRow, insurances: Sequence[Insurance]) -> list[Cell]:
    base = row.member.base
    if base is None:
        return ["", "", *("" for _ in insurances for _ in range(2))]
    cells: list[Cell] = [base.average_fen, str(base.months)]
    for insurance in insurances:
        fen = base.bases_fen.get(insurance)
        cells += ["", ""] if fen is None else [fen, _BOUND_WORDS[base.bounds[insurance]]]
    return cells
