"""Against NumPy: every registered optimizer, loss, penalty, schedule and variant beside its oracle."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import numpy as np
from scipy.sparse import csr_matrix

import gdbench.solve.fit as solving
from gdbench.kernels import losses, optimizers, order, penalties, schedules
from gdbench.kernels.models.mlp import activations
from gdbench.kernels.optimizers import looks
from gdbench.kernels.registry import name_of
from gdbench.parity import draws, oracle
from gdbench.parity.case import Case
from gdbench.solve.descent import Descent
from gdbench.solve.paths import replay
from gdbench.tasks.inputs import make_task
from gdbench.tasks.model import MLP
from gdbench.tasks.setting import VARIANTS, settle

STEPS = 200
TOLERANCE = 1e-12
REASON = (
    "the same algebra in float64: 200 steps of rounding (1e-16 each, sums in another order, fused products) stay under 1e-12 of "
    "the largest weight so far at rates at which descent contracts"
)

#: Four steps an epoch, the last on a batch of four rows.
ROWS, BATCH = 40, 12

#: What a rate must be for a loss of any domain to contract on `draws.table`; the rules that scale their own steps take less.
RATES = {
    "gd": 0.05,
    "averaged": 0.05,
    "clipped": 0.05,
    "momentum": 0.02,
    "nesterov": 0.02,
    "sag": 0.02,
    "saga": 0.02,
    "svrg": 0.02,
    "adagrad": 0.1,
    "adadelta": 1.0,
    "rmsprop": 0.002,
}


#: RMSprop divides by the gradient's size: where a batch gradient vanishes, only its ε keeps a step from multiplying rounding.
KEPT = {"rmsprop": {"eps": 0.01}}


def rate_of(rule: Any) -> float:
    """A learning rate at which the rule contracts on the small problems of the cases."""
    return RATES.get(name_of(rule), 0.01)


def cases(quick: bool = False) -> list[Case]:
    """The cases: updates alone, whole descents, objectives."""
    return [*replays(quick), *orders(), *descents(quick), *sparse(quick), *searches(quick), *networks(quick), *objectives(quick)]


def case(what: str, compared: str, ours: Callable, theirs: Callable) -> Case:
    """A case against NumPy under this module's tolerance."""
    return Case("numpy", np.__version__, what, compared, ours, theirs, TOLERANCE, REASON)


def own(registry: Any) -> list[type]:
    """The members that gdbench itself defines; a user's own are compared with their plain Python instead."""
    return [cls for cls in registry if cls.__module__.partition(".")[0] == "gdbench"]


def schedules_at(rate: float) -> list[Any]:
    """Each schedule, its numbers such that 200 steps show its shape."""
    found = []
    for cls in own(schedules.registry):
        if getattr(cls, "listens", ""):
            continue  # its rates depend on the objective: see `searches`
        settings = {"every": 30, "steps": 150, "strength": 0.01, "offset": 100.0, "power_t": 0.4, "start": 0.1}
        known = {field: settings[field] for field in cls._fields if field in settings}  # type: ignore[attr-defined]
        found.append(cls(**({"learning_rate": rate} | known)))
    if "warmup" in schedules.registry and "cosine" in schedules.registry:
        warm, fall = schedules.registry["warmup"], schedules.registry["cosine"]
        found.append(warm(learning_rate=rate, steps=50, start=0.0, after=fall(steps=100, end=0.2)))
    return found


def replays(quick: bool) -> list[Case]:
    """Every optimizer × schedule on given gradients; and its hyperparameters at random."""
    found = []
    for cls in own(optimizers.registry):
        if with_memory(cls):
            continue  # it remembers the gradients of rows, so it has none without data
        rate = rate_of(cls)
        found += [replayed(instance(cls), schedule) for schedule in schedules_at(rate)]
        found += [
            replayed(draws.drawn(cls, "replay", i), schedules.Constant(rate)) for i in range(2 if quick else 5) if cls._fields
        ]
    return found


def instance(cls: type) -> Any:
    """The rule at its defaults; one that wraps another is set so that it acts within the case's steps."""
    acting = {"first": 20, "norm": 0.4, "value": 0.3}
    return cls(**{field: acting[field] for field in cls._fields if field in acting})  # type: ignore[attr-defined]


