"""Prints the case as it goes: a timeline in business time, progress on long steps, and the
closing tables.
"""

from datetime import datetime
from zoneinfo import ZoneInfo

from rich.console import Console
from rich.table import Table

CHINA = ZoneInfo("Asia/Shanghai")
_WEEKDAYS = "一二三四五六日"


def china_text(at: datetime) -> str:
    """`2024-10-17 周四 08:00`, in Asia/Shanghai."""
    local = at.astimezone(CHINA)
    return f"{local:%Y-%m-%d} 周{_WEEKDAYS[local.weekday()]} {local:%H:%M}"


class Narrator:
    """Writes to a console; on a terminal the moments in between are shown and overwritten."""

    def __init__(self, console: Console) -> None:
        self.console = console

    def tell(self, at: datetime, text: str) -> None:
        self.console.print(
            f"[bold]{china_text(at)}[/bold]  {text}", highlight=False, soft_wrap=True
        )

    def passing(self, at: datetime) -> None:
        """A moment that was visited on the way; only shown where it can be overwritten."""
        if self.console.is_terminal:
            self.console.print(f"[dim]{china_text(at)}  …[/dim]", end="\r", highlight=False)

    def note(self, text: str) -> None:
        self.console.print(f"                     {text}", highlight=False, soft_wrap=True)

    def table(self, title: str, columns: tuple[str, ...], rows: list[tuple[str, ...]]) -> None:
        """Every column but the first is aligned right: they are counts and amounts."""
        table = Table(title=title, title_justify="left")
        for number, column in enumerate(columns):
            table.add_column(column, justify="left" if number == 0 else "right")
        for row in rows:
            table.add_row(*row)
        self.console.print(table)
