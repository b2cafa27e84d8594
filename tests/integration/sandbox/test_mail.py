"""The mail sink: everything that is sent by SMTP is kept and can be read."""

import asyncio
import smtplib
from email.message import EmailMessage

from tests.support.parties import Sandbox


def send(port: int, message: EmailMessage) -> None:
    with smtplib.SMTP("127.0.0.1", port, timeout=10) as client:
        client.send_message(message)


async def test_a_mail_is_kept_with_its_chinese_text(sandbox: Sandbox) -> None:
    await sandbox.step("2024-10-17T08:00:00+08:00")
    for recipient in ("hr@example.test", "wang@example.test"):
        message = EmailMessage()
        message["From"] = "到账 <notice@example.test>"
        message["To"] = recipient
        message["Subject"] = "10月医疗险、生育险未到账"
        message["Message-ID"] = f"<1.{recipient}>"
        message.set_content("请在两个工作日内答复。\n")
        await asyncio.to_thread(send, sandbox.addresses.smtp_port, message)
    items = (await sandbox.control.get("/mails")).json()["items"]
    assert [item["recipients"] for item in items] == [["hr@example.test"], ["wang@example.test"]]
    asked = {"recipient": "wang@example.test"}
    [mail] = (await sandbox.control.get("/mails", params=asked)).json()["items"]
    assert mail["subject"] == "10月医疗险、生育险未到账"
    assert mail["text"] == "请在两个工作日内答复。\n"
    assert mail["received_at"].startswith("2024-10-17T00:00:00")
    assert mail["message_id"] == "<1.wang@example.test>"
