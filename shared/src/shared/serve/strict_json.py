"""JSON bodies and addresses checked before anything else reads them: what two readers could
understand differently, or PostgreSQL cannot store, is refused with its place.
"""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import unquote_plus

from shared.refusal import FieldFault, Malformed, masked

MAX_DEPTH = 32
"""Twice what our deepest body needs; far below the recursion limits of what reads it next."""

_MAX_FAULTS = 100
_INT64 = range(-(2**63), 2**63)
_LONGEST_INT64 = 20
# Control characters that PostgreSQL or XML cannot hold, and halves of surrogate pairs.
_BAD_TEXT = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff]")


class _Object(list[tuple[str, Any]]):
    """A JSON object as the pairs that were sent, so that a repeated name is still seen."""


class _BadNumber(str):
    """A number literal that is no finite number of 64 bits."""

    __slots__ = ()


def is_json(headers: Mapping[str, str]) -> bool:
    """Whether the request brings a body that FastAPI may read as JSON."""
    if headers.get("content-length", "0") == "0" and "transfer-encoding" not in headers:
        return False
    kind = headers.get("content-type", "").partition(";")[0].strip().lower()
    return kind in ("", "application/json") or kind.endswith("+json")


def check_address(path: str, query: bytes) -> None:
    """Malformed if the path or the query string holds text that cannot be stored."""
    for place, text in (("path", path), ("query", unquote_plus(query.decode("latin-1")))):
        if _BAD_TEXT.search(text):
            raise _malformed([_bad_text(place, text)])


def check_body(body: bytes) -> None:
    """Malformed with every place of `body` that strict JSON does not allow."""
    try:
        # Not json.loads(bytes): that takes a BOM, UTF-16 and lone surrogates without a word.
        document = json.loads(
            body.decode("utf-8"),
            object_pairs_hook=_Object,
            parse_constant=_BadNumber,
            parse_int=_integer,
            parse_float=_fraction,
        )
    except UnicodeDecodeError as error:
        fault = FieldFault(f"body:byte {error.start}", "", "not UTF-8", "send UTF-8")
        raise _malformed([fault]) from None
    except json.JSONDecodeError as error:
        place = f"body:line {error.lineno} column {error.colno}"
        raise _malformed([FieldFault(place, "", error.msg, "send one JSON document")]) from None
    except RecursionError:
        raise _malformed([_too_deep("body")]) from None
    faults = [fault for fault, _ in zip(_faults(document), range(_MAX_FAULTS), strict=False)]
    if faults:
        raise _malformed(faults)


def _integer(literal: str) -> object:
    # Python refuses to read thousands of digits at all; 64 bits have 20 characters at most.
    fits = len(literal) <= _LONGEST_INT64 and int(literal) in _INT64
    return 0 if fits else _BadNumber(literal)


def _fraction(literal: str) -> object:
    return 0.0 if abs(float(literal)) != float("inf") else _BadNumber(literal)


def _faults(document: Any) -> Iterator[FieldFault]:
    """Every fault, in the order of the document; a stack, not recursion, since depth is hostile."""
    waiting: list[tuple[str, int, Any]] = [("body", 0, document)]
    while waiting:
        place, depth, value = waiting.pop()
        if isinstance(value, _BadNumber):
            reason = "expected a finite number, integers within 64 bits"
            yield FieldFault(place, masked(value), reason)
        elif isinstance(value, str):
            if _BAD_TEXT.search(value):
                yield _bad_text(place, value)
        elif isinstance(value, list) and depth >= MAX_DEPTH:
            yield _too_deep(place)
        elif isinstance(value, _Object):
            yield from _name_faults(place, value)
            waiting += [(f"{place}/{_shown(k)}", depth + 1, part) for k, part in reversed(value)]
        elif isinstance(value, list):
            parts = [(f"{place}/{index}", depth + 1, part) for index, part in enumerate(value)]
            waiting += reversed(parts)


def _name_faults(place: str, pairs: _Object) -> Iterator[FieldFault]:
    seen: set[str] = set()
    for name, _ in pairs:
        where = f"{place}/{_shown(name)}"
        if _BAD_TEXT.search(name):
            yield _bad_text(where, name)
        if name in seen:
            yield FieldFault(
                where, masked(_shown(name)), "this name is there twice", "send it once"
            )
        seen.add(name)


def _too_deep(place: str) -> FieldFault:
    return FieldFault(place, "", f"nested deeper than {MAX_DEPTH} levels", "send it flatter")


def _bad_text(place: str, text: str) -> FieldFault:
    reason = "text with a control character or half a surrogate pair"
    return FieldFault(place, masked(_shown(text)), reason, "send the text without it")


def _shown(text: str) -> str:
    """Text that an answer can carry: what is refused in it is replaced, and its length bounded."""
    return _BAD_TEXT.sub("\ufffd", text[:60])


def _malformed(faults: list[FieldFault]) -> Malformed:
    return Malformed(f"The request is not strict JSON in {len(faults)} places.", tuple(faults))
