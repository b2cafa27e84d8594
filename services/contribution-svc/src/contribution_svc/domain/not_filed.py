"""未按时申报: the collector's provisional assessment of an account that did not file (社会保险法
art. 62), settled after its late filing.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from contribution_svc.domain.allocation import Instalment, Move, Scope, Target
from contribution_svc.domain.lines import percent_text
from contribution_svc.domain.rounding import Rounding, rounded_fen
from shared.values import LevyPeriod, fen_text


@dataclass(frozen=True, slots=True)
class Provisional:
    """What the collector assesses for the time being, in fen, and why in one sentence.

    `assessed_fen` is None where the account paid nothing in the month before: then the collector
    goes by the unit's business, its staff and local wages, which we do not know.
    """

    last_period: LevyPeriod
    last_fen: int | None
    assessed_fen: int | None
    explanation: str


def provisional(period: LevyPeriod, last_fen: int | None, rate_ppm: int) -> Provisional:
    """`rate_ppm` (110 % = 1,100,000) of the last month's amount, half a fen up."""
    last_period = period.shifted(-1)
    if last_fen is None:
        return Provisional(
            last_period,
            None,
            None,
            f"{period}未按时申报，{last_period}没有缴费数额，由征收机构按经营状况等核定；请尽快补报",
        )
    assessed_fen = rounded_fen(last_fen, rate_ppm, Rounding.FEN_HALF_UP)
    return Provisional(
        last_period,
        last_fen,
        assessed_fen,
        f"{period}未按时申报，按{last_period}缴费{fen_text(last_fen)}元的{percent_text(rate_ppm)}暂定"
        f"{fen_text(assessed_fen)}元；补报后按实际应缴数额结算",
    )


def settled(assessed_fen: int | None, declared_fen: int) -> tuple[int, str]:
    """What the late filing leaves to pay (negative: to be given back) where the provisional sum was
    debited, and one sentence, which is true of what was not debited too: that may still come.
    """
    if assessed_fen is None:
        return declared_fen, f"已补报{fen_text(declared_fen)}元"
    rest_fen = declared_fen - assessed_fen
    word = "多退" if rest_fen < 0 else "少补"
    return rest_fen, (
        f"已补报{fen_text(declared_fen)}元，与暂定的{fen_text(assessed_fen)}元相抵，"
        f"{word}{fen_text(abs(rest_fen))}元；暂定数额未扣款的，按补报数额缴纳"
    )


_SETTLING = (Scope.PROVISIONAL, Scope.REST)


def settled_moves(moves: Sequence[Move], declared_fen: int) -> list[Move]:
    """The moves of a declaration, with the sums of its provisional assessment as what they come to:
    once they reach what was declared they are one debit of all of it, and its return if they fall
    below again. Less pays no line, and more waits to be given back (多退).
    """
    found = [move for move in moves if move.target.scope not in _SETTLING]
    before: Sequence[Move] = ()
    for move, standing in _standing(moves):
        if _is_whole(standing, declared_fen) is not _is_whole(before, declared_fen):
            whole = replace(
                move,
                target=Target(Scope.DECLARATION),
                amount_fen=declared_fen,
                instalments=_instalments(standing, declared_fen),
            )
            found.append(whole)
        before = standing
    return found


def debited_for_now(moves: Sequence[Move], due_fen: int) -> tuple[Instalment, ...]:
    """What stands debited of a declaration for its provisional assessment, at most what is due."""
    found = _standing(moves)
    return _instalments(found[-1][1], due_fen) if found else ()


def _standing(moves: Sequence[Move]) -> list[tuple[Move, Sequence[Move]]]:
    """Each sum of a provisional assessment by day, with all that stand after it."""
    found: list[tuple[Move, Sequence[Move]]] = []
    standing: list[Move] = []
    sums = [move for move in moves if move.target.scope in _SETTLING]
    for move in sorted(sums, key=lambda one: (one.booked_on, one.is_return, one.order)):
        standing = _without(standing, move) if move.is_return else [*standing, move]
        found.append((move, standing))
    return found


def _is_whole(standing: Sequence[Move], declared_fen: int) -> bool:
    return 0 < declared_fen <= sum(move.amount_fen for move in standing)


def _without(standing: Sequence[Move], taken_back: Move) -> list[Move]:
    """A return takes back the earliest sum of its amount, and word of a refusal none."""
    amounts = [move.amount_fen for move in standing]
    if not taken_back.is_booked or taken_back.amount_fen not in amounts:
        return list(standing)
    at = amounts.index(taken_back.amount_fen)
    return [*standing[:at], *standing[at + 1 :]]


def _instalments(standing: Sequence[Move], declared_fen: int) -> tuple[Instalment, ...]:
    """What each sum paid of what was declared."""
    found, left_fen = [], declared_fen
    for move in standing:
        part_fen = min(move.amount_fen, left_fen)
        left_fen -= part_fen
        if part_fen:
            found.append(Instalment(part_fen, move.booked_on))
    return tuple(found)
