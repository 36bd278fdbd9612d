"""minimize and replay: update rules on landscapes and on given gradients."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from gdbench.errors import GdbenchError
from gdbench.kernels import landscapes, optimizers, trajectory
from gdbench.kernels.task import Iterate
from gdbench.solve.descent import start_at
from gdbench.solve.inputs import as_floats, refuse_nonfinite
from gdbench.solve.setting import loop_form, schedule_of, whole

#: A coordinate beyond this has left for infinity.
FAR = 1e100


@dataclass(frozen=True)
class Landscape:
    """A function to minimise, from plain or jitted Python functions of a point x of shape (d,).

    Attributes
    ----------
    value : callable
        x → f(x).
    gradient : callable
        x → ∇f(x) of shape (d,).
    """

    value: Callable[[np.ndarray], float]
    gradient: Callable[[np.ndarray], np.ndarray]


@dataclass(frozen=True)
class Path:
    """The way an optimizer took.

    Attributes
    ----------
    x : ndarray of shape (steps + 1, d)
    value : ndarray of shape (steps + 1,)
    gradient : ndarray of shape (steps + 1, d)
    status : {"converged", "budget", "diverged"}
        Converged: the last gradient's norm is at most `tol`.
    reason : str
    minimum : int or None
        Which of the landscape's known minima the path ended at (within 1e-3), if any.
    """

    x: np.ndarray
    value: np.ndarray
    gradient: np.ndarray
    status: str
    reason: str = ""
    minimum: int | None = None


def replay(optimizer: Any, x0: Any, gradients: Any, learning_rate: Any) -> np.ndarray:
    """Apply an update rule to given gradients.

    Parameters
    ----------
    optimizer : str or tag
    x0 : array of shape (d,)
    gradients : array of shape (steps, d)
        One update each.
    learning_rate : float or schedule

    Returns
    -------
    ndarray of shape (steps + 1, d)
        x0 and the point after each update.

    Raises
    ------
    GdbenchError
        Shapes that do not fit, values that are not finite, unknown names.

    Examples
    --------
    >>> import gdbench as gd
    >>> gd.replay("momentum", [1.0], [[1.0], [1.0]], 0.1).ravel().round(3).tolist()
    [1.0, 0.9, 0.71]
    """
    rule = loop_form(optimizers.registry.make(optimizer))
    schedule = schedule_of(learning_rate)
    start = as_point(x0)
    g = as_floats("gradients", gradients)
    if g.ndim != 2 or g.shape[1] != start.size:
        raise GdbenchError(f"gradients must have shape (steps, {start.size}), not {g.shape}")
    refuse_nonfinite("gradients", g)
    return applied(rule, schedule, start, g.astype(np.float64))


def applied(rule: Any, schedule: Any, start: np.ndarray, gradients: np.ndarray) -> np.ndarray:
    """The points of `replay`, from checked arguments."""
    rates = rates_for(schedule, len(gradients))
    path = np.empty((len(gradients) + 1, start.size))
    path[0] = start
    trajectory.replay(rule, begin(rule, start), gradients, rates, 1, path[1:])
    return path


def minimize(
    landscape: Any,
    x0: Any = None,
    optimizer: Any = "gd",
    learning_rate: Any = 0.1,
    steps: int = 100,
    tol: float = 1e-8,
    **options: Any,
) -> Path:
    """Descend on a landscape.

    Parameters
    ----------
    landscape : str, tag or Landscape
        A name, or ``gd.Landscape(value=f, gradient=g)`` of plain or jitted functions of x.
    x0 : array of shape (d,), optional
        The start; a named landscape's own by default.
    optimizer : str or tag, default "gd"
    learning_rate : float or schedule, default 0.1
    steps : int, default 100
    tol : float, default 1e-8
        Gradient norm at which the path counts as converged.
    **options
        Fields of the optimizer, or of the named landscape.

    Returns
    -------
    Path

    Raises
    ------
    GdbenchError
        Unknown names, a start of the wrong dimension. Divergence is a status, not an error.

    Examples
    --------
    >>> import gdbench as gd
    >>> gd.minimize("parabola", [10.0], "gd", learning_rate=0.1, steps=3).x.ravel().round(12).tolist()
    [10.0, 8.0, 6.4, 5.12]
    """
    place, rule = resolved(landscape, optimizer, options)
    rule = loop_form(rule)
    schedule = schedule_of(learning_rate)
    steps = whole("steps", steps, 0)
    start = as_point(getattr(place, "start", None) if x0 is None else x0)
    check_dimension(place, start.size)
    rates = rates_for(schedule, steps)
    x, values = np.empty((steps + 1, start.size)), np.empty(steps + 1)
    gradients = np.empty_like(x)
    with np.errstate(all="ignore"):
        walk = _walk_python if isinstance(place, Landscape) else trajectory.minimize
        walk(place, rule, begin(rule, start), rates, x, values, gradients)
    return judged(place, x, values, gradients, tol)


def resolved(landscape: Any, optimizer: Any, options: dict[str, Any]) -> tuple[Any, Any]:
    """The landscape and the optimizer, each with the options that are its fields."""
    if isinstance(landscape, Landscape):
        return landscape, optimizers.registry.make(optimizer, **options)
    cls = landscapes.registry[landscape] if isinstance(landscape, str) else type(landscape)
    own = {name: options.pop(name) for name in list(options) if name in getattr(cls, "_fields", ())}
    return landscapes.registry.make(landscape, **own), optimizers.registry.make(optimizer, **options)


def _walk_python(place: Landscape, rule: Any, iterate: Iterate, rates, x, values, gradients) -> None:
    """The loop of the kernel `minimize`, calling a user's Python functions."""
    for s in range(len(rates) + 1):
        x[s] = iterate.w[0]
        values[s] = as_scalar(place.value(x[s].copy()))
        gradients[s] = as_gradient(place.gradient(x[s].copy()), x.shape[1])
        if s < len(rates):
            trajectory.replay(rule, iterate, gradients[s : s + 1], rates[s : s + 1], s + 1, np.empty((1, x.shape[1])))


