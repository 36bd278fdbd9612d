"""Loading: from a name or a path to training and test arrays that the kernels can take."""

from __future__ import annotations

import hashlib
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from gdbench.errors import GdbenchError, unknown
from gdbench.problems import catalog, files, preprocess, sources, targets
from gdbench.problems.catalog import Entry
from gdbench.problems.raw import Raw
from gdbench.tasks.memory import within_memory

if TYPE_CHECKING:
    from numpy.typing import DTypeLike
    from scipy.sparse import csr_matrix

DTYPES = ("float64", "float32")
# Loaded data sets that are kept in memory
CACHED = 8


@dataclass(frozen=True, eq=False)
class Dataset:
    """A data set, ready for descent. The arrays are shared between callers: don't modify them.

    Attributes
    ----------
    name : str
    task : {"regression", "binary", "multiclass"}
    X : ndarray, shape (n, d), C-contiguous, or scipy CSR with sorted, unique int32 indices
        Training rows, float64 or float32.
    y : ndarray, shape (n,)
        X's dtype for regression; X's dtype in {−1, +1} for binary; int64 in 0 … K−1 for multiclass.
    X_test, y_test : as X and y
        m test rows; m may be 0.
    feature_names : list of str
        d names.
    class_names : tuple of str
        () for regression; for binary the names of −1 and of +1; else K names.
    checksum : str
        sha256 over the training arrays' bytes, shapes and dtypes.
    source : str
        One line: where the data came from.
    notes : tuple of str
        Constant columns, columns left out, how the target was read.
    preprocess : tuple of str
        The steps that were applied.
    reading : str
        How the target of a user's file was read; "" for a data set of the catalog.
    target_mean, target_std : float
        y · target_std + target_mean is the target in its own unit (0 and 1 unless it was standardised).
    """

    name: str
    task: str
    X: np.ndarray | csr_matrix
    y: np.ndarray
    X_test: np.ndarray | csr_matrix
    y_test: np.ndarray
    feature_names: list[str]
    class_names: tuple[str, ...]
    checksum: str
    source: str
    notes: tuple[str, ...] = ()
    preprocess: tuple[str, ...] = ()
    reading: str = ""
    target_mean: float = 0.0
    target_std: float = 1.0

    @property
    def n(self) -> int:
        """Training rows."""
        return int(self.X.shape[0])

    @property
    def d(self) -> int:
        """Columns of X."""
        return int(self.X.shape[1])

    @property
    def n_classes(self) -> int:
        """Classes; 0 for regression."""
        return len(self.class_names)


def load(
    name_or_path: str | os.PathLike[str],
    *,
    dtype: DTypeLike = "float64",
    preprocessing: str | Sequence[str] | None = None,
    seed: int = 0,
    test_fraction: float | None = None,
    target: str | None = None,
    scale_target: bool = True,
    **options: Any,
) -> Dataset:
    """Load a data set of the catalog, or a file.

    Parameters
    ----------
    name_or_path : str or path
        A name of `catalog.names()`, or a .csv, .parquet, .npz, .svm, .svmlight or .libsvm file.
    dtype : {"float64", "float32"}
    preprocessing : str or sequence of str, optional
        Steps of `gdbench.problems.preprocess` instead of the declared ones: "standardise", "one-hot+standardise".
        "none" leaves the target as it is, too. Without "one-hot" categorical columns are left out.
        A user's file has "one-hot+standardise" (dense) or "none" (sparse) unless told otherwise.
    seed : int
        Of generated data. The split doesn't depend on it: its seed is in the catalog.
    test_fraction : float, optional
        Share of the rows kept for testing; the catalog's (0.2) if None.
    target : str, optional
        Another column to predict, where the source has named columns. What is taken for the target of a user's file, and as what,
        is said on stderr unless it is given, and in `Dataset.reading`.
    scale_target : bool
        Whether a regression's target is standardised where its entry declares so.
    **options
        What the catalog's entry declares in `options` (n_samples, n_features, condition, noise, ...);
        `task` for a file; `condition` wherever preprocessing has the step "condition".

    Returns
    -------
    Dataset
        The same object for the same arguments, from an in-process cache.

    Raises
    ------
    GdbenchError
        One line: an unknown name, a bad file, an option that doesn't fit.
    DatasetUnavailable
        A download failed.
    """
    dtype = getattr(dtype, "__name__", None) or str(dtype)  # np.float32 and np.dtype("float32") will do, too
    if dtype not in DTYPES:
        raise unknown("dtype", dtype, DTYPES)
    if isinstance(seed, bool) or not isinstance(seed, (int, np.integer)) or seed < 0:
        raise GdbenchError(f"seed has to be an integer of at least 0, not {seed!r}")
    chosen = None if preprocessing is None else preprocess.steps(preprocessing)
    name = os.fspath(name_or_path)
    stamp = None
    if name in catalog.names():
        if catalog.entry(name).kind != "synthetic":
            seed = 0  # real data doesn't depend on it: don't keep it in memory once a seed
    else:
        path = file_of(name)
        if path.is_file():
            stat = path.stat()
            stamp = (stat.st_mtime_ns, stat.st_size)  # a file that has changed is read again
        name = str(path)
    for key, value in options.items():
        if not isinstance(value, (int, float, str, np.number)):
            raise GdbenchError(f"{key} has to be a number or a string, not {value!r}")
    arguments = tuple(sorted(options.items()))
    return _load(name, stamp, dtype, chosen, int(seed), test_fraction, target, scale_target, arguments)


