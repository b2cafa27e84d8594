"""Contributions calculated: ours beside its peers on one roster, then the whole path through the
service beside PostgreSQL's bare COPY.

Prints tables and writes var/bench/contributions.json. Read the ratios: absolute figures differ from
machine to machine.
"""

import json
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from bench.calculation.arithmetic import arithmetic, wanted

RESULT = Path(__file__).parents[1] / "var" / "bench" / "contributions.json"


def main() -> None:
    """Both parts; ends with what was wanted and what was measured."""
    console = Console(file=sys.stdout, width=120)
    with tempfile.TemporaryDirectory(prefix="daozhang-bench-") as folder:
        rows = arithmetic(Path(folder))
    _print(console, "The bare calculation", rows)
    table = Table("wanted", "measured", "holds", title="What was wanted", title_justify="left")
    for sentence, measured, holds in wanted(rows):
        table.add_row(sentence, measured, "yes" if holds else "NO")
    console.print(table)
    RESULT.parent.mkdir(parents=True, exist_ok=True)
    RESULT.write_text(json.dumps(rows, indent=1) + "\n")


def _print(console: Console, title: str, rows: Sequence[dict[str, Any]]) -> None:
    names = list(dict.fromkeys(name for row in rows for name in row))
    table = Table(title=title, title_justify="left")
    for name in names:
        table.add_column(name.replace("_", " "), justify="left" if name == "who" else "right")
    for row in sorted(rows, key=lambda row: -row["lines_per_second"]):
        table.add_row(*(_shown(row.get(name, "")) for name in names))
    console.print(table)


def _shown(value: object) -> str:
    return f"{value:,}" if isinstance(value, int) else str(value)


if __name__ == "__main__":
    main()
