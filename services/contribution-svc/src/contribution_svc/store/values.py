"""How values cross the border to PostgreSQL: JSON columns as msgspec text, lists of rows as arrays
for unnest.
"""

from collections.abc import Iterable, Sequence
from typing import Any, TypeVar

import msgspec

ValueT = TypeVar("ValueT")


def to_json(value: object) -> str:
    """JSON text with sorted keys, so that equal values make equal texts."""
    return msgspec.json.encode(value, order="deterministic").decode()


def from_json(value: object, kind: type[ValueT]) -> ValueT:
    """A JSON column as the driver gives it (lists, mappings, scalars), as the type that it
    holds.
    """
    return msgspec.convert(value, type=kind)


def columns(names: Sequence[str], rows: Iterable[Sequence[Any]]) -> dict[str, list[Any]]:
    """Rows turned into one array per name, as `unnest` takes them."""
    turned = list(zip(*rows, strict=True)) or [()] * len(names)
    return {name: list(values) for name, values in zip(names, turned, strict=True)}
