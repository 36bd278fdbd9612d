"""gdbench measures gradient descent: which variant, optimizer and rate reaches the minimum soonest, and at what cost.

>>> import gdbench as gd
>>> path = gd.minimize("parabola", [10.0], "gd", learning_rate=0.1, steps=10)
>>> round(float(path.x[-1, 0]), 12)
1.073741824
"""

from gdbench.errors import DatasetUnavailable, GdbenchError
from gdbench.kernels import landscapes, losses, optimizers, penalties, schedules
from gdbench.problems import Problem, load_problem
from gdbench.solve.fit import Fit, Sweep, fit, sweep
from gdbench.solve.paths import Landscape, Path, minimize, replay
from gdbench.tasks.model import MLP

__version__ = "0.1.0"

__all__ = [
    "MLP",
    "DatasetUnavailable",
    "Fit",
    "GDClassifier",
    "GDRegressor",
    "GdbenchError",
    "Landscape",
    "Path",
    "Problem",
    "Sweep",
    "fit",
    "landscapes",
    "load_problem",
    "losses",
    "minimize",
    "optimizers",
    "penalties",
    "replay",
    "schedules",
    "sweep",
]


def __getattr__(name: str) -> type:
    """The estimators, which bring scikit-learn along, on first use."""
    if name in ("GDRegressor", "GDClassifier"):
        from gdbench import estimators

        return getattr(estimators, name)
    raise AttributeError(f"module 'gdbench' has no attribute {name!r}")
