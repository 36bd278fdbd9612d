"""What every loop is: its compiled body, and the state that it keeps from call to call.

A loop's state is one NamedTuple of arrays, changed in place, which holds all that the next call needs: so a state that is
copied, restored, or brought up to date is complete, whatever the loop puts off. Loops of different kinds hand over to each
other by :class:`Progress`, in which nothing is put off.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from copy import copy
from typing import Any, NamedTuple

import numpy as np

from gdbench.errors import GdbenchError
from gdbench.kernels.aligned import aligned
from gdbench.kernels.compile.jit import Kernel
from gdbench.kernels.compile.tags import MOST_SLOTS
from gdbench.kernels.members import start_of, start_of_kept
from gdbench.kernels.optimizers import looker, looks
from gdbench.kernels.optimizers.gd import GD
from gdbench.kernels.optimizers.wrapped import layers
from gdbench.kernels.registry import name_of
from gdbench.kernels.task import Iterate, Task


class State(NamedTuple):
    """The state of a loop that puts nothing off; those of the others begin with the same fields.

    Attributes
    ----------
    iterate : Iterate
    eta : ndarray of shape (K,)
        The learning rate of each output, which the schedule's factors multiply.
    steps : ndarray of shape (1,), int64
        Steps taken so far.
    """

    iterate: Iterate
    eta: np.ndarray
    steps: np.ndarray


class LookAheadState(NamedTuple):
    """The state of a loop that prepares the margins of rows to come.

    Attributes
    ----------
    iterate, eta, steps
        As of :class:`State`.
    known : ndarray
        What a call that ends within a pass knows of the rows to come, for the call that goes on there.
    """

    iterate: Iterate
    eta: np.ndarray
    steps: np.ndarray
    known: np.ndarray


class Progress(NamedTuple):
    """How far a descent has come, with nothing put off: another descent, on other rows or by another loop, goes on from it.

    Attributes
    ----------
    iterate : Iterate
    rule, penalty : tags
        To which the slots of the iterate belong.
    steps : int
        Steps taken so far.
    """

    iterate: Iterate
    rule: Any
    penalty: Any
    steps: int = 0


class Calls:
    """Kernels, each called with arguments of the same types each time: they are looked at once."""

    def __init__(self) -> None:
        self.compiled: dict[Kernel, Callable] = {}

    def bind(self, kernel: Kernel, *args: Any) -> Callable:
        """The compiled code for these arguments' types."""
        if kernel not in self.compiled:
            self.compiled[kernel] = kernel.bound(*args)
        return self.compiled[kernel]

    def __call__(self, kernel: Kernel, *args: Any) -> None:
        self.bind(kernel, *args)(*args)


class Loop:
    """A compiled descent and its state.

    Parameters
    ----------
    task : Task
    rule : tag of gdbench.kernels.optimizers
    setting : Setting
        Of which ``batch_size``, ``model`` and ``schedule`` are read.
    """

    #: Whether a few steps that are taken back afterwards cost little: the state is small.
    is_cheap_to_rehearse = True

    def __init__(self, task: Task, rule: Any, setting: Any):
        self.task, self.rule = task, rule
        self.batch_size = rows_per_step(task, setting)
        self.call = Calls()

    @classmethod
    def accepts(cls, task: Task, rule: Any, setting: Any) -> bool:
        """Whether the loop computes this descent."""
        raise NotImplementedError

    def on(self, task: Task) -> Any:
        """The same loop on another task of the same types, such as a piece of the rows."""
        found = copy(self)
        found.task = task
        return found

    def begin(self, progress: Progress, eta: np.ndarray) -> Any:
        """The state before the next step; the arrays given are not changed later."""
        return State(*self._begun(progress, eta))

    def _begun(self, progress: Progress, eta: np.ndarray) -> tuple[Iterate, np.ndarray, np.ndarray]:
        """The fields that all states have."""
        return copy_of(progress.iterate), eta.copy(), np.array([progress.steps], np.int64)

    def run(self, state: Any, order: np.ndarray, place: int, rates: np.ndarray) -> None:
        """Take as many steps as there are rates.

        Parameters
        ----------
        state : NamedTuple
            Of :meth:`begin`; changed in place.
        order : ndarray of shape (passes, rows), int32
            The rows of whole passes, to be visited from `place` in the first of them.
        place : int
            Other than 0, or with fewer rates than a pass has steps, only where there is a single pass.
        rates : ndarray
            The schedule's factor for each step.
        """
        self._descend(state, order, place, rates)
        state.steps[0] += rates.size

    def _descend(self, state: Any, order: np.ndarray, place: int, rates: np.ndarray) -> None:
        """Call the kernel; :meth:`run` counts the steps."""
        raise NotImplementedError

    def _visited(self, order: np.ndarray, place: int, rates: np.ndarray) -> np.ndarray:
        """The rows of `order` that the steps visit, for a kernel that visits all it is given."""
        return order[:, place : place + rates.size * self.batch_size] if len(order) == 1 else order

    def compile(self, state: Any) -> None:
        """Compile, or load, what `run` and `iterate` call; the state stays as it is."""
        self.run(state, np.empty((0, self.task.target.size), np.int32), 0, state.eta[:0])
        self.iterate(state)

    def iterate(self, state: Any) -> Iterate:
        """The iterate with nothing put off; the state stays as it is."""
        return state.iterate

    def weights(self, state: Any) -> np.ndarray:
        """The weights that count as the rule's result, of shape (K, P): its own, or for averaging their mean."""
        return reported(self.rule, self.iterate(state))

    def progress(self, state: Any) -> Progress:
        """How far the descent has come, in arrays of its own."""
        return Progress(copy_of(self.iterate(state)), self.rule, self.task.penalty, int(state.steps[0]))

    def change_rates(self, state: Any, eta: np.ndarray) -> None:
        """Let the steps to come have the learning rates `eta`, of shape (K,); those that are put off keep theirs."""
        state.eta[:] = eta

    def extra_samples(self, steps: int) -> int:
        """Rows read beside those that so many steps visit."""
        return 0


