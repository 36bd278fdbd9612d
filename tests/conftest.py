import os
import shutil
import subprocess
import sys
from contextlib import contextmanager
from functools import cache
from pathlib import Path

import hypothesis
import pytest

# Read when NumPy and Numba are imported, which nothing has done yet. A test that needs other settings starts a process
# of its own.
for _variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS"):
    os.environ[_variable] = "1"
os.environ["MPLBACKEND"] = "Agg"

# What several test files share is imported by its name: pairs.
sys.path.insert(0, str(Path(__file__).resolve().parent))

# A first call may compile, so no example has a deadline. Where many people wait for the verdict, no luck either.
hypothesis.settings.register_profile("dev", deadline=None)
hypothesis.settings.register_profile("ci", deadline=None, derandomize=True, print_blob=True)
hypothesis.settings.load_profile("ci" if os.environ.get("CI") else "dev")


@cache
def chromium() -> str | None:
    """Path of a Chromium that starts: some systems have only a script of that name, which says where to get one."""
    for path in filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome", "chrome"))):
        if subprocess.run([path, "--version"], capture_output=True, timeout=60).returncode == 0:
            return path
    return None


def pytest_addoption(parser):
    parser.addoption("--thorough", action="store_true", help="run the tests marked thorough too, as make test LIVE=1 does")
    parser.addoption("--slow", action="store_true", help="run the tests marked thorough or slow too")


def pytest_configure(config):
    # Here and not in pyproject.toml, where it would import Numba before the lines above.
    config.addinivalue_line("filterwarnings", "error::numba.NumbaWarning")


def pytest_collection_modifyitems(config, items):
    reasons = {}
    if not config.getoption("--slow"):
        reasons["slow"] = "slow: runs with --slow"
        if not (config.getoption("--thorough") or os.environ.get("GDBENCH_LIVE")):
            reasons["thorough"] = "thorough: runs with --thorough"
    if any(item.get_closest_marker("browser") for item in items) and chromium() is None:
        reasons["browser"] = "no Chromium on this machine"
    for item in items:
        for marker, reason in reasons.items():
            if item.get_closest_marker(marker):
                item.add_marker(pytest.mark.skip(reason=reason))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    """Where all that tests need has been installed (make test LIVE=1), a missing extra fails instead of skipping."""
    report = yield
    if os.environ.get("GDBENCH_LIVE") and report.skipped and "the extra " in str(report.longrepr):
        report.outcome, report.longrepr = "failed", f"nothing may be left out here: {report.longrepr[-1]}"
    return report


@pytest.fixture
def small_files():
    """A context in which no file grows beyond so many bytes, as on a disk that is nearly full."""
    resource = pytest.importorskip("resource")

    @contextmanager
    def limited(size):
        before = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
        try:
            yield
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, before)

    return limited


@pytest.fixture(scope="session")
def root() -> Path:
    """The checkout."""
    return Path(__file__).resolve().parent.parent


@pytest.fixture(scope="session")
def browser() -> str:
    """Path of a Chromium; for tests marked browser."""
    return chromium()
