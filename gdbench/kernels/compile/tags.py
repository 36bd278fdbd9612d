"""Operations on tags: what lets one loop serve every optimizer, loss, penalty, model and kind of data.

A *tag* is a NamedTuple: its fields are hyperparameters or arrays, its methods are bodies, written in the subset of
Python that Numba compiles::

    class Momentum(NamedTuple):
        beta: float = 0.9
        slots = ("velocity",)

        def step(self, w, g, state, rate, t):
            (v,) = state
            v = self.beta * v + g
            return w - rate * v, (v,)

An *operation* is the verb that a loop calls: ``step = operation("step")``, then ``step(rule, w, g, state, rate, t)``.
In plain Python that calls the method; inside a kernel the class of the first argument picks the method at compile time
and its body is inlined, so the loop costs what a loop written by hand for that rule costs.
"""

from __future__ import annotations

from collections.abc import Callable

from numba import types
from numba.extending import overload

from gdbench.kernels.compile.jit import INLINED


def operation(name: str, default: Callable | None = None) -> Callable:
    """A function that applies method `name` of its first argument's class, in Python and in kernels.

    Parameters
    ----------
    name : str
        The method's name.
    default : callable, optional
        The body used for a class that has no such method.
    """

    def body_of(cls: type) -> Callable | None:
        return getattr(cls, name, default)

    def call(tag, *args):
        body = body_of(type(tag))
        if body is None:
            raise TypeError(f"{type(tag).__name__} has no method {name!r}")
        return body(tag, *args)

    call.__name__ = call.__qualname__ = name

    # Numba documents neither name: BaseNamedTuple, the type of a tag, nor its instance_class. Without them no operation would
    # find its body, and the first kernel would fail to compile; nothing else tells a tag's class while compiling.
    def pick(tag, *args):
        return body_of(tag.instance_class) if isinstance(tag, types.BaseNamedTuple) else None

    # A call that is not inlined costs some 45 ns, more than a short row: hence forceinline.
    overload(call, strict=False, jit_options=INLINED)(pick)
    return call


def class_of(kind):
    """The class of a tag, or while compiling of a tag's type."""
    return kind.instance_class if isinstance(kind, types.BaseNamedTuple) else type(kind)


def field_of(kind, name):
    """The field `name` of a tag, or while compiling its type."""
    if not isinstance(kind, types.BaseNamedTuple):
        return getattr(kind, name)
    return kind.types[kind.instance_class._fields.index(name)]


def picked(choose: Callable) -> Callable:
    """A function whose body is what `choose` returns of its first argument, a tag, or while compiling of the tag's type.

    Unlike an operation's, the choice may depend on tags within the tag. What is not chosen is not compiled.
    """

    def call(tag, *args):
        return choose(tag)(tag, *args)

    def pick(tag, *args):
        return choose(tag) if isinstance(tag, types.BaseNamedTuple) else None

    overload(call, strict=False, jit_options=INLINED)(pick)
    return call


def added(sums, parts):
    """The tuple of numbers `sums` with the tuple `parts` added, number by number."""
    return tuple([total + part for total, part in zip(sums, parts, strict=True)])


def load(state, k, j):
    """The scalars at [k, j] of each array in the tuple `state`, as a tuple."""
    return tuple([vector[k, j] for vector in state])


def store(state, k, j, values):
    """Write the tuple `values` to [k, j] of each array in the tuple `state`."""
    for vector, value in zip(state, values, strict=True):
        vector[k, j] = value


