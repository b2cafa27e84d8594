"""What a rule finds, and the list of all rules."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from tests.support.invariants.facts import Facts

Check = Callable[[Facts], Iterable[str]]


@dataclass(frozen=True, order=True)
class Violation:
    """`invariant` is I1 to I12 of reliability.md, `name` the rule's, `text` one sentence with the
    ids, what was expected and what was found.
    """

    invariant: str
    name: str
    text: str

    def __str__(self) -> str:
        return f"{self.invariant} {self.name}: {self.text}"


@dataclass(frozen=True)
class Rule:
    """One law, stated in the words of design.md; `check` says where it does not hold."""

    invariant: str
    name: str
    statement: str
    check: Check

    def violations(self, facts: Facts) -> list[Violation]:
        return [Violation(self.invariant, self.name, text) for text in self.check(facts)]


_RULES: list[Rule] = []


def rules() -> list[Rule]:
    """Every rule, in the order of the invariants."""
    return sorted(_RULES, key=lambda rule: int(rule.invariant[1:]))


def states(invariant: str) -> Callable[[Check], Check]:
    """The function below is a rule of this invariant: its name is the violation's, its docstring
    the law.
    """

    def keep(check: Check) -> Check:
        assert check.__doc__, "a law must be stated"
        name = check.__name__
        _RULES.append(Rule(invariant, name, " ".join(check.__doc__.split()), check))
        return check

    return keep
