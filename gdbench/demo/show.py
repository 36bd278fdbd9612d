"""What a demo shows: sentences, tables and pictures, whatever they are printed on; and its numbers as JSON."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

Numbers = Sequence[float] | np.ndarray


@dataclass(frozen=True)
class Table:
    """Rows of ready-made text under column heads."""

    title: str
    columns: Sequence[str]
    rows: Sequence[Sequence[str]]


@dataclass(frozen=True)
class Series:
    """Points of a picture, joined by a line unless ``joined`` is False."""

    name: str
    x: Numbers
    y: Numbers
    joined: bool = True


@dataclass(frozen=True)
class Picture:
    """Series in one pair of axes."""

    title: str
    x_label: str
    y_label: str
    series: Sequence[Series]
    log_x: bool = False
    log_y: bool = False


@dataclass(frozen=True)
class Show:
    """A demo laid out.

    Attributes
    ----------
    name : str
        By which ``gdbench demo`` runs it.
    title : str
    parts : sequence of str, Table or Picture
        In reading order; a str is a paragraph.
    numbers : dataclass
        What was computed.
    """

    name: str
    title: str
    parts: Sequence[str | Table | Picture]
    numbers: Any

    def pictures(self) -> list[Picture]:
        """The pictures among the parts."""
        return [part for part in self.parts if isinstance(part, Picture)]


def plain(value: Any) -> Any:
    """`value` in the types of JSON; NaN and infinity, which JSON lacks, become None."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: plain(getattr(value, field.name)) for field in dataclasses.fields(value)}
    if isinstance(value, dict):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, np.ndarray | list | tuple):
        return [plain(item) for item in value]
    if isinstance(value, np.generic):
        return plain(value.item())
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    return value
