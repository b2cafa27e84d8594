"""From a wage to fen: held within bounds, multiplied by a rate, rounded by the rule that a city
names for each side of a line.

Written in arithmetic that is the same for one employee's `int` and for a column of a million: there
is no second calculation to disagree with this one. Columns are int64: with MOST_FEN and MOST_PPM no
product passes 10**18, a ninth of what they hold.
"""

from enum import StrEnum
from typing import TypeVar

import numpy as np
import numpy.typing as npt

Column = npt.NDArray[np.int64]
"""Fen or millionths, a row a person."""

FenT = TypeVar("FenT", int, Column)

MOST_FEN = 10**12
"""No wage is higher, and a bound that is not published holds nothing back: ten thousand million
yuan.
"""
MOST_PPM = 1_000_000
"""A rate is at most the whole base."""

# One product of fen and millionths counts millionths of a fen.
_LI = 100_000
_FEN = 1_000_000
_JIAO = 10 * _FEN
_YUAN = 100 * _FEN


class Rounding(StrEnum):
    """取整方式, as agencies name them: 四舍五入 to a unit, 见厘进分 and its kin, or cutting a digit
    off.
    """

    FEN_HALF_UP = "fen_half_up"
    JIAO_HALF_UP = "jiao_half_up"
    YUAN_HALF_UP = "yuan_half_up"
    LI_UP_TO_FEN = "li_up_to_fen"
    FEN_UP_TO_JIAO = "fen_up_to_jiao"
    JIAO_UP_TO_YUAN = "jiao_up_to_yuan"
    UP_TO_YUAN = "up_to_yuan"
    HALF_EVEN = "half_even"
    CUT_LI = "cut_li"
    CUT_FEN = "cut_fen"
    CUT_JIAO = "cut_jiao"


# Every rule lifts an amount and cuts it to whole units. 见厘进分 looks at the li and ignores what
# is smaller, so it lifts by a li less than the unit; up_to_yuan looks at everything.
_LIFT_AND_UNIT = {
    Rounding.FEN_HALF_UP: (_FEN // 2, _FEN),
    Rounding.JIAO_HALF_UP: (_JIAO // 2, _JIAO),
    Rounding.YUAN_HALF_UP: (_YUAN // 2, _YUAN),
    Rounding.LI_UP_TO_FEN: (_FEN - _LI, _FEN),
    Rounding.FEN_UP_TO_JIAO: (_JIAO - _FEN, _JIAO),
    Rounding.JIAO_UP_TO_YUAN: (_YUAN - _JIAO, _YUAN),
    Rounding.UP_TO_YUAN: (_YUAN - 1, _YUAN),
    # A whole odd fen is lifted by one more: then half a fen goes up to the even one.
    Rounding.HALF_EVEN: (_FEN // 2 - 1, _FEN),
    Rounding.CUT_LI: (0, _FEN),
    Rounding.CUT_FEN: (0, _JIAO),
    Rounding.CUT_JIAO: (0, _YUAN),
}


def rounded_fen(base_fen: FenT, rate_ppm: FenT, rule: Rounding) -> FenT:
    """`base_fen` x `rate_ppm` in fen, rounded once by `rule`; both are never negative."""
    exact = base_fen * rate_ppm
    lift, unit = _LIFT_AND_UNIT[rule]
    if rule is Rounding.HALF_EVEN:
        exact = exact + exact // _FEN % 2
    units = (exact + lift) // unit
    return units if unit == _FEN else units * (unit // _FEN)


def countable_fen(wage_fen: int) -> int:
    """What a base can rest on: a wage below 0, or above MOST_FEN, counts as that."""
    return min(max(wage_fen, 0), MOST_FEN)


def lowest_fen(floor_fen: int | None) -> int:
    """A floor, or what stands for one where none was published."""
    return 0 if floor_fen is None else floor_fen


def highest_fen(ceiling_fen: int | None) -> int:
    """A ceiling, or what stands for one where none was published."""
    return MOST_FEN if ceiling_fen is None else ceiling_fen


def held_fen(wage_fen: FenT, floor_fen: FenT, ceiling_fen: FenT) -> FenT:
    """The wage, or the bound that holds it; the floor is never above the ceiling."""
    held = wage_fen + (floor_fen - wage_fen) * (wage_fen < floor_fen)
    return held - (held - ceiling_fen) * (held > ceiling_fen)
