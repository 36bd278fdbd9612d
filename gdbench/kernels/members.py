"""What a member of each registry must have, checked where a user's own class is registered or first used.

A class from outside gdbench is checked once: its attributes, the arguments of its methods, and one call of each body as plain
Python. A mistake is then told in the author's words, before a compiler sees it.
"""

from __future__ import annotations

import inspect
import numbers
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from gdbench.errors import GdbenchError, one_line
from gdbench.kernels.compile.tags import MOST_SUMS
from gdbench.kernels.shares import in_whole_steps

#: The methods of a member of each kind, with their arguments after ``self``; those that a registry does not name are optional.
ARGUMENTS: dict[str, dict[str, tuple[str, ...]]] = {
    "optimizer": {
        "step": ("w", "g", "state", "rate", "t"),
        "start": (),
        "settle": ("w", "state", "rate", "idle"),
        "reduce": ("w", "g", "state", "rate", "t", "kept"),
        "combine": ("sums", "loss", "kept", "rate", "t"),
        "start_kept": (),
        "form": (),
        "result": ("w", "state"),
    },
    "loss": {
        "value": ("z", "y"),
        "derivative": ("z", "y"),
        "curvature": ("z", "y"),
        "value_group": ("z", "y", "first", "classes"),
        "derive_group": ("z", "y", "c", "first", "classes"),
        "inverse_link": ("z",),
    },
    "penalty": {
        "penalty_value": ("w",),
        "with_penalty": ("g", "w"),
        "after_step": ("w", "rate", "travelled", "memory"),
        "shrinkage": ("rate",),
    },
    "schedule": {"factor": ("t",), "bind": ("loss", "penalty")},
    "landscape": {"value": ("x",), "gradient": ("x", "g"), "minima": ("d",), "local_minima": ("d",), "saddles": ("d",)},
    "shuffle": {"arrange": ("index", "epoch")},
}

#: The attributes and methods, beyond those that a registry names, that a member of each kind needs.
NEEDED: dict[str, dict[str, str]] = {
    "optimizer": {"slots": "the names of the vectors that it remembers; () for none"},
    "loss": {"domain": "the targets that it takes: 'real', 'count' (≥ 0), 'positive', 'sign' (−1 and +1) or 'class' (0 … K−1)"},
    "landscape": {
        "dimension": "the number of dimensions, or None for any",
        "start": "a point to start from",
        "box": "an interval for each dimension, such as ((-2.0, 2.0), (-1.0, 3.0))",
        "minima": "a method minima(self, d) that returns a list of (point, value), [] for none",
    },
}

#: Where the members of each kind are documented.
DOCUMENTED = {
    "optimizer": "help(gd.optimizers)",
    "loss": "help(gd.losses)",
    "penalty": "help(gd.penalties)",
    "schedule": "help(gd.schedules)",
    "landscape": "help(gd.landscapes)",
}

DOMAINS = ("real", "count", "positive", "sign", "class")

#: The scalars with which a body is tried, of the type that the loops have.
ONE, RATE = np.float64(1.0), np.float64(0.1)


def approve(cls: Any, kind: str) -> None:
    """Raise unless a class has what a member of its kind needs; its bodies are called once where its fields have defaults."""
    told = next(_lacking(cls, kind), "")
    if told:
        where = f" (see {DOCUMENTED[kind]})" if kind in DOCUMENTED else ""
        raise GdbenchError(f"your {kind} {cls.__name__} {told}{where}")
    # the defaults of parts stand for members that are still to be given
    if len(cls._field_defaults) == len(cls._fields) and not hasattr(cls, "parts"):
        try_out(cls(), kind)


