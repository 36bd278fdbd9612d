"""What every source of data hands over: numbers, categories and a target, before any preprocessing."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix


@dataclass(frozen=True, eq=False)
class Categorical:
    """A column of categories.

    Attributes
    ----------
    name : str
    levels : tuple of str
        The distinct values, sorted.
    codes : ndarray of int64, shape (n,)
        The level of each row.
    """

    name: str
    levels: tuple[str, ...]
    codes: np.ndarray


@dataclass(frozen=True, eq=False)
class Raw:
    """A data set as its source gives it.

    Attributes
    ----------
    X : ndarray of float64, shape (n, p), or scipy CSR
        The numeric columns; p may be 0.
    names : list of str
        The p numeric columns' names.
    y : ndarray, shape (n,)
        The target as it is: numbers, or class labels of any type.
    source : str
        One line: where the data came from.
    categoricals : tuple of Categorical
    class_names : tuple of str
        Names of the sorted distinct labels, where the source knows them.
    notes : tuple of str
        What reading the data left out or assumed.
    target : str
        The name of the target's column, in a table.
    reading : str
        How the target of a user's file is read.
    """

    X: np.ndarray | csr_matrix
    names: list[str]
    y: np.ndarray
    source: str
    categoricals: tuple[Categorical, ...] = ()
    class_names: tuple[str, ...] = ()
    notes: tuple[str, ...] = field(default=())
    target: str = ""
    reading: str = ""
