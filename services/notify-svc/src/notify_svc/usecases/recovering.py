"""A restored store takes back what was told: nobody hears it a second time."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from notify_svc import store
from notify_svc.domain.digest import Digest
from notify_svc.store.notifications import Notification
from notify_svc.usecases.sending import message_of
from notify_svc.usecases.telling import Voice, notifications_of
from shared.db import Connection


@dataclass(frozen=True, slots=True)
class ToldBefore:
    """A message as its event tells it, and the mentions that were gathered in it."""

    notification: Notification
    mention_ids: tuple[str, ...]


async def keep_told(conn: Connection, told: Sequence[ToldBefore]) -> None:
    """Messages and what they covered count as told."""
    await store.notifications.keep_told(conn, [one.notification for one in told])
    covered = {
        mention_id: (
            mention_id,
            one.notification.employer_id,
            one.notification.template,
            one.notification.cause_event,
            one.notification.at,
        )
        for one in told
        for mention_id in one.mention_ids
    }
    if covered:
        await store.mentions.keep_told(conn, list(covered.values()))


async def in_words(
    conn: Connection, voice: Voice, told: Sequence[ToldBefore], _: datetime
) -> Sequence[str]:
    """Messages to HR get their words again from what was gathered in them, now that it was heard
    again. Gives what no event tells.
    """
    for one in told:
        mentions = await store.mentions.named(conn, one.mention_ids)
        if mentions and len(mentions) == len(one.mention_ids):
            ordered = tuple(sorted(mentions, key=lambda mention: mention.mention_id))
            message = message_of(Digest(one.notification.recipient, ordered), one.notification.at)
            # Only the very same message: any other would be told as a new one.
            same = [
                made
                for made in notifications_of(voice, message, one.notification.at)
                if made.notification_id == one.notification.notification_id
            ]
            await store.notifications.add(conn, same)
    wordless = await store.notifications.without_words(conn)
    lines = ["e-mail preferences that employees changed since the backup are lost"]
    if wordless:
        lines.append(f"{wordless} messages are known as told; their words are in no event")
    return lines
