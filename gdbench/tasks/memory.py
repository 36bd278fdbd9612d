"""How much memory there is, and one line for what cannot fit into it, before it is asked for."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterator
from pathlib import Path

from gdbench.errors import GdbenchError, one_line

#: Up to so many bytes nobody looks: reading the system's figures would take longer than most calls.
SMALL = 64 << 20


def refuse_too_large(what: str, size: int, advice: str = "") -> None:
    """Raise where `what` would take more bytes than are available.

    Parameters
    ----------
    what : str
        What is to be allocated, as the message names it.
    size : int
        Bytes.
    advice : str, optional
        What to do about it.

    Raises
    ------
    GdbenchError
        Naming the size asked for and what is there.
    """
    if size > SMALL and size > (room := available()):
        end = f"; {advice}" if advice else ""
        raise GdbenchError(f"{what} would take {in_words(size)}, but only {in_words(room)} of memory are available{end}")


@contextlib.contextmanager
def within_memory(what: str) -> Iterator[None]:
    """Say in one line that `what` does not fit, where an allocation inside fails that nobody could foresee.

    Raises
    ------
    GdbenchError
        In place of a MemoryError.
    """
    try:
        yield
    except MemoryError as error:
        raise GdbenchError(f"{what} does not fit in memory: {one_line(error)}") from None


def available() -> int:
    """Bytes that can still be allocated: the least that the machine, its container and the process's own limit allow."""
    return max(0, min(_of_the_machine(), _of_the_container(), _of_the_process()))


def in_words(size: int) -> str:
    """A number of bytes in a unit that leaves few digits."""
    for factor, unit in ((1e15, "PB"), (1e12, "TB"), (1e9, "GB")):
        if size >= factor:
            return f"{size / factor:,.1f} {unit}"
    return f"{size / 1e6:,.0f} MB"


def _of_the_machine() -> int:
    """What the kernel takes for available, swap included; the whole memory where it does not say."""
    try:
        lines = Path("/proc/meminfo").read_text(encoding="ascii").splitlines()
        found = {name: int(rest.split()[0]) for name, rest in (line.split(":", 1) for line in lines)}
        return (found["MemAvailable"] + found["SwapFree"]) * 1024
    except (OSError, KeyError, ValueError, IndexError):
        pass
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, OSError, ValueError):  # Windows has no sysconf
        return sys.maxsize


def _of_the_container() -> int:
    """The limit of the control group, of either version."""
    files = ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes")
    limits = [sys.maxsize]
    for file in files:
        with contextlib.suppress(OSError, ValueError):  # no such file, or "max"
            limits.append(int(Path(file).read_text(encoding="ascii")))
    return min(limits)


def _of_the_process() -> int:
    """What ``ulimit -v`` leaves to this process."""
    try:
        import resource

        limit = resource.getrlimit(resource.RLIMIT_AS)[0]
        if limit == resource.RLIM_INFINITY:
            return sys.maxsize
        pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0])
        return limit - pages * resource.getpagesize()
    except (ImportError, OSError, ValueError):
        return sys.maxsize
