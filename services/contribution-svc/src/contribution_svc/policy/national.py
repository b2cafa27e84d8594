"""What holds in every city: kinds of employees with their exemptions and reasons, and the classes
of work injury. A pack that came into force carries the catalogue that it was released with.
"""

import functools
import hashlib
import importlib.resources
from collections.abc import Mapping

from contribution_svc.domain.figures import Confidence
from contribution_svc.domain.policy import National, PersonKind, Reason
from contribution_svc.errors import PolicyInvalid
from contribution_svc.policy import tree
from contribution_svc.policy.values import Faults, Section
from shared.refusal import FieldFault
from shared.values import Insurance

FILE = "national.yaml"
KEY = "national"
CARRIED = f"\n# The catalogue of {FILE} with which this pack is read.\n{KEY}: |\n"
"""Where a pack's own text ends, and the catalogue that it carries begins."""


def shipped_catalogue() -> bytes:
    """The file that ships with the service."""
    return importlib.resources.files(__package__).joinpath(FILE).read_bytes()


@functools.cache
def national() -> National:
    """The catalogue that ships with the service."""
    return read_national(shipped_catalogue())


def without_catalogue(content: bytes) -> bytes:
    """A pack's own text."""
    return content.partition(CARRIED.encode())[0]


def with_catalogue(content: bytes, catalogue: bytes) -> bytes:
    """The pack's file with this catalogue, and no other: whatever a later version of the service
    brings, the pack stays what was released.
    """
    lines = (b"  " + line if line else line for line in catalogue.strip().split(b"\n"))
    return without_catalogue(content) + CARRIED.encode() + b"\n".join(lines) + b"\n"


@functools.cache
def read_national(content: bytes) -> National:
    """PolicyInvalid with all faults of the catalogue."""
    section = root_of(FILE, content)
    section.whole("schema_version", 1, 1)
    sources = texts_of(section, "sources")
    reasons = _reasons(section, sources)
    classes = section.section("work_injury_classes")
    found = National(
        sha256=hashlib.sha256(content.strip()).hexdigest(),
        reasons=reasons,
        person_kinds=read_kinds(section, sources, reasons),
        injury_classes_ppm=tuple(classes.ppms("rates")) if classes is not None else (),
        injury_floats_percent=_floats(classes),
        injury_confidence=_confidence(classes),
        injury_source=classes.named("source", sources, "sources") if classes is not None else "",
    )
    for part in (classes, section):
        if part is not None:
            part.done()
    if section.faults.found:
        raise PolicyInvalid.of(section.faults.found)
    return found


def root_of(file: str, content: bytes) -> Section:
    """The mapping of a whole file; PolicyInvalid where it is not strict YAML, or no mapping."""
    try:
        root = tree.read_tree(file, content)
    except tree.TreeInvalid as invalid:
        raise PolicyInvalid.of(list(invalid.faults)) from None
    if not isinstance(root, tree.Mapping):
        raise PolicyInvalid.of([FieldFault(f"{file}:1", "no mapping", "expected a policy pack")])
    return Section(root, "", Faults(file))


def texts_of(section: Section, name: str, optional: bool = False) -> Mapping[str, str]:
    found = section.section(name, optional)
    return {key: found.text(key) for key in found.names()} if found is not None else {}


def _floats(section: Section | None) -> tuple[int, ...]:
    """Percents of the class's rate, as quoted decimal texts: '120' is a fifth more."""
    ppms = section.ppms("floats") if section is not None else []
    return tuple(ppm // 10_000 for ppm in ppms)


def _confidence(section: Section | None) -> Confidence:
    text = section.choice("confidence", tuple(Confidence)) if section is not None else ""
    return Confidence(text) if text in tuple(Confidence) else Confidence.UNVERIFIED


def _reasons(section: Section, sources: Mapping[str, str]) -> Mapping[str, Reason]:
    found: dict[str, Reason] = {}
    inner = section.section("reasons")
    for code in inner.names() if inner is not None else ():
        item = inner.section(code) if inner is not None else None
        if item is not None:
            words, source = item.text("words"), item.named("source", sources, "sources")
            found[code] = Reason(code, words, source)
            item.done()
    return found


def read_kinds(
    section: Section,
    sources: Mapping[str, str],
    reasons: Mapping[str, Reason],
    known: Mapping[str, PersonKind] | None = None,
) -> Mapping[str, PersonKind]:
    """The kinds of a file beside those that are `known`; one that it says otherwise replaces
    them.
    """
    found = dict(known or {})
    inner = section.section("person_kinds", optional=known is not None)
    for code in inner.names() if inner is not None else ():
        item = inner.section(code) if inner is not None else None
        if item is not None:
            found[code] = PersonKind(
                code=code,
                name=item.text("name"),
                exempt=_why(item, "exempt", reasons),
                blocked=_why(item, "blocked", reasons),
                source=item.named("source", sources, "sources", optional=True),
            )
            item.done()
    return found


def _why(item: Section, name: str, reasons: Mapping[str, Reason]) -> Mapping[Insurance, str]:
    """Insurances, each with the code of its reason."""
    inner = item.section(name, optional=True)
    found: dict[Insurance, str] = {}
    for insurance in inner.names() if inner is not None else ():
        assert inner is not None
        if insurance in tuple(Insurance):
            found[Insurance(insurance)] = inner.choice(insurance, tuple(reasons))
        else:
            inner.fault(insurance, insurance, "expected one of " + ", ".join(Insurance))
    return found
