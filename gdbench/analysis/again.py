"""Clocks that seem to have changed, timed again: each folder's solver in a process of its own gdbench, in turn.

Two folders were timed on a machine in two states, so that what differs between them is no evidence of a change. Pairs of timings
that lie beside each other are: each pair is one r of :mod:`gdbench.analysis.verdicts`. Every few pairs both processes are started
anew, for where a process happens to lay its data in memory can make all of its timings slower or faster.
"""

from __future__ import annotations

import contextlib
import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from gdbench.analysis.uncertainty import median
from gdbench.analysis.verdicts import Costs, Verdict, judge
from gdbench.analysis.view import View
from gdbench.errors import GdbenchError
from gdbench.suite.again import Question, Side

#: Pairs of timings of a solver between two starts of the processes, and how often these are started at most.
PAIRS, STARTS = 5, 6


@dataclass
class Paired:
    """The pairs of timings of one solver by one clock.

    Attributes
    ----------
    questions : tuple of Question
        To A and to B: the same steps, each at its own learning rate.
    samples : float
        Of those steps.
    a, b : list of float
        Seconds, pair by pair.
    why : str
        Why there are no more.
    """

    questions: tuple[Question, Question]
    samples: float
    a: list[float] = field(default_factory=list)
    b: list[float] = field(default_factory=list)
    why: str = ""

    def verdict(self, pairs: int, delta: float) -> Verdict:
        """B against A, as one of so many clocks that are timed again."""
        values = np.array([self.a, self.b])
        known = values[:, np.isfinite(values).all(axis=0)]
        return judge(Costs.of(known[1]), Costs.of(known[0]), pairs, delta)

    @property
    def medians(self) -> tuple[float, float]:
        """Seconds a sample of A and of B."""
        return median(np.array(self.a)) / self.samples, median(np.array(self.b)) / self.samples


def question_of(shown: View, key: tuple[str, str], seed: int, step: int, clock: str) -> Question:
    """The question for a solver at the rate that a folder chose."""
    rate = float(shown.chosen[key].learning_rate.iloc[0])
    # of what no seed changes there is one run, on the first
    seeds = set(shown.chosen[key].seed)
    return Question(*key, rate, seed if seed in seeds else int(min(seeds)), step, clock)


def paired_of(one: View, other: View, key: tuple[str, str], target: float, seeds: list[int], clock: str) -> Paired:
    """What is to be timed again of a solver: the steps that A counted to a target, on the first seed that both reached it on."""
    counts = [shown.hits.of(*key, target).drop_duplicates("seed").set_index("seed") for shown in (one, other)]
    seed = next(seed for seed in seeds if all(bool(rows.reached[seed]) for rows in counts))
    step, samples = int(counts[0].step[seed]), float(counts[0].samples[seed])
    first, second = (question_of(shown, key, seed, step, clock) for shown in (one, other))
    return Paired((first, second), samples)


def time_again(one: View, other: View, clocks: list[Paired], delta: float, tell: Callable[[str], Any]) -> None:
    """Time pairs of A and B in turn, until each clock is decided, or STARTS times as many as PAIRS are taken."""
    for start in range(STARTS):
        todo = [clock for clock in clocks if not clock.why and not clock.verdict(len(clocks), delta).decided]
        if not todo:
            return
        tell(f"timing {len(todo)} of {len(clocks)} changed clocks again, A and B in turn: round {start + 1} of {STARTS} at most")
        try:
            with contextlib.ExitStack() as stack:
                sides = [stack.enter_context(Side(shown.results)) for shown in (one, other)]
                for clock in todo:
                    _pairs(clock, sides)
        except GdbenchError as error:
            for clock in todo:
                clock.why = clock.why or str(error)


def _pairs(clock: Paired, sides: list[Side]) -> None:
    """Add PAIRS pairs to a clock."""
    try:
        for i in range(PAIRS):
            found = [math.nan, math.nan]
            for side in (0, 1) if i % 2 else (1, 0):
                found[side] = sides[side].seconds(clock.questions[side])
            clock.a.append(found[0])
            clock.b.append(found[1])
    except GdbenchError as error:
        clock.why = str(error)
        if any(side.ended for side in sides):
            raise
