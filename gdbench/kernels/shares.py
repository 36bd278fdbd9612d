"""Numbers of steps that are told as shares of a run's own steps, for a run's length is known only with its data and budget.

A tag names the fields that count steps in its class's ``in_steps``, such as ``in_steps = ("every",)``. Such a field takes a
whole number of steps, or a float in (0, 1], the share: 1 is one step, 1.0 all steps of the run.
"""

from __future__ import annotations

import numbers
from collections.abc import Iterable
from typing import Any

from gdbench.errors import GdbenchError


class Share(float):
    """A share of a run's steps, which no whole number equals: ``Share(1.0) != 1``, for that is one step."""

    __slots__ = ()
    __hash__ = float.__hash__

    def __eq__(self, other: object) -> bool:
        return isinstance(other, float) and float(self) == float(other)

    def __ne__(self, other: object) -> bool:
        return not self == other

    def __str__(self) -> str:
        return format(self)

    def __format__(self, spec: str) -> str:
        return f"{format(100 * float(self), spec or 'g')}%"


def steps_or_share(value: Any, label: str) -> int | Share:
    """`value` as whole steps, at least 1, or as a share of a run's steps.

    Raises
    ------
    GdbenchError
        It is neither.
    """
    choice = "or a share of the run's steps, a float in (0, 1]"
    if isinstance(value, bool) or not isinstance(value, numbers.Real):
        raise GdbenchError(f"{label} must be a number of steps, {choice}, not {value!r}")
    if not isinstance(value, numbers.Integral) and 0.0 < float(value) <= 1.0:
        return Share(value)
    if not float(value) >= 1.0:
        raise GdbenchError(f"{label} must lie in [1, inf), {choice}, not {value!r}")
    if value == float("inf") or value != int(value):  # type: ignore[call-overload]
        raise GdbenchError(f"{label} must be a whole number of steps, {choice}, not {value!r}")
    return int(value)  # type: ignore[call-overload]


def marked(cls: Any, fields: Iterable[tuple[str, Any]]) -> tuple[tuple[str, Any], ...]:
    """Fields of a class by name, with shares told from other numbers."""
    counted = getattr(cls, "in_steps", ())
    return tuple((name, steps_or_share(value, name) if name in counted else value) for name, value in fields)


def in_whole_steps(tag: Any, steps: int) -> Any:
    """The tag for a run of so many steps: each share is whole steps, at least one.

    The steps of a part (a schedule after another) count from the end of the tag's own, and its shares are of those left.
    """
    cls = type(tag)
    own = {name: getattr(tag, name) for name in getattr(cls, "in_steps", ())}
    whole = {name: max(1, round(value * steps)) if isinstance(value, float) else value for name, value in own.items()}
    left = max(1, steps - max(whole.values(), default=0))
    parts = {name: getattr(tag, name) for name in getattr(cls, "parts", ()) if hasattr(getattr(tag, name), "_fields")}
    return tag._replace(**whole, **{name: in_whole_steps(part, left) for name, part in parts.items()})


def counted(value: Any) -> Any:
    """A number of steps that a formula can count with.

    Raises
    ------
    GdbenchError
        It is still a share, of a run that is not known here.
    """
    if isinstance(value, float):
        told = f"{Share(value)} of a run's steps is known within a run alone"
        raise GdbenchError(f"{told}: give fit, sweep, minimize or replay the schedule, or give whole steps")
    return value
