"""Checking a user's arrays, once, early, and turning them into a task for the kernels."""

from __future__ import annotations

from typing import Any

import numpy as np

from gdbench.errors import GdbenchError, one_line
from gdbench.kernels import order
from gdbench.kernels.data import CSR, Dense
from gdbench.kernels.lanes import FEWEST
from gdbench.kernels.models.lanes import Lanes
from gdbench.kernels.models.linear import Linear, Linears
from gdbench.kernels.models.mlp import Perceptron, activations
from gdbench.kernels.registry import in_dtype, name_of
from gdbench.kernels.task import Task, Unweighted, Weighted
from gdbench.tasks.model import refuse_sparse
from gdbench.tasks.setting import Setting

LARGEST_ROWS = 2**31 - 1


def as_data(X: Any) -> Dense | CSR:
    """The rows as a kernel reads them; float32 and float64 in C order or CSR are used as they are.

    Raises
    ------
    GdbenchError
        For anything but a finite numeric matrix with at least one row and one column.
    """
    if hasattr(X, "tocsr") and hasattr(X, "nnz"):
        return as_csr(X)
    values = as_floats("X", X)
    check_shape(values.shape)
    refuse_nonfinite("X", values)
    return Dense(values)


def as_csr(X: Any) -> CSR:
    """A SciPy sparse matrix as CSR with sorted, unique columns; the caller's matrix is left as it is.

    The kernels, and SciPy's own conversions, trust the places that a sparse matrix names: they are checked first.
    """
    check_shape(X.shape)
    if X.dtype.kind not in "fiub":
        raise GdbenchError(f"X must hold numbers only, not {X.dtype}")
    check_places(X)
    matrix = X.tocsr()
    if matrix.dtype not in (np.float32, np.float64):
        matrix = matrix.astype(np.float64)
    if not is_canonical(matrix.indptr, matrix.indices):
        matrix = matrix.copy()
        matrix.has_sorted_indices = matrix.has_canonical_format = False  # they may be out of date
        matrix.sum_duplicates()
    stored = int(matrix.indptr[-1])
    refuse_nonfinite("X", matrix.data[:stored])
    places = matrix.indices[:stored]
    return CSR(matrix.data[:stored], places.view(f"u{places.itemsize}"), matrix.indptr, int(matrix.shape[1]))


