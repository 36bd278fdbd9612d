"""The sizes of this processor's caches."""

from __future__ import annotations

from functools import cache
from pathlib import Path

#: Where the system does not tell: bytes of the second-level cache of a core, and of the last one.
USUAL_L2, USUAL_L3 = 1 << 20, 32 << 20


def caches() -> dict[str, int]:
    """Bytes of each cache that the first core sees, where the system tells: "L1d", "L2", "L3"."""
    found: dict[str, int] = {}
    for index in sorted(Path("/sys/devices/system/cpu/cpu0/cache").glob("index*")):
        try:
            level, kind, size = ((index / name).read_text().strip() for name in ("level", "type", "size"))
        except OSError:
            continue
        unit = {"K": 2**10, "M": 2**20, "G": 2**30}.get(size[-1:], 1)
        found[f"L{level}{ {'Data': 'd', 'Instruction': 'i'}.get(kind, '') }"] = int(size.rstrip("KMG")) * unit
    return found


@cache
def second_level() -> int:
    """Bytes of the second-level cache."""
    return caches().get("L2", USUAL_L2)


@cache
def last_level() -> int:
    """Bytes of the largest cache."""
    return max(caches().values(), default=USUAL_L3)


def level_of(size: int) -> str:
    """Where so many bytes lie that are read again and again: "L2", "L3" or "memory"; what fills a cache does not stay in it."""
    if size <= second_level() // 2:
        return "L2"
    return "L3" if size <= 3 * last_level() // 4 else "memory"