# Numba cannot build a tuple of varying length, so one body a length is written out.
_LOADS = (
    lambda state, k, j: (),
    lambda state, k, j: (state[0][k, j],),
    lambda state, k, j: (state[0][k, j], state[1][k, j]),
    lambda state, k, j: (state[0][k, j], state[1][k, j], state[2][k, j]),
    lambda state, k, j: (state[0][k, j], state[1][k, j], state[2][k, j], state[3][k, j]),
    lambda state, k, j: (state[0][k, j], state[1][k, j], state[2][k, j], state[3][k, j], state[4][k, j]),
    lambda state, k, j: (
        state[0][k, j],
        state[1][k, j],
        state[2][k, j],
        state[3][k, j],
        state[4][k, j],
        state[5][k, j],
    ),
    lambda state, k, j: (
        state[0][k, j],
        state[1][k, j],
        state[2][k, j],
        state[3][k, j],
        state[4][k, j],
        state[5][k, j],
        state[6][k, j],
    ),
    lambda state, k, j: (
        state[0][k, j],
        state[1][k, j],
        state[2][k, j],
        state[3][k, j],
        state[4][k, j],
        state[5][k, j],
        state[6][k, j],
        state[7][k, j],
    ),
)


def _store0(state, k, j, values):
    return None


def _store1(state, k, j, values):
    state[0][k, j] = values[0]


def _store2(state, k, j, values):
    state[0][k, j] = values[0]
    state[1][k, j] = values[1]


def _store3(state, k, j, values):
    state[0][k, j] = values[0]
    state[1][k, j] = values[1]
    state[2][k, j] = values[2]


def _store4(state, k, j, values):
    state[0][k, j] = values[0]
    state[1][k, j] = values[1]
    state[2][k, j] = values[2]
    state[3][k, j] = values[3]


def _store5(state, k, j, values):
    state[0][k, j] = values[0]
    state[1][k, j] = values[1]
    state[2][k, j] = values[2]
    state[3][k, j] = values[3]
    state[4][k, j] = values[4]


def _store6(state, k, j, values):
    state[0][k, j] = values[0]
    state[1][k, j] = values[1]
    state[2][k, j] = values[2]
    state[3][k, j] = values[3]
    state[4][k, j] = values[4]
    state[5][k, j] = values[5]


def _store7(state, k, j, values):
    state[0][k, j] = values[0]
    state[1][k, j] = values[1]
    state[2][k, j] = values[2]
    state[3][k, j] = values[3]
    state[4][k, j] = values[4]
    state[5][k, j] = values[5]
    state[6][k, j] = values[6]


def _store8(state, k, j, values):
    state[0][k, j] = values[0]
    state[1][k, j] = values[1]
    state[2][k, j] = values[2]
    state[3][k, j] = values[3]
    state[4][k, j] = values[4]
    state[5][k, j] = values[5]
    state[6][k, j] = values[6]
    state[7][k, j] = values[7]


_STORES = (_store0, _store1, _store2, _store3, _store4, _store5, _store6, _store7, _store8)

#: The most state vectors an update rule may keep.
MOST_SLOTS = len(_LOADS) - 1


# The same for sums: as many zeros, and their sum with as many numbers.
ZEROS = (
    lambda tag: (),
    lambda tag: (0.0,),
    lambda tag: (0.0, 0.0),
    lambda tag: (0.0, 0.0, 0.0),
    lambda tag: (0.0, 0.0, 0.0, 0.0),
)
_ADDED = (
    lambda sums, parts: (),
    lambda sums, parts: (sums[0] + parts[0],),
    lambda sums, parts: (sums[0] + parts[0], sums[1] + parts[1]),
    lambda sums, parts: (sums[0] + parts[0], sums[1] + parts[1], sums[2] + parts[2]),
    lambda sums, parts: (sums[0] + parts[0], sums[1] + parts[1], sums[2] + parts[2], sums[3] + parts[3]),
)

#: The most sums over a model that an update rule may ask for.
MOST_SUMS = len(ZEROS) - 1


@overload(added, jit_options=INLINED)
def _added(sums, parts):
    return _ADDED[len(sums)]


@overload(load, jit_options=INLINED)
def _load(state, k, j):
    return _LOADS[len(state)]


@overload(store, jit_options=INLINED)
def _store(state, k, j, values):
    return _STORES[len(state)]
