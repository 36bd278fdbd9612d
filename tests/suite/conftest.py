import pytest

from gdbench.suite import run_suite

TINY = """
seeds = 2
tuning_seeds = 2
targets = [1e-1, 1e-2, 1e-3]
learning_rates = [1e-3, 1e-2, 1.0]
baselines = ["sklearn"]
[budget]
epochs = 20
record = 12
[[problems]]
data = "diabetes"
[[problems]]
data = "iris"
penalty = "l2"
alpha = 1e-2
[[solvers]]
variant = ["batch", "mini-batch"]
optimizer = ["gd", "adam"]
"""


@pytest.fixture(scope="session")
def tiny(tmp_path_factory):
    """Path of a suite of 90 runs or so, each of some milliseconds."""
    path = tmp_path_factory.mktemp("spec") / "tiny.toml"
    path.write_text(TINY)
    return path


@pytest.fixture(scope="session")
def results(tiny, tmp_path_factory):
    """Its results; not to be changed."""
    return run_suite(tiny, tmp_path_factory.mktemp("results") / "tiny")
