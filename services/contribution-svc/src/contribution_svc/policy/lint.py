"""What can be wrong with a pack beyond its own text: months already declared that it would rewrite,
and bytes that are not those that were approved.
"""

import hashlib
from collections.abc import Iterator
from typing import Any

from contribution_svc.domain.policy import Pack, Terms
from contribution_svc.errors import PolicyInvalid
from contribution_svc.policy import tree
from contribution_svc.policy.national import shipped_catalogue, with_catalogue
from contribution_svc.policy.pack import read_pack
from shared.refusal import FieldFault
from shared.values import Insurance, LevyPeriod, fen_text


def lint(
    file: str,
    content: bytes,
    in_force: Pack | None = None,
    declared_through: LevyPeriod | None = None,
    approved_sha256: str = "",
) -> list[FieldFault]:
    """Every fault of a pack's file, each with file, line, key, found and expected.

    With the pack that is in force and the last levy period that was declared, whatever would
    rewrite a declared month is one; with the hash under which it was approved, any other content.
    """
    found = hashlib.sha256(with_catalogue(content, shipped_catalogue())).hexdigest()
    if approved_sha256 and found != approved_sha256:
        reason = f"expected the approved content {approved_sha256}"
        return [FieldFault(f"{file}:1", found, reason, "have the new content approved")]
    try:
        pack = read_pack(file, content)
    except PolicyInvalid as refusal:
        return list(refusal.faults)
    if in_force is None or declared_through is None:
        return []
    return list(rewritten(file, content, in_force, pack, declared_through))


def rewritten(
    file: str,
    content: bytes,
    old: Pack,
    new: Pack,
    through: LevyPeriod,
    *,
    lost_alone: bool = False,
) -> Iterator[FieldFault]:
    """A declared month keeps what was known in it. A later notice may reach back, by a figure with
    its own, younger `known_since`: that yields difference lines, and no other month.

    With `lost_alone` only months of which the new pack would have known nothing at all: a notice
    that was published in time and came to us too late says something else of them.
    """
    root = tree.read_tree(file, content)
    for period in LevyPeriod.of(old.first_day()).through(through):
        before, after = (_by_insurance(pack, period) for pack in (old, new))
        for insurance in before:
            told, found = _text(before[insurance]), _text(after.get(insurance))
            if told != found and not (lost_alone and insurance in after):
                yield FieldFault(
                    f"{file}:{_line(root, insurance)}:insurances.{insurance}",
                    f"{period}: {found}",
                    f"expected what was known in that month, {told}",
                    "leave the figure as it was; add one with the new notice's known_since",
                )


def _by_insurance(pack: Pack, period: LevyPeriod) -> dict[Insurance, Terms]:
    return {terms.insurance: terms for terms in pack.terms(period, period.last_day())}


_AMOUNTS = (
    "floor_fen",
    "ceiling_fen",
    "employer_ppm",
    "employee_ppm",
    "employer_fixed_fen",
    "employee_fixed_fen",
    "employer_rounding",
    "employee_rounding",
)


def _text(terms: Terms | None) -> str:
    """What amounts follow from: `floor_fen 4311.00, ...`."""
    if terms is None:
        return "nothing"
    return ", ".join(f"{name} {_value(name, getattr(terms, name))}" for name in _AMOUNTS)


def _value(name: str, value: Any) -> str:
    return fen_text(value) if name.endswith("_fen") and value is not None else str(value)


def _line(root: tree.Node, insurance: Insurance) -> int:
    node = root.items.get("insurances") if isinstance(root, tree.Mapping) else None
    own = node.items.get(insurance) if isinstance(node, tree.Mapping) else None
    return own.line if own is not None else node.line if node is not None else 1
