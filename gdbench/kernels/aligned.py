"""Arrays that begin where a cache line does: a vector read from them or written to them then touches one line, not two."""

from __future__ import annotations

from math import prod
from typing import Any, Literal

import numpy as np

#: Bytes in a line of the caches.
LINE = 64


def aligned(shape: tuple[int, ...], dtype: Any, fill: Any = 0, order: Literal["C", "F"] = "C") -> np.ndarray:
    """A new array filled with one value, or with those of another array, its first value at the beginning of a cache line.

    NumPy's own may begin 16 bytes into a line; a vector of 64 bytes then always spans two.
    """
    dtype = np.dtype(dtype)
    size = prod(shape) * dtype.itemsize
    raw = np.empty(size + LINE, np.uint8)
    begin = -raw.ctypes.data % LINE
    array = raw[begin : begin + size].view(dtype).reshape(shape, order=order)
    array[...] = fill
    return array
