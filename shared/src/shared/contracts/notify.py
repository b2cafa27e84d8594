"""What notify-svc says: whether a message reached whom it was for."""

from typing import ClassVar

from shared.contracts.event import NOTIFY, Event


class Notification(Event, frozen=True, kw_only=True):
    """One message to one recipient by one channel. The text stays in notify-svc; the wire carries
    codes.

    `recipient_kind` is hr or employee; `recipient` the token's `sub` of HR staff, or an employee
    id. `cause_event` is the id of the event that asked for it;
    `covers` names all that was gathered in the message (20,000 at most), so that a restored
    notify-svc tells none of it again.
    """

    TOPIC: ClassVar[str] = NOTIFY
    FAMILY: ClassVar[str] = "Notification"

    notification_id: str
    employer_id: str
    recipient_kind: str
    recipient: str
    channel: str
    template: str
    cause_event: str
    employee_id: str = ""
    ticket_id: str = ""
    at: str = ""
    covers: tuple[str, ...] = ()

    def key(self) -> str:
        return self.employee_id or self.recipient

    def aggregate(self) -> str:
        return self.notification_id


class NotificationDelivered(Notification, frozen=True, kw_only=True):
    """The channel's provider took the message."""


class NotificationFailed(Notification, frozen=True, kw_only=True):
    """The message could not be delivered; a person has to look. `reason` is the provider's own
    words.
    """

    reason: str = ""
