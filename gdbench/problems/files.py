"""Data files: CSV, Parquet, NPZ and svmlight, shipped or a user's own. No pickle is ever loaded."""

from __future__ import annotations

import csv
import math
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from gdbench.errors import GdbenchError, one_line, unknown
from gdbench.problems import tables
from gdbench.problems.raw import Raw
from gdbench.tasks.memory import refuse_too_large

if TYPE_CHECKING:
    import zipfile

    import pandas as pd

SVMLIGHT = (".svm", ".svmlight", ".libsvm")

#: Bytes that a column takes at the least: its name, in two lists, and what is measured of it.
A_COLUMN = 128

SUFFIXES = (".csv", ".parquet", ".npz", *SVMLIGHT)


def read(path: Path, target: str | None = None) -> Raw:
    """Read a data file; its ending says what it is.

    Parameters
    ----------
    path : Path
        .csv and .parquet (a table; the target is the last column unless given), .npz (arrays X and y),
        .svm, .svmlight or .libsvm (sparse).
    target : str, optional
        The column to predict, for a table.

    Returns
    -------
    Raw

    Raises
    ------
    GdbenchError
        With one line that says what is wrong with the file.
    """
    suffix = path.suffix.lower()
    check_file(path)
    if suffix not in SUFFIXES:
        raise GdbenchError(f"{path.name}: unknown file type '{suffix}'; choose from: {', '.join(SUFFIXES)}")
    if suffix in (".csv", ".parquet"):
        frame, notes = _read_csv(path) if suffix == ".csv" else (_read_parquet(path), ())
        raw = tables.from_table(frame, path.name, target)
        return replace(raw, notes=(*notes, *raw.notes))
    if target is not None:
        raise GdbenchError(f"{path.name}: the target can only be chosen in a .csv or .parquet file, not in {suffix}")
    return _read_npz(path) if suffix == ".npz" else _read_svmlight(path)


def read_declared(path: Path, target: str, numeric: tuple[str, ...], categorical: tuple[str, ...]) -> Raw:
    """Read a file whose feature columns the catalog declares (NPZ and svmlight files have none to declare)."""
    suffix = path.suffix.lower()
    if suffix not in (".csv", ".parquet"):
        return read(path)
    check_file(path)
    frame = _read_csv(path)[0] if suffix == ".csv" else _read_parquet(path, [*numeric, *categorical, target])
    return tables.from_table(frame, path.name, target, numeric, categorical)


def check_file(path: Path) -> None:
    """Refuse what isn't there, isn't a file, can't be read, or is empty."""
    if not path.exists():
        raise GdbenchError(f"no such file: {path}")
    if not path.is_file():
        raise GdbenchError(f"not a file: {path}")
    try:
        with path.open("rb") as stream:
            empty = not stream.read(1)
    except OSError as error:
        raise GdbenchError(f"can't read {path}: {error.strerror}") from None
    if empty:
        raise GdbenchError(f"{path.name} is empty")


def _read_csv(path: Path) -> tuple[pd.DataFrame, tuple[str, ...]]:
    import warnings

    import pandas as pd

    try:
        # utf-8-sig: spreadsheets write a byte-order mark, which would become part of the first name
        with path.open(encoding="utf-8-sig", newline="") as stream:
            first = stream.readline()
        separator = next((s for s in (",", ";", "\t") if s in first), ",")
        header = next(csv.reader([first], delimiter=separator), [])
        named = not all(_is_number(name) for name in header)
        with warnings.catch_warnings():
            # rows longer than the header are cut off with a warning: here they are an error
            warnings.simplefilter("error", pd.errors.ParserWarning)
            frame = pd.read_csv(
                path,
                sep=separator,
                header=0 if named else None,
                encoding="utf-8-sig",
                skipinitialspace=True,
                index_col=False,
                low_memory=False,  # one type a column, not one a chunk
            )
    except pd.errors.EmptyDataError:
        raise GdbenchError(f"{path.name} has no columns") from None
    except UnicodeDecodeError:
        raise GdbenchError(f"{path.name} is not UTF-8 text") from None
    except pd.errors.ParserWarning:
        raise GdbenchError(f"{path.name} has rows with more values than its first line has columns") from None
    except (pd.errors.ParserError, csv.Error, ValueError, LookupError, OverflowError, TypeError) as error:
        raise GdbenchError(f"{path.name} is not a valid CSV file: {one_line(error)}") from None
    if named:
        return frame, ()
    frame.columns = [f"column{j + 1}" for j in range(frame.shape[1])]
    return frame, (f"no header line: the columns are called column1 to column{frame.shape[1]}",)


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _read_parquet(path: Path, columns: list[str] | None = None) -> pd.DataFrame:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        file = pq.ParquetFile(path)
        there = file.schema_arrow.names
        for name in columns or ():
            if name not in there:
                raise GdbenchError(f"{path.name}: {unknown('column', name, there)}")
        wanted = None if columns is None else list(dict.fromkeys(columns))  # a feature may be the target, too
        rows, width = file.metadata.num_rows, len(wanted or there)
        refuse_too_large(f"{path.name}, of {rows:,} rows and {width:,} columns,", 8 * rows * width)
        # ignore_metadata: an index that pandas stored is a column like any other
        return file.read(columns=wanted).to_pandas(ignore_metadata=True)
    except (GdbenchError, MemoryError):
        raise
    except (pa.ArrowException, OSError, ValueError, TypeError, LookupError, OverflowError) as error:
        raise GdbenchError(f"{path.name} is damaged, truncated or not Parquet: {one_line(error)}") from None


