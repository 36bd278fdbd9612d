"""The loops, one file each, and the choice among them.

A loop has a compiled body and keeps one complete state: see :class:`gdbench.kernels.loops.base.Loop`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from gdbench.kernels.loops.base import Loop
from gdbench.kernels.loops.batch import Batches
from gdbench.kernels.loops.lazy import LazyRows
from gdbench.kernels.loops.paired import PairedLanes
from gdbench.kernels.loops.rowwise import PlainRows, Rows
from gdbench.kernels.loops.scaled import ScaledRows
from gdbench.kernels.loops.short import ShortRows
from gdbench.kernels.loops.variance_reduced import RowsWithMemory
from gdbench.kernels.task import Task

#: The first that accepts a descent runs it: the special before the general, and last the one that serves every descent.
LOOPS: tuple[type[Loop], ...] = (RowsWithMemory, ShortRows, PairedLanes, PlainRows, Rows, ScaledRows, LazyRows, Batches)


def choose(task: Task, rule: Any, setting: Any, table: Sequence[type[Loop]] = LOOPS) -> Loop:
    """The loop that runs a descent: the first of the table that accepts it."""
    return next(loop for loop in table if loop.accepts(task, rule, setting))(task, rule, setting)
