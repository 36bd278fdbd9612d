"""Against scikit-learn: its SGD estimators row by row in their exact order, and its best solvers at the optimum."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import sklearn
from scipy.sparse import csr_matrix
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import (
    GammaRegressor,
    LogisticRegression,
    PoissonRegressor,
    Ridge,
    SGDClassifier,
    SGDRegressor,
    TweedieRegressor,
)
from threadpoolctl import threadpool_limits

from gdbench.kernels import losses, optimizers, penalties, schedules
from gdbench.kernels.registry import name_of
from gdbench.parity import draws
from gdbench.parity.against_numpy import steps_at
from gdbench.parity.case import Case
from gdbench.problems.optimum import solve
from gdbench.tasks.inputs import make_task
from gdbench.tasks.setting import settle

TOLERANCE = 1e-12
REASON = "the same steps on the same rows in float64; scikit-learn keeps the l2 shrinkage in one scale, which rounds elsewhere"
SINGLE = 1e-5
SINGLE_REASON = "the same steps in float32, whose rounding is 6e-8 an operation"
EPOCHS = (1, 2, 3, 5, 8, 12, 20)
SEED = 5

#: What each scikit-learn penalty is called here: its l1 part is truncated with Tsuruoka's cumulative penalty.
PENALTIES = {None: "none", "l2": "l2", "l1": "truncated", "elasticnet": "truncated"}

#: The losses of its SGD estimators.
KNOWN = {*SGDClassifier.loss_functions, *SGDRegressor.loss_functions}

OPTIMUM = 1e-8
OPTIMUM_REASON = (
    "the values of two minimisers: f* is certified to 1e-10 and better, scikit-learn's solvers stop at a gradient of 1e-8 or so, "
    "whose square enters the value"
)


def cases(quick: bool = False) -> list[Case]:
    """The cases: the path of the SGD estimators, then optima."""
    return [*paths(quick), *optima(quick), *averaged_gradients(quick), *generalised(quick)]


def paths(quick: bool) -> list[Case]:
    """Each pair of loss, penalty, schedule, averaging, intercept, row weights and kind of data."""
    factors = {
        "loss": [cls for cls in losses.registry if name_of(cls) in KNOWN and _own(cls)],
        "penalty": [name for name, ours in PENALTIES.items() if ours in penalties.registry],
        "schedule": [name for name in ("constant", "invscaling", "optimal") if name in schedules.registry],
        "average": [False, True, 30],
        "fit_intercept": [True, False],
        "weighted": [False, True],
        "kind": ["dense", "float32", "CSR"],
    }
    chosen = draws.each_once(factors) if quick else draws.covering(factors)
    distinct = {tuple(row.items()): row for row in map(_possible, chosen)}
    return [path(**row) for row in distinct.values()]


def _own(cls: type) -> bool:
    return cls.__module__.partition(".")[0] == "gdbench"


def _possible(row: dict[str, Any]) -> dict[str, Any]:
    """The row without what scikit-learn computes otherwise than its own definition, which is left to other rows.

    On sparse rows it moves the intercept at a hundredth of the rate, which is no step of the objective's descent, and truncates
    only the weights of the row at hand. An l1 part and averaging do not go together: it keeps the average in a form that only
    knows of shrinking and of adding rows, so what truncation takes off a weight never reaches the average. The perceptron's
    derivative jumps at a margin of 0, to which truncation drives every margin: in float32 rounding would decide the side.
    """
    if row["kind"] == "float32" and row["loss"].__name__ == "Perceptron" and row["penalty"] in ("l1", "elasticnet"):
        row = row | {"kind": "dense"}
    if row["kind"] == "CSR":
        row = row | {"fit_intercept": False, "penalty": "l2" if row["penalty"] else None}
    return row | {"average": False} if row["penalty"] in ("l1", "elasticnet") else row


def path(
    loss: type, penalty: str | None, schedule: str, average: bool | int, fit_intercept: bool, weighted: bool, kind: str
) -> Case:
    """One SGD estimator, its weights compared after several numbers of epochs."""
    cost = loss()
    name = cost.name
    X, y = rows(cost.domain, kind)
    n = len(y)
    weights = row_weights(n).astype(X.dtype) if weighted else None
    alpha, rate = 0.2 if schedule == "optimal" else 0.02, 0.05
    theirs = {
        "loss": name,
        "penalty": penalty,
        "alpha": alpha,
        "l1_ratio": 0.3,
        "learning_rate": schedule,
        "eta0": rate,
        "power_t": 0.3,
        "average": average,
        "fit_intercept": fit_intercept,
        "random_state": SEED,
        "tol": None,
    } | ({"epsilon": cost.epsilon} if hasattr(cost, "epsilon") else {})
    ours = {
        "loss": cost,
        "penalty": penalty_of(penalty, alpha),
        "optimizer": rule_of(average),
        "variant": "stochastic",
        "shuffle": "sklearn",
        "seed": SEED,
        "learning_rate": pace_of(schedule, rate, alpha),
        "fit_intercept": fit_intercept,
    }
    extras = "".join(
        [f", average={average}" if average else "", "" if fit_intercept else ", no intercept", ", weighted" if weighted else ""]
    )
    single = kind == "float32"
    return Case(
        "sklearn",
        sklearn.__version__,
        f"{'SGDClassifier' if cost.domain == 'sign' else 'SGDRegressor'}({name}, {penalty}, {schedule}{extras}), {kind}",
        f"weights after {', '.join(map(str, EPOCHS))} epochs, {n} × {X.shape[1]}",
        lambda: np.array([steps_at(X, y, k * n, weights, **ours) for k in EPOCHS]),
        lambda: np.array([fitted(X, y, k, weights, **theirs) for k in EPOCHS]),
        SINGLE if single else TOLERANCE,
        SINGLE_REASON if single else REASON,
    )


def rows(domain: str, kind: str) -> tuple[Any, np.ndarray]:
    """Rows short enough for the schedule ``optimal``, whose first step is of length 1.5 whatever the loss's curvature."""
    X, y = draws.table(domain)
    X *= 0.25
    if kind == "CSR":
        return csr_matrix(X * (draws.generator("stored").random(X.shape) < 0.5)), y
    return (X.astype(np.float32), y.astype(np.float32)) if kind == "float32" else (X, y)