def rows_per_step(task: Task, setting: Any) -> int:
    """How many rows a step takes: no more than there are."""
    n = task.target.size
    return min(setting.batch_size or n, n)


def steps_on_rows(task: Task, rule: Any, setting: Any) -> bool:
    """Whether each step is on one row of a linear model, weight by weight."""
    return rows_per_step(task, setting) == 1 and not looks(rule) and setting.model is None


def is_plain(task: Task, rule: Any) -> bool:
    """Whether a step multiplies the weights by one number and adds a multiple of the gradient."""
    return isinstance(rule, GD) and hasattr(task.penalty, "shrinkage")


def start_at(w: np.ndarray, rule: Any, penalty: Any = None) -> Iterate:
    """The iterate before the first step; `w` is changed as the loops go."""
    values, kept = start_of(rule), getattr(penalty, "slots", ())
    for kind, tag, slots in (("optimizer", rule, values), ("penalty", penalty, kept)):
        if len(slots) > MOST_SLOTS:
            raise GdbenchError(f"{kind} {name_of(tag)} keeps {len(slots)} slots: at most {MOST_SLOTS} are supported")
    layout: Any = "C" if w.flags.c_contiguous else "F"
    state = tuple(aligned(w.shape, w.dtype, w if value is None else value, layout) for value in values)
    memory = tuple(aligned(w.shape, np.float64, 0, layout) for _ in kept)
    kept = np.tile(start_of_kept(looker(rule)), (len(w), 1)) if looks(rule) else ()
    return Iterate(w, state, memory, np.zeros(len(w)), kept)


def started(w: np.ndarray, rule: Any, penalty: Any) -> Progress:
    """A descent before its first step, at the weights w."""
    return Progress(start_at(w, rule, penalty), rule, penalty)


def adapted(earlier: Progress, rule: Any, penalty: Any) -> Progress:
    """The progress as a descent by this rule under this penalty goes on from it: slots of another one begin anew."""
    old, new = earlier.iterate, start_at(earlier.iterate.w, rule, penalty)
    if [type(layer) for layer in layers(earlier.rule)] == [type(layer) for layer in layers(rule)]:
        new = new._replace(state=old.state, kept=old.kept)
    if type(earlier.penalty) is type(penalty) and earlier.penalty == penalty:  # l1 totals are of one alpha
        new = new._replace(memory=old.memory, travelled=old.travelled)
    return Progress(new, rule, penalty, earlier.steps)


def reported(rule: Any, iterate: Iterate) -> np.ndarray:
    """The weights that count as the rule's result: its own, or for averaging their mean."""
    return rule.result(iterate.w, iterate.state) if hasattr(rule, "result") else iterate.w


def copy_of(value: Any) -> Any:
    """A copy of an array, at the beginning of a cache line, or of all arrays in nested tuples."""
    if isinstance(value, np.ndarray):
        layout: Any = "C" if value.flags.c_contiguous else "F"
        return aligned(value.shape, value.dtype, value, layout)
    if isinstance(value, tuple):
        parts = map(copy_of, value)
        return type(value)(*parts) if hasattr(value, "_fields") else tuple(parts)
    return value


def arrays_of(value: Any) -> Iterator[np.ndarray]:
    """All arrays in nested tuples, in order."""
    if isinstance(value, np.ndarray):
        yield value
    elif isinstance(value, tuple):
        for part in value:
            yield from arrays_of(part)


def restore(state: Any, earlier: Any) -> None:
    """Give a state the values of an earlier copy of it, in place."""
    for array, values in zip(arrays_of(state), arrays_of(earlier), strict=True):
        array[...] = values
