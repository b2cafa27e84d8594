"""入账: a statement entry pays a whole declaration, one insurance of it or a single line, exactly
to the fen, or waits.

An entry's target depends on the entry and the declaration only, never on what was posted before,
and an employee's posting is a fold over all entries of the declaration: so every order of entries
ends alike.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from functools import cached_property

from shared.values import INSURANCE_WORDS, Insurance, LevyPeriod


class Scope(StrEnum):
    """What an entry pays: a declaration or a part of it, or what the collector assessed for the
    time being of one that was not filed, and what its late filing left to pay.
    """

    DECLARATION = "declaration"
    INSURANCE = "insurance"
    LINE = "line"
    PROVISIONAL = "provisional"  # 暂定数额
    REST = "rest"  # 少补


@dataclass(frozen=True, slots=True)
class DueLine:
    """A line of a declaration; fen. `due_on`: the last day without a late fee; None: that of its
    declaration.
    """

    employee_id: str
    insurance: Insurance
    employer_fen: int
    employee_fen: int
    kind: str = "regular"
    due_on: date | None = None

    def total_fen(self) -> int:
        return self.employer_fen + self.employee_fen


class DueLines(tuple[DueLine, ...]):
    """The lines of a declaration, with what every entry asks of them found once: a bank that debits
    line by line sends as many entries as there are lines.
    """

    @cached_property
    def total_fen(self) -> int:
        return sum(line.total_fen() for line in self)

    @cached_property
    def employee_ids(self) -> frozenset[str]:
        return frozenset(line.employee_id for line in self)

    @cached_property
    def insurance_fen(self) -> Mapping[Insurance, int]:
        sums: dict[Insurance, int] = {}
        for line in self:
            sums[line.insurance] = sums.get(line.insurance, 0) + line.total_fen()
        return sums

    @cached_property
    def by_cell(self) -> Mapping[tuple[str, Insurance], DueLine]:
        cells: dict[tuple[str, Insurance], DueLine] = {}
        for line in self:
            cells.setdefault((line.employee_id, line.insurance), line)
        return cells

    @cached_property
    def by_fen(self) -> Mapping[tuple[int, Insurance | None], Sequence[DueLine]]:
        """Lines by their total: those of one insurance, and of any."""
        found: dict[tuple[int, Insurance | None], list[DueLine]] = {}
        for line in self:
            for insurance in (line.insurance, None):
                found.setdefault((line.total_fen(), insurance), []).append(line)
        return found


@dataclass(frozen=True, slots=True)
class Remark:
    """What an entry's free text says when it keeps to our grammar: 社保费 <account> <YYYYMM> [险种]
    [employee no.].
    """

    account_no: str
    levy_period: LevyPeriod
    insurance: Insurance | None = None
    employee_no: str = ""


@dataclass(frozen=True, slots=True)
class Target:
    """What an entry was allocated to; `insurance` and `employee_id` by its scope."""

    scope: Scope
    insurance: Insurance | None = None
    employee_id: str = ""

    def covers(self, employee_id: str, insurance: Insurance) -> bool:
        if self.scope is Scope.DECLARATION:
            return True
        if self.insurance is not insurance:
            return False
        return self.scope is Scope.INSURANCE or self.employee_id == employee_id


@dataclass(frozen=True, slots=True)
class Suspense:
    """Why an entry is held and pays nothing yet."""

    reason: str


_REMARK = re.compile(r"^社保费 (\S{1,40}) (20\d\d)(0[1-9]|1[0-2])(?: (\S{1,12}))?(?: (\S{1,40}))?$")
_INSURANCES = {word: Insurance(code) for code, word in INSURANCE_WORDS.items()}


def parse_remark(text: str) -> Remark | None:
    """The remark, or None when it does not keep to the grammar: free text decides nothing by
    looking similar.
    """
    match = _REMARK.match(text)
    if match is None:
        return None
    period = LevyPeriod(int(match[2]), int(match[3]))
    insurance = _INSURANCES.get(match[4] or "")
    if match[4] and insurance is None:
        return None
    return Remark(match[1], period, insurance, match[5] or "")


def target_of(
    amount_fen: int,
    due: Sequence[DueLine],
    insurance: Insurance | None = None,
    employee_id: str = "",
    provisional_fen: int | None = None,
) -> Target | Suspense:
    """What a sum pays, by what its remark names and by its amount. `due` is nothing of what was not
    filed yet, `provisional_fen` what the collector assessed of it for the time being.

    A named employee and insurance is taken at its word only if the amounts agree, or if nobody
    assessed that cell: then the debit is posted as such. Without a name the amount must fit in
    exactly one way.
    """
    lines = due if isinstance(due, DueLines) else DueLines(due)
    if employee_id and insurance:
        return _named_line(amount_fen, lines, insurance, employee_id)
    if insurance:
        return _named_insurance(amount_fen, lines, insurance)
    if amount_fen == lines.total_fen:
        return Target(Scope.DECLARATION)
    found = _by_amount(amount_fen, lines)
    settling = _settling(amount_fen, lines.total_fen, provisional_fen)
    if settling is None:
        return found
    return Suspense("fits_line_and_provisional") if isinstance(found, Target) else settling


def _settling(amount_fen: int, total_fen: int, provisional_fen: int | None) -> Target | None:
    if provisional_fen is None:
        return None
    if amount_fen == provisional_fen:
        return Target(Scope.PROVISIONAL)
    is_rest = bool(total_fen) and amount_fen == total_fen - provisional_fen
    return Target(Scope.REST) if is_rest else None


def _named_line(
    amount_fen: int, due: DueLines, insurance: Insurance, employee_id: str
) -> Target | Suspense:
    line = due.by_cell.get((employee_id, insurance))
    if line is not None and line.total_fen() != amount_fen:
        return Suspense("amount_differs_from_line")
    return Target(Scope.LINE, insurance, employee_id)


def _named_insurance(amount_fen: int, due: DueLines, insurance: Insurance) -> Target | Suspense:
    if amount_fen == due.insurance_fen.get(insurance):
        return Target(Scope.INSURANCE, insurance)
    fitting = due.by_fen.get((amount_fen, insurance), ())
    return _only_line(fitting, "amount_differs_from_insurance")


def _by_amount(amount_fen: int, due: DueLines) -> Target | Suspense:
    insurances = [i for i, sum_fen in due.insurance_fen.items() if sum_fen == amount_fen]
    if len(insurances) == 1:
        return Target(Scope.INSURANCE, insurances[0])
    if insurances:
        return Suspense("fits_several_insurances")
    return _only_line(due.by_fen.get((amount_fen, None), ()), "amount_differs")


def _only_line(fitting: Sequence[DueLine], otherwise: str) -> Target | Suspense:
    if len(fitting) == 1:
        return Target(Scope.LINE, fitting[0].insurance, fitting[0].employee_id)
    return Suspense("fits_several_lines" if fitting else otherwise)


@dataclass(frozen=True, slots=True)
class Instalment:
    """What was taken on a day of a debit that came in several sums."""

    fen: int
    taken_on: date


@dataclass(frozen=True, slots=True)
class Move:
    """An allocated entry: a debit, or the return of one; word of a refusal is a return that was not
    booked, and moved nothing. `order` breaks ties of the same day, whatever came first;
    `instalments` are those that together make the amount, if they are several.
    """

    target: Target
    amount_fen: int
    is_return: bool
    booked_on: date
    voucher: str
    statement_id: str
    reason: str
    order: str
    instalments: tuple[Instalment, ...] = ()
    is_booked: bool = True


class Moves:
    """The moves of a declaration by the employee whom they name, so that each employee is held
    against the few that may pay them: a bank that debits line by line sends some for everyone.
    """

    def __init__(self, moves: Iterable[Move]) -> None:
        self._named: dict[str, list[Move]] = {}
        for move in moves:
            self._named.setdefault(move.target.employee_id, []).append(move)

    def employee_ids(self) -> set[str]:
        """Whom any of them names."""
        return {one for one in self._named if one}

    def of(self, employee_id: str) -> Sequence[Move]:
        """Those that name this employee, or nobody."""
        named = self._named.get(employee_id, []) if employee_id else []
        return [*self._named.get("", ()), *named]


class DebitState(StrEnum):
    """What became of a debit."""

    POSTED = "posted"
    REFUSED = "refused"
    REVERSED = "reversed"


@dataclass(frozen=True, slots=True)
class Posting:
    """入账 of one insurance: `debits` sums stand (two is a duplicate); fen are what they took in
    all. `instalments` are those of the first that stands.
    """

    insurance: Insurance
    debit_state: DebitState
    debits: int
    employer_fen: int
    employee_fen: int
    debited_on: date
    statement_id: str
    voucher: str
    reason: str = ""
    instalments: tuple[Instalment, ...] = ()


def postings(
    employee_id: str, due: Mapping[Insurance, DueLine], moves: Sequence[Move]
) -> list[Posting]:
    """What the declaration's entries make of each of the employee's insurances, in the order of the
    scheme.

    An insurance that nobody assessed, and that an entry names with this employee, is posted with
    the entry's own amount on the employer's side, whose account it left.
    """
    named = {
        m.target.insurance
        for m in moves
        if m.target.scope is Scope.LINE
        and m.target.employee_id == employee_id
        and m.target.insurance is not None
    }
    wanted = [insurance for insurance in Insurance if insurance in due or insurance in named]
    found = (_posting(employee_id, insurance, due.get(insurance), moves) for insurance in wanted)
    return [posting for posting in found if posting is not None]


def _posting(
    employee_id: str, insurance: Insurance, line: DueLine | None, moves: Sequence[Move]
) -> Posting | None:
    ours = sorted(
        (
            m
            for m in moves
            if m.target.covers(employee_id, insurance)
            and (line is not None or m.target.scope is Scope.LINE)
        ),
        key=lambda move: (move.booked_on, move.is_return, move.order),
    )
    if not ours:
        return None
    if standing := _standing(ours):
        return _posted(insurance, line, standing)
    debits = [move for move in ours if not move.is_return]
    returns = [move for move in ours if move.is_return]
    last = returns[-1]
    # A debit that comes back on its own day never left for good: the bank refused it.
    came_later = bool(debits) and last.booked_on > debits[-1].booked_on
    return Posting(
        insurance=insurance,
        debit_state=DebitState.REVERSED if came_later else DebitState.REFUSED,
        debits=0,
        employer_fen=0,
        employee_fen=0,
        debited_on=(debits or returns)[0].booked_on,
        statement_id=last.statement_id,
        voucher=last.voucher,
        reason=last.reason,
    )


def _standing(moves: Iterable[Move]) -> list[Move]:
    """The debits that stand, of moves by day: a return takes back the latest before it, if it can
    one of its own target. So one that is tried again stands, and of two the first.
    """
    standing: list[Move] = []
    for move in moves:
        if not move.is_return:
            standing.append(move)
        elif move.is_booked and standing:
            same = [one for one in standing if one.target == move.target]
            standing.remove((same or standing)[-1])
    return standing


def _posted(insurance: Insurance, line: DueLine | None, standing: Sequence[Move]) -> Posting:
    first, debits = standing[0], len(standing)
    if line is None:
        employer_fen, employee_fen = sum(m.amount_fen for m in standing), 0
    else:
        employer_fen, employee_fen = line.employer_fen * debits, line.employee_fen * debits
    return Posting(
        insurance=insurance,
        debit_state=DebitState.POSTED,
        debits=debits,
        employer_fen=employer_fen,
        employee_fen=employee_fen,
        debited_on=first.booked_on,
        statement_id=first.statement_id,
        voucher=first.voucher,
        instalments=first.instalments,
    )
