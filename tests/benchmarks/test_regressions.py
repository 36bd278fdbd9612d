"""Does asv catch what it should? Commits with known faults, and harmless ones, measured in a clone by ``asv continuous``.

    python tests/benchmarks/test_regressions.py --repeat 3

prints for each planted commit how often it was flagged, and by which benchmarks. A first run takes minutes to build
asv's environment; each comparison then takes one or two, and four of the faults compile the kernels anew.
"""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest

FACTOR = "1.2"

#: What is measured: a kernel's time, convergence, memory and agreement, of few cases each.
BENCHMARKS = (
    r"kernels\.Optimizers\.time_fit\('stochastic', '(gd|adam)'\)",
    r"kernels\.Sizes\.track_ns_per_value\('(L2|L3)', 'stochastic'\)",
    r"convergence\.Updates",
    r"memory\.Peak\.peakmem_fit\('dense', ",
    r"parity\.SameSteps\.track_difference\('squared_error'\)",
)


@dataclass(frozen=True)
class Plant:
    """A commit to be measured against its parent.

    Attributes
    ----------
    name : str
    file : str
        The file that it changes.
    old, new : str
        The text to replace, once, and by what; an empty old text appends.
    flagged : str
        The start of the benchmarks' names that have to flag it; empty if nothing may.
    """

    name: str
    file: str
    old: str
    new: str
    flagged: str = ""


#: A chain of quotients from row to row, which no compiler shortens and no processor does beside the step.
SLOWER = """            chain = z[0]
            for j in range(data.values.shape[1]):
                chain = 1.0 / (1.0 + abs(chain) + abs(data.values[i, j]))
            z[0] = chain
            now = w.dtype.type(t + s)
            if side_by_side(model):
"""
BEFORE = """            now = w.dtype.type(t + s)
            if side_by_side(model):
"""
FAULTS = (
    Plant("a kernel slower", "gdbench/kernels/loops/rowwise.py", BEFORE, SLOWER, "kernels."),
    Plant(
        "Adam without bias correction",
        "gdbench/kernels/optimizers/adam.py",
        "    return m / c1, math.sqrt(v / c2 + rule.eps_root) + eps, (m, v)",
        "    c1, c2 = c1 / c1, c2 / c2\n    return m / c1, math.sqrt(v / c2 + rule.eps_root) + eps, (m, v)",
        "convergence.",
    ),
    Plant(
        "a copy of X on its way in",
        "gdbench/tasks/gate.py",
        "    return values\n",
        "    return values.copy()\n",
        "memory.",
    ),
    Plant(
        "a gradient off by 1e-9",
        "gdbench/kernels/losses/squared_error.py",
        "        return z - y\n",
        "        return (z - y) * (1 + 1e-9)\n",
        "parity.",
    ),
)
COMMENTED = ("solve/descent.py", "cli.py", "kernels/loops/batch.py", "suite/run.py", "problems/problem.py")
HARMLESS = tuple(
    Plant(f"a comment, {number} of {len(COMMENTED)}", f"gdbench/{file}", "", f"\n# A comment, number {number}.\n")
    for number, file in enumerate(COMMENTED, 1)
)
PLANTS = FAULTS + HARMLESS


@dataclass
class Clone:
    """A clone of the repository in which commits are planted and measured."""

    folder: Path
    python: str = sys.executable
    planted: dict[str, tuple[str, str]] = field(default_factory=dict)

    @classmethod
    def of(cls, root: Path, folder: Path) -> Clone:
        """Clone the repository at `root` into `folder`, on a branch main of its own; or bring an earlier clone up to date."""
        if not folder.exists():
            subprocess.run(["git", "clone", "--quiet", "--no-hardlinks", str(root), str(folder)], check=True)
        clone = cls(folder)
        clone.git("fetch", "--quiet", str(root), "HEAD")
        clone.git("checkout", "--quiet", "--force", "-B", "main", "FETCH_HEAD")
        clone.git("config", "user.name", "nobody")
        clone.git("config", "user.email", "nobody@example.org")
        subprocess.run([clone.python, "-m", "asv", "machine", "--yes"], cwd=folder, check=True, capture_output=True)
        return clone

    def git(self, *words: str) -> str:
        return subprocess.run(["git", *words], cwd=self.folder, check=True, capture_output=True, text=True).stdout.strip()

    def plant(self, plant: Plant) -> tuple[str, str]:
        """The parent and the commit: a fault's parent is the clone's start, a harmless commit's the one before."""
        if plant.name not in self.planted:
            parent = self.git("rev-parse", "HEAD")
            path = self.folder / plant.file
            text = path.read_text()
            if plant.old and text.count(plant.old) != 1:
                raise LookupError(f"{plant.name}: the text to replace is {text.count(plant.old)} times in {plant.file}")
            path.write_text(text.replace(plant.old, plant.new) if plant.old else text + plant.new)
            self.git("commit", "--quiet", "--all", "--message", plant.name)
            self.planted[plant.name] = parent, self.git("rev-parse", "HEAD")
            if plant.flagged:
                self.git("reset", "--quiet", "--hard", parent)
        return self.planted[plant.name]

    def flagged(self, plant: Plant) -> list[str]:
        """What ``asv continuous`` calls worse, and calls worse again when it is measured once more; with ratios.

        A busy machine slows a benchmark down now and then, but hardly the same one twice.
        """
        first = self.compare(plant, BENCHMARKS)
        if not first:
            return []
        again = self.compare(plant, tuple(sorted({rf"^{re.escape(name.split(': ')[0])}$" for name in first})))
        twice = {name.split(": ")[0] for name in first} & {name.split(": ")[0] for name in again}
        return [name for name in again if name.split(": ")[0] in twice]

    def compare(self, plant: Plant, benchmarks: tuple[str, ...]) -> list[str]:
        """The benchmarks that ``asv continuous`` calls worse, or changed where any change is one of meaning; with ratios."""
        words = ["continuous", "--factor", FACTOR, "--interleave-rounds", "--show-stderr"]
        for pattern in benchmarks:
            words += ["--bench", pattern]
        command = [self.python, "-m", "asv", *words, *self.plant(plant)]
        done = subprocess.run(command, cwd=self.folder, capture_output=True, text=True)
        if "BENCHMARKS" not in done.stdout or "failed" in done.stdout:
            raise RuntimeError((done.stdout + done.stderr)[-3000:])
        return flags(done.stdout)


