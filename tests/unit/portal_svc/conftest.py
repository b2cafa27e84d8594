"""小王's October as the golden examples tell it, as the portal's own facts."""

import msgspec
import pytest

from portal_svc.domain import facts
from tests.support.schemas.golden import golden_examples


@pytest.fixture(scope="session")
def told() -> dict[str, dict[str, object]]:
    """Event name to the body of its golden example."""
    return {golden.name.split(".")[0]: golden.data for golden in golden_examples()}


@pytest.fixture
def october(told: dict[str, dict[str, object]]) -> facts.Month:
    """Debited on 10 October; medical and maternity are looked for on the 17th and not there."""
    judged = told["CellsJudged"]
    return facts.Month(
        employee_id=str(judged["employee_id"]),
        employer_id=str(judged["employer_id"]),
        levy_period="2024-10",
        payslip=msgspec.convert(told["PayslipIssued"], facts.Payslip),
        assessed=msgspec.convert(told["ContributionAssessed"], facts.Assessed),
        posted=msgspec.convert(told["ContributionPosted"], facts.Posted),
        bureau=msgspec.convert(told["BureauAck"], facts.Bureau),
        judged=msgspec.convert(judged, facts.Judged),
        event_ids={
            "payslip": "event-1",
            "assessed": "event-2",
            "posted": "event-3",
            "bureau": "event-4",
            "judged": "event-5",
        },
    )


@pytest.fixture
def employer(told: dict[str, dict[str, object]]) -> facts.Employer:
    return msgspec.convert(told["EmployerChanged"], facts.Employer)


@pytest.fixture
def ticket(told: dict[str, dict[str, object]]) -> facts.Ticket:
    return msgspec.convert(told["TicketOpened"], facts.Ticket)
