"""Where the catalog's data sets come from: one function a kind, each returning Raw."""

from __future__ import annotations

import hashlib
import http.client
import socket
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import numpy as np

from gdbench.errors import DatasetUnavailable, GdbenchError, one_line, unknown
from gdbench.problems import catalog, files, synthetic
from gdbench.problems.catalog import Entry
from gdbench.problems.raw import Raw

# Seconds without an answer until a download is given up
DOWNLOAD_TIMEOUT = 10.0


def read(entry: Entry, target: str | None, seed: int, options: dict[str, Any]) -> Raw:
    """Read a data set of the catalog.

    Parameters
    ----------
    entry : Entry
    target : str, optional
        Another target than the declared one.
    seed : int
        For generated data.
    options : dict
        The declared options, with the caller's values.

    Returns
    -------
    Raw
    """
    return READERS[entry.kind](entry, target, seed, options)


def bundled(entry: Entry, target: str | None, seed: int, options: dict[str, Any]) -> Raw:
    """A set that lies inside scikit-learn."""
    from sklearn import datasets

    bunch = getattr(datasets, entry.source)(**options)
    return _from_bunch(bunch, entry, target, f"sklearn.datasets.{entry.source}")


def fetched(entry: Entry, target: str | None, seed: int, options: dict[str, Any]) -> Raw:
    """A set that scikit-learn downloads once into its data_home (its own cache, with its own checksums)."""
    from sklearn import datasets

    fetch = getattr(datasets, entry.source)
    try:
        with _impatient():
            bunch = fetch(**options, n_retries=1, delay=0.1)
    except (OSError, http.client.HTTPException) as error:
        reason = one_line(getattr(error, "reason", None) or error)
        raise DatasetUnavailable(
            f"{entry.name} has to be downloaded once ({entry.source}), and that failed: {reason}; "
            "connect to the network, or put scikit-learn's copy into SCIKIT_LEARN_DATA"
        ) from None
    return _from_bunch(bunch, entry, target, f"sklearn.datasets.{entry.source}")


@contextmanager
def _impatient() -> Iterator[None]:
    """Give up on a silent server after some seconds: scikit-learn's downloads have no timeout of their own."""
    before = socket.getdefaulttimeout()
    socket.setdefaulttimeout(DOWNLOAD_TIMEOUT)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # "Retry downloading from ...": the error says enough
            yield
    finally:
        socket.setdefaulttimeout(before)


def generated(entry: Entry, target: str | None, seed: int, options: dict[str, Any]) -> Raw:
    """A synthetic set."""
    _refuse_target(entry, target)
    return synthetic.generate(entry.source, seed, options)


def shipped(entry: Entry, target: str | None, seed: int, options: dict[str, Any]) -> Raw:
    """A file of the datasets folder, whose checksum has to be right."""
    path = catalog.folder() / entry.source
    if not path.is_file():
        raise DatasetUnavailable(f"{path} is missing; install gdbench again, or run python datasets/build.py")
    found = hashlib.sha256(path.read_bytes()).hexdigest()
    if found != entry.sha256:
        raise GdbenchError(
            f"{path} is damaged or changed: its sha256 is {found}, the catalog's is {entry.sha256}; install gdbench again or run "
            f'python datasets/build.py, or, if the change is meant, put sha256 = "{found}" into catalog.toml'
        )
    if not entry.numeric and not entry.categorical:
        _refuse_target(entry, target)
    raw = files.read_declared(path, target or entry.target, entry.numeric, entry.categorical)
    return replace(raw, source=f"datasets/{entry.source}: {entry.provenance}")


READERS: dict[str, Callable[[Entry, str | None, int, dict[str, Any]], Raw]] = {
    "sklearn": bundled,
    "fetcher": fetched,
    "synthetic": generated,
    "shipped": shipped,
}


def _refuse_target(entry: Entry, target: str | None) -> None:
    if target is not None and target != entry.target:
        raise GdbenchError(f"{entry.name} has one target only; target='{target}' can't be chosen")


def _from_bunch(bunch: Any, entry: Entry, target: str | None, source: str) -> Raw:
    """Take scikit-learn's Bunch apart; of several target columns the named one is used."""
    from scipy import sparse as sp

    X = bunch.data if sp.issparse(bunch.data) else np.asarray(bunch.data, dtype=np.float64)
    class_names = tuple(str(name) for name in bunch.get("target_names", ()))
    y = bunch.target
    if y.ndim == 2 and y.shape[1] > 1:
        wanted = target or entry.target
        if wanted not in class_names:
            raise unknown(f"target of {entry.name}", wanted, class_names)
        column = y[:, [class_names.index(wanted)]]
        y = column.toarray().ravel() if sp.issparse(column) else np.asarray(column).ravel()
        source, class_names = f"{source}, target {wanted}", ("other", wanted)
    else:
        _refuse_target(entry, target)
    names = bunch.get("feature_names")
    names = [f"x{j + 1}" for j in range(X.shape[1])] if names is None else [str(name) for name in names]
    return Raw(X=X, names=names, y=np.asarray(y).ravel(), source=source, class_names=class_names)