def as_scalar(found: Any) -> float:
    """What a user's value function returned, as a number."""
    try:
        return float(np.asarray(found, dtype=np.float64).reshape(()))
    except (TypeError, ValueError):
        raise GdbenchError(f"value(x) must return one number, not {found!r}") from None


def as_gradient(found: Any, d: int) -> np.ndarray:
    """What a user's gradient function returned, as an array of shape (d,)."""
    try:
        return np.asarray(found, dtype=np.float64).reshape(d)
    except (TypeError, ValueError):
        raise GdbenchError(f"gradient(x) must return {d} numbers, not {found!r}") from None


def as_point(x0: Any) -> np.ndarray:
    """A start as a new float64 array of shape (d,)."""
    if x0 is None:
        raise GdbenchError("x0 is needed: a start of shape (d,)")
    start = np.atleast_1d(as_floats("x0", x0)).astype(np.float64)
    if start.ndim != 1 or start.size == 0:
        raise GdbenchError(f"x0 must have one dimension and at least one value, not shape {start.shape}")
    refuse_nonfinite("x0", start)
    return start


def check_dimension(place: Any, d: int) -> None:
    """Raise where a landscape of fixed dimension is started elsewhere."""
    wanted = getattr(place, "dimension", None)
    if wanted is not None and wanted != d:
        raise GdbenchError(f"this landscape has {wanted} dimensions, but x0 has {d}")


def rates_for(schedule: Any, steps: int) -> np.ndarray:
    """The learning rate of each step from 1."""
    return schedule.learning_rate * schedule.factor(np.arange(1, steps + 1, dtype=np.float64))


def begin(rule: Any, start: np.ndarray) -> Iterate:
    """The iterate of one output at its start."""
    return start_at(start.astype(np.float64).reshape(1, -1).copy(), rule)


def judged(place: Any, x: np.ndarray, values: np.ndarray, gradients: np.ndarray, tol: float) -> Path:
    """The path with its verdict."""
    sound = np.isfinite(values) & np.isfinite(x).all(axis=1) & np.isfinite(gradients).all(axis=1)
    sound &= np.abs(x).max(axis=1) < FAR
    if not sound.all():
        bad = int(np.argmin(sound))
        return Path(x, values, gradients, "diverged", f"left for infinity at step {bad}")
    norm = math.sqrt(float(gradients[-1] @ gradients[-1]))
    if norm > tol and len(values) > 1 and values[-1] > values[0]:
        return Path(x, values, gradients, "diverged", "ended above the value it started from")
    return Path(x, values, gradients, "converged" if norm <= tol else "budget", "", reached(place, x[-1]))


def reached(place: Any, x: np.ndarray) -> int | None:
    """The index of the known minimum within 1e-3 of x."""
    if not hasattr(place, "minima"):
        return None
    distances = [float(np.abs(point - x).max()) for point, _ in place.minima(x.size)]
    return int(np.argmin(distances)) if distances and min(distances) < 1e-3 else None


__all__ = ["Landscape", "Path", "minimize", "replay"]