def _lacking(cls: Any, kind: str) -> Iterator[str]:
    """What a class lacks, or has in another form."""
    for name, meaning in NEEDED.get(kind, {}).items():
        if not hasattr(cls, name):
            yield f"has no {name}: {meaning}"
    for name, wanted in ARGUMENTS.get(kind, {}).items():
        wanted = (*wanted, "shared") if name == "step" and hasattr(cls, "combine") else wanted
        if callable(getattr(cls, name, None)) and not _takes(getattr(cls, name), len(wanted) + 1):
            yield f"has a method {name} of other arguments: it must take ({', '.join(('self', *wanted))})"
    if kind == "optimizer":
        yield from _wrong_slots(cls)
        if hasattr(cls, "combine"):
            yield from _wrong_sums(cls)
    if kind == "penalty":
        yield from _wrong_slots(cls)
        if getattr(cls, "slots", ()) and not hasattr(cls, "after_step"):
            yield "has slots but no method after_step(self, w, rate, travelled, memory) that changes them"
    if kind == "loss":
        yield from _wrong_loss(cls)
    if kind == "schedule" and (not cls._fields or cls._fields[0] != "learning_rate"):
        yield "must have learning_rate as its first field"


def _wrong_slots(cls: Any) -> Iterator[str]:
    slots = getattr(cls, "slots", ())
    if not isinstance(slots, property) and not (isinstance(slots, tuple) and all(isinstance(name, str) for name in slots)):
        yield f"has slots = {slots!r}: they must be a tuple of names, such as ('velocity',)"


def _wrong_sums(cls: Any) -> Iterator[str]:
    if not (hasattr(cls, "reduce") and isinstance(getattr(cls, "sums", None), tuple)):
        yield "has combine, but not both of reduce(self, w, g, state, rate, t, kept) and sums, the names of what reduce returns"
    elif len(cls.sums) > MOST_SUMS:
        yield f"has {len(cls.sums)} sums: at most {MOST_SUMS} are supported"
    elif getattr(cls, "by_layer", False) and getattr(cls, "kept", ()):
        yield "has by_layer and kept: numbers are kept of a whole model only"


def _wrong_loss(cls: Any) -> Iterator[str]:
    if cls.domain not in DOMAINS:
        yield f"has domain = {cls.domain!r}: choose from 'real', 'count', 'positive', 'sign' (−1 and +1), 'class' (0 … K−1)"
    smoothness = getattr(cls, "smoothness", None)
    if isinstance(smoothness, property):
        smoothness = None  # of the fields' values
    if smoothness is not None and not (isinstance(smoothness, (int, float)) and smoothness >= 0):
        yield f"has smoothness = {smoothness!r}: it must be the largest second derivative, or None"
    if cls.domain == "class":
        for name in ("value_group", "derive_group"):
            if not hasattr(cls, name):
                yield f"takes classes, but has no method {name}({', '.join(('self', *ARGUMENTS['loss'][name]))})"


def _takes(function: Any, count: int) -> bool:
    """Whether a function can be called with so many arguments by position; True where that cannot be known."""
    try:
        inspect.signature(function).bind(*range(count))
    except TypeError:
        return False
    except ValueError:
        return True
    return True


def kind_of(tag: Any) -> str:
    """The kind of member that a tag is, by the method that only this kind has; "" for none."""
    return next((kind for kind, (method, _) in TRIALS.items() if hasattr(tag, method)), "")


def try_out(tag: Any, kind: str = "") -> None:
    """Run the bodies of a tag once as plain Python, which names a mistake plainly."""
    kind = kind or kind_of(tag)
    told = f"your {kind or 'class'} {type(tag).__name__} fails"
    try:
        with np.errstate(all="ignore"):
            wrong = TRIALS[kind][1](tag) if kind in TRIALS else ""
    except Exception as error:
        raise GdbenchError(f"{told}: {type(error).__name__}: {one_line(error)}") from error
    if wrong:
        raise GdbenchError(f"{told}: {wrong}")


def start_of(rule: Any) -> tuple:
    """The values of a rule's slots before step 1."""
    return tuple(rule.start()) if hasattr(rule, "start") else (0.0,) * len(rule.slots)


def start_of_kept(rule: Any) -> np.ndarray:
    """The numbers that a rule keeps of the whole model, before step 1."""
    return np.array(rule.start_kept() if hasattr(rule, "start_kept") else (0.0,) * len(getattr(rule, "kept", ())), np.float64)


def _no_number(value: Any) -> bool:
    return isinstance(value, bool) or not isinstance(value, (numbers.Real, np.number))


