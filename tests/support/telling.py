"""Builders of events and a handler that writes down what it was given: for tests of the
plumbing.
"""

from collections.abc import Iterable, Sequence

from sqlalchemy import text

from shared.contracts import PayItemFact, SalaryComputed
from shared.db import Connection

EFFECTS = """
CREATE TABLE effects (seq bigint GENERATED ALWAYS AS IDENTITY, employee_id text NOT NULL,
                      levy_period text NOT NULL, version bigint NOT NULL);
GRANT SELECT, INSERT ON effects TO {package}_worker;
"""

WRITE = text("INSERT INTO effects (employee_id, levy_period, version) VALUES (:e, :p, :v)")
_READ = text("SELECT employee_id, levy_period, version FROM effects ORDER BY seq")


def salary(
    employee_id: str, version: int = 1, levy_period: str = "2024-10", wage_fen: int = 1_000_000
) -> SalaryComputed:
    """A SalaryComputed of 10,000.00 yuan unless said otherwise."""
    return SalaryComputed(
        version=version,
        employee_id=employee_id,
        employer_id="employer-1",
        levy_period=levy_period,
        purpose="run",
        run_id="run-1",
        gross_fen=wage_fen,
        wage_fen=wage_fen,
        items=(PayItemFact(code="base", amount_fen=wage_fen),),
    )


class HandlerRefuses(Exception):
    """What the handler raises for an employee that it was told to refuse."""


class Recorder:
    """Handles SalaryComputed by a row in `effects`; refuses the employees in `refused`."""

    def __init__(self, refused: Iterable[str] = ()) -> None:
        self.refused = set(refused)
        self.runs: list[int] = []

    async def on_salaries(self, conn: Connection, events: Sequence[SalaryComputed]) -> None:
        self.runs.append(len(events))
        for event in events:
            if event.employee_id in self.refused:
                raise HandlerRefuses(event.employee_id)
            await conn.execute(
                WRITE, {"e": event.employee_id, "p": event.levy_period, "v": event.version}
            )


async def effects(conn: Connection) -> list[tuple[str, str, int]]:
    """What the handlers wrote: (employee, levy period, version) in order."""
    return [(row.employee_id, row.levy_period, row.version) for row in await conn.execute(_READ)]
