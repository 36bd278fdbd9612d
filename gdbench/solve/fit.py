"""fit and sweep: descent on data."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, Unpack

import numpy as np

from gdbench.errors import GdbenchError
from gdbench.kernels.lanes import FEWEST, LANES
from gdbench.kernels.task import Task
from gdbench.problems import Problem
from gdbench.shown import Shown
from gdbench.solve import chunked, chunks, descent
from gdbench.solve.watch import Listener, listening
from gdbench.tasks import predict
from gdbench.tasks.gate import as_array
from gdbench.tasks.inputs import in_new_order, kernel_model, make_task, row_classes
from gdbench.tasks.memory import within_memory
from gdbench.tasks.model import MLP
from gdbench.tasks.setting import Options, Setting, rates_of, settle, takes_options

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, repr=False)
class Fit(Shown):
    """One descent on data.

    Attributes
    ----------
    coef : ndarray of shape (d,), or (K, d) for `cross_entropy`
    intercept : float, or ndarray of shape (K,)
    status : {"converged", "budget", "diverged", "timeout"}
    reason : str
        Why, where the status alone does not say.
    seconds : float
        In the kernels, free of recording, evaluation and compilation: a short descent is timed in a run of its own.
    compile_seconds : float
        Compiling the kernels, or loading them from the cache.
    n_updates : int
        Steps taken.
    classes : tuple
        The labels in order; empty for a real target.
    points : list of Point
        What `curve` is made of.
    rows : int
        Training rows.
    loss : tag
    model : MLP or None
        None is the linear model.
    lane : int
        The place in the sweep that it is of.
    """

    coef: np.ndarray
    intercept: Any
    status: str
    reason: str
    seconds: float
    compile_seconds: float
    n_updates: int
    classes: tuple
    points: list[descent.Point]
    rows: int
    loss: Any
    model: MLP | None = None
    lane: int = 0

    def predict(self, X: Any) -> np.ndarray:
        """What the fit predicts for each row.

        Parameters
        ----------
        X : array-like or sparse matrix of shape (n, d)
            Rows.

        Returns
        -------
        ndarray of shape (n,)
            Means, through the inverse of the loss's link, or labels of `classes`.
        """
        return predict.predictions(self.loss, predict.margins(X, self.coef, self.intercept, self.model), self.classes)

    def score(self, X: Any, y: Any) -> float:
        """How well the fit predicts.

        Parameters
        ----------
        X : array-like or sparse matrix of shape (n, d)
            Rows.
        y : array of shape (n,)
            Their targets.

        Returns
        -------
        float
            R² for a target that is a number, NaN where y is constant; or the share of right labels.
        """
        found, y = self.predict(X), as_array("y", y)
        if y.shape != found.shape:
            raise GdbenchError(f"X has {found.size} rows, but y has the shape {y.shape}")
        return predict.score(self.loss, found, y)

    def deviance_explained(self, X: Any, y: Any) -> float:
        """The share of the deviance of the mean that the fit explains: what R² is to squared error, for the fit's own loss.

        Parameters
        ----------
        X : array-like or sparse matrix of shape (n, d)
            Rows.
        y : array of shape (n,)
            Their targets.

        Returns
        -------
        float
            D²: 1 for a perfect fit, 0 for one as good as the mean.
        """
        z, y = predict.margins(X, self.coef, self.intercept, self.model), as_array("y", y)
        if y.shape != z.shape:
            raise GdbenchError(f"X has {len(z)} rows, but y has the shape {y.shape}")
        return predict.deviance_explained(self.loss, z, y)

    @cached_property
    def curve(self) -> pd.DataFrame:
        """A row a recorded point: step, epoch, samples, seconds, objective, gradient_norm."""
        import pandas as pd

        return pd.DataFrame(
            {
                "step": [p.step for p in self.points],
                "epoch": [p.samples / self.rows for p in self.points],
                "samples": [p.samples for p in self.points],
                "seconds": [p.seconds for p in self.points],
                "objective": [p.objective[self.lane] for p in self.points],
                "gradient_norm": [p.gradient_norm[self.lane] for p in self.points],
            }
        )

    @property
    def objective(self) -> float:
        """The last recorded value of J."""
        return float(self.points[-1].objective[self.lane])

    def __repr__(self) -> str:
        where = f"objective {self.objective:.6g} after {self.n_updates:,} updates, {self.seconds:.3g} s in the kernels"
        return f"<Fit: {self.status}, {where}; coef of shape {self.coef.shape}>"


@dataclass(frozen=True, repr=False)
class Sweep(Shown):
    """A grid of learning rates, descended in one pass over the data.

    Attributes
    ----------
    learning_rates : ndarray of shape (L,)
    coef : ndarray of shape (L, d), or (L, K, d) for `cross_entropy`
    intercept : ndarray of shape (L,), or (L, K)
    status, reason : tuples of L strings
    seconds : float
        In the kernels, for all lanes together.
    compile_seconds : float
    fits : tuple of L Fits
        Each lane by itself; its ``seconds`` and its curve's are the lane's equal share of the pass.
    """

    learning_rates: np.ndarray
    coef: np.ndarray
    intercept: np.ndarray
    status: tuple[str, ...]
    reason: tuple[str, ...]
    seconds: float
    compile_seconds: float
    fits: tuple[Fit, ...]

    @cached_property
    def curve(self) -> pd.DataFrame:
        """The lanes' curves, one under the other, with a column ``learning_rate``."""
        import pandas as pd

        curves = [fit.curve.assign(learning_rate=rate) for rate, fit in zip(self.learning_rates, self.fits, strict=True)]
        return pd.concat(curves, ignore_index=True)

    def __repr__(self) -> str:
        rates = f"{len(self.fits)} learning rates from {self.learning_rates.min():.3g} to {self.learning_rates.max():.3g}"
        ends = ", ".join(f"{self.status.count(name)} {name}" for name in dict.fromkeys(self.status))
        return f"<Sweep: {rates}, {ends}; {self.seconds:.3g} s in the kernels>"