def _try_optimizer(rule: Any) -> str:
    state = tuple(ONE if value is None else np.float64(value) for value in start_of(rule))
    if len(state) != len(rule.slots):
        return f"start gives {len(state)} values for the {len(rule.slots)} slots {rule.slots}"
    told, shared = _try_sums(rule, state) if hasattr(rule, "combine") else ("", ())
    if told:
        return told
    found = rule.step(ONE, ONE, state, RATE, ONE, *shared)
    if isinstance(found, tuple) and len(found) == 2 and isinstance(found[1], tuple) and len(found[1]) == len(state):
        return ""
    kept = f"({', '.join(rule.slots)}{',' if len(state) == 1 else ''})"
    return f"step must return the new weight and its new state {kept}, not {one_line(repr(found))}"


def _try_sums(rule: Any, state: tuple) -> tuple[str, tuple]:
    """What is wrong with the bodies that look at the whole model, and the further argument of a step."""
    kept = start_of_kept(rule)
    parts = rule.reduce(ONE, ONE, state, RATE, ONE, kept)
    if not (isinstance(parts, tuple) and len(parts) == len(rule.sums)):
        return f"reduce must return a tuple of the sums' parts ({', '.join(rule.sums)}), not {one_line(repr(parts))}", ()
    shared = rule.combine(tuple(map(np.float64, parts)), ONE, kept, RATE, ONE)
    if not isinstance(shared, tuple):
        return f"combine must return a tuple, which step is given, not {one_line(repr(shared))}", ()
    return "", (shared,)


def _try_loss(loss: Any) -> str:
    if hasattr(loss, "value_group"):  # a loss of several margins has other bodies
        c, z = np.full(3, np.nan), np.array([0.1, -0.2, 0.3])
        loss.derive_group(z, ONE, c, 0, 3)
        found = loss.value_group(z, ONE, 0, 3)
        if np.isnan(c).any():
            return "derive_group must write the derivative of each margin to c[first : first + classes]"
        return f"value_group must return a number, not {one_line(repr(found))}" if _no_number(found) else ""
    for name in ("value", "derivative", "curvature"):
        found = getattr(loss, name)(ONE, ONE) if hasattr(loss, name) else 0.0
        if _no_number(found):
            return f"{name} must return a number, not {one_line(repr(found))}"
    return ""


def _try_penalty(penalty: Any) -> str:
    for name, values in (("penalty_value", (ONE,)), ("with_penalty", (ONE, ONE))):
        found = getattr(penalty, name)(*values)
        if _no_number(found):
            return f"{name} must return a number, not {one_line(repr(found))}"
    memory = (ONE,) * len(getattr(penalty, "slots", ()))
    found = penalty.after_step(ONE, RATE, ONE, memory) if hasattr(penalty, "after_step") else (ONE, memory)
    if not (isinstance(found, tuple) and len(found) == 2 and isinstance(found[1], tuple) and len(found[1]) == len(memory)):
        return f"after_step must return the new weight and its {len(memory)} slots as a tuple, not {one_line(repr(found))}"
    return ""


def _try_schedule(schedule: Any) -> str:
    if hasattr(schedule, "bind"):
        return ""  # what it takes from the objective is still missing
    found = np.asarray(in_whole_steps(schedule, 4).factor(np.arange(1.0, 5.0)))
    if found.shape != (4,):
        return f"factor must return an array of t's shape (4,), not of {found.shape}"
    return "" if np.isfinite(found.astype(float)).all() else "factor must return finite numbers"


def _try_landscape(place: Any) -> str:
    x = np.array(getattr(place, "start", np.ones(getattr(place, "dimension", None) or 2)), dtype=float)
    value, g = place.value(x), np.full_like(x, np.nan)
    place.gradient(x, g)
    if _no_number(value):
        return f"value must return a number, not {one_line(repr(value))}"
    return "gradient must write ∂f/∂x to each entry of g" if np.isnan(g).any() else ""


#: How the bodies of a member of each kind are tried, and the method by which a tag is known as one.
TRIALS: dict[str, tuple[str, Callable[[Any], str]]] = {
    "optimizer": ("step", _try_optimizer),
    "loss": ("derivative", _try_loss),
    "penalty": ("with_penalty", _try_penalty),
    "schedule": ("factor", _try_schedule),
    "landscape": ("gradient", _try_landscape),
}
