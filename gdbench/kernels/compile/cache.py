"""Compiled code on disk, which no fit depends on: what is damaged is compiled again, what cannot be stored is left out.

Numba's own cache stops a program on a truncated file or a full disk, and unpickles whatever lies in its folder. This one
takes its place in a dispatcher. Each compiled function is a file of its own, so that processes that compile at the same time
lose nothing of each other's, and begins with a checksum, so that no damaged byte is run.

The private names of Numba and what would break them:

- ``Dispatcher._cache``, and that it is asked by ``load_overload(signature, target_context)`` and told by
  ``save_overload(signature, result)``: under other names, each process compiles for itself (:func:`keep_on_disk`).
- ``CompileResult._reduce`` and ``CompileResult._rebuild``: without them each function is compiled anew, and one line says so.
- ``target_context.refresh`` and ``codegen().magic_tuple()``, which names the processor: as above.
- ``CodeLibrary.has_dynamic_globals``, of code that holds addresses of this process: as above.
- ``numba.core.serialize.dumps``, the pickling that knows Numba's types: where it or ``CompileResult`` has
  moved, each process compiles for itself (``jit.py``).
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import pickle
import sys
import uuid
from collections.abc import Callable
from functools import cached_property
from pathlib import Path
from typing import Any

from numba import types
from numba.core.compiler import CompileResult
from numba.core.serialize import dumps

from gdbench.kernels.compile import storage

#: Bytes of the checksum at the beginning of a file.
CHECKSUM = hashlib.sha256().digest_size


class KernelCache:
    """The compiled code of one function, one file for each signature; neither method ever fails."""

    def __init__(self, function: Callable):
        self.function = function

    @property
    def cache_path(self) -> str:
        """The folder, for Numba's statistics."""
        return str(storage.cache_folder())

    @cached_property
    def source(self) -> tuple:
        """What tells this function from others, and from itself before an edit."""
        code = self.function.__code__
        path = os.path.abspath(code.co_filename)
        text = hashlib.sha256(Path(path).read_bytes()).hexdigest()
        return path, text, self.function.__qualname__, code.co_firstlineno, sys.implementation.cache_tag

    def load_overload(self, signature: tuple, target_context: Any) -> Any:
        """The code compiled for a signature, or None where there is none that can be trusted."""
        try:
            target_context.refresh()
            key = (*self.source, target_context.codegen().magic_tuple(), signature)
            path = self._path(key)
            if not path.is_file() or not storage.is_private(path.parent):
                return None
            stored = path.read_bytes()
            data = stored[CHECKSUM:]
            if stored != with_checksum(data):
                return None
            found, reduced = pickle.loads(data)
            return CompileResult._rebuild(target_context, *reduced) if found == key else None
        except Exception:  # whatever it is that cannot be read is compiled again, and replaced
            return None

    def save_overload(self, signature: tuple, result: Any) -> None:
        """Store the code compiled for a signature, whole or not at all."""
        try:
            # What a closure holds may change where the file and the line stay the same.
            if self.function.__closure__ or result.library.has_dynamic_globals:
                return
            key = (*self.source, result.codegen.magic_tuple(), signature)
            path = self._path(key)
            storage.make(path.parent)
            if storage.is_private(path.parent):
                _write(path, with_checksum(dumps((key, result._reduce()))))
        except Exception as error:
            reason = getattr(error, "strerror", None) or f"{type(error).__name__}: {error}"
            storage.say_once(f"compiled code cannot be stored in {storage.cache_folder()} ({reason}); going on without")

    def _path(self, key: tuple) -> Path:
        *source, magic, signature = key
        words = repr((source, magic, [_spelled(kind) for kind in signature]))
        name = f"{self.function.__module__}.{self.function.__qualname__}".replace("<", "").replace(">", "")
        return storage.cache_folder() / f"{name[:100]}-{hashlib.sha256(words.encode()).hexdigest()[:24]}.nbc"

    def flush(self) -> None:
        """Nothing: Numba asks for it when all is to be compiled anew, and each file is replaced by then."""


def keep_on_disk(dispatcher: Any, function: Callable) -> None:
    """Keep on disk what a dispatcher compiles, if Numba has the place for it; without, it compiles in each process."""
    place = getattr(dispatcher, "_cache", None)
    if hasattr(place, "load_overload") and hasattr(place, "save_overload"):
        dispatcher._cache = KernelCache(function)


def _spelled(kind: Any) -> Any:
    """A type in words that are the same in each process; of a tuple's class, Numba's words lack the module."""
    if not isinstance(kind, types.BaseTuple):
        return str(kind)
    cls = getattr(kind, "instance_class", tuple)
    return (f"{cls.__module__}.{cls.__qualname__}", *map(_spelled, kind))


def with_checksum(data: bytes) -> bytes:
    """What a file holds: the checksum of the data, and the data."""
    return hashlib.sha256(data).digest() + data


def _write(path: Path, data: bytes) -> None:
    """Write a file whole or not at all, also while other processes write it."""
    part = path.with_name(f"{path.name}.{uuid.uuid4().hex[:16]}")
    try:
        part.write_bytes(data)
        os.replace(part, path)
    except BaseException:
        with contextlib.suppress(OSError):
            part.unlink()
        raise
