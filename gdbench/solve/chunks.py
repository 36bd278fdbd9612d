"""Rows that are read chunk by chunk: a dask array, or a folder of Parquet files, too large for the memory.

A source knows where its chunks start and reads one; :func:`gather` brings any rows of it in any order, with the next chunk
being read while the last is worked on.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from functools import lru_cache
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np

from gdbench.errors import GdbenchError, one_line, unknown
from gdbench.tasks.gate import FLOATS, check_shape, exactly, refuse_nonfinite
from gdbench.tasks.memory import refuse_too_large

#: A row group is read in so many parts, by columns: decoding one takes several times its memory.
PARTS = 8


class Source:
    """Chunks of rows.

    Attributes
    ----------
    starts : ndarray of shape (chunks + 1,), int64
        The first row of each chunk, and n.
    columns : int
    dtype : dtype
        float32 or float64.
    """

    def __init__(self, lengths: Iterable[int], columns: int, dtype: np.dtype):
        lengths = np.asarray([0, *lengths], np.int64)
        self.starts = np.cumsum(lengths)
        self.columns, self.dtype = columns, dtype
        self.longest = int(lengths.max())
        self.checked: set[int] = set()
        check_shape((self.rows, columns))
        refuse_too_large(f"a chunk of {self.longest:,} rows and {columns:,} columns", self.longest * columns * dtype.itemsize)

    @property
    def rows(self) -> int:
        """n."""
        return int(self.starts[-1])

    def read(self, number: int) -> np.ndarray:
        """A chunk, (rows, columns), in C order; what is not finite is refused when it is first met."""
        rows = int(self.starts[number + 1] - self.starts[number])
        # The kernels are compiled for arrays of one kind, and a chunk may turn out to be another than was announced.
        values = exactly(f"{self.called(number)}, of X", self.fetch(number), (rows, self.columns), self.dtype)
        if number not in self.checked:
            try:
                refuse_nonfinite("X", values)
            except GdbenchError as error:
                raise GdbenchError(f"{error} of {self.called(number)}") from None
            self.checked.add(number)
        return values

    def fetch(self, number: int) -> Any:
        """A chunk as it is stored."""
        raise NotImplementedError

    def called(self, number: int) -> str:
        """A chunk's name in messages."""
        return f"chunk {number}, which starts at row {self.starts[number]}"


class DaskRows(Source):
    """A dask array, in its own chunks of rows."""

    def __init__(self, array: Any):
        if not hasattr(array, "compute_chunk_sizes"):
            raise GdbenchError(f"X is a dask {type(array).__name__}: give an array, such as X.to_dask_array(lengths=True)")
        if array.ndim != 2:
            raise GdbenchError(f"X must have two dimensions (rows, columns), not {array.ndim}: its shape is {array.shape}")
        if array.dtype.kind not in "fiub":
            raise GdbenchError(f"X must hold numbers only, not {array.dtype}")
        if any(np.isnan(length) for length in chain(*array.chunks)):
            array = array.compute_chunk_sizes()
        self.array = array.rechunk({1: -1})
        super().__init__(array.chunks[0], array.shape[1], array.dtype if array.dtype in FLOATS else np.dtype(np.float64))

    def fetch(self, number: int) -> Any:
        """Compute a chunk."""
        try:
            return self.array.blocks[number, 0].compute()
        except (GdbenchError, MemoryError):
            raise
        except Exception as error:  # the caller's own functions are computed here
            message = f"{self.called(number)}, of X, cannot be computed: {type(error).__name__}: {one_line(error)}"
            raise GdbenchError(message) from error