def file_of(name: str) -> Path:
    """The file that is meant; a word that looks like no file gets the list of names."""
    path = Path(name).expanduser()
    looks_like_file = path.suffix.lower() in files.SUFFIXES or os.sep in name or path.exists()
    if not name or not looks_like_file:
        message = unknown("dataset", name, catalog.names())
        raise GdbenchError(f"{message}; or give the path of a file ({', '.join(files.SUFFIXES)})")
    return path.absolute()


@lru_cache(maxsize=CACHED)
def _load(
    name: str,
    stamp: tuple[int, int] | None,
    dtype: str,
    chosen: tuple[str, ...] | None,
    seed: int,
    test_fraction: float | None,
    target: str | None,
    scale_target: bool,
    arguments: tuple[tuple[str, Any], ...],
) -> Dataset:
    given = dict(arguments)
    with within_memory(Path(name).name):
        return _loaded(name, dtype, chosen, seed, test_fraction, target, scale_target, given)


def _loaded(
    name: str,
    dtype: str,
    chosen: tuple[str, ...] | None,
    seed: int,
    test_fraction: float | None,
    target: str | None,
    scale_target: bool,
    given: dict[str, Any],
) -> Dataset:
    if name in catalog.names():
        entry = catalog.entry(name)
        options = _merge(entry, given, entry.preprocess if chosen is None else chosen)
        condition = options.pop("condition", None)
        with _one_thread():
            raw = sources.read(entry, target, seed, options)
    else:
        entry, raw, condition = _from_file(Path(name), target, given, chosen)
    if not scale_target:
        entry = replace(entry, target_preprocess="none")
    with _one_thread():
        dataset = _build(entry, raw, dtype, chosen, test_fraction, condition)
    if entry.kind != "file" and chosen is None and not given and target in (None, entry.target):
        _check_size(entry, dataset)
    return dataset


def _check_size(entry: Entry, dataset: Dataset) -> None:
    """Raise where a data set of the catalog, loaded as it is declared, has another size than it is declared to have."""
    found = (dataset.n + len(dataset.y_test), dataset.d)
    if found != tuple(entry.size):
        declared = " × ".join(f"{length:,}" for length in entry.size)
        raise GdbenchError(
            f"{entry.name} has {found[0]:,} × {found[1]:,} rows and columns, but catalog.toml declares {declared}: "
            f"correct size = [{found[0]}, {found[1]}] there, or install gdbench again"
        )


def _merge(entry: Entry, given: dict[str, Any], steps: tuple[str, ...]) -> dict[str, Any]:
    """The declared options with the caller's values."""
    allowed = set(entry.options) | ({"condition"} if "condition" in steps else set())
    for key in given:
        if key not in allowed:
            raise unknown(f"option of {entry.name}", key, sorted(allowed))
    if "condition" in given and "condition" not in steps:
        raise GdbenchError("condition= needs the preprocessing step 'condition'")
    for key, declared in entry.options.items():
        value = given.get(key, declared)
        number = isinstance(value, (int, float, np.number)) and not isinstance(value, bool)
        if isinstance(declared, (int, float)) and not isinstance(declared, bool) and not number:
            raise GdbenchError(f"{key} has to be a number, not {value!r}")
    return {**entry.options, **given}


def _from_file(
    path: Path, target: str | None, given: dict[str, Any], chosen: tuple[str, ...] | None
) -> tuple[Entry, Raw, float | None]:
    """Read a user's file, and write the catalog entry that it would have."""
    from scipy import sparse as sp

    allowed = ["task", *(["condition"] if chosen and "condition" in chosen else [])]
    for key in given:
        if key not in allowed:
            raise unknown("option of a file", key, allowed)
    raw = files.read(path, target)
    task = given.get("task") or targets.infer(raw.y)
    told, guessed = targets.reading(raw, task, target is None, "task" not in given)
    if guessed:
        print(f"{path.name}: {told}", file=sys.stderr)
    raw = replace(raw, notes=(*raw.notes, told), reading=told)
    sparse = sp.issparse(raw.X)
    declared = () if sparse else ("one-hot", "standardise")
    entry = Entry(
        name=path.stem,
        kind="file",
        source=str(path),
        task=task,
        description="",
        licence="",
        provenance="",
        size=raw.X.shape,
        preprocess=declared,
        sparse=sparse,
        target_preprocess="none" if sparse else "standardise",
    )
    return entry, raw, given.get("condition")


