"""The one jit policy: flags, what is kept on disk, and the rule for code from outside the package.

Every compiled function of gdbench is made here, by :func:`kernel` (called from Python) or by
:mod:`gdbench.kernels.compile.tags` (inlined into kernels). Nothing compiles at import.

Two things make compiling faster by private names of Numba: the cache on disk (``cache.py``) and bodies that are not compiled
for themselves (``inlining.py``). Where a release of Numba lacks those names, or ``GDBENCH_PLAIN_NUMBA`` is set to 1, kernels
compile without: each process for itself and more slowly, to the same results.
"""

from __future__ import annotations

import contextlib
import gc
import os
import threading
from collections.abc import Callable
from time import monotonic
from typing import Any

import llvmlite.binding as llvm
import numba
from numba import njit
from numba.extending import register_jitable

from gdbench.kernels.compile.type_key import foreign_classes, type_key

#: ``fastmath=True`` would let LLVM assume that no NaN or infinity occurs and delete the checks for divergence; these
#: flags keep ``isfinite`` right and still let sums be vectorised and products be fused.
FASTMATH = {"contract", "reassoc", "nsz", "arcp", "afn"}

#: Shared by kernels and by the bodies inlined into them. ``error_model="numpy"`` drops the check for division by
#: zero from inner loops (the result is inf or nan, as in NumPy).
OPTIONS: dict[str, Any] = {"fastmath": FASTMATH, "error_model": "numpy"}


def _keep_in_memory(dispatcher: Any, function: Callable) -> None:
    """What takes the place of the cache on disk: nothing."""


PIPELINE: dict[str, Any] = {}
keep_on_disk = _keep_in_memory
if os.environ.get("GDBENCH_PLAIN_NUMBA", "0") in ("", "0"):
    with contextlib.suppress(ImportError, AttributeError):
        from gdbench.kernels.compile.inlining import Inlined

        PIPELINE = {"pipeline_class": Inlined}
    with contextlib.suppress(ImportError, AttributeError):
        from gdbench.kernels.compile.cache import keep_on_disk

#: For the bodies that are inlined into kernels wherever they are called.
INLINED: dict[str, Any] = {**OPTIONS, "forceinline": True, **PIPELINE}

#: New objects after which garbage is collected during a compilation: the memory needed stays the same.
COLLECT_AFTER = 50_000

# An update rule with three or more state vectors needs more run-time overlap checks than LLVM's default of 8 allows;
# past it the loop stays scalar.
llvm.set_option("gdbench", "--runtime-memory-check-threshold=64")


class _RarelyCollected:
    """Search a compilation's millions of objects for cyclic garbage less often than usual: it took a fifth of the time.

    The threshold is the process's own: the first of the compilations that overlap raises it, the last puts it back.
    """

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.compilations = 0
        self.before = self.raised = gc.get_threshold()
        self.seconds, self.since = 0.0, 0.0

    def __enter__(self) -> None:
        with self.lock:
            if self.compilations == 0:
                self.before = first, *others = gc.get_threshold()
                gc.set_threshold(max(first, COLLECT_AFTER) if first > 0 else 0, *others)
                self.raised = gc.get_threshold()
                self.since = monotonic()
            self.compilations += 1

    def __exit__(self, *failure: object) -> None:
        with self.lock:
            self.compilations -= 1
            if self.compilations == 0:
                self.seconds += monotonic() - self.since
            if self.compilations == 0 and gc.get_threshold() == self.raised:  # else the program has set one of its own
                gc.set_threshold(*self.before)


_rarely_collected = _RarelyCollected()


def seconds_compiling() -> float:
    """The seconds for which this process has compiled kernels, or loaded them, up to now; overlapping ones count once."""
    with _rarely_collected.lock:
        now = monotonic() - _rarely_collected.since if _rarely_collected.compilations else 0.0
        return _rarely_collected.seconds + now


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
        self.cached = njit(nogil=True, **OPTIONS)(function)
        keep_on_disk(self.cached, function)
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
        key = type_key(args)
        if key not in self._bound:
            dispatcher = self.dispatcher(*args)
            types = tuple(map(numba.typeof, args))
            # Dispatcher.compile is documented nowhere: without it the dispatcher itself is bound, and looks at each call's types.
            with _rarely_collected:
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
