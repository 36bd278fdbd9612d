"""The learning rates of the exact online descent, a block of steps at a time: few enough to stay in the first-level cache."""

from __future__ import annotations

from typing import Any, NamedTuple

from gdbench.kernels.compile.jit import inlined

#: Steps in a block.
BLOCK = 1024

#: Kinds of rates. They are told apart once a block, not by the types of tags: each would compile a descent of its own.
UNCHANGING, INVERSES, POWERS = range(3)


class Rates(NamedTuple):
    """What the first rate is multiplied by at step t.

    Attributes
    ----------
    kind : int
        UNCHANGING: 1. INVERSES: 1 ⁄ (strength·(offset + t − 1)). POWERS: t^(−power).
    strength, offset, power : float
    block : ndarray of shape (BLOCK,), float64
        Where :func:`fill` writes.
    """

    kind: int
    strength: float
    offset: float
    power: float
    block: Any


@inlined
def fill(rates, first, count):
    """Write the factors of the steps first, …, first + count − 1 to the block, of which the rest may change, too."""
    out = rates.block
    if rates.kind == POWERS:
        fill_powers(-rates.power, first, count, out)
    elif rates.kind == INVERSES:
        start = rates.offset + first - 1.0
        for i in range(count):
            out[i] = 1.0 / (rates.strength * (start + i))
    else:
        for i in range(count):
            out[i] = 1.0


@inlined
def fill_powers(p, first, count, out):
    """t^p for each step: a power for each 16, 128 or 1,024 numbers, and the binomial series around it."""
    c1 = p
    c2 = c1 * (p - 1.0) / 2.0
    c3 = c2 * (p - 2.0) / 3.0
    c4 = c3 * (p - 3.0) / 4.0
    c5 = c4 * (p - 4.0) / 5.0
    c6 = c5 * (p - 5.0) / 6.0
    c7 = c6 * (p - 6.0) / 7.0
    c8 = c7 * (p - 7.0) / 8.0
    i = 0
    while i < count:
        t, left, room = first + i, count - i, out.size - i
        # The series needs a step that is small beside the number: 7.5⁄512, 63.5⁄4,352 and 511.5⁄35,072 leave an error under
        # 1e-16, if the power is none that the coefficients grow with.
        if abs(p) > 1.0 or t < 512.0 or room < 16:
            out[i] = t**p
            i += 1
            continue
        width = 16
        if t >= 4352.0 and left > 64 and room >= 128:
            width = 1024 if t >= 35072.0 and left > 512 and room >= 1024 else 128
        half = 0.5 * (width - 1)
        centre = t + half
        anchor = centre**p
        inverse = 1.0 / centre
        part = out[i : i + width]  # indexed by i + k, the loop would ask of each number whether it counts from the end
        for k in range(width):
            u = (k - half) * inverse
            tail = u * (c5 + u * (c6 + u * (c7 + u * c8)))
            part[k] = anchor + anchor * (u * (c1 + u * (c2 + u * (c3 + u * (c4 + tail)))))
        i += width
