"""Bases that all rest on one wage."""

from collections.abc import Sequence

from contribution_svc.domain.base import Bases, BaseWages, held
from contribution_svc.domain.policy import Terms
from contribution_svc.domain.wage_basis import WageBasis


def bases(basis: WageBasis, terms: Sequence[Terms]) -> Bases:
    """The base of every insurance of `terms`, each within its own bounds."""
    return held(BaseWages({t.insurance: basis for t in terms}, {}, {}), {0: terms})
