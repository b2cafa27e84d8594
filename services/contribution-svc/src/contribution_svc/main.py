"""contribution-svc: wired from its settings; `main` is its command."""

from collections.abc import Sequence
from datetime import datetime

from contribution_svc import api, consumers, jobs
from contribution_svc.bank import BankAccess, BankClient
from contribution_svc.commands import add_commands
from contribution_svc.errors import BundleRefused, PolicyInvalid
from contribution_svc.policy import Policies, load_policies
from contribution_svc.policy.bundle import read_keys
from contribution_svc.policy.updates import Updates
from contribution_svc.settings import Settings
from contribution_svc.usecases.library import Library
from contribution_svc.usecases.recovering import ToldBefore, keep_told
from contribution_svc.usecases.updates import Trust, update_warnings
from shared.clock import WorkCalendar, system_now
from shared.contracts import CONTRIBUTION, POLICIES
from shared.db import Connection
from shared.serve import (
    Parts,
    Recovery,
    Service,
    SettingsRefused,
    Wiring,
    command,
    secret_from,
)


def build(parts: Parts[Settings]) -> Wiring:
    """The doors of one process. Secrets are read when they are needed; settings have checked
    them.
    """
    settings = parts.settings
    library = Library(_policies(settings), WorkCalendar())
    trust = Trust(library, lambda: read_keys(settings.policy_keys_file))
    _check_keys(settings)
    bank = BankClient(lambda: _bank_access(settings), system_now)

    def webhook_secret() -> str:
        return secret_from(settings.bank_webhook_secret_file, "BANK_WEBHOOK_SECRET_FILE")

    return Wiring(
        routers=api.routes(parts.api, parts.worker, parts.clock, trust, webhook_secret),
        topics=consumers.TOPICS,
        handlers=consumers.handlers(parts.clock),
        jobs=jobs.jobs(parts.worker, parts.clock, trust, bank, _updates(settings)),
        closers=[bank.close],
        recovery=_recovery(library),
        warnings=lambda conn: update_warnings(conn, settings.policy_update_address),
    )


def _recovery(library: Library) -> Recovery:
    told = ToldBefore()

    async def settle(conn: Connection, now: datetime) -> Sequence[str]:
        return await keep_told(conn, library, told, now)

    own = consumers.own.keepers(told)
    return Recovery(topics=(CONTRIBUTION, POLICIES), own=own, settle=settle)


def _policies(settings: Settings) -> Policies:
    try:
        return load_policies(settings.policy_dir)
    except PolicyInvalid as refusal:
        raise SettingsRefused(f"POLICY_DIR: {refusal.detail}") from None


def _check_keys(settings: Settings) -> None:
    try:
        read_keys(settings.policy_keys_file)
    except BundleRefused as refusal:
        raise SettingsRefused(f"POLICY_KEYS_FILE: {refusal.detail}") from None


def _updates(settings: Settings) -> Updates | None:
    address = settings.policy_update_address
    return Updates(address) if address else None


def _bank_access(settings: Settings) -> BankAccess:
    secret = secret_from(settings.bank_secret_file, "BANK_SECRET_FILE")
    return BankAccess(settings.bank_url, settings.bank_key_id, secret)


SERVICE = Service(
    name="contribution-svc",
    package="contribution_svc",
    description="Policy, bases, assessments, declarations, bank statements and their allocation.",
    settings=Settings,
    build=build,
    commands=add_commands,
)

main = command(SERVICE)
