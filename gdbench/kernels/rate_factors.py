"""The learning rates of the exact online descent, a block of steps at a time: few enough to stay in the first-level cache.

Each kind of rates has one body, ``fill(self, first, count)``: it writes the factors of the steps first, …, first + count − 1
to its block, of which it may use the rest.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from gdbench.kernels.tags import operation

#: Steps in a block.
BLOCK = 1024

fill = operation("fill")


class Unchanging(NamedTuple):
    """1 for each step.

    Attributes
    ----------
    block : ndarray of shape (BLOCK,), float64
    """

    block: Any

    def fill(self, first, count):
        self.block[:count] = 1.0


class InversePowers(NamedTuple):
    """t^(−power) for step t: a power for each 16, 128 or 1,024 numbers, and the binomial series around it.

    Attributes
    ----------
    power : float
    block : ndarray of shape (BLOCK,), float64
    """

    power: float
    block: Any

    def fill(self, first, count):
        out = self.block
        p = -self.power
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
            # The series needs a step that is small beside the number: 7.5⁄512, 63.5⁄4,352 and 511.5⁄35,072 leave an error
            # under 1e-16, if the power is none that the coefficients grow with.
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


class Inverses(NamedTuple):
    """1 ⁄ (strength·(offset + t − 1)) for step t.

    Attributes
    ----------
    strength, offset : float
    block : ndarray of shape (BLOCK,), float64
    """

    strength: float
    offset: float
    block: Any

    def fill(self, first, count):
        start = self.offset + first - 1.0
        for i in range(count):
            self.block[i] = 1.0 / (self.strength * (start + i))
