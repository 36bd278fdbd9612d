"""Whatever reaches a kernel has passed the gate: corrupted input ends in one line or a result, never in a crash."""

import json
import os
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

SCRIPT = Path(__file__).with_name("corrupted.py")

#: Cases a process; of ten, eight run with --slow only.
EACH = 200


def ends_of(first):
    """How the cases from number `first` on end, in a process of their own."""
    environment = {name: value for name, value in os.environ.items() if name != "NUMBA_DISABLE_JIT"}
    done = subprocess.run(
        [sys.executable, str(SCRIPT), str(first), str(EACH)], capture_output=True, text=True, timeout=3600, env=environment
    )
    assert done.returncode == 0, f"ended with {done.returncode}: {done.stderr[-3000:]}"
    return Counter(json.loads(done.stdout.splitlines()[-1]))


@pytest.mark.parametrize("part", [pytest.param(k, marks=[pytest.mark.slow] if k else []) for k in range(10)])
def test_corrupted_input_ends_in_one_line_or_a_result(part):
    ends = ends_of(part * EACH)
    assert ends.total() == EACH
    refused = sum(count for end, count in ends.items() if end.endswith("refused"))
    assert 0.3 * EACH < refused < 0.9 * EACH  # most of what is corrupted is noticed, and what is sound still runs
    assert len({end.split(":")[0] for end in ends}) == 10  # every kind of case
