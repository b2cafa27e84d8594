"""The values of a pack's keys, read strictly; what is wrong is noted with file, line, key, found
and expected.
"""

import re
from collections.abc import Iterator
from collections.abc import Mapping as MappingOf
from dataclasses import dataclass, field
from datetime import date

from contribution_svc.policy.tree import Items, Mapping, Node, Scalar
from shared.refusal import FieldFault
from shared.values import parse_fen

EARLIEST, LATEST = date(1990, 1, 1), date(2100, 12, 31)
"""A day of a pack outside of these is a slip, and reckoning on from it may leave the calendar."""
_LONGEST_TEXT = 1_000
"""Sources and notes travel in warnings with every assessment; a message holds 900,000 bytes."""
_PERCENT = re.compile(r"^(\d{1,3})(?:\.(\d{1,4}))?$")
_DATE = re.compile(r"^\d{4}-\d{2}-\d{2}$")
_TIME = re.compile(r"^([01]\d|2[0-3]):[0-5]\d$")
_WHOLE = re.compile(r"^(0|[1-9]\d{0,8})$")
_CITY = re.compile(r"^[0-9]{6}$")
_PROVINCES = frozenset(
    (*range(11, 16), *range(21, 24), *range(31, 38), *range(41, 47), *range(50, 55))
) | {61, 62, 63, 64, 65, 71, 81, 82, 99}
"""The first two digits of GB/T 2260, and 99 for example cities."""
EXAMPLES = "99"
_CODE = re.compile(r"^[a-z0-9][a-z0-9_-]{0,60}$")


def ppm_of(node: Node) -> int | None:
    """A quoted percentage in millionths; None for anything else."""
    if not isinstance(node, Scalar) or not node.quoted or not node.text.isascii():
        return None
    match = _PERCENT.match(node.text)
    if match is None:
        return None
    return int(match[1]) * 10_000 + int((match[2] or "").ljust(4, "0"))


@dataclass
class Faults:
    """Everything wrong in one file, in the order of reading."""

    file: str
    found: list[FieldFault] = field(default_factory=list)

    def add(self, key: str, line: int, value: str, expected: str, todo: str = "") -> None:
        shown = value if len(value) <= 60 else value[:57] + "..."
        self.found.append(FieldFault(f"{self.file}:{line}:{key}", shown, expected, todo))


