"""What no clock is needed for: the hot loops hold packed multiply-adds, and allocate nothing from step to step."""

import platform
import re

import llvmlite.binding as llvm
import numpy as np
import pytest
from numba.core.runtime import _nrt_python, rtsys

import gdbench as gd
from gdbench.kernels.compile.storage import cache_folder
from gdbench.kernels.data import Dense
from gdbench.kernels.lanes import LANES
from gdbench.kernels.loops import batch, objective, paired, rowwise, short
from gdbench.kernels.loops.base import start_at
from gdbench.kernels.losses.squared_error import SquaredError
from gdbench.kernels.models.lanes import Lanes
from gdbench.kernels.models.linear import Linear
from gdbench.kernels.optimizers.gd import GD
from gdbench.kernels.penalties import NoPenalty
from gdbench.kernels.registers import starts_of
from gdbench.kernels.task import Iterate, Task, Unweighted

N, D, SHORT = 64, 140, 20
PACKED = re.compile(r"\bvfn?m(?:add|sub)\d+pd\s[^\n]*%[yz]mm")
SCALAR = re.compile(r"\bvfn?m(?:add|sub)\d+sd\s")


def arguments(kernel, epochs=1):
    """A call of the kernel on dense rows in float64."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(N, SHORT if kernel is short.descend_short else D))
    beside = kernel is paired.descend_in_pairs
    model, lanes = (Lanes(True), LANES) if beside else (Linear(True), 1)
    task = Task(model, Dense(X), X[:, 0].copy(), Unweighted(), SquaredError(), NoPenalty())
    iterate = start_at(np.zeros((lanes, X.shape[1] + 1), order="F" if beside else "C"), GD())
    rows = np.tile(np.arange(N, dtype=np.int32), (epochs, 1))
    eta = np.full(lanes, 1e-3)
    if kernel is rowwise.descend_rows:
        return task, GD(), iterate, rows, np.ones(rows.size), eta, 1
    if kernel is rowwise.descend_plainly:
        return task, iterate, rows, np.ones(rows.size), eta
    if kernel is short.descend_short:
        return task, starts_of(SHORT, 8), iterate, rows, 0, np.ones(rows.size), eta, np.zeros(3)
    if beside:
        return task, iterate, rows, 0, np.ones(rows.size), eta, np.zeros((2, lanes))
    if kernel is batch.descend_batches:
        return task, GD(), iterate, rows, 32, np.ones(epochs * (N // 32)), eta, 1
    return task, iterate.w, np.empty(1), np.empty_like(iterate.w)


def assembly(kernel):
    """The kernel's assembly. Numba shows none for what it loads, so the text is kept beside the compiled kernels."""
    kept = cache_folder() / f"{kernel.__name__}-{llvm.get_host_cpu_name()}.s"
    if not kept.exists():
        given = arguments(kernel)
        fresh = kernel.in_memory()
        fresh(*given)
        (text,) = fresh.inspect_asm().values()
        kept.write_text(text)
    return kept.read_text()


PLAIN = [rowwise.descend_plainly, *([short.descend_short] if starts_of(SHORT, 8) else [])]
GENERAL = [paired.descend_in_pairs, rowwise.descend_rows]
HOT = [*PLAIN, *GENERAL, batch.descend_batches, objective.objective_and_gradient]
HAS_FMA = platform.machine().lower() in ("x86_64", "amd64") and llvm.get_host_cpu_features().get("fma", False)


@pytest.mark.skipif(not HAS_FMA, reason="needs an x86 processor with fused multiply-add")
@pytest.mark.parametrize("kernel", HOT, ids=lambda kernel: kernel.__name__)
def test_hot_loops_hold_packed_multiply_adds(kernel):
    text = assembly(kernel)
    assert len(PACKED.findall(text)) >= 4, f"{len(SCALAR.findall(text))} scalar multiply-adds"


@pytest.mark.skipif(not HAS_FMA, reason="needs an x86 processor")
@pytest.mark.parametrize("kernel", HOT, ids=lambda kernel: kernel.__name__)
def test_bodies_are_inlined(kernel):
    """No body of a tag (a derivative, a step, a dot product) is left as a function to be called."""
    called = set(re.findall(r"\bcallq?\s+\*?([\w.$@]+)", assembly(kernel))) | set(
        re.findall(r"movabsq\s+\$([\w.$]+), %r", assembly(kernel))
    )
    bodies = [name for name in called if re.search(r"gdbench.*(losses|optimizers|penalties|models|data)", name)]
    assert bodies == []


def allocations(kernel, epochs):
    given = arguments(kernel, epochs)
    kernel(*given)  # compiled, or loaded
    before = rtsys.get_allocation_stats().alloc
    kernel(*given)
    return rtsys.get_allocation_stats().alloc - before


@pytest.fixture
def counted():
    was = _nrt_python.memsys_stats_enabled()
    _nrt_python.memsys_enable_stats()
    yield
    if not was:
        _nrt_python.memsys_disable_stats()


@pytest.mark.parametrize("kernel", HOT[:-1], ids=lambda kernel: kernel.__name__)
def test_no_allocation_from_step_to_step(kernel, counted):
    few, many = allocations(kernel, 1), allocations(kernel, 50)
    assert few == many <= 16  # the scratch arrays, and the arguments'


def test_the_objective_allocates_no_more_for_more_rows(counted):
    def count(n):
        task, w, totals, g = arguments(objective.objective_and_gradient)
        task = task._replace(data=Dense(np.tile(task.data.values, (n, 1))), target=np.tile(task.target, n))
        objective.objective_and_gradient(task, w, totals, g)
        before = rtsys.get_allocation_stats().alloc
        objective.objective_and_gradient(task, w, totals, g)
        return rtsys.get_allocation_stats().alloc - before

    assert count(1) == count(200) <= 16


def test_the_kernels_compute_what_fit_does():
    """The calls above are those that a fit makes."""
    for kernel in (*PLAIN, *GENERAL):
        given = arguments(kernel)
        kernel(*given)
        X, y = given[0].data.values, given[0].target
        result = gd.fit(X, y, variant="stochastic", shuffle="none", learning_rate=1e-3, epochs=1, record=2)
        (iterate,) = (value for value in given if isinstance(value, Iterate))
        # What is plain is what ran in `fit`, to the bit; the others sum in an order of their own.
        np.testing.assert_allclose(iterate.w[0, :-1], result.coef, rtol=0 if kernel in PLAIN else 1e-14)
