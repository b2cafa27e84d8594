"""What a paid month should have been, less what was paid for it: retroactive changes."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace

from payroll_svc.domain.pay_items import Reckoned, Step
from shared.values import LevyPeriod, fen_text


@dataclass(frozen=True, slots=True)
class PaidMonth:
    """Everything that payslips paid one person for one month, whichever run paid it.

    `agreed_wage_fen` is the undated wage that the month was reckoned with: only dated changes make
    differences.
    """

    levy_period: str
    agreed_wage_fen: int
    items: tuple[Reckoned, ...]


def unpaid_notes(paid: Mapping[tuple[str, str], bool], first: LevyPeriod) -> tuple[str, ...]:
    """What HR is told of changed months that were paid, (employee id, levy period) to whether the
    reckoning is kept, and that no run makes good by itself: those before `first`, the first that
    the next run looks back on, and those without a reckoning, which no correction run takes either.
    """
    early = [one for one, is_kept in paid.items() if is_kept and one[1] < str(first)]
    lost = [one for one, is_kept in paid.items() if not is_kept]
    notes = (
        (early, f"早于下一次工资核算会补差的 {first} 及以后月份", "请对这些月份逐月做更正发薪"),
        (lost, "核算过程没有保存", "请把差额录入下一次工资核算"),
    )
    return tuple(
        f"{_span(months)}已发薪，{why}：其中的差额不会自动补发或扣回，{todo}"
        for months, why, todo in notes
        if months
    )


def _span(paid: Collection[tuple[str, str]]) -> str:
    months = sorted({month for _, month in paid})
    people = len({employee_id for employee_id, _ in paid})
    span = months[0] if len(months) == 1 else f"{months[0]} 至 {months[-1]} 的 {len(months)} 个月"
    return f"{span}（{people} 人）"


def differences(
    levy_period: str, right: Sequence[Reckoned], paid: Sequence[Reckoned]
) -> tuple[Reckoned, ...]:
    """One item a code whose sums differ, in the order of the codes; it names its month."""
    right_fen: dict[str, int] = defaultdict(int)
    paid_fen: dict[str, int] = defaultdict(int)
    kinds: dict[str, Reckoned] = {}
    for sums, items in ((paid_fen, paid), (right_fen, right)):
        for item in items:
            sums[item.code] += item.amount_fen
            kinds[item.code] = item
    return tuple(
        _difference(levy_period, kinds[code], right_fen[code], paid_fen[code])
        for code in sorted(kinds)
        if right_fen[code] != paid_fen[code]
    )


def _difference(levy_period: str, kind: Reckoned, right_fen: int, paid_fen: int) -> Reckoned:
    fen = right_fen - paid_fen
    word = "补发" if fen > 0 else "扣回"
    name = kind.name.removesuffix("差额") + "差额"
    words = (
        f"{name}：{levy_period} 应为 {fen_text(right_fen)}，已发 {fen_text(paid_fen)}，"
        f"{word} {fen_text(abs(fen))}"
    )
    return replace(
        kind,
        name=name,
        amount_fen=fen,
        belongs_to=levy_period,
        reckoning=words,
        steps=(Step("应发", right_fen), Step("已发", paid_fen)),
    )
