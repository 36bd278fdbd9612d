"""A page on which optimizers walk down landscapes, side by side, step by step."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from markupsafe import Markup

from gdbench.analysis.view import optimizer_name
from gdbench.errors import GdbenchError
from gdbench.kernels import landscapes
from gdbench.kernels.registry import name_of
from gdbench.report import page, style, words
from gdbench.solve.paths import Path, minimize

OPTIMIZERS = ("gd", "momentum", "nesterov", "rmsprop", "adam")
RATES = (0.0001, 0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1.0)
STEPS = 200

#: Points along each side of the map.
SIDE = 81

#: A path that leaves the map by so many times its size is cut.
FAR = 2.0


@dataclass(frozen=True)
class Walk:
    """One optimizer at one learning rate.

    Attributes
    ----------
    optimizer : str
    rate : float
    path : Path
    shown : int
        Points before the path leaves the surroundings of the map.
    """

    optimizer: str
    rate: float
    path: Path
    shown: int

    @property
    def left(self) -> bool:
        """Whether it left the map."""
        return self.shown < len(self.path.value)

    @property
    def final(self) -> float:
        """The highest value of its last tenth, so that a bounce is no end; inf where it diverged."""
        tail = self.path.value[-max(1, len(self.path.value) // 10) :]
        return math.inf if self.path.status == "diverged" else float(tail.max())


@dataclass(frozen=True)
class Scene:
    """A landscape with the walks over it.

    Attributes
    ----------
    name, title : str
    box : list of (low, high)
    axes : list of ndarray
        The map's coordinates in each dimension.
    value : ndarray
        The function over the map; rows are the second dimension.
    minima, saddles : list of point
        The known ones; minima with their values, global ones first.
    lowest : float
        The smallest known value.
    walks : list of Walk
    """

    name: str
    title: str
    start: list[float]
    box: list[tuple[float, float]]
    axes: list[np.ndarray]
    value: np.ndarray
    minima: list[tuple[list[float], float]]
    saddles: list[list[float]]
    lowest: float
    walks: list[Walk]

    def best(self, optimizer: str) -> Walk:
        """An optimizer's walk at the rate that ends lowest, of equals the soonest; without minima, that leaves first."""
        mine = [walk for walk in self.walks if walk.optimizer == optimizer]
        if not self.minima:
            return min(mine, key=lambda walk: (walk.shown, walk.rate))
        return min(mine, key=lambda walk: (round(walk.final - self.lowest, 9), _area(walk, self.lowest)))

    @property
    def optimizers(self) -> list[str]:
        """The optimizers, in order."""
        return list(dict.fromkeys(walk.optimizer for walk in self.walks))


def _area(walk: Walk, lowest: float) -> float:
    return float(np.sum(walk.path.value[: walk.shown] - lowest)) if walk.path.status != "diverged" else math.inf


def scene(
    name: Any,
    optimizers: Sequence[str] = OPTIMIZERS,
    start: Sequence[float] | None = None,
    learning_rates: Sequence[float] = RATES,
    steps: int = STEPS,
) -> Scene:
    """Walk over one landscape with each optimizer at each learning rate.

    Parameters
    ----------
    name : str or tag
        A landscape of one or two dimensions.
    optimizers : sequence of str
    start : sequence of float, optional
        Where all begin; the landscape's own start by default.
    learning_rates : sequence of float
        Those that can be chosen.
    steps : int, default 200

    Returns
    -------
    Scene

    Raises
    ------
    GdbenchError
        Unknown names, a landscape of more than two dimensions.
    """
    place = landscapes.registry.make(name)
    begin = [float(v) for v in (place.start if start is None else start)]
    d = len(begin)
    if d > 2 or place.dimension not in (None, d):
        wanted = place.dimension or "one or two"
        raise GdbenchError(f"{name_of(place)} is shown in {wanted} dimensions, but the start has {d}")
    sides = [place.box[min(j, len(place.box) - 1)] for j in range(d)]
    box = [(float(low), float(high)) for low, high in sides]
    axes = [np.linspace(low, high, SIDE if d == 2 else 401) for low, high in box]
    value = over(place, axes)
    minima = [([float(v) for v in x], float(f)) for x, f in _known(place, "minima", d) + _known(place, "local_minima", d)]
    lowest = min([f for _, f in minima], default=float(value.min()))
    walks = [_walk(place, begin, box, optimizer, float(rate), steps) for optimizer in optimizers for rate in learning_rates]
    return Scene(
        name=name_of(place),
        title=name_of(place).replace("-", " ").capitalize(),
        start=begin,
        box=box,
        axes=axes,
        value=value,
        minima=minima,
        saddles=[[float(v) for v in _point(found)] for found in _known(place, "saddles", d)],
        lowest=lowest,
        walks=walks,
    )


def _known(place: Any, kind: str, d: int) -> list[Any]:
    return list(getattr(place, kind)(d)) if hasattr(place, kind) else []


def _point(found: Any) -> np.ndarray:
    """A flat point, with or without its value."""
    return np.asarray(found[0] if isinstance(found, tuple) else found, dtype=float)


def over(place: Any, axes: list[np.ndarray]) -> np.ndarray:
    """The function over the map: (n,) in one dimension, (rows of y, columns of x) in two."""
    if len(axes) == 1:
        return np.array([place.value(np.array([x])) for x in axes[0]])
    return np.array([[place.value(np.array([x, y])) for x in axes[0]] for y in axes[1]])


