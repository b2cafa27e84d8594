"""滞纳金: 0.05 % a day from the day of arrears, the employer's alone (社会保险法 art. 86, 第13号令
art. 20; the rate is the pack's, by date), and none for the span of an approved deferral (缓缴,
art. 21 to 23).
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from contribution_svc.domain.figures import Series, figure_at
from contribution_svc.domain.lines import percent_text
from contribution_svc.domain.rounding import Rounding, rounded_fen
from shared.values import Insurance, LevyPeriod, fen_text


@dataclass(frozen=True, slots=True)
class Deferral:
    """缓缴: until `until` nothing of these insurances and levy periods (both ends in) is late."""

    insurances: frozenset[Insurance]
    first_period: LevyPeriod
    last_period: LevyPeriod
    until: date

    def covers(self, insurance: Insurance, period: LevyPeriod) -> bool:
        return insurance in self.insurances and self.first_period <= period <= self.last_period


def due_after_deferral(
    due_on: date, insurance: Insurance, period: LevyPeriod, deferrals: Iterable[Deferral]
) -> date:
    """The last day without a late fee: its own, or that of the longest deferral that covers it."""
    return max([due_on, *(one.until for one in deferrals if one.covers(insurance, period))])


@dataclass(frozen=True, slots=True)
class LateFee:
    """The fee in fen, its days, and the reckoning in one sentence."""

    fen: int
    days: int
    explanation: str


@dataclass(frozen=True, slots=True)
class _Stretch:
    days: int
    daily_ppm: int


def late_fee(arrears_fen: int, due_on: date, paid_on: date, rates: Series) -> LateFee:
    """Of the days from the day after `due_on` through `paid_on`, each at the rate of its date,
    rounded once, half a fen up. None when paid in time, and none on what is paid back.

    The law counts from the day of arrears; that the day after the due date is day one is our
    reading.
    """
    days = max((paid_on - due_on).days, 0)
    if not days or arrears_fen <= 0:
        return LateFee(0, 0, f"应于{due_on}前缴纳，{paid_on}缴纳，不产生滞纳金")
    stretches = list(_stretches(due_on + timedelta(days=1), paid_on, rates))
    weight = sum(one.days * one.daily_ppm for one in stretches)
    fen = rounded_fen(arrears_fen, weight, Rounding.FEN_HALF_UP)
    return LateFee(fen, days, _explanation(arrears_fen, due_on, paid_on, stretches, fen))


def late_fee_fen(
    line_fen: int, due_on: date, paid: Sequence[tuple[int, date]], rates: Series
) -> int:
    """Of a line that was paid in instalments (fen of the whole declaration, and the day): each
    bears its part of the line until its day, the last one what is left of it.
    """
    whole_fen, left_fen, fee_fen = sum(fen for fen, _ in paid), line_fen, 0
    for fen, paid_on in paid[:-1]:
        part_fen = line_fen * fen // whole_fen
        left_fen -= part_fen
        fee_fen += late_fee(part_fen, due_on, paid_on, rates).fen
    return fee_fen + late_fee(left_fen, due_on, paid[-1][1], rates).fen


def _stretches(first: date, last: date, rates: Series) -> Iterable[_Stretch]:
    """Runs of days of one rate, a day that no figure covers free of charge."""
    starts = sorted({first, *(f.effective_from for f in rates if first < f.effective_from <= last)})
    for start, following in zip(starts, [*starts[1:], last + timedelta(days=1)], strict=True):
        figure = figure_at(rates, start, last)
        daily_ppm = figure.value if figure is not None else None
        yield _Stretch((following - start).days, daily_ppm or 0)


def _explanation(
    arrears_fen: int, due_on: date, paid_on: date, stretches: Sequence[_Stretch], fen: int
) -> str:
    terms = "＋".join(f"{one.days}天×{percent_text(one.daily_ppm)}" for one in stretches)
    return (
        f"欠缴{fen_text(arrears_fen)}元，应于{due_on}前缴纳，{paid_on}缴纳，"
        f"滞纳金{fen_text(arrears_fen)}元×{terms}={fen_text(fen)}元，全部由单位承担"
    )
