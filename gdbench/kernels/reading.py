"""How rows are read: what is prefetched, how far ahead of its use and into which cache, and how many rows share a pass.

None of it changes a bit of a result; which plan is the fastest depends on the processor, on the order of the rows, and on the
cache that holds them (:mod:`gdbench.kernels.shapes`). So the numbers are arguments of the kernels, none of which is
compiled twice.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from gdbench.kernels.compile.jit import inlined


class ReadPlan(NamedTuple):
    """How a loop reads its rows.

    Attributes
    ----------
    far : int
        How many rows ahead of its use a row is prefetched into the second-level cache; 0 for not at all.
    near : int
        The same for the first-level cache.
    block_mask : int
        The rows of a block, less 1, where blocks of so many neighbouring rows (a power of two) are visited in random order: the
        far rows are then those of the next block, in the order of memory, in which prefetchers of the processor follow. 0 for
        rows in any other order.
    rows_per_pass : int
        Rows that share a pass over the weights when a batch's gradient is summed, 1 or 4.
    """

    far: int = 0
    near: int = 0
    block_mask: int = 0
    rows_per_pass: int = 4


@inlined
def near_row(plan, visited, r):
    """The row to prefetch into the first-level cache at place r of `visited`: the row there itself, if none is."""
    return visited[np.uintp(min(r + plan.near, visited.size - 1))]


@inlined
def far_row(plan, visited, r):
    """The row to prefetch into the second-level cache at place r of `visited`; it may be past the last one of the data."""
    return (visited[np.uintp(min(r + plan.far, visited.size - 1))] & ~plan.block_mask) | (r & plan.block_mask)
