"""Every setting of ticket-svc, with its bounds."""

from pydantic import Field

from shared.serve import ServiceSettings

_CLOCK_TEXT = r"^([01]\d|2[0-3]):[0-5]\d$"


class Settings(ServiceSettings):
    """The service level: how long people have, and when the office is open (Asia/Shanghai)."""

    office_opens: str = Field(default="09:00", pattern=_CLOCK_TEXT)
    office_closes: str = Field(default="18:00", pattern=_CLOCK_TEXT)
    reply_working_days: int = Field(default=2, ge=1, le=20)
    resolve_working_days: int = Field(default=10, ge=1, le=120)
