"""Metrics of a suite's results, each with its formula.

gap
    f(w) − f*, with the certified optimum f*; for a network, whose objective is not convex, with the best value known: the
    lowest that any recorded point of the suite has.
relative gap
    (f(w) − f*) ⁄ (f(w₀) − f*), w₀ = 0 (of a network its seeded start): 1 at the start, 0 at the optimum.
cost to a target
    Epochs, samples (gradients of a row), updates or seconds at the first recorded point whose relative gap is at or
    under the target. A miss is ∞, and so is a run that diverged or failed later on.
aRT
    Σ cost ÷ successes: of all runs the cost that was spent, to the target or to the end, over the number that reached
    it.
final metric
    Of the last weights: R² = 1 − Σ(y − z)² ⁄ Σ(y − ȳ)² of a regression, right rows ÷ rows of a classification; on the rows
    that were descended on (train) and on those kept aside (test).
noise floor
    The median gap over the last half of the epochs of a run at a constant rate that did not converge: where it circles.
divergence share
    Diverged runs ÷ runs of the grid.
robustness
    Decades of learning rate over which the cost to the target is within twice that at the best rate, from the grid's
    points: log₁₀ of the ratio of the outermost rates of the unbroken stretch around the best.
compile time
    Seconds from the call until the loops can run: compiling them, or loading them from the cache. In no other figure.
A/A noise
    Of two timed runs of the same solver, problem and seed, the ratio of the slower's seconds per sample to the
    faster's. The 90 % quantile over a problem's solvers is the factor under which two solvers are "not
    distinguishable".
bandwidth
    Bytes of X × epochs ÷ seconds, and its share of the machine's measured read bandwidth.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import numpy as np

from gdbench.suite import tuning
from gdbench.suite.execute import COSTS, LOST, target_label
from gdbench.suite.results import Results

if TYPE_CHECKING:
    import pandas as pd

#: What identifies a solver on a problem.
GROUP = ["problem", "solver"]

#: What :func:`sensitivity` gives at each rate.
LEVELS = ["epochs", "samples", "relative_gap"]

#: Columns of a run that describe its solver.
SOLVER = ["backend", "variant", "batch_size", "optimizer", "schedule", "shuffle", "dtype"]

#: The column of a run that counts all it spent, by the name of the cost.
WHOLE_RUN = {"epochs": "epochs", "samples": "n_samples", "updates": "n_updates", "seconds": "seconds"}

#: What :func:`summary` takes from all rates of a solver.
WHOLE_GRID = ["compile_seconds", "metric_name", "status", "note"]


def to_target(runs: pd.DataFrame, targets: Iterable[float]) -> pd.DataFrame:
    """What runs spent to each target.

    Parameters
    ----------
    runs : DataFrame
        Rows of a suite's runs.
    targets : iterable of float

    Returns
    -------
    DataFrame
        A row a run and target: run_id, problem, solver, learning_rate, seed, target, reached, and epochs, samples, updates,
        seconds, each with its end (epochs_spent, ...). A miss is inf, and what it spent is all that its run did. NaN where
        f* does not apply to the run, and seconds of a run that was not timed alone.
    """
    import pandas as pd

    alone, parts = runs["timing"] == "alone", []
    for target in targets:
        label = target_label(target)
        part = runs[["run_id", *GROUP, "learning_rate", "seed"]].assign(target=target)
        part["reached"] = np.isfinite(runs[f"epochs_to_{label}"])
        for cost, whole in WHOLE_RUN.items():
            known = runs[f"{cost}_to_{label}"].where(alone | (cost != "seconds"))
            part[cost] = known
            part[f"{cost}_spent"] = known.where(part["reached"] | known.isna(), runs[whole])
        parts.append(part)
    return pd.concat(parts, ignore_index=True)


def best_rates(results: Results) -> pd.DataFrame:
    """The rate chosen for each solver on each problem by the suite's declared rule.

    Returns
    -------
    DataFrame
        A row a problem and solver: learning_rate (NaN where every rate diverged), tuned_to (the target that decided,
        NaN if the final gap did), n_rates (how many were tried), rule.
    """
    import pandas as pd

    rule = results.spec["tuning"]
    wanted = ["learning_rate", "status", "gap", "objective"] + [f"samples_to_{target_label(t)}" for t in results.targets]
    wanted += ["model"] if "model" in results.runs else []  # a folder of an earlier version has linear models only
    rows = []
    for (problem, solver), group in _grouped(results.tuning[[*GROUP, *wanted]]):
        choice = tuning.choose(group.to_dict("records"), results.targets, rule)
        rate = math.nan if choice.learning_rate is None else choice.learning_rate
        target = math.nan if choice.target is None else choice.target
        rows.append((problem, solver, rate, target, choice.n_rates, rule))
    return pd.DataFrame(rows, columns=[*GROUP, "learning_rate", "tuned_to", "n_rates", "rule"])


def sensitivity(results: Results, target: float | None = None) -> pd.DataFrame:
    """How each solver fares over the grid of learning rates.

    Parameters
    ----------
    results : Results
    target : float, optional
        By default, for each problem, the tightest target that half of its solvers reach at some rate.

    Returns
    -------
    DataFrame
        A row a problem, solver and learning rate: target, epochs (median over seeds to the target, inf for a miss),
        samples, relative_gap (median, of the runs as they ended), diverged (share of seeds), runs.
    """
    import pandas as pd

    parts = []
    for problem, runs in results.tuning.groupby("problem", sort=False):
        chosen = common_target(results, str(problem)) if target is None else target
        usable = ~runs["status"].isin(LOST)
        part = runs[[*GROUP, "learning_rate"]].assign(target=chosen, diverged=runs["status"] == "diverged")
        for name, column in zip(LEVELS, [f"{c}_to_{target_label(chosen)}" for c in LEVELS[:2]] + LEVELS[2:], strict=True):
            part[name] = runs[column].where(usable, math.inf)
        parts.append(part)
    if not parts:
        return pd.DataFrame(columns=[*GROUP, "learning_rate", "target", *LEVELS, "diverged", "runs"])
    grouped = pd.concat(parts, ignore_index=True).groupby([*GROUP, "learning_rate"], sort=False)
    medians = grouped[LEVELS].median().where(grouped[LEVELS].count().eq(grouped.size(), axis=0))  # NaN where a value is
    found = grouped[["target"]].first().join(medians)
    return found.assign(diverged=grouped["diverged"].mean(), runs=grouped.size()).reset_index()


def common_target(results: Results, problem: str) -> float:
    """The tightest target that at least half of a problem's solvers reach at some rate; the widest if there is none."""
    runs = results.tuning[results.tuning["problem"] == problem]
    for target in sorted(results.targets):
        column = runs[f"epochs_to_{target_label(target)}"]
        comparable = runs[column.notna()]
        if len(comparable) == 0:
            continue
        reached = np.isfinite(comparable[column.name]) & ~comparable["status"].isin(LOST)
        if reached.groupby(comparable["solver"]).any().mean() >= 0.5:
            return target
    return max(results.targets)


