"""The one jit policy: flags, cache folder, and the rule for code from outside the package.

Every compiled function of gdbench is made here, by :func:`kernel` (called from Python) or by
:mod:`gdbench.kernels.compile.tags` (inlined into kernels). Nothing compiles at import.

Numba keys its disk cache on the file that holds the kernel and does not see edits in files that the kernel
imports, so an edited update rule would silently run the old code. The cache folder is therefore named by a digest of
all kernel sources and of the compiler's versions: edited sources mean another folder.
"""

from __future__ import annotations

import contextlib
import gc
import hashlib
import os
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import llvmlite
import llvmlite.binding as llvm
import numba
import numpy as np
from numba import njit
from numba.extending import register_jitable

from gdbench.kernels.compile.inlining import Inlined

#: ``fastmath=True`` would let LLVM assume that no NaN or infinity occurs and delete the checks for divergence; these
#: flags keep ``isfinite`` right and still let sums be vectorised and products be fused.
FASTMATH = {"contract", "reassoc", "nsz", "arcp", "afn"}

#: Shared by kernels and by the bodies inlined into them. ``error_model="numpy"`` drops the check for division by
#: zero from inner loops (the result is inf or nan, as in NumPy).
OPTIONS: dict[str, Any] = {"fastmath": FASTMATH, "error_model": "numpy"}

#: For the bodies that are inlined into kernels wherever they are called.
INLINED: dict[str, Any] = {**OPTIONS, "forceinline": True, "pipeline_class": Inlined}

DAYS_KEPT = 30

#: New objects after which garbage is collected during a compilation: the memory needed stays the same.
COLLECT_AFTER = 50_000

# An update rule with three or more state vectors needs more run-time overlap checks than LLVM's default of 8 allows;
# past it the loop stays scalar.
llvm.set_option("gdbench", "--runtime-memory-check-threshold=64")


def sources() -> list[Path]:
    """Every Python file below ``gdbench/kernels``, sorted."""
    return sorted(Path(__file__).parents[1].rglob("*.py"))


@cache
def digest() -> str:
    """Digest (16 hexadecimal digits) of all that compiled code depends on: kernel sources and compiler versions."""
    h = hashlib.sha256()
    for path in sources():
        h.update(path.relative_to(Path(__file__).parents[1]).as_posix().encode())
        h.update(path.read_bytes())
    for version in (numba.__version__, np.__version__, llvmlite.__version__):
        h.update(version.encode())
    return h.hexdigest()[:16]


@cache
def cache_root() -> Path:
    """Folder of all that gdbench keeps between runs: ``$GDBENCH_CACHE_DIR``, or the user's cache; else a temporary one."""
    given = os.environ.get("GDBENCH_CACHE_DIR")
    users = os.environ.get("XDG_CACHE_HOME") or os.path.join(os.path.expanduser("~"), ".cache")
    owner = os.getuid() if hasattr(os, "getuid") else 0
    for root in (Path(given) if given else Path(users) / "gdbench", Path(tempfile.gettempdir()) / f"gdbench-{owner}"):
        with contextlib.suppress(OSError):
            root.mkdir(parents=True, exist_ok=True)
            if os.access(root, os.W_OK):
                return root
    return Path(tempfile.mkdtemp(prefix="gdbench-"))


@cache
def cache_folder() -> Path:
    """Folder of the compiled kernels, named by their digest; made if missing."""
    folder = cache_root() / "kernels" / digest()
    if not folder.is_dir():
        folder.mkdir(parents=True, exist_ok=True)
        _drop_unused(folder.parent)
    os.utime(folder)
    return folder


def _drop_unused(root: Path) -> None:
    """Delete sibling cache folders that no process has opened for a month."""
    limit = time.time() - DAYS_KEPT * 86400
    for folder in root.iterdir():
        with contextlib.suppress(OSError):
            if folder.stat().st_mtime < limit:
                shutil.rmtree(folder, ignore_errors=True)