def flags(output: str) -> list[str]:
    """Name and ratio of the lines of asv's table that begin with a plus; of convergence those that begin with a minus, too.

    Adam without bias correction takes longer first steps, and so meets a wide target sooner.
    """
    rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in output.splitlines() if line.startswith(("| +", "| -"))]
    changed = [row for row in rows if row[0] == "+" or (row[0] == "-" and row[-1].startswith("convergence."))]
    return [f"{row[-1].split(' [')[0]}: {row[-2]}" for row in changed]


def as_expected(plant: Plant, found: list[str]) -> bool:
    """A fault is flagged by its kind of benchmark; a harmless commit by none."""
    return any(name.startswith(plant.flagged) for name in found) if plant.flagged else not found


def count(clone: Clone, plants: tuple[Plant, ...], repeat: int, tell: Callable[[str], None] = print) -> int:
    """Measure each plant `repeat` times, tell what was flagged, and return how many times it was not as expected."""
    wrong = 0
    for plant in plants:
        results = []
        for _ in range(repeat):
            found = clone.flagged(plant)
            results.append(as_expected(plant, found))
            tell(f"    {plant.name}: {', '.join(found) or 'nothing flagged'}")
        tell(f"{plant.name}: {'flagged' if plant.flagged else 'left alone'} {sum(results)} of {repeat}")
        wrong += repeat - sum(results)
    return wrong


OUTPUT = """
| Change   | Before [1a2b3c4d] <main>   | After [5e6f7a8b]   |   Ratio | Benchmark (Parameter)                     |
|----------|----------------------------|--------------------|---------|-------------------------------------------|
| +        | 190M                       | 270M               |    1.42 | memory.Peak.peakmem_fit('dense', 'batch') |
| -        | 3.00±0.1ms                 | 2.00±0.1ms         |    0.67 | kernels.Losses.time_fit('hinge')          |
| -        | 190                        | 42.0               |    0.22 | convergence.Updates.track_updates('wine') |
SOME BENCHMARKS HAVE CHANGED SIGNIFICANTLY.
"""


def test_the_flags_are_read_off_the_table():
    assert flags(OUTPUT) == [
        "memory.Peak.peakmem_fit('dense', 'batch'): 1.42",
        "convergence.Updates.track_updates('wine'): 0.22",
    ]


@pytest.mark.parametrize("plant", PLANTS, ids=lambda plant: plant.name)
def test_the_text_to_replace_is_there_once(root, plant):
    assert plant.old == "" or (root / plant.file).read_text().count(plant.old) == 1


@pytest.fixture(scope="module")
def clone(root, tmp_path_factory):
    return Clone.of(root, tmp_path_factory.mktemp("planted") / "clone")


@pytest.mark.slow
@pytest.mark.parametrize("plant", PLANTS, ids=lambda plant: plant.name)
def test_asv_flags_faults_and_leaves_comments_alone(clone, plant):
    found = clone.flagged(plant)
    assert as_expected(plant, found), found


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeat", type=int, default=3, help="how often each commit is measured (3)")
    parser.add_argument("--only", default="", help="a regular expression over the planted commits' names")
    parser.add_argument("--folder", type=Path, help="keep the clone and asv's environment here, for the next time too")
    chosen = parser.parse_args()
    root = Path(__file__).resolve().parents[2]
    with tempfile.TemporaryDirectory(prefix="gdbench-planted-") as temporary:
        folder = chosen.folder or Path(temporary)
        clone = Clone.of(root, folder / "clone")
        plants = tuple(plant for plant in PLANTS if re.search(chosen.only, plant.name))
        return min(1, count(clone, plants, chosen.repeat, lambda line: print(line, flush=True)))


if __name__ == "__main__":
    sys.exit(main())