def robustness(results: Results, target: float | None = None, factor: float = 2.0) -> pd.DataFrame:
    """Decades of learning rate within `factor` of the best cost to the target.

    Returns
    -------
    DataFrame
        A row a problem and solver: target, best_rate, low_rate, high_rate, decades; NaN where no rate reaches the
        target. Zero decades mean that only the best rate of the grid will do.
    """
    import pandas as pd

    rows = []
    for (problem, solver), group in _grouped(sensitivity(results, target)):
        group = group.sort_values("learning_rate")
        cost, rate = group["epochs"].to_numpy(), group["learning_rate"].to_numpy()
        goal = float(group["target"].iloc[0])
        if not np.isfinite(cost).any():
            rows.append((problem, solver, goal, math.nan, math.nan, math.nan, math.nan))
            continue
        best = int(np.nanargmin(cost))
        with np.errstate(invalid="ignore"):
            good = cost <= factor * cost[best]
        low, high = best, best
        while low > 0 and good[low - 1]:
            low -= 1
        while high < len(good) - 1 and good[high + 1]:
            high += 1
        rows.append((problem, solver, goal, rate[best], rate[low], rate[high], math.log10(rate[high] / rate[low])))
    return pd.DataFrame(rows, columns=[*GROUP, "target", "best_rate", "low_rate", "high_rate", "decades"])


def divergence(results: Results) -> pd.DataFrame:
    """The share of the grid's runs that diverged, with the lowest rate at which one did.

    Returns
    -------
    DataFrame
        A row a problem and solver: runs, diverged, share, first_rate (NaN if none diverged).
    """
    import pandas as pd

    rows = []
    for (problem, solver), group in _grouped(results.tuning[[*GROUP, "status", "learning_rate"]]):
        bad = group["status"] == "diverged"
        first = float(group["learning_rate"][bad].min()) if bad.any() else math.nan
        rows.append((problem, solver, len(group), int(bad.sum()), float(bad.mean()), first))
    return pd.DataFrame(rows, columns=[*GROUP, "runs", "diverged", "share", "first_rate"])


