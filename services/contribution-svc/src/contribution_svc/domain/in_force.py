"""What was in force for an insurance and a levy period, as known on a day, and by which notice: the
figures, and one Chinese sentence that says it all.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from contribution_svc.domain.figures import Figure
from contribution_svc.domain.lines import percent_text
from contribution_svc.domain.policy import Pack, Terms
from contribution_svc.errors import InsuranceNotInScheme, PolicyUnknown
from shared.values import INSURANCE_WORDS, Insurance, LevyPeriod, fen_text


@dataclass(frozen=True, slots=True)
class InForce:
    """`figures` by key, each with its own days, notice and doubts; `day_warnings` are about the
    city's days of filing and debit.
    """

    pack: Pack
    period: LevyPeriod
    known_on: date
    terms: Terms
    figures: Mapping[str, Figure]
    sentence: str
    day_warnings: tuple[str, ...]


def in_force(pack: Pack, insurance: Insurance, period: LevyPeriod, known_on: date) -> InForce:
    """InsuranceNotInScheme where the city has no line for it; PolicyUnknown where nothing was known
    on that day about that levy period.
    """
    rules = pack.insurances.get(insurance)
    if rules is None:
        raise InsuranceNotInScheme.of(pack.city, insurance, pack.merged.get(insurance, ""))
    day = period.first_day()
    figures = rules.figures_at(day, known_on)
    terms = next((one for one in pack.terms_on(day, known_on) if one.insurance == insurance), None)
    if terms is None:
        raise PolicyUnknown.of(pack.city, f"{period} for {insurance}", known_on)
    sentence = _sentence(pack, period, known_on, terms, figures)
    days = pack.days_at(period)
    of_days = days.warnings() if days is not None else ()
    return InForce(pack, period, known_on, terms, figures, sentence, of_days)


def _sentence(
    pack: Pack, period: LevyPeriod, known_on: date, terms: Terms, figures: Mapping[str, Figure]
) -> str:
    what = (
        f"{pack.name}{period.year}年{period.month}月{INSURANCE_WORDS[terms.insurance]}："
        f"{_bounds(terms)}，单位{_side(figures['employer_rate'])}"
        f"{_fixed(terms.employer_fixed_fen)}，个人{_side(figures['employee_rate'])}"
        f"{_fixed(terms.employee_fixed_fen)}"
    )
    ends = f"至{terms.effective_to}" if terms.effective_to is not None else "起"
    return f"{what}；{terms.effective_from}{ends}执行，{_notice(figures)}（截至{known_on}所知）"


def _bounds(terms: Terms) -> str:
    if terms.floor_fen is None and terms.ceiling_fen is None:
        return "未公布基数上下限"
    floor, ceiling = (
        f"{fen_text(bound)}元" if bound is not None else "未公布"
        for bound in (terms.floor_fen, terms.ceiling_fen)
    )
    return f"基数下限{floor}、上限{ceiling}"


def _side(figure: Figure) -> str:
    own = figure.own
    if figure.value is not None or own is None:
        return percent_text(figure.value or 0)
    most = f"至{percent_text(own.most)}" if own.most is not None else "起"
    return f"费率由各单位自定（{percent_text(own.least)}{most}）"


def _fixed(fen: int) -> str:
    return f"另加{fen_text(fen)}元" if fen else ""


def _notice(figures: Mapping[str, Figure]) -> str:
    """The documents and the days of publication, as far as they are known."""
    documents = "、".join(dict.fromkeys(f.document for f in figures.values() if f.document))
    days = sorted({str(f.known_since) if f.dated else "" for f in figures.values()})
    said = "、".join(f"{day}公布" if day else "公布日不详" for day in days)
    if any(figure.provisional for figure in figures.values()):
        said += "，尚无新公告，暂沿用"
    return f"依据{documents}，{said}" if documents else said
