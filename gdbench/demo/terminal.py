"""A demo on a terminal, through Rich."""

from __future__ import annotations

from rich import box
from rich.console import Console, Group, RenderableType
from rich.rule import Rule
from rich.table import Table as RichTable
from rich.text import Text

from gdbench.demo.plot import plot
from gdbench.demo.show import Picture, Show, Table


def rendered(show: Show) -> RenderableType:
    """The demo as something that Rich prints."""
    blocks: list[RenderableType] = [Rule(Text(show.title, "bold"), align="left")]
    for part in show.parts:
        blocks += [Text(), block(part)]
    return Group(*blocks)


def block(part: str | Table | Picture) -> RenderableType:
    """One part of a demo."""
    if isinstance(part, Picture):
        return plot(part)
    if isinstance(part, Table):
        return table(part)
    return Text(part)


def table(part: Table) -> RichTable:
    """A table whose first column is left-aligned; the others hold numbers."""
    made = RichTable(
        title=part.title, title_justify="left", title_style="bold", box=box.SIMPLE_HEAD, padding=(0, 1), pad_edge=False
    )
    for number, column in enumerate(part.columns):
        made.add_column(column, justify="right" if number else "left", overflow="fold", no_wrap=not number)
    for row in part.rows:
        made.add_row(*(Text(cell) for cell in row))
    return made


def show_on(console: Console, show: Show) -> None:
    """Print the demo."""
    console.print(rendered(show))
