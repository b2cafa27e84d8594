"""应缴明细: what is due for each insurance of one employee and levy period, checked against the
policy itself.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

import msgspec

from contribution_svc.domain.base import Bases, BaseWages, Bound, base_within
from contribution_svc.domain.policy import OwnRates, PersonKind, Terms
from contribution_svc.domain.rounding import rounded_fen
from contribution_svc.errors import LineDisagreesWithPolicy
from shared.values import Insurance, fen_text

NOT_ON_ROSTER = "not_on_roster"
FACTS_PARKED = "facts_parked"
"""Facts about the employee have come and could not be taken in. As the head of a blocked line's
reason: what it names as missing may be among them.
"""


class LineState(StrEnum):
    """Whether an insurance is due, exempt by the person's kind, or blocked by something that is
    missing.
    """

    DUE = "due"
    EXEMPT = "exempt"
    BLOCKED = "blocked"


class Line(msgspec.Struct, frozen=True):
    """One insurance of one employee in one levy period; amounts in fen, rates in millionths."""

    insurance: Insurance
    state: LineState
    authority: str
    reason: str = ""
    base_fen: int = 0
    employer_ppm: int = 0
    employee_ppm: int = 0
    employer_fen: int = 0
    employee_fen: int = 0

    def is_due(self) -> bool:
        return self.state is LineState.DUE


class Insured(msgspec.Struct, frozen=True):
    """What assessing needs to know of an employee: id, kind, papers missing, whether a spell meets
    the period, whether later facts are parked, and the own rates of the account.
    """

    employee_id: str
    person_kind: str
    documents_missing: Sequence[str]
    on_roster: bool = True
    facts_parked: bool = False
    own_rates: OwnRates = msgspec.field(default_factory=dict)

    def blocked(self, reason: str) -> str:
        """The reason of a blocked line: said to wait for an operator where facts are parked."""
        return f"{FACTS_PARKED}:{reason}" if self.facts_parked else reason


def assess(
    insured: Insured,
    kinds: Mapping[str, PersonKind],
    scheme: Sequence[Terms],
    found: Bases | str,
) -> list[Line]:
    """Every insurance of the city's scheme, each due, exempt (why) or blocked (why).

    `found` is the employee's bases, or the reason why there are none. The first that holds decides:
    not on the roster, a kind that the pack does not know, an exemption of the kind, what the kind
    is blocked by, papers missing, no base, no rate of the account where it needs its own.
    """
    decided = (decided_by(insured, kinds, terms, found) for terms in scheme)
    if isinstance(found, str):
        return [one for one in decided if isinstance(one, Line)]
    return [
        one if isinstance(one, Line) else due_line(one, found.bases_fen[one.insurance])
        for one in decided
    ]


def decided_by(
    insured: Insured,
    kinds: Mapping[str, PersonKind],
    terms: Terms,
    found: Bases | BaseWages | str,
) -> Line | Terms:
    """The line of what is exempt or blocked; for what is due the terms, with the account's own
    rates.
    """
    kind = kinds.get(insured.person_kind)
    insurance, authority = terms.insurance, terms.authority
    if not insured.on_roster:
        return Line(insurance, LineState.EXEMPT, authority, NOT_ON_ROSTER)
    if kind is None:
        reason = f"person_kind_unknown:{insured.person_kind}"
        return Line(insurance, LineState.BLOCKED, authority, insured.blocked(reason))
    if insurance in kind.exempt:
        return Line(insurance, LineState.EXEMPT, authority, kind.exempt[insurance])
    if insurance in kind.blocked:
        reason = kind.blocked[insurance]
        return Line(insurance, LineState.BLOCKED, authority, insured.blocked(reason))
    if insured.documents_missing:
        reason = "documents_missing:" + ",".join(sorted(insured.documents_missing))
        return Line(insurance, LineState.BLOCKED, authority, insured.blocked(reason))
    if isinstance(found, str):
        return Line(insurance, LineState.BLOCKED, authority, insured.blocked(found))
    return _on_base(insured, terms, found)


def _on_base(insured: Insured, terms: Terms, found: Bases | BaseWages) -> Line | Terms:
    insurance, authority = terms.insurance, terms.authority
    if insurance in found.not_yet:
        return Line(insurance, LineState.EXEMPT, authority, found.not_yet[insurance])
    if insurance in found.unknown:
        reason = insured.blocked(found.unknown[insurance])
        return Line(insurance, LineState.BLOCKED, authority, reason)
    own = terms.with_own(insured.own_rates)
    if isinstance(own, str):
        return Line(insurance, LineState.BLOCKED, authority, insured.blocked(own))
    return own


def due_line(terms: Terms, base_fen: int) -> Line:
    """Base x rate, rounded once for each side by the pack's own rule, and the fixed sum of the
    side; the terms have the account's own rates.
    """
    return Line(
        terms.insurance, LineState.DUE, terms.authority, "", base_fen, *_sums_of(terms, base_fen)
    )


def _sums_of(terms: Terms, base_fen: int) -> tuple[int, int, int, int]:
    """The rates in millionths and the amounts in fen, the employer's before the employee's."""
    assert terms.employer_ppm is not None, terms.insurance
    assert terms.employee_ppm is not None, terms.insurance
    return (
        terms.employer_ppm,
        terms.employee_ppm,
        terms.employer_fixed_fen
        + rounded_fen(base_fen, terms.employer_ppm, terms.employer_rounding),
        terms.employee_fixed_fen
        + rounded_fen(base_fen, terms.employee_ppm, terms.employee_rounding),
    )


def check_lines(
    employee_id: str,
    lines: Sequence[Line],
    terms_of: Mapping[Insurance, Terms],
    own_rates: OwnRates,
) -> None:
    """Every due line has the rates of the policy, or of the account where the policy leaves them to
    it, a base within its bounds and the amounts that follow.

    Lines come from more places than `assess` (files, API, an older release), so that nothing is
    trusted because we computed it. Raises LineDisagreesWithPolicy for the first that differs.
    """
    for line in lines:
        if line.state is LineState.DUE:
            terms = terms_of[line.insurance].with_own(own_rates)
            if isinstance(terms, str):
                found = percent_text(line.employer_ppm)
                raise LineDisagreesWithPolicy.of(
                    employee_id, line.insurance, "employer rate", terms, found
                )
            _check_line(employee_id, line, terms)


def _check_line(employee_id: str, line: Line, terms: Terms) -> None:
    if _sums(line) == _sums_of(terms, line.base_fen) and _is_within(line.base_fen, terms):
        return
    right = due_line(terms, line.base_fen)
    rates = (
        ("employer rate", percent_text(right.employer_ppm), percent_text(line.employer_ppm)),
        ("employee rate", percent_text(right.employee_ppm), percent_text(line.employee_ppm)),
        ("employer amount", fen_text(right.employer_fen), fen_text(line.employer_fen)),
        ("employee amount", fen_text(right.employee_fen), fen_text(line.employee_fen)),
    )
    for what, expected, found in rates:
        if expected != found:
            raise LineDisagreesWithPolicy.of(employee_id, line.insurance, what, expected, found)
    if not _is_within(line.base_fen, terms):
        least, most = (
            fen_text(bound) if bound is not None else "any"
            for bound in (terms.floor_fen, terms.ceiling_fen)
        )
        bounds = f"{least} to {most}"
        raise LineDisagreesWithPolicy.of(
            employee_id, line.insurance, "base", bounds, fen_text(line.base_fen)
        )


def _sums(line: Line) -> tuple[int, int, int, int]:
    return line.employer_ppm, line.employee_ppm, line.employer_fen, line.employee_fen


def _is_within(base_fen: int, terms: Terms) -> bool:
    return base_within(base_fen, terms.floor_fen, terms.ceiling_fen)[1] is Bound.WITHIN


@dataclass(frozen=True, slots=True)
class StatedLine:
    """A line as another system computed it; None is what it does not state."""

    employee_no: str
    insurance: Insurance
    base_fen: int | None = None
    employer_ppm: int | None = None
    employee_ppm: int | None = None
    employer_fen: int | None = None
    employee_fen: int | None = None


@dataclass(frozen=True, slots=True)
class Disagreement:
    """One figure of a stated line that differs: its field, and both as people write them."""

    figure: str
    expected: str
    found: str


_RATES = ("employer_ppm", "employee_ppm")
_SUMS = ("base_fen", "employer_fen", "employee_fen")


def disagreements(stated: StatedLine, line: Line) -> Iterator[Disagreement]:
    """Every figure that the stated line gives and the assessed one has otherwise. Nothing is due
    for a line that is exempt or blocked, at no rate and on no base.
    """
    for figures, words in ((_RATES, percent_text), (_SUMS, fen_text)):
        for figure in figures:
            found, expected = getattr(stated, figure), getattr(line, figure)
            if found is not None and found != expected:
                yield Disagreement(figure, words(expected), words(found))


def percent_text(rate_ppm: int) -> str:
    """80000 -> '8 %', 5000 -> '0.5 %'."""
    whole, rest = divmod(rate_ppm, 10_000)
    tail = f".{rest:04d}".rstrip("0") if rest else ""
    return f"{whole}{tail} %"
