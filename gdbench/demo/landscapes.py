"""Local and global minima, and saddle points: where the start and the optimizer decide where descent ends."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from gdbench.demo.show import Picture, Series, Show, Table
from gdbench.solve.paths import Landscape, minimize

TILT = 0.3
WELL = Landscape(
    lambda x: float(x[0] ** 4 - 2 * x[0] ** 2 + TILT * x[0]),
    lambda x: 4 * x**3 - 4 * x + TILT,
)
#: Flat at (0, 0): down along y, up along x. Its minima are at (0, ±1).
SADDLE = Landscape(
    lambda x: float(x[0] ** 2 + x[1] ** 4 / 4 - x[1] ** 2 / 2),
    lambda x: np.array([2 * x[0], x[1] ** 3 - x[1]]),
)
STARTS = (-2.0, -0.5, 0.0, 0.5, 2.0)
WELL_RATE, WELL_STEPS = 0.02, 400
RUNNERS = ("gd", "momentum")
SADDLE_START, SADDLE_RATE, SADDLE_STEPS = (1.0, 1e-6), 0.05, 1000
ESCAPERS = ("gd", "momentum", "nesterov", "rmsprop", "adam")


@dataclass(frozen=True)
class Landing:
    """Where a descent in the double well ends."""

    optimizer: str
    start: float
    end: float
    value: float


@dataclass(frozen=True)
class Escape:
    """A descent that starts beside a saddle point.

    Attributes
    ----------
    optimizer : str
    steps : int or None
        Steps until it is half-way to a minimum, |y| > ½; None if it never is.
    value : ndarray
    """

    optimizer: str
    steps: int | None
    value: np.ndarray


@dataclass(frozen=True)
class Landscapes:
    """The double well and the saddle.

    Attributes
    ----------
    left, right : float
        The global and the local minimum of the double well.
    landings : tuple of Landing
    escapes : tuple of Escape
    stuck : float
        f where gradient descent stays that starts exactly on the ridge, at y = 0.
    """

    left: float
    right: float
    landings: tuple[Landing, ...]
    escapes: tuple[Escape, ...]
    stuck: float


def compute() -> Landscapes:
    """Descend from several starts, with several optimizers."""
    flat = np.sort(np.roots([4.0, 0.0, -4.0, TILT]).real)
    return Landscapes(
        left=float(flat[0]),
        right=float(flat[-1]),
        landings=tuple(landed(name, start) for name in RUNNERS for start in STARTS),
        escapes=tuple(escaped(name) for name in ESCAPERS),
        stuck=float(minimize(SADDLE, [1.0, 0.0], "gd", learning_rate=SADDLE_RATE, steps=SADDLE_STEPS).value[-1]),
    )


def landed(optimizer: str, start: float) -> Landing:
    """One descent in the double well."""
    path = minimize(WELL, [start], optimizer, learning_rate=WELL_RATE, steps=WELL_STEPS)
    return Landing(optimizer, start, float(path.x[-1, 0]), float(path.value[-1]))


def escaped(optimizer: str) -> Escape:
    """One descent from beside the saddle."""
    path = minimize(SADDLE, SADDLE_START, optimizer, learning_rate=SADDLE_RATE, steps=SADDLE_STEPS)
    away = np.abs(path.x[:, 1]) > 0.5
    return Escape(optimizer, int(np.argmax(away)) if away.any() else None, path.value)


def show(numbers: Landscapes) -> Show:
    """The wells and who ends in which; the saddle and who leaves it."""
    n = numbers
    ends = [
        (
            f"{start:g}",
            *(well(n, next(e for e in n.landings if (e.optimizer, e.start) == (name, start))) for name in RUNNERS),
        )
        for start in STARTS
    ]
    x = np.linspace(-2.0, 2.0, 81)
    escapes = [(e.optimizer, "never" if e.steps is None else str(e.steps)) for e in n.escapes]
    shown = range(1, SADDLE_STEPS + 1)
    return Show(
        "landscapes",
        "Local minima, global minima, saddle points",
        [
            f"f(x) = x⁴ − 2x² + {TILT:g}x has two wells: the global minimum at {n.left:.3f} and a local one "
            f"at {n.right:.3f}. Plain gradient descent ends in the well it starts above. Momentum can roll "
            "through: sometimes into the better well, sometimes out of it.",
            Table(f"Where descent ends, α = {WELL_RATE:g}", ("start", *RUNNERS), ends),
            Picture(
                "The double well",
                "x",
                "f(x)",
                [
                    Series("f", x, [WELL.value(np.array([v])) for v in x]),
                    Series("starts", STARTS, [WELL.value(np.array([v])) for v in STARTS], joined=False),
                    Series(
                        "minima",
                        (n.left, n.right),
                        [WELL.value(np.array([v])) for v in (n.left, n.right)],
                        joined=False,
                    ),
                ],
            ),
            "f(x, y) = x² − y²/2 + y⁴/4 has a saddle at (0, 0): the gradient vanishes, but it is no "
            "minimum. Gradient descent that starts exactly on the ridge (y = 0) stays there, at f = "
            f"{abs(round(n.stuck, 9)):g}, for ever; from y = {SADDLE_START[1]:g} it leaves, and the "
            "optimizer decides how soon.",
            Table(f"Steps until |y| > ½, α = {SADDLE_RATE:g}", ("optimizer", "steps"), escapes),
            Picture(
                "Leaving the saddle: the value along the way",
                "step",
                "f(x, y) + ¼",
                [Series(e.optimizer, shown, e.value[1:] + 0.25) for e in n.escapes],
                log_x=True,
            ),
        ],
        n,
    )


def well(n: Landscapes, landing: Landing) -> str:
    """Which minimum that is, and where it ended."""
    name = "global" if abs(landing.end - n.left) < 0.05 else "local" if abs(landing.end - n.right) < 0.05 else "neither"
    return f"{name} ({landing.end:.3f})"
