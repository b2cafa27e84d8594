"""The templates: texts for people as data, one file per template with its variants by channel."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files

from notify_svc.errors import TemplateBroken

_KEYS = {"subject", "text", "sentence"}


@dataclass(frozen=True, slots=True)
class Variant:
    """A template for one channel. `sentence` is repeated within the text where a template
    has one.
    """

    text: str
    subject: str = ""
    sentence: str = ""


@dataclass(frozen=True, slots=True)
class Templates:
    """Variants by template and channel."""

    variants: Mapping[str, Mapping[str, Variant]]

    @classmethod
    def load(cls) -> "Templates":
        """All templates of the package; TemplateBroken names the file that cannot be used."""
        found = {}
        for file in sorted(files("notify_svc").joinpath("templates").iterdir(), key=str):
            if file.name.endswith(".toml"):
                found[file.name.removesuffix(".toml")] = variants_of(file.name, file.read_text())
        return cls(found)

    def channels(self, template: str) -> Mapping[str, Variant]:
        return self.variants[template]


def variants_of(name: str, content: str) -> dict[str, Variant]:
    """The variants by channel in one file's text; TemplateBroken names the file."""
    try:
        channels = tomllib.loads(content)
    except tomllib.TOMLDecodeError as error:
        raise TemplateBroken(f"{name}: {error}") from None
    if "inbox" not in channels:
        raise TemplateBroken(f"{name}: [inbox] is missing; every message is in the inbox")
    for channel, values in channels.items():
        if not isinstance(values, dict) or "text" not in values or set(values) - _KEYS:
            raise TemplateBroken(f"{name}: [{channel}] needs text, and may have subject, sentence")
    return {channel: Variant(**values) for channel, values in channels.items()}
