"""The shapes of reading: a few numbers for each kind of rows, their order, and the cache that holds them.

The fastest ones differ between processors by a factor of two. They are chosen by measuring on the machine, once
(:mod:`gdbench.solve.tuning`), and kept in ``shapes.json`` beside the compiled kernels; without that file they follow from the
sizes of the caches. They change no bit of a result. ``GDBENCH_SHAPES`` names another file, or is ``default``.
"""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import llvmlite.binding as llvm

from gdbench.errors import GdbenchError
from gdbench.kernels.caches import caches, level_of, second_level
from gdbench.kernels.compile.storage import cache_root, say_once
from gdbench.kernels.data import CSR
from gdbench.kernels.order import BLOCK
from gdbench.kernels.reading import ReadPlan
from gdbench.writing import write_text

FORMAT = 1


class Shape(NamedTuple):
    """How rows of one kind, in one order, from one level are read.

    Attributes
    ----------
    far : int
        Bytes of rows ahead of their use that are prefetched into the second-level cache; 0 for none. In block order any other
        number means the next block.
    near : int
        The same for the first-level cache.
    rows_per_pass : int
        1 or 4: see :class:`gdbench.kernels.reading.ReadPlan`.
    """

    far: int = 0
    near: int = 0
    rows_per_pass: int = 4


#: Bytes from which rows are long: the processor's own prefetchers follow each of several that are read side by side only where
#: they are short.
LONG = 512

KB = 1 << 10

