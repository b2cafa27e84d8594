"""What reconciliation-svc refuses."""

from shared.refusal import Refusal


class PeriodHasOpenCells(Refusal):
    """A levy period with cells that are still open is closed only with a reason."""

    code = "period-has-open-cells"
    status = 409
    title = "Cells of this levy period are still open"


class PeriodNotOpened(Refusal):
    """There is nothing to close: the levy period has no cells of this employer."""

    code = "period-not-opened"
    status = 409
    title = "The levy period has no cells"
