"""What is wrong with a user's own optimizer, loss or landscape, where the compiler refuses it: in one line, not in its words."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
from numba.core.errors import NumbaError, UnsupportedBytecodeError

from gdbench.errors import GdbenchError, one_line
from gdbench.kernels.compile.jit import foreign_classes
from gdbench.kernels.optimizers.wrapped import start_of

#: The scalars with which a body is tried, of the type that the loops have.
ONE, RATE = np.float64(1.0), np.float64(0.1)


@contextmanager
def explained(*tags: Any) -> Iterator[None]:
    """Say which body from outside gdbench is at fault, and how, where the work inside fails.

    Parameters
    ----------
    *tags : tag
        All that the work compiles: the rule, the task, the landscape.

    Raises
    ------
    GdbenchError
        What a body raises in plain Python; of one that only the compiler refuses, its reason. The work's own error stays as it is
        where no tag is from outside.
    """
    try:
        yield
    except GdbenchError:
        raise
    except Exception as error:
        own = list(own_parts(tags))
        for tag in own:
            try_out(tag)
        if not own or not isinstance(error, (NumbaError, UnsupportedBytecodeError)):
            raise
        raise GdbenchError(f"your {' or '.join(map(named, own))} cannot be compiled: {reason(error)}") from error


def own_parts(value: Any) -> Iterator[Any]:
    """The tags in `value`, itself included, whose classes are from outside gdbench."""
    if isinstance(value, tuple):
        if type(value) in foreign_classes(value):
            yield value
        for part in value:
            yield from own_parts(part)


def try_out(tag: Any) -> None:
    """Run the bodies of a tag once as plain Python, which names a mistake plainly."""
    trial = next((trial for method, trial in TRIALS.items() if hasattr(tag, method)), None)
    try:
        with np.errstate(all="ignore"):
            wrong = trial(tag) if trial else ""
    except Exception as error:
        raise GdbenchError(f"your {named(tag)} fails: {type(error).__name__}: {one_line(error)}") from error
    if wrong:
        raise GdbenchError(f"your {named(tag)} fails: {wrong}")


def named(tag: Any) -> str:
    """The kind of a tag and its class."""
    kinds = {"step": "optimizer", "derivative": "loss", "gradient": "landscape"}
    kind = next((kind for method, kind in kinds.items() if hasattr(tag, method)), "class")
    return f"{kind} {type(tag).__name__}"


def _try_optimizer(rule: Any) -> str:
    state = tuple(ONE if value is None else np.float64(value) for value in start_of(rule))
    found = rule.step(ONE, ONE, state, RATE, ONE)
    if isinstance(found, tuple) and len(found) == 2 and isinstance(found[1], tuple) and len(found[1]) == len(state):
        return ""
    kept = f"({', '.join(rule.slots)}{',' if len(state) == 1 else ''})"
    return f"step must return the new weight and its new state {kept}, not {one_line(repr(found))}"


def _try_loss(loss: Any) -> str:
    if not hasattr(loss, "value_group"):  # a loss of several margins has other bodies
        loss.value(ONE, ONE)
        loss.derivative(ONE, ONE)
    return ""


def _try_landscape(place: Any) -> str:
    x = np.array(getattr(place, "start", np.ones(getattr(place, "dimension", None) or 2)), dtype=float)
    place.value(x)
    place.gradient(x, np.empty_like(x))
    return ""


TRIALS = {"step": _try_optimizer, "derivative": _try_loss, "gradient": _try_landscape}


def reason(error: Exception) -> str:
    """The innermost of the compiler's reasons: its message begins with the loops around the body."""
    inner = re.split(r"Failed in \w+ mode pipeline \(step: [^)]*\)", str(error))[-1]
    lines = [line.strip() for line in inner.splitlines() if line.strip()]
    raised = [line for line in lines if re.match(r"\w+Error: \S", line)]
    return one_line((raised or lines or [""])[0].rstrip(":"))
