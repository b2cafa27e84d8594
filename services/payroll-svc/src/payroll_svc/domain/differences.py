"""What a paid month should have been, less what was paid for it: retroactive changes."""

from collections import defaultdict
from collections.abc import Collection, Sequence
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


def beyond_note(paid: Collection[tuple[str, str]], first: LevyPeriod) -> str:
    """What HR is told of paid months, (employee id, levy period), before the first that the next
    run makes good.
    """
    months = sorted({month for _, month in paid})
    people = len({employee_id for employee_id, _ in paid})
    span = months[0] if len(months) == 1 else f"{months[0]} 至 {months[-1]} 的 {len(months)} 个月"
    return (
        f"{span}（{people} 人）已发薪，早于下一次工资核算会补差的 {first} 及以后月份："
        "其中的差额不会自动补发或扣回，请对这些月份逐月做更正发薪"
    )


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