@contextlib.contextmanager
def _caching_into(folder: Path) -> Iterator[None]:
    """Point Numba's cache at `folder` while a kernel is decorated, and leave other users of Numba alone."""
    before = numba.config.CACHE_DIR
    numba.config.CACHE_DIR = str(folder)
    try:
        yield
    finally:
        numba.config.CACHE_DIR = before


@contextlib.contextmanager
def _rarely_collected() -> Iterator[None]:
    """Search a compilation's millions of objects for cyclic garbage less often than usual: it took a fifth of the time."""
    before = gc.get_threshold()
    gc.set_threshold(max(before[0], COLLECT_AFTER) if before[0] > 0 else 0, *before[1:])
    try:
        yield
    finally:
        gc.set_threshold(*before)


class Kernel:
    """A compiled function: one dispatcher cached on disk, and in memory one for each set of tags from outside the package.

    A user's own update rule can change between two runs of a notebook cell while Numba, on disk and in a dispatcher's
    fast path, knows a class only by its name and fields and would still serve the old code. So a kernel that is handed
    classes from outside gdbench compiles in memory, with a dispatcher for them alone.
    """

    def __init__(self, function: Callable):
        self.function = function
        self.__doc__ = function.__doc__
        self.__name__ = function.__name__
        with _caching_into(cache_folder()):
            self.cached = njit(cache=True, nogil=True, **OPTIONS)(function)
        self._foreign: dict[frozenset[type], Callable] = {}
        self._bound: dict[tuple, Callable] = {}

    def __call__(self, *args):
        return self.bound(*args)(*args)

    def dispatcher(self, *args) -> Callable:
        """The dispatcher that may serve these arguments; ask once and call it often."""
        classes = foreign_classes(args)
        return self.in_memory(classes) if classes else self.cached

    def bound(self, *args) -> Callable:
        """The compiled code for arguments of just these types, which it does not look at again.

        Numba finds out the types of nested tags in Python, at each call: some 50 µs, more than an epoch over a small data set
        takes. What was found for arguments of these kinds before is found again by looking at their classes only.
        """
        key = kinds(args)
        if key not in self._bound:
            dispatcher = self.dispatcher(*args)
            types = tuple(map(numba.typeof, args))
            with _rarely_collected():
                self._bound[key] = dispatcher.compile(types) if hasattr(dispatcher, "compile") else dispatcher
        return self._bound[key]

    def in_memory(self, classes: frozenset[type] = frozenset()) -> Callable:
        """The dispatcher for tags of these classes from outside the package."""
        if classes not in self._foreign:
            self._foreign[classes] = njit(nogil=True, **OPTIONS)(self.function)
        return self._foreign[classes]


def kernel(function: Callable) -> Kernel:
    """Compile `function` under the one policy: cached, without the GIL, with the flags above."""
    return Kernel(function)


def inlined(function: Callable) -> Callable:
    """A helper of kernels whose body is inlined at each call; in plain Python it is the function itself."""
    return register_jitable(**INLINED)(function)


def as_written(function: Callable) -> Callable:
    """The same, but that its arithmetic is not rearranged, only its products fused with sums."""
    return register_jitable(**{**INLINED, "fastmath": {"contract"}})(function)


def called(function: Callable) -> Callable:
    """A helper of kernels that is called, not inlined: for work on whole batches, beside which a call is nothing."""
    return register_jitable(**OPTIONS)(function)


def kinds(value: object) -> Any:
    """What Numba's type of `value` depends on, hashable and found in a microsecond or so a leaf."""
    if isinstance(value, tuple):
        return (type(value), *map(kinds, value))
    if isinstance(value, np.ndarray):
        flags = value.flags
        return value.dtype, value.ndim, flags.c_contiguous, flags.f_contiguous, flags.writeable, flags.aligned
    return type(value)


def foreign_classes(value: object) -> frozenset[type]:
    """The classes of `value`, and of all that it holds, that are defined outside gdbench."""
    if not isinstance(value, tuple):
        return frozenset()
    own = {type(value)} if _foreign_class(type(value)) else ()
    return frozenset(own).union(*map(foreign_classes, value))


@cache
def _foreign_class(cls: type) -> bool:
    return cls is not tuple and cls.__module__.partition(".")[0] != "gdbench"
