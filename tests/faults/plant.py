"""Plant faults in a copy of the checkout, one at a time, and see that the tests meant for each fail.

    python tests/faults/plant.py                  all of them
    python tests/faults/plant.py --shard 1/4      every fourth, from the first on
    python tests/faults/plant.py momentum oracle  those whose file or reason holds one of the words
    python tests/faults/plant.py --list           what would be planted

The table is faults.toml: the file, the exact text that stands there once, what takes its place, the tests meant for it, and what
the fault is. A fault that no test notices survives. The exit code is 1 where one does whose row does not say why nothing can
notice it (``survives``), or where tests fail that should pass: each choice of tests is run without a fault first.
"""

from __future__ import annotations

import argparse
import os
import shlex
import shutil
import subprocess
import sys
import tempfile
import tomllib
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from time import perf_counter

ROOT = Path(__file__).resolve().parents[2]
TABLE = Path(__file__).with_name("faults.toml")

#: Seconds after which tests count as failed: a fault may make a loop endless.
LIMIT = 600


@dataclass(frozen=True)
class Fault:
    """A row of the table.

    Attributes
    ----------
    file : str
        Below the checkout.
    old, new : str
        What stands there exactly once, and what takes its place.
    tests : str
        Arguments of pytest.
    why : str
        What the fault is.
    compiled : bool
        Whether the tests need compiled kernels; else the bodies run as plain Python, which saves compiling.
    survives : str
        Why no test can notice it; empty for all but a few.
    """

    file: str
    old: str
    new: str
    tests: str
    why: str
    compiled: bool = False
    survives: str = ""

    def anchored(self, root: Path) -> str:
        """What is wrong with the anchor under `root`; empty where it fits."""
        path = root / self.file
        if not path.exists():
            return f"{self.file} is gone ({self.why})"
        times = path.read_text(encoding="utf-8").count(self.old)
        return "" if times == 1 else f"{self.file}: {self.old!r} occurs {times} times, not once ({self.why})"

    @property
    def words(self) -> str:
        """A line for the log."""
        return f"{self.file.removeprefix('gdbench/')}: {self.why}"


def faults() -> list[Fault]:
    """The table."""
    with TABLE.open("rb") as file:
        return [Fault(**row) for row in tomllib.load(file)["fault"]]


def checkout(folder: Path) -> Path:
    """A copy of what git knows of the checkout, as it stands in the work tree."""
    listed = subprocess.run(["git", "ls-files", "-z", "-co", "--exclude-standard"], cwd=ROOT, capture_output=True, check=True)
    for name in filter(None, listed.stdout.decode().split("\0")):
        if (ROOT / name).is_file() and not name.startswith("reports/"):
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, folder / name)
    return folder


def passes(root: Path, tests: str, compiled: bool, cache: Path) -> tuple[bool, str]:
    """Whether the tests pass in a copy, and the end of what they said."""
    env = os.environ | {"PYTHONPATH": str(root), "GDBENCH_CACHE_DIR": str(cache), "PYTHONDONTWRITEBYTECODE": "1"}
    env |= {"NUMBA_DISABLE_JIT": "0" if compiled else "1", "CI": "1"}
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-x",
        "-q",
        "-p",
        "no:cacheprovider",
        "-p",
        "no:xdist",
        "--thorough",
        *shlex.split(tests),
    ]
    try:
        done = subprocess.run(command, cwd=root, env=env, capture_output=True, text=True, timeout=LIMIT)
    except subprocess.TimeoutExpired:
        return False, "timeout"
    if done.returncode not in (0, 1):  # no tests, or a fault that keeps them from being collected
        return False, "not run: " + (done.stdout + done.stderr)[-600:]
    return done.returncode == 0, done.stdout[-600:]


def planted(fault: Fault, root: Path, cache: Path) -> bool:
    """Whether the fault's tests notice it."""
    path = root / fault.file
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace(fault.old, fault.new), encoding="utf-8")
    try:
        return not passes(root, fault.tests, fault.compiled, cache)[0]
    finally:
        path.write_text(text, encoding="utf-8")


def report(chosen: list[Fault], root: Path, cache: Path) -> int:
    """Plant the faults, group by group of those that share their tests, say what became of each, and return the exit code."""
    wrong = [said for fault in chosen if (said := fault.anchored(root))]
    print(*wrong, sep="\n", end="\n" if wrong else "", flush=True)
    chosen = [fault for fault in chosen if not fault.anchored(root)]
    lost: list[Fault] = []
    number = 0
    for (compiled, tests), group in groupby(sorted(chosen, key=meant), key=meant):
        passed, said = passes(root, tests, compiled, cache)
        if not passed:
            wrong.append(f"these fail without a fault: {tests}\n{said}")
            print(wrong[-1], flush=True)
            continue
        for fault in group:
            begin, number = perf_counter(), number + 1
            caught = planted(fault, root, cache)
            lost += [] if caught else [fault]
            end = "caught" if caught else f"SURVIVES ({fault.survives or 'unexplained'})"
            print(f"{number:3} of {len(chosen)}  {perf_counter() - begin:5.0f} s  {fault.words}: {end}", flush=True)
    share = 1 - len(lost) / max(number, 1)
    unexplained = [fault for fault in lost if not fault.survives]
    print(f"{number - len(lost)} of {number} faults caught ({share:.1%}); {len(unexplained)} survive unexplained")
    return 1 if unexplained or wrong else 0


def meant(fault: Fault) -> tuple[bool, str]:
    """How the tests meant for a fault run, the quick way first, and which they are."""
    return fault.compiled, fault.tests


def part(rows: list[Fault], shard: str) -> list[Fault]:
    """The rows of every n-th group that shares its tests, for a shard such as 1/4."""
    number, of = (int(word) for word in shard.split("/"))
    mine = sorted({meant(fault) for fault in rows})[number - 1 :: of]
    return [fault for fault in rows if meant(fault) in mine]


def main() -> int:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("words", nargs="*", help="plant only what has one of these in its file or its reason")
    parser.add_argument("--shard", default="1/1", help="a part of the table, such as 1/4")
    parser.add_argument("--list", action="store_true", help="say what would be planted")
    asked = parser.parse_args()
    chosen = [row for row in faults() if not asked.words or any(word in row.words for word in asked.words)]
    chosen = part(chosen, asked.shard)
    if asked.list:
        print(*(fault.words for fault in chosen), sep="\n")
        return 0
    with tempfile.TemporaryDirectory(prefix="gdbench-faults-") as folder:
        return report(chosen, checkout(Path(folder) / "checkout"), Path(folder) / "cache")


if __name__ == "__main__":
    sys.exit(main())
