"""What every page of the terminal is made of: money, bullets and tables that read alike at 80 and at 120 columns."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Literal

from rich import box
from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from tariff_service.output import clean

Align = Literal["left", "right"]


def money(amount: str | None) -> str:
    """Return a decimal string as dollars: -5000.00 is -$5,000.00; nothing is a question mark, never a zero."""
    if amount is None:
        return "?"
    sign, size = ("-", amount[1:]) if amount.startswith("-") else ("", amount)
    whole, point, rest = size.partition(".")
    return f"{sign}${int(whole):,}{point}{rest}" if whole.isdigit() else clean(amount)


def plural(count: int, word: str) -> str:
    """Return a count with its noun."""
    return f"{count:,} {word}" + ("" if count == 1 else "s")


class Paper:
    """A console with the few things that the pages use."""

    def __init__(self, console: Console) -> None:
        """Take the console to write on."""
        self.console = console

    def title(self, text: str, rest: str = "") -> None:
        """Write a title, with something after it in plain type."""
        line = Text(clean(text), style="bold")
        if rest:
            line.append(f"  {clean(rest)}", style="not bold")
        self.console.print(line)

    def head(self, text: str) -> None:
        """Write the heading of a section, after a blank line."""
        self.console.print()
        self.console.print(Text(clean(text), style="bold"))

    def line(self, text: str = "", indent: int = 2, style: str = "") -> None:
        """Write a sentence; its further lines begin where the first does."""
        self.console.print(Padding(Text(clean(text), style=style), (0, 0, 0, indent), expand=False))

    def item(self, text: str, indent: int = 2, style: str = "") -> None:
        """Write a sentence behind a dash."""
        self.pair("-", text, indent, 1, style)

    def pair(self, name: str, text: str, indent: int = 2, width: int = 0, style: str = "") -> None:
        """Write a sentence beside a name."""
        grid = Table.grid(padding=(0, 1))
        grid.add_column(width=width or None, no_wrap=True)
        grid.add_column()
        grid.add_row(Text(clean(name), style=style), Text(clean(text)))
        self.console.print(Padding(grid, (0, 0, 0, indent), expand=False))

    def table(
        self, columns: Sequence[tuple[str, Align]], rows: Iterable[Sequence[str]], foot: Sequence[str] = (), wraps: int | None = None
    ) -> None:
        """Write a table. `wraps` is the column whose text may take several lines; `foot` is its last row, in bold."""
        found = Table(box=box.SIMPLE_HEAD, show_footer=bool(foot), pad_edge=False, padding=(0, 1), header_style="bold", footer_style="bold")
        for place, (name, align) in enumerate(columns):
            wide = place == wraps
            footer = Text(clean(foot[place])) if foot else ""
            found.add_column(
                name,
                footer=footer,
                justify=align,
                no_wrap=False,
                overflow="fold",
                ratio=1 if wide else None,
                min_width=18 if wide else None,
            )
        for row in rows:
            found.add_row(*(Text(clean(cell)) for cell in row))
        found.expand = wraps is not None
        self.console.print(found)