def replayed(rule: Any, schedule: Any) -> Case:
    """One update rule on given gradients."""
    g, values = draws.gradients(STEPS, 4, name_of(rule)), draws.values(STEPS, name_of(rule))
    x0 = np.array([1.0, -2.0, 0.5, 3.0])
    return case(
        f"replay {draws.described(rule)}, {draws.described(schedule)}",
        f"4 weights after each of {STEPS} updates",
        lambda: replay(rule, x0, g, schedule, values),
        lambda: oracle.replay(rule, x0, g, schedule, values),
    )


def orders() -> list[Case]:
    """Every row order over three epochs of rows enough for several blocks, and one epoch of more rows than a cache holds."""

    def ours(name: str, n: int, epochs: int) -> np.ndarray:
        rows = np.empty((epochs, n), np.int32)
        order.arrange_epochs(order.make(name, 7), np.arange(n, dtype=np.int32), 0, rows)
        return rows

    def theirs(name: str, n: int, epochs: int) -> np.ndarray:
        seed = oracle.sklearn_start(7, classifier=False) if name == "sklearn" else 7
        visits = oracle.batches(name, seed, n, n)
        return np.array([next(visits) for _ in range(epochs)])

    kinds = [(name, 700, 3) for name in order.registry.names()] + [("epoch", order.NEAR + 700, 1)]
    return [
        case(
            f"row order {name} of {n}",
            f"{n} row numbers in each of {epochs} epochs",
            partial(ours, *kind),
            partial(theirs, *kind),
        )
        for kind in kinds
        for name, n, epochs in [kind]
    ]


def with_memory(cls: type) -> bool:
    """Whether an optimizer estimates gradients from a memory, which only the stochastic variant and smooth penalties have."""
    return hasattr(cls, "estimator")


#: The losses that are paired with a few optimizers only.
LATER = ("exponential", "gamma", "log_cosh", "poisson", "smoothed_pinball", "tweedie")


def on_all_rows(cls: type) -> bool:
    """Whether an optimizer compares gradients of all rows, and so has the batch variant only."""
    return getattr(cls, "whole_batch", False)


def descents(quick: bool) -> list[Case]:
    """Whole descents: each pair of optimizer, loss, penalty, variant, schedule, row order, intercept and row weights.

    Each pair is a loop to compile, so the rules that look at the whole model, and the losses that are not scikit-learn's, are
    paired with a few of the other kind.
    """
    rules = [cls for cls in own(optimizers.registry) if not with_memory(cls) and not on_all_rows(cls)]
    factors: dict[str, list[Any]] = {
        "optimizer": rules,
        "loss": own(losses.registry),
        "penalty": own(penalties.registry),
        "variant": list(VARIANTS),
        "schedule": list(range(len(schedules_at(1.0)))),
        "shuffle": order.registry.names(),
        "fit_intercept": [True, False],
        "weighted": [False, True],
    }
    among = {name_of(cls): cls for cls in factors["loss"]}
    losses_first = {"loss": [cls for name, cls in among.items() if name not in LATER]}
    looking = [cls for cls in rules if looks(cls())]
    blocks = [
        factors | losses_first | {"optimizer": [cls for cls in rules if cls not in looking]},
        factors
        | {"optimizer": looking, "loss": [among[name] for name in ("squared_error", "log_loss", "cross_entropy", "poisson")]},
        factors | {"optimizer": [optimizers.registry[name] for name in ("gd", "adam")], "loss": [among[name] for name in LATER]},
    ]
    remembering: dict[str, list[Any]] = {
        "optimizer": [cls for cls in own(optimizers.registry) if with_memory(cls)],
        "variant": ["stochastic"],
    }
    remembering["penalty"] = [cls for cls in own(penalties.registry) if hasattr(cls, "shrinkage")]
    comparing: dict[str, list[Any]] = {
        "optimizer": [cls for cls in own(optimizers.registry) if on_all_rows(cls)],
        "variant": ["batch"],
    }
    special = [factors | losses_first | remembering, factors | losses_first | comparing]
    if quick:  # in the special blocks only the optimizers are new
        found = draws.each_once(factors)
        found += [row for block in special for row in draws.each_once(block)[: len(block["optimizer"])]]
    else:
        found = [row for block in (*blocks, *special) for row in draws.covering(block)]
    # no pair, but three of a kind: the norm by which a batch is clipped is that of its mean gradient and the penalty's
    clipped = {"optimizer": optimizers.registry["clipped"], "penalty": penalties.registry["l2"], "variant": "mini-batch"}
    return [descent(**row) for row in [*found, found[0] | clipped]]