#: By reasoning, for a processor that was not measured. Long rows in sequence come one by one; blocks are fetched whole, in the
#: order of memory, while the block before is worked on; random rows in memory need more bytes on their way than the first-level
#: cache can wait for. Steps on batches have a second pass over the rows, which then are near.
DEFAULT: dict[str, Shape] = {
    f"{level} {kind} {order}": shape
    for level in ("L3", "memory")
    for kind, shapes in {
        "short": {
            "sequential": Shape(0, 12 * KB, 4),
            "block": Shape(1, 4 * KB, 4),
            "random": Shape(10 * KB, 5 * KB // 4, 4) if level == "memory" else Shape(0, 4 * KB, 4),
            "block batches": Shape(1, 4 * KB, 4),
            "random batches": Shape(0, 4 * KB, 4),
        },
        "long": {
            "sequential": Shape(4 * KB, 0, 1) if level == "memory" else Shape(0, 12 * KB, 4),
            "block": Shape(1, 4 * KB, 4),
            "random": Shape(64 * KB, 4 * KB, 4) if level == "memory" else Shape(0, 12 * KB, 4),
            "block batches": Shape(1, 4 * KB, 4),
            "random batches": Shape(0, 12 * KB, 4),
        },
        "sparse": {
            "sequential": Shape(0, 4 * KB, 4),
            "block": Shape(1, 4 * KB, 4),
            "random": Shape(0, 12 * KB, 4),
            "block batches": Shape(1, 4 * KB, 4),
            "random batches": Shape(0, 12 * KB, 4),
        },
    }.items()
    for order, shape in shapes.items()
}

#: Rows are prefetched no fewer, and no more, rows ahead of their use.
FEWEST, MOST = 2, 256

_forced: list[Shape] = []
_chosen: list[dict[str, Shape]] = []


def planned(data: Any, shuffle: str, batch_size: int = 1) -> Any:
    """The same rows with the plan by which they are read in an order: "none", "block" or another name of a shuffle."""
    is_sparse = isinstance(data, CSR)
    rows = max(1, data.indptr.size - 1 if is_sparse else data.values.shape[0])
    size = data.values.nbytes + (data.indices.nbytes if is_sparse else 0)
    row = max(1, size // rows)
    kind = "sparse" if is_sparse else "short" if row < LONG else "long"
    order = {"none": "sequential", "block": "block"}.get(shuffle, "random")
    return data._replace(plan=plan(size, row, kind, order, batch_size))


def plan(size: int, row: int, kind: str, order: str, batch_size: int = 1) -> ReadPlan:
    """The plan for `size` bytes of rows of about `row` bytes each, visited in an order."""
    if order == "block" and 2 * BLOCK * row > second_level():
        order = "random"  # the second-level cache does not hold a block and the next
    level = level_of(size)
    if _forced:
        shape = _forced[-1]
    elif level == "L2":
        return ReadPlan()
    else:
        shape = chosen()[f"{level} {kind} {order}{' batches' if batch_size > 1 and order != 'sequential' else ''}"]
    near = min(MOST, max(FEWEST, shape.near // row)) if shape.near else 0
    if order == "block" and shape.far:
        return ReadPlan(BLOCK, near, BLOCK - 1, shape.rows_per_pass)
    far = min(MOST, max(2 * FEWEST, shape.far // row)) if shape.far else 0
    return ReadPlan(far, near, 0, shape.rows_per_pass)


@contextlib.contextmanager
def forced(shape: Shape) -> Iterator[None]:
    """Read all rows in one shape within a ``with`` block, of whatever kind and order they are."""
    _forced.append(shape)
    try:
        yield
    finally:
        _forced.remove(shape)


def chosen() -> dict[str, Shape]:
    """The shapes in use: those of ``GDBENCH_SHAPES``, or measured on this machine, or the default ones."""
    if not _chosen:
        _chosen.append(_found()[0])
    return _chosen[0]


def source() -> str:
    """Where the shapes in use come from: a file's path, or "default"."""
    return _found()[1]


def described() -> dict[str, Any]:
    """The shapes in use and where they come from, JSON-ready."""
    return {"source": source(), **{name: shape._asdict() for name, shape in chosen().items()}}


def forget() -> None:
    """Look for the shapes anew at the next use."""
    _chosen.clear()


def kept_in() -> Path:
    """The file for the shapes of this machine."""
    return cache_root() / "shapes.json"


def keep(shapes: dict[str, Shape]) -> Path:
    """Write measured shapes, whole or not at all, and use them from now on."""
    known = {name: shape._asdict() for name, shape in shapes.items()}
    path = kept_in()
    write_text(path, json.dumps({"format": FORMAT, "processor": processor(), "shapes": known}, indent=1) + "\n")
    forget()
    return path


def processor() -> dict[str, Any]:
    """What shapes are measured for."""
    return {"name": llvm.get_host_cpu_name(), "caches": caches()}


def _found() -> tuple[dict[str, Shape], str]:
    given = os.environ.get("GDBENCH_SHAPES", "")
    if given == "default":
        return DEFAULT, "default"
    if given:
        try:
            return read(Path(given)), given
        except (OSError, ValueError) as error:
            raise GdbenchError(f"GDBENCH_SHAPES: '{given}' holds no shapes ({error}); name another file, or 'default'") from None
    path = kept_in()
    try:
        return read(path), str(path)
    except FileNotFoundError:
        return DEFAULT, "default"
    except (OSError, ValueError) as error:
        say_once(f"{path} is not used ({error}); 'gdbench info --tune' measures it anew")
        return DEFAULT, "default"


def read(path: Path) -> dict[str, Shape]:
    """The shapes of a file; ValueError says why it holds none for this processor."""
    found = json.loads(path.read_text(encoding="utf-8"))
    if not isinstance(found, dict) or found.get("format") != FORMAT or not isinstance(found.get("shapes"), dict):
        raise ValueError(f"not a file of shapes of format {FORMAT}")
    if found.get("processor") != processor():
        raise ValueError("measured on another processor")
    return {name: _shape(name, found["shapes"].get(name)) for name in DEFAULT}


def _shape(name: str, found: Any) -> Shape:
    fields = set(Shape._fields)
    if not isinstance(found, dict) or set(found) != fields or any(type(value) is not int for value in found.values()):
        raise ValueError(f"'{name}' must have whole numbers {', '.join(sorted(fields))}")
    shape = Shape(**found)
    if not (0 <= shape.far <= 1 << 30 and 0 <= shape.near <= 1 << 30 and shape.rows_per_pass in (1, 4)):
        raise ValueError(f"'{name}' has a number out of range")
    return shape
