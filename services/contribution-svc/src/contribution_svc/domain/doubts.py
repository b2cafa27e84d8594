"""What people have to be told of the figures that a line rests on: unverified, disputed, derived or
provisional ones, one Chinese sentence each.
"""

from collections.abc import Mapping

from contribution_svc.domain.figures import DOUBTFUL, Confidence, Figure
from shared.values import INSURANCE_WORDS, Insurance

KEY_WORDS = {
    "floor": "基数下限",
    "ceiling": "基数上限",
    "employer_rate": "单位费率",
    "employee_rate": "个人费率",
    "employer_fixed": "单位定额",
    "employee_fixed": "个人定额",
}
_DOUBTS = {
    Confidence.DISPUTED: "各来源不一致，采用其中之一",
    Confidence.DERIVED: "由其他数字推算，未见公布原文",
    Confidence.UNVERIFIED: "未经核实",
}
_PROVISIONAL = "新标准尚未公布，暂按原标准执行，公布后补差"


def warnings(insurance: Insurance, figures: Mapping[str, Figure]) -> tuple[str, ...]:
    """One sentence per doubt, naming the keys that share it, with the note that says what else the
    sources have.
    """
    keys_of: dict[tuple[str, str], list[str]] = {}
    for key, figure in figures.items():
        for doubt in _doubts(figure):
            keys_of.setdefault(doubt, []).append(KEY_WORDS[key])
    return tuple(
        f"{INSURANCE_WORDS[insurance]}{'、'.join(keys)}：{doubt}{f'（{note}）' if note else ''}"
        for (doubt, note), keys in keys_of.items()
    )


def of_days(confidence: Confidence | None, note: str) -> tuple[str, ...]:
    """The same of a city's days."""
    if confidence is None or confidence not in DOUBTFUL:
        return ()
    return (f"申报与扣款日期：{_DOUBTS[confidence]}{f'（{note}）' if note else ''}",)


def _doubts(figure: Figure) -> list[tuple[str, str]]:
    """Each with its note."""
    doubts = [(_PROVISIONAL, "")] if figure.provisional else []
    confidence = figure.confidence
    if figure.dispute or confidence is Confidence.DISPUTED:
        doubts.append((_DOUBTS[Confidence.DISPUTED], figure.dispute))
    if confidence in DOUBTFUL - {Confidence.DISPUTED}:
        doubts.append((_DOUBTS[confidence], figure.note))
    return doubts