def check_places(X: Any) -> None:
    """Raise where a sparse matrix stores a value outside of its own shape."""
    if X.format == "coo":
        sound = all(within(places, size) for places, size in zip(X.coords, X.shape, strict=True))
    elif X.format in ("csr", "csc", "bsr"):
        rows, columns = X.shape if X.format != "csc" else X.shape[::-1]
        high, wide = X.blocksize if X.format == "bsr" else (1, 1)
        starts, stored = X.indptr, min(X.indices.size, len(X.data))
        sound = starts.size == rows // high + 1 and within(starts, stored + 1) and starts[0] == 0
        sound = sound and bool((starts[1:] >= starts[:-1]).all()) and within(X.indices[: starts[-1]], columns // wide)
    else:
        sound = True
    if not sound:
        raise GdbenchError(f"X is no valid sparse matrix: it stores values outside of its shape {X.shape}")


def within(places: np.ndarray, size: int) -> bool:
    """Whether all `places` are whole numbers in 0 … size − 1."""
    return places.dtype.kind in "iu" and (places.size == 0 or bool(places.min() >= 0 and places.max() < size))


def is_canonical(indptr: np.ndarray, indices: np.ndarray) -> bool:
    """Whether the columns of each row are sorted and unique."""
    rises = indices[1:] > indices[:-1]
    starts = indptr[(indptr > 0) & (indptr < indices.size)]
    rises[starts - 1] = True
    return bool(rises.all())


def check_shape(shape: tuple[int, ...]) -> None:
    """Raise unless there are rows and columns, in two dimensions, and not too many rows."""
    if len(shape) != 2:
        raise GdbenchError(f"X must have two dimensions (rows, columns), not {len(shape)}: its shape is {shape}")
    if shape[0] == 0 or shape[1] == 0:
        raise GdbenchError(f"X is empty: its shape is {shape}; at least one row and one column are needed")
    if shape[0] > LARGEST_ROWS:
        raise GdbenchError(f"X has {shape[0]} rows; at most {LARGEST_ROWS} are supported")


def as_floats(name: str, array: Any) -> np.ndarray:
    """`array` as a C-contiguous array of float32 (kept) or float64 (everything else), copied only where needed."""
    found = as_array(name, array)
    if found.dtype.kind not in "fiub" and not holds_numbers(found):
        raise GdbenchError(f"{name} must hold numbers only, not {kind_of(found)}")
    dtype = found.dtype if found.dtype in (np.float32, np.float64) else np.dtype(np.float64)
    try:
        with np.errstate(over="ignore"):
            return np.ascontiguousarray(found, dtype=dtype) if found.ndim else np.asarray(found, dtype=dtype)
    except (TypeError, ValueError):
        raise GdbenchError(f"{name} must hold numbers only, not {kind_of(found)}") from None
    except OverflowError:
        raise GdbenchError(f"{name} holds numbers too large for float64") from None


def as_array(name: str, array: Any) -> np.ndarray:
    """`array` as NumPy sees it."""
    if np.ma.is_masked(array):
        raise GdbenchError(f"{name} holds masked values: fill them or leave their rows out")
    if hasattr(array, "tocsr"):
        raise GdbenchError(f"{name} must be a dense array, not a sparse matrix")
    try:
        return np.asarray(array)
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
    kinds = {"U": "text", "S": "bytes", "c": "complex numbers", "M": "dates", "m": "time spans", "O": "Python objects"}
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
        found = np.ascontiguousarray(values, dtype=dtype)
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
    if loss.domain == "real":
        values = as_floats("y", found)
        refuse_nonfinite("y", values)
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


def as_labels(y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The different labels, sorted, and each row's number among them."""
    if y.dtype.kind == "f":
        refuse_nonfinite("y", y)
    if y.dtype.kind in "cV":
        raise GdbenchError(f"y must hold labels, not {kind_of(y)}")
    try:
        if y.dtype == object and any(label is None or bool(label != label) for label in y):
            raise GdbenchError("y holds missing labels (None or NaN)")
        return np.unique(y, return_inverse=True)
    except TypeError:
        raise GdbenchError("y holds labels that are missing or cannot be sorted together, as numbers and text") from None


def as_weighting(sample_weight: Any, n: int, dtype: np.dtype) -> Any:
    """The rows' weights scaled to a mean of 1, so that the objective is their weighted mean loss."""
    if sample_weight is None:
        return Unweighted()
    values = as_floats("sample_weight", sample_weight)
    if values.shape != (n,):
        raise GdbenchError(f"sample_weight must have shape ({n},), not {values.shape}")
    refuse_nonfinite("sample_weight", values)
    if (values < 0).any() or not values.any():
        raise GdbenchError("sample_weight must be ≥ 0 and not all 0")
    shares = values.astype(np.float64) / float(values.max())  # first, so that neither sum nor quotient overflows
    return Weighted((shares * (n / shares.sum())).astype(dtype))


def make_task(X: Any, y: Any, setting: Setting, sample_weight: Any = None) -> tuple[Task, tuple]:
    """The task of a setting on a user's arrays, and the class labels."""
    data = as_data(X)
    n, dtype = rows_of(data), data.values.dtype
    target, labels = as_target(y, n, setting.loss, dtype)
    classes = len(labels) if setting.loss.domain == "class" else 1
    weighting = as_weighting(sample_weight, n, dtype)
    loss, penalty = in_dtype(setting.loss, dtype), in_dtype(setting.penalty, dtype)
    return Task(kernel_model(setting, data, classes), data, target, weighting, loss, penalty), labels


def kernel_model(setting: Setting, data: Dense | CSR, classes: int) -> Any:
    """The model as the loops see it; a single linear model has a path of its own."""
    if setting.model is not None:
        refuse_sparse(setting.model, isinstance(data, CSR))
        return Perceptron(setting.model.hidden, classes, activations.make(setting.model.activation))
    lanes = len(setting.learning_rates)
    if lanes * classes == 1:
        return Linear(setting.fit_intercept)
    remembers = hasattr(setting.optimizer, "estimator")
    if lanes >= FEWEST and classes == 1 and isinstance(data, Dense) and not remembers:
        return Lanes(setting.fit_intercept)
    return Linears(setting.fit_intercept, classes)


def in_new_order(task: Task, seed: int) -> Task:
    """The task with its rows copied into a random order, to be read in sequence."""
    index = np.arange(task.target.size, dtype=np.int32)
    order.arrange_epoch(order.make("once", seed), index, 0)
    if isinstance(task.data, CSR):
        from scipy.sparse import csr_matrix

        shape = (index.size, task.data.columns)
        data: Dense | CSR = as_csr(csr_matrix(tuple(task.data[:3]), shape=shape)[index])
    else:
        data = Dense(task.data.values[index])
    weighting = Weighted(task.weighting.values[index]) if isinstance(task.weighting, Weighted) else task.weighting
    return task._replace(data=data, target=task.target[index], weighting=weighting)


def rows_of(data: Dense | CSR) -> int:
    """n, the number of rows."""
    return data.indptr.size - 1 if isinstance(data, CSR) else data.values.shape[0]


def row_classes(task: Task) -> int:
    """Margins that belong to one model."""
    return getattr(task.model, "classes", 1)
