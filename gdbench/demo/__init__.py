"""Demos: every item of a first course on gradient descent, computed by the engine, with a picture and a sentence.

A demo is a module of this package with ``compute()``, which returns a dataclass of numbers, and ``show(numbers)``,
which lays them out as a :class:`~gdbench.demo.show.Show`. A Show is printed by :mod:`~gdbench.demo.terminal`, drawn by
:mod:`~gdbench.demo.figure` and made a page of by :mod:`~gdbench.demo.page`.
"""

from __future__ import annotations

from importlib import import_module
from types import ModuleType

from gdbench.demo.show import Show
from gdbench.errors import unknown

#: In the order in which they are best read.
NAMES = (
    "parabola",
    "line",
    "learning-rate",
    "convergence",
    "variants",
    "costs",
    "optimizers",
    "losses",
    "landscapes",
)


def find(name: str) -> ModuleType:
    """The demo of that name.

    Raises
    ------
    GdbenchError
        An unknown name, with the valid ones.
    """
    if name not in NAMES:
        raise unknown("demo", name, NAMES)
    return import_module(f"gdbench.demo.{name.replace('-', '_')}")


def run(name: str) -> Show:
    """Compute the demo of that name and lay it out."""
    demo = find(name)
    return demo.show(demo.compute())
