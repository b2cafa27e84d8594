"""What bureau-sync-svc refuses."""

from shared.refusal import NotFound


class AccountMonthUnknown(NotFound):
    """Nothing was filed for the account and levy period, so there is nothing to look up."""

    code = "account-month-unknown"
