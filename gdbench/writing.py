"""Files that are written whole or not at all."""

from __future__ import annotations

import contextlib
import errno
import os
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

#: Characters by which a temporary name differs from others.
TEMPORARY = 8


@contextlib.contextmanager
def whole(path: Path) -> Iterator[Path]:
    """A temporary path beside `path` that takes its place once all is written.

    What a link points to is replaced, not the link; what is no file, such as a pipe, is written into as it is.
    """
    if path.exists() and not path.is_file():
        yield path
        return
    path = path.resolve()
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=_prefix(path))
    os.close(handle)
    try:
        yield Path(name)
        os.chmod(name, 0o644)
        os.replace(name, path)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(name)
        raise


@contextlib.contextmanager
def stdout_to_stderr() -> Iterator[None]:
    """Send to stderr what is printed, by child processes and by libraries too: stdout is kept for the answer.

    Where the process has no such files, only what Python prints is sent there.
    """
    kept = None
    with contextlib.suppress(OSError, ValueError):
        sys.stdout.flush()
        kept = os.dup(1)
        os.dup2(2, 1)
    try:
        with contextlib.redirect_stdout(sys.stderr):
            yield
    finally:
        if kept is not None:
            os.dup2(kept, 1)
            os.close(kept)


def _prefix(path: Path) -> str:
    """How the names of a file's temporary neighbours begin."""
    return f".{path.name}-"


def remove_unfinished(path: Path) -> None:
    """Delete what processes that were killed while they wrote a file have left beside it; none may be writing it now."""
    prefix = _prefix(path)
    for left in path.parent.iterdir():
        if left.name.startswith(prefix) and len(left.name) == len(prefix) + TEMPORARY:
            with contextlib.suppress(FileNotFoundError):
                left.unlink()


def write_text(path: Path, text: str) -> None:
    """Write a text, whole or not at all."""
    with whole(path) as file:
        file.write_text(text, encoding="utf-8")


def check_writable(path: Path) -> None:
    """Raise OSError where `whole` could not write; nothing is left behind."""
    if path.is_dir():
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
    if not path.exists() or path.is_file():
        # the folders that are missing are made when the file is written
        folder = next(parent for parent in path.resolve().parents if parent.exists())
        tempfile.TemporaryFile(dir=folder).close()