def noise_floor(results: Results) -> pd.DataFrame:
    """Where constant-rate runs circle the optimum.

    Returns
    -------
    DataFrame
        A row a run of the grid with status "budget" and a constant schedule: run_id, problem, solver, learning_rate,
        seed, and floor, the median relative gap over the last half of its epochs.
    """
    runs = results.tuning
    runs = runs[(runs["status"] == "budget") & (runs["schedule"] == "constant") & runs["gap"].notna()]
    ends = runs.set_index("run_id")["n_samples"]
    points = results.curves[results.curves["run_id"].isin(ends.index)]
    ids = points["run_id"].astype(str)
    late = points[(points["samples"] >= 0.5 * ids.map(ends).astype(float)).to_numpy()]
    floors = late.groupby(late["run_id"].astype(str))["gap"].median()
    found = runs[["run_id", *GROUP, "learning_rate", "seed"]].copy()
    scale = runs["objective_start"] - runs["optimum"]
    found["floor"] = found["run_id"].map(floors).astype(float) / scale  # of no rows, a map has another kind
    return found.reset_index(drop=True)


def clock_noise(results: Results, quantile: float = 0.9) -> pd.DataFrame:
    """The A/A noise floor: how far the seconds of identical timed runs lie apart.

    Returns
    -------
    DataFrame
        A row a problem: pairs, median_factor, factor (the `quantile` of slower ÷ faster). Two solvers whose seconds
        differ by less than `factor` are not distinguishable. NaN where nothing was repeated.
    """
    import pandas as pd

    rows = []
    timed = results.timed[["problem", "solver", "learning_rate", "seed", "seconds", "n_samples"]]
    for problem, runs in timed.groupby("problem", sort=False):
        pairs = []
        for _, same in runs.groupby(["solver", "learning_rate", "seed"]):
            if len(same) > 1:
                rate = same["seconds"] / same["n_samples"]
                pairs.append(float(rate.max() / rate.min()))
        middle = (float(np.median(pairs)), float(np.quantile(pairs, quantile))) if pairs else (math.nan, math.nan)
        rows.append((problem, len(pairs), *middle))
    return pd.DataFrame(rows, columns=["problem", "pairs", "median_factor", "factor"])


def bandwidth(results: Results) -> pd.DataFrame:
    """How fast timed runs read their data.

    Returns
    -------
    DataFrame
        A row a problem and solver: gb_s (median), share of the machine's measured read bandwidth, nanoseconds_a_row.
    """
    timed = results.timed[results.timed["seconds"] > 0].copy()
    timed["gb_s"] = timed["data_bytes"] * timed["epochs"] / timed["seconds"] / 1e9
    timed["nanoseconds_a_row"] = timed["seconds"] / timed["n_samples"] * 1e9
    found = timed.groupby(GROUP, sort=False)[["gb_s", "nanoseconds_a_row"]].median().reset_index()
    limit = results.machine.get("read_bandwidth_gb_s") or math.nan
    found["share"] = found["gb_s"] / limit
    return found


def summary(results: Results) -> pd.DataFrame:
    """One row a problem and solver: the best rate, and what it costs.

    Costs come from the runs that were timed alone (first repeat of each seed), or from the grid where nothing was
    timed; of a suite that was stopped, from the seeds that all solvers of a problem have run.

    Returns
    -------
    DataFrame
        problem, solver, backend, variant, batch_size, optimizer, schedule, shuffle, dtype; learning_rate (the best),
        tuned_to, n_rates, rule; seeds, timing; for each target T, such as 1e-3: reached_T (seeds that did), and for
        each cost C of epochs, samples, updates, seconds: C_to_T (median over seeds), C_to_T_low and C_to_T_high
        (quartiles; inf where a miss reaches so far); relative_gap (final, median) with _low and _high; objective,
        test_metric, train_metric (medians), metric_name; seconds (whole run), seconds_an_epoch, compile_seconds
        (first compilation or loading seen); divergence (share), robust_decades, noise_floor (relative gap, median),
        status (most frequent), note. Solvers without a usable rate have NaN costs and status "diverged".
    """
    import pandas as pd

    rates = best_rates(results)
    chosen = at_best(results, rates)
    rates = rates.set_index(GROUP)
    extra = {
        "divergence": divergence(results).set_index(GROUP)["share"],
        "robust_decades": robustness(results).set_index(GROUP)["decades"],
    }
    floors = noise_floor(results).groupby([*GROUP, "learning_rate"])["floor"].median()
    nothing, chosen_of = chosen.iloc[:0], dict(list(_grouped(chosen)))
    rows = []
    for key, group in _grouped(results.tuning[[*GROUP, *SOLVER, *WHOLE_GRID]]):
        rate = rates.loc[key, "learning_rate"]
        runs, first = chosen_of.get(key, nothing), group.iloc[0]
        row: dict[str, Any] = dict(zip(GROUP, key, strict=True)) | {name: first[name] for name in SOLVER}
        row |= rates.loc[key].to_dict() | _costs(runs, results.targets) | _endings(runs, group)
        row |= {name: float(values.loc[key]) for name, values in extra.items()}
        row["noise_floor"] = float(floors.get((*key, rate), math.nan))
        rows.append(row)
    return pd.DataFrame(rows).astype({"batch_size": "Int64"})


