"""Strict YAML: a file's one document as mappings, lists and plain scalars that know their line; no
more of YAML than that.

Tags, anchors, aliases, merge keys, duplicate keys and second documents are refused, so that a file
says exactly what a reviewer reads: no object is built, nothing is expanded, and no scalar changes
its type by its spelling.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError
from ruamel.yaml.events import (
    AliasEvent,
    DocumentStartEvent,
    MappingEndEvent,
    MappingStartEvent,
    SequenceEndEvent,
    SequenceStartEvent,
)

from shared.refusal import FieldFault

MAX_BYTES = 512 * 1024
_MAX_DEPTH = 8
_MAX_NODES = 50_000


@dataclass(frozen=True, slots=True)
class Scalar:
    """A text, and whether it stood in quotes: an unquoted 0.5 or 5000.00 is a float to other
    readers.
    """

    text: str
    quoted: bool
    line: int


@dataclass(frozen=True, slots=True)
class Items:
    """A list."""

    items: "list[Node]"
    line: int


@dataclass(frozen=True, slots=True)
class Mapping:
    """A mapping, in the order of the file."""

    items: "dict[str, Node]"
    line: int


Node = Scalar | Items | Mapping


class TreeInvalid(Exception):
    """The file is not the YAML that we read; every fault has its place."""

    def __init__(self, *faults: FieldFault) -> None:
        super().__init__("; ".join(f"{fault.where}: {fault.reason}" for fault in faults))
        self.faults = faults


def read_tree(file: str, content: bytes) -> Node:
    """The one document of a file; TreeInvalid for all that is not strict YAML."""
    if len(content) > MAX_BYTES:
        reason = f"expected at most {MAX_BYTES} bytes"
        raise TreeInvalid(FieldFault(f"{file}:1", f"{len(content)} bytes", reason))
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        raise TreeInvalid(FieldFault(f"{file}:{line}", "bytes", "expected UTF-8")) from None
    try:
        return _Reader(file, text).document()
    except YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = mark.line + 1 if mark is not None else 1
        problem = getattr(error, "problem", None) or str(error).splitlines()[0]
        raise TreeInvalid(FieldFault(f"{file}:{line}", problem, "expected valid YAML")) from None


class _Reader:
    """Builds the tree from the parser's events; at most `_MAX_NODES` of them, `_MAX_DEPTH` deep."""

    def __init__(self, file: str, text: str) -> None:
        self._file = file
        self._events: Iterator[Any] = YAML(typ="rt", pure=True).parse(text)
        self._nodes = 0
        self._faults: list[FieldFault] = []

    def document(self) -> Node:
        root: Node | None = None
        for event in self._events:
            if isinstance(event, DocumentStartEvent):
                if root is not None:
                    self._fault(event, "a second document", "expected one document")
                    break
                root = self._node(next(self._events), "", 0)
        if root is None:
            raise TreeInvalid(FieldFault(f"{self._file}:1", "nothing", "expected one document"))
        if self._faults:
            raise TreeInvalid(*self._faults)
        return root

    def _node(self, event: Any, key: str, depth: int, key_line: int = 0) -> Node:
        """A list or mapping has the line of its key, where it has one: there its name is read."""
        self._nodes += 1
        if self._nodes > _MAX_NODES or depth > _MAX_DEPTH:
            self._fault(event, "too many or too deep", "expected a policy pack", key)
            raise TreeInvalid(*self._faults)
        line = event.start_mark.line + 1
        if isinstance(event, AliasEvent) or event.anchor is not None:
            self._fault(event, "anchor or alias", "expected each figure in its own place", key)
        if getattr(event, "tag", None) is not None:
            self._fault(event, f"tag {event.tag}", "expected plain values without tags", key)
        if isinstance(event, SequenceStartEvent):
            return Items(list(self._sequence(key, depth)), key_line or line)
        if isinstance(event, MappingStartEvent):
            return Mapping(self._mapping(key, depth), key_line or line)
        # An alias stands for nothing here: its fault is noted, and nothing is expanded.
        style = getattr(event, "style", None)
        return Scalar(getattr(event, "value", ""), bool(style), line)

    def _sequence(self, key: str, depth: int) -> Iterator[Node]:
        index = 0
        while not isinstance(event := next(self._events), SequenceEndEvent):
            yield self._node(event, f"{key}[{index}]", depth + 1)
            index += 1

    def _mapping(self, key: str, depth: int) -> dict[str, Node]:
        found: dict[str, Node] = {}
        while not isinstance(event := next(self._events), MappingEndEvent):
            name = self._node(event, key, depth + 1)
            if not isinstance(name, Scalar):
                self._fault(event, "a key that is no name", "expected a plain key", key)
                name = Scalar(f"line {name.line}", False, name.line)
            inner = f"{key}.{name.text}" if key else name.text
            if name.text in found:
                self._fault(event, "duplicate key", "expected each key once", inner)
            found[name.text] = self._node(next(self._events), inner, depth + 1, name.line)
        return found

    def _fault(self, event: Any, found: str, expected: str, key: str = "") -> None:
        where = f"{self._file}:{event.start_mark.line + 1}"
        self._faults.append(FieldFault(f"{where}:{key}" if key else where, found, expected))
