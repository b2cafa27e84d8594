"""补差, 补缴 and 退费: what the lines of a levy period lack, or have too much of, by what is known
now.

What was declared stays as it was. The lines made here stand beside it: old lines and difference
lines together are the new lines, to the fen and on each side.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from enum import StrEnum

from contribution_svc.domain.explanation import reason_said
from contribution_svc.domain.lines import Line, LineState, percent_text
from contribution_svc.domain.policy import Reason, Terms
from shared.values import INSURANCE_WORDS, Insurance, LevyPeriod, fen_text


class Kind(StrEnum):
    """The kind of a line that a supplementary declaration carries: in time, 补缴 or 补差."""

    REGULAR = "regular"
    BACK_PAYMENT = "back_payment"
    DIFFERENCE = "difference"


@dataclass(frozen=True, slots=True)
class SupplementLine:
    """A line beside the regular ones of its levy period; fen, negative where too much was paid.

    `reason` is one sentence for people, `known_since` the day since which its policy is known. The
    late fee of a sum that is owed runs from the day after `due_on`; None: from the due day of the
    declaration that carries the line. The last four are known once it is declared: in which
    declaration, under which version of the assessment, in which month's payroll the employee's part
    is withheld, and until when it is debited.
    """

    insurance: Insurance
    kind: Kind
    authority: str
    base_fen: int
    employer_ppm: int
    employee_ppm: int
    employer_fen: int
    employee_fen: int
    reason: str
    known_since: str = ""
    due_on: date | None = None
    declaration_id: str = ""
    declared_version: int = 0
    withhold_in: str = ""
    debit_by: date | None = None

    def total_fen(self) -> int:
        return self.employer_fen + self.employee_fen

    def is_refund(self) -> bool:
        """退费: a side has paid too much. A refund is applied for at the collector, never filed."""
        return self.employer_fen < 0 or self.employee_fen < 0


@dataclass(frozen=True, slots=True)
class Counted:
    """What the lines of one insurance come to so far, of all kinds; fen."""

    base_fen: int = 0
    employer_fen: int = 0
    employee_fen: int = 0

    def plus(self, line: Line | SupplementLine) -> "Counted":
        return Counted(
            self.base_fen + line.base_fen,
            self.employer_fen + line.employer_fen,
            self.employee_fen + line.employee_fen,
        )

    def is_nothing(self) -> bool:
        return self == Counted()


@dataclass(frozen=True, slots=True)
class Month:
    """What a comparison needs of the levy period beside its lines: when it was due, until when
    what was used was known, and the catalogue's reasons by code, for people.
    """

    period: LevyPeriod
    due_on: date
    known_since: str
    reasons: Mapping[str, Reason] = field(default_factory=dict)


def counted(lines: Iterable[Line | SupplementLine]) -> dict[Insurance, Counted]:
    """The sums so far per insurance; exempt and blocked lines have no amounts."""
    sums: dict[Insurance, Counted] = {}
    for line in lines:
        sums[line.insurance] = sums.get(line.insurance, Counted()).plus(line)
    return sums


def differences(
    month: Month,
    so_far: Iterable[Line | SupplementLine],
    now: Sequence[Line],
    terms_of: Mapping[Insurance, Terms],
) -> list[SupplementLine]:
    """New minus old, per insurance that differs, against the sum of all lines so far.

    An insurance of which nothing was declared gives a back-payment, any other a difference. What is
    blocked now is not known, and differs from nothing; what is exempt now is nothing. Where one
    side owes and the other has paid too much, that is two lines: one is filed, one applied for.
    """
    so_far = list(so_far)
    sums = counted(so_far)
    rates = {
        line.insurance: (line.employer_ppm, line.employee_ppm)
        for line in so_far
        if not Counted().plus(line).is_nothing()
    }
    found = []
    for line in now:
        old = sums.get(line.insurance, Counted())
        is_same = Counted().plus(line) == old
        if line.state is not LineState.BLOCKED and not is_same:
            whole = Counted(
                line.base_fen - old.base_fen,
                line.employer_fen - old.employer_fen,
                line.employee_fen - old.employee_fen,
            )
            rate, terms = rates.get(line.insurance), terms_of[line.insurance]
            found += [_difference(month, old, rate, line, terms, part) for part in _parts(whole)]
    return found


def _parts(whole: Counted) -> list[Counted]:
    """What is owed, with the base, before what was paid too much; mostly it is but one of them."""
    employer_fen, employee_fen = whole.employer_fen, whole.employee_fen
    if not min(employer_fen, employee_fen) < 0 < max(employer_fen, employee_fen):
        return [whole]
    return [
        Counted(whole.base_fen, max(employer_fen, 0), max(employee_fen, 0)),
        Counted(0, min(employer_fen, 0), min(employee_fen, 0)),
    ]


_Rates = tuple[int, int] | None
"""Millionths: employer, employee; None of what was never declared."""


def _difference(
    month: Month, old: Counted, rates: _Rates, new: Line, terms: Terms, part: Counted
) -> SupplementLine:
    kind = Kind.BACK_PAYMENT if old.is_nothing() else Kind.DIFFERENCE
    # Nobody is late with what a notice made due only after the day on which it would have been.
    is_late_notice = kind is Kind.DIFFERENCE and terms.known_since > month.due_on
    return SupplementLine(
        insurance=new.insurance,
        kind=kind,
        authority=new.authority,
        base_fen=part.base_fen,
        employer_ppm=new.employer_ppm,
        employee_ppm=new.employee_ppm,
        employer_fen=part.employer_fen,
        employee_fen=part.employee_fen,
        reason=f"{month.period}费款{INSURANCE_WORDS[new.insurance]}"
        f"{_why(month, old, rates, new, terms, kind)}，"
        f"{_sums_text(part.employer_fen, part.employee_fen)}",
        known_since=str(terms.known_since),
        due_on=None if is_late_notice else month.due_on,
    )


def _why(month: Month, old: Counted, paid_at: _Rates, new: Line, terms: Terms, kind: Kind) -> str:
    """`paid_at` are the rates of the newest of the old lines."""
    if new.state is LineState.EXEMPT:
        why = reason_said(new.reason, month.reasons)
        return f"现为无需缴纳（{why}），原按{fen_text(old.base_fen)}元基数申报"
    if kind is Kind.BACK_PAYMENT:
        rates = f"单位{percent_text(new.employer_ppm)}、个人{percent_text(new.employee_ppm)}"
        before = "未曾申报" if paid_at is None else "原申报的已全部退费"
        return (
            f"{before}，按当月政策（{terms.source}）以{fen_text(new.base_fen)}元基数、{rates}补缴"
        )
    notice = (
        f"依{terms.source}（{terms.known_since}公布，{terms.effective_from}起执行）"
        if str(terms.known_since) > month.known_since
        else "因资料更正"
    )
    now = f"单位{percent_text(new.employer_ppm)}、个人{percent_text(new.employee_ppm)}"
    said = []
    if new.base_fen != old.base_fen:
        said.append(f"缴费基数由{fen_text(old.base_fen)}元改为{fen_text(new.base_fen)}元")
    if (new.employer_ppm, new.employee_ppm) != paid_at:
        said.append(f"缴费比例改为{now}")
    return "，".join((notice, *(said or (f"定额或取整方式改变，缴费比例仍为{now}",))))


def _sums_text(employer_fen: int, employee_fen: int) -> str:
    return f"单位{_signed(employer_fen)}，个人{_signed(employee_fen)}"


def _signed(fen: int) -> str:
    return f"{'退' if fen < 0 else '补'}{fen_text(abs(fen))}元"


def never_declared(
    month: Month, lines: Sequence[Line], terms_of: Mapping[Insurance, Terms], today: date
) -> list[SupplementLine]:
    """What a month that was never declared owes: back-payments, or regular lines that come in
    time.
    """
    found = differences(month, [], lines, terms_of)
    if today > month.due_on:
        return found
    return [replace(line, kind=Kind.REGULAR) for line in found]