@takes_options
def fit(X: Any, y: Any = None, *, sample_weight: Any = None, progress: Any = None, **options: Unpack[Options]) -> Fit:
    """Descend on J(w) = (1/n) Σ sᵢ·loss(zᵢ, yᵢ) + α·penalty(w), with z = x·w + b, from w = 0.

    Parameters
    ----------
    X : array of shape (n, d)
        Rows; float32 and float64 in C order are used as they are, anything else is converted once to float64. A dask array, or
        the path of a folder of Parquet files, is read chunk by chunk by the batch and mini-batch variants (see Notes). Or a
        :class:`~gdbench.Problem`, alone: its training rows are fitted with its own loss, penalty and intercept, which are then
        no options.
    y : array of shape (n,), or the name of a column of the Parquet files
        Numbers for a loss on real targets; labels of two classes for a loss on ±1 (the larger one is +1); labels of any
        number of classes for ``cross_entropy``. The loss decides what y is: the default one takes labels −1 and 1 for numbers.
    sample_weight : array of shape (n,), optional
        Scaled to a mean of 1: J is the weighted mean.
    progress : bool or callable, optional
        True shows a bar on stderr; a function is called with what is done and what there is to do.
    model : {"linear", "mlp"} or MLP, default "linear"
        For a network ``coef`` holds all its parameters (``MLP.unpack`` takes them apart) and ``intercept`` is 0.
    loss : str or tag, default "squared_error"
        ½(z − y)² for ``squared_error``; ``gdbench list losses`` names the others.
    penalty : None, str or tag, default None
        A name that ``gdbench list penalties`` shows, or a tag such as ``gd.penalties.L2(0.1)``.
    alpha : float, default 0.0
        The penalty's factor; nothing without a penalty. A tag, such as ``gd.penalties.L2(0.1)``, has its own.
    l1_ratio : float, default 0.15
        Share of l1 in ``elasticnet``; likewise.
    optimizer : str or tag, default "gd"
        A name that ``gdbench list optimizers`` shows, or a tag such as ``gd.optimizers.Adam(beta2=0.99)``.
    variant : {"batch", "stochastic", "mini-batch"}, default "mini-batch"
    batch_size : int, default 32
        Rows a step of the mini-batch variant.
    learning_rate : float, or a schedule's name or tag, default 0.01
        A number is constant; ``gdbench list schedules`` names the schedules.
    epochs : int, default 100
        Passes over the data, at most.
    tol : float, optional
        Stop as ``converged`` when five epochs together lower J by less.
    shuffle : str, default "epoch"
        The row order; the batch variant needs none.
    window : int, optional
        Of data read chunk by chunk: so many chunks, in random order, are mixed at a time, so that each is read once an epoch (see
        Notes).
    fit_intercept : bool, default True
        Whether the model has an intercept, which is not penalised.
    seed : int, default 0
        Same inputs and seed, same bits.
    record : int, default 40
        Points recorded, log-spaced over the steps. They change no bit of the result.
    threads : int, default 1
        For batch gradients and the lanes of a sweep; the result is the same to the bit for any number.
    time_limit : float, default inf
        Seconds in the kernels after which the run ends as ``timeout``.

    Returns
    -------
    Fit
        The weights, how the descent ended, its curve and its clocks.

    Raises
    ------
    GdbenchError
        Bad input, in one line that says what is valid. Divergence is a status, not an error.

    Notes
    -----
    Of data read chunk by chunk (a dask array's own chunks of rows; row groups, the files in natural order of their names) four
    chunks are in memory at most, beside `y` and the row order: two read ones, one that is being decoded, and one of rows that
    are being put together. The result is that of the same rows in memory, to rounding. ``batch`` and ``shuffle="none"`` read
    the data once an epoch and once more for each recorded point; a shuffled order collects as many rows as a chunk holds at a
    time, and reads the chunks that hold them for it, which for ``"block"``, ``"once"`` and ``"epoch"`` are all of them. With
    ``window=k`` the mini-batch variant visits the chunks in a new random order each epoch and mixes the rows of k of them at a
    time: each chunk is read once, and k chunks more are in memory. Where neighbouring rows are alike, a wider window mixes them
    better. Reading is on the clock.

    Examples
    --------
    >>> import gdbench as gd
    >>> result = gd.fit([[1.0], [2.0], [3.0], [4.0], [5.0]], [2, 4, 5, 4, 5], variant="batch", epochs=2000, learning_rate=0.1)
    >>> result.coef.round(6).tolist(), round(float(result.intercept), 6)
    ([0.6], 2.2)
    """
    if "learning_rates" in options:
        raise GdbenchError("fit takes one learning_rate; for learning_rates there is sweep")
    with listening(progress) as heard:
        return _lanes(X, y, sample_weight, dict(options), heard).fits[0]


