"""The mail server: one message in, and what it said out."""

from email.message import EmailMessage

import aiosmtplib

from notify_svc.domain.sending import Sent
from notify_svc.settings import MailTls, Settings

_LONGEST_REPLY = 500
_PERMANENT = 500
_START_TLS = {MailTls.OFFERED: None, MailTls.REQUIRED: True, MailTls.NEVER: False}


class Mailer:
    """Sends by SMTP, one connection a message: a connection kept open fails at the worst moment."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    async def send(
        self, notification_id: str, address: str, subject: str, text: str
    ) -> tuple[Sent, str]:
        """What one try came to, and the server's own words.

        The message id is the notification's, so that a mailbox may recognise a message that came
        twice.
        """
        try:
            message = self._message(notification_id, address, subject, text)
        except ValueError:
            return Sent.REFUSED, "the address is not one that a mail can be sent to"
        client = aiosmtplib.SMTP(
            hostname=self._settings.smtp_host,
            port=self._settings.smtp_port,
            timeout=self._settings.smtp_timeout_seconds,
            start_tls=_START_TLS[self._settings.smtp_tls],
        )
        try:
            await client.connect()
        except (aiosmtplib.SMTPException, OSError) as error:
            return Sent.NOT_NOW, _words(error)
        return await _sent(client, message)

    def _message(self, notification_id: str, address: str, subject: str, text: str) -> EmailMessage:
        message = EmailMessage()
        message["From"] = self._settings.mail_from
        message["To"] = address
        message["Subject"] = subject
        message["Message-ID"] = f"<{notification_id}@daozhang>"
        message.set_content(text)
        return message


async def _sent(client: aiosmtplib.SMTP, message: EmailMessage) -> tuple[Sent, str]:
    try:
        _, reply = await client.send_message(message)
    except aiosmtplib.SMTPRecipientsRefused as error:
        [refused] = error.recipients
        return _refusal(refused.code), _words(refused)
    except aiosmtplib.SMTPResponseException as error:
        return _refusal(error.code), _words(error)
    except (aiosmtplib.SMTPException, OSError) as error:
        return Sent.UNKNOWN, _words(error)
    finally:
        client.close()
    return Sent.DELIVERED, reply[:_LONGEST_REPLY]


def _refusal(code: int) -> Sent:
    return Sent.REFUSED if code >= _PERMANENT else Sent.NOT_NOW


def _words(error: Exception) -> str:
    return f"{type(error).__name__}: {error}"[:_LONGEST_REPLY]
