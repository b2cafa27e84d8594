"""The one sentence that tells people why a cell is in its outcome: facts, amounts, and what is
missing, in Chinese.
"""

from collections.abc import Callable
from zoneinfo import ZoneInfo

from reconciliation_svc.domain.sides import CellSides
from reconciliation_svc.domain.windows import Authority
from shared.values import Outcome, fen_text

MISSING_WORDS = {
    "documents_missing": "缺少证件",
    "first_wage_unknown": "首月工资未知",
    "wage_history_missing": "缺少上年度工资",
    "person_kind_unknown": "人员类别未知",
    "own_rate_unknown": "单位自有费率未登记（工伤行业类别与浮动、公积金比例）",
    "own_rate_outside_policy": "单位自有费率超出当地政策允许的范围",
    "household_unknown": "户籍未登记，不知是否参加地方补充养老保险",
    "retired_rehired": "退休返聘，无需参保",
    "intern": "在校学生实习，不是劳动关系，无需参保",
    "part_time_work_injury_only": "非全日制用工，只参加工伤保险",
    "insured_elsewhere": "已由其他单位参保，本单位只缴工伤保险",
    "dispatched": "劳务派遣，由派遣单位参保",
    "treaty_exempt": "依双边社会保障协定免缴",
    "insured_at_home": "已在港澳台参保并有证明，免缴养老与失业保险",
    "fund_not_for_foreigners": "外籍员工不在住房公积金强制缴存之列",
    "not_local_household": "非本市户籍，不参加地方补充养老保险",
    "not_on_roster": "当月不在名册",
    "work_permit": "工作许可",
    "residence_permit": "居留许可",
    "id_card": "身份证",
    "labour_contract": "劳动合同",
}
"""Words for the codes with which an assessment says what is missing; a code that is not here is
shown as it is.
"""


FACTS_PARKED = "facts_parked"
"""The head of a reason code: what is missing has come, and could not be taken in."""

_WAITS_FOR_OPERATOR = "已收到但未能入账，等待运维处理"
_SIDE_WORDS = {
    "assessed": "应缴数据",
    "posted": "扣款数据",
    "bureau": "经办机构回执",
    "withheld": "代扣数据",
}
_CHINA = ZoneInfo("Asia/Shanghai")


def reason_of(outcome: Outcome, sides: CellSides, authority: Authority, *, late: bool) -> str:
    """One sentence in Chinese. `late`: the debit came after the due day."""
    sentence = _REASONS[outcome](sides)
    if late and sides.posted is not None:
        fee = fen_text(sides.posted.late_fee_fen)
        sentence += f"；扣款晚于应缴日，滞纳金 {fee} 元由单位承担"
    if outcome is Outcome.AWAITING_RECORD and authority.state == "closed":
        sentence += f"；经办机构停机{_until(authority)}，等待期顺延"
    if sides.waiting and outcome is not Outcome.ASSESSMENT_BLOCKED:
        sentence += f"；{_waiting(sides)}"
    return sentence


def _until(authority: Authority) -> str:
    if authority.closed_until is None:
        return ""
    at = authority.closed_until.astimezone(_CHINA)
    return f"至{at.month}月{at.day}日 {at:%H:%M}"


def _waiting(sides: CellSides) -> str:
    names = "、".join(word for side, word in _SIDE_WORDS.items() if side in sides.waiting)
    return f"{names}{_WAITS_FOR_OPERATOR}"


def words_of(code: str) -> str:
    """`documents_missing:work_permit,id_card` -> `缺少证件：工作许可、身份证`."""
    head, _, rest = code.partition(":")
    if head == FACTS_PARKED:
        return f"{words_of(rest)}（数据{_WAITS_FOR_OPERATOR}）"
    details = "、".join(MISSING_WORDS.get(part, part) for part in rest.split(",") if part)
    word = MISSING_WORDS.get(head, head)
    return f"{word}：{details}" if details else word


def _due(sides: CellSides) -> str:
    line = sides.assessed
    return fen_text(line.employer_fen + line.employee_fen) if line else "0.00"


def _debited(sides: CellSides) -> str:
    line = sides.posted
    return fen_text(line.employer_fen + line.employee_fen) if line else "0.00"


def _debited_on(sides: CellSides) -> str:
    line = sides.posted
    return line.debited_on.isoformat() if line and line.debited_on else "日期未知"


def _verified(sides: CellSides) -> str:
    return _sum(sides.bureau.verified_fen if sides.bureau else None)


def _recorded(sides: CellSides) -> str:
    return _sum(sides.bureau.record_fen if sides.bureau else None)


def _sum(amounts: tuple[int, int] | None) -> str:
    return fen_text(sum(amounts)) if amounts else "未知"


def _bases(sides: CellSides) -> str:
    shown = sides.bureau.record_base_fen if sides.bureau else None
    ours = sides.assessed.base_fen if sides.assessed else 0
    return f"核算基数 {fen_text(ours)} 元，记录基数 {fen_text(shown or 0)} 元"


