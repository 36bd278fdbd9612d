"""minimize and replay: update rules on landscapes and on given gradients."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from gdbench.errors import GdbenchError, one_line
from gdbench.kernels import landscapes, optimizers, trajectory
from gdbench.kernels.loops.base import start_at
from gdbench.kernels.optimizers import looks, loop_form
from gdbench.kernels.registry import name_of
from gdbench.kernels.shares import in_whole_steps
from gdbench.kernels.task import Iterate
from gdbench.shown import Shown
from gdbench.solve.own import explained
from gdbench.tasks.gate import as_floats, factors_of, refuse_nonfinite
from gdbench.tasks.memory import refuse_too_large
from gdbench.tasks.setting import real, schedule_of, whole

#: A coordinate beyond this has left for infinity.
FAR = 1e100

#: A path that ends within this distance of a known flat point has reached it.
NEAR = 1e-3

#: The most numbers in a path, steps times dimensions: 0.8 GB for the points, and as much for the gradients.
LARGEST_PATH = 10**8

#: Up to this dimension, an end that is no known point is judged by its second derivatives.
MOST_JUDGED = 64


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
class Path(Shown):
    """The way an optimizer took.

    Attributes
    ----------
    x : ndarray of shape (steps + 1, d)
    value : ndarray of shape (steps + 1,)
    gradient : ndarray of shape (steps + 1, d)
        Exact, also where the steps were noisy.
    status : {"converged", "budget", "diverged"}
        Converged: the last gradient's norm is at most `tol`.
    reason : str
    minimum : int or None
        Which of the landscape's ``minima(d)``, its global minima, the path ended at (within 1e-3), if any; from 0.
    reached : str or None
        The same in words, local minima and saddle points included: "global minimum 1 of 4 at (3, 2)", "saddle
        point at (0, 0)". A point that the landscape doesn't list is named by its second derivatives, once the path has
        converged.
    """

    x: np.ndarray
    value: np.ndarray
    gradient: np.ndarray
    status: str
    reason: str = ""
    minimum: int | None = None
    reached: str | None = None


def replay(optimizer: Any, x0: Any, gradients: Any, learning_rate: Any, values: Any = None) -> np.ndarray:
    """Apply an update rule to given gradients.

    Parameters
    ----------
    optimizer : str or tag
        A name that ``gdbench list optimizers`` shows, or a tag.
    x0 : array of shape (d,)
        The start.
    gradients : array of shape (steps, d)
        One update each.
    learning_rate : float or schedule
        A number is constant.
    values : array of shape (steps,), optional
        The function's value at each gradient's point, for the rules that look at it (``sps``, ``momo``, ``momoadam``).

    Returns
    -------
    ndarray of shape (steps + 1, d)
        The start and the point after each update.

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
    rule = free_rule(optimizers.registry.make(optimizer))
    schedule = schedule_of(learning_rate)
    start = as_point(x0)
    g = as_floats("gradients", gradients)
    if g.ndim != 2 or g.shape[1] != start.size:
        raise GdbenchError(f"gradients must have shape (steps, {start.size}), not {g.shape}")
    refuse_nonfinite("gradients", g)
    refuse_too_large(f"a path of {len(g):,} steps in {start.size:,} dimensions", 16 * g.size)
    return applied(rule, schedule, start, g.astype(np.float64), known_values(rule, values, len(g)))


def known_values(rule: Any, values: Any, steps: int) -> np.ndarray:
    """The function's values, of shape (steps,); of shape (0,) where none are given and the rule does not look at them."""
    if values is None:
        if looks(rule, "by_loss"):
            raise GdbenchError(f"optimizer {name_of(rule)} looks at the function's value: give values, one for each gradient")
        return np.empty(0)
    found = as_floats("values", values).astype(np.float64)
    if found.shape != (steps,):
        raise GdbenchError(f"values must have shape ({steps},), not {found.shape}")
    refuse_nonfinite("values", found)
    return found


def applied(rule: Any, schedule: Any, start: np.ndarray, gradients: np.ndarray, values: np.ndarray) -> np.ndarray:
    """The points of `replay`, from checked arguments."""
    rates = rates_for(schedule, len(gradients))
    path = np.empty((len(gradients) + 1, start.size))
    path[0] = start
    with explained(rule):
        trajectory.replay(rule, begin(rule, start), gradients, values, rates, 1, path[1:])
    return path


