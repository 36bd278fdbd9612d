"""The cache of compiled code: whatever befalls it, the results are the same, and at most one line says what is wrong."""

import json
import logging
import os
import pickle
import re
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest

from gdbench.kernels.compile import cache, jit, storage

posix = pytest.mark.skipif(not hasattr(os, "getuid"), reason="Windows keeps users apart in another way")
ROOT = hasattr(os, "getuid") and os.getuid() == 0

DESCEND = """
import json, sys
import gdbench as gd
from gdbench.kernels import trajectory
{before}
found = [gd.replay("momentum", [1.0], [[1.0], [1.0]], 0.1).ravel().tolist()]
if {between!r}:
    exec({between!r})
    found.append(gd.replay("nesterov", [1.0], [[1.0], [1.0]], 0.1).ravel().tolist())
print(json.dumps([*found, sum(trajectory.replay.cached.stats.cache_hits.values())]))
"""
FOUND = [[1.0, 0.9, 0.71], [1.0, 0.81, 0.539]]


def start(root, before="", between="", command=(), **environment):
    """Begin a process that descends, and once more after `between`; a variable that is None is left out."""
    variables = {**os.environ, "GDBENCH_CACHE_DIR": str(root), **environment}
    variables = {name: str(value) for name, value in variables.items() if value is not None}
    script = DESCEND.format(before=before, between=between)
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    return subprocess.Popen([*command, sys.executable, "-c", script], env=variables, cwd=tempfile.gettempdir(), **pipes)


def finish(process):
    """The number of functions that were loaded, and the lines on stderr, of a process that found what it should."""
    out, errors = process.communicate(timeout=300)
    assert process.returncode == 0, errors
    *found, loaded = json.loads(out)
    for one, expected in zip(found, FOUND, strict=False):
        assert one == pytest.approx(expected, abs=1e-12)
    return loaded, errors.splitlines()


def whole(root):
    """The number of compiled functions in a folder, each of them undamaged."""
    stored = [path.read_bytes() for path in root.rglob("*.nbc") if path.is_file()]
    return sum(data == cache.with_checksum(data[cache.CHECKSUM :]) for data in stored)


@pytest.fixture(scope="module")
def filled(tmp_path_factory):
    """A cache that holds the function."""
    root = tmp_path_factory.mktemp("filled")
    assert finish(start(root)) == (0, [])
    assert len(list(root.rglob("*.nbc"))) == whole(root) == 1
    return root


class Trap:
    """What leaves a trace where it is unpickled."""

    def __init__(self, trace):
        self.trace = trace

    def __reduce__(self):
        return Path.touch, (self.trace,)


def each(change: Callable[[Path], object]) -> Callable[[Path], None]:
    """Do something to each compiled function in a cache."""

    def prepare(root):
        for path in root.rglob("*.nbc"):
            change(path)

    return prepare


def flip(path):
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(bytes(data))


def plant(path):
    """Put a pickle there that would run, with the checksum that is asked for."""
    path.write_bytes(cache.with_checksum(pickle.dumps(Trap(path.parents[2] / "trace"))))


def in_place_of(name: str) -> Callable[[Path], None]:
    """A file where the cache wants a folder."""

    def prepare(root):
        shutil.rmtree(root / name)
        (root / name).write_text("a file")

    return prepare


def opened(root):
    each(plant)(root)
    root.chmod(0o777)


def opened_to_the_group(root):
    each(plant)(root)
    next((root / "kernels").iterdir()).chmod(0o770)


def another_users(root):
    each(plant)(root)
    os.chown(root / "kernels", 12345, 12345)


def lay_out(root):
    """Make the folder in the temporary one, of the name that gdbench would use, to which others may write."""
    each(plant)(root)
    shutil.copytree(root, root.parent / "temporary" / f"gdbench-{os.getuid()}")
    (root.parent / "temporary" / f"gdbench-{os.getuid()}").chmod(0o777)


def lay_out_a_link(root):
    each(plant)(root)
    root.chmod(0o777)
    (root.parent / "temporary" / f"gdbench-{os.getuid()}").symlink_to(root)


