"""The gate before the kernels: a caller's numbers, checked and brought into the one form that compiled code reads.

Compiled code looks at no bounds and takes every array for what the first one of its kind was. So each array that a user, a file
or another library hands over passes through here (sparse rows through :mod:`gdbench.tasks.sparse`): its size is known before it
is allocated, and it leaves as numbers of one type, in native byte order, contiguous, aligned and finite.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from gdbench.errors import GdbenchError, one_line
from gdbench.kernels.losses import NUMBERS
from gdbench.kernels.registry import name_of
from gdbench.kernels.task import Unweighted, Weighted
from gdbench.tasks.memory import refuse_too_large

LARGEST_ROWS = 2**31 - 1

FLOATS = (np.dtype(np.float32), np.dtype(np.float64))


def check_shape(shape: tuple[int, ...]) -> None:
    """Raise unless there are rows and columns, in two dimensions, and not too many rows."""
    if len(shape) != 2:
        raise GdbenchError(f"X must have two dimensions (rows, columns), not {len(shape)}: its shape is {shape}")
    if shape[0] == 0 or shape[1] == 0:
        raise GdbenchError(f"X is empty: its shape is {shape}; at least one row and one column are needed")
    if shape[0] > LARGEST_ROWS:
        raise GdbenchError(f"X has {shape[0]} rows; at most {LARGEST_ROWS} are supported")


def as_rows(X: Any) -> np.ndarray:
    """Dense rows of shape (n, d) as a kernel reads them.

    Raises
    ------
    GdbenchError
        For anything but a finite numeric matrix with at least one row and one column.
    """
    found = as_array("X", X)
    if found.ndim == 2:
        check_shape(found.shape)
    values = as_floats("X", found)
    check_shape(values.shape)
    refuse_nonfinite("X", values)
    return values


def as_floats(name: str, array: Any) -> np.ndarray:
    """`array` as a C-contiguous array of float32 (kept) or float64 (everything else), copied only where needed."""
    found = as_array(name, array)
    if found.dtype == object:
        refuse_too_large(name, found.size * 8)
    if found.dtype.kind not in "fiub" and not holds_numbers(found):
        raise GdbenchError(f"{name} must hold numbers only, not {kind_of(found)}")
    native = found.dtype.newbyteorder("=")
    try:
        with np.errstate(over="ignore"):
            return contiguous(name, found, native if native in FLOATS else np.float64)
    except OverflowError:
        raise GdbenchError(f"{name} holds numbers too large for float64") from None
    except GdbenchError:
        raise
    except (TypeError, ValueError):
        raise GdbenchError(f"{name} must hold numbers only, not {kind_of(found)}") from None


def contiguous(name: str, array: np.ndarray, dtype: Any = None) -> np.ndarray:
    """`array` in C order, aligned, of `dtype` in native byte order; itself where it is so, else a copy that is known to fit."""
    if type(array) is not np.ndarray:  # masked ones, and other kinds that compiled code does not know
        array = as_array(name, array)
    dtype = np.dtype(array.dtype if dtype is None else dtype).newbyteorder("=")
    if array.dtype == dtype and array.flags.c_contiguous and array.flags.aligned:
        return array
    refuse_too_large(f"{name}, of shape {array.shape} and type {dtype},", array.size * dtype.itemsize)
    return np.array(array, dtype=dtype, order="C")


def exactly(name: str, array: Any, shape: tuple[int, ...], dtype: Any) -> np.ndarray:
    """`array` in C order, writeable, of a shape and a dtype that code compiled for others of the kind relies on.

    Raises
    ------
    GdbenchError
        Where the shape is another, or it holds no numbers.
    """
    found = as_array(name, array)
    if found.shape != shape:
        raise GdbenchError(f"{name} must have shape {shape}, not {found.shape}")
    if found.dtype.kind not in "fiub":
        raise GdbenchError(f"{name} must hold numbers only, not {kind_of(found)}")
    values = contiguous(name, found, dtype)
    return values if values.flags.writeable else values.copy()


def as_array(name: str, array: Any) -> np.ndarray:
    """`array` as NumPy sees it."""
    if np.ma.is_masked(array):
        raise GdbenchError(f"{name} holds masked values: fill them or leave their rows out")
    if hasattr(array, "tocsr"):
        raise GdbenchError(f"{name} must be a dense array, not a sparse matrix")
    try:
        return np.asarray(array)
    except MemoryError:
        raise
    except Exception as error:
        if "inhomogeneous" in str(error):
            raise GdbenchError(f"{name} is ragged: its rows differ in length") from None
        raise GdbenchError(f"{name} is no array: {one_line(error)}") from None


def holds_numbers(array: np.ndarray) -> bool:
    """Whether an object array holds real numbers (or None, for a missing one), and no text that looks like them."""
    refused = (str, bytes, complex, np.complexfloating)
    return array.dtype == object and not any(isinstance(item, refused) for item in array.flat)


def kind_of(array: np.ndarray) -> str:
    """What an array holds, for a message."""
    text = dict.fromkeys("UT", "text")
    kinds = text | {"S": "bytes", "c": "complex numbers", "M": "dates", "m": "time spans", "O": "Python objects"}
    return kinds.get(array.dtype.kind, str(array.dtype))


def refuse_nonfinite(name: str, values: np.ndarray) -> None:
    """Raise with the first place of a NaN or an infinity."""
    with np.errstate(all="ignore"):
        if np.isfinite(values.sum(dtype=np.float64)):
            return
    bad = ~np.isfinite(values)
    if bad.any():
        place = tuple(int(part) for part in np.argwhere(bad)[0])
        where = f"row {place[0]}" + (f", column {place[1]}" if len(place) > 1 else "")
        raise GdbenchError(f"{name} holds {int(bad.sum())} values that are NaN or infinite, the first at {where}")


def cast(name: str, values: np.ndarray, dtype: np.dtype) -> np.ndarray:
    """Finite `values` in the dtype of X.

    Raises
    ------
    GdbenchError
        Where float32 is too small for them.
    """
    with np.errstate(over="ignore"):
        found = contiguous(name, values, dtype)
    if found.dtype != values.dtype and not np.isfinite(found).all():
        raise GdbenchError(f"{name} holds numbers too large for {dtype}, the dtype of X")
    return found


def as_target(y: Any, n: int, loss: Any, dtype: np.dtype) -> tuple[np.ndarray, tuple]:
    """The target in the loss's domain, and the class labels in order (empty for a real target).

    A loss on ±1 takes any two labels, the larger one as +1; a loss on classes takes any labels of two classes or more.
    """
    found = as_array("y", y)
    if found.ndim != 1:
        raise GdbenchError(f"y must have one dimension, not {found.ndim}: its shape is {found.shape}")
    if found.shape[0] != n:
        raise GdbenchError(f"X has {n} rows but y has {found.shape[0]} values")
    if loss.domain in NUMBERS:
        values = as_floats("y", found)
        refuse_nonfinite("y", values)
        refuse_out_of_domain(loss, values)
        return cast("y", values, dtype), ()
    labels, codes = as_labels(found)
    if len(labels) < 2:
        raise GdbenchError(f"y holds one class only ({labels.tolist()[0]!r}); {name_of(loss)} needs at least two")
    if loss.domain == "sign":
        if len(labels) > 2:
            hint = "use loss='cross_entropy'" if len(labels) <= 1000 else "is y a real target? use loss='squared_error'"
            raise GdbenchError(f"{name_of(loss)} needs two classes, but y holds {len(labels)}: {hint}")
        return np.where(codes == 1, 1, -1).astype(dtype), tuple(labels.tolist())
    if found.dtype.kind == "f" and len(labels) > 1000:
        raise GdbenchError(f"{name_of(loss)} needs classes, but y holds {len(labels)} different numbers: is it a real target?")
    return codes.astype(dtype), tuple(labels.tolist())


def refuse_out_of_domain(loss: Any, y: np.ndarray) -> None:
    """Raise where a numeric target holds values that the loss does not take."""
    outside = {"count": y < 0, "positive": y <= 0}.get(loss.domain, np.zeros(0, bool))
    if outside.any():
        row, bound = int(np.flatnonzero(outside)[0]), {"count": "≥ 0", "positive": "> 0"}[loss.domain]
        raise GdbenchError(f"loss {name_of(loss)} needs a target {bound}, but y holds {y[row]:g} in row {row}")


def as_labels(y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The different labels, sorted, and each row's number among them."""
    if y.dtype.kind == "f":
        refuse_nonfinite("y", y)
    if y.dtype.kind in "cV":
        raise GdbenchError(f"y must hold labels, not {kind_of(y)}")
    refuse_missing_labels(y)
    refuse_too_large("sorting y", 3 * 8 * y.size)
    try:
        return np.unique(y, return_inverse=True)
    except TypeError:
        raise GdbenchError("y holds labels that cannot be sorted together, as numbers and text") from None


