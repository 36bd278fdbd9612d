"""Quality of convergence: how many epochs, updates and samples a solver needs.

Seeds are fixed and the engine gives the same bits each time, so these are exact integers without noise: any change is a
change of meaning. A target that is missed counts as ten times the budget, so that asv shows it as a regression.
"""

from __future__ import annotations

import numpy as np

from .common import COMPILING, OPTIMIZERS, VARIANTS, in_two_processes, named, or_skip

#: Small problems with a certified optimum, one a loss; the penalty gives separable classes one.
PROBLEMS = {
    "ill_conditioned": {},
    "breast_cancer": {"penalty": "l2", "alpha": 1e-2},
    "wine": {"penalty": "l2", "alpha": 1e-2},
}
#: Rates with which each optimizer, and each variant of plain gradient descent, meets the targets.
RATES = {"gd": 0.3, "momentum": 0.03, "nesterov": 0.03, "adagrad": 0.3, "rmsprop": 0.005, "adam": 0.01}
VARIANT_RATES = {"batch": 0.3, "mini-batch": 0.1, "stochastic": 0.01}
EPOCHS, RECORD, SEED, BATCH_SIZE, MISSED = 200, 2000, 0, 32, 10
TARGETS = ("1e-2", "1e-4", "noise floor")
SWEPT = tuple(float(f"{rate:.3g}") for rate in np.geomspace(1e-4, 10.0, 16))


def curve(problem, **solver):
    """Epochs, steps, samples and relative gaps that one run recorded, as a suite with the same budget records them."""
    import gdbench as gd

    options = {"loss": problem.loss, "penalty": problem.penalty, "seed": SEED, "batch_size": BATCH_SIZE, "epochs": EPOCHS}
    found = gd.fit(problem.X, problem.y, record=RECORD, **options | solver).curve
    gap = found["objective"].to_numpy() - problem.optimum.value
    return {**{name: found[name].to_numpy() for name in ("epoch", "step", "samples")}, "gap": gap / gap[0]}


def curve_or_none(name, solver):
    """The run of an optimizer in mini-batches, or of plain gradient descent in a variant; None where the commit knows no such."""
    import gdbench as gd

    try:
        problem = gd.load_problem(name, **PROBLEMS[name])
        if solver in VARIANT_RATES:
            return curve(problem, variant=solver, optimizer="gd", learning_rate=VARIANT_RATES[solver])
        return curve(problem, variant="mini-batch", optimizer=solver, learning_rate=RATES[solver])
    except (AttributeError, TypeError, ValueError):
        return None


def floor(found):
    """Where the run circles: the median of the relative gap over the last half of its epochs."""
    return float(np.median(np.abs(found["gap"][found["epoch"] >= found["epoch"][-1] / 2])))


def reached(found, column, target):
    """The column's value at the first point on target: at or under a relative gap, or twice the noise floor."""
    on_target = found["gap"] <= (2 * floor(found) if target == "noise floor" else float(target))
    return float(found[column][np.argmax(on_target)]) if on_target.any() else MISSED * float(found[column][-1])


class Runs:
    """All runs are made once a commit; the benchmarks read them."""

    timeout = 300
    params = (tuple(PROBLEMS), OPTIMIZERS)
    param_names = ("problem", "optimizer")

    def setup_cache(self):
        work = [(problem, solver) for problem in PROBLEMS for solver in (*RATES, *VARIANT_RATES)]
        curves = in_two_processes(curve_or_none, *zip(*work, strict=True))
        return {each: found for each, found in zip(work, curves, strict=True) if found is not None}

    setup_cache.timeout = COMPILING

    def setup(self, runs, problem, solver, *_):
        if (problem, solver) not in runs:
            raise NotImplementedError(f"{solver} on {problem}")


class Epochs(Runs):
    params = (tuple(PROBLEMS), OPTIMIZERS, TARGETS)
    param_names = ("problem", "optimizer", "target")

    @named("epochs to target, mini-batch", unit="epochs", version="2")
    def track_epochs(self, runs, problem, solver, target):
        # Whole epochs: a target met within the first counts as one.
        return float(np.ceil(reached(runs[problem, solver], "epoch", target))) or 1.0


class Updates(Runs):
    @named("updates to 1e-2, mini-batch", unit="updates", version="2")
    def track_updates(self, runs, problem, solver):
        return reached(runs[problem, solver], "step", "1e-2") or 1.0


class Variants(Runs):
    params = (tuple(PROBLEMS), VARIANTS)
    param_names = ("problem", "variant")

    @named("samples to 1e-2, plain gradient descent", unit="samples", version="2")
    def track_samples(self, runs, problem, variant):
        return reached(runs[problem, variant], "samples", "1e-2") or 1.0

    # A noise floor that rises means that a step has become worse.
    @named("noise floor: relative gap over the last 100 epochs", unit="of the first gap", version="2")
    def track_floor(self, runs, problem, variant):
        return floor(runs[problem, variant]) + 1e-16


class Robustness(Runs):
    """How many of a wide grid's learning rates fail: lower is better, and one is added so that none is not zero."""

    timeout = 120
    params = (OPTIMIZERS,)
    param_names = ("optimizer",)

    def setup(self, runs, optimizer):
        with or_skip():
            import gdbench as gd

            self.problem = gd.load_problem("breast_cancer", **PROBLEMS["breast_cancer"])

    @named(f"1 + failing learning rates of {len(SWEPT)}", unit="rates", version="2")
    def track_failing_rates(self, runs, optimizer):
        runs = (curve(self.problem, variant="mini-batch", optimizer=optimizer, learning_rate=rate, epochs=50) for rate in SWEPT)
        return 1.0 + sum(not found["gap"].min() <= 1e-2 for found in runs)
