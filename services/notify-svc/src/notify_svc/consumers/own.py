"""Our own events, taken back by a store that was restored."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from notify_svc.store.notifications import Notification
from notify_svc.usecases import recovering
from notify_svc.usecases.recovering import ToldBefore
from shared.codec import Received
from shared.contracts import Event, NotificationDelivered, NotificationFailed
from shared.contracts.notify import Notification as NotificationEvent
from shared.db import Connection
from shared.serve import Keeper, newest_of


def keepers(into: list[ToldBefore]) -> Mapping[type[Event], Keeper]:
    """What we say, by its event; gathered in `into` too, for whoever puts it in words again."""

    async def on_told(conn: Connection, told: Sequence[Received]) -> None:
        into.extend(_told(event) for event in newest_of(told))
        await recovering.keep_told(conn, into)

    return {NotificationDelivered: on_told, NotificationFailed: on_told}


def _told(event: NotificationEvent) -> ToldBefore:
    at = datetime.fromisoformat(event.at)
    is_failed = isinstance(event, NotificationFailed)
    return ToldBefore(
        Notification(
            notification_id=event.notification_id,
            employer_id=event.employer_id,
            employee_id=event.employee_id,
            recipient_kind=event.recipient_kind,
            recipient=event.recipient,
            channel=event.channel,
            template=event.template,
            cause="",
            # A message is told once for cause and transition, and of this one neither is known.
            transition=event.notification_id,
            text="",
            at=at,
            state="failed" if is_failed else "delivered",
            reason=event.reason if isinstance(event, NotificationFailed) else "",
            cause_event=event.cause_event,
            ticket_ids=(event.ticket_id,) if event.ticket_id else (),
            delivered_at=None if is_failed else at,
            version=event.version,
        ),
        event.covers,
    )
