"""For peers that make a line at a time: figures by position, and lines back to columns."""

from array import array
from collections.abc import Mapping, Sequence
from typing import Any

from bench.peers.measured import Answer, Roster


def by_position(roster: Roster) -> list[Sequence[Mapping[str, Any]]]:
    """For each position the figures of its insurances, in the order of `roster.figures`."""
    return list(zip(*roster.figures.values(), strict=True))


def buffers(names: Sequence[str], people: Sequence[Sequence[Sequence[int]]]) -> Answer:
    """`people` has for each person a line an insurance: state, base, employer, employee."""
    return {
        name: [
            array(code, [lines[index][part] for lines in people])
            for part, code in enumerate("bqqq")
        ]
        for index, name in enumerate(names)
    }
