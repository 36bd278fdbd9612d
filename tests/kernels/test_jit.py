"""The jit policy: no stale code, cache hits in a second process, nothing compiled at import or twice."""

import gc
import json
import os
import re
import shutil
import subprocess
import sys
import threading
from pathlib import Path
from typing import NamedTuple

import numba
import numpy as np
import pytest
from numba.core.codegen import JITCodeLibrary

import gdbench
import gdbench as gd
from gdbench.kernels import trajectory
from gdbench.kernels.compile import jit, storage
from gdbench.kernels.loops import batch, objective, paired, rowwise, short


def run(script, cache, package=None, **environment):
    """What a script prints as JSON in a process of its own."""
    variables = {**os.environ, "GDBENCH_CACHE_DIR": str(cache), **environment}
    if package:
        variables["PYTHONPATH"] = str(package)
    done = subprocess.run([sys.executable, "-c", script], env=variables, capture_output=True, text=True, cwd=cache, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


REPLAY = """
import json, gdbench as gd
from gdbench.kernels import trajectory
x = gd.replay("momentum", [1.0], [[1.0], [1.0]], 0.1)
stats = trajectory.replay.cached.stats
print(json.dumps([x.ravel().tolist(), sum(stats.cache_hits.values()), sum(stats.cache_misses.values()), gd.__file__]))
"""


def compiled(folder):
    """The compiled functions in a cache folder."""
    return sorted(path.name for path in folder.rglob("*.nbc"))


def test_an_edited_rule_is_not_served_stale_and_a_second_process_hits_the_cache(tmp_path):
    package, cache = tmp_path / "package", tmp_path / "cache"
    cache.mkdir()
    shutil.copytree(Path(gdbench.__file__).parent, package / "gdbench", ignore=shutil.ignore_patterns("__pycache__"))
    first, hits, misses, place = run(REPLAY, cache, package)
    assert Path(place).is_relative_to(package)
    assert first == pytest.approx([1.0, 0.9, 0.71]) and (hits, misses) == (0, 1)
    files = compiled(cache)
    assert len(files) == 1 and len(list((cache / "kernels").iterdir())) == 1

    again, hits, misses, _ = run(REPLAY, cache, package)
    assert again == first and (hits, misses) == (1, 0) and compiled(cache) == files

    rule = package / "gdbench" / "kernels" / "optimizers" / "momentum.py"
    text = rule.read_text(encoding="utf-8")
    rule.write_text(text.replace("v = self.beta * v + damped * g", "v = self.beta * v + 2 * damped * g"), encoding="utf-8")
    assert rule.read_text(encoding="utf-8") != text
    edited, hits, misses, _ = run(REPLAY, cache, package)
    assert edited == pytest.approx([1.0, 0.8, 0.42]) and (hits, misses) == (0, 1)
    assert len(list((cache / "kernels").iterdir())) == 2

    rule.write_text(text, encoding="utf-8")  # back to the first sources, and to their cache
    restored, hits, misses, _ = run(REPLAY, cache, package)
    assert restored == first and (hits, misses) == (1, 0)


IMPORT = """
import gc, json
import gdbench, gdbench.problems, gdbench.solve.fit
from gdbench.kernels import order, trajectory
from gdbench.kernels.compile.jit import Kernel
kernels = [thing for thing in gc.get_objects() if isinstance(thing, Kernel)]
compiled = [k.__name__ for k in kernels if k.cached.signatures or k._foreign]
print(json.dumps([len(kernels), compiled]))
"""


def test_nothing_compiles_at_import(tmp_path):
    kernels, found = run(IMPORT, tmp_path)
    assert kernels > 5 and found == []
    assert compiled(tmp_path) == []


FIT = """
import json, numpy as np, gdbench as gd
from gdbench.kernels import order
from gdbench.kernels.loops import batch, objective
X = np.random.default_rng(0).normal(size=(20, 3))
result = gd.fit(X, X[:, 0], epochs=2, record=2)
used = [batch.descend_batches, objective.objective_and_gradient, order.arrange_epochs, order.arrange_epoch]
misses = sum(sum(k.cached.stats.cache_misses.values()) for k in used)
print(json.dumps([result.coef.tolist(), misses, result.compile_seconds]))
"""


def test_a_fit_in_a_second_process_loads_all_kernels():
    cache = storage.cache_root()
    first, *_ = run(FIT, cache)
    again, misses, seconds = run(FIT, cache)
    assert again == first and misses == 0
    assert seconds < 5  # a fraction of a second on an idle machine; compiling takes several


FOREIGN = """
import json
from typing import NamedTuple
import gdbench as gd

class Halved(NamedTuple):
    slots = ()
    def step(self, w, g, state, rate, t):
        return w - FACTOR * rate * g, state

print(json.dumps(gd.replay(Halved(), [1.0], [[1.0]], 1.0).ravel().tolist()))
"""


def test_a_users_rule_is_never_cached_on_disk(tmp_path):
    for factor in ("0.5", "0.25"):
        assert run(FOREIGN.replace("FACTOR", factor), tmp_path) == [1.0, 1.0 - float(factor)]
    assert compiled(tmp_path) == []


def test_a_redefined_rule_takes_effect(monkeypatch):
    monkeypatch.setattr(gd.optimizers.registry, "_members", dict(gd.optimizers.registry._members))

    def define(factor):
        @gd.optimizers.register
        class Redefined(NamedTuple):
            slots = ()

            def step(self, w, g, state, rate, t):
                return w - factor * rate * g, state

    for factor in (0.5, 0.25):
        define(factor)
        assert gd.replay("redefined", [1.0], [[1.0]], 1.0)[-1, 0] == 1.0 - factor


def test_a_users_rule_may_have_the_name_of_another():
    class Momentum(NamedTuple):
        beta: float = 0.9
        dampening: float = 0.0
        slots = ("velocity",)

        def step(self, w, g, state, rate, t):
            return w + rate * g, state

    own, ours = Momentum(), gd.optimizers.Momentum()
    for _ in range(2):
        assert gd.replay(own, [1.0], [[1.0]], 0.25)[-1, 0] == 1.25
        assert gd.replay(ours, [1.0], [[1.0]], 0.25)[-1, 0] == 0.75


def test_a_second_call_compiles_nothing():
    """Other numbers, and whole numbers for floats, are the same types."""
    X = np.random.default_rng(0).normal(size=(30, 4))

    def calls(scale):
        gd.fit(X, X[:, 0] * scale, learning_rate=0.01 * scale, epochs=1 + scale, record=2)
        gd.fit(X, X[:, 0], learning_rate=scale, epochs=1, record=2, variant="stochastic")
        gd.sweep(X, X[:, 0], learning_rates=np.geomspace(1e-3, scale, 16), epochs=scale, record=2, variant="stochastic")
        gd.replay(gd.optimizers.Momentum(beta=0.5 / scale, dampening=0), [0], [[1 * scale]], scale)
        gd.replay(gd.optimizers.Momentum(beta=0, dampening=np.float32(0.5)), [0.0], [[1.0]], 1.0)

    calls(1)
    watched = (
        batch.descend_batches,
        rowwise.descend_plainly,
        short.descend_short,
        paired.descend_in_pairs,
        objective.objective_and_gradient,
        trajectory.replay,
    )
    before = [len(k.cached.signatures) for k in watched]
    calls(2)
    assert [len(k.cached.signatures) for k in watched] == before


def test_the_digest_covers_all_kernel_sources():
    names = {path.name for path in storage.sources()}
    assert {"jit.py", "batch.py", "adam.py", "log_loss.py", "penalties.py", "rosenbrock.py"} <= names
    assert storage.cache_folder().name == storage.digest() and len(storage.digest()) == 16


def test_other_users_of_numba_keep_their_cache():

    assert "gdbench" not in (numba.config.CACHE_DIR or "")


def test_what_is_inlined_is_not_made_machine_code_of(monkeypatch):
    @jit.inlined
    def twice(x):
        return 2 * x

    @jit.inlined
    def four_times(x):
        return twice(twice(x))

    @jit.kernel
    def eight_times(x):
        return twice(four_times(x))

    made = []
    optimise = JITCodeLibrary._optimize_final_module
    monkeypatch.setattr(JITCodeLibrary, "_optimize_final_module", lambda self: made.append(self.name) or optimise(self))
    assert eight_times.in_memory()(3) == 24
    ours = [name for name in made if name != "nrt"]  # Numba's own, made once a process
    assert len(ours) == 1 and "eight_times" in ours[0]


def test_compilations_that_overlap_leave_the_collector_of_garbage_as_it_was():
    """Threads begin in one order and end in the same: the second sees the first's threshold, and must not put that back."""
    before = gc.get_threshold()
    began, ended = threading.Event(), threading.Event()

    @jit.kernel
    def first(x):
        return x

    @jit.kernel
    def second(x):
        return x

    class Slow:
        """A dispatcher whose compilation lasts as long as the test needs."""

        def __init__(self, begin, wait):
            self.begin, self.wait = begin, wait

        def compile(self, types):
            self.begin.set()
            assert self.wait.wait(10)

    second_began = threading.Event()
    first.cached, second.cached = Slow(began, second_began), Slow(second_began, ended)
    threads = [threading.Thread(target=k.bound, args=(1.0,)) for k in (first, second)]
    try:
        gc.set_threshold(600, 9, 8)
        threads[0].start()
        assert began.wait(10)
        threads[1].start()
        threads[0].join(10)
        assert gc.get_threshold()[0] == jit.COLLECT_AFTER  # the second is still compiling
        ended.set()
        threads[1].join(10)
        assert gc.get_threshold() == (600, 9, 8)
    finally:
        gc.set_threshold(*before)


def test_a_compilation_leaves_the_collector_of_garbage_as_it_was():
    @jit.kernel
    def same(x):
        return x

    before = gc.get_threshold()
    try:
        for threshold, value in (((0, 5, 5), 1), ((600, 9, 8), 1.0)):
            gc.set_threshold(*threshold)
            assert same.bound(value)(value) == value
            assert gc.get_threshold() == threshold and gc.isenabled()
    finally:
        gc.set_threshold(*before)


WITHOUT = """
import json, sys, numpy as np, gdbench as gd
X = np.random.default_rng(0).normal(size=(20, 3))
fit = gd.fit(X, X[:, 0], epochs=2, variant="stochastic")
sweep = gd.sweep(X, X[:, 0], learning_rates=[0.01, 0.1], epochs=2)
private = [name for name in ("inlining", "cache") if f"gdbench.kernels.compile.{name}" in sys.modules]
print(json.dumps([fit.coef.tolist(), sweep.coef.tolist(), private]))
"""


def test_kernels_compile_without_numbas_private_names(tmp_path):
    fit, sweep, private = run(WITHOUT, tmp_path, GDBENCH_PLAIN_NUMBA="1")
    assert private == [] and compiled(tmp_path) == []
    own = run(WITHOUT, storage.cache_root())
    assert own[2] == ["inlining", "cache"]
    np.testing.assert_allclose(fit, own[0], rtol=1e-12)
    np.testing.assert_allclose(sweep, own[1], rtol=1e-12)


def test_private_names_of_numba_stand_in_the_rooms_for_them():
    """Names below numba.core, and of other modules that Numba does not document, stand where a comment says what they break."""
    kernels = Path(jit.__file__).parents[1]
    emitters = {kernels / f"{name}.py" for name in ("ahead", "data", "lanes", "registers", "vectors")} | set(
        kernels.glob("simd/*.py")
    )
    found = {
        path: names
        for path in Path(gdbench.__file__).parent.rglob("*.py")
        if (names := re.findall(r"^\s*(?:from|import) (numba\.(?!extending\b|types\b)[\w.]+.*)$", path.read_text("utf-8"), re.M))
    }
    assert {path.name for path in found if path.parent == kernels / "compile"} == {"inlining.py", "cache.py"}
    for path, names in found.items():
        if path in emitters:  # the builder of loops, which the extensions that Numba documents use too
            assert all(name == "numba.core import cgutils" for name in names), (path, names)
        else:
            assert path.parent == kernels / "compile", (path, names)
