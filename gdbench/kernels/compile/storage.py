"""The folder of all that gdbench keeps between runs: one that nobody else can write to, or none.

Compiled code is stored as pickles, and whoever can write a pickle that is loaded can run code. So nothing is kept in, or loaded
from, a folder that another user could have written to.

Numba does not see edits in files that a kernel imports, so an edited update rule would silently run the old code. The
folder of the kernels is therefore named by a digest of all kernel sources and of the compiler's versions: edited sources mean
another folder.
"""

from __future__ import annotations

import atexit
import contextlib
import hashlib
import logging
import os
import re
import shutil
import tempfile
import threading
import time
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import llvmlite
import numba
import numpy as np

DAYS_KEPT = 30

# Taken by the first thread that has a problem to tell, and never given back.
_unsaid = threading.Lock()


def say_once(problem: str) -> None:
    """Log the first problem with the cache that this process meets: a line on stderr, unless the program configures logging."""
    if _unsaid.acquire(blocking=False):
        logging.getLogger("gdbench").warning("gdbench: %s", problem)


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
    """Folder of all that gdbench keeps between runs, which only this user can write to.

    It is ``$GDBENCH_CACHE_DIR`` or the user's cache; where that cannot serve, a folder of this user in the temporary
    directory; where that cannot either, a new one that is deleted when the process ends.
    """
    problem = ""
    for root in _candidates():
        found = _open(root)
        if not found:
            if problem:
                say_once(f"{problem}; compiled code is kept in {root}")
            return root
        problem = problem or found
    say_once(
        f"{problem or 'there is no folder for a cache'}; compiling without a cache that lasts, set GDBENCH_CACHE_DIR to another"
    )
    try:
        root = Path(tempfile.mkdtemp(prefix="gdbench-"))
    except OSError:
        return Path(os.devnull) / "gdbench"  # where nothing can be stored or found
    atexit.register(_remove, root, os.getpid())
    return root


def _candidates() -> Iterator[Path]:
    """The folders that may serve, the best first."""
    given, users = os.environ.get("GDBENCH_CACHE_DIR"), os.environ.get("XDG_CACHE_HOME", "")
    if not os.path.isabs(users):
        users = os.path.join(os.path.expanduser("~"), ".cache")
    with contextlib.suppress(OSError):  # of a working directory that has been deleted
        if given:
            yield Path(os.path.abspath(given))
        elif os.path.isabs(users):  # without a home, "~" stays as it is
            yield Path(users) / "gdbench"
    with contextlib.suppress(OSError):  # of a machine without a temporary directory
        yield Path(tempfile.gettempdir()) / f"gdbench-{os.getuid() if hasattr(os, 'getuid') else 0}"


def _open(root: Path) -> str:
    """Make a folder if it is missing; why it cannot be the cache, or nothing."""
    try:
        root.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        return f"the cache folder {root} cannot be made ({error.strerror})"
    if not os.access(root, os.W_OK | os.X_OK):
        return f"the cache folder {root} cannot be written"
    if writable_by_others(root):
        return f"the cache folder {root} is writable by others (chmod go-w, or delete it)"
    return ""


def _remove(root: Path, process: int) -> None:
    if os.getpid() == process:
        shutil.rmtree(root, ignore_errors=True)


def writable_by_others(folder: Path) -> bool:
    """Whether a folder, or a link to it, belongs to another user than this one or root, or others may write to it."""
    if not hasattr(os, "geteuid"):  # Windows keeps the caches of users apart by its own lists of rights
        return False
    link, target = folder.lstat(), folder.stat()
    trusted = {os.geteuid(), 0}
    return not {link.st_uid, target.st_uid} <= trusted or bool(target.st_mode & 0o022)


@cache
def cache_folder() -> Path:
    """Folder of the compiled kernels, named by their digest; made if missing, where that is possible."""
    folder = cache_root() / "kernels" / digest()
    with contextlib.suppress(OSError):
        if not folder.is_dir():
            make(folder)
            _drop_unused(folder.parent)
        os.utime(folder)
    return folder


def make(folder: Path) -> None:
    """Make the folder of compiled kernels and those around it where they are missing, for this user alone."""
    for level in _levels(folder):
        level.mkdir(mode=0o700, parents=True, exist_ok=True)


def is_private(folder: Path) -> bool:
    """Whether only this user, or root, can write to the folder of compiled kernels and to those around it."""
    exposed = next((level for level in _levels(folder) if writable_by_others(level)), None)
    if exposed:
        say_once(f"the cache folder {exposed} is writable by others (chmod go-w, or delete it); compiling without a cache")
    return exposed is None


def _levels(folder: Path) -> tuple[Path, ...]:
    """The root of the cache, the folder of kernels and that of a digest."""
    return folder.parent.parent, folder.parent, folder


def _drop_unused(root: Path) -> None:
    """Delete the folders of compiled kernels that no process has opened for a month: of what lies here, those alone."""
    limit = time.time() - DAYS_KEPT * 86400
    with os.scandir(root) as entries:
        for entry in entries:
            if re.fullmatch(r"[0-9a-f]{16}", entry.name) and entry.is_dir(follow_symlinks=False):
                with contextlib.suppress(OSError):
                    if entry.stat(follow_symlinks=False).st_mtime < limit:
                        shutil.rmtree(entry.path, ignore_errors=True)