@takes_options
def sweep(
    X: Any, y: Any = None, *, learning_rates: Any, sample_weight: Any = None, progress: Any = None, **options: Unpack[Options]
) -> Sweep:
    """Fit once for each learning rate, in one pass over the data: a row that is in cache serves every rate.

    Parameters
    ----------
    X : array of shape (n, d), or Problem
        As for :func:`fit`.
    y : array of shape (n,), or the name of a column
        As for :func:`fit`.
    learning_rates : sequence of L floats
        The rates.
    sample_weight : array of shape (n,), optional
        As for :func:`fit`.
    progress : bool or callable, optional
        As for :func:`fit`.
    **options
        As for :func:`fit`. A schedule given as ``learning_rate`` keeps its shape; its rate is replaced by each of
        `learning_rates`.

    Returns
    -------
    Sweep
        Each lane equals the `fit` at its rate to rounding.
    """
    with listening(progress) as heard:
        return _lanes(X, y, sample_weight, {**options, "learning_rates": rates_of(learning_rates)}, heard)


def _lanes(X: Any, y: Any, sample_weight: Any, options: dict[str, Any], heard: Listener | None) -> Sweep:
    if isinstance(X, Problem):
        X, y, options = _of_problem(X, y, options)
    elif y is None:
        raise GdbenchError("y is missing: give X and y, or a problem such as gd.load_problem('diabetes')")
    setting = settle(**options)
    with within_memory("this descent"):
        if chunks.is_chunked(X):
            return _over_chunks(X, y, sample_weight, setting, heard)
        if setting.window is not None:
            raise GdbenchError(
                "window mixes chunks of data that is read chunk by chunk: a dask array or a Parquet folder; leave it out"
            )
        task, labels = make_task(X, y, setting, sample_weight)
        groups = lane_groups(setting)
        if len(groups) == 1:
            return _pass(task, labels, setting, heard)
        if setting.shuffle == "once" and setting.variant != "batch":
            task = in_new_order(task, setting.seed)  # once for all groups
            groups = [replace(group, shuffle="none") for group in groups]
        classes = row_classes(task)
        parts = [task._replace(model=kernel_model(group, task.data, classes)) for group in groups]
        with ThreadPoolExecutor(setting.threads) as pool:
            return merged(list(pool.map(lambda part, group: _pass(part, labels, group, heard), parts, groups)))