def row_weights(n: int) -> np.ndarray:
    """Weights with a mean of 1, to which `fit` scales any."""
    weights = draws.generator("sklearn", "weights").uniform(0.5, 1.5, n)
    return weights * (n / weights.sum())


def penalty_of(name: str | None, alpha: float) -> Any:
    """gdbench's tag for a scikit-learn penalty."""
    cls = penalties.registry[PENALTIES[name]]
    values = {"alpha": alpha, "l1_ratio": 0.3 if name == "elasticnet" else 1.0}
    return cls(**{field: values[field] for field in cls._fields})  # type: ignore[attr-defined]


def rule_of(average: bool | int) -> Any:
    """Plain descent, averaged or not."""
    plain = optimizers.registry.make("gd")
    return optimizers.registry["averaged"](rule=plain, first=int(average)) if average else plain


def pace_of(name: str, rate: float, alpha: float) -> Any:
    """gdbench's tag for a scikit-learn schedule."""
    fields = {"invscaling": {"power_t": 0.3}, "optimal": {"strength": alpha, "learning_rate": 1.0}}
    return schedules.registry.make(name, **({"learning_rate": rate} | fields.get(name, {})))


def fitted(X: Any, y: np.ndarray, epochs: int, weights: Any, **options: Any) -> np.ndarray:
    """The estimator's weights after so many epochs, (1, d + 1)."""
    cls = SGDClassifier if losses.registry[options["loss"]].domain == "sign" else SGDRegressor  # type: ignore[attr-defined]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        model = cls(max_iter=epochs, **options).fit(X, y, sample_weight=weights)
    return np.append(model.coef_.ravel(), model.intercept_)[None]


def optima(quick: bool) -> list[Case]:
    """f* of the catalog's problems that need no network, beside scikit-learn's best solver."""
    from gdbench.problems import catalog

    found = []
    for name in catalog.names():
        entry = catalog.entry(name)
        n, d = entry.size
        if entry.kind == "fetcher" or n * d > (2e5 if quick else 2e7):
            continue
        found += [optimum(name, entry.task, alpha) for alpha in ((0.01,) if quick or n * d > 2e5 else (1e-4, 0.01, 1.0))]
    return found


def optimum(name: str, task: str, alpha: float) -> Case:
    """f* of one problem with an l2 penalty."""
    from gdbench.problems import load_problem

    def ours() -> np.ndarray:
        return np.array([load_problem(name, penalty="l2", alpha=alpha).optimum.value])

    def theirs() -> np.ndarray:
        problem = load_problem(name, penalty="l2", alpha=alpha)
        w = best(np.asarray(problem.X, np.float64) if not hasattr(problem.X, "nnz") else problem.X, problem.y, task, alpha)
        return np.array([objective(problem, w)])

    solver = {"regression": "Ridge", "binary": "LogisticRegression"}.get(task, "LogisticRegression, softmax")
    return Case(
        "sklearn",
        sklearn.__version__,
        f"f* of {name}, l2 at {alpha:g}, {solver}",
        "value of the objective at the two minimisers",
        ours,
        theirs,
        OPTIMUM,
        OPTIMUM_REASON,
    )


