"""A campaign's members as a table to be filed: everyone, with a base or the reason why there is
none.
"""

from collections.abc import Sequence
from decimal import Decimal

from contribution_svc.domain.base import Bound
from contribution_svc.domain.campaign import STATE_WORDS
from contribution_svc.errors import CampaignUnknown
from contribution_svc.files.base_export import Cell, Sheet
from contribution_svc.store import base_members, campaigns
from contribution_svc.store.base_members import MemberRow
from shared.db import Connection
from shared.values import INSURANCE_WORDS, Insurance

_PAGE = 2_000
_BEFORE = ("单位社保账户", "统筹地区", "工号", "员工编号", "缴费年度", "起始费款所属期")
_WAGE = ("上年度月均工资", "月数")
_AFTER = ("确认状态", "员工意见", "单位答复", "说明")
_BOUND_WORDS = {Bound.WITHIN: "", Bound.FLOOR: "按下限", Bound.CEILING: "按上限"}


async def campaign_sheet(conn: Connection, campaign_id: str) -> Sheet:
    """By employee id. CampaignUnknown."""
    campaign = await campaigns.campaign(conn, campaign_id)
    if campaign is None:
        raise CampaignUnknown(f"no campaign {campaign_id}")
    rows: list[MemberRow] = []
    while len(page := await _page(conn, campaign_id, rows)) == _PAGE:
        rows += page
    rows += page
    bases = [row.member.base for row in rows if row.member.base is not None]
    insurances = [one for one in Insurance if any(one in base.bases_fen for base in bases)]
    later = [one for one in insurances if any(one in base.since for base in bases)]
    accounts = await campaigns.account_numbers(conn, campaign.employer_id)
    columns = [*_BEFORE, *_WAGE]
    for insurance in insurances:
        columns += [f"{INSURANCE_WORDS[insurance]}基数", f"{INSURANCE_WORDS[insurance]}上下限"]
    columns += [f"{INSURANCE_WORDS[insurance]}起始费款所属期" for insurance in later]
    return Sheet(
        name=f"{campaign.contribution_year}年度基数申报",
        columns=[*columns, *_AFTER],
        rows=[
            [
                accounts.get(row.account_id, row.account_id),
                row.city,
                row.employee_no,
                row.employee_id,
                campaign.contribution_year,
                row.levy_period,
                *_figures(row, insurances),
                *(row.member.base.since.get(one) if row.member.base else None for one in later),
                STATE_WORDS[row.member.state],
                row.member.answers.words,
                row.member.answers.reason,
                row.member.base.explanation if row.member.base else row.member.reason,
            ]
            for row in rows
        ],
    )


async def _page(conn: Connection, campaign_id: str, before: Sequence[MemberRow]) -> list[MemberRow]:
    after = before[-1].employee_id if before else ""
    return await base_members.members(conn, campaign_id, "", after, _PAGE)


def _figures(row: MemberRow, insurances: Sequence[Insurance]) -> list[Cell]:
    base = row.member.base
    if base is None:
        return [None, None, *(None for _ in insurances for _ in range(2))]
    cells: list[Cell] = [_yuan(base.average_fen), str(base.months)]
    for insurance in insurances:
        fen = base.bases_fen.get(insurance)
        cells += [
            _yuan(fen) if fen is not None else None,
            _BOUND_WORDS[base.bounds[insurance]] if fen is not None else None,
        ]
    return cells


def _yuan(fen: int) -> Decimal:
    return Decimal(fen) / 100
