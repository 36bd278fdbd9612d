"""A task for the kernels, from a user's checked arrays and a setting."""

from __future__ import annotations

from typing import Any

import numpy as np

from gdbench.kernels import order
from gdbench.kernels.data import CSR, Dense, columns
from gdbench.kernels.lanes import FEWEST
from gdbench.kernels.loops.batch import CHUNK
from gdbench.kernels.models.lanes import Lanes
from gdbench.kernels.models.linear import Linear, Linears
from gdbench.kernels.models.mlp import Perceptron, activations
from gdbench.kernels.registry import in_dtype
from gdbench.kernels.task import Task, Weighted
from gdbench.tasks.gate import as_rows, as_target, as_weighting
from gdbench.tasks.memory import refuse_too_large
from gdbench.tasks.model import refuse_sparse
from gdbench.tasks.setting import Setting
from gdbench.tasks.sparse import as_csr, is_sparse


def as_data(X: Any) -> Dense | CSR:
    """The rows as a kernel reads them; float32 and float64 in C order or CSR are used as they are.

    Raises
    ------
    GdbenchError
        For anything but a finite numeric matrix with at least one row and one column.
    """
    return as_csr(X) if is_sparse(X) else Dense(as_rows(X))


def make_task(X: Any, y: Any, setting: Setting, sample_weight: Any = None) -> tuple[Task, tuple]:
    """The task of a setting on a user's arrays, and the class labels."""
    data = as_data(X)
    return task_of(data, rows_of(data), y, setting, sample_weight)


def task_of(data: Dense | CSR, n: int, y: Any, setting: Setting, sample_weight: Any) -> tuple[Task, tuple]:
    """The task on n checked rows, of which `data` may hold none yet, and the class labels."""
    dtype = data.values.dtype
    target, labels = as_target(y, n, setting.loss, dtype)
    classes = len(labels) if setting.loss.domain == "class" else 1
    refuse_large_descent(setting, n, columns(data), classes, dtype)
    weighting = as_weighting(sample_weight, n, dtype)
    loss, penalty = in_dtype(setting.loss, dtype), in_dtype(setting.penalty, dtype)
    return Task(kernel_model(setting, data, classes), data, target, weighting, loss, penalty), labels


def refuse_large_descent(setting: Setting, n: int, d: int, classes: int, dtype: np.dtype) -> None:
    """Raise where what a descent keeps beside the data (weights, state, gradients) cannot fit in memory."""
    hidden = 0 if setting.model is None else setting.model.hidden
    each = classes * (d + 1) if setting.model is None else hidden * (d + classes + 1) + classes
    lanes, batch = len(setting.learning_rates), min(setting.batch_size or n, n)
    slots = len(getattr(setting.optimizer, "slots", ())) + len(getattr(setting.penalty, "slots", ()))
    copies = 1 + slots + 3  # the weights themselves; their gradient, a part of it, and a copy to evaluate
    if setting.threads > 1 and setting.variant == "batch":
        copies += -(-n // CHUNK)
    numbers = lanes * each * copies + 2 * min(batch, CHUNK) * (lanes * classes + hidden)
    if hasattr(setting.optimizer, "estimator"):
        numbers += n * lanes * classes  # a remembered derivative for each row
    models = "1 model" if lanes == 1 else f"{lanes:,} models (one for each learning rate)"
    what = f"{setting.solver} for {models} of {each:,} weights, from {d:,} columns and {classes:,} outputs,"
    refuse_too_large(what, numbers * np.dtype(dtype).itemsize)


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
