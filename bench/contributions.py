"""Contributions calculated: ours beside its peers on one roster, then the whole path through the
service beside PostgreSQL's bare COPY.

Prints tables and writes var/bench/contributions.json. Read the ratios: absolute figures differ from
machine to machine. `python bench/contributions.py arithmetic` (or `path`) measures one part alone.
"""

import asyncio
import json
import sys
import tempfile
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from bench.calculation.arithmetic import arithmetic, wanted
from bench.calculation.path import wanted_of_path, whole_path
from bench.calculation.servers import servers
from bench.calculation.stages import stages

RESULT = Path(__file__).parents[1] / "var" / "bench" / "contributions.json"
EMPLOYEES = (10_000, 100_000)
Row = dict[str, Any]


def main() -> None:
    """The parts that were asked for, or both; ends with what was wanted and what was measured."""
    console = Console(file=sys.stdout, width=140)
    asked = sys.argv[1:] or ["arithmetic", "path"]
    rows: list[Row] = []
    sentences: list[tuple[str, str, bool]] = []
    with tempfile.TemporaryDirectory(prefix="daozhang-bench-") as folder:
        if "arithmetic" in asked:
            found = arithmetic(Path(folder))
            _print(console, "The bare calculation", found)
            rows, sentences = [*rows, *found], [*sentences, *wanted(found)]
        if "path" in asked:
            found, parts = asyncio.run(_path(Path(folder)))
            _print(console, "The whole path through the service", found)
            _print(console, "Where its time goes, one part after another", parts)
            rows, sentences = [*rows, *found, *parts], [*sentences, *wanted_of_path(found)]
    table = Table("wanted", "measured", "holds", title="What was wanted", title_justify="left")
    for sentence, measured, holds in sentences:
        table.add_row(sentence, measured, "yes" if holds else "NO")
    console.print(table)
    RESULT.parent.mkdir(parents=True, exist_ok=True)
    RESULT.write_text(json.dumps(rows, indent=1) + "\n")


async def _path(folder: Path) -> tuple[list[Row], list[Row]]:
    found: list[Row] = []
    parts: list[Row] = []
    async with servers(folder) as running:
        for count in EMPLOYEES:
            found += await whole_path(running, count, folder, processes=2)
            ours, limit = await whole_path(running, count, folder)
            found += [ours, limit]
            for part in await stages(running, count, folder):
                per_second = round(ours["lines"] / part["seconds"])
                parts.append(part | {"lines_per_second": per_second})
    return found, parts


def _print(console: Console, title: str, rows: Sequence[Row]) -> None:
    names = list(dict.fromkeys(name for row in rows for name in row))
    table = Table(title=title, title_justify="left")
    for name in names:
        is_name = name == "who"
        table.add_column(
            name.replace("_", " "), justify="left" if is_name else "right", no_wrap=is_name
        )
    for cells in _cells(rows, names):
        table.add_row(*cells)
    console.print(table)


def _cells(rows: Iterable[Row], names: Sequence[str]) -> Iterable[list[str]]:
    for row in rows:
        values = (row.get(name, "") for name in names)
        yield [f"{value:,}" if isinstance(value, int) else str(value) for value in values]


if __name__ == "__main__":
    main()
