"""The driver: runs a kernel from checkpoint to checkpoint, with only the kernel on the clock, and records the curve."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from time import perf_counter, perf_counter_ns
from typing import Any

import numpy as np

from gdbench.errors import GdbenchError
from gdbench.kernels import loops, order, paired_lanes, schedules, short_loops, sparse_loops, variance_reduced
from gdbench.kernels.aligned import aligned
from gdbench.kernels.compile.jit import Kernel
from gdbench.kernels.compile.tags import MOST_SLOTS
from gdbench.kernels.data import Dense, columns
from gdbench.kernels.lanes import LANES
from gdbench.kernels.models.lanes import Lanes
from gdbench.kernels.models.linear import Linear
from gdbench.kernels.optimizers import clips_norm
from gdbench.kernels.optimizers.gd import GD
from gdbench.kernels.optimizers.wrapped import start_of
from gdbench.kernels.penalties import NoPenalty
from gdbench.kernels.registers import starts_of
from gdbench.kernels.registry import name_of
from gdbench.kernels.task import Iterate, Task
from gdbench.kernels.variance_reduced import Memory
from gdbench.solve import clock
from gdbench.solve.feedback import EpochFeedback, LineSearch
from gdbench.solve.own import explained
from gdbench.solve.threads import Pool
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
    """A task, the iterate on its way, and the clock."""

    def __init__(self, task: Task, setting: Setting):
        self.task = task
        self.n = task.target.size
        self.dtype = task.data.values.dtype
        self.classes = row_classes(task)
        rates = setting.learning_rates
        if isinstance(task.model, Lanes):
            rates = (*rates, *rates[-1:] * (-len(rates) % LANES))  # lanes that nobody asked for: their number is round
        self.lanes = len(rates)
        self.rule = setting.rule(self.dtype)
        self.schedule = setting.schedule
        self.batch_size = min(setting.batch_size or self.n, self.n)
        self.steps_per_epoch = -(-self.n // self.batch_size)
        shuffle = "none" if setting.variant == "batch" else setting.shuffle
        if shuffle == "once":
            self.task = in_new_order(task, setting.seed)
            shuffle = "none"
        self.order = order.make(shuffle, setting.seed, setting.loss.domain == "sign", self.n)
        self.index = np.arange(self.n, dtype=np.int32)
        self.eta = np.repeat(np.asarray(rates), self.classes).astype(self.dtype)
        self.iterate = start_at(self._first_weights(setting), self.rule, task.penalty)
        self.memory = self._gradient_memory(setting.optimizer)
        self.starts = starts_of(columns(task.data), self.dtype.itemsize)
        self.known = np.zeros((2, self.lanes) if isinstance(task.model, Lanes) else 3, self.dtype)
        self.scale, self.seen = np.ones(len(self.eta), self.dtype), np.zeros(columns(task.data), np.int64)
        self._loop = self._choose_loop(setting)
        listens = getattr(setting.schedule, "listens", "")
        self.feedback = EpochFeedback(self, setting.schedule) if listens == "epoch" else None
        self.search = LineSearch(self, setting.schedule) if listens == "step" else None
        self.pool = Pool(setting.threads) if setting.threads > 1 and self.batch_size == self.n > 1 else None
        self.bound: dict[Kernel, Callable] = {}
        self.ones = np.ones(min(STRETCH, setting.epochs * self.steps_per_epoch), self.dtype)
        self.step = 0
        self.extra_samples = 0
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

    def _gradient_memory(self, optimizer: Any) -> Memory | None:
        """The memory of SAG, SAGA and SVRG."""
        kind = getattr(optimizer, "estimator", None)
        if kind is None:
            return None
        w = self.iterate.w
        share = 1.0 / self.n if kind == "sag" else 1.0
        return Memory(np.zeros((self.n, len(w)), self.dtype), np.zeros_like(w), share, kind != "svrg")

    def compile(self) -> float:
        """Compile, or load from the cache, all that the run needs; the seconds it took."""
        begin = perf_counter()
        with explained(self.rule, self.task):
            self._compile()
        return perf_counter() - begin

    def _compile(self) -> None:
        if self.pool is not None:
            self.pool.compile(self.task, self.rule, self.iterate, self.eta)
        if self.memory is not None and not self.memory.learns:
            self._call(variance_reduced.remember_all, self.task, self.iterate.w, self.memory)
        self._run(np.empty((0, self.n), np.int32), np.empty(0, self.dtype))
        self._call(order.arrange_epochs, self.order, self.index[:0], 0, np.empty((0, 0), np.int32))
        self._call(order.arrange_epoch, self.order, self.index[:0], 0)
        self.evaluate()

    def resume(self) -> None:
        """Bring back, off the clock, what recording a point drove out of the caches: targets, row numbers, and the loop's way.

        The loop goes a few steps ahead, which are then taken back.
        """
        self.task.target.sum(), self.index.sum()
        done = self.step % self.steps_per_epoch * self.batch_size
        rows = self.index[None, done : done + REHEARSED]
        if self.memory is not None or self.pool is not None:
            rows = rows[:0]  # their steps leave more behind than the iterate
        iterate = self.iterate
        changed = (iterate.w, *iterate.state, *iterate.memory, iterate.travelled, self.known, self.scale, self.seen)
        before = [array.copy("K") for array in changed]
        self._run(rows, self._factors(-(-rows.size // self.batch_size)))
        for array, values in zip(changed, before, strict=True):
            array[...] = values

    def advance(self, step: int) -> None:
        """Take steps up to number `step`, on the clock; fewer where its time is over."""
        while self.step < step and self.nanoseconds * 1e-9 <= self.time_limit:
            begin = perf_counter_ns()
            if self.search is not None:
                self.search.take(1)
                self.step += 1
                self.nanoseconds += perf_counter_ns() - begin
                continue
            done = self.step % self.steps_per_epoch
            epochs = (step - self.step) // self.steps_per_epoch
            if done == 0 and epochs > 1 and self.n <= STRETCH and self.feedback is None:
                epochs = min(epochs, max(1, STRETCH // self.n))
                rows = np.empty((epochs, self.n), np.int32)
                self._call(order.arrange_epochs, self.order, self.index, self.step // self.steps_per_epoch, rows)
                steps = epochs * self.steps_per_epoch
            else:
                if done == 0:
                    self._call(order.arrange_epoch, self.order, self.index, self.step // self.steps_per_epoch)
                steps = min(step - self.step, self.steps_per_epoch - done, STRETCH)
                rows = self.index[None, done * self.batch_size : (done + steps) * self.batch_size]
            self._run(rows, self._factors(steps))
            self.step += steps
            if self.feedback is not None and self.step % self.steps_per_epoch == 0:
                self.feedback.after_epoch()
            self.nanoseconds += perf_counter_ns() - begin

    def _factors(self, steps: int) -> np.ndarray:
        """The schedule's factors for the next steps."""
        if isinstance(self.schedule, schedules.Constant):
            return self.ones[:steps]
        numbers = np.arange(self.step + 1, self.step + steps + 1, dtype=np.float64)
        return self.schedule.factor(numbers).astype(self.dtype, copy=False)

    def _run(self, rows: np.ndarray, rates: np.ndarray) -> None:
        first = self.step + 1
        if self.pool is not None and len(rows):
            self.pool.descend(self.task, self.rule, self.iterate, rows, rates, self.eta, first)
        else:
            self._loop(rows, rates, first)

    def _call(self, kernel: Kernel, *args: Any) -> None:
        """Call a kernel whose arguments are of the same types each time."""
        if kernel not in self.bound:
            self.bound[kernel] = kernel.bound(*args)
        self.bound[kernel](*args)

    def _choose_loop(self, setting: Setting) -> Callable[[np.ndarray, np.ndarray, int], None]:
        """The loop that fits the data, the rule and the penalty."""
        task, rule = self.task, self.rule
        if self.memory is not None:
            return self._with_memory
        if self.batch_size > 1 or clips_norm(rule) or setting.model is not None:
            return self._by_batches
        plain = isinstance(rule, GD) and hasattr(task.penalty, "shrinkage")
        if isinstance(task.data, Dense):
            if plain and isinstance(task.model, Linear) and self.starts is not None:
                return self._shortly
            if plain and isinstance(task.model, Lanes):
                return self._in_pairs
            return self._plainly if plain else self._by_rows
        if plain:
            return self._scaled
        constant = isinstance(setting.schedule, schedules.Constant)
        if hasattr(rule, "settle") and isinstance(task.penalty, NoPenalty) and constant:
            return self._lazily
        return self._by_batches

    def _by_rows(self, rows: np.ndarray, rates: np.ndarray, first: int) -> None:
        self._call(loops.descend_rows, self.task, self.rule, self.iterate, rows, rates, self.eta, first)

    def _plainly(self, rows: np.ndarray, rates: np.ndarray, first: int) -> None:
        self._call(loops.descend_plainly, self.task, self.iterate, rows, rates, self.eta)

    def _shortly(self, rows: np.ndarray, rates: np.ndarray, first: int) -> None:
        rows, place = self._from_place(rows, first)
        self._call(short_loops.descend_short, self.task, self.starts, self.iterate, rows, place, rates, self.eta, self.known)

    def _in_pairs(self, rows: np.ndarray, rates: np.ndarray, first: int) -> None:
        rows, place = self._from_place(rows, first)
        self._call(paired_lanes.descend_in_pairs, self.task, self.iterate, rows, place, rates, self.eta, self.known)

    def _from_place(self, rows: np.ndarray, first: int) -> tuple[np.ndarray, int]:
        """The whole epoch and a place in it, for a loop that looks beyond the rows that it is to visit."""
        return self.index[None] if len(rows) == 1 else rows, (first - 1) % self.n

    def _with_memory(self, rows: np.ndarray, rates: np.ndarray, first: int) -> None:
        assert self.memory is not None
        loop = variance_reduced.descend_with_memory
        for row in rows:  # an epoch, or the part of one, at a time: SVRG's snapshot is taken where an epoch begins
            if not self.memory.learns and (first - 1) % self.n == 0:
                self._call(variance_reduced.remember_all, self.task, self.iterate.w, self.memory)
                self.extra_samples += self.n
            part, rates = rates[: row.size], rates[row.size :]
            self._call(loop, self.task, self.rule, self.iterate, self.memory, row[None], part, self.eta, first)
            first += row.size
        if not len(rows):
            self._call(loop, self.task, self.rule, self.iterate, self.memory, rows, rates, self.eta, first)

    def _by_batches(self, rows: np.ndarray, rates: np.ndarray, first: int) -> None:
        self._call(loops.descend_batches, self.task, self.rule, self.iterate, rows, self.batch_size, rates, self.eta, first)

    def _scaled(self, rows: np.ndarray, rates: np.ndarray, first: int) -> None:
        self._call(sparse_loops.descend_scaled, self.task, self.iterate, rows, rates, self.eta, self.scale)

    def _lazily(self, rows: np.ndarray, rates: np.ndarray, first: int) -> None:
        self._call(sparse_loops.descend_lazily, self.task, self.rule, self.iterate, rows, rates, self.eta, self.seen, first)

    def current(self) -> Iterate:
        """The iterate; where a loop over sparse rows has put something off, a copy that has it: the loop goes on without."""
        if self._loop not in (self._scaled, self._lazily):
            return self.iterate
        copy = self.iterate._replace(w=np.copy(self.iterate.w), state=tuple(map(np.copy, self.iterate.state)))
        if self._loop == self._scaled:
            self._call(sparse_loops.fold_in, copy.w, self.scale.copy())
        else:
            self._call(sparse_loops.catch_up_all, self.rule, copy, self.eta, self.seen, self.step)
        return copy

    def samples(self) -> int:
        """Rows visited so far, each counted as often as it was."""
        if self.search is not None:
            return self.search.evaluations * self.n
        epochs, done = divmod(self.step, self.steps_per_epoch)
        return epochs * self.n + min(done * self.batch_size, self.n) + self.extra_samples

    def evaluate(self) -> Point:
        """Objective and gradient norm of each lane, off the clock."""
        totals, g = self.measure(reported(self.rule, self.current()))
        norms = np.sqrt((g.astype(np.float64).reshape(self.lanes, -1) ** 2).sum(axis=1))
        return Point(self.step, self.samples(), self.nanoseconds * 1e-9, totals, norms)

    def measure(self, w: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """J of each lane at w, of shape (K, P), and its gradient."""
        totals, g = np.empty(self.lanes), np.empty_like(w)
        self._call(loops.objective_and_gradient, self.task, w, totals, g)
        return totals, g

    def weights(self) -> np.ndarray:
        """The weights that the rule reports, (lanes, classes, P)."""
        return reported(self.rule, self.current()).reshape(self.lanes, self.classes, -1)


def start_at(w: np.ndarray, rule: Any, penalty: Any = None) -> Iterate:
    """The iterate before the first step; `w` is changed as the loops go."""
    values, kept = start_of(rule), getattr(penalty, "slots", ())
    for kind, tag, slots in (("optimizer", rule, values), ("penalty", penalty, kept)):
        if len(slots) > MOST_SLOTS:
            raise GdbenchError(f"{kind} {name_of(tag)} keeps {len(slots)} slots: at most {MOST_SLOTS} are supported")
    layout: Any = "C" if w.flags.c_contiguous else "F"
    state = tuple(aligned(w.shape, w.dtype, w if value is None else value, layout) for value in values)
    memory = tuple(aligned(w.shape, w.dtype, 0, layout) for _ in kept)
    return Iterate(w, state, memory, np.zeros(len(w), w.dtype))


def reported(rule: Any, iterate: Iterate) -> np.ndarray:
    """The weights that count as the rule's result: its own, or for averaging their mean."""
    return rule.result(iterate.w, iterate.state) if hasattr(rule, "result") else iterate.w


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
    """
    with np.errstate(all="ignore"):  # divergence is a result, never a storm of warnings
        descent = engine(task, setting)
        compile_seconds = descent.compile()
        judge = Judge(descent, setting, goal)
        steps = checkpoints(setting, descent.steps_per_epoch)
        for step in steps:
            descent.resume()
            descent.advance(step)
            if judge.see(descent.evaluate()):
                break
            if progress:
                progress(step, steps[-1])
        outcome = judge.close()
        if engine is Descent:  # reading chunk by chunk is what the clock of another one is about
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
