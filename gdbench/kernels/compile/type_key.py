"""What Numba's type of an argument depends on, without asking Numba: that takes some 50 µs for nested tags."""

from __future__ import annotations

from typing import Any

import numba
import numpy as np

#: Each value of these classes is of the same type.
ONE_TYPE = frozenset(
    [bool, float, complex, str, type(None), np.bool_, np.float32, np.float64, np.complex64, np.complex128]
    + [np.dtype(letter).type for letter in "bBhHiIlLqQ"]
)

#: The kinds of NumPy's numbers; of records, dates and texts the type depends on more than equal dtypes tell.
NUMBERS = "biufc"


def type_key(value: Any) -> Any:
    """A hashable key that differs where Numba's types differ; found in a microsecond or so a leaf.

    A class or a function compiled by Numba is told apart by its identity: the key holds the class, and Numba's type of a
    function equals no other's even when the function has gone and another has its address.
    """
    if isinstance(value, tuple):
        return (type(value), *map(type_key, value))
    cls = type(value)
    if cls in ONE_TYPE:
        return cls
    if cls is np.ndarray and value.dtype.kind in NUMBERS:
        flags = value.flags
        return cls, value.dtype, value.ndim, flags.c_contiguous, flags.f_contiguous, flags.writeable, flags.aligned
    if cls is int and value.bit_length() < 64:
        return cls
    return numba.typeof(value)


def foreign_classes(value: Any) -> frozenset[type]:
    """The classes of `value`, and of all that it holds, whose meaning gdbench's sources and versions do not settle.

    Those are tags from outside gdbench, and what holds code: functions that Numba compiled, and whatever else is no number.
    """
    if not isinstance(value, tuple):
        return frozenset([type(value)] if _foreign_class(type(value)) else [])
    own = [type(value)] if _foreign_class(type(value)) else []
    return frozenset(own).union(*map(foreign_classes, value))


def _foreign_class(cls: type) -> bool:
    return cls.__module__.partition(".")[0] not in ("builtins", "gdbench", "numpy")
