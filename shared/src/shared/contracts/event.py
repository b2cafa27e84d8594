"""What every event is: a frozen struct of one aggregate's full state, with a version that grows."""

import uuid
from typing import ClassVar

import msgspec

from shared.values import derived_id

PAYROLL = "payroll.events"
IDENTITIES = "payroll.identities"
CONTRIBUTION = "contribution.events"
POLICIES = "contribution.policies"
BUREAU_SYNC = "bureau-sync.events"
RECONCILIATION = "reconciliation.events"
TICKET = "ticket.events"
NOTIFY = "notify.events"


class Fact(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=False):
    """A part of an event. Unknown fields are ignored; fields are only ever added, with a
    default.
    """


class Event(Fact, frozen=True, kw_only=True):
    """Full state of one aggregate at `version`; a reader that sees it twice or late keeps the
    newest.

    `TOPIC` is where it is told; `key()` what must stay in order with it; `aggregate()` whose state
    it is.
    """

    TOPIC: ClassVar[str]
    FAMILY: ClassVar[str] = ""
    VERSION_IS_FENCE: ClassVar[bool] = False
    """Its readers keep its newest version by a merge that may be repeated: the inbox holds no
    repetition back, so that a replay brings back what a restored store lacks.
    """

    version: int

    @classmethod
    def event_name(cls) -> str:
        return cls.__name__

    @classmethod
    def family(cls) -> str:
        """The kind of aggregate: events of one family and subject share their version counter."""
        return cls.FAMILY or cls.__name__

    @classmethod
    def ce_type(cls) -> str:
        return f"daozhang.{cls.__name__}.v1"

    def key(self) -> str:
        """The Kafka key: an employee's id, or the account's (authority's, city's) where no employee
        is meant.
        """
        raise NotImplementedError

    def aggregate(self) -> str:
        """The ce_subject: one name for the thing that this is the state of."""
        raise NotImplementedError

    def event_id(self) -> uuid.UUID:
        return derived_id(self.ce_type(), self.aggregate(), self.version)


class EmployeeEvent(Event, frozen=True, kw_only=True):
    """A fact about one employee of one employer."""

    employee_id: str
    employer_id: str

    def key(self) -> str:
        return self.employee_id

    def aggregate(self) -> str:
        return self.employee_id


class EmployeeMonthEvent(EmployeeEvent, frozen=True, kw_only=True):
    """A fact about one employee's levy period, with all its insurances in one message."""

    levy_period: str

    def aggregate(self) -> str:
        return f"{self.employee_id}/{self.levy_period}"
