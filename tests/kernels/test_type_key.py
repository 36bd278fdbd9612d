"""The key under which a kernel finds its compiled code: arguments of equal keys are of one type for Numba."""

import enum
import gc
import itertools
from typing import NamedTuple

import numba
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import gdbench as gd
from gdbench.kernels import optimizers
from gdbench.kernels.compile import jit
from gdbench.kernels.compile.type_key import foreign_classes, type_key

ARRAY = np.arange(6.0).reshape(2, 3)
READ_ONLY = ARRAY.copy()
READ_ONLY.flags.writeable = False
PACKED = np.dtype([("a", "i1"), ("b", "f8")])
ALIGNED = np.dtype([("a", "i1"), ("b", "f8")], align=True)


class Colour(enum.IntEnum):
    RED = 1


class Tag(NamedTuple):
    a: object = 0.5
    b: object = 1


@numba.njit
def double(x):
    return 2 * x


@numba.njit
def triple(x):
    return 3 * x


LEAVES = [
    *(True, 0, -1, 1 << 40, 1 << 62, 1 << 63, 0.5, 1j, None, "text", b"bytes", ..., slice(1), slice(1, 5, 2)),
    *(np.dtype(letter).type(1) for letter in "?bBhHiIlLqQefdFD"),
    *(np.datetime64("2020", "Y"), np.datetime64("2020", "D"), np.timedelta64(1, "s"), np.timedelta64(1, "h")),
    *(np.float64, np.int8, np.dtype("f4"), Colour.RED, Colour, Tag, ValueError),
    *(double, triple, np.random.default_rng(0)),
    *(ARRAY, ARRAY.T, ARRAY[0], ARRAY[:, ::2], READ_ONLY, ARRAY.astype("f4"), ARRAY.astype(">f8").view("<f8"), ARRAY.astype(int)),
    *(np.zeros(3, PACKED), np.zeros(3, ALIGNED), np.zeros(1, PACKED)[0], np.zeros(2, "M8[D]"), np.zeros(2, "M8[s]")),
    *(np.zeros(2, "U3"), np.zeros(2, "U4"), np.zeros(17, "i1")[1:].view("f8"), np.zeros(()), bytearray(4), memoryview(b"abcd")),
    *((), (1.0,), (1.0, 2.0), (1.0, 2), Tag(), Tag(1, 2), optimizers.registry.make("adam"), [1.0], [1]),
]  # fmt: skip


def typed(value):
    """Numba's type; for a value that has none, something that equals nothing else."""
    try:
        return numba.typeof(value)
    except Exception:
        return object()


TYPED = [value for value in LEAVES if isinstance(typed(value), numba.types.Type)]


def test_almost_all_leaves_have_a_type():
    assert len(TYPED) >= 55


values = st.recursive(
    st.sampled_from(TYPED),
    lambda inner: st.lists(inner, max_size=3).map(tuple) | st.builds(Tag, inner, inner),
    max_leaves=6,
)


def test_leaves_of_equal_keys_are_of_one_type():
    for one, other in itertools.combinations(TYPED, 2):
        if type_key(one) == type_key(other):
            assert numba.typeof(one) == numba.typeof(other), (one, other)


@given(values, values)
def test_values_of_equal_keys_are_of_one_type(one, other):
    if type_key(one) == type_key(other):
        assert numba.typeof(one) == numba.typeof(other)


@given(values)
def test_a_key_is_found_again(value):
    assert type_key(value) == type_key(value) and hash(type_key(value)) == hash(type_key(value))


@pytest.mark.parametrize(
    "other",
    [
        *(ARRAY.astype(np.float32), ARRAY.T, ARRAY[0], ARRAY[:, ::2], READ_ONLY),
        *(1.0, True, np.float32(1), (ARRAY,), optimizers.registry.make("adam")),
    ],
    ids=lambda value: type(value).__name__,
)
def test_values_of_other_types_have_other_keys(other):
    assert numba.typeof(other) != numba.typeof(ARRAY)
    assert type_key(other) != type_key(ARRAY)


def test_values_of_one_type_have_one_key():
    adam = optimizers.registry.make
    assert type_key((ARRAY, adam("adam", beta1=0.5), 2)) == type_key((ARRAY * 2, adam("adam"), 3))


def test_a_class_of_the_same_name_has_another_key():
    one, two = (NamedTuple("Same", [("beta", float)]) for _ in range(2))
    assert type_key(one(0.5)) != type_key(two(0.5))


def test_a_compiled_function_has_a_key_of_its_own_and_is_foreign():
    assert type_key(Tag(double)) != type_key(Tag(triple))
    assert type_key(Tag(double)) == type_key(Tag(double))
    assert type(double) in foreign_classes(optimizers.registry.make("adam", beta1=0.5)._replace(beta2=double))
    assert (
        foreign_classes((1, 0.5, "text", None, ARRAY, optimizers.registry.make("adam"), np.random.default_rng(0))) == frozenset()
    )


def test_a_function_at_the_address_of_one_that_has_gone_has_another_key():
    def made():
        return numba.njit(lambda x: x)

    addresses = set()
    known = {}
    gc.freeze()  # what was there before is not searched for garbage, twenty times over
    for turn in range(20):
        function = made()
        key = type_key(Tag(function))
        assert key not in known
        known[key] = turn
        addresses.add(id(function))
        del function, key
        gc.collect()
    gc.unfreeze()
    assert len(addresses) < 20


@jit.kernel
def applied(tag, x):
    return tag.a(x)


class Applied(NamedTuple):
    """A user's tag with a function for a field."""

    f: object
    slots = ()

    def step(self, w, g, state, rate, t):
        return w - rate * self.f(g), state


def test_a_second_tag_runs_its_own_function():
    for _ in range(2):
        assert applied(Tag(double), 1.0) == 2.0
        assert applied(Tag(triple), 1.0) == 3.0
        assert gd.replay(Applied(double), [1.0], [[1.0]], 0.25)[-1, 0] == 0.5
        assert gd.replay(Applied(triple), [1.0], [[1.0]], 0.25)[-1, 0] == 0.25
    assert not applied.cached.signatures  # nothing that holds a user's function may reach the disk
