"""A yearly campaign: the roster read, the bases of everyone computed, exported and compared; beside
the assessment of one levy period of the same people in the same run.

Prints a table and writes var/bench/campaign.json. Read the ratios and the statements: absolute
figures differ from machine to machine. `python -m bench.campaign 2000` takes fewer employees.
"""

import asyncio
import json
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table
from sqlalchemy import event

from bench.calculation.roster import people, wages
from bench.peers.measured import peak_rss_mb
from deploy.embedded.layout import free_ports
from deploy.embedded.postgres import Postgres
from tests.integration.contribution_svc.bank import banking
from tests.integration.contribution_svc.month import EMPLOYER, Month
from tests.integration.contribution_svc.service import running
from tests.support.issuer import issuer
from tests.support.service_databases import ServiceDatabases

RESULT = Path(__file__).parents[1] / "var" / "bench" / "campaign.json"
EMPLOYEES = 10_000
_BATCH = 2_000
_OPENED = {"employer_id": EMPLOYER, "contribution_year": 2024, "confirm_by": "2024-10-20"}
_BASIS = "assess one levy period"


@dataclass
class Measured:
    """Of each part its seconds, and how many statements it took."""

    month: Month
    rows: list[dict[str, Any]] = field(default_factory=list)

    @contextmanager
    def part(self, who: str, count: int) -> Iterator[None]:
        statements = 0

        def counted(*_: Any) -> None:
            nonlocal statements
            statements += 1

        engines = [self.month.parts.api.sync_engine, self.month.parts.worker.sync_engine]
        for engine in engines:
            event.listen(engine, "before_cursor_execute", counted)
        began = time.perf_counter()
        yield
        seconds = time.perf_counter() - began
        for engine in engines:
            event.remove(engine, "before_cursor_execute", counted)
        self.rows.append(
            {
                "who": who,
                "n": count,
                "seconds": round(seconds, 2),
                "us_per_employee": round(seconds / count * 1e6),
                "statements": statements,
                "peak_rss_mb": round(peak_rss_mb("self")),
            }
        )


def main() -> None:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else EMPLOYEES
    with tempfile.TemporaryDirectory(prefix="daozhang-bench-") as folder:
        rows = asyncio.run(_campaign(Path(folder), count))
    [basis] = [row["seconds"] for row in rows if row["who"] == _BASIS]
    table = Table(*rows[0], f"of {_BASIS}", title="A campaign", title_justify="left")
    for row in rows:
        row["ratio"] = round(row["seconds"] / basis, 2)
        table.add_row(*(str(value) for value in row.values()))
    Console(file=sys.stdout, width=140).print(table)
    RESULT.parent.mkdir(parents=True, exist_ok=True)
    RESULT.write_text(json.dumps(rows, indent=1) + "\n")


async def _campaign(home: Path, count: int) -> list[dict[str, Any]]:
    async with _service(home) as month:
        measured = Measured(month)
        for facts in (people(count), wages(count)):
            for start in range(0, len(facts), _BATCH):
                await month.hear(*facts[start : start + _BATCH])
        with measured.part(_BASIS, count):
            await month.work("2024-09-25 09:00")
        with measured.part("open", count):
            answer = await month.post("/base-campaigns", json=_OPENED)
        path = f"/base-campaigns/{answer.raise_for_status().json()['campaign_id']}"
        jobs = {job.name: job for job in month.wiring.jobs}
        with measured.part("read the roster", count):
            await jobs["fill_campaign"].run(month.clock.now())
        with measured.part("compute", count):
            while await jobs["compute_members"].run(month.clock.now()):
                continue
        for name in ("csv", "xlsx"):
            with measured.part(f"export {name}", count):
                await _done(month.get(f"{path}/export?format={name}"))
        with measured.part("compare a page of 200", 200):
            await _done(month.get(f"{path}/verified?limit=200"))
        counts = (await month.get(path)).json()["people"]
        assert sum(counts.values()) == count, counts
        return measured.rows


async def _done(asked: Awaitable[Any]) -> None:
    (await asked).raise_for_status()


@asynccontextmanager
async def _service(home: Path) -> AsyncIterator[Month]:
    """The service wired as it is, in this process, on an embedded PostgreSQL."""
    [port] = free_ports(1)
    postgres = Postgres(home / "postgres", home / "run", port, "bench-only")
    await postgres.start()
    try:
        async with (
            ServiceDatabases(postgres.url).clone("contribution_svc") as database,
            issuer() as signing,
            banking() as bank,
            running(database, signing, bank, home) as month,
        ):
            yield month
    finally:
        await postgres.stop()


if __name__ == "__main__":
    main()