def _of_problem(problem: Problem, y: Any, options: dict[str, Any]) -> tuple[Any, np.ndarray, dict[str, Any]]:
    """The rows and target of a problem, and the options with its objective."""
    own = ["y"] * (y is not None) + [name for name in (*problem.objective_options, "alpha", "l1_ratio") if name in options]
    if own:
        other = f"give {own[0]} to load_problem instead, or fit problem.X and problem.y"
        raise GdbenchError(f"the problem {problem.name} has its own {own[0]}: {other}")
    return problem.X, problem.y, options | problem.objective_options


def _pass(task: Task, labels: tuple, setting: Setting, heard: Listener | None) -> Sweep:
    """One pass over the data for all lanes of a setting."""
    outcome = descent.run(task, setting, progress=heard)
    return as_sweep(outcome, np.asarray(setting.learning_rates), labels, task.target.size, setting)


def _over_chunks(X: Any, y: Any, sample_weight: Any, setting: Setting, heard: Listener | None) -> Sweep:
    """The same over data that is read chunk by chunk."""
    source, y = chunks.opened(X, y)
    task, labels = chunked.make_task(source, y, setting, sample_weight)

    def engine(task: Task, setting: Setting) -> descent.Descent:
        return chunked.ChunkedDescent(source, task, setting, heard)

    outcome = descent.run(task, setting, engine=engine)
    return as_sweep(outcome, np.asarray(setting.learning_rates), labels, source.rows, setting)


def lane_groups(setting: Setting) -> list[Setting]:
    """The lanes shared out to threads in groups of as many as the loops work on at once: the split changes no bit."""
    rates = setting.learning_rates
    size = LANES if len(rates) >= FEWEST else 4
    groups = max(1, len(rates) // size)
    if setting.threads == 1 or groups == 1:
        return [setting]
    share = size * -(-groups // setting.threads)
    starts = list(range(0, size * groups, share))
    ends = [*starts[1:], len(rates)]
    return [replace(setting, learning_rates=rates[a:b], threads=1) for a, b in zip(starts, ends, strict=True)]


def merged(parts: list[Sweep]) -> Sweep:
    """The sweeps of groups of lanes as one."""
    return Sweep(
        learning_rates=np.concatenate([p.learning_rates for p in parts]),
        coef=np.concatenate([p.coef for p in parts]),
        intercept=np.concatenate([p.intercept for p in parts]),
        status=sum((p.status for p in parts), ()),
        reason=sum((p.reason for p in parts), ()),
        seconds=max(p.seconds for p in parts),
        compile_seconds=max(p.compile_seconds for p in parts),
        fits=sum((p.fits for p in parts), ()),
    )


def as_sweep(outcome: descent.Outcome, rates: np.ndarray, labels: tuple, rows: int, setting: Setting) -> Sweep:
    """The outcome of a descent in the words of the Python face; of a network no intercept stands by itself."""
    w = outcome.w if outcome.w.shape[1] > 1 else outcome.w[:, 0]
    coef, intercept = (w[..., :-1], w[..., -1]) if setting.model is None else (w, np.zeros(len(w)))
    fits = []
    for lane in range(len(rates)):
        points = [share(p, len(rates)) for p in outcome.points[: outcome.last[lane] + 1]]
        fits.append(
            Fit(
                coef=coef[lane],
                intercept=intercept[lane],
                status=outcome.status[lane],
                reason=outcome.reason[lane],
                seconds=points[-1].seconds,
                compile_seconds=outcome.compile_seconds,
                n_updates=points[-1].step,
                classes=labels,
                points=points,
                rows=rows,
                loss=setting.loss,
                model=setting.model,
                lane=lane,
            )
        )
    return Sweep(
        learning_rates=rates,
        coef=coef,
        intercept=intercept,
        status=tuple(outcome.status),
        reason=tuple(outcome.reason),
        seconds=outcome.seconds,
        compile_seconds=outcome.compile_seconds,
        fits=tuple(fits),
    )


def share(point: descent.Point, lanes: int) -> descent.Point:
    """The point with a lane's share of the time."""
    return descent.Point(point.step, point.samples, point.seconds / lanes, point.objective, point.gradient_norm)
