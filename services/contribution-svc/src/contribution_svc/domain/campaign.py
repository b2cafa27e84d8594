"""年度基数申报: the yearly campaign in which everyone on the roster sees the base of the coming
contribution year, confirms it or disputes it, before it is filed.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from enum import StrEnum

from contribution_svc.domain.base import Bases, Bound, base_within
from contribution_svc.domain.figures import Figure
from contribution_svc.domain.policy import PersonKind
from contribution_svc.domain.rounding import countable_fen
from contribution_svc.errors import AnswerNotPossible, BaseChangedMeanwhile, ConfirmationClosed
from shared.values import Insurance, fen_text


class MemberState(StrEnum):
    """Where a member of a campaign stands. Nobody of the roster has none."""

    COMPUTING = "computing"  # 待计算
    NO_BASE = "no_base"  # 无基数, with the reason
    TO_CONFIRM = "to_confirm"  # 待确认
    CONFIRMED = "confirmed"  # 已确认
    DISPUTED = "disputed"  # 有异议
    TO_CORRECT = "to_correct"  # 异议成立, until the corrected wages have come
    KEPT = "kept"  # 异议不成立, with HR's reason


STATE_WORDS: Mapping[MemberState, str] = {
    MemberState.COMPUTING: "待计算",
    MemberState.NO_BASE: "无基数",
    MemberState.TO_CONFIRM: "待确认",
    MemberState.CONFIRMED: "已确认",
    MemberState.DISPUTED: "有异议",
    MemberState.TO_CORRECT: "待更正工资",
    MemberState.KEPT: "维持原基数",
}
OPEN_STATES = (MemberState.COMPUTING, MemberState.DISPUTED, MemberState.TO_CORRECT)
"""In which somebody waits for an answer: with these a campaign is not closed."""
DISPUTES = (MemberState.DISPUTED, MemberState.TO_CORRECT, MemberState.KEPT)
"""In which the employee's own words are part of the answer."""

KIND_UNKNOWN = "person_kind_unknown"