def best(X: Any, y: np.ndarray, task: str, alpha: float) -> np.ndarray:
    """The minimiser that scikit-learn's best solver finds, (K, d + 1)."""
    n = X.shape[0]
    # many threads that wait for each other on small matrices cost a hundredfold on a busy machine
    with warnings.catch_warnings(), threadpool_limits(1):
        warnings.simplefilter("ignore")
        if task == "regression":
            model = Ridge(alpha=alpha * n, tol=1e-12).fit(X, y)
        else:
            # Newton's method is exact to rounding, but solves a dense system of all classes' weights at once
            unknowns = X.shape[1] * len(np.unique(y))
            solver = "newton-cholesky" if unknowns <= 200 and not hasattr(X, "nnz") else "lbfgs"
            tol = 1e-10 if solver == "newton-cholesky" else 1e-7  # of the gradient; the value is then off by its square
            model = LogisticRegression(C=1 / (alpha * n), solver=solver, tol=tol, max_iter=10_000).fit(X, y)
    coef = np.atleast_2d(model.coef_)
    return np.column_stack([coef, np.resize(model.intercept_, len(coef))])


def objective(problem: Any, w: np.ndarray) -> float:
    """J of a problem at weights (K, d + 1), by plain NumPy."""
    from gdbench.parity import oracle

    X = np.asarray(problem.X.toarray() if hasattr(problem.X, "nnz") else problem.X, np.float64)
    y = np.asarray(problem.y, np.float64)
    z = X @ w[:, :-1].T + w[:, -1]
    if w.shape[0] > 1:
        z = z - z.max(axis=1, keepdims=True)  # the oracle's plain exponentials then cannot overflow
    values = oracle.of(oracle.LOSSES, problem.loss)[0](problem.loss, z if w.shape[0] > 1 else z[:, 0], y)
    return float(values.mean() + oracle.of(oracle.PENALTIES, problem.penalty)[0](problem.penalty, w[:, :-1]).sum())


def averaged_gradients(quick: bool) -> list[Case]:
    """SAG, SAGA and SVRG at the optimum, beside scikit-learn's Ridge and LogisticRegression with its own SAG and SAGA."""
    kinds = [cls.__name__.lower() for cls in optimizers.registry if hasattr(cls, "estimator")]
    return [at_optimum(kind, loss) for kind in kinds for loss in ("squared_error", "log_loss")]


def at_optimum(kind: str, loss: str) -> Case:
    """Variance-reduced descent to the end, and scikit-learn's solver of that name (for SVRG, its SAGA)."""
    cost, alpha = losses.registry.make(loss), 0.05
    X, y = draws.table(cost.domain)
    n = len(y)
    solver = {
        "loss": cost,
        "penalty": penalty_of("l2", alpha),
        "optimizer": optimizers.registry.make(kind),
        "variant": "stochastic",
        "shuffle": "epoch",
        "learning_rate": 0.02,
    }
    name = kind if kind in ("sag", "saga") else "saga"

    def theirs() -> np.ndarray:
        if loss == "squared_error":
            model = Ridge(alpha=alpha * n, solver=name, tol=1e-13, max_iter=100_000, random_state=0).fit(X, y)
        else:
            model = LogisticRegression(C=1 / (alpha * n), solver=name, tol=1e-13, max_iter=100_000, random_state=0).fit(X, y)
        return np.append(model.coef_.ravel(), model.intercept_)[None]

    return Case(
        "sklearn",
        sklearn.__version__,
        f"{kind} to the end, {loss} + l2, beside solver={name!r}",
        "weights at the end of two different descents",
        lambda: steps_at(X, y, 2000 * n, **solver),
        theirs,
        1e-8,
        "two descents that stop within 1e-10 or so of the same optimum; scikit-learn stops on the change of the weights",
    )


def generalised(quick: bool) -> list[Case]:
    """The optima of the losses with a link, beside scikit-learn's generalised linear models."""
    models: list[tuple[str, Any, dict[str, float]]] = [
        ("poisson", PoissonRegressor, {}),
        ("gamma", GammaRegressor, {}),
        *(("tweedie", TweedieRegressor, {"power": power}) for power in (1.2, 1.5, 1.9)),
    ]
    return [with_a_link(*model, alpha) for model in models[:: 2 if quick else 1] for alpha in ((0.1,) if quick else (0.0, 0.1))]


def with_a_link(loss: str, cls: Any, fields: dict[str, float], alpha: float) -> Case:
    """The certified optimum of a loss with a link, and scikit-learn's."""
    cost = losses.registry.make(loss, **fields)
    X, y = draws.table(cost.domain)

    def ours() -> np.ndarray:
        task, _ = make_task(X, y, settle(loss=cost, penalty=penalty_of("l2" if alpha else None, alpha)))
        return solve(task, X).w

    def theirs() -> np.ndarray:
        model = cls(alpha=alpha, solver="newton-cholesky", tol=1e-12, **fields, **({"link": "log"} if fields else {})).fit(X, y)
        return np.append(model.coef_, model.intercept_)[None]

    return Case(
        "sklearn",
        sklearn.__version__,
        f"optimum of {draws.described(cost)}{f' + l2 {alpha:g}' if alpha else ''}, beside {cls.__name__}",
        "weights at the optimum, the intercept last",
        ours,
        theirs,
        1e-7,
        "Newton's method twice, each to a gradient at which the weights have nine digits or so",
    )
