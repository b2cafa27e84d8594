"""JSON logs with trace and event ids, and no personal data."""

import logging
import re
import secrets
import sys
from contextvars import ContextVar
from typing import Any

import structlog

traceparent_now: ContextVar[str] = ContextVar("traceparent_now", default="")
"""The W3C traceparent of the work in hand: taken from the request or event, kept in the outbox,
told with the event.
"""

_PERSONAL_KEYS = frozenset(
    {"name", "id_no", "phone", "email", "bank_account", "address", "password", "token", "body"}
)
# What slipped into free text: an identity number (18 characters, wherever letters touch it), a bank
# card, a mobile number (not inside hex, which is an id or a hash), and what PostgreSQL or its
# driver quotes of a row that it refuses.
_PERSONAL_TEXT = re.compile(
    r"(?<!\d)\d{6}(?:19|20)\d\d(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])\d{3}[\dXx](?!\d)"
    r"|(?<![0-9a-f])(?:\d{17}[Xx]|\d{16,19}|(?:86[ -]?)?1[3-9]\d[ -]?\d{4}[ -]?\d{4})(?![0-9a-f])"
    r"|(?:(?<=DETAIL:)|(?<=for query argument )).*?(?=\n\n|(?:\n|\\n)(?:HINT|\[SQL)|\Z)",
    re.DOTALL,
)


def without_personal_data(text: str) -> str:
    """The text with `***` for every number and row in it that may name a person."""
    return _PERSONAL_TEXT.sub("***", text)


def without_personal_values(value: Any) -> Any:
    """JSON with nothing personal at any depth; what JSON does not know becomes its repr first."""
    if value is None or isinstance(value, bool | float):
        return value
    if isinstance(value, dict):
        return {
            key: "***" if key in _PERSONAL_KEYS else without_personal_values(part)
            for key, part in value.items()
        }
    if isinstance(value, list | tuple | set | frozenset):
        return [without_personal_values(part) for part in value]
    if isinstance(value, int):
        return value if without_personal_data(str(value)) == str(value) else "***"
    return without_personal_data(value if isinstance(value, str) else repr(value))


def _without_personal_data(
    _: Any, __: str, entry: structlog.typing.EventDict
) -> structlog.typing.EventDict:
    # structlog's own keys (the record of the standard library among them) start with _.
    own = {key: value for key, value in entry.items() if key.startswith("_")}
    scrubbed = without_personal_values(
        {key: value for key, value in entry.items() if key not in own}
    )
    return {**scrubbed, **own}


def _with_trace(_: Any, __: str, entry: structlog.typing.EventDict) -> structlog.typing.EventDict:
    traceparent = traceparent_now.get()
    if traceparent:
        entry["trace_id"] = traceparent.split("-")[1]
    return entry


def set_up(service: str, level: str) -> None:
    """One JSON line an entry on standard output, from structlog and from the standard library
    alike.
    """
    processors: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
        _with_trace,
        _without_personal_data,
    ]
    structlog.configure(
        processors=[*processors, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[structlog.stdlib.ExtraAdder(), *processors],
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.JSONRenderer(ensure_ascii=False),
            ],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    # Their info lines say once per poll or request what metrics already count.
    for noisy in ("aiokafka", "httpx", "httpcore", "uvicorn.access", "alembic"):
        logging.getLogger(noisy).setLevel("WARNING")
    structlog.contextvars.bind_contextvars(service=service)


def get_logger(name: str) -> structlog.stdlib.BoundLogger:
    """A logger for one module. Log ids and codes; texts and amounts of persons stay out."""
    logger: structlog.stdlib.BoundLogger = structlog.stdlib.get_logger(name)
    return logger


def new_traceparent() -> str:
    """A fresh W3C traceparent, sampled."""
    return f"00-{secrets.token_hex(16)}-{secrets.token_hex(8)}-01"


_TRACEPARENT = re.compile(r"^00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$")


def traceparent_of(header: str | None) -> str:
    """The caller's traceparent if it is well formed, a fresh one otherwise."""
    return header if header is not None and _TRACEPARENT.match(header) else new_traceparent()
