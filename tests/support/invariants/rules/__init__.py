"""The laws, one function each; importing this package fills `violation.RULES`."""

from tests.support.invariants.rules import (
    acknowledged,
    bridge,
    cells,
    desk,
    drained,
    events,
    fen,
    figures,
    journals,
    outside,
    sessions,
    tenants,
)

__all__ = [
    "acknowledged",
    "bridge",
    "cells",
    "desk",
    "drained",
    "events",
    "fen",
    "figures",
    "journals",
    "outside",
    "sessions",
    "tenants",
]