def penalty_at(cls: type) -> Any:
    """A penalty that shows within 200 steps, and lets an l1 part reach zero."""
    values = {"alpha": 0.05, "l1_ratio": 0.4}
    return cls(**{field: values[field] for field in cls._fields if field in values})  # type: ignore[attr-defined]


def row_weights(n: int) -> np.ndarray:
    """Weights of rows, with a mean of 1, to which `fit` scales any."""
    weights = draws.generator("weights").uniform(0.2, 2.0, n)
    return weights * (n / weights.sum())


def descent(
    optimizer: type,
    loss: type,
    penalty: type,
    variant: str,
    schedule: int,
    shuffle: str,
    fit_intercept: bool,
    weighted: bool,
) -> Case:
    """One descent, its weights compared after every step."""
    rule, cost, weigh = instance(optimizer), loss(), penalty_at(penalty)
    rule = rule._replace(**KEPT.get(name_of(rule), {}))
    pace = schedules_at(rate_of(rule))[schedule]
    X, y = draws.table(cost.domain, ROWS)
    weights = row_weights(ROWS) if weighted else None
    solver = {
        "loss": cost,
        "penalty": weigh,
        "optimizer": rule,
        "variant": variant,
        "batch_size": BATCH,
        "learning_rate": pace,
        "shuffle": shuffle,
        "fit_intercept": fit_intercept,
        "seed": 3,
    }
    extras = ("" if fit_intercept else ", no intercept") + (", weighted rows" if weighted else "")
    return case(
        f"{variant} {name_of(rule)}, {name_of(cost)} + {name_of(weigh)}, {name_of(pace)}, rows {shuffle}{extras}",
        f"weights after each of {STEPS} steps, {X.shape[0]} × {X.shape[1]}",
        lambda: steps_of(X, y, weights, **solver),
        lambda: oracle_steps(X, y, weights, **solver),
    )


def steps_of(X: Any, y: Any, weights: Any = None, steps: int = STEPS, **solver: Any) -> np.ndarray:
    """The weights after each step of the compiled loops, (steps + 1, K, P)."""
    setting = settle(**solver)
    descent = Descent(make_task(X, y, setting, weights)[0], setting)
    path = [descent.weights()[0].copy()]
    for step in range(1, steps + 1):
        descent.advance(step)
        path.append(descent.weights()[0].copy())
    return np.array(path)


def classes_of(y: Any, loss: Any) -> int:
    """Margins of a linear model for the loss."""
    return int(y.max()) + 1 if loss.domain == "class" else 1