def _said_by_bureau(sides: CellSides) -> str:
    said = sides.bureau.reason if sides.bureau else ""
    return f"：{said}" if said else ""


def _said_by_bank(sides: CellSides) -> str:
    said = sides.posted.reason if sides.posted else ""
    return f"：{said}" if said else ""


def _missing(sides: CellSides) -> str:
    if "assessed" in sides.waiting:
        return _waiting(sides)
    return words_of(sides.assessed.reason) if sides.assessed else ""


def _not_required(sides: CellSides) -> str:
    if sides.extra or sides.assessed is None:
        return "当月不在名册，无需缴纳"
    return f"无需缴纳：{_missing(sides)}"


def _is_due(sides: CellSides) -> bool:
    return sides.assessed is not None and sides.assessed.state == "due"


def _awaiting_debit(sides: CellSides) -> str:
    if not _is_due(sides):
        return f"经办机构有 {_recorded(sides)} 元的记录，等待名册与应缴核对"
    if owed := sides.owed():
        rest = fen_text(sum(one.employer_fen + one.employee_fen for one in owed))
        return f"已到账 {_recorded(sides)} 元，另有补充申报 {rest} 元，等待银行扣款"
    return f"应缴 {_due(sides)} 元，等待银行扣款"


def _awaiting_record(sides: CellSides) -> str:
    what = f"{_debited_on(sides)} 扣款 {_debited(sides)} 元"
    return f"{what}，等待经办机构记录" if _is_due(sides) else f"{what}，等待名册与应缴核对"


_REASONS: dict[Outcome, Callable[[CellSides], str]] = {
    Outcome.HISTORY: lambda _: "对账启用前的月份",
    Outcome.UNDECLARED_DEBIT: lambda s: f"不在应缴之列，银行却扣款 {_debited(s)} 元",
    Outcome.UNEXPECTED_RECORD: lambda s: f"不在应缴之列，经办机构却有 {_recorded(s)} 元的记录",
    Outcome.NOT_REQUIRED: _not_required,
    Outcome.NOT_ASSESSED: lambda _: "尚未核算应缴",
    Outcome.NOT_ASSESSED_LATE: lambda _: "到申报截止日仍未核算应缴",
    Outcome.ASSESSMENT_BLOCKED: lambda s: f"无法核算：{_missing(s)}",
    Outcome.DUPLICATE_DEBIT: lambda s: (
        f"应缴 {_due(s)} 元，银行扣款 {s.posted.debits if s.posted else 0} 次"
    ),
    Outcome.DUPLICATE_RECORD: lambda s: f"同一月份有 {s.bureau.records if s.bureau else 0} 条记录",
    Outcome.RECORD_REJECTED: lambda s: f"被退回{_said_by_bureau(s)}",
    Outcome.ENROLMENT_INTERRUPTED: lambda s: f"经办机构显示参保中断{_said_by_bureau(s)}",
    Outcome.DEBIT_REFUSED: lambda s: f"银行拒绝扣款{_said_by_bank(s)}",
    Outcome.DEBIT_REVERSED: lambda s: f"银行冲正了扣款{_said_by_bank(s)}",
    Outcome.OUTCOME_UNKNOWN: lambda _: "扣款结果尚未确认",
    Outcome.OUTCOME_UNKNOWN_LATE: lambda _: "过了扣款日，扣款结果仍未确认",
    Outcome.VERIFIED_DIFFERS: lambda s: f"应缴 {_due(s)} 元，征收机构核定 {_verified(s)} 元",
    Outcome.AWAITING_FILING: lambda s: f"应缴 {_due(s)} 元，尚未申报",
    Outcome.AWAITING_DEBIT: _awaiting_debit,
    Outcome.NOT_FILED: lambda s: f"应缴 {_due(s)} 元，过了申报截止日仍未申报",
    Outcome.DEBIT_MISSING: lambda s: f"已申报应缴 {_due(s)} 元，过了扣款日银行仍未扣款",
    Outcome.RECORD_WITHOUT_DEBIT: lambda _: "经办机构已有记录，银行却没有扣款",
    Outcome.DEBIT_DIFFERS: lambda s: f"应缴 {_due(s)} 元，银行扣款 {_debited(s)} 元",
    Outcome.BASE_DIFFERS: _bases,
    Outcome.AMOUNT_DIFFERS: lambda s: f"应缴 {_due(s)} 元，记录为 {_recorded(s)} 元",
    Outcome.ARRIVED_IN_PART: lambda s: f"应缴 {_due(s)} 元，只到账 {_recorded(s)} 元",
    Outcome.ARRIVED: lambda s: f"{_debited_on(s)} 扣款 {_debited(s)} 元，经办机构已有记录",
    Outcome.AWAITING_RECORD: _awaiting_record,
    Outcome.RECORD_MISSING: lambda s: (
        f"{_debited_on(s)} 扣款 {_debited(s)} 元，等待期已过，查询时经办机构仍无记录"
    ),
    Outcome.NOT_LOOKED_UP: lambda s: (
        f"{_debited_on(s)} 扣款 {_debited(s)} 元，等待期已过，之后尚未查询"
    ),
}
