"""Certified optima beside an independent solve in extended precision."""

import numpy as np
import pytest
from scipy.optimize import minimize

import gdbench as gd
from gdbench.kernels.registry import name_of
from gdbench.parity import oracle
from gdbench.problems import optimum
from gdbench.suite.execute.rows import FLOOR

#: The smallest penalties leave optima far out, where a solver that stops early has not arrived.
PROBLEMS = [
    ("diabetes", "squared_error", 1e-3),
    ("diabetes", "huber", 1e-3),
    ("breast_cancer", "log_loss", 1e-3),
    ("breast_cancer", "log_loss", 1e-5),
    ("breast_cancer", "squared_hinge", 1e-3),
    ("breast_cancer", "modified_huber", 1e-3),
    ("iris", "cross_entropy", 1e-3),
]


class Exact:
    """J and its gradient by the oracle's formulas in extended precision, and their minimum."""

    def __init__(self, problem):
        self.problem, y = problem, problem.y
        self.classes = int(y.max()) + 1 if problem.loss.domain == "class" else 1
        self.A = np.column_stack([problem.X, np.ones(len(y))]).astype(np.longdouble)
        self.value, self.slope = oracle.of(oracle.LOSSES, problem.loss)

    def at(self, flat):
        w = np.reshape(flat, (self.classes, -1)).astype(np.longdouble)
        z, y = self.A @ w.T, self.problem.y
        z = z if self.classes > 1 else z[:, 0]
        free = w.copy()
        free[:, -1] = 0
        slopes = np.reshape(self.slope(self.problem.loss, z, y), (len(y), -1))
        objective = self.value(self.problem.loss, z, y).mean() + self.problem.alpha * (free**2).sum() / 2
        return objective, (slopes.T @ self.A / len(y) + self.problem.alpha * free).ravel()

    def minimum(self):
        """Quasi-Newton in float64, then Newton steps by the gradient in extended precision and its differences."""
        start = minimize(lambda w: float(self.at(w)[0]), np.zeros(self.classes * self.A.shape[1]), method="BFGS",
                         jac=lambda w: self.at(w)[1].astype(float), options={"maxiter": 2000})  # fmt: skip
        w = start.x.astype(np.longdouble)
        for _ in range(12):
            g = self.at(w)[1]
            bends = [(self.at(w + 1e-7 * e)[1] - self.at(w - 1e-7 * e)[1]).astype(float) / 2e-7 for e in np.eye(w.size)]
            w = w - np.linalg.lstsq(np.array(bends), g.astype(float), rcond=1e-13)[0]
        objective, g = self.at(w)
        assert np.linalg.norm(g) < 1e-15
        return objective


@pytest.mark.parametrize(("data", "loss", "alpha"), PROBLEMS)
def test_a_certified_optimum_is_as_exact_as_it_says(data, loss, alpha):
    problem = gd.load_problem(data, loss=loss, penalty="l2", alpha=alpha)
    found, exact = problem.optimum, Exact(problem)
    lowest, (here, gradient) = exact.minimum(), exact.at(found.w.ravel())
    rounding = 2e-15 * max(1.0, float(lowest))
    assert float(here - lowest) <= found.bound + rounding
    assert abs(float(found.value - lowest)) <= found.bound + rounding
    # so that no gap that a suite reports is its error
    assert found.bound <= 1e-3 * FLOOR
    # the certificate is the gradient's, up to how exactly float64 can sum one
    assert float(np.linalg.norm(gradient)) <= found.gradient_norm + 1e-14
    assert name_of(problem.loss) == loss


@pytest.mark.parametrize("steps", [1, 2, 3])
def test_the_bound_of_a_solve_that_stopped_early_holds(monkeypatch, steps):
    """Far from the minimum no rounding hides a bound that is too small."""
    problem = gd.load_problem("breast_cancer", loss="log_loss", penalty="l2", alpha=1e-2, fit_intercept=False)
    exact = problem.optimum.value
    monkeypatch.setattr(optimum, "MOST_NEWTON_STEPS", steps)
    monkeypatch.setattr(optimum, "TOLERANCE", 1.0)
    early = optimum.solve(problem.task(), problem.X)
    assert 1e-9 < early.value - exact <= early.bound < 1e9 * (early.value - exact)
