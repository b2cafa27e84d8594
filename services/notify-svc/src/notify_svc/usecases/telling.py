"""Putting a message into words and storing it once per channel."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from notify_svc import store
from notify_svc.files import Templates, Variant
from notify_svc.store.notifications import Notification
from shared import outbox
from shared.contracts import NotificationDelivered, NotificationFailed
from shared.contracts.notify import Notification as NotificationEvent
from shared.db import Connection
from shared.values import derived_id

INBOX, EMAIL = "inbox", "email"

_MOST_COVERED = 20_000
"""40 bytes each: the event stays below 900,000."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """Something to tell one person once: (cause, transition, person) says what."""

    employer_id: str
    recipient_kind: str
    recipient: str
    template: str
    cause: str
    transition: str
    cause_event: str
    params: Mapping[str, str]
    employee_id: str = ""
    ticket_ids: tuple[str, ...] = ()
    anomaly_ids: tuple[str, ...] = ()
    mention_ids: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Voice:
    """How messages are worded, and whether there is a mail server behind the e-mail channel."""

    templates: Templates
    has_email: bool

    def variants(self, message: Message) -> dict[str, Variant]:
        """The inbox always; e-mail for employees, where the template has it and a mail server is
        set.
        """
        found = dict(self.templates.channels(message.template))
        if not (self.has_email and message.recipient_kind == "employee"):
            found.pop(EMAIL, None)
        return found


async def tell(conn: Connection, voice: Voice, messages: Sequence[Message], now: datetime) -> None:
    """Stores each message that was not told before: in the inbox it has arrived, e-mail is to be
    sent.
    """
    made = [
        (one, message.mention_ids[:_MOST_COVERED])
        for message in messages
        for one in notifications_of(voice, message, now)
    ]
    new = await store.notifications.add(conn, [one for one, _ in made])
    covers = {one.notification_id: mention_ids for one, mention_ids in made}
    told = [_told(one, now, covers[one.notification_id]) for one in new if one.channel == INBOX]
    await outbox.add(conn, told, now)


def notifications_of(voice: Voice, message: Message, now: datetime) -> list[Notification]:
    """The message in words, once per channel."""
    return [
        _notification(message, channel, variant, now)
        for channel, variant in voice.variants(message).items()
    ]


def _notification(message: Message, channel: str, variant: Variant, now: datetime) -> Notification:
    in_inbox = channel == INBOX
    identity = (message.cause, message.transition, message.recipient_kind, message.recipient)
    return Notification(
        notification_id=str(derived_id("notification", *identity, channel)),
        employer_id=message.employer_id,
        employee_id=message.employee_id,
        recipient_kind=message.recipient_kind,
        recipient=message.recipient,
        channel=channel,
        template=message.template,
        cause=message.cause,
        transition=message.transition,
        subject=variant.subject.format(**message.params),
        text=variant.text.format(**message.params),
        at=now,
        state="delivered" if in_inbox else "pending",
        cause_event=message.cause_event,
        ticket_ids=message.ticket_ids,
        anomaly_ids=message.anomaly_ids,
        try_at=None if in_inbox else now,
        delivered_at=now if in_inbox else None,
        version=1 if in_inbox else 0,
    )


async def delivered(
    conn: Connection, notification: Notification, reply: str, now: datetime
) -> None:
    """The provider took it."""
    after = replace(
        notification, state="delivered", delivered_at=now, version=notification.version + 1
    )
    await store.notifications.end_try(conn, after, "delivered", reply)
    await outbox.add(conn, [_told(after, now)], now)


async def failed(
    conn: Connection, notification: Notification, outcome: str, reply: str, now: datetime
) -> None:
    """Nothing more is tried: the message waits among the failed ones for a person."""
    after = replace(notification, state="failed", reason=reply, version=notification.version + 1)
    await store.notifications.end_try(conn, after, outcome, reply)
    event = NotificationFailed(**_fields(after, now), reason=reply)
    await outbox.add(conn, [event], now)


def _told(
    notification: Notification, now: datetime, covers: tuple[str, ...] = ()
) -> NotificationEvent:
    return NotificationDelivered(**_fields(notification, now), covers=covers)


def _fields(notification: Notification, now: datetime) -> dict[str, Any]:
    return {
        "version": notification.version,
        "notification_id": notification.notification_id,
        "employer_id": notification.employer_id,
        "recipient_kind": notification.recipient_kind,
        "recipient": notification.recipient,
        "channel": notification.channel,
        "template": notification.template,
        "cause_event": notification.cause_event,
        "employee_id": notification.employee_id,
        "ticket_id": notification.ticket_id,
        "at": now.isoformat(),
    }
