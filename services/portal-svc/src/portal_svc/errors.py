"""What this service refuses."""

from shared.refusal import NotFound, Refusal


class MonthUnknown(NotFound):
    """No fact about this employee and levy period has come yet, or it is another's."""

    code = "month-unknown"


class TicketUnknown(NotFound):
    """There is no such ticket, or it is another employer's."""

    code = "ticket-unknown"


class EmployeeUnknown(NotFound):
    """There is no such employee, or they are another employer's."""

    code = "employee-unknown"


class EmployerUnknown(NotFound):
    """There is no such employer, or it is not one of the caller's."""

    code = "employer-unknown"


class OwnerUnreachable(Refusal):
    """The service that owns the command does not answer; nothing is known of what it did."""

    code = "owner-unreachable"
    status = 503
    title = "Not available just now"
