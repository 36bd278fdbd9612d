"""From a table (a pandas DataFrame) to numbers, categories and a target."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from gdbench.errors import GdbenchError, unknown
from gdbench.problems.raw import Categorical, Raw

if TYPE_CHECKING:
    import pandas as pd

# A text column with more levels than this is a name or an id: one-hot would give a column for every few rows.
MOST_LEVELS = 100


def from_table(
    frame: pd.DataFrame,
    where: str,
    target: str | None = None,
    numeric: Sequence[str] = (),
    categorical: Sequence[str] = (),
) -> Raw:
    """Take a table apart.

    Parameters
    ----------
    frame : DataFrame
    where : str
        How to call the table in messages; becomes Raw.source.
    target : str, optional
        The column to predict; the last one if None.
    numeric, categorical : sequence of str
        The feature columns. If both are empty they are inferred: numbers and booleans are numeric, text is
        categorical up to MOST_LEVELS levels, everything else is left out with a note.

    Returns
    -------
    Raw

    Raises
    ------
    GdbenchError
        For no rows, an unknown column, a missing value, an infinity, text among numbers, no usable column.
    """
    columns = [str(name) for name in frame.columns]
    frame = frame.set_axis(columns, axis=1)
    if not columns:
        raise GdbenchError(f"{where} has no columns")
    twice = sorted({name for name in columns if columns.count(name) > 1})
    if twice:
        raise GdbenchError(f"{where} has several columns named '{twice[0]}'")
    check_rows(len(frame), where)
    target = columns[-1] if target is None else target
    if target not in columns:
        raise GdbenchError(f"{where}: {unknown('target', target, columns)}")
    notes: list[str] = []
    if not numeric and not categorical:
        numeric, categorical, notes = _infer([name for name in columns if name != target], frame, where)
    numeric = [name for name in numeric if name != target]
    categorical = [name for name in categorical if name != target]
    if not numeric and not categorical:
        left_out = f" ({'; '.join(notes)})" if notes else ""
        raise GdbenchError(f"{where} has no numeric or categorical column beside the target '{target}'{left_out}")
    X = np.empty((len(frame), len(numeric)))
    for j, name in enumerate(numeric):
        X[:, j] = _numbers(frame[name])
    check_finite(X, numeric, where)
    return Raw(
        X=X,
        names=list(numeric),
        y=_target(frame[target], where),
        source=where,
        notes=tuple(notes),
        target=target,
        categoricals=tuple(_categorical(frame[name], where) for name in categorical),
    )


def check_rows(n: int, where: str) -> None:
    """Refuse data without a row, or with one: nothing can be fitted to it."""
    if n < 2:
        raise GdbenchError(f"{where} has {'one row' if n else 'no rows'}; at least two are needed")


def check_finite(X: np.ndarray, names: Sequence[str], where: str) -> None:
    """Refuse NaN and infinity, and name the first one's row (counted from 1, without a header) and column.

    Parameters
    ----------
    X : ndarray of float, shape (n, p)
    names : sequence of str
        The p columns' names.
    where : str
    """
    bad = ~np.isfinite(X)
    if bad.any():
        i, j = np.argwhere(bad)[0]
        what = "an infinite value" if np.isinf(X[i, j]) else "a missing value or NaN"
        others = f" (and {bad.sum() - 1:,} more)" if bad.sum() > 1 else ""
        raise GdbenchError(f"{where} has {what} in row {i + 1}, column '{names[j]}'{others}{_advice(i, len(X))}")


def _advice(row: int, rows: int) -> str:
    """What to do about a missing value."""
    truncated = "; the file may be truncated" if row == rows - 1 else ""
    return f"{truncated}; fill it in, or leave its row or column out"


def _infer(columns: list[str], frame: pd.DataFrame, where: str) -> tuple[list[str], list[str], list[str]]:
    """Sort the columns into numeric and categorical; notes say what was left out."""
    numeric: list[str] = []
    categorical: list[str] = []
    notes: list[str] = []
    for name in columns:
        column = frame[name]
        if _is_numeric(column):
            numeric.append(name)
        elif not _is_text(column):
            notes.append(f"column '{name}' left out: {column.dtype} is neither numeric nor text")
        elif (levels := column.nunique()) <= MOST_LEVELS:
            _refuse_mixture(column, where)
            categorical.append(name)
        else:
            _refuse_mixture(column, where)
            notes.append(f"column '{name}' left out: {levels:,} different texts, more than {MOST_LEVELS}")
    return numeric, categorical, notes


def _is_numeric(column: pd.Series) -> bool:
    from pandas.api import types

    return types.is_bool_dtype(column.dtype) or (
        types.is_numeric_dtype(column.dtype) and not types.is_complex_dtype(column.dtype)
    )


def _is_text(column: pd.Series) -> bool:
    import pandas as pd
    from pandas.api import types

    if isinstance(column.dtype, pd.CategoricalDtype):
        return True
    if types.is_object_dtype(column.dtype):  # Python objects of any kind: look at them
        return types.infer_dtype(column, skipna=True) in ("string", "boolean")
    return types.is_string_dtype(column.dtype)


def _refuse_mixture(column: pd.Series, where: str) -> None:
    """A text column that is mostly numbers is a numeric column with a slip in it: name the slip."""
    import pandas as pd

    if isinstance(column.dtype, pd.CategoricalDtype):
        return
    present = column.dropna()
    slips = pd.to_numeric(present, errors="coerce").isna()
    if slips.any() and slips.mean() < 0.5:
        row = int(np.flatnonzero(column.notna())[np.flatnonzero(slips)[0]]) + 1
        text = str(column.iloc[row - 1])[:30]
        raise GdbenchError(f"{where} has the text '{text}' among numbers in row {row}, column '{column.name}'")


def _numbers(column: pd.Series) -> np.ndarray:
    """A numeric column as float64; missing values become NaN."""
    return column.to_numpy(dtype=np.float64, na_value=np.nan)


def _categorical(column: pd.Series, where: str) -> Categorical:
    """Sorted levels (numbers sort as numbers) and codes; a missing value is refused."""
    import pandas as pd

    values = pd.Categorical(column)
    _refuse_missing(values.codes < 0, str(column.name), where)
    levels = np.array(values.categories)
    # A Parquet file's dictionary may be unsorted and may hold levels that no row has.
    used = np.unique(values.codes)
    used = used[np.argsort(levels[used], kind="stable")]
    code = np.zeros(len(levels), dtype=np.int64)
    code[used] = np.arange(len(used))
    return Categorical(str(column.name), tuple(str(level) for level in levels[used]), code[values.codes])


def _target(column: pd.Series, where: str) -> np.ndarray:
    """Numbers as they are, anything else as text labels."""
    from pandas.api import types

    name = str(column.name)
    if _is_numeric(column) and not types.is_bool_dtype(column.dtype):
        y = _numbers(column)
        check_finite(y[:, None], [name], where)
        return y
    if not _is_text(column) and not types.is_bool_dtype(column.dtype):
        raise GdbenchError(f"{where}: the target '{name}' is neither numeric nor text but {column.dtype}")
    _refuse_missing(column.isna().to_numpy(), name, where)
    if _is_text(column):
        _refuse_mixture(column, where)
    return column.astype(str).to_numpy(dtype=np.str_)


def _refuse_missing(missing: np.ndarray, name: str, where: str) -> None:
    if missing.any():
        row = int(np.argmax(missing))
        raise GdbenchError(f"{where} has a missing value in row {row + 1}, column '{name}'{_advice(row, len(missing))}")