def visits_of(n: int, **solver: Any) -> tuple[Iterator[list[int]], int]:
    """The rows of each step by the oracle, and the number of steps an epoch."""
    size = {"batch": n, "stochastic": 1, "mini-batch": solver.get("batch_size", n)}[solver["variant"]]
    seed, shuffle = solver["seed"], "none" if solver["variant"] == "batch" else solver["shuffle"]
    if shuffle == "sklearn":
        seed = oracle.sklearn_start(seed, classifier=solver["loss"].domain == "sign")
    return oracle.batches(shuffle, seed, n, size), -(-n // size)


def oracle_steps(X: Any, y: Any, weights: Any = None, steps: int = STEPS, **solver: Any) -> np.ndarray:
    """The same by NumPy."""
    loss = solver["loss"]
    rows = oracle.Rows(X, y, loss, classes_of(y, loss), solver.get("fit_intercept", True), weights)
    visits, epoch = visits_of(len(y), **solver)
    return oracle.descend(rows, solver["optimizer"], solver["penalty"], solver["learning_rate"], visits, steps, epoch)


def sparse(quick: bool) -> list[Case]:
    """Stochastic descent on CSR rows: every optimizer, each penalty for plain descent, and each of its schedules."""
    plain = optimizers.registry["gd"]
    # the quick part leaves out the rules that take the dense update, but for one
    rules = [cls for cls in own(optimizers.registry) if not on_all_rows(cls)]
    rules = [cls for cls in rules if not quick or hasattr(cls, "settle") or name_of(cls) == "adam"]
    triples = [(cls, penalties.registry["none"], 0) for cls in rules]
    triples += [(plain, cls, 0) for cls in own(penalties.registry)]
    if not quick:
        triples += [(plain, penalties.registry["l2"], k) for k in range(len(schedules_at(1.0)))]
        triples += [(cls, penalties.registry["l2"], 1) for cls in own(optimizers.registry) if hasattr(cls, "settle")]
    return [sparse_descent(*triple) for triple in dict.fromkeys(triples)]


def sparse_descent(optimizer: type, penalty: type, schedule: int) -> Case:
    """Stochastic descent on rows with three values of eight stored, beside the dense oracle."""
    rule, loss = instance(optimizer), losses.registry.make("log_loss")
    pace = schedules_at(rate_of(rule))[schedule]
    X, y = draws.table("sign", ROWS, 8)
    X = X * (draws.generator("sparse").random(X.shape) < 0.4)
    solver = {
        "loss": loss,
        "penalty": penalty_at(penalty),
        "optimizer": rule,
        "variant": "stochastic",
        "learning_rate": pace,
        "shuffle": "epoch",
        "seed": 4,
    }
    return case(
        f"CSR rows, stochastic {name_of(rule)}, log_loss + {name_of(penalty)}, {name_of(pace)}",
        f"weights after each epoch of {STEPS} steps, {ROWS} × 8",
        # a lazy loop settles what it owes when it returns, so steps are taken an epoch at a time
        lambda: np.array([steps_at(csr_matrix(X), y, k * ROWS, **solver) for k in range(1, STEPS // ROWS + 1)]),
        lambda: oracle_steps(X, y, **solver)[ROWS::ROWS],
    )


def steps_at(X: Any, y: Any, step: int, weights: Any = None, **solver: Any) -> np.ndarray:
    """The weights after `step` steps taken at once, (K, d + 1)."""
    setting = settle(**solver)
    descent = Descent(make_task(X, y, setting, weights)[0], setting)
    descent.advance(step)
    return descent.weights()[0].copy()


def searches(quick: bool) -> list[Case]:
    """The schedules that listen to the objective."""
    kinds = [cls for cls in own(schedules.registry) if getattr(cls, "listens", "")]
    smooth = [cls for cls in own(penalties.registry) if hasattr(cls, "shrinkage")]
    costs = [cls for cls in own(losses.registry) if getattr(cls, "smoothness", None) is not None and name_of(cls) not in LATER]
    each_kind = zip(kinds, itertools.cycle(costs), itertools.cycle(smooth), strict=False)
    triples = each_kind if quick else itertools.product(kinds, costs, smooth)
    acting = {"adaptive": {"learning_rate": 0.05, "tol": 1e-2, "patience": 3}}
    return [search(kind(**acting.get(name_of(kind), {})), within(cost), penalty_at(penalty)) for kind, cost, penalty in triples]


def within(cost: type) -> Any:
    """The loss, its quadratic part wide enough to hold some rows: a search on straight parts alone would divide by rounding."""
    return cost(**{field: 2.0 for field in ("epsilon", "width") if field in cost._fields})  # type: ignore[attr-defined]


def search(schedule: Any, loss: Any, penalty: Any) -> Case:
    """Batch descent under such a schedule, while J still falls by more than rounding: comparing equal values would be luck."""
    steps = 12 if schedule.listens == "step" else STEPS
    X, y = draws.table(loss.domain, ROWS)
    solver = {
        "loss": loss,
        "penalty": penalty,
        "optimizer": optimizers.registry.make("gd"),
        "variant": "batch",
        "learning_rate": schedule,
        "seed": 0,
    }

    def theirs() -> np.ndarray:
        if schedule.listens == "epoch":
            return oracle_steps(X, y, steps=steps, shuffle="none", **solver)
        return oracle.line_search(oracle.Rows(X, y, loss, classes_of(y, loss)), penalty, schedule, steps)

    return case(
        f"batch gd, {name_of(loss)} + {name_of(penalty)}, {draws.described(schedule)}",
        f"weights after each of {steps} steps, {ROWS} × {X.shape[1]}",
        lambda: steps_of(X, y, steps=steps, **solver),
        theirs,
    )


def networks(quick: bool) -> list[Case]:
    """The multilayer perceptron: each activation, on a real target, two classes and three."""
    costs = ("squared_error", "log_loss", "cross_entropy")
    pairs = itertools.product(activations.names(), costs)
    found = [network(name, losses.registry.make(cost), rule) for name, cost in pairs for rule in ("gd", "adam")]
    return found[::7] if quick else found  # each activation once


def network(activation: str, loss: Any, optimizer: str) -> Case:
    """Mini-batch descent of a network, forward and backward."""
    X, y = draws.table(loss.domain, ROWS)
    rule, model, outputs = optimizers.registry.make(optimizer), MLP(hidden=6, activation=activation), classes_of(y, loss)
    rate = rate_of(rule)
    solver = {"loss": loss, "variant": "mini-batch", "batch_size": BATCH, "shuffle": "epoch", "seed": 2}

    def theirs() -> np.ndarray:
        first = model.initial(X.shape[1], outputs, 2)
        cuts = np.cumsum([6 * X.shape[1], 6 * outputs, 6])
        w1, w2, b1, b2 = np.split(first, cuts)
        parts = [w1.reshape(6, -1), w2.reshape(outputs, 6), b1, b2]
        rows, (visits, _) = oracle.Rows(X, y, loss, outputs), visits_of(ROWS, **solver)
        return oracle.network(rows, parts, activation, rule, rate, visits, STEPS)

    return case(
        f"network of 6 {activation} units, mini-batch {optimizer}, {name_of(loss)}",
        f"all weights after each of {STEPS} steps, {ROWS} × {X.shape[1]}",
        lambda: steps_of(X, y, model=model, optimizer=rule, learning_rate=rate, **solver).reshape(STEPS + 1, -1),
        theirs,
    )


def objectives(quick: bool) -> list[Case]:
    """Every loss × penalty: the objective that `fit` records along the way, and the weights it returns."""
    pairs = list(itertools.product(own(losses.registry), own(penalties.registry)))
    pairs = [(loss, penalty) for loss, penalty in pairs if name_of(loss) not in LATER or name_of(penalty) == "l2"]
    return [objective(loss(), penalty_at(penalty)) for loss, penalty in (pairs[::18] if quick else pairs)]


def objective(loss: Any, penalty: Any) -> Case:
    """The recorded objective of mini-batch descent, from start to end."""
    X, y = draws.table(loss.domain, ROWS)
    weights = row_weights(ROWS)
    solver = {
        "loss": loss,
        "penalty": penalty,
        "optimizer": optimizers.registry.make("gd"),
        "variant": "mini-batch",
        "batch_size": BATCH,
        "learning_rate": schedules.Constant(0.05),
        "shuffle": "epoch",
        "fit_intercept": True,
        "seed": 5,
    }

    def ours() -> np.ndarray:
        fit = solving.fit(X, y, sample_weight=weights, epochs=STEPS // 4, **solver)
        return np.append(fit.curve["objective"].to_numpy(), fit.objective)

    def theirs() -> np.ndarray:
        steps = solving.fit(X, y, sample_weight=weights, epochs=STEPS // 4, **solver).curve["step"]
        path = oracle_steps(X, y, weights, **solver)
        values = [oracle.objective(X, y, path[step], loss, penalty, weights) for step in steps]
        return np.array([*values, values[-1]])

    return case(f"objective of {name_of(loss)} + {name_of(penalty)}", "J at each recorded point of a fit", ours, theirs)
