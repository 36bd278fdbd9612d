"""Every benchmark runs, once, in this process: so none rots unseen between two runs of asv."""

import importlib
import inspect
import itertools
import math

import numpy as np
import pytest

SUBJECTS = ("baselines", "convergence", "kernels", "memory", "parity", "startup")
KINDS = ("time_", "track_", "peakmem_", "timeraw_")


def classes(subject):
    """The benchmark classes of a module."""
    module = importlib.import_module(f"benchmarks.{subject}")
    members = [c for c in vars(module).values() if inspect.isclass(c) and c.__module__ == module.__name__]
    return [c for c in members if methods(c)]


def methods(cls):
    return [name for name in dir(cls) if name.startswith(KINDS)]


def sample(params):
    """The first choice of each axis, and the last."""
    if not params:
        return [()]
    return list(dict.fromkeys([tuple(axis[0] for axis in params), tuple(axis[-1] for axis in params)]))


def outcome(instance, name, arguments):
    """Run one benchmark as asv does: setup, the method, teardown."""
    if hasattr(instance, "setup"):
        instance.setup(*arguments)
    try:
        return getattr(instance, name)(*arguments)
    finally:
        if hasattr(instance, "teardown"):
            instance.teardown(*arguments)


def test_every_file_is_run(package):
    files = {path.stem for path in package.glob("*.py")} - {"__init__", "common", "peers"}
    assert files == set(SUBJECTS)


def some(function, *columns):
    """Instead of all in two processes: those that a sample asks for, in this one."""
    if len(columns) == 1:
        return None  # what is compiled beforehand is compiled when it is needed as well
    ends = [{column[0], column[-1], "batch", "adam"} for column in columns]
    return [function(*each) if all(map(set.__contains__, ends, each)) else None for each in zip(*columns, strict=True)]


@pytest.mark.parametrize(
    "subject", [pytest.param(name, marks=[pytest.mark.thorough] * (name == "baselines")) for name in SUBJECTS]
)
def test_benchmarks_run(subject, monkeypatch):
    assert classes(subject)
    monkeypatch.setattr(f"benchmarks.{subject}.in_two_processes", some, raising=False)
    caches = {}  # as in asv, classes that inherit one share what it returns
    for cls in classes(subject):
        instance = cls()
        if hasattr(cls, "setup_cache") and cls.setup_cache not in caches:
            caches[cls.setup_cache] = instance.setup_cache()
        cached = caches.get(getattr(cls, "setup_cache", None))
        cache = () if cached is None else (cached,)
        chosen = sample(getattr(cls, "params", ()))
        if subject == "startup":
            chosen = chosen[:1]  # each of these starts processes that compile
        for name, arguments in itertools.product(methods(cls), chosen):
            found = outcome(instance, name, (*cache, *arguments))
            where = f"{subject}.{cls.__name__}.{name}{arguments}"
            if name.startswith("track_"):
                assert math.isfinite(found), where
                assert found > 0, f"{where}: asv compares by ratio"
            if name.startswith("timeraw_"):
                exec(found)


@pytest.mark.parametrize("subject", SUBJECTS)
def test_benchmarks_say_what_they_are(subject):
    for cls in classes(subject):
        axes = getattr(cls, "params", ())
        assert len(axes) == len(getattr(cls, "param_names", ())), cls
        for name in methods(cls):
            method = getattr(cls, name)
            assert method.pretty_name, name
            assert method.version, name
            assert cls.timeout <= 300
            if name.startswith("track_"):
                assert method.unit, name


def test_parity_sees_weights_that_are_off_by_1e9():
    parity = importlib.import_module("benchmarks.parity")
    for (loss,) in sample(parity.SameSteps.params):
        instance = parity.SameSteps()
        instance.setup(loss)
        assert instance.track_difference(loss) < 1e-12, loss
        instance.pairs[0][0].coef[:] *= 1 + 1e-9
        assert instance.track_difference(loss) > 1e-11


def test_a_missed_target_counts_ten_budgets():
    convergence = importlib.import_module("benchmarks.convergence")
    found = {"epoch": [0, 1, 2], "gap": np.array([1.0, 0.5, 0.1])}
    assert convergence.reached(found, "epoch", "0.2") == 2
    assert convergence.reached(found, "epoch", "1e-2") == 20


def test_a_commit_that_lacks_a_feature_is_skipped():
    common = importlib.import_module("benchmarks.common")
    with pytest.raises(NotImplementedError):
        common.warmed(optimizer="not-yet")
