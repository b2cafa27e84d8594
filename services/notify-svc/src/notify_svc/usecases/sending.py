"""What time does: digests are told, messages are sent, sent again, or given to a person."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import datetime

from notify_svc import store
from notify_svc.domain.digest import Digest, digests_of, is_over, params_of
from notify_svc.domain.sending import Sent, next_try, without_address
from notify_svc.store.notifications import Notification
from notify_svc.usecases.telling import Message, Voice, delivered, failed, tell
from shared.db import Connection
from shared.sealed import SealBroken, Sealed, Sealer

DIGEST_GROUPS = 50
"""So many causes a transaction; a cause may concern thousands of employees."""
SEND_AT_ONCE = 10
"""A process that dies leaves at most so many outcomes unknown."""


@dataclass(frozen=True, slots=True)
class Letter:
    """A message on its way, with what is needed to address it; `wanted` is False when it was
    switched off.
    """

    notification: Notification
    identity: Sealed | None
    wanted: bool


async def tell_digests(conn: Connection, voice: Voice, now: datetime) -> int:
    """Tells HR what has gathered; how many things were told."""
    mentions = await store.mentions.take_due(conn, now, DIGEST_GROUPS)
    staff = await store.copies.staff_of(conn, {mention.employer_id for mention in mentions})
    digests = [digest for digest in digests_of(mentions, staff) if not is_over(digest)]
    messages = [message_of(digest, now) for digest in digests]
    await tell(conn, voice, messages, now)
    await store.mentions.mark_told(conn, [mention.mention_id for mention in mentions], now)
    return len(mentions)


def message_of(digest: Digest, now: datetime) -> Message:
    """What a recipient is told of what has gathered by `now`."""
    first, mentions = digest.first, digest.mentions
    return Message(
        employer_id=first.employer_id,
        recipient_kind="hr",
        recipient=digest.recipient,
        template=first.template,
        cause=f"{first.employer_id}/{first.template}/{first.cause}",
        transition=f"gathered {now.isoformat()}",
        cause_event=first.cause_event,
        params=params_of(digest),
        ticket_ids=tuple(sorted({m.ticket_id for m in mentions if m.ticket_id})),
        anomaly_ids=tuple(sorted({name for m in mentions for name in m.anomaly_ids})),
        mention_ids=tuple(sorted(m.mention_id for m in mentions)),
    )


async def begin(conn: Connection, now: datetime) -> list[Letter]:
    """Takes messages that are due and writes down that they are being sent, before anything is
    sent.
    """
    begun = await store.notifications.begin_tries(conn, now, SEND_AT_ONCE)
    people = [notification.employee_id for notification in begun]
    identities = await store.copies.identities_of(conn, people)
    refused = await store.copies.without_email(conn, people)
    return [
        Letter(one, identities.get(one.employee_id), one.employee_id not in refused)
        for one in begun
    ]


def address_of(sealer: Sealer, letter: Letter) -> str:
    """The e-mail address, opened for this one message; empty if there is none that we can open."""
    if letter.identity is None:
        return ""
    message = letter.notification
    try:
        opened = sealer.open(message.employer_id, message.employee_id, letter.identity)
    except SealBroken:
        return ""
    return opened.get("email", "")


Send = Callable[[str, str, str, str], Awaitable[tuple[Sent, str]]]
"""(notification id, address, subject, text) to what it came to and the server's words."""


async def send_letter(send: Send, sealer: Sealer, letter: Letter) -> tuple[str, str]:
    """One try, outside any transaction: its outcome and the reply."""
    if not letter.wanted:
        return "switched_off", ""
    address = address_of(sealer, letter)
    if not address:
        return "no_address", ""
    message = letter.notification
    outcome, words = await send(message.notification_id, address, message.subject, message.text)
    return outcome, without_address(words, address)


async def end(conn: Connection, letter: Letter, outcome: str, reply: str, now: datetime) -> None:
    """Writes what the try came to: delivered, tried again later, or a person's to look at."""
    message = letter.notification
    if outcome == Sent.DELIVERED:
        await delivered(conn, message, reply, now)
    elif outcome in ("switched_off", "no_address"):
        await store.notifications.end_try(conn, replace(message, state=outcome), outcome, reply)
    elif outcome == Sent.NOT_NOW and (again := next_try(message.tries, now)) is not None:
        waiting = replace(message, state="pending", try_at=again, reason=reply)
        await store.notifications.end_try(conn, waiting, outcome, reply)
    else:
        await failed(conn, message, outcome, reply, now)


async def give_up_left_open(conn: Connection, now: datetime) -> int:
    """Tries whose process died may have arrived or not: they are not repeated, a person decides."""
    left = await store.notifications.left_open(conn, SEND_AT_ONCE)
    for notification in left:
        reply = "the process ended while it was being sent; it may have arrived"
        await failed(conn, notification, Sent.UNKNOWN, reply, now)
    return len(left)
