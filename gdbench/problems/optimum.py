"""The certified optimum of a convex problem: f*, w*, and why they can be believed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from gdbench.errors import GdbenchError
from gdbench.kernels.loops.objective import objective_and_gradient, second_derivatives
from gdbench.kernels.losses import registry as losses
from gdbench.kernels.penalties import L2, NoPenalty
from gdbench.kernels.registry import name_of
from gdbench.kernels.task import Task, Weighted
from gdbench.tasks.inputs import row_classes

#: A smooth problem counts as solved at this gradient norm.
TOLERANCE = 1e-10

MOST_NEWTON_STEPS = 100
MOST_CG_STEPS = 2000


@dataclass(frozen=True)
class Optimum:
    """Where the objective is smallest.

    Attributes
    ----------
    value : float
        f*, computed by the same kernel that computes a run's objective.
    w : ndarray of shape (K, d + 1)
        The weights there, the intercept last.
    gradient_norm : float
        ‖∇J(w*)‖, the certificate of a smooth problem.
    method : str
    bound : float
        f* is at most this far above the true minimum: ‖∇J‖² ⁄ 2α under an l2 penalty without intercept (strong
        convexity), else ‖∇J‖·‖w*‖, the first-order bound on a ball of w*'s own radius.
    """

    value: float
    w: np.ndarray
    gradient_norm: float
    method: str
    bound: float

    @property
    def certificate(self) -> str:
        """The reason to believe it, in words."""
        return f"{self.method}, gradient norm {self.gradient_norm:.1e}, so f* is exact to {self.bound:.1e}"


class Objective:
    """J, its gradient and its Hessian times a vector, over a task with a linear model in float64."""

    def __init__(self, task: Task, X: Any):
        self.task = task
        self.X = X
        self.n, self.d = X.shape
        self.classes = row_classes(task)
        self.alpha = float(getattr(task.penalty, "alpha", 0.0))
        self.learns_intercept = bool(task.model.fit_intercept)

    def start(self) -> np.ndarray:
        """w = 0."""
        return np.zeros((self.classes, self.d + 1))

    def __call__(self, w: np.ndarray) -> tuple[float, np.ndarray]:
        """J(w) and ∇J(w), shape (K, d + 1)."""
        totals, g = np.empty(1), np.empty_like(w)
        objective_and_gradient(self.task, w, totals, g)
        return float(totals[0]), g

    def curvature(self, w: np.ndarray) -> np.ndarray:
        """What :func:`hessian_times` needs at w, (n, K)."""
        out = np.empty((self.n, self.classes))
        second_derivatives(self.task, w, out)
        return out

    def hessian_times(self, curvature: np.ndarray, v: np.ndarray) -> np.ndarray:
        """∇²J·v for v of shape (K, d + 1)."""
        u = self.X @ v[:, :-1].T + v[:, -1]
        if self.classes > 1:
            u = curvature * (u - (curvature * u).sum(axis=1, keepdims=True))
            if isinstance(self.task.weighting, Weighted):
                u *= self.task.weighting.values[:, None]
        else:
            u = curvature * u
        out = np.empty_like(v)
        out[:, :-1] = (self.X.T @ u).T / self.n + self.alpha * v[:, :-1]
        out[:, -1] = u.sum(axis=0) / self.n if self.learns_intercept else 0.0
        return out


def refuse_uncertain(loss: Any, penalty: Any) -> None:
    """Raise for a loss or a penalty whose optimum :func:`solve` cannot certify."""
    if not isinstance(penalty, (NoPenalty, L2)):
        raise GdbenchError(f"no certified optimum for penalty {name_of(penalty)}: choose none or l2")
    if name_of(loss) in losses and not (hasattr(loss, "curvature") or hasattr(loss, "value_group")):
        raise GdbenchError(f"no certified optimum for {name_of(loss)}: its derivative jumps")


def solve(task: Task, X: Any) -> Optimum:
    """Minimise a convex task and certify the result.

    Parameters
    ----------
    task : Task
        Over float64 data with a linear model of one lane.
    X : ndarray or CSR of shape (n, d)
        The same data.

    Raises
    ------
    GdbenchError
        No minimum is attained (separable classes without a penalty), or none can be certified.
    """
    refuse_uncertain(task.loss, task.penalty)
    objective = Objective(task, X)
    if name_of(task.loss) == "squared_error" and isinstance(X, np.ndarray):
        return refined(objective, least_squares(objective), "closed form (least squares by SVD)")
    return refined(objective, objective.start(), "Newton")


def least_squares(objective: Objective) -> np.ndarray:
    """The closed form: (centred) least squares, with √(nα)·I below the rows for an l2 penalty; of least norm if not unique."""
    X, y = objective.X, objective.task.target
    s = objective.task.weighting.values if isinstance(objective.task.weighting, Weighted) else np.ones(objective.n)
    mean_x = s @ X / objective.n if objective.learns_intercept else np.zeros(objective.d)
    mean_y = float(s @ y) / objective.n if objective.learns_intercept else 0.0
    root = np.sqrt(s)
    A, b = root[:, None] * (X - mean_x), root * (y - mean_y)
    if objective.alpha > 0:
        A = np.vstack([A, np.sqrt(objective.n * objective.alpha) * np.eye(objective.d)])
        b = np.concatenate([b, np.zeros(objective.d)])
    # a QR first: the SVD then works on d × d instead of n × d
    q, r = np.linalg.qr(A) if A.shape[0] > A.shape[1] else (None, A)
    coef = np.linalg.lstsq(r, b if q is None else q.T @ b, rcond=None)[0]
    return np.append(coef, mean_y - mean_x @ coef)[None]


def refined(objective: Objective, w: np.ndarray, method: str) -> Optimum:
    """Newton steps from w until the gradient's norm is at most `TOLERANCE` and no longer falls."""
    value, g = objective(w)
    norm = float(np.linalg.norm(g))
    for _ in range(MOST_NEWTON_STEPS):
        if norm <= TOLERANCE * 1e-3:
            break
        direction = newton_direction(objective, w, g)
        found = line_search(objective, w, value, g, norm, direction)
        if found is None:
            break
        w, value, g = found
        norm = float(np.linalg.norm(g))
    if norm > TOLERANCE:
        hint = "are the classes separable? " if objective.task.loss.domain in ("sign", "class") else ""
        raise GdbenchError(
            f"no finite optimum found (gradient norm {norm:.1e}, weights up to {np.abs(w).max():.1e}): {hint}"
            "add a penalty, e.g. penalty='l2', alpha=1e-3"
        )
    strong = objective.alpha > 0 and not objective.learns_intercept
    bound = norm * norm / (2 * objective.alpha) if strong else norm * float(np.linalg.norm(w))
    return Optimum(value, w, norm, method, bound)


