"""A picture in characters, for a terminal of any kind: each series has a mark and a colour of its own."""

from __future__ import annotations

import math
from collections.abc import Iterable

import numpy as np
from rich.text import Text

from gdbench.demo.show import Picture, Series

MARKS = "·ox+*#@%&"
COLOURS = ("cyan", "yellow", "green", "magenta", "red", "blue", "white", "bright_cyan", "bright_yellow")

WIDTH, HEIGHT = 64, 16


def plot(picture: Picture, width: int = WIDTH, height: int = HEIGHT) -> Text:
    """The picture as lines of text, `width` × `height` characters inside the axes.

    Points that are not finite, or not positive on a log axis, are left out.
    """
    xs = Axis([v for s in picture.series for v in s.x], picture.log_x, width)
    ys = Axis([v for s in picture.series for v in s.y], picture.log_y, height)
    grid: list[list[tuple[str, str]]] = [[(" ", "")] * width for _ in range(height)]
    for number, series in enumerate(picture.series):
        ink = mark(number)
        for column, row in places(series, xs, ys):
            grid[height - 1 - row][column] = ink
    return assembled(picture, xs, ys, grid)


def mark(number: int) -> tuple[str, str]:
    """The character and the colour of a series."""
    return MARKS[number % len(MARKS)], COLOURS[number % len(COLOURS)]


class Axis:
    """Maps values to cells 0 … size − 1."""

    def __init__(self, values: Iterable[float], log: bool, size: int):
        self.log, self.size = log, size
        usable = [v for v in map(self.scaled, values) if v is not None]
        self.low, self.high = (min(usable), max(usable)) if usable else (0.0, 1.0)
        self.span = (self.high - self.low) or 1.0

    def scaled(self, value: float) -> float | None:
        """The value, or its logarithm; None if it has no place on the axis."""
        value = float(value)
        if not math.isfinite(value) or (self.log and value <= 0):
            return None
        return math.log10(value) if self.log else value

    def position(self, value: float) -> float | None:
        """Where the value lies, in cells."""
        found = self.scaled(value)
        return None if found is None else (found - self.low) / self.span * (self.size - 1)

    def label(self, share: float) -> str:
        """The value at a share of the axis, in a few digits."""
        at = self.low + share * (self.high - self.low)
        return f"{10**at if self.log else at:.3g}"


def places(series: Series, xs: Axis, ys: Axis) -> Iterable[tuple[int, int]]:
    """The cells that a series passes through."""
    before = None
    for x, y in zip(series.x, series.y, strict=True):
        column, row = xs.position(x), ys.position(y)
        here = None if column is None or row is None else (column, row)
        if here is not None:
            start = before if before is not None and series.joined else here
            steps = max(1, math.ceil(2 * max(abs(here[0] - start[0]), abs(here[1] - start[1]))))
            for share in np.linspace(0.0, 1.0, steps + 1):
                yield round(start[0] + share * (here[0] - start[0])), round(start[1] + share * (here[1] - start[1]))
        before = here


def assembled(picture: Picture, xs: Axis, ys: Axis, grid: list[list[tuple[str, str]]]) -> Text:
    """The grid between its axes, under its title and over its legend."""
    text = Text(no_wrap=True)
    text.append(f"{picture.title}\n", "bold")
    height = len(grid)
    labels = {0: ys.label(1.0), height // 2: ys.label(1 - (height // 2) / (height - 1)), height - 1: ys.label(0.0)}
    pad = max(map(len, labels.values()))
    for row, cells in enumerate(grid):
        text.append(labels.get(row, "").rjust(pad) + " │", "dim")
        for character, colour in cells:
            text.append(character, colour)
        text.append("\n")
    left, right = xs.label(0.0), xs.label(1.0)
    middle = picture.x_label.center(max(0, xs.size - len(left) - len(right)))
    text.append(" " * pad + " └" + "─" * xs.size + "\n", "dim")
    text.append(" " * (pad + 2) + left + middle + right + "\n", "dim")
    legend(text, picture, pad + 2, xs.size)
    return text


def legend(text: Text, picture: Picture, indent: int, width: int) -> None:
    """Append what the marks mean, in lines of at most `width` characters."""
    text.append(" " * indent + f"{picture.y_label}:", "dim")
    used = len(picture.y_label) + 1
    for number, series in enumerate(picture.series):
        character, colour = mark(number)
        entry = f"  {character} {series.name}"
        if used + len(entry) > width:
            text.append("\n" + " " * indent)
            used = 0
        text.append(entry, colour)
        used += len(entry)
