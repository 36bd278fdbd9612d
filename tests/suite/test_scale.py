"""Twenty thousand small runs in one suite."""

import os
import sys

import pytest

from gdbench import report
from gdbench.suite import load, run_suite
from gdbench.suite.progress import Reporter
from gdbench.suite.store.ledger import Ledger

SUITE = """
seeds = 1
tuning_seeds = 500
learning_rates = { logspace = [1e-3, 1.0, 10] }
repeats = 0
targets = [1e-1, 1e-2]
budget = { epochs = 2, record = 3 }
problems = [{ data = "linnerud" }, { data = "diabetes" }]
solvers = [{ optimizer = ["gd", "adam"] }]
"""


class Weighing(Reporter):
    """Notes the megabytes in memory after every hundredth pass."""

    def __init__(self):
        self.passes, self.megabytes = 0, []

    def advance(self, estimate, name):
        self.passes += 1
        if self.passes % 100 == 0:
            with open("/proc/self/statm") as file:
                self.megabytes.append(int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6)


@pytest.mark.slow
@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")
def test_twenty_thousand_runs_take_no_more_memory_than_some(tmp_path):
    (tmp_path / "many.toml").write_text(SUITE)
    run_suite(tmp_path / "many.toml", tmp_path / "quick", quick=True)  # compiling takes memory too
    weighing = Weighing()
    found = run_suite(tmp_path / "many.toml", tmp_path / "out", reporter=weighing)
    assert found.finished == found.planned == len(found.runs) >= 20_000
    assert not (found.runs["status"] == "failed").any()
    assert len(weighing.megabytes) >= 20
    assert weighing.megabytes[-1] - weighing.megabytes[1] < 30
    with Ledger(tmp_path / "out") as ledger:
        assert ledger.counts() == (found.planned, found.planned)
    assert load(tmp_path / "out").runs["run_id"].is_unique
    assert report.write(tmp_path / "out").stat().st_size > 0