def minimize(
    landscape: Any,
    x0: Any = None,
    optimizer: Any = "gd",
    learning_rate: Any = 0.1,
    steps: int = 100,
    tol: float = 1e-8,
    noise: float = 0.0,
    seed: int = 0,
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
        A name that ``gdbench list optimizers`` shows, or a tag.
    learning_rate : float or schedule, default 0.1
        A number is constant; ``gdbench list schedules`` names the schedules.
    steps : int, default 100
        Steps, at most.
    tol : float, default 1e-8
        Gradient norm at which the path counts as converged.
    noise : float, default 0.0
        Standard deviation of the Gaussian noise added to each component of each step's gradient.
    seed : int, default 0
        Of the noise.
    **options
        Fields of the optimizer, or of the named landscape.

    Returns
    -------
    Path
        Each point with its value and gradient, and where it ended.

    Raises
    ------
    GdbenchError
        Unknown names, a start of the wrong dimension. Divergence is a status, not an error.

    Examples
    --------
    >>> import gdbench as gd
    >>> gd.minimize("parabola", [10.0], "gd", learning_rate=0.1, steps=3).x.ravel().round(12).tolist()
    [10.0, 8.0, 6.4, 5.12]
    >>> gd.minimize("himmelblau", [4.0, 1.0], "adam", steps=500).reached
    'global minimum 1 of 4 at (3, 2)'
    """
    place, rule = resolved(landscape, optimizer, options)
    rule = free_rule(rule)
    schedule = schedule_of(learning_rate)
    tol = real("tol", tol, 0.0, math.inf)
    start = as_point(getattr(place, "start", None) if x0 is None else x0)
    check_dimension(place, start.size)
    steps = whole("steps", steps, 0, LARGEST_PATH // start.size)
    refuse_too_large(f"a path of {steps:,} steps in {start.size:,} dimensions", 8 * (steps + 1) * (3 * start.size + 4))
    rates = rates_for(schedule, steps)
    jolts = noise_for(noise, seed, steps, start.size)
    x, values = np.empty((steps + 1, start.size)), np.empty(steps + 1)
    gradients = np.empty_like(x)
    with np.errstate(all="ignore"), explained(rule, place):
        walk = _walk_python if isinstance(place, Landscape) else trajectory.minimize
        walk(place, rule, begin(rule, start), rates, jolts, x, values, gradients)
        return judged(place, x, values, gradients, tol, may_rise=jolts.size > 0)


def resolved(landscape: Any, optimizer: Any, options: dict[str, Any]) -> tuple[Any, Any]:
    """The landscape and the optimizer, each with the options that are its fields."""
    if isinstance(landscape, Landscape):
        if not (callable(landscape.value) and callable(landscape.gradient)):
            raise GdbenchError("a Landscape needs two functions of x: value and gradient")
        return landscape, optimizers.registry.make(optimizer, **options)
    cls = landscapes.registry[landscape] if isinstance(landscape, str) else type(landscape)
    own = {name: options.pop(name) for name in list(options) if name in getattr(cls, "_fields", ())}
    return landscapes.registry.make(landscape, **own), optimizers.registry.make(optimizer, **options)


def _walk_python(
    place: Landscape,
    rule: Any,
    iterate: Iterate,
    rates: np.ndarray,
    noise: np.ndarray,
    x: np.ndarray,
    values: np.ndarray,
    gradients: np.ndarray,
) -> None:
    """The loop of the kernel `minimize`, calling a user's Python functions."""
    d = x.shape[1]
    for s in range(len(rates) + 1):
        x[s] = iterate.w[0]
        values[s] = called("value", place.value, x[s], 1)[0]
        gradients[s] = called("gradient", place.gradient, x[s], d)
        if s < len(rates):
            given = gradients[s : s + 1] + noise[s] if noise.size else gradients[s : s + 1]
            trajectory.replay(rule, iterate, given, values[s : s + 1], rates[s : s + 1], s + 1, np.empty((1, d)))


def called(name: str, function: Callable, x: np.ndarray, size: int) -> np.ndarray:
    """What a user's function of a point returns: `size` numbers, NaN where Python's own floats overflow."""
    try:
        found = np.asarray(function(x.copy()))
    except OverflowError:
        return np.full(size, math.nan)
    except GdbenchError:
        raise
    except Exception as error:
        raise GdbenchError(f"{name}(x) raised {type(error).__name__}: {one_line(error)}") from error
    wanted = "one number" if size == 1 else f"{size} numbers"
    if found.dtype.kind not in "fiu" or found.size != size:
        raise GdbenchError(f"{name}(x) must return {wanted}, not {shown(found)}")
    return found.astype(np.float64).reshape(size)


def shown(found: np.ndarray) -> str:
    """An array in a message: itself if it is short, else its shape."""
    text = " ".join(repr(found.tolist()).split()) if found.size <= 20 else ""
    return text if 0 < len(text) <= 60 else f"an array of shape {found.shape} and type {found.dtype}"


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
        raise GdbenchError(f"landscape {name_of(place)} has {wanted} dimensions, but x0 has {d}")
    least = getattr(place, "least", 1)
    if d < least:
        raise GdbenchError(f"landscape {name_of(place)} needs at least {least} dimensions, but x0 has {d}")


def free_rule(rule: Any) -> Any:
    """The rule as the loops run it, if it needs no data."""
    if hasattr(rule, "estimator"):
        raise GdbenchError(f"optimizer {rule.estimator} remembers the gradients of rows: it needs the data of fit")
    return loop_form(rule)


def rates_for(schedule: Any, steps: int) -> np.ndarray:
    """The learning rate of each step from 1."""
    if getattr(schedule, "listens", ""):
        raise GdbenchError(f"schedule {name_of(schedule)} listens to the objective of fit: give one of the step alone")
    schedule = in_whole_steps(schedule, steps)
    factors = factors_of(schedule, np.arange(1, steps + 1, dtype=np.float64), np.float64)
    with np.errstate(all="ignore"):
        rates = schedule.learning_rate * factors
    if not np.isfinite(rates).all():
        raise GdbenchError(f"schedule {name_of(schedule)} gives rates that are not finite: give all of its fields")
    return rates


def noise_for(noise: Any, seed: Any, steps: int, d: int) -> np.ndarray:
    """The Gaussian noise of each step's gradient, of shape (steps, d); of shape (0, 0) for none."""
    scale, seed = real("noise", noise, 0.0, math.inf), whole("seed", seed, 0)
    if math.isinf(scale):
        raise GdbenchError("noise must be finite")
    return scale * np.random.default_rng(seed).standard_normal((steps, d)) if scale else np.empty((0, 0))


def begin(rule: Any, start: np.ndarray) -> Iterate:
    """The iterate of one output at its start."""
    return start_at(start.astype(np.float64).reshape(1, -1).copy(), rule)


def judged(place: Any, x: np.ndarray, values: np.ndarray, gradients: np.ndarray, tol: float, may_rise: bool = False) -> Path:
    """The path with its verdict; with `may_rise` an end above the start is no divergence."""
    sound = np.isfinite(values) & np.isfinite(x).all(axis=1) & np.isfinite(gradients).all(axis=1)
    sound &= np.abs(x).max(axis=1) < FAR
    if not sound.all():
        bad = int(np.argmin(sound))
        return Path(x, values, gradients, "diverged", f"left for infinity at step {bad}")
    norm = math.sqrt(float(gradients[-1] @ gradients[-1]))
    if norm > tol and values[-1] > values[0] and not may_rise:
        return Path(x, values, gradients, "diverged", "ended above the value it started from")
    status = "converged" if norm <= tol else "budget"
    kind, index, point = end_of(place, x[-1], status == "converged")
    minimum = index if kind == "global minimum" else None
    return Path(x, values, gradients, status, "", minimum, in_words(place, kind, index, point) if kind else None)


def end_of(place: Any, x: np.ndarray, converged: bool) -> tuple[str, int, np.ndarray]:
    """The kind of flat point that x is near to, its number among those of its kind, and the point; "" for none."""
    for kind, method in FLAT.items():
        points = [point for point, _ in getattr(place, method, _none)(x.size)]
        distances = [float(np.abs(point - x).max()) for point in points]
        if distances and min(distances) < NEAR:
            index = int(np.argmin(distances))
            return kind, index, points[index]
    return (by_curvature(place, x), 0, x) if converged and x.size <= MOST_JUDGED else ("", 0, x)


FLAT = {"global minimum": "minima", "local minimum": "local_minima", "saddle point": "saddles"}


def _none(d: int) -> list:
    return []


def in_words(place: Any, kind: str, index: int, point: np.ndarray) -> str:
    """The flat point by name and place."""
    number = len(place.minima(point.size)) if kind == "global minimum" else 1
    which = f" {index + 1} of {number}" if number > 1 else ""
    coordinates = [f"{value:.4g}" for value in point[:4].round(4) + 0.0] + ["..."] * (point.size > 4)
    return f"{kind}{which} at ({', '.join(coordinates)})"


def by_curvature(place: Any, x: np.ndarray) -> str:
    """The kind of an unlisted flat point, from central differences of the gradient."""
    h = 1e-5 * max(1.0, float(np.abs(x).max()))
    sides = [(gradient_at(place, x + h * e), gradient_at(place, x - h * e)) for e in np.eye(x.size)]
    curvature = np.array([(up - down) / (2 * h) for up, down in sides])
    if not np.isfinite(curvature).all():
        return ""
    bends = np.linalg.eigvalsh((curvature + curvature.T) / 2)
    small = 1e-10 * float(np.abs(bends).max())
    if bends[0] > small:
        return "local minimum" if getattr(place, "minima", _none)(x.size) else "minimum"
    if bends[0] < -small:
        return "saddle point" if bends[-1] > small else "maximum" if bends[-1] < -small else "flat point"
    return "flat point"


def gradient_at(place: Any, x: np.ndarray) -> np.ndarray:
    """The gradient of any landscape at a point, in plain Python."""
    if isinstance(place, Landscape):
        return called("gradient", place.gradient, x, x.size)
    g = np.empty_like(x)
    place.gradient(x, g)
    return g


__all__ = ["Landscape", "Path", "minimize", "replay"]
