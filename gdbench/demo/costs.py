"""What the variants cost, by measurement: time, memory, noise."""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from statistics import median
from typing import Any

import numpy as np

from gdbench.demo.show import Picture, Series, Show, Table
from gdbench.solve.fit import fit
from gdbench.suite.machine import cpu_name

ROWS, COLUMNS, NOISE, FLATTEST = 20_000, 20, 1.0, 0.3
BATCH_SIZES = (1, 8, 32, 256, 2048, ROWS)
EPOCHS, TARGET, ROUNDS = 40, 1e-2, 7
RATES = (0.003, 0.01, 0.03, 0.1, 0.3, 1.0)


@dataclass(frozen=True)
class Cost:
    """A batch size, at the learning rate that suits it best.

    Attributes
    ----------
    batch_size : int
    learning_rate : float
    bytes_per_update : int
        Data that is read for one step, counted.
    bytes_of_a_copy : int
        What a step in NumPy that copies its rows first, as most code does, holds at its peak.
    bytes_of_a_fit : int
        What a fit here, which reads its rows where they lie, holds at its peak beside them.
    microseconds_per_update, milliseconds_per_epoch : float
    epochs_to_target, milliseconds_to_target : float or None
        Until the gap is a hundredth of what it was; all milliseconds and microseconds are medians over `ROUNDS` runs.
    quickest, slowest : float or None
        The quartiles of the milliseconds to the target.
    floor : float
        The gap that is left, as a share of the first.
    milliseconds, gap : ndarray
        The curve; the gap as a share of the first.
    """

    batch_size: int
    learning_rate: float
    bytes_per_update: int
    bytes_of_a_copy: int
    bytes_of_a_fit: int
    microseconds_per_update: float
    milliseconds_per_epoch: float
    epochs_to_target: float | None
    milliseconds_to_target: float | None
    quickest: float | None
    slowest: float | None
    floor: float
    milliseconds: np.ndarray
    gap: np.ndarray


@dataclass(frozen=True)
class Costs:
    """From one row a step to all of them."""

    costs: tuple[Cost, ...]


def compute() -> Costs:
    """Measure each batch size on a random least-squares problem whose columns differ in scale, as real ones do."""
    random = np.random.default_rng(0)
    X = random.normal(size=(ROWS, COLUMNS)) * np.geomspace(1.0, FLATTEST, COLUMNS)
    y = X @ random.normal(size=COLUMNS) + NOISE * random.normal(size=ROWS)
    residual = np.linalg.lstsq(np.column_stack([X, np.ones(ROWS)]), y, rcond=None)[1]
    best = float(residual[0]) / (2 * ROWS)
    found = [measured(X, y, best, size) for size in BATCH_SIZES]
    # In turn, so that what else the machine does meets all of them.
    rounds = [[costed(X, y, best, c.batch_size, c.learning_rate) for c in found] for _ in range(ROUNDS)]
    return Costs(tuple(timed(cost, runs) for cost, runs in zip(found, zip(*rounds, strict=True), strict=True)))


def timed(cost: Cost, runs: Sequence[Cost]) -> Cost:
    """The cost with the times of repeated runs."""
    pace = {name: median(getattr(run, name) for run in runs) for name in ("microseconds_per_update", "milliseconds_per_epoch")}
    if cost.milliseconds_to_target is None:
        return replace(cost, **pace)
    low, middle, high = np.quantile([run.milliseconds_to_target for run in runs], [0.25, 0.5, 0.75])
    return replace(cost, **pace, milliseconds_to_target=float(middle), quickest=float(low), slowest=float(high))


def measured(X: np.ndarray, y: np.ndarray, best: float, batch_size: int) -> Cost:
    """The batch size at the learning rate with which it reaches the target soonest."""
    tried = [costed(X, y, best, batch_size, rate) for rate in RATES]
    found = min(tried, key=lambda c: (np.inf if c.epochs_to_target is None else c.epochs_to_target, c.floor))
    rows, w = np.random.default_rng(0).permutation(ROWS)[:batch_size], np.zeros(COLUMNS)
    return replace(
        found,
        bytes_of_a_copy=held(lambda: step(X[rows], y[rows], w)),
        bytes_of_a_fit=held(lambda: fit(X, y, **solver(batch_size, found.learning_rate) | {"epochs": 1})),
    )


def held(work: Callable[[], object]) -> int:
    """The most bytes of arrays and objects that `work` holds at a time."""
    tracemalloc.start()
    work()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return peak


def step(x: np.ndarray, y: np.ndarray, w: np.ndarray) -> np.ndarray:
    """The gradient of a batch in NumPy."""
    return x.T @ (x @ w - y) / len(y)


def solver(batch_size: int, rate: float) -> dict[str, Any]:
    """The options of `fit` for a batch size; that of one row and that of all are variants of their own."""
    variant = {1: "stochastic", ROWS: "batch"}.get(batch_size, "mini-batch")
    return {"variant": variant, "batch_size": batch_size, "learning_rate": rate, "epochs": EPOCHS, "record": 120, "seed": 0}