def newton_direction(objective: Objective, w: np.ndarray, g: np.ndarray) -> np.ndarray:
    """−(∇²J)⁻¹g by conjugate gradients, to an accuracy that grows with the gradient's smallness."""
    curvature = objective.curvature(w)
    x, r = np.zeros_like(w), -g
    p, rr = r.copy(), float((r * r).sum())
    goal = rr * min(0.25, np.sqrt(rr)) ** 2 * 1e-4
    for _ in range(MOST_CG_STEPS):
        hp = objective.hessian_times(curvature, p)
        bend = float((p * hp).sum())
        if bend <= 0:
            break
        step = rr / bend
        x += step * p
        r -= step * hp
        before, rr = rr, float((r * r).sum())
        if rr <= goal:
            break
        p = r + rr / before * p
    return x if x.any() else -g


def line_search(
    objective: Objective, w: np.ndarray, value: float, g: np.ndarray, norm: float, direction: np.ndarray
) -> tuple[np.ndarray, float, np.ndarray] | None:
    """The first of the steps 1, ½, ¼, … that lowers J enough, or, at the limit of rounding, the gradient."""
    slope = float((g * direction).sum())
    step = 1.0
    for _ in range(40):
        trial = w + step * direction
        new_value, new_g = objective(trial)
        enough = new_value <= value + 1e-4 * step * slope
        smaller = np.linalg.norm(new_g) < 0.9 * norm and new_value <= value + 1e-14 * max(1.0, abs(value))
        if (enough and new_value < value) or smaller:
            return trial, new_value, new_g
        step /= 2
    return None