class ParquetRows(Source):
    """A Parquet file, or the files of a folder in natural order of their names (2 before 10), by row groups.

    Parameters
    ----------
    path : path
    target : str or None
        The column that is y; all others are X. With None all columns are.
    """

    def __init__(self, path: str | os.PathLike, target: str | None):
        self.files = parquet_files(Path(path).expanduser())
        first = _opened(self.files[0]).schema_arrow
        there = data_columns(first)
        if target is not None and target not in there:
            raise GdbenchError(f"{self.files[0].name}: {unknown('column', target, there)}")
        self.names = [name for name in there if name != target]
        self.groups: list[tuple[Path, int]] = []
        lengths, kinds = [], set()
        for path in self.files:
            metadata, schema = _opened(path).metadata, _opened(path).schema_arrow
            kinds |= self._kinds(path, schema, target)
            sizes = [metadata.row_group(group).num_rows for group in range(metadata.num_row_groups)]
            self.groups += [(path, group) for group, size in enumerate(sizes) if size]
            lengths += [size for size in sizes if size]
        small = kinds == {np.dtype(np.float32)}
        super().__init__(lengths, len(self.names), np.dtype(np.float32 if small else np.float64))

    def _kinds(self, path: Path, schema: Any, target: str | None) -> set[np.dtype]:
        """The dtypes of a file's columns, which have to be the first file's, and numbers."""
        import pyarrow as pa

        wanted = {*self.names} | ({target} if target else set())
        strange = wanted ^ set(data_columns(schema))
        if strange:
            raise GdbenchError(f"{path.name} and {self.files[0].name} differ in the column '{sorted(strange)[0]}'")
        types = {name: schema.field(name).type for name in self.names}
        for name, kind in types.items():
            if not (pa.types.is_floating(kind) or pa.types.is_integer(kind) or pa.types.is_boolean(kind)):
                raise GdbenchError(f"{path.name}: the column '{name}' must hold numbers only, not {kind}")
        return {np.dtype(kind.to_pandas_dtype()) for kind in types.values()}

    def fetch(self, number: int) -> np.ndarray:
        """Read a row group."""
        import pyarrow as pa

        path, group = self.groups[number]
        values = np.empty((int(self.starts[number + 1] - self.starts[number]), self.columns), self.dtype)
        some = -(-self.columns // PARTS)
        for first in range(0, self.columns, some):
            table = _group(path, group, self.names[first : first + some])
            for j, column in enumerate(table.itercolumns(), first):
                if column.null_count:
                    raise GdbenchError(f"{path.name}: the column '{self.names[j]}' lacks {column.null_count} values")
                values[:, j] = column.to_numpy()
            del table, column
            pa.default_memory_pool().release_unused()  # it keeps what is freed for a while: chunks that nobody reads
        return values

    def called(self, number: int) -> str:
        """A row group's name in messages."""
        path, group = self.groups[number]
        return f"{path.name}, row group {group}"

    def column(self, name: str) -> np.ndarray:
        """All values of one column."""
        values: np.ndarray | None = None
        for number, (path, group) in enumerate(self.groups):
            part = _group(path, group, [name]).column(0)
            if part.null_count:
                raise GdbenchError(f"{path.name}: the column '{name}' lacks {part.null_count} values")
            found = part.to_numpy()
            if values is None:
                values = np.empty(self.rows, found.dtype)
            values = values.astype(np.promote_types(values.dtype, found.dtype), copy=False)
            values[self.starts[number] : self.starts[number + 1]] = found
        assert values is not None  # a source has rows
        return values


def parquet_files(path: Path) -> list[Path]:
    """The Parquet files that a path stands for."""
    if path.is_file():
        return [path]
    if not path.is_dir():
        raise GdbenchError(f"X must hold numbers only, not text, and '{path}' is no folder of Parquet files, nor such a file")
    found = sorted(path.glob("*.parquet"), key=lambda file: [part.zfill(20) for part in re.split(r"(\d+)", file.name)])
    if not found:
        raise GdbenchError(f"the folder {path} holds no *.parquet file")
    return found


def data_columns(schema: Any) -> list[str]:
    """The columns of a Parquet file, without an index that pandas or dask stored."""
    try:
        index = (schema.pandas_metadata or {}).get("index_columns", [])
    except (ValueError, AttributeError, TypeError):  # damaged: the columns are there all the same
        index = []
    return [name for name in schema.names if name not in index]


@lru_cache(maxsize=4)
def _opened(path: Path) -> Any:
    """A Parquet file, its footer read."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        return pq.ParquetFile(path, pre_buffer=False)  # a buffer would keep what was read for as long as the file is open
    except MemoryError:
        raise
    except (pa.ArrowException, OSError, ValueError, TypeError, LookupError) as error:
        raise _unreadable(path, error) from None


def _group(path: Path, group: int, names: list[str]) -> Any:
    import pyarrow as pa

    file = _opened(path)
    try:
        table = file.read_row_group(group, columns=names, use_threads=False).select(names)
    except MemoryError:
        raise
    except (pa.ArrowException, OSError, ValueError, TypeError, LookupError) as error:
        raise _unreadable(path, error) from None
    promised = file.metadata.row_group(group).num_rows
    if table.num_rows != promised:
        raise _unreadable(path, f"row group {group} has {table.num_rows:,} rows, and its header says {promised:,}")
    return table


def _unreadable(path: Path, error: object) -> GdbenchError:
    return GdbenchError(f"{path.name} is damaged, truncated or not Parquet: {one_line(error)}")


def is_chunked(X: Any) -> bool:
    """Whether `X` is read chunk by chunk: a dask collection or a path."""
    return isinstance(X, (str, os.PathLike)) or hasattr(X, "__dask_graph__")


def opened(X: Any, y: Any) -> tuple[Source, Any]:
    """The source that `X` stands for, and the target; a text is the name of y's column in a Parquet file."""
    if not isinstance(X, (str, os.PathLike)):
        return DaskRows(X), y
    _opened.cache_clear()  # files may have been written anew
    rows = ParquetRows(X, y if isinstance(y, str) else None)
    return rows, rows.column(y) if isinstance(y, str) else y


def gather(source: Source, pieces: list[np.ndarray], kept: int = 1) -> Iterator[np.ndarray]:
    """The rows of each piece, (rows, columns): a view of a chunk where they stand in sequence in one, else a copy.

    Parameters
    ----------
    source : Source
    pieces : list of ndarrays of row numbers
    kept : int, default 1
        How many of the chunks that were asked for last stay in memory.
    """
    blocks = _ahead(source, chain.from_iterable(_chunks_of(_places(source, rows)) for rows in pieces), kept)
    for rows in pieces:
        place = _places(source, rows)
        numbers = _chunks_of(place)
        if numbers.size == 1 and rows[-1] - rows[0] == rows.size - 1 and bool((rows[1:] > rows[:-1]).all()):
            first = rows[0] - source.starts[numbers[0]]
            yield next(blocks)[first : first + rows.size]
            continue
        values = np.empty((rows.size, source.columns), source.dtype)
        for number in numbers:
            here = place == number
            values[here] = next(blocks)[rows[here] - source.starts[number]]
        yield values


def _places(source: Source, rows: np.ndarray) -> np.ndarray:
    """The number of the chunk that holds each row."""
    return np.searchsorted(source.starts, rows, side="right") - 1


def _chunks_of(places: np.ndarray) -> np.ndarray:
    """The numbers of the chunks that are met, in the order in which they are."""
    numbers, first = np.unique(places, return_index=True)
    return numbers[np.argsort(first)]


def _ahead(source: Source, numbers: Iterable[int], kept: int) -> Iterator[np.ndarray]:
    """Chunks in the order asked for, the next one being read meanwhile; one of those asked for last is not read anew."""
    with ThreadPoolExecutor(1) as reader:
        held: dict[int, Future] = {}  # the latest is the last
        waiting: Future | None = None
        for number in map(int, numbers):
            reading = held.pop(number, None) or reader.submit(source.read, number)
            held[number] = reading
            if len(held) > kept:
                del held[next(iter(held))]
            if waiting is not None:
                yield waiting.result()
            waiting = reading
        if waiting is not None:
            yield waiting.result()
