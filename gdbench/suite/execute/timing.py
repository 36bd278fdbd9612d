"""Timing: uninterrupted calls of exactly the steps that were counted, which do nothing else.

Two clocks, never mixed. *call*: from the arrays to the weights, checks and copies included, once all is compiled; of a
library's estimator its ``fit``. *step*: what one more step costs, a long call minus a short one, over the steps between.
Baselines and gdbench's own solvers go through the same code.
"""

from __future__ import annotations

import contextlib
import math
import warnings
from collections.abc import Callable
from functools import partial
from time import perf_counter_ns
from typing import Any

import numpy as np

from gdbench import baselines
from gdbench.problems import Problem
from gdbench.solve import descent
from gdbench.suite.execute.data import offered, setting_of
from gdbench.suite.execute.rows import base_row
from gdbench.suite.plan import Pass
from gdbench.suite.vocabulary import CURVE, Record, target_label
from gdbench.tasks.inputs import make_task

#: Calls of which the quickest counts, for whatever else the machine does only adds to a time; and the seconds after which fewer
#: will do.
CALLS, ENOUGH = 3, 0.01

#: Seconds by which a long call is to exceed a short one, the epochs that it may take for that, and the most by which they grow.
LONGER, MOST_EPOCHS, GROWTH = 0.002, 2048, 16

#: The words of a row that are the timing's own.
OF_TIMING = ("run_id", "seed", "stage", "repeat", "timing")


def execute(work: Pass) -> list[Record]:
    """Time the counted steps of a pass; its row is that of the run which counted them, with its clocks."""
    assert work.counted is not None
    problem = work.case.load(work.solver.dtype)
    call = caller(work, problem)
    with np.errstate(all="ignore"):
        calls = {target_label(c["target"]): seconds_of(call, c["step"]) for c in work.counted["crossings"]}
        epoch = -(-problem.dataset.n // (work.solver.batch_size or problem.dataset.n))
        pace, whole = seconds_a_step(call, epoch, expected_pace(work.counted, calls)), seconds_of(call, work.epochs * epoch)
    row = work.counted | {key: value for key, value in base_row(work, work.runs[0]).items() if key in OF_TIMING}
    row |= {"seconds": pace * row["n_updates"], "compile_seconds": 0.0, "calls": calls, "step_seconds": pace}
    row["call_seconds"] = whole  # of all epochs of the budget
    return [Record(row, np.empty((0, len(CURVE))))]


def caller(work: Pass, problem: Problem) -> Callable[[int], None]:
    """What a user calls to take so many steps."""
    if work.solver.backend == "gdbench":
        return partial(_call, work, problem)
    fit = baselines.get(work.solver.backend).fit
    steps = -(-problem.dataset.n // (work.solver.batch_size or problem.dataset.n))
    solver, rate = offered(work, problem), work.runs[0].learning_rate

    def call(step: int) -> None:
        with warnings.catch_warnings(), contextlib.suppress(ValueError):  # of weights that overflow
            warnings.simplefilter("ignore")
            fit(problem, solver, learning_rate=rate, seed=work.seed, epochs=-(-step // steps))

    return call


def _call(work: Pass, problem: Problem, step: int) -> None:
    """From the arrays to the weights after so many steps, as `fit` does it without a curve."""
    steps = -(-problem.dataset.n // (work.solver.batch_size or problem.dataset.n))
    setting = setting_of(work, problem, epochs=max(-(-step // steps), work.epochs))
    task, _ = make_task(problem.X, problem.y, setting)
    one = descent.Descent(task, setting)
    one.advance(step)
    one.weights()


def seconds_of(call: Callable[[int], None], step: int) -> float:
    """Seconds of a call: the quickest of a few, of fewer where they are long."""
    found: list[float] = []
    while len(found) < CALLS and sum(found) < ENOUGH:
        found.append(_once(call, step))
    return min(found)


def expected_pace(counted: dict[str, Any], calls: dict[str, float]) -> float:
    """Seconds a step, as the calls to two targets tell; inf where they tell nothing."""
    timed = sorted((crossing["step"], calls[target_label(crossing["target"])]) for crossing in counted["crossings"])
    if len(timed) < 2 or timed[-1][0] == timed[0][0]:
        return math.inf
    pace = (timed[-1][1] - timed[0][1]) / (timed[-1][0] - timed[0][0])
    return pace if pace > 0 else math.inf


def seconds_a_step(call: Callable[[int], None], epoch: int, expected: float = math.inf) -> float:
    """The marginal cost of a step: pairs of a short call and a long one, in turn.

    Parameters
    ----------
    call : callable
    epoch : int
        The steps of an epoch, so that each call does whole ones: what is done once an epoch counts.
    expected : float, default inf
        About how many seconds a step takes: calls begin with as many epochs as that asks for. The result is
        measured all the same.
    """
    tries, excess = 1, 0.0
    more = min(max(math.ceil(LONGER / (expected * epoch)), 1), MOST_EPOCHS)
    while True:
        excess = _excess(call, epoch, (1 + more) * epoch, tries)
        if excess >= LONGER / tries or more >= MOST_EPOCHS:
            if tries == CALLS:
                return excess / (more * epoch) if excess > 0 else math.nan
            tries = CALLS  # long enough, unless something else on the machine took the time: now with care
        else:
            # by what was seen, half as much again as is missing
            more *= min(max(math.ceil(1.5 * LONGER / excess), 2), GROWTH) if excess > 0 else GROWTH


def _excess(call: Callable[[int], None], step: int, more: int, tries: int) -> float:
    """The seconds by which the quickest call of `more` steps exceeds the quickest of `step`; they take turns."""
    shorts: list[float] = []
    longs: list[float] = []
    while len(longs) < tries and sum(longs) < ENOUGH:
        shorts.append(_once(call, step))
        longs.append(_once(call, more))
    return min(longs) - min(shorts)


def _once(call: Callable[[int], None], step: int) -> float:
    begin = perf_counter_ns()
    call(step)
    return (perf_counter_ns() - begin) * 1e-9
