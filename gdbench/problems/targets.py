"""The target: which task it means, and how it is coded."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from gdbench.errors import GdbenchError, unknown
from gdbench.problems.catalog import TASKS
from gdbench.problems.preprocess import check_spread
from gdbench.problems.raw import Raw
from gdbench.tasks.gate import as_labels

# A numeric target counts as class labels when it has at most this many values, each this often on average.
MOST_CLASSES = 20
ROWS_PER_CLASS = 10


def is_label(y: np.ndarray) -> bool:
    """Whether the target's type says classes: text, booleans, categories."""
    return y.dtype.kind not in "fiu"


def infer(y: np.ndarray) -> str:
    """Guess the task from the target of a user's file.

    Text and booleans are classes. Numbers are classes when they are {−1, 1}, or the integers 0 … K−1 or 1 … K with
    K ≤ 20 and, on average, ten rows a class; any other numbers are a regression target.
    """
    values = np.unique(y)
    k = len(values)
    if is_label(y):
        return "binary" if k == 2 else "multiclass"
    if not 2 <= k <= MOST_CLASSES:
        return "regression"
    integers = np.array_equal(values, np.arange(k) + values[0]) and values[0] in (0, 1)
    if np.array_equal(values, [-1, 1]) or (k == 2 and integers):
        return "binary"
    return "multiclass" if integers and len(y) >= ROWS_PER_CLASS * k else "regression"


def reading(raw: Raw, task: str, guessed_column: bool, guessed_task: bool) -> tuple[str, bool]:
    """How the target of a user's file is read, in a line, and whether anything of it is a guess."""
    column = f"the target is '{raw.target}'" if raw.target else "the target is"
    column += ", the last column, " if raw.target and guessed_column else ", " if raw.target else " "
    hints = ["target="] * (guessed_column and bool(raw.target)) + ["task="] * guessed_task
    kind = {"regression": "numbers (regression)"}.get(task, f"{len(np.unique(raw.y))} classes ({task})")
    return f"{column}read as {kind}" + (f"; choose with {' and '.join(hints)}" if hints else ""), bool(hints)


def encode(
    y: np.ndarray, task: str, class_names: Sequence[str] = (), where: str = "the data"
) -> tuple[str, np.ndarray, tuple[str, ...]]:
    """Code the target as the kernels take it.

    Parameters
    ----------
    y : ndarray, shape (n,)
        Numbers or labels.
    task : {"regression", "binary", "multiclass"}
        The last two both mean classes; their number decides which.
    class_names : sequence of str
        Names of the sorted distinct labels, if they have other names than themselves.
    where : str
        What to call the data in messages.

    Returns
    -------
    task : {"regression", "binary", "multiclass"}
    y : ndarray, shape (n,)
        float64 for regression; float64 in {−1, +1} for two classes (+1 is the second in sorted order);
        int64 in 0 … K−1 for more.
    class_names : tuple of str
        () for regression, else the K names in the order of the codes (for two classes: of −1, then of +1).
    """
    if task not in TASKS:
        raise unknown("task", task, TASKS)
    if task == "regression":
        if is_label(y):
            raise GdbenchError(f"{where}: regression needs a numeric target, and this one holds labels")
        return task, y.astype(np.float64), ()
    labels, codes = as_labels(y)
    if len(labels) < 2:
        raise GdbenchError(f"{where}: classification needs at least two classes, and every target is {labels[0]}")
    # the names may cover labels that these rows lack: then the labels' own names are the right ones
    named = tuple(class_names) if len(class_names) == len(labels) else tuple(_text(v) for v in labels)
    if len(labels) == 2:
        return "binary", np.where(codes.ravel() == 1, 1.0, -1.0), named
    return "multiclass", codes.ravel().astype(np.int64), named


def _text(label: object) -> str:
    """A label's name: 3 for the float 3.0."""
    if isinstance(label, (float, np.floating)) and float(label).is_integer():
        return str(int(label))
    return str(label)


def standardise(train: np.ndarray, test: np.ndarray) -> tuple[np.ndarray, np.ndarray, float, float]:
    """Shift and scale a regression target to mean 0 and standard deviation 1 on the training rows.

    A constant target is only shifted.

    Returns
    -------
    train, test : ndarray of float64
    mean, std : float
        y = std · coded + mean gives the target back.
    """
    with np.errstate(over="ignore", invalid="ignore"):
        mean = float(train.mean())
        centred = train - mean
        rest = float(centred.mean())  # what rounding left, as in preprocess.standardise
        mean, centred = mean + rest, centred - rest
        std = float(np.sqrt(np.mean(centred**2)))
    check_spread(std, train, "the target")
    if std <= 10 * np.finfo(np.float64).eps * abs(mean):
        return np.zeros_like(train), test - mean, mean, 1.0
    return centred / std, (test - mean) / std, mean, std


def split(n: int, test_fraction: float, seed: int, classes: np.ndarray | None = None) -> tuple[np.ndarray, np.ndarray]:
    """Choose the test rows, the same for the same arguments on every machine.

    Parameters
    ----------
    n : int
        Rows.
    test_fraction : float
        Share of the rows to keep for testing, in [0, 1).
    seed : int
    classes : ndarray, shape (n,), optional
        Codes; each class then gives the same share of its rows.

    Returns
    -------
    train, test : ndarray of int64
        Row numbers, increasing: the file's order is kept.
    """
    if not (isinstance(test_fraction, (int, float, np.number)) and 0 <= test_fraction < 1):
        raise GdbenchError(f"test_fraction has to be in [0, 1), not {test_fraction}")
    order = np.random.default_rng(seed).permutation(n)
    held_out = np.zeros(n, dtype=bool)
    groups = [order] if classes is None else [order[classes[order] == c] for c in np.unique(classes)]
    for rows in groups:
        held_out[rows[: round(len(rows) * test_fraction)]] = True
    return np.flatnonzero(~held_out), np.flatnonzero(held_out)
