"""What ticket-svc refuses, as statements."""

from shared.refusal import NotFound, Refusal


class TicketUnknown(NotFound):
    """No such ticket, or another person's."""

    code = "ticket-unknown"
    title = "No such ticket"


class EmployeeUnknown(NotFound):
    """The caller's employee is on no roster that we know of."""

    code = "employee-unknown"
    title = "No such employee"


class TicketIsResolved(Refusal):
    """The ticket is resolved: it has to be reopened before anything else."""

    code = "ticket-is-resolved"
    title = "The ticket is resolved"


class TicketIsOpen(Refusal):
    """The ticket is open: there is nothing to reopen."""

    code = "ticket-is-open"
    title = "The ticket is open"


class TicketIsNotWaiting(Refusal):
    """The ticket waits on nobody: there is nothing to resume."""

    code = "ticket-is-not-waiting"
    title = "The ticket does not wait"


class AnotherTicketIsOpen(Refusal):
    """A newer ticket of the same employee and cause is open: there is one at a time."""

    code = "another-ticket-is-open"
    title = "Another ticket of this cause is open"


class AssigneeUnknown(Refusal):
    """The person is not on the employer's HR staff."""

    code = "assignee-unknown"
    title = "Not on the HR staff"