def _build(
    entry: Entry,
    raw: Raw,
    dtype: str,
    chosen: tuple[str, ...] | None,
    test_fraction: float | None,
    condition: float | None,
) -> Dataset:
    """Split, preprocess and convert."""
    task, y, class_names = targets.encode(raw.y, entry.task, raw.class_names, entry.name)
    fraction = entry.test_fraction if test_fraction is None else test_fraction
    train, test = targets.split(len(y), fraction, entry.split_seed, None if task == "regression" else y)
    if len(train) < 2:
        raise GdbenchError(f"{entry.name}: {len(train)} training rows are left of {len(y)}; lower test_fraction")
    steps = entry.preprocess if chosen is None else chosen
    X_train, X_test, names, notes = _features(entry, raw, train, test, steps, condition)
    y_train, y_test, mean, std = y[train], y[test], 0.0, 1.0
    if task == "regression" and entry.target_preprocess == "standardise" and chosen != ():
        y_train, y_test, mean, std = targets.standardise(y_train, y_test)
        if not y_train.any():
            notes.append("the target is constant in the training rows")
    X_train, X_test = _convert(X_train, dtype), _convert(X_test, dtype)
    if task != "multiclass":
        y_train, y_test = y_train.astype(dtype), y_test.astype(dtype)
    return Dataset(
        name=entry.name,
        task=task,
        X=X_train,
        y=y_train,
        X_test=X_test,
        y_test=y_test,
        feature_names=names,
        class_names=class_names,
        checksum=checksum(X_train, y_train),
        source=raw.source,
        notes=(*raw.notes, *notes),
        preprocess=steps,
        reading=raw.reading,
        target_mean=mean,
        target_std=std,
    )


def _features(
    entry: Entry,
    raw: Raw,
    train: np.ndarray,
    test: np.ndarray,
    steps: tuple[str, ...],
    condition: float | None,
) -> tuple[Any, Any, list[str], list[str]]:
    """Assemble training and test matrix and apply the steps."""
    from scipy import sparse as sp

    one_hot = "one-hot" in steps
    sparse = entry.sparse or sp.issparse(raw.X)
    names = preprocess.feature_names(raw, one_hot=one_hot, sparse=sparse)
    if not names:
        raise GdbenchError(f"{entry.name}: no columns are left without the step 'one-hot'")
    X, X_test = (preprocess.assemble(raw, rows, one_hot=one_hot, sparse=sparse) for rows in (train, test))
    notes = []
    if raw.categoricals and not one_hot:
        notes.append(f"categorical columns left out: {', '.join(c.name for c in raw.categoricals)}")
    if "unit-range" in steps:
        X, X_test = preprocess.unit_range(X, X_test)
    if "standardise" in steps:
        X, X_test, constant = preprocess.standardise(X, X_test, names)
        notes += constant
    if "condition" in steps:
        if sparse:
            raise GdbenchError(f"{entry.name} is sparse; the step 'condition' would fill it")
        if condition is None:
            raise GdbenchError("the step 'condition' needs condition=<number>")
        X, X_test = preprocess.condition(X, X_test, condition)
    return X, X_test, names, notes


def _convert(X: Any, dtype: str) -> Any:
    """The form that the kernels take: a C array, or canonical CSR with indices as narrow as they fit."""
    from scipy import sparse as sp

    if not sp.issparse(X):
        return np.ascontiguousarray(X, dtype=dtype)
    X = sp.csr_matrix(X, dtype=dtype)
    X.sum_duplicates()
    X.sort_indices()
    index = np.int32 if X.nnz <= np.iinfo(np.int32).max else np.int64
    X.indices, X.indptr = X.indices.astype(index, copy=False), X.indptr.astype(index, copy=False)
    return X


def checksum(X: Any, y: np.ndarray) -> str:
    """sha256 over the arrays' bytes, shapes and dtypes, for a dense or CSR X."""
    from scipy import sparse as sp

    digest = hashlib.sha256()
    parts = (X.data, X.indices, X.indptr) if sp.issparse(X) else (X,)
    for array in (*parts, y):
        digest.update(f"{array.shape} {array.dtype.str};".encode())
        digest.update(np.ascontiguousarray(array).data)
    digest.update(str(X.shape).encode())
    return digest.hexdigest()


@contextmanager
def _one_thread() -> Iterator[None]:
    """One BLAS thread: with several, products differ in their last bits, and so would generated data."""
    from threadpoolctl import threadpool_limits

    with threadpool_limits(1, user_api="blas"):
        yield
