"""Quality of convergence: how many epochs, updates and samples a solver needs.

Seeds are fixed and the engine gives the same bits each time, so these are exact integers without noise: any change is a
change of meaning. A target that is missed counts as ten times the budget, so that asv shows it as a regression.
"""

from __future__ import annotations

import numpy as np

from .common import OPTIMIZERS, VARIANTS, named, or_skip

#: Small problems with a certified optimum, one a loss; the penalty gives separable classes one.
PROBLEMS = {
    "ill_conditioned": {},
    "breast_cancer": {"penalty": "l2", "alpha": 1e-2},
    "wine": {"penalty": "l2", "alpha": 1e-2},
}
#: Rates with which each optimizer, and each variant of plain gradient descent, meets the targets.
RATES = {"gd": 0.3, "momentum": 0.03, "nesterov": 0.03, "adagrad": 0.3, "rmsprop": 0.005, "adam": 0.01}
VARIANT_RATES = {"batch": 0.3, "mini-batch": 0.1, "stochastic": 0.01}
EPOCHS, SEED, BATCH_SIZE, MISSED = 200, 0, 32, 10
TARGETS = ("1e-2", "1e-4", "noise floor")
SWEPT = tuple(float(f"{rate:.3g}") for rate in np.geomspace(1e-4, 10.0, 16))


def curve(problem, **solver):
    """Epochs, steps, samples and relative gaps that one run recorded, at each epoch and log-spaced below."""
    import gdbench as gd

    options = {"loss": problem.loss, "penalty": problem.penalty, "seed": SEED, "batch_size": BATCH_SIZE, "epochs": EPOCHS}
    found = gd.fit(problem.X, problem.y, **options, record=200, tol=0.0, **solver).curve
    gap = found["objective"].to_numpy() - problem.optimum.value
    return {**{name: found[name].to_numpy() for name in ("epoch", "step", "samples")}, "gap": gap / gap[0]}


def level(gap, target):
    """The relative gap that a target stands for: a number, or twice the median of the last quarter of the curve."""
    return 2 * abs(np.median(gap[-len(gap) // 4 :])) if target == "noise floor" else float(target)


def reached(found, column, target):
    """The column's value at the first point on target."""
    on_target = found["gap"] <= level(found["gap"], target)
    return float(found[column][np.argmax(on_target)]) if on_target.any() else MISSED * float(found[column][-1])


class Runs:
    """All runs are made once a commit; the benchmarks read them."""

    timeout = 300
    version = "1"
    params = (tuple(PROBLEMS), OPTIMIZERS)
    param_names = ("problem", "optimizer")

    def setup_cache(self):
        import gdbench as gd

        runs = {}
        for name, options in PROBLEMS.items():
            try:
                problem = gd.load_problem(name, **options)
                for optimizer, rate in RATES.items():
                    runs[name, optimizer] = curve(problem, variant="mini-batch", optimizer=optimizer, learning_rate=rate)
                for variant, rate in VARIANT_RATES.items():
                    runs[name, variant] = curve(problem, variant=variant, optimizer="gd", learning_rate=rate)
            except (AttributeError, TypeError, ValueError):
                continue  # this commit knows no such problem: setup skips it
        return runs

    def setup(self, runs, problem, solver, *_):
        if (problem, solver) not in runs:
            raise NotImplementedError


class Epochs(Runs):
    params = (tuple(PROBLEMS), OPTIMIZERS, TARGETS)
    param_names = ("problem", "optimizer", "target")

    @named("epochs to target, mini-batch", unit="epochs")
    def track_epochs(self, runs, problem, solver, target):
        # Whole epochs: a target met within the first counts as one.
        return float(np.ceil(reached(runs[problem, solver], "epoch", target))) or 1.0


class Updates(Runs):
    @named("updates to 1e-2, mini-batch", unit="updates")
    def track_updates(self, runs, problem, solver):
        return reached(runs[problem, solver], "step", "1e-2") or 1.0


class Variants(Runs):
    params = (tuple(PROBLEMS), VARIANTS)
    param_names = ("problem", "variant")

    @named("samples to 1e-2, plain gradient descent", unit="samples")
    def track_samples(self, runs, problem, variant):
        return reached(runs[problem, variant], "samples", "1e-2") or 1.0

    # A noise floor that rises means that a step has become worse.
    @named("relative gap after 200 epochs", unit="of the first gap")
    def track_floor(self, runs, problem, variant):
        return abs(float(np.median(runs[problem, variant]["gap"][-20:]))) + 1e-16


class Robustness:
    """How many of a wide grid's learning rates fail: lower is better, and one is added so that none is not zero."""

    timeout = 120
    version = "1"
    params = (OPTIMIZERS,)
    param_names = ("optimizer",)

    def setup(self, optimizer):
        with or_skip():
            import gdbench as gd

            self.problem = gd.load_problem("breast_cancer", **PROBLEMS["breast_cancer"])
            self.sweep = gd.sweep

    @named(f"1 + failing learning rates of {len(SWEPT)}", unit="rates")
    def track_failing_rates(self, optimizer):
        p = self.problem
        swept = self.sweep(
            p.X, p.y, learning_rates=SWEPT, loss=p.loss, penalty=p.penalty, optimizer=optimizer, epochs=50, seed=SEED
        )
        first = swept.fits[0].points[0].objective[0]
        goal = p.optimum.value + 1e-2 * (first - p.optimum.value)
        return 1.0 + sum(not (fit.status != "diverged" and fit.curve["objective"].min() <= goal) for fit in swept.fits)