def _walk(place: Any, start: list[float], box: list[tuple[float, float]], optimizer: str, rate: float, steps: int) -> Walk:
    path = minimize(place, start, optimizer, learning_rate=rate, steps=steps)
    low, high = np.array(box).T
    reach = FAR * (high - low)
    near = (path.x >= low - reach) & (path.x <= high + reach) & np.isfinite(path.value)[:, None]
    inside = near.all(axis=1)
    return Walk(optimizer, rate, path, len(inside) if inside.all() else int(np.argmin(inside)))


def html(scenes: Sequence[Scene]) -> str:
    """The page of several scenes."""
    script = Markup((page.TEMPLATES / "landscapes.js").read_text(encoding="utf-8"))
    payload = {"palette": page.palette(), "problems": [_payload(one) for one in scenes]}
    title = "gdbench: " + ", ".join(one.title for one in scenes)
    return page.html(
        "landscapes.html", payload, scenes=scenes, said=said, ends=_spelt_ends, rates=rates, more=script, title=title
    )


def rates(one: Scene) -> list[tuple[float, str]]:
    """The choices of the learning-rate switch."""
    return [(rate, words.rate(rate)) for rate in dict.fromkeys(walk.rate for walk in one.walks)]


def _payload(one: Scene) -> dict[str, Any]:
    spread = float(np.median(one.value)) - one.lowest
    best = {optimizer: one.best(optimizer).rate for optimizer in one.optimizers}
    return {
        "name": one.title,
        "axes": [page.short(axis, 5) for axis in one.axes],
        "value": [page.short(row, 5) for row in np.atleast_2d(one.value)],
        "lowest": one.lowest,
        "smallest": max(1e-4 * spread, 1e-12),
        "start": one.start,
        "minima": [{"x": x, "value": value} for x, value in one.minima],
        "saddles": one.saddles,
        "rates": list(dict.fromkeys(walk.rate for walk in one.walks)),
        "walks": [_walked(walk, walk.rate == best[walk.optimizer]) for walk in one.walks],
    }


def _walked(walk: Walk, best: bool) -> dict[str, Any]:
    colour, mark = style.look(walk.optimizer)
    kept = slice(0, walk.shown)
    return {
        "label": optimizer_name(walk.optimizer),
        "rate": walk.rate,
        "best": best,
        "colour": colour,
        "mark": mark,
        "x": [page.short(column, 5) for column in walk.path.x[kept].T],
        "value": page.short(walk.path.value[kept], 6),
        "left": walk.left,
    }


def said(one: Scene) -> str:
    """Who ends where, each at its best rate."""
    start = ", ".join(f"{v:g}" for v in one.start)
    walks = [one.best(optimizer) for optimizer in one.optimizers]
    steps = len(walks[0].path.value) - 1
    parts = [f"{optimizer_name(walk.optimizer)} at {words.rate(walk.rate)} {_outcome(one, walk)}" for walk in walks]
    return f"From ({start}), after {words.plural(steps, 'step')}: {'; '.join(parts)}."


def _outcome(one: Scene, walk: Walk) -> str:
    if not one.minima and walk.left:
        return f"leaves the map at step {walk.shown}"
    if walk.path.status == "diverged":
        return "diverged"
    x = walk.path.x[-1]
    for point, value in one.minima:
        if np.abs(np.asarray(point) - x).max() < 0.05:
            kind = "the global minimum" if value <= one.lowest + 1e-9 else "a local minimum"
            several = sum(v <= one.lowest + 1e-9 for _, v in one.minima) > 1
            kind = "a global minimum" if several and kind == "the global minimum" else kind
            return f"is at {kind}"
    if any(np.abs(np.asarray(point) - x).max() < 0.05 for point in one.saddles):
        return "is still at the saddle"
    return f"is at f = {walk.path.value[-1]:.3g}"


def facts(one: Scene) -> dict[str, Any]:
    """A scene in numbers: where each optimizer, by the name that one types, ends at its best rate.

    Returns
    -------
    dict
        landscape, start, steps, and optimizers, for each: name, learning_rate, status, step, x and f there, outcome. The step
        is the last, or the last near the map where the walk leaves it for good.
    """
    walks = [(optimizer, one.best(optimizer)) for optimizer in one.optimizers]
    return {
        "landscape": one.name,
        "start": one.start,
        "steps": len(walks[0][1].path.value) - 1,
        "optimizers": [{"name": optimizer} | _end(one, walk) for optimizer, walk in walks],
    }


def _end(one: Scene, walk: Walk) -> dict[str, Any]:
    path, last = walk.path, len(walk.path.value) - 1
    gone = path.status == "diverged" or (walk.left and not one.minima)
    step = max(walk.shown, 1) - 1 if gone else last
    place = {"step": step, "x": path.x[step].tolist(), "f": float(path.value[step])}
    return {"learning_rate": walk.rate, "status": path.status} | place | {"outcome": _outcome(one, walk)}


def ends(one: Scene) -> list[tuple[str, ...]]:
    """The table of a scene: its facts as text, a row an optimizer."""
    rows: list[tuple[str, ...]] = []
    for end in facts(one)["optimizers"]:
        point = ", ".join(f"{v:.4g}" for v in end["x"])
        rows.append((end["name"], words.rate(end["learning_rate"]), f"({point})", f"{end['f']:.4g}", end["outcome"]))
    return rows


def _spelt_ends(one: Scene) -> list[tuple[str, ...]]:
    """The same for the page, which spells optimizers as their authors do, as a report does."""
    return [(optimizer_name(optimizer), *rest) for optimizer, *rest in ends(one)]


__all__ = ["Scene", "Walk", "facts", "html", "scene"]
