"""Against plain Python: the compiled loop beside the very body of each rule, loss, penalty and landscape, run by the interpreter.

It says nothing on whether the body is the right algebra (the other references do) but that Numba computes what it says; and it
covers a user's own members, for which nobody else has a reference.
"""

from __future__ import annotations

import platform
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

import gdbench.solve.paths as paths
from gdbench.kernels import landscapes, losses, optimizers
from gdbench.kernels.landscapes import gradient as gradient_of
from gdbench.kernels.landscapes import value as value_of
from gdbench.kernels.losses import derive_group, value_group
from gdbench.kernels.members import start_of, start_of_kept
from gdbench.kernels.optimizers import combine, looker, loop_form, reduce, step
from gdbench.kernels.registry import name_of
from gdbench.kernels.schedules import Constant
from gdbench.parity import draws
from gdbench.parity.against_numpy import STEPS, instance, rate_of, steps_of, with_memory
from gdbench.parity.case import Case

TOLERANCE = 1e-12
REASON = "the same body twice, once with the compiler's freedom to fuse and reorder (1e-16 an operation, over 200 steps)"


def cases(quick: bool = False) -> list[Case]:
    """A case for each registered optimizer, landscape and loss, a user's own included."""
    return [
        *(rule(instance(cls) if _is_own(cls) else cls()) for cls in optimizers.registry if not with_memory(cls)),
        *(landscape(cls()) for cls in landscapes.registry),
        *(loss(cls()) for cls in losses.registry),
    ]


def _is_own(cls: type) -> bool:
    return cls.__module__.partition(".")[0] == "gdbench"


def case(what: str, compared: str, ours: Any, theirs: Any) -> Case:
    """A case against the interpreter."""
    return Case("python", platform.python_version(), what, compared, ours, theirs, TOLERANCE, REASON)


def rule(tag: Any) -> Case:
    """An update rule on given gradients."""
    g = draws.gradients(STEPS, 4, "python", name_of(tag))
    x0 = np.array([1.0, -2.0, 0.5, 3.0])
    rate, values = rate_of(tag), draws.values(STEPS, "python", name_of(tag))
    return case(
        f"optimizer {draws.described(tag)}",
        f"4 weights after each of {STEPS} updates",
        lambda: paths.replay(tag, x0, g, rate, values),
        lambda: interpreted(loop_form(tag), x0, g, rate, values),
    )


def interpreted(tag: Any, x0: np.ndarray, gradients: np.ndarray, rate: Any, values: Any = 0.0) -> np.ndarray:
    """The rule's own bodies on Python floats, at one rate or a rate a step, on given gradients and values of the function."""
    values = np.broadcast_to(values, len(gradients)).tolist()
    return walked(
        tag, x0, lambda t, w: (values[t - 1], gradients[t - 1].tolist()), np.broadcast_to(rate, len(gradients)).tolist()
    )


def walked(tag: Any, x0: Any, function: Callable[[int, list], tuple[float, list]], rates: Sequence[float]) -> np.ndarray:
    """The points that a rule's own bodies visit, weight by weight: `function` gives its value and gradient at step t and w."""
    w, path, looking = [float(x) for x in x0], [np.array(x0, np.float64)], looker(tag)
    states = [tuple(x if value is None else value for value in start_of(tag)) for x in w]
    kept: Any = start_of_kept(looking) if looking is not None else ()
    shared: tuple = ()
    for t, rate in enumerate(rates, start=1):
        value, g = function(t, w)
        given = [(w[j], g[j], states[j], rate, float(t)) for j in range(len(w))]
        if looking is not None:
            parts = [reduce(tag, *one, kept) for one in given]
            shared = (combine(tag, tuple(map(sum, zip(*parts, strict=True))), value, kept, rate, float(t)),)
        for j, one in enumerate(given):
            w[j], states[j] = step(tag, *one, *shared)
        path.append(np.array(w))
    return np.array(path)


def landscape(tag: Any) -> Case:
    """A landscape's values and gradients along a short descent."""
    start = np.array(getattr(tag, "start", (0.5,) * (tag.dimension or 2)), dtype=float)

    def ours() -> np.ndarray:
        path = paths.minimize(tag, start, "gd", 1e-4, 50)
        return np.column_stack([path.value, path.gradient])

    def theirs() -> np.ndarray:
        found = []
        for x in paths.minimize(tag, start, "gd", 1e-4, 50).x:
            g = np.zeros_like(x)
            gradient_of(tag, x, g)
            found.append([value_of(tag, x), *g])
        return np.array(found)

    return case(f"landscape {draws.described(tag)}", "value and gradient at 51 points", ours, theirs)


def loss(tag: Any) -> Case:
    """A loss in plain descent, row by row."""
    X, y = draws.table(tag.domain)
    classes = int(y.max()) + 1 if tag.domain == "class" else 1
    solver = {"loss": tag, "variant": "stochastic", "shuffle": "none", "learning_rate": Constant(0.05)}

    def theirs() -> np.ndarray:
        w = np.zeros((classes, X.shape[1] + 1))
        path = [w.copy()]
        for t in range(STEPS):
            row, target = np.append(X[t % len(y)], 1.0), float(y[t % len(y)])
            z, c = w @ row, np.empty(classes)
            derive_group(tag, z, target, c, 0, classes)
            value_group(tag, z, target, 0, classes)
            w -= 0.05 * np.outer(c, row)
            path.append(w.copy())
        return np.array(path)

    return case(f"loss {draws.described(tag)}", f"weights after each of {STEPS} steps", lambda: steps_of(X, y, **solver), theirs)
