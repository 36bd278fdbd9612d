"""The machine and the versions that results were made with."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import re
import subprocess
import sys
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np

from gdbench.kernels import shapes
from gdbench.kernels.caches import caches, last_level, second_level

LIBRARIES = (
    *("numba", "llvmlite", "numpy", "scipy", "scikit-learn", "pandas", "pyarrow", "joblib"),
    *("torch", "optax", "jax", "keras"),
)

#: The vector extensions worth telling, of the processor's long list.
SIMD = ("sse4.2", "avx", "avx2", "fma", "avx512f", "avx512vl", "avx512bf16", "neon", "sve", "sve2")


def describe(bandwidth: bool = True) -> dict[str, Any]:
    """Describe the machine.

    Parameters
    ----------
    bandwidth : bool, default True
        Measure the bandwidth of reading, which takes about half a second.

    Returns
    -------
    dict
        JSON-ready: cpu, architecture, llvm_cpu, cores, cpus_usable, caches (bytes), memory_bytes, os, python, versions,
        threads, simd, git_commit, shapes (of reading rows), read_bandwidth_gb_s of one core, and the
        same by level.
    """
    import llvmlite.binding as llvm
    import numba

    features = dict(llvm.get_host_cpu_features())
    speeds = read_bandwidth_by_level() if bandwidth else None
    return {
        "cpu": cpu_name(),
        "architecture": platform.machine(),
        "llvm_cpu": llvm.get_host_cpu_name(),
        "cores": os.cpu_count(),
        "cpus_usable": usable_cpus(),
        "caches": caches(),
        "memory_bytes": memory_bytes(),
        "os": f"{platform.system()} {platform.release()}",
        "python": f"{platform.python_implementation()} {platform.python_version()}",
        "versions": versions(),
        "threads": {"numba": int(numba.config.NUMBA_NUM_THREADS), "descents": 1},
        "simd": [name for name in SIMD if features.get(name)],
        "git_commit": git_commit(),
        "shapes": shapes.described(),
        "read_bandwidth_gb_s": speeds["memory"] if speeds else None,
        "read_bandwidth_by_level_gb_s": speeds,
    }


def cpu_name() -> str:
    """The processor, in its maker's words."""
    try:
        found = re.search(r"^(?:model name|Model)\s*:\s*(.+)$", Path("/proc/cpuinfo").read_text(), re.MULTILINE)
        if found:
            return found.group(1).strip()
    except OSError:
        pass
    if sys.platform == "darwin":
        named = _output("sysctl", "-n", "machdep.cpu.brand_string")
        if named:
            return named
    return platform.processor() or platform.machine()


def usable_cpus() -> int:
    """Processors that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def memory_bytes() -> int | None:
    """Physical memory, where the system tells."""
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, OSError, ValueError):
        return None


def versions() -> dict[str, str]:
    """Installed versions of gdbench and of the libraries that results depend on."""
    import gdbench

    found = {"gdbench": gdbench.__version__}
    for name in LIBRARIES:
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
    return found


def git_commit() -> str | None:
    """The commit that gdbench was made from, with "-dirty" if files differ: that of ``$GDBENCH_COMMIT``, or of the checkout.

    None for an installed copy that was not told.
    """
    if os.environ.get("GDBENCH_COMMIT"):
        return os.environ["GDBENCH_COMMIT"]
    package = Path(__file__).resolve().parents[1]
    if not (package.parent / ".git").exists():
        return None
    commit = _output("git", "-C", str(package), "rev-parse", "--short=12", "HEAD")
    if not commit:
        return None
    return commit + ("-dirty" if _output("git", "-C", str(package), "status", "--porcelain", "--", ".") else "")


def _output(*command: str) -> str:
    try:
        return subprocess.run(command, capture_output=True, text=True, timeout=10, check=True).stdout.strip()
    except (OSError, subprocess.SubprocessError):
        return ""


def read_bandwidth() -> float:
    """GB/s at which one core sums an array four times the largest cache: the best of five."""
    return bandwidth_over(min(4 * last_level(), 2**28))


def read_bandwidth_by_level() -> dict[str, float]:
    """GB/s at which one core sums arrays that the second-level cache holds, and the last one, and none."""
    return {
        "L2": bandwidth_over(second_level() // 2),
        "L3": bandwidth_over(last_level() // 2),
        "memory": read_bandwidth(),
    }


def bandwidth_over(size: int) -> float:
    """GB/s at which one core sums an array of so many bytes, again and again: the best of five."""
    from gdbench.kernels.bandwidth import total

    array = np.ones(size // 8)
    total(array)
    times = max(1, 2**22 // array.nbytes)  # enough work for the clock
    seconds = []
    for _ in range(5):
        begin = perf_counter()
        for _ in range(times):
            total(array)
        seconds.append(perf_counter() - begin)
    return round(times * array.nbytes / min(seconds) / 1e9, 2)
