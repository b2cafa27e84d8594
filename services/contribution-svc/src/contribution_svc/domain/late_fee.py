"""滞纳金: 0.05 % a day from the day of arrears, the employer's alone (社会保险法 art. 86, 第13号令
art. 20; the rate is the pack's, by date), and none for the span of an approved deferral (缓缴,
art. 21 to 23).
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from contribution_svc.domain.allocation import DebitState, DueLine, Instalment, Move, postings
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
    """Days of one rate with the same sum unpaid."""

    unpaid_fen: int
    days: int
    daily_ppm: int

    def said(self) -> str:
        return f"{fen_text(self.unpaid_fen)}元×{self.days}天×{percent_text(self.daily_ppm)}"


def late_fee(
    arrears_fen: int,
    due_on: date,
    paid_on: date,
    rates: Series,
    debited: Sequence[Instalment] = (),
) -> LateFee:
    """Of the days from the day after `due_on` through `paid_on`, each at the rate of its date on
    what was still unpaid that day, rounded once, half a fen up. None when paid in time, none on
    what is paid back, and none where the law knows no late fee, which is without `rates`.

    `debited` are sums that were taken of the arrears before: each bears the fee through its day.
    The law counts from the day of arrears; that the day after the due date is day one is our
    reading.
    """
    payments = list(_payments(arrears_fen, paid_on, debited))
    last_on = payments[-1].taken_on if payments else paid_on
    if last_on <= due_on or arrears_fen <= 0 or not rates:
        return LateFee(0, 0, f"应于{due_on}前缴纳，{last_on}缴纳，不产生滞纳金")
    stretches = list(_stretches(due_on + timedelta(days=1), payments, rates))
    weight = sum(one.unpaid_fen * one.days * one.daily_ppm for one in stretches)
    fen = rounded_fen(weight, 1, Rounding.FEN_HALF_UP)
    reckoning = _explanation(arrears_fen, due_on, payments, stretches, fen)
    return LateFee(fen, (last_on - due_on).days, reckoning)


def late_fee_fen(line_fen: int, due_on: date, paid: Sequence[Instalment], rates: Series) -> int:
    """Of a line that was paid in instalments (of the whole declaration): each bears its part of the
    line until its day.
    """
    return late_fee(line_fen, due_on, paid[-1].taken_on, rates, _parts(line_fen, paid)).fen


def _parts(line_fen: int, paid: Sequence[Instalment]) -> list[Instalment]:
    """What each instalment paid of a line, the last one what was left of it."""
    whole_fen = sum(one.fen for one in paid)
    parts = [Instalment(line_fen * one.fen // whole_fen, one.taken_on) for one in paid[:-1]]
    return [*parts, Instalment(line_fen - sum(one.fen for one in parts), paid[-1].taken_on)]


def debited_of(line: DueLine, moves: Sequence[Move]) -> list[Instalment]:
    """What stands debited of a line, once and by day, by the entries of its declaration; nothing of
    a debit that was refused or came back.
    """
    lines = {line.insurance: line}
    for posting in postings(line.employee_id, lines, moves):
        if posting.insurance is line.insurance and posting.debit_state is DebitState.POSTED:
            fen = line.total_fen()
            paid = posting.instalments or (Instalment(fen, posting.debited_on),)
            return _parts(fen, paid)
    return []


def parts_by_sum(
    debited: Sequence[Instalment], sums: Sequence[int]
) -> list[tuple[Instalment, ...]]:
    """What was debited of all these sums together as what it paid of each, in proportion and to the
    fen; it is at most all of them.
    """
    parts: list[list[Instalment]] = [[] for _ in sums]
    unpaid = list(sums)
    for one in debited:
        fen, left_fen = one.fen, sum(unpaid)
        for at, unpaid_fen in enumerate(unpaid):
            part_fen = fen * unpaid_fen // left_fen if left_fen else 0
            parts[at].append(Instalment(part_fen, one.taken_on))
            fen, left_fen = fen - part_fen, left_fen - unpaid_fen
            unpaid[at] -= part_fen
    return [tuple(found) for found in parts]


def _payments(
    arrears_fen: int, paid_on: date, debited: Iterable[Instalment]
) -> Iterable[Instalment]:
    """What paid the arrears, by day: the sums debited before `paid_on`, and on it the rest."""
    for one in sorted(debited, key=lambda one: one.taken_on):
        fen = min(one.fen, arrears_fen)
        if one.taken_on < paid_on and fen > 0:
            arrears_fen -= fen
            yield Instalment(fen, one.taken_on)
    if arrears_fen > 0:
        yield Instalment(arrears_fen, paid_on)


def _stretches(first: date, payments: Sequence[Instalment], rates: Series) -> Iterable[_Stretch]:
    """Runs of days of one rate and one unpaid sum, a day that no figure covers free of charge."""
    day = timedelta(days=1)
    last = payments[-1].taken_on
    changes = [figure.effective_from for figure in rates]
    changes += [one.taken_on + day for one in payments]
    starts = sorted({first, *(change for change in changes if first < change <= last)})
    for start, following in zip(starts, [*starts[1:], last + day], strict=True):
        figure = figure_at(rates, start, last)
        daily_ppm = figure.value if figure is not None else None
        unpaid_fen = sum(one.fen for one in payments if one.taken_on >= start)
        yield _Stretch(unpaid_fen, (following - start).days, daily_ppm or 0)


def _explanation(
    arrears_fen: int,
    due_on: date,
    payments: Sequence[Instalment],
    stretches: Sequence[_Stretch],
    fen: int,
) -> str:
    *before, last = payments
    debited = "".join(f"{one.taken_on}已扣{fen_text(one.fen)}元，" for one in before)
    rest = "其余" if before else ""
    return (
        f"欠缴{fen_text(arrears_fen)}元，应于{due_on}前缴纳，{debited}{rest}{last.taken_on}缴纳，"
        f"滞纳金{'＋'.join(one.said() for one in stretches)}={fen_text(fen)}元，全部由单位承担"
    )
