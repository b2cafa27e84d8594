"""notify-svc on a database of its own, with a real mail server to send to."""

import secrets
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from email.message import Message
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.handlers import Message as MessageHandler

from deploy.embedded.layout import free_ports
from notify_svc.main import SERVICE
from shared.sealed import Sealer
from tests.support.rooms import Room, room
from tests.support.service_databases import ServiceDatabase


@dataclass
class MailServer(MessageHandler):
    """Takes mail over SMTP and keeps it; answers RCPT with `refusal` while that is set."""

    port: int
    mails: list[Message] = field(default_factory=list)
    refusal: str = ""
    is_stopped: bool = False
    controller: Controller = field(init=False)

    def __post_init__(self) -> None:
        super().__init__()

    def stop(self) -> None:
        """Ends it; more than once does no harm."""
        if not self.is_stopped:
            self.is_stopped = True
            self.controller.stop()

    def handle_message(self, message: Message) -> None:
        self.mails.append(message)

    async def handle_RCPT(  # noqa: N802  # the name that aiosmtpd looks for
        self, _server: Any, _session: Any, envelope: Any, address: str, _options: Any
    ) -> str:
        if self.refusal:
            return self.refusal
        envelope.rcpt_tos.append(address)
        return "250 OK"


@pytest.fixture
def mail_server() -> Any:
    [port] = free_ports(1)
    server = MailServer(port)
    server.controller = Controller(server, hostname="127.0.0.1", port=port)
    server.controller.start()
    yield server
    server.stop()


@pytest.fixture
def root_key_file(tmp_path: Path) -> Path:
    path = tmp_path / "root.key"
    path.touch(mode=0o600)
    path.write_text(secrets.token_hex(32))
    return path


@pytest.fixture
def sealer(root_key_file: Path) -> Sealer:
    return Sealer.from_file(root_key_file)


@pytest.fixture
async def service(
    service_database: Callable[[str], Awaitable[ServiceDatabase]],
    root_key_file: Path,
    mail_server: MailServer,
) -> AsyncIterator[Room]:
    database = await service_database("notify_svc")
    mail = {"smtp_host": "127.0.0.1", "smtp_port": mail_server.port}
    async with room(SERVICE, database, root_key_file=root_key_file, **mail) as running:
        yield running
