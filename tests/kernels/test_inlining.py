"""Bodies that are only inlined: references are counted where one is owned, and nowhere else."""

import re

import numpy as np
import pytest
from numba import njit
from numba.core.runtime import _nrt_python, rtsys

from gdbench.kernels.compile import inlining
from gdbench.kernels.compile.jit import OPTIONS, inlined


@inlined
def reads(pair, n):
    total = 0.0
    for i in range(n):
        if pair[1][i] > 0:
            total += pair[0][i]
    return total


@inlined
def slices(pair, n):
    part = pair[0][1:n]
    return part[0] + part.size


@inlined
def hands_on(pair, n):
    return reads(pair, n) + reads((pair[1], pair[0]), n)


@inlined
def makes(pair, n):
    return np.empty(n).size + pair[0][0]


@inlined
def computes(pair, n):
    return (pair[0] + pair[1])[0]


@inlined
def copies(pair, n):
    return pair[0][pair[1] > 0].size + n


@inlined
def gives(pair, n):
    return pair[0][1:]


@inlined
def takes(pair, n):
    return gives(pair, n)[0]


BORROWS = {reads: True, slices: True, hands_on: True, makes: False, computes: False, copies: False, gives: False, takes: False}


@pytest.fixture
def counted():
    was = _nrt_python.memsys_stats_enabled()
    _nrt_python.memsys_enable_stats()
    yield
    if not was:
        _nrt_python.memsys_disable_stats()


@pytest.mark.parametrize("body", BORROWS, ids=lambda body: body.__name__)
def test_only_what_borrows_counts_no_references(body, monkeypatch, counted):
    seen = {}
    as_before = inlining.Body.add_llvm_module

    def spy(self, module):
        seen[self.name] = self.is_borrower
        assert not (self.is_borrower and re.search(r"call void @NRT_(in|de)cref\(", str(module)))
        as_before(self, module)

    monkeypatch.setattr(inlining.Body, "add_llvm_module", spy)
    x, y = np.arange(1.0, 6.0), np.ones(5)
    caller = njit(**OPTIONS)(lambda x, y: body((x, y), 4))
    result = caller(x, y)
    found = [is_borrower for name, is_borrower in seen.items() if body.__name__ in name]
    assert found and all(is_borrower == BORROWS[body] for is_borrower in found)
    np.testing.assert_array_equal(result, body((x, y), 4))
    del result
    before = rtsys.get_allocation_stats()
    for _ in range(20):
        caller(x, y)
    after = rtsys.get_allocation_stats()
    assert after.alloc - before.alloc == after.free - before.free  # nothing is kept, and nothing freed twice
    np.testing.assert_array_equal((x, y), (np.arange(1.0, 6.0), np.ones(5)))