def at_best(results: Results, rates: pd.DataFrame) -> pd.DataFrame:
    """The runs that stand for each solver.

    Parameters
    ----------
    results : Results
    rates : DataFrame
        problem, solver and learning_rate, as of :func:`best_rates`.

    Returns
    -------
    DataFrame
        The first repeats at the solver's rate: those that were timed alone, or of the grid where none was. Of a problem whose
        solvers have run with unlike sets of seeds, as a suite leaves that is stopped, only those of the seeds in common, if
        there are any.
    """
    runs = results.runs[results.runs["repeat"] == 0]
    solvers = list(zip(runs["problem"], runs["solver"], strict=True))
    timed = set(zip(results.timed["problem"], results.timed["solver"], strict=True))
    best = rates.set_index(GROUP)["learning_rate"].to_dict()
    stage = ["timed" if solver in timed else "tuning" for solver in solvers]
    runs = runs[(runs["stage"] == stage) & (runs["learning_rate"] == [best.get(solver, math.nan) for solver in solvers])]
    common = in_common(runs)
    return runs[common | ~common.groupby(runs["problem"]).transform("any")]


def in_common(runs: pd.DataFrame) -> pd.Series:
    """Whether each run's seed is one that all solvers of its problem have."""
    solvers = [runs.groupby(keys)["solver"].transform("nunique") for keys in (["problem", "seed"], ["problem"])]
    return solvers[0] == solvers[1]


def _costs(runs: pd.DataFrame, targets: Iterable[float]) -> dict[str, Any]:
    """Medians and quartiles over seeds of the cost to each target."""
    found: dict[str, Any] = {"seeds": len(runs), "timing": runs["timing"].iloc[0] if len(runs) else ""}
    for target in targets:
        label = target_label(target)
        found[f"reached_{label}"] = int(np.isfinite(runs[f"epochs_to_{label}"]).sum())
        for cost in COSTS:
            values = runs[f"{cost}_to_{label}"]
            low, middle, high = spread(values)
            found |= {f"{cost}_to_{label}": middle, f"{cost}_to_{label}_low": low, f"{cost}_to_{label}_high": high}
    return found


def middle_of(values: pd.Series) -> float:
    """The median of what is known; NaN if nothing is."""
    known = values.dropna()
    return float(known.median()) if len(known) else math.nan


def _endings(runs: pd.DataFrame, group: pd.DataFrame) -> dict[str, Any]:
    """How the runs at the best rate ended."""
    lost = runs["status"].isin(LOST) & runs["relative_gap"].notna()
    low, middle, high = spread(runs["relative_gap"].mask(lost, math.inf))
    found: dict[str, Any] = {"relative_gap": middle, "relative_gap_low": low, "relative_gap_high": high}
    for name in ("objective", "test_metric", "train_metric", "seconds"):
        found[name] = middle_of(runs[name])
    found["seconds_an_epoch"] = middle_of(runs["seconds"] / runs["epochs"].where(runs["epochs"] > 0))
    found["compile_seconds"] = float(group["compile_seconds"].max())
    found["metric_name"] = group["metric_name"].iloc[0]
    statuses = (runs if len(runs) else group)["status"]
    found["status"] = statuses.mode().iloc[0]
    found["note"] = next((note for note in group["note"] if note), "")
    return found


def spread(values: Iterable[float]) -> tuple[float, float, float]:
    """Lower quartile, median and upper quartile.

    The quartiles are observed values, the outer ones; the median is the mean of the two middle ones, ∞ where one of them is.
    """
    found = sorted(float(value) for value in values)
    if not found or any(map(math.isnan, found)):
        return math.nan, math.nan, math.nan
    last = len(found) - 1
    middle = 0.5 * (found[last // 2] + found[len(found) // 2])
    return found[math.floor(0.25 * last)], middle, found[math.ceil(0.75 * last)]


def _grouped(runs: pd.DataFrame) -> Iterable[tuple[tuple[str, str], pd.DataFrame]]:
    return runs.groupby(GROUP, sort=False)
