"""A suite and asv tell the same about the same solver: the same path to the same end, and targets crossed in the same places."""

import importlib

import numpy as np
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
def test_a_suite_and_asv_count_alike(package, tmp_path, monkeypatch, optimizer):
    asv = importlib.import_module("benchmarks.convergence")
    spec = tmp_path / "same.toml"
    words = {"seed": asv.SEED, "epochs": asv.EPOCHS, "record": asv.RECORD, "batch": asv.BATCH_SIZE}
    spec.write_text(SPEC.format(**words, optimizer=optimizer, rate=asv.RATES[optimizer]))
    results = run_suite(spec, tmp_path / "results")
    monkeypatch.setattr(asv, "RECORD", 10**6)  # each step is looked at
    found = asv.curve_or_none("ill_conditioned", optimizer)
    (run,) = results.reported.to_dict("records")
    curve = results.curves[results.curves["run_id"].astype(str) == run["run_id"]]
    gaps = curve["gap"].to_numpy()
    np.testing.assert_array_equal(gaps / gaps[0], found["gap"][curve["step"]])
    np.testing.assert_array_equal(curve["samples"], found["samples"][curve["step"]])
    hits = results.hits[results.hits.role == "report"].set_index("target")
    for target in (1e-2, 1e-4):
        hit = hits.loc[target]
        assert hit.reached, f"{optimizer} misses {target:g}: nothing was compared"
        before = hit.bracket_low // asv.BATCH_SIZE
        assert found["gap"][int(hit.step)] <= target < found["gap"][int(before)]
        assert found["samples"][int(hit.step)] == hit.samples == hit.bracket_high
        assert asv.reached(found, "samples", f"{target:g}") <= hit.samples