class Row(NamedTuple):
    """A situation: what is done to a filled cache, how many functions are loaded from it then, what a line says, if any."""

    prepare: Callable = lambda root: None
    loaded: int = 0
    line: str = ""
    before: str = ""
    between: str = ""
    environment: dict[str, str | None] | None = None
    kept: int | None = 0  # functions that another process could load; None where what is planted has the right checksum


FULL = "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))"
CHANGED = "from gdbench.kernels.compile import cache; del cache.CompileResult._reduce"
EMPTY = each(Path.unlink)
NOWHERE = {"GDBENCH_CACHE_DIR": None, "XDG_CACHE_HOME": None, "HOME": os.devnull}

SITUATIONS = {
    "as it should be": Row(loaded=1, kept=1),
    "truncated": Row(each(lambda path: os.truncate(path, path.stat().st_size // 2)), kept=1),
    "only the checksum": Row(each(lambda path: os.truncate(path, 32)), kept=1),
    "of length zero": Row(each(lambda path: os.truncate(path, 0)), kept=1),
    "one bit wrong": Row(each(flip), kept=1),
    "other bytes": Row(each(lambda path: path.write_bytes(os.urandom(5000))), kept=1),
    "another program's pickle": Row(each(lambda path: path.write_bytes(pickle.dumps(Trap(path.parents[2] / "trace")))), kept=1),
    "a folder for each file": Row(each(lambda path: (path.unlink(), path.mkdir())), line="cannot be stored"),
    "a dead link for each file": Row(each(lambda path: (path.unlink(), path.symlink_to("/nowhere/at/all"))), kept=1),
    "full": Row(EMPTY, line="cannot be stored in .*File too large", before=FULL),
    "deleted meanwhile": Row(
        loaded=1, between="import os, shutil; shutil.rmtree(os.environ['GDBENCH_CACHE_DIR'])", kept=1
    ),
    "opened meanwhile": Row(
        loaded=1, line="writable by others", between="import os; os.chmod(os.environ['GDBENCH_CACHE_DIR'], 0o777)", kept=1
    ),
    "a file for the folder of kernels": Row(in_place_of("kernels"), line="cannot be stored in .*(Not a directory|File exists)"),
    "a file for the root": Row(in_place_of(""), line="cannot be made .*; compiled code is kept in", kept=1),
    "writable by others": Row(opened, line="writable by others .*; compiled code is kept in", kept=None),
    "a part writable by the group": Row(opened_to_the_group, line="writable by others .*; compiling without a cache", kept=None),
    "no home": Row(EMPTY, environment=NOWHERE, line="cannot be made .*; compiled code is kept in", kept=1),
    "no home, and a folder laid out in the temporary one": Row(
        lay_out, environment=NOWHERE, line="cannot be made .*; compiling without a cache that lasts", kept=None
    ),
    "no home, and a link laid out in the temporary one": Row(
        lay_out_a_link, environment=NOWHERE, line="cannot be made .*; compiling without a cache that lasts", kept=None
    ),
    "no home and no temporary folder": Row(
        EMPTY, environment=NOWHERE, line="compiling without a cache", before=f"import tempfile; tempfile.tempdir = {os.devnull!r}"
    ),
    "Numba has changed": Row(EMPTY, line="cannot be stored in .*AttributeError", before=CHANGED),
}  # fmt: skip
if ROOT:  # who alone can give a folder away, and is refused no folder for its rights
    SITUATIONS["another user's"] = Row(another_users, line="writable by others .*; compiling without a cache", kept=None)
else:
    SITUATIONS["not to be written"] = Row(
        lambda root: root.chmod(0o500), line="cannot be written; compiled code is kept in", kept=1
    )


@posix
@pytest.mark.parametrize("name", SITUATIONS)
def test_a_descent_lives_through(name, filled, tmp_path):
    row = SITUATIONS[name]
    root, temporary = tmp_path / "cache", tmp_path / "temporary"
    shutil.copytree(filled, root)
    root.chmod(0o700)
    temporary.mkdir()
    row.prepare(root)
    loaded, lines = finish(start(root, row.before, row.between, TMPDIR=temporary, **(row.environment or {})))
    assert loaded == row.loaded
    assert not (root / "trace").exists(), "a planted pickle was loaded"
    assert len(lines) == bool(row.line) and re.search(row.line, "".join(lines)), lines
    assert row.kept is None or whole(root) + whole(temporary) == row.kept


@posix
@pytest.mark.parametrize(
    ("options", "line"),
    [("size=8k", "cannot be stored in .*No space left"), ("size=1m,ro", "cannot be written; compiled code is kept in")],
    ids=["full", "read-only"],
)
def test_a_descent_lives_through_a_disk_that_is(options, line, tmp_path):
    """A file system of memory, which only the process and its children see."""
    disk = tmp_path / "disk"
    disk.mkdir(mode=0o700)
    apart = ["unshare", "--map-root-user", "--mount"]
    mount = ["sh", "-c", 'mount -t tmpfs -o "mode=700,$1" none "$2" && shift 2 && exec "$@"', "sh", options, str(disk)]
    try:
        works = subprocess.run([*apart, *mount, "true"], capture_output=True, check=False).returncode == 0
    except FileNotFoundError:
        works = False
    if not works:
        pytest.skip("file systems cannot be mounted here")
    process = start(disk, command=[*apart, *mount], TMPDIR=tmp_path)
    loaded, lines = finish(process)
    assert loaded == 0 and len(lines) == 1 and re.search(line, lines[0]), lines


def test_processes_that_compile_at_once_lose_nothing_of_each_others(tmp_path):
    processes = [start(tmp_path, between="pass") for _ in range(3)]
    assert all(lines == [] for _, lines in map(finish, processes))
    assert finish(start(tmp_path, between="pass")) == (2, [])
    assert len(list(tmp_path.rglob("*.nbc"))) == 2 and not [p for p in tmp_path.rglob("*") if p.is_file() and p.suffix != ".nbc"]


def test_only_folders_that_gdbench_makes_are_cleaned_up(tmp_path):
    long_ago = time.time() - 86400 * (storage.DAYS_KEPT + 1)
    outside = tmp_path / "outside" / "0123456789abcdef"
    kernels = tmp_path / "kernels"
    old, new, kept = kernels / "0123456789abcdef", kernels / "fedcba9876543210", kernels / "photographs"
    for folder in (outside, old, new, kept, kernels / "0123456789ABCDEF", kernels / "0123456789abcdef0"):
        folder.mkdir(parents=True)
        (folder / "file").write_text("text")
    (kernels / "aaaaaaaaaaaaaaaa").symlink_to(outside)
    (kernels / "bbbbbbbbbbbbbbbb").write_text("a file")
    (old / "link").symlink_to(outside)
    before = {path.name for path in kernels.iterdir()}
    for path in (*kernels.iterdir(), outside):
        if path != new:
            os.utime(path, (long_ago, long_ago), follow_symlinks=False)
    storage._drop_unused(kernels)
    assert {path.name for path in kernels.iterdir()} == before - {old.name}
    assert (outside / "file").read_text() == "text"


@posix
def test_folders_are_made_for_this_user_alone(tmp_path):
    for mask in ("0o000", "0o002"):
        root = tmp_path / mask
        assert finish(start(root, before=f"import os; os.umask({mask})")) == (0, [])
        for folder in (root, *(path for path in root.rglob("*") if path.is_dir())):
            assert folder.stat().st_mode & 0o777 == 0o700


def test_a_home_that_is_not_known_makes_no_folder_named_by_a_tilde(monkeypatch):
    monkeypatch.delenv("GDBENCH_CACHE_DIR", raising=False)
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.setattr(os.path, "expanduser", lambda path: path)
    found = list(storage._candidates())
    assert len(found) == 1 and found[0].is_relative_to(tempfile.gettempdir())
    monkeypatch.setenv("GDBENCH_CACHE_DIR", "relative")
    assert all(path.is_absolute() for path in storage._candidates())


def test_what_a_closure_holds_is_not_stored():
    def made(factor):
        @jit.kernel
        def scaled(x):
            return factor * x

        return scaled

    for factor in (2.0, 3.0):
        assert made(factor)(1.0) == factor
    assert not [path for path in storage.cache_folder().iterdir() if "made.locals.scaled" in path.name]


def test_problems_are_logged_once(monkeypatch, caplog):
    monkeypatch.setattr(storage, "_unsaid", threading.Lock())
    with caplog.at_level(logging.WARNING, logger="gdbench"):
        for number in range(3):
            storage.say_once(f"problem {number}")
    assert caplog.messages == ["gdbench: problem 0"]
