"""What the HTTP door takes and gives."""

from datetime import datetime

from pydantic import BaseModel, ConfigDict, Field

from notify_svc.store.notifications import Notification


class NotificationView(BaseModel):
    """One message by one channel.

    `state`: pending, sending, delivered, failed (a person has to look), switched_off or no_address.
    """

    notification_id: str
    employer_id: str
    recipient_kind: str = Field(examples=["employee"])
    recipient: str
    employee_id: str
    channel: str = Field(examples=["inbox"])
    template: str = Field(examples=["records_arrived"])
    text: str = Field(examples=["10月医疗险、生育险记录已补录，可正常查询"])
    at: datetime
    state: str
    reason: str
    delivered_at: datetime | None
    ticket_id: str = Field(description="Empty where it is about several tickets, or none.")
    ticket_ids: list[str]
    anomaly_ids: list[str]


class Preferences(BaseModel):
    """Which channels the employee wants beside the inbox."""

    model_config = ConfigDict(extra="forbid")

    email: bool


def view_of(notification: Notification) -> NotificationView:
    return NotificationView.model_validate(notification, from_attributes=True)
