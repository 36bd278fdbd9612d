"""Locks on files, which the system frees when the process ends, however it ends."""

from __future__ import annotations

from pathlib import Path
from typing import Any


def lock(path: Path, wait: bool = False) -> Any:
    """The open file, locked for this process, made if missing; closing it frees it.

    Raises
    ------
    BlockingIOError
        Another process, or another part of this one, holds it, and `wait` is False.
    OSError
        It cannot be made.
    """
    file = open(path, "a+")  # noqa: SIM115
    try:
        _lock(file, wait)
    except OSError:
        file.close()
        raise BlockingIOError(f"{path} is locked") from None
    return file


def _lock(file: Any, wait: bool) -> None:
    try:
        import fcntl
    except ImportError:  # Windows
        import msvcrt

        mode = msvcrt.LK_LOCK if wait else msvcrt.LK_NBLCK  # type: ignore[attr-defined]
        msvcrt.locking(file.fileno(), mode, 1)  # type: ignore[attr-defined]
        return
    fcntl.flock(file, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
