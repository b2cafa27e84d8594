"""The checker: invariants I1 to I7 and I9 to I12 of reliability.md in design.md's words, held
against every store, every topic and the outside parties' own journals, read-only.

    violations = await check(installation)

on any quiet installation, in the middle of a period too. `python -m tests.support.invariants` runs
it on one that is up; with `--laws` it prints every law, which is the docstring of the rule that
checks it. I8 (the audit chain) is not built yet.
"""

from collections.abc import Collection

from tests.support.invariants.collect import Installation, collect
from tests.support.invariants.facts import Acknowledged, Facts, Given, ParkedKey
from tests.support.invariants.rules import cells as _fills_the_list  # noqa: F401
from tests.support.invariants.violation import Rule, Violation, rules

RULES = tuple(rules())
"""Every law, in the order of the invariants."""


async def check(
    installation: Installation,
    *,
    planted: Collection[ParkedKey] = (),
    acknowledged: Collection[Acknowledged] = (),
    idle_seconds: int = 30,
) -> list[Violation]:
    """Every broken law, sorted; empty when all hold. The installation must be quiet: no lag, no
    unsent event, no job due.
    """
    given = Given(planted, acknowledged, idle_seconds)
    return violations_of(await collect(installation, given))


def violations_of(facts: Facts) -> list[Violation]:
    """What the laws say of these facts: pure."""
    return sorted({found for rule in RULES for found in rule.violations(facts)})


__all__ = [
    "RULES",
    "Acknowledged",
    "ParkedKey",
    "Rule",
    "Violation",
    "check",
    "violations_of",
]
