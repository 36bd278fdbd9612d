"""Checking a user's arrays, once, early, and turning them into a task for the kernels."""

from __future__ import annotations

from typing import Any

import numpy as np

from gdbench.errors import GdbenchError
from gdbench.kernels import order
from gdbench.kernels.data import CSR, Dense
from gdbench.kernels.models.linear import Linear, Linears
from gdbench.kernels.registry import in_dtype, name_of
from gdbench.kernels.task import Task, Unweighted, Weighted
from gdbench.solve.setting import Setting

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
    """A SciPy sparse matrix as CSR with sorted, unique columns; the caller's matrix is left as it is."""
    check_shape(X.shape)
    matrix = X.tocsr()
    if matrix.dtype not in (np.float32, np.float64):
        matrix = matrix.astype(np.float64)
    if not matrix.has_canonical_format:
        matrix = matrix.copy()
        matrix.sum_duplicates()
    refuse_nonfinite("X", matrix.data)
    return CSR(matrix.data, matrix.indices, matrix.indptr, int(matrix.shape[1]))


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
    try:
        found = np.asarray(array)
        dtype = found.dtype if found.dtype in (np.float32, np.float64) else np.dtype(np.float64)
        if found.dtype.kind not in "fiub" and found.dtype != object:
            raise TypeError
        return np.ascontiguousarray(found, dtype=dtype) if found.ndim else np.asarray(found, dtype=dtype)
    except (TypeError, ValueError):
        raise GdbenchError(f"{name} must hold numbers only, not {type(array).__name__} of other things") from None


def refuse_nonfinite(name: str, values: np.ndarray) -> None:
    """Raise with the first place of a NaN or an infinity."""
    if np.isfinite(values.sum(dtype=np.float64)):
        return
    bad = ~np.isfinite(values)
    if bad.any():
        place = tuple(int(part) for part in np.argwhere(bad)[0])
        where = f"row {place[0]}" + (f", column {place[1]}" if len(place) > 1 else "")
        raise GdbenchError(f"{name} holds {int(bad.sum())} values that are NaN or infinite, the first at {where}")


def as_target(y: Any, n: int, loss: Any, dtype: np.dtype) -> tuple[np.ndarray, tuple]:
    """The target in the loss's domain, and the class labels in order (empty for a real target).

    A loss on ±1 takes any two labels, the larger one as +1; a loss on classes takes any labels of two classes or more.
    """
    found = np.asarray(y)
    if found.ndim != 1:
        raise GdbenchError(f"y must have one dimension, not {found.ndim}: its shape is {found.shape}")
    if found.shape[0] != n:
        raise GdbenchError(f"X has {n} rows but y has {found.shape[0]} values")
    if loss.domain == "real":
        values = as_floats("y", found)
        refuse_nonfinite("y", values)
        return np.ascontiguousarray(values, dtype=dtype), ()
    if found.dtype.kind == "f":
        refuse_nonfinite("y", found)
    labels, codes = np.unique(found, return_inverse=True)
    if len(labels) < 2:
        raise GdbenchError(f"y holds one class only ({labels[0]!r}); {name_of(loss)} needs at least two")
    if loss.domain == "sign":
        if len(labels) > 2:
            hint = "use loss='cross_entropy'" if len(labels) <= 1000 else "is y a real target? use loss='squared_error'"
            raise GdbenchError(f"{name_of(loss)} needs two classes, but y holds {len(labels)}: {hint}")
        return np.where(codes == 1, 1, -1).astype(dtype), tuple(labels.tolist())
    if found.dtype.kind == "f" and len(labels) > 1000:
        raise GdbenchError(f"{name_of(loss)} needs classes, but y holds {len(labels)} different numbers: is it a real target?")
    return codes.astype(dtype), tuple(labels.tolist())


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
    return Weighted((values * (n / values.sum(dtype=np.float64))).astype(dtype))


def make_task(X: Any, y: Any, setting: Setting, sample_weight: Any = None) -> tuple[Task, tuple]:
    """The task of a setting on a user's arrays, and the class labels."""
    data = as_data(X)
    n, dtype = rows_of(data), data.values.dtype
    target, labels = as_target(y, n, setting.loss, dtype)
    classes = len(labels) if setting.loss.domain == "class" else 1
    lanes = len(setting.learning_rates)
    single = lanes * classes == 1
    model = Linear(setting.fit_intercept) if single else Linears(setting.fit_intercept, classes)
    weighting = as_weighting(sample_weight, n, dtype)
    loss, penalty = in_dtype(setting.loss, dtype), in_dtype(setting.penalty, dtype)
    return Task(model, data, target, weighting, loss, penalty), labels


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
