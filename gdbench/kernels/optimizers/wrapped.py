"""What a rule that wraps another one hands on to it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from gdbench.errors import GdbenchError
from gdbench.kernels.members import start_of
from gdbench.kernels.optimizers import loop_form, step
from gdbench.kernels.registry import name_of


class Inner:
    """An attribute of the wrapped rule: missing where that has none, and from the class, which wraps nothing yet.

    Parameters
    ----------
    name : str
    """

    def __init__(self, name: str):
        self.name = name

    def __get__(self, tag: Any, cls: type) -> Any:
        if tag is None:
            raise AttributeError(f"{cls.__name__} has no attribute {self.name!r}")
        return getattr(tag.rule, self.name)


def wrapper(cls: type) -> type:
    """Give a NamedTuple with the field ``rule`` what that rule has, apart from what the class has itself.

    Its attribute ``role`` says what it does. Of two that do the same, one would be silent, so they are refused.
    """
    own = vars(cls)
    for name, handed in HANDED_ON.items():
        if name not in own:
            setattr(cls, name, handed)
    return cls


def layers(rule: Any) -> Iterator[Any]:
    """A rule and those that it wraps, outermost first."""
    yield rule
    if hasattr(rule, "rule"):
        yield from layers(rule.rule)


def _start(self):
    return start_of(self.rule)


def _form(self):
    return self._replace(rule=loop_form(self.rule))


def _step(self, w, g, state, rate, t, *shared):
    return step(self.rule, w, g, state, rate, t, *shared)


def _check(self):
    for inner in layers(self.rule):
        if getattr(inner, "role", "") == self.role:
            raise GdbenchError(f"optimizer {name_of(self)} cannot wrap {name_of(inner)}: both {self.role}")
        if getattr(self, "scales_steps", False) and hasattr(inner, "result"):
            raise GdbenchError(
                f"optimizer {name_of(self)} cannot wrap {name_of(inner)}, which averages: wrap the other way round"
            )
    looking = [layer for layer in layers(loop_form(self)) if hasattr(type(layer), "combine")]
    if len(looking) > 1:
        one, other = map(name_of, looking[:2])
        clip = "; clip by value, not by norm" if "clipped" in (one, other) else ""
        raise GdbenchError(f"optimizer {one} cannot wrap {other}: both look at the whole model{clip}")


#: By name; the bodies among them are compiled as a rule's own are.
HANDED_ON = {
    "parts": ("rule",),
    "slots": property(lambda self: self.rule.slots),
    "start": _start,
    "form": _form,
    "step": _step,
    "result": Inner("result"),
    "estimator": Inner("estimator"),
    "check": _check,
}