@dataclass
class Section:
    """One mapping of the file under its dotted key. Each read takes a key; what nobody took is a
    misspelt key.

    Reads give None (or an empty value) where something was wrong; the fault is noted, and reading
    goes on, so that one report holds all faults of a file.
    """

    node: Mapping
    key: str
    faults: Faults
    taken: set[str] = field(default_factory=set)

    def path(self, name: str) -> str:
        return f"{self.key}.{name}" if self.key else name

    def fault(self, name: str, value: str, expected: str, todo: str = "") -> None:
        node = self.node.items.get(name)
        line = node.line if node is not None else self.node.line
        self.faults.add(self.path(name), line, value, expected, todo)

    def _node(self, name: str, expected: str, optional: bool) -> Node | None:
        self.taken.add(name)
        node = self.node.items.get(name)
        if node is None and not optional:
            self.fault(name, "nothing", f"expected {expected}")
        return node

    def scalar(self, name: str, expected: str, optional: bool = False) -> Scalar | None:
        node = self._node(name, expected, optional)
        if node is not None and not isinstance(node, Scalar):
            self.fault(name, "a list or mapping", f"expected {expected}")
            return None
        return node

    def text(self, name: str, expected: str = "a text", optional: bool = False) -> str:
        scalar = self.scalar(name, expected, optional)
        if scalar is None:
            return ""
        if not scalar.text.strip() or not scalar.text.isprintable():
            self.fault(name, repr(scalar.text), f"expected {expected}")
        if len(scalar.text) > _LONGEST_TEXT:
            found = f"{len(scalar.text)} characters"
            self.fault(name, found, f"expected at most {_LONGEST_TEXT}")
        return scalar.text

    def code(self, name: str) -> str:
        """An id of ours: lower-case ASCII letters, digits, `_` and `-`."""
        text = self.text(name, "a code such as tax-990100")
        if text and not _CODE.match(text):
            self.fault(name, text, "expected a code of a-z, 0-9, _ and -")
        return text

    def city(self, name: str) -> str:
        """A quoted 统筹地区 code of six digits, of a province of GB/T 2260 or an example (99)."""
        text = self.text(name, "a quoted city code")
        if text and (not _CITY.match(text) or int(text[:2]) not in _PROVINCES):
            self.fault(name, text, "expected a city code of six digits, as in GB/T 2260")
        return text

    def choice(self, name: str, choices: tuple[str, ...], optional: bool = False) -> str:
        expected = "one of " + ", ".join(choices)
        text = self.text(name, expected, optional)
        if text and text not in choices:
            self.fault(name, text, f"expected {expected}")
        return text

    def flag(self, name: str, optional: bool = False) -> bool:
        scalar = self.scalar(name, "true or false", optional)
        if scalar is None:
            return False
        if scalar.quoted or scalar.text not in ("true", "false"):
            self.fault(name, scalar.text, "expected true or false, and nothing that may mean it")
        return scalar.text == "true"

    def whole(self, name: str, least: int, most: int) -> int:
        expected = f"a whole number from {least} to {most}"
        scalar = self.scalar(name, expected)
        if scalar is None:
            return least
        if not _WHOLE.match(scalar.text) or not least <= int(scalar.text) <= most:
            self.fault(name, scalar.text, f"expected {expected}")
            return least
        return int(scalar.text)

    def is_null(self, name: str) -> bool:
        """Whether the key is there and says `null`."""
        node = self.node.items.get(name)
        return isinstance(node, Scalar) and not node.quoted and node.text == "null"

    def has(self, name: str) -> bool:
        return name in self.node.items

    def day(self, name: str, nullable: bool = False) -> date | None:
        """A quoted ISO day of `EARLIEST` to `LATEST`; `null`, said and not left out, where that may
        be.
        """
        expected = "a quoted day such as '2024-07-01'" + (" or null" if nullable else "")
        scalar = self.scalar(name, expected)
        if scalar is None or (nullable and self.is_null(name)):
            return None
        if scalar.quoted and _DATE.match(scalar.text):
            try:
                day = date.fromisoformat(scalar.text)
            except ValueError:
                pass
            else:
                if EARLIEST <= day <= LATEST:
                    return day
                expected = f"a day from {EARLIEST} to {LATEST}"
        self.fault(name, scalar.text, f"expected {expected}")
        return None

    def time(self, name: str) -> str:
        scalar = self.scalar(name, "a quoted time such as '06:00'")
        if scalar is None:
            return ""
        if not scalar.quoted or not _TIME.match(scalar.text):
            self.fault(name, scalar.text, "expected a quoted time such as '06:00'")
        return scalar.text

    def fen(self, name: str) -> int | None:
        """Yuan as a quoted decimal text, in fen."""
        expected = "yuan as a quoted decimal text such as '5000.00'"
        scalar = self.scalar(name, expected)
        if scalar is None:
            return None
        try:
            if scalar.quoted:
                return parse_fen(scalar.text)
        except ValueError:
            pass
        self.fault(
            name, scalar.text, f"expected {expected}", "write it in quotes, never as a float"
        )
        return None

    def ppm(self, name: str) -> int | None:
        """A percentage as a quoted decimal text with at most four decimals, in millionths."""
        expected = "percent as a quoted decimal text such as '8' or '0.5'"
        scalar = self.scalar(name, expected)
        if scalar is None:
            return None
        ppm = ppm_of(scalar)
        if ppm is None:
            todo = "write it in quotes, without a percent sign"
            self.fault(name, scalar.text, f"expected {expected}", todo)
        return ppm

    def named(
        self, name: str, texts: "MappingOf[str, str]", of: str, optional: bool = False
    ) -> str:
        """What one key or a list of keys of the mapping `of` stand for, joined by a full-width
        semicolon.
        """
        node = self._node(name, f"a key of `{of}`", optional)
        if node is None:
            return ""
        items = node.items if isinstance(node, Items) else [node]
        keys = [item.text for item in items if isinstance(item, Scalar)]
        if not keys or len(keys) < len(items):
            self.fault(name, "no key", f"expected a key of `{of}`, or a list of them")
        for key in keys:
            if key not in texts:
                self.fault(name, key, f"expected a key of `{of}`")
        return "；".join(texts.get(key, key) for key in keys)

    def ppms(self, name: str) -> list[int]:
        """A list of percentages as quoted decimal texts, in millionths."""
        node = self._node(name, "a list of percentages", optional=False)
        items = node.items if isinstance(node, Items) else []
        found = [ppm_of(item) for item in items]
        if not found or None in found:
            self.fault(name, "no list of rates", "expected percent as quoted decimal texts")
        return [ppm for ppm in found if ppm is not None]

    def texts(self, name: str) -> tuple[str, ...]:
        """A list of texts; empty where it is left out."""
        node = self._node(name, "a list of texts", optional=True)
        if node is None:
            return ()
        items = node.items if isinstance(node, Items) else []
        found = tuple(item.text for item in items if isinstance(item, Scalar))
        if not found or len(found) < len(items) or not all(text.isprintable() for text in found):
            self.fault(name, "no list of texts", "expected a list with at least one text")
        return found

    def sections(self, name: str) -> "Iterator[Section]":
        """The mappings of a list that must not be empty."""
        node = self._node(name, "a list", optional=False)
        if node is None:
            return
        if not isinstance(node, Items) or not node.items:
            self.fault(name, "no list", "expected a list with at least one item")
            return
        for index, item in enumerate(node.items):
            yield from self._inner(item, f"{name}[{index}]")

    def section(self, name: str, optional: bool = False) -> "Section | None":
        node = self._node(name, "a mapping", optional)
        return next(self._inner(node, name), None) if node is not None else None

    def _inner(self, node: Node, name: str) -> "Iterator[Section]":
        if isinstance(node, Mapping):
            yield Section(node, self.path(name), self.faults)
        else:
            self.faults.add(self.path(name), node.line, "no mapping", "expected a mapping")

    def names(self) -> list[str]:
        self.taken.update(self.node.items)
        return list(self.node.items)

    def done(self) -> None:
        """Notes every key that nobody read: a misspelt key would else leave a figure out in
        silence.
        """
        for name in self.node.items:
            if name not in self.taken:
                known = ", ".join(sorted(self.taken))
                self.fault(name, "unknown key", f"expected one of {known}")