@dataclass(frozen=True, slots=True)
class DeclaredBase:
    """The bases of one member in fen by insurance, and the wage that they rest on; `since` is the
    levy period from which one holds, where that is later than the member's.
    """

    average_fen: int
    months: int
    rule: str
    bases_fen: Mapping[Insurance, int]
    bounds: Mapping[Insurance, Bound]
    explanation: str
    warnings: tuple[str, ...] = ()
    since: Mapping[Insurance, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Answers:
    """What the employee wrote, what HR answered to it, and who did."""

    words: str = ""
    reason: str = ""
    answered_by: str = ""


@dataclass(frozen=True, slots=True)
class Member:
    """One employee in a campaign; `version` grows with every base, so that nobody confirms one that
    they have not seen. `reason` says why there is no base.
    """

    state: MemberState = MemberState.COMPUTING
    version: int = 0
    base: DeclaredBase | None = None
    reason: str = ""
    answers: Answers = field(default_factory=Answers)


def declared_base(
    kind: PersonKind | None,
    scheme: Collection[Insurance],
    found: Bases | str,
    warnings: tuple[str, ...] = (),
    since: Mapping[Insurance, str] | None = None,
) -> DeclaredBase | str:
    """What a member declares: a base for every insurance of the scheme that the kind is neither
    exempt from nor blocked in; or the reason why there is none.
    """
    if kind is None:
        return KIND_UNKNOWN
    without = {**kind.blocked, **kind.exempt}
    if without.keys() >= set(scheme):
        return next(without[insurance] for insurance in scheme)
    if isinstance(found, str):
        return found
    if not found.rests_on:
        return next(iter({**found.unknown, **found.not_yet}.values()))
    declared = {i: fen for i, fen in found.bases_fen.items() if i not in without}
    return DeclaredBase(
        average_fen=found.basis().wage_fen,
        months=found.basis().months,
        rule=found.basis().rule,
        bases_fen=declared,
        bounds={insurance: found.bounds[insurance] for insurance in declared},
        explanation=found.explanation,
        warnings=warnings,
        since={insurance: day for insurance, day in (since or {}).items() if insurance in declared},
    )


def computed(member: Member, found: DeclaredBase | str) -> Member:
    """The member with what was computed now. Another base is to be confirmed again, by whoever
    confirmed or disputed the one before; the same one changes nothing.
    """
    if isinstance(found, str):
        if member.state is MemberState.NO_BASE and member.reason == found:
            return member
        version = member.version + 1
        return Member(MemberState.NO_BASE, version, None, found, member.answers)
    if found == member.base:
        return member
    same = member.base is not None and found.bases_fen == member.base.bases_fen
    if same and member.state is not MemberState.TO_CORRECT:
        return replace(member, base=found)
    return Member(MemberState.TO_CONFIRM, member.version + 1, found, "", member.answers)


def confirm(member: Member, seen: int, confirm_by: date, today: date) -> Member:
    """已确认. Raises ConfirmationClosed, BaseChangedMeanwhile, AnswerNotPossible."""
    _check(member, seen, confirm_by, today, (MemberState.TO_CONFIRM, MemberState.KEPT))
    return replace(member, state=MemberState.CONFIRMED)


def dispute(member: Member, seen: int, words: str, confirm_by: date, today: date) -> Member:
    """有异议, in the employee's words. Raises as `confirm`."""
    _check(member, seen, confirm_by, today, (MemberState.TO_CONFIRM, MemberState.CONFIRMED))
    return replace(member, state=MemberState.DISPUTED, answers=Answers(words))


def answer(member: Member, accepts: bool, reason: str, by: str) -> Member:
    """HR's answer: wages are to be corrected, or the base is kept for a reason; also where wages
    that were to be corrected turn out right. AnswerNotPossible where nothing is disputed.
    """
    turns_out_right = member.state is MemberState.TO_CORRECT and not accepts
    if member.state is not MemberState.DISPUTED and not turns_out_right:
        raise AnswerNotPossible(f"there is no open dispute; the member is {member.state}")
    state = MemberState.TO_CORRECT if accepts else MemberState.KEPT
    return replace(
        member, state=state, answers=replace(member.answers, reason=reason, answered_by=by)
    )


def _check(
    member: Member,
    seen: int,
    confirm_by: date,
    today: date,
    states: tuple[MemberState, ...],
) -> None:
    if today > confirm_by:
        raise ConfirmationClosed(f"bases could be confirmed until {confirm_by}; write to HR")
    if member.version != seen:
        raise BaseChangedMeanwhile(
            f"the base has version {member.version} now, {seen} was seen; look at it again"
        )
    if member.state not in states:
        raise AnswerNotPossible(f"the base is {member.state}; it takes no such answer now")


@dataclass(frozen=True, slots=True)
class Difference:
    """A base that the collector verified otherwise, in fen, and why that may be."""

    insurance: Insurance
    ours_fen: int
    verified_fen: int
    why: str
    said: str

    def difference_fen(self) -> int:
        return self.verified_fen - self.ours_fen


def verified_differs(
    insurance: Insurance,
    figures: Mapping[str, Figure],
    base: DeclaredBase,
    verified_fen: int,
    last_year_fen: int | None,
) -> Difference | None:
    """How a verified base differs from the declared one; None where it does not.

    `figures` are those of the verified levy period by key, `last_year_fen` the base of the
    contribution year before, None where there was none.
    """
    ours_fen = base.bases_fen[insurance]
    if verified_fen == ours_fen:
        return None
    moved = _moved(figures, base.average_fen, ours_fen, base.bounds[insurance], verified_fen)
    why, said = moved or _why(figures, base.average_fen, ours_fen, verified_fen, last_year_fen)
    return Difference(insurance, ours_fen, verified_fen, why, said)


def _moved(
    figures: Mapping[str, Figure], average_fen: int, ours_fen: int, held: Bound, verified_fen: int
) -> tuple[str, str] | None:
    """A bound has moved since the base was declared, and the wage held by it as it is now makes
    what was verified. Where no bound held the declared base, that is the wage.
    """
    floor, ceiling = figures["floor"], figures["ceiling"]
    wage_fen = ours_fen if held is Bound.WITHIN else countable_fen(average_fen)
    now_fen, now = base_within(wage_fen, floor.value, ceiling.value)
    is_floor = (now if held is Bound.WITHIN else held) is Bound.FLOOR
    word, bound = ("下限", floor) if is_floor else ("上限", ceiling)
    if now_fen != verified_fen or bound.value in (None, ours_fen):
        return None
    return (
        "bound_moved",
        f"基数{word}自{bound.effective_from}起为{fen_text(bound.value or 0)}元"
        f"（{bound.notice_said()}），核定方据此核定为{fen_text(verified_fen)}元；"
        f"申报的{fen_text(ours_fen)}元是按此前的{word}确定的",
    )


def _why(
    figures: Mapping[str, Figure],
    wage_fen: int,
    ours_fen: int,
    verified_fen: int,
    last_year_fen: int | None,
) -> tuple[str, str]:
    """The first that fits, as a code and for people."""
    found = fen_text(verified_fen)
    floor_fen, ceiling_fen = figures["floor"].value, figures["ceiling"].value
    if verified_fen == last_year_fen:
        return "last_year", f"与上一缴费年度的基数{found}元相同，核定方可能还未采用本年度申报"
    if abs(verified_fen - ours_fen) < 100 and verified_fen % 100 == 0:
        return "whole_yuan", f"核定方将基数取整到元：{found}元"
    if verified_fen in (floor_fen, ceiling_fen):
        bound = "下限" if verified_fen == floor_fen else "上限"
        return "at_bound", f"核定方按{bound}{found}元核定，可能未收到申报的工资"
    if verified_fen == wage_fen:
        return "not_held", f"核定方采用了月均工资{found}元本身，未按上下限保底封顶"
    if base_within(verified_fen, floor_fen, ceiling_fen)[1] is not Bound.WITHIN:
        return "other_bounds", f"核定基数{found}元在我们所知的上下限之外，可能已有新的上下限公布"
    return "other_wage", f"核定方采用的工资与申报的月均工资{fen_text(wage_fen)}元不同，请核对"
