"""E-mail over real SMTP: the address is opened at sending only, every try is written down."""

from datetime import timedelta
from email.header import decode_header, make_header

import msgspec

from notify_svc.domain.sending import WAITS
from shared.contracts import IDENTITIES, EmployeeSealed, NotificationFailed
from shared.sealed import Sealer
from tests.integration.notify_svc.conftest import MailServer
from tests.integration.notify_svc.test_story import resolved
from tests.support.october import cleared
from tests.support.rooms import Room, at


def sealed(sealer: Sealer, email: str, version: int = 1) -> EmployeeSealed:
    closed = sealer.seal("the-employer", "xiaowang", {"name": "王", "email": email})
    return EmployeeSealed(
        version=version,
        employee_id="xiaowang",
        employer_id="the-employer",
        sealed=closed.sealed,
        wrapped_key=closed.wrapped_key,
        root_key_id=closed.root_key_id,
    )


async def arrive(service: Room) -> None:
    await service.hear(cleared("xiaowang"), resolved("xiaowang"))


async def mail_states(service: Room) -> list[str]:
    rows = await service.rows("SELECT state FROM notifications WHERE channel = 'email'")
    return [row.state for row in rows]


async def test_the_message_reaches_the_mailbox(
    service: Room, mail_server: MailServer, sealer: Sealer
) -> None:
    await service.hear(sealed(sealer, "xiaowang@example.com"))
    await arrive(service)
    await service.work()
    [mail] = mail_server.mails
    assert mail["To"] == "xiaowang@example.com"
    assert str(make_header(decode_header(mail["Subject"]))) == "社保记录已补录"
    body = mail.get_payload(decode=True)
    assert isinstance(body, bytes)
    assert "10月医疗险、生育险记录已补录，可正常查询。" in body.decode()
    assert await mail_states(service) == ["delivered"]
    told = await service.told()
    assert {event.channel for event in told} == {"inbox", "email"}
    assert "example.com" not in str(told)


async def test_a_server_that_is_busy_is_asked_again_and_then_a_person(
    service: Room, mail_server: MailServer, sealer: Sealer
) -> None:
    mail_server.refusal = "451 busy"
    await service.hear(sealed(sealer, "xiaowang@example.com"))
    await arrive(service)
    for wait in (timedelta(), *WAITS):
        service.clock.set(service.clock.now() + wait)
        assert await service.work() == 1
        assert await service.work() == 0
    assert await mail_states(service) == ["failed"]
    [failure] = [e for e in await service.told() if isinstance(e, NotificationFailed)]
    assert "451" in failure.reason
    tries = await service.rows("SELECT number, outcome FROM tries ORDER BY number")
    assert [row.number for row in tries] == list(range(1, len(WAITS) + 2))
    answer = await service.http.get(
        "/notifications",
        params={"employer_id": "the-employer", "state": "failed"},
        headers=service.hr(),
    )
    assert [item["channel"] for item in answer.json()["items"]] == ["email"]


async def test_a_refused_address_is_not_tried_again(
    service: Room, mail_server: MailServer, sealer: Sealer
) -> None:
    mail_server.refusal = "550 <NoBody.Here@Example.com>: no such mailbox nobody.here"
    await service.hear(sealed(sealer, "nobody.here@example.com"))
    await arrive(service)
    assert await service.work() == 1
    assert await mail_states(service) == ["failed"]
    # The server's words are kept and told, but not the address that they repeat.
    [failed] = [one for one in await service.told() if isinstance(one, NotificationFailed)]
    [row] = await service.rows(
        "SELECT reply, reason FROM tries JOIN notifications USING (notification_id)"
    )
    for words in (failed.reason, row.reply, row.reason):
        assert "no such mailbox" in words
        assert "nobody" not in words.lower()


async def test_a_server_that_does_not_answer_is_asked_again(
    service: Room, mail_server: MailServer, sealer: Sealer
) -> None:
    await service.hear(sealed(sealer, "xiaowang@example.com"))
    await arrive(service)
    mail_server.stop()
    await service.work()
    assert await mail_states(service) == ["pending"]


async def test_who_switched_mail_off_or_has_no_address_gets_none(
    service: Room, mail_server: MailServer, sealer: Sealer
) -> None:
    answer = await service.http.put(
        "/preferences", json={"email": False}, headers=service.employee()
    )
    assert answer.status_code == 200, answer.text
    kept = await service.http.get("/preferences", headers=service.employee())
    assert kept.json() == {"email": False}
    await service.hear(sealed(sealer, "xiaowang@example.com"))
    await arrive(service)
    await service.work()
    assert await mail_states(service) == ["switched_off"]
    await service.hear(cleared("another"), resolved("another"))
    await service.work()
    assert sorted(await mail_states(service)) == ["no_address", "switched_off"]
    assert mail_server.mails == []


async def test_a_tombstone_deletes_the_address(service: Room, sealer: Sealer) -> None:
    await service.hear(sealed(sealer, "old@example.com"), sealed(sealer, "new@example.com", 2))
    await service.hear_nothing_more_of(IDENTITIES, "xiaowang")
    # An older event of it that comes late, out of a dead letter or a replay, brings nothing back.
    await service.hear(sealed(sealer, "late@example.com", 3))
    [left] = await service.rows("SELECT sealed, wrapped_key, root_key_id FROM identities")
    assert set(left) == {""}


async def test_a_mail_for_an_erased_person_has_no_address(
    service: Room, mail_server: MailServer, sealer: Sealer
) -> None:
    await service.hear(sealed(sealer, "xiaowang@example.com"))
    await service.hear_nothing_more_of(IDENTITIES, "xiaowang")
    service.clock.set(at(11, 2))
    await arrive(service)
    await service.work()
    assert await mail_states(service) == ["no_address"]
    assert mail_server.mails == []


async def test_an_address_moved_from_another_persons_row_is_not_used(
    service: Room, mail_server: MailServer, sealer: Sealer
) -> None:
    other = sealer.seal("the-employer", "another", {"name": "李", "email": "other@example.com"})
    moved = msgspec.structs.replace(
        sealed(sealer, "xiaowang@example.com"),
        sealed=other.sealed,
        wrapped_key=other.wrapped_key,
    )
    service.clock.set(at(11, 2))
    await service.hear(moved)
    await arrive(service)
    await service.work()
    assert await mail_states(service) == ["no_address"]
    assert mail_server.mails == []


async def test_a_replay_brings_back_an_identity_that_a_restored_store_lacks(
    service: Room, sealer: Sealer
) -> None:
    told = sealed(sealer, "xiaowang@example.com")
    await service.hear(told)
    await service.rows("DELETE FROM identities RETURNING 1")
    await service.hear(told)
    [row] = await service.rows("SELECT sealed, version FROM identities")
    assert tuple(row) == (told.sealed, 1)


async def test_a_try_that_a_dead_process_left_open_goes_to_a_person(
    service: Room, mail_server: MailServer, sealer: Sealer
) -> None:
    service.clock.set(at(11, 2))
    await service.hear(sealed(sealer, "xiaowang@example.com"))
    await arrive(service)
    await service.rows(
        "WITH begun AS (UPDATE notifications SET state = 'sending', tries = 1, try_at = NULL"
        " WHERE channel = 'email' RETURNING notification_id, employer_id)"
        " INSERT INTO tries (notification_id, number, employer_id, begun_at)"
        " SELECT notification_id, 1, employer_id, now() - interval '11 minutes' FROM begun"
        " RETURNING 1"
    )
    assert await service.work() == 1
    assert await mail_states(service) == ["failed"]
    assert mail_server.mails == []
