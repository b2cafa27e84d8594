"""Figures where they are made, and where they are kept beside that."""

from typing import Any, NamedTuple


class Origin(NamedTuple):
    """What an owner told, or computed, of an aggregate: `body` is the event's, or has its shape."""

    store: str
    family: str
    subject: str
    version: int
    body: dict[str, Any]


class Copy(NamedTuple):
    """The part of it that a store keeps, in the same shape."""

    store: str
    family: str
    subject: str
    version: int
    body: dict[str, Any]


class Pack(NamedTuple):
    """A policy pack in force: the hash with which it was approved, and that of its bytes."""

    store: str
    city: str
    version: int
    approved_sha256: str
    sha256: str