def refuse_missing_labels(y: np.ndarray) -> None:
    """Raise where labels are missing, in whatever way their type says so: None, NaN, NaT, pandas' NA."""
    if y.dtype.kind in "mM":
        missing = bool(np.isnat(y).any())
    elif y.dtype.kind in "OT":
        missing = any(map(is_missing, y.ravel().tolist()))
    else:
        missing = False
    if missing:
        raise GdbenchError("y holds missing labels (None, NaN or NaT): fill them in or leave their rows out")


def is_missing(label: Any) -> bool:
    """Whether a label is None or differs from itself, as NaN and NaT do; pandas' NA does not say."""
    try:
        return label is None or bool(label != label)
    except (TypeError, ValueError):
        return True


def as_weighting(sample_weight: Any, n: int, dtype: np.dtype) -> Any:
    """The rows' weights scaled to a mean of 1, so that the objective is their weighted mean loss."""
    if sample_weight is None:
        return Unweighted()
    found = as_array("sample_weight", sample_weight)
    if found.shape != (n,) and found.dtype.kind in "fiub":
        raise GdbenchError(f"sample_weight must have shape ({n},), not {found.shape}")
    values = as_floats("sample_weight", found)
    if values.shape != (n,):
        raise GdbenchError(f"sample_weight must have shape ({n},), not {values.shape}")
    refuse_nonfinite("sample_weight", values)
    if (values < 0).any() or not values.any():
        raise GdbenchError("sample_weight must be ≥ 0 and not all 0")
    shares = values.astype(np.float64) / float(values.max())  # first, so that neither sum nor quotient overflows
    return Weighted((shares * (n / shares.sum())).astype(dtype))


def factors_of(schedule: Any, numbers: np.ndarray, dtype: Any) -> np.ndarray:
    """A schedule's factors at the steps `numbers`, one finite number each, as a kernel reads them.

    Raises
    ------
    GdbenchError
        What a user's ``factor`` raises, or a result of another shape or kind.
    """
    called = f"schedule {name_of(schedule)}"
    try:
        with np.errstate(all="ignore"):
            found = schedule.factor(numbers)
    except Exception as error:
        raise GdbenchError(f"{called} fails: {type(error).__name__}: {one_line(error)}") from error
    try:
        with np.errstate(all="ignore"):
            factors = exactly(f"{called}: factor(t), one number a step,", found, numbers.shape, dtype)
    except OverflowError:
        raise GdbenchError(f"{called}: factor(t) holds numbers too large for {np.dtype(dtype)}") from None
    if not np.isfinite(factors).all():
        bad = int(np.flatnonzero(~np.isfinite(factors))[0])
        raise GdbenchError(
            f"{called} gives rates that are not finite, the first at step {numbers[bad]:.0f}: give all of its fields"
        )
    return factors
