"""Checking lines that another system computed: an agency's list, or the payroll system's own."""

from collections.abc import Callable, Sequence
from functools import partial

from contribution_svc.domain.lines import Line, LineState, StatedLine, disagreements
from contribution_svc.errors import StatedLinesDisagree
from contribution_svc.store import assessed as assessed_store
from shared.db import Connection
from shared.refusal import FieldFault
from shared.values import INSURANCE_WORDS, LevyPeriod

_WORDS = {
    "base_fen": ("缴费基数", "base"),
    "employer_ppm": ("单位费率", "employer rate"),
    "employee_ppm": ("个人费率", "employee rate"),
    "employer_fen": ("单位缴费", "employer amount"),
    "employee_fen": ("个人缴费", "employee amount"),
}
Where = Callable[[int, str], str]
"""Where a figure of the nth line was said, as whoever sent it finds it; "" is the line."""

_TODO = "按政策改正这个数字；如果是政策包有误，先更正政策包"


async def check_stated(
    conn: Connection,
    employer_id: str,
    period: LevyPeriod,
    stated: Sequence[StatedLine],
    where: Where,
) -> None:
    """Holds each stated line against the assessed one, whose figures are the policy's.

    StatedLinesDisagree names every figure that differs: employee number, insurance, expected and
    found; and every line that has nothing to be held against.
    """
    numbers = {line.employee_no for line in stated}
    assessed = await assessed_store.lines_by_number(conn, employer_id, str(period), numbers)
    faults: list[FieldFault] = []
    said = ""
    for place, line in enumerate(stated):
        at = partial(where, place)
        for fault, sentence in _faults(at, line, assessed.get(line.employee_no)):
            faults.append(fault)
            said = said or sentence
    if faults:
        raise StatedLinesDisagree.named(said, len(faults), faults)


def _faults(
    at: Callable[[str], str], stated: StatedLine, assessed: Sequence[Line] | None
) -> list[tuple[FieldFault, str]]:
    """Each fault with its sentence in English."""
    who = f"工号 {stated.employee_no} {INSURANCE_WORDS[stated.insurance]}"
    person = f"employee {stated.employee_no}, {stated.insurance}"
    if not assessed:
        todo = "核对工号和费款所属期；该月应缴核定之后再核对"
        fault = FieldFault(at(""), "", f"{who}：这个月没有核定应缴", todo)
        return [(fault, f"{person}: not assessed for this levy period")]
    line = next((one for one in assessed if one.insurance == stated.insurance), None)
    if line is None:
        fault = FieldFault(at(""), "", f"{who}：参保地的政策没有这个险种", _TODO)
        return [(fault, f"{person}: not in the scheme of the city")]
    why = "" if line.state is LineState.DUE else f"（{line.state}: {line.reason}）"
    return [
        (
            FieldFault(
                at(one.figure),
                one.found,
                f"{who}：{_WORDS[one.figure][0]}应为 {one.expected}{why}，给出的是 {one.found}",
                _TODO,
            ),
            f"{person}: {_WORDS[one.figure][1]} expected {one.expected}, found {one.found}",
        )
        for one in disagreements(stated, line)
    ]