def costed(X: np.ndarray, y: np.ndarray, best: float, batch_size: int, rate: float) -> Cost:
    """One run; its memory is measured apart, which would slow it down."""
    fitted = fit(X, y, **solver(batch_size, rate))
    curve = fitted.curve
    gap = ((curve["objective"] - best) / (curve["objective"].iloc[0] - best)).to_numpy()
    there = int(np.argmax(gap <= TARGET)) if (gap <= TARGET).any() else None
    last = gap[-10:]
    return Cost(
        batch_size=batch_size,
        learning_rate=rate,
        bytes_per_update=batch_size * COLUMNS * X.itemsize,
        bytes_of_a_copy=0,
        bytes_of_a_fit=0,
        microseconds_per_update=fitted.seconds / fitted.n_updates * 1e6,
        milliseconds_per_epoch=fitted.seconds / curve["epoch"].iloc[-1] * 1e3,
        epochs_to_target=None if there is None else float(curve["epoch"].iloc[there]),
        milliseconds_to_target=None if there is None else float(curve["seconds"].iloc[there]) * 1e3,
        quickest=None,
        slowest=None,
        floor=max(float(np.median(last)), 0.0) if fitted.status != "diverged" else float("inf"),
        milliseconds=curve["seconds"].to_numpy() * 1e3,
        gap=gap,
    )


def show(numbers: Costs) -> Show:
    """Cost of a step against what it brings."""
    costs = numbers.costs
    one, whole = costs[0], costs[-1]
    rows = [
        (
            name(c),
            f"{c.learning_rate:g}",
            amount(c.bytes_of_a_copy / 1024),
            amount(c.microseconds_per_update),
            amount(c.milliseconds_per_epoch),
            "—" if c.epochs_to_target is None else f"{c.epochs_to_target:.2g}",
            "—" if c.milliseconds_to_target is None else f"{c.milliseconds_to_target:.2g}",
            f"{c.floor:.1e}",
        )
        for c in costs
    ]
    heads = (
        "rows a step",
        "best α",
        "KiB copied",
        "µs a step",
        "ms an epoch",
        "epochs to 1 %",
        "ms to 1 %",
        "gap left",
    )
    return Show(
        "costs",
        "What a step costs, and what it brings",
        [
            f"Least squares on {ROWS:,} rows × {COLUMNS} columns, measured just now on this machine ({cpu_name()}); each "
            f"batch size at the best of {len(RATES)} learning rates, times as medians of {ROUNDS} runs in turn.",
            Table(f"{EPOCHS} epochs; gaps as shares of the first", heads, rows),
            f"A batch step reads all {whole.bytes_per_update / 2**20:.1f} MiB and takes "
            f"{whole.microseconds_per_update:,.0f} µs before anything moves; a stochastic step takes "
            f"{one.microseconds_per_update:.2f} µs, but its gap stays at {one.floor:.0e} of the first, "
            f"where batch descent gets to {whole.floor:.0e}.",
            f"Code that copies a step's rows first held {one.bytes_of_a_copy / 1024:.1f} KiB for one row and "
            f"{whole.bytes_of_a_copy / 2**20:.1f} MiB for all (the column KiB copied, a step in NumPy). gdbench reads the "
            f"rows where they lie: beside them a fit held at most {max(c.bytes_of_a_fit for c in costs) / 1024:,.0f} KiB.",
            soonest(costs),
            Picture(
                "The gap over time",
                "milliseconds",
                "gap ÷ first gap",
                [Series(name(c), c.milliseconds[1:], c.gap[1:]) for c in costs],
                log_x=True,
                log_y=True,
            ),
        ],
        numbers,
    )


def amount(value: float) -> str:
    """A positive number in a narrow column."""
    return f"{value:,.0f}" if value >= 100 else f"{value:.2g}"


def soonest(costs: tuple[Cost, ...]) -> str:
    """Which batch size came down to the target first, by epochs and by the clock."""
    there = [c for c in costs if c.epochs_to_target is not None]
    if not there:
        return "None came down to 1 % of the first gap."
    few = min(there, key=lambda c: c.epochs_to_target or 0.0)
    fast = min(there, key=lambda c: c.milliseconds_to_target or 0.0)
    near = [name(c) for c in there if c is not fast and (c.quickest or 0.0) <= (fast.slowest or 0.0)]
    doubt = f"; {' and '.join(near)} cannot be told from it" if near else ""
    return (
        f"To 1 % of the first gap, {name(few)} rows a step needed the fewest epochs ({few.epochs_to_target:.2g}) and "
        f"{name(fast)} the least time ({fast.milliseconds_to_target:.2g} ms, its quartiles {fast.quickest:.2g} and "
        f"{fast.slowest:.2g}){doubt}."
    )


def name(cost: Cost) -> str:
    """The batch size in words."""
    words = {1: "1 (stochastic)", ROWS: f"{ROWS} (batch)"}
    return words.get(cost.batch_size, str(cost.batch_size))
