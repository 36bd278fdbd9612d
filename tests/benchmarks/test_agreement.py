"""A suite and asv tell the same about the same solver: its epochs, updates and samples to a target, exactly."""

import importlib
import math

import pytest

from gdbench.suite import run_suite

SPEC = """
seeds = [{seed}]
targets = [1e-2, 1e-4]

[budget]
epochs = {epochs}
record = {record}

[[problems]]
data = "ill_conditioned"

[[solvers]]
variant = "mini-batch"
batch_size = {batch}
optimizer = "{optimizer}"
learning_rates = [{rate}]
"""


@pytest.mark.parametrize("optimizer", ["gd", "adam"])
def test_a_suite_and_asv_count_alike(package, tmp_path, optimizer):
    asv = importlib.import_module("benchmarks.convergence")
    rate = asv.RATES[optimizer]
    spec = tmp_path / "same.toml"
    spec.write_text(
        SPEC.format(seed=asv.SEED, epochs=asv.EPOCHS, record=asv.RECORD, batch=asv.BATCH_SIZE, optimizer=optimizer, rate=rate)
    )
    runs = run_suite(spec, tmp_path / "results").runs
    row = runs[runs["stage"] == "tuning"].iloc[0]
    found = asv.curve_or_none("ill_conditioned", optimizer)
    for label in ("1e-2", "1e-4"):
        for ours, theirs in (("epochs", "epoch"), ("updates", "step"), ("samples", "samples")):
            cost = row[f"{ours}_to_{label}"]
            missed = asv.MISSED * found[theirs][-1]
            assert asv.reached(found, theirs, label) == (cost if math.isfinite(cost) else missed), (label, ours)
    assert math.isfinite(row["epochs_to_1e-2"]), f"{optimizer} meets no target: nothing was compared"
