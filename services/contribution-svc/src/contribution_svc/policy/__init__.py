"""The policy packs: dated YAML files, read strictly, refused with their place, and offered as
values.
"""

import importlib.resources
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

from contribution_svc.domain.policy import Pack
from contribution_svc.errors import PolicyInvalid, PolicyUnknown
from contribution_svc.policy.national import (
    FILE,
    read_national,
    shipped_catalogue,
    with_catalogue,
)
from contribution_svc.policy.pack import read_pack
from shared.refusal import FieldFault
from shared.values import LevyPeriod

__all__ = ["Policies", "load_policies", "read_pack"]

_MAX_PACKS = 500
"""China has some 330 prefectures; more files than this is a wrong folder."""


@dataclass(frozen=True, slots=True)
class Policies:
    """The packs in force, by city; `files` holds what they were read from, `catalogue` the file of
    what holds in every city.
    """

    packs: Mapping[str, Pack]
    files: Mapping[str, bytes] = field(default_factory=dict)
    catalogue: bytes = b""

    def __iter__(self) -> Iterator[Pack]:
        return iter(self.packs.values())

    def pack(self, city: str) -> Pack | None:
        return self.packs.get(city)

    def of(self, city: str) -> Pack:
        """The city's pack; PolicyUnknown when there is none."""
        pack = self.packs.get(city)
        if pack is None:
            raise PolicyUnknown.of(city)
        return pack

    def pack_for(self, city: str, period: LevyPeriod, known_on: date) -> Pack:
        """The city's pack; PolicyUnknown when there is none, or when nothing was known on that day
        about the levy period for one of its insurances: a scheme with a hole is none.
        """
        pack = self.of(city)
        terms = pack.terms(period, known_on)
        if len(terms) < len(pack.insurances) or pack.days_at(period) is None:
            raise PolicyUnknown.of(city, str(period), known_on)
        return pack


def load_policies(folder: Path | None = None) -> Policies:
    """Every `*.yaml` of `folder`, or of the packs that ship with the service, each with the
    catalogue: the folder's `national.yaml`, or the one that ships.

    PolicyInvalid names all faults of all files; nothing is taken from a folder in which one file is
    wrong.
    """
    packs: dict[str, Pack] = {}
    contents: dict[str, bytes] = {}
    faults: list[FieldFault] = []
    files = _files(folder)
    catalogue = files.pop(FILE, None) or shipped_catalogue()
    read_national(catalogue)
    for name, text in files.items():
        content = with_catalogue(text, catalogue)
        try:
            pack = read_pack(name, content)
        except PolicyInvalid as refusal:
            faults.extend(refusal.faults)
            continue
        if pack.city in packs:
            faults.append(FieldFault(f"{name}:1:city", pack.city, "has a pack in another file"))
        packs[pack.city], contents[pack.city] = pack, content
    if not files:
        faults.append(FieldFault(str(folder or "policies"), "no file", "expected *.yaml files"))
    if faults:
        raise PolicyInvalid.of(faults)
    return Policies(packs, contents, catalogue)


def _files(folder: Path | None) -> dict[str, bytes]:
    root = folder or importlib.resources.files("contribution_svc").joinpath("policies")
    found = sorted(
        (item for item in root.iterdir() if item.name.endswith(".yaml")), key=lambda i: i.name
    )
    return {item.name: item.read_bytes() for item in found[:_MAX_PACKS]}
