"""The one base class of everything that we refuse: a statement, its facts, and what to do about
it.
"""

from dataclasses import dataclass, field
from typing import ClassVar


@dataclass(frozen=True)
class FieldFault:
    """One thing that is wrong in what was sent.

    `where` is a JSON pointer or `file:row:column`; `value` is masked by whoever makes the fault;
    `reason` says what was expected; `todo` what the sender can do.
    """

    where: str
    value: str
    reason: str
    todo: str = ""


@dataclass(eq=False)
class Refusal(Exception):
    """The request or event cannot be honoured, and trying again will not help.

    Subclasses are named as statements (`LevyPeriodClosed`), set `code` and `status`, and make
    `detail` from their facts: who, which levy period, what was expected, what to do.
    """

    code: ClassVar[str] = "refused"
    status: ClassVar[int] = 409
    title: ClassVar[str] = "The request cannot be honoured"
    retry_after_seconds: ClassVar[int] = 0
    """Set where the same request may well be honoured a little later."""

    detail: str
    faults: tuple[FieldFault, ...] = field(default=())

    def __str__(self) -> str:
        return self.detail


class NotFound(Refusal):
    """What was asked for does not exist, or is another's: the two are never told apart."""

    code = "not-found"
    status = 404
    title = "Not found"


class Forbidden(Refusal):
    """The caller is known, but nobody with these roles may do this at all."""

    code = "forbidden"
    status = 403
    title = "Not allowed with these roles"


class Malformed(Refusal):
    """The payload does not have the shape that the API documents."""

    code = "malformed"
    status = 422
    title = "The payload is malformed"


def masked(value: object, keep: int = 2) -> str:
    """A value that may be shown to whoever sent it: its ends at most, never an identity number
    whole.

    Short codes (up to 8 characters) stay readable, since a reader must recognise what was wrong; of
    longer values at least half is hidden, whatever `keep` says.
    """
    text = str(value)
    if len(text) <= 8:
        return text
    ends = max(0, min(keep, len(text) // 4))
    return f"{text[:ends]}{'*' * 6}{text[len(text) - ends :]}"