def _read_npz(path: Path) -> Raw:
    import struct
    import zipfile
    import zlib

    try:
        with zipfile.ZipFile(path) as archive:
            for key in ("X", "y"):
                _check_member(archive, key, path.name)
    except GdbenchError:
        raise
    except Exception:  # zipfile and NumPy's header raise errors of many kinds over damaged bytes
        raise GdbenchError(f"{path.name} is truncated or not NPZ") from None
    try:
        with np.load(path, allow_pickle=False) as arrays:
            held = arrays.files
            found = {key: arrays[key] for key in ("X", "y") if key in held}
    except ValueError as error:
        if "pickle" in str(error):
            raise GdbenchError(f"{path.name} holds Python objects, which are never loaded") from None
        raise GdbenchError(f"{path.name} is damaged: {one_line(error)}") from None
    except (OSError, EOFError, zipfile.BadZipFile, zlib.error, struct.error, RuntimeError, LookupError, TypeError) as error:
        raise GdbenchError(f"{path.name} is damaged: {one_line(error)}") from None
    for key in ("X", "y"):
        if not isinstance(found.get(key), np.ndarray):  # a member that is no array comes as bytes
            raise GdbenchError(f"{path.name} has no array '{key}'; it holds: {', '.join(held) or 'nothing'}")
    return _arrays(found["X"], found["y"], path.name)


def _check_member(archive: zipfile.ZipFile, key: str, where: str) -> None:
    """Refuse an array of an NPZ file whose header promises another size than it has, or that cannot fit in memory."""
    name = f"{key}.npy"
    if name not in archive.namelist():
        return
    with archive.open(name) as stream:
        version = np.lib.format.read_magic(stream)
        read = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
        try:
            shape, _, dtype = read(stream)
        except ValueError as error:
            raise GdbenchError(f"{where} is damaged: the header of {key}: {one_line(error)}") from None
        held = archive.getinfo(name).file_size - stream.tell()
    if dtype.hasobject:
        raise GdbenchError(f"{where} holds Python objects, which are never loaded")
    promised = dtype.itemsize * math.prod(shape)
    if promised != held or min(shape, default=0) < 0:
        raise GdbenchError(
            f"{where} is damaged: the header of {key} says {shape} of {dtype}, {promised:,} bytes, but it holds {held:,}"
        )
    refuse_too_large(f"{where}: {key}, of shape {shape}, beside a copy in float64,", promised + 8 * math.prod(shape))


def _arrays(X: np.ndarray, y: np.ndarray, where: str) -> Raw:
    """Check the two arrays of an NPZ file."""
    if X.ndim != 2:
        raise GdbenchError(f"{where}: X has to have two dimensions (rows, columns); its shape is {X.shape}")
    if X.dtype.kind not in "fiub":
        raise GdbenchError(f"{where}: X has to be numeric, not {X.dtype}")
    if y.ndim == 2 and y.shape[1] == 1:
        y = y[:, 0]
    if y.shape != (len(X),):
        raise GdbenchError(f"{where}: X has {len(X)} rows, but y has the shape {y.shape}")
    if y.dtype.kind not in "fiubU":
        raise GdbenchError(f"{where}: y has to be numbers or text, not {y.dtype}")
    tables.check_rows(len(X), where)
    if not X.shape[1]:
        raise GdbenchError(f"{where} has no columns: X is {X.shape}")
    names = [f"x{j + 1}" for j in range(X.shape[1])]
    X = X.astype(np.float64)
    tables.check_finite(X, names, where)
    if y.dtype.kind in "fiu":
        y = y.astype(np.float64)
        tables.check_finite(y[:, None], ["y"], where)
    return Raw(X=X, names=names, y=y, source=where)


def _read_svmlight(path: Path) -> Raw:
    from sklearn.datasets import load_svmlight_file

    try:
        X, y = load_svmlight_file(str(path))
    except (ValueError, OSError, OverflowError, LookupError, TypeError) as error:
        raise GdbenchError(f"{path.name} is damaged or not svmlight: {one_line(error)}") from None
    tables.check_rows(X.shape[0], path.name)
    if not X.shape[1]:
        raise GdbenchError(f"{path.name} has no columns")
    refuse_too_large(f"{path.name}: {X.shape[1]:,} columns, the largest that it names,", X.shape[1] * A_COLUMN)
    names = [f"x{j + 1}" for j in range(X.shape[1])]
    _check_sparse(X, names, path.name)
    tables.check_finite(y[:, None], ["target"], path.name)
    return Raw(X=X, names=names, y=y, source=path.name)


def _check_sparse(X: Any, names: list[str], where: str) -> None:
    bad = np.flatnonzero(~np.isfinite(X.data))
    if len(bad):
        row = int(np.searchsorted(X.indptr, bad[0], side="right")) - 1
        what = "NaN" if np.isnan(X.data[bad[0]]) else "an infinite value"
        raise GdbenchError(f"{where} has {what} in row {row + 1}, column '{names[X.indices[bad[0]]]}'")
