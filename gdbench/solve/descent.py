"""The driver: runs a kernel from checkpoint to checkpoint, with only the kernel on the clock, and records the curve."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from time import perf_counter, perf_counter_ns
from typing import Any

import numpy as np

from gdbench.errors import GdbenchError
from gdbench.kernels import order, schedules, shapes
from gdbench.kernels.aligned import aligned
from gdbench.kernels.data import columns
from gdbench.kernels.lanes import LANES
from gdbench.kernels.loops import LOOPS, choose
from gdbench.kernels.loops.base import Calls, Loop, Progress, adapted, copy_of, restore, rows_per_step, started
from gdbench.kernels.loops.objective import objective_and_gradient
from gdbench.kernels.models.lanes import Lanes
from gdbench.kernels.optimizers.wrapped import layers
from gdbench.kernels.registry import name_of
from gdbench.kernels.shares import in_whole_steps
from gdbench.kernels.task import Task
from gdbench.solve import clock
from gdbench.solve.feedback import EpochFeedback, LineSearch
from gdbench.solve.own import explained
from gdbench.solve.threads import ThreadedBatches
from gdbench.tasks.gate import factors_of
from gdbench.tasks.inputs import in_new_order, row_classes
from gdbench.tasks.setting import Setting

#: The most steps handed to a kernel in one call, and the most rows when a call spans several epochs.
STRETCH = 65536

#: Rows of the steps that are tried before the clock goes on after a recorded point.
REHEARSED = 128

#: A run has diverged once its objective is this many times the larger of 1 and the objective at the start.
BLOW_UP = 1e6

#: Epochs over which `tol` is measured.
PATIENCE = 5


@dataclass
class Point:
    """What was recorded at one checkpoint: scalars of the pass, and an array over lanes of the rest."""

    step: int
    samples: int
    seconds: float
    objective: np.ndarray
    gradient_norm: np.ndarray


@dataclass
class Outcome:
    """How a descent ended, lane by lane.

    Attributes
    ----------
    w : ndarray of shape (L, classes, P)
    status, reason : lists of L strings
    points : list of Point
        A lane's own curve ends at its ``last`` point.
    last : list of int
    seconds, compile_seconds : float
        On the clock of the kernels, for all lanes together; and what compiling (or loading) took before.
    """

    w: np.ndarray
    status: list[str]
    reason: list[str]
    points: list[Point] = field(default_factory=list)
    last: list[int] = field(default_factory=list)
    seconds: float = 0.0
    compile_seconds: float = 0.0


class Descent:
    """A task, a loop with its state, and the clock.

    Parameters
    ----------
    task : Task
    setting : Setting
    earlier : Progress, optional
        Of a descent with the same model, perhaps on other rows, from which this one goes on.
    """

    #: The loops to choose from: the first that accepts the descent.
    loops: Sequence[type[Loop]] = (ThreadedBatches, *LOOPS)

    #: Whether a call of a kernel may hold several short epochs.
    joins_epochs = True

    def __init__(self, task: Task, setting: Setting, earlier: Progress | None = None):
        self.task = task
        self.n = task.target.size
        self.dtype = task.data.values.dtype
        self.classes = row_classes(task)
        rates = setting.learning_rates
        if isinstance(task.model, Lanes):
            rates = (*rates, *rates[-1:] * (-len(rates) % LANES))  # lanes that nobody asked for: their number is round
        self.lanes = len(rates)
        self.rule = setting.rule(self.dtype)
        self.batch_size = rows_per_step(task, setting)
        refuse_parts(self.rule, self.batch_size, self.n)
        self.steps_per_epoch = -(-self.n // self.batch_size)
        self.schedule = in_whole_steps(setting.schedule, setting.epochs * self.steps_per_epoch)
        shuffle = "none" if setting.variant == "batch" else setting.shuffle
        if shuffle == "once":
            self.task = in_new_order(task, setting.seed)
            shuffle = "none"
        self.task = self.task._replace(data=shapes.planned(self.task.data, shuffle, self.batch_size))
        self.order = order.make(shuffle, setting.seed, setting.loss.domain == "sign", self.n)
        self.index = np.arange(self.n, dtype=np.int32)
        if earlier is None:
            earlier = started(self._first_weights(setting), self.rule, task.penalty)
        self.loop = choose(self.task, self.rule, setting, self.loops)
        self.state = self.loop.begin(
            adapted(earlier, self.rule, task.penalty), np.repeat(np.asarray(rates), self.classes).astype(self.dtype)
        )
        listens = getattr(setting.schedule, "listens", "")
        self.feedback = EpochFeedback(self, setting.schedule) if listens == "epoch" else None
        self.search = LineSearch(self, setting.schedule) if listens == "step" else None
        self.call = Calls()
        self.ones = np.ones(min(STRETCH, setting.epochs * self.steps_per_epoch), self.dtype)
        self.step = 0
        self.nanoseconds = 0
        self.time_limit = setting.time_limit

    def _first_weights(self, setting: Setting) -> np.ndarray:
        """w = 0 for a linear model, the seeded start of a network; every lane starts alike."""
        d = columns(self.task.data)
        if setting.model is None:
            shape = (self.lanes * self.classes, d + 1)
            beside = isinstance(self.task.model, Lanes)
            return aligned(shape, self.dtype, order="F" if beside else "C")
        one = setting.model.initial(d, self.task.model.margins_out, setting.seed)
        return np.tile(one.astype(self.dtype), (self.lanes, 1))

    def compile(self) -> float:
        """Compile, or load from the cache, all that the run needs; the seconds it took."""
        begin = perf_counter()
        with explained(self.rule, self.task):
            self._compile()
        return perf_counter() - begin

    def _compile(self) -> None:
        self.loop.compile(self.state)
        self.call.bind(order.arrange_epochs, self.order, self.index[:0], 0, np.empty((0, 0), np.int32))
        self.call.bind(order.arrange_epoch, self.order, self.index[:0], 0)
        self.evaluate()

    def warm_up(self) -> None:
        """Warm the caches again, off the clock, after an evaluation: targets, row numbers, and what the loop reads.

        The loop takes a few steps, which are then taken back.
        """
        self.task.target.sum(), self.index.sum()
        if self.loop.is_cheap_to_rehearse and self.search is None:
            done = self.step % self.steps_per_epoch * self.batch_size
            rows = self.index[None, : done + REHEARSED]
            before = copy_of(self.state)
            self.loop.run(self.state, rows, done, self._factors(-(-(rows.size - done) // self.batch_size)))
            restore(self.state, before)

    def advance(self, step: int) -> None:
        """Take steps up to number `step`, on the clock; fewer where its time is over."""
        while self.step < step and self.nanoseconds * 1e-9 <= self.time_limit:
            begin = perf_counter_ns()
            if self.search is not None:
                self.search.take_step(self)
                self.step += 1
                self.nanoseconds += perf_counter_ns() - begin
                continue
            done = self.step % self.steps_per_epoch
            epochs = (step - self.step) // self.steps_per_epoch
            if done == 0 and epochs > 1 and self.n <= STRETCH and self.feedback is None and self.joins_epochs:
                epochs = min(epochs, max(1, STRETCH // self.n))
                rows = np.empty((epochs, self.n), np.int32)
                self.call(order.arrange_epochs, self.order, self.index, self.step // self.steps_per_epoch, rows)
                steps = epochs * self.steps_per_epoch
            else:
                if done == 0:
                    self.arrange(self.step // self.steps_per_epoch)
                steps = min(step - self.step, self.steps_per_epoch - done, STRETCH)
                rows = self.index[None]
            self._run(rows, done * self.batch_size, self._factors(steps))
            self.step += steps
            if self.feedback is not None and self.step % self.steps_per_epoch == 0:
                self.feedback.after_epoch(self)
            self.nanoseconds += perf_counter_ns() - begin

    def arrange(self, epoch: int) -> None:
        """Put the row numbers into the order of an epoch, the first of which is 0."""
        self.call(order.arrange_epoch, self.order, self.index, epoch)

    def _factors(self, steps: int) -> np.ndarray:
        """The schedule's factors for the next steps."""
        if isinstance(self.schedule, schedules.Constant):
            if steps > self.ones.size:  # further than the budget
                self.ones = np.ones(steps, self.dtype)
            return self.ones[:steps]
        numbers = np.arange(1, steps + 1, dtype=np.float64) + self.state.steps[0]
        return factors_of(self.schedule, numbers, self.dtype)

    def _run(self, rows: np.ndarray, place: int, rates: np.ndarray) -> None:
        self.loop.run(self.state, rows, place, rates)

    def samples(self) -> int:
        """Rows visited so far, each counted as often as it was."""
        if self.search is not None:
            return self.search.evaluations * self.n
        epochs, done = divmod(self.step, self.steps_per_epoch)
        return epochs * self.n + min(done * self.batch_size, self.n) + self.loop.extra_samples(self.step)

    def evaluate(self) -> Point:
        """Objective and gradient norm of each lane, off the clock."""
        totals, g = self.measure(self.loop.weights(self.state))
        norms = np.sqrt((g.astype(np.float64).reshape(self.lanes, -1) ** 2).sum(axis=1))
        return Point(self.step, self.samples(), self.nanoseconds * 1e-9, totals, norms)

    def measure(self, w: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """J of each lane at w, of shape (K, P), and its gradient."""
        totals, g = np.empty(self.lanes), np.empty_like(w)
        self.call(objective_and_gradient, self.task, w, totals, g)
        return totals, g

    def weights(self) -> np.ndarray:
        """The weights that the rule reports, (lanes, classes, P)."""
        return self.loop.weights(self.state).reshape(self.lanes, self.classes, -1)


def refuse_parts(rule: Any, batch_size: int, n: int) -> None:
    """Raise where a rule that compares whole gradients would step on fewer rows than all."""
    for layer in layers(rule):
        if getattr(layer, "whole_batch", False) and batch_size < n:
            whole = f"variant='batch', or a batch_size of {n}, not of {batch_size}"
            raise GdbenchError(f"optimizer {name_of(layer)} compares gradients of all rows: it needs {whole}")


def checkpoints(setting: Setting, steps_per_epoch: int) -> list[int]:
    """The steps to record: log-spaced from the first to the last, below one epoch too; and each epoch if `tol` is set."""
    total = setting.epochs * steps_per_epoch
    steps = set(np.unique(np.rint(np.geomspace(1, total, setting.record)).astype(int)).tolist())
    if setting.tol is not None:
        steps.update(range(steps_per_epoch, total + 1, steps_per_epoch))
    return sorted(steps)


def run(
    task: Task,
    setting: Setting,
    *,
    goal: float = -math.inf,
    progress: Callable[[int, int], None] | None = None,
    engine: Callable[[Task, Setting], Descent] = Descent,
    steps: Sequence[int] | None = None,
) -> Outcome:
    """Descend until the budget, convergence or divergence of every lane.

    Parameters
    ----------
    task, setting
    goal : float
        A lane whose recorded objective is at or under it has converged.
    progress : callable, optional
        Called after each checkpoint with its step and the last one.
    engine : callable
        Makes the descent of the task and the setting.
    steps : sequence of int, optional
        The steps to record instead of the setting's; then only they are of interest, and the seconds are not taken anew.
    """
    with np.errstate(all="ignore"):  # divergence is a result, never a storm of warnings
        descent = engine(task, setting)
        compile_seconds = descent.compile()
        judge = Judge(descent, setting, goal)
        recorded = checkpoints(setting, descent.steps_per_epoch) if steps is None else steps
        for step in recorded:
            if steps is None:
                descent.warm_up()
            descent.advance(step)
            if judge.see(descent.evaluate()):
                break
            if progress:
                progress(step, recorded[-1])
        outcome = judge.close()
        if engine is Descent and steps is None:  # reading chunk by chunk is what the clock of another one is about
            unlimited = replace(setting, time_limit=math.inf)
            clock.without_recording(outcome, descent.step, lambda: Descent(task, unlimited))
    outcome.compile_seconds = compile_seconds
    return outcome


class Judge:
    """Watches the recorded points and decides for each lane when it has ended, and how."""

    def __init__(self, descent: Descent, setting: Setting, goal: float):
        self.descent, self.setting, self.goal = descent, setting, goal
        lanes = len(setting.learning_rates)
        start = descent.evaluate()
        self.ceiling = BLOW_UP * np.maximum(np.abs(start.objective), 1.0)
        self.outcome = Outcome(descent.weights()[:lanes].copy(), [""] * lanes, [""] * lanes, [start], [0] * lanes)
        self.whole_epochs: list[np.ndarray] = [start.objective]

    def see(self, point: Point) -> bool:
        """Take in a point; True when no lane is left to run."""
        self.outcome.points.append(point)
        if point.step % self.descent.steps_per_epoch == 0:
            self.whole_epochs.append(point.objective)
        for lane in self._running():
            status, reason = self._verdict(lane, point)
            if status:
                self._end(lane, status, reason)
        return not any(True for _ in self._running())

    def close(self) -> Outcome:
        """End the lanes that still run: their budget is spent."""
        start, end = self.outcome.points[0].objective, self.outcome.points[-1].objective
        for lane in self._running():
            if end[lane] > start[lane]:
                self._end(lane, "diverged", "ended above the objective it started from")
            else:
                self._end(lane, "budget", "")
        self.outcome.seconds = self.descent.nanoseconds * 1e-9
        return self.outcome

    def _running(self) -> Iterator[int]:
        return (lane for lane, status in enumerate(self.outcome.status) if not status)

    def _verdict(self, lane: int, point: Point) -> tuple[str, str]:
        value = point.objective[lane]
        if not math.isfinite(value):
            return "diverged", f"the objective is not finite after {point.step} steps"
        if value > self.ceiling[lane]:
            return "diverged", f"the objective grew {BLOW_UP:.0e}-fold within {point.step} steps"
        if value <= self.goal:
            return "converged", ""
        if self.descent.search is not None and point.gradient_norm[lane] == 0.0:
            return "converged", "the gradient is zero"
        if self.setting.tol is not None and self._has_settled(lane, point):
            return "converged", f"{PATIENCE} epochs lowered the objective by less than tol"
        if point.seconds > self.setting.time_limit:
            return "timeout", f"{point.seconds:.3g} s on the clock, {self.setting.time_limit:g} s allowed"
        return "", ""

    def _has_settled(self, lane: int, point: Point) -> bool:
        seen = self.whole_epochs
        if point.step % self.descent.steps_per_epoch or len(seen) <= PATIENCE:
            return False
        return abs(seen[-1 - PATIENCE][lane] - seen[-1][lane]) < self.setting.tol

    def _end(self, lane: int, status: str, reason: str) -> None:
        self.outcome.status[lane] = status
        self.outcome.reason[lane] = reason
        self.outcome.last[lane] = len(self.outcome.points) - 1
        self.outcome.w[lane] = self.descent.weights()[lane]
