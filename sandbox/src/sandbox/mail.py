"""The SMTP sink: takes every mail, keeps it, delivers none."""

import email
import email.policy
from email.message import EmailMessage

from aiosmtpd.smtp import SMTP, Envelope, Session
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from sandbox.clock import SandboxTime
from sandbox.store import people as store
from sandbox.timers import Activity
from shared.db import Engine, transaction

MOST_BYTES = 2 << 20


class Sink:
    """The handler that aiosmtpd calls once a message is whole."""

    def __init__(self, engine: Engine, clock: SandboxTime, activity: Activity) -> None:
        self._engine = engine
        self._clock = clock
        self._activity = activity

    async def handle_DATA(self, _: SMTP, __: Session, envelope: Envelope) -> str:  # noqa: N802 - aiosmtpd's name
        """250 once the mail is stored; 451 makes the sender try again."""
        raw = envelope.original_content or b""
        message = email.message_from_bytes(raw, _class=EmailMessage, policy=email.policy.default)
        mail = {
            "received_at": self._clock.now(),
            "message_id": str(message.get("message-id", "")),
            "sender": envelope.mail_from or "",
            "recipients": list(envelope.rcpt_tos),
            "subject": str(message.get("subject", "")),
            "text": _text_of(message),
            "raw": raw,
        }
        try:
            async with transaction(self._engine) as conn:
                await store.add_mail(conn, mail)
        except (DBAPIError, PoolTimeout, OSError):
            return "451 4.3.0 the mailbox cannot be written now"
        self._activity.tick()
        return "250 2.0.0 kept"


def _text_of(message: EmailMessage) -> str:
    """The readable part, with plain line ends; nothing when there is none that can be read."""
    body = message.get_body(("plain", "html"))
    try:
        return "" if body is None else str(body.get_content()).replace("\r\n", "\n")
    except LookupError:
        return ""


def protocol(sink: Sink) -> SMTP:
    """One connection's protocol, for `loop.create_server`."""
    return SMTP(
        sink, hostname="sandbox", data_size_limit=MOST_BYTES, enable_SMTPUTF8=True, ident="sandbox"
    )
