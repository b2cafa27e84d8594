"""How an amount of a millionth of a fen becomes fen: the rules that cities name for each side of a
line.
"""

from enum import StrEnum

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


_HALF_UP = {
    Rounding.FEN_HALF_UP: _FEN,
    Rounding.JIAO_HALF_UP: _JIAO,
    Rounding.YUAN_HALF_UP: _YUAN,
}
_CUT = {Rounding.CUT_LI: _FEN, Rounding.CUT_FEN: _JIAO, Rounding.CUT_JIAO: _YUAN}
# 见厘进分 looks at the li and ignores what is smaller; up_to_yuan looks at everything.
_UP = {
    Rounding.LI_UP_TO_FEN: (_LI, _FEN),
    Rounding.FEN_UP_TO_JIAO: (_FEN, _JIAO),
    Rounding.JIAO_UP_TO_YUAN: (_JIAO, _YUAN),
    Rounding.UP_TO_YUAN: (1, _YUAN),
}


def rounded_fen(base_fen: int, rate_ppm: int, rule: Rounding) -> int:
    """`base_fen` x `rate_ppm` in fen, rounded once by `rule`; both are never negative."""
    assert base_fen >= 0, base_fen
    assert rate_ppm >= 0, rate_ppm
    exact = base_fen * rate_ppm
    if rule in _HALF_UP:
        unit = _HALF_UP[rule]
        return (exact + unit // 2) // unit * unit // _FEN
    if rule in _CUT:
        unit = _CUT[rule]
        return exact // unit * unit // _FEN
    if rule in _UP:
        seen, unit = _UP[rule]
        return -(-(exact // seen * seen) // unit) * unit // _FEN
    whole, rest = divmod(exact, _FEN)
    return whole + (rest * 2 > _FEN or (rest * 2 == _FEN and whole % 2 == 1))
