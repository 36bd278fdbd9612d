import json
import math
import re
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import synthetic

from gdbench import report
from gdbench.report import across, view, words
from gdbench.report.numbers import NOTHING, Spread, distinguishable
from gdbench.suite.execute import target_label


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.1234, "0.123 s"), (12.0, "12.0 s"), (0.0123, "12.3 ms"), (1.61e-4, "161 µs"), (2e-8, "20.0 ns")],
)
def test_seconds_read_well(value, text):
    assert words.amount("seconds", value) == text


def test_numbers_keep_three_digits():
    assert words.significant(0.0012345) == "0.00123"
    assert words.significant(12345) == "12,300"
    assert words.significant(0) == "0"
    assert words.gap(2.5e-4) == "2.5e-4"
    assert words.gap(1e-3) == "1e-3"
    assert words.amount("samples", 1.2e6) == "1.20 M samples"
    assert words.amount("epochs", np.inf) == "not reached"


def first_by_hand(runs, problem):
    """The winner of a problem, from the rows alone."""
    timed = runs[(runs.problem == problem) & (runs.stage == "timed") & (runs.repeat == 0)]
    for target in ("1e-4", "1e-3", "1e-2", "1e-1"):
        seconds = timed.groupby("solver")[f"seconds_to_{target}"]
        complete = seconds.max()[np.isfinite(seconds.max())]
        if len(complete):
            median = seconds.median()[complete.index]
            winner = median.idxmin()
            values = timed[timed.solver == winner]
            rate = values.learning_rate.iloc[0]
            return target, winner, rate, median.min(), seconds.min()[winner], seconds.max()[winner]
    return None


@pytest.mark.parametrize("index", range(len(synthetic.PROBLEMS)))
def test_the_answer_holds_the_numbers_of_the_tables(shown, tables, index):
    problem = shown.problems[index]
    target, winner, rate, middle, low, high = first_by_hand(tables[0], problem.name)
    found = re.search(
        r"On (.+), (\S+ \S+) at (\S+) reached gap (\S+) first, in (\S+) (µs|ms|s) \[(\S+), (\S+) over 3 seeds\]",
        words.answer(problem),
    )
    name, label, shown_rate, shown_target, value, unit, *ends = found.groups()
    factor = {"µs": 1e-6, "ms": 1e-3, "s": 1.0}[unit]
    assert (name, label.lower(), shown_target) == (problem.name, winner, target)
    assert float(shown_rate) == pytest.approx(rate, rel=5e-3)
    assert [float(n) * factor for n in (value, *ends)] == pytest.approx([middle, low, high], rel=5e-3)


def test_the_answer_names_what_the_baseline_took(shown, tables):
    said = words.answer(shown.problems[0])
    runs = tables[0]
    mine = runs[(runs.problem == "flights") & (runs.backend == "scikit-learn") & (runs.stage == "timed")]
    final = mine[mine.repeat == 0].relative_gap.median()
    assert f"SGDRegressor at {mine.learning_rate.iloc[0]:.3g} did not reach it" in said
    assert f"(it ended at {words.gap(final)})" in said


def test_another_objective_is_compared_with_nothing(shown):
    bold = shown.problems[1]
    assert words.answer(bold).endswith("; SGDClassifier is not compared: minimises one-against-rest log loss, another objective.")
    assert bold.notes == [("SGDClassifier", "minimises one-against-rest log loss, another objective")]


def test_the_summary_counts_first_places(shown):
    winners = [problem.solvers[0].label for problem in shown.problems]
    for label in set(winners):
        assert f"{label} was first on {winners.count(label)}" in words.summary(shown)


def test_the_endings_count_the_runs(shown, tables):
    status = tables[0].status.value_counts()
    assert words.endings(shown) == (
        f"Of {len(tables[0]):,} runs, {status['budget']:,} used up their budget, {status['diverged']:,} diverged."
    )


def test_the_noise_is_that_of_the_repeated_runs(shown, tables):
    runs = tables[0][(tables[0].stage == "timed") & (tables[0].seed == 0) & (tables[0].problem == "flights")]
    pace = (runs.seconds / runs.n_samples).groupby(runs.solver)
    noise = np.quantile(pace.max() / pace.min(), 0.9) - 1
    assert f"{words.percent(noise)} on flights" in words.noise(shown)


def test_costs_within_the_noise_are_not_distinguishable():
    a, b = Spread(1.0, 0.98, 1.02, 3, 3), Spread(1.1, 1.08, 1.12, 3, 3)
    assert distinguishable(a, b, 1.05)
    assert not distinguishable(a, b, 1.2)
    assert not distinguishable(a, Spread(1.1, 1.01, 1.2, 3, 3), 1.0)
    assert distinguishable(a, b, math.nan)  # the spread over three seeds stands for the noise
    assert not distinguishable(Spread(1.0, 1.0, 1.0, 1, 1), Spread(9.0, 9.0, 9.0, 1, 1), math.nan)
    assert distinguishable(a, NOTHING, 1.0)
    assert not distinguishable(NOTHING, NOTHING, 1.0)


def test_close_solvers_are_named(shown):
    problem = shown.problems[0]
    for close in words.peers(problem):
        assert close.label in words.doubt(problem)
    assert "exceeds the noise" in words.doubt(problem) or words.peers(problem)
    assert ("not distinguishable from" in words.answer(problem)) == bool(words.peers(problem))
    tied = sum(bool(words.peers(found)) for found in shown.problems)
    assert (f"on {tied} of them others are not distinguishable" in words.summary(shown)) == (tied > 0)


def test_a_lead_exceeds_only_what_is_known(shown):
    (problem, *_) = (found for found in shown.problems if not words.peers(found) and found.by == "seconds")
    quiet = replace(problem, noise=math.nan)
    assert "exceeds the spread over seeds." in words.doubt(quiet)
    (winner,) = (replace(solver, seeds=1) for solver in quiet.solvers[:1])
    assert "rests on one seed" in words.doubt(replace(quiet, by="epochs", solvers=[winner]))


def test_an_unfinished_suite_says_so(shown, tmp_path):
    assert words.unfinished(shown) == ""
    folder = synthetic.write(tmp_path, ("flights",))
    suite = json.loads((folder / "suite.json").read_text())
    (folder / "suite.json").write_text(json.dumps(suite | {"planned": suite["finished"] + 1000}))
    said = f"The suite is not finished: {suite['finished']:,} of {suite['finished'] + 1000:,} runs are done"
    page = report.write(folder)
    assert said in page.read_text(encoding="utf-8")
    assert said in page.with_suffix(".md").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def over(shown):
    return across.build(shown)


def best_runs(tables, problem, label):
    """The timed runs of a solver, by what readers call it."""
    runs = tables[0]
    return runs[(runs.problem == problem) & (runs.solver == label.lower()) & (runs.stage == "timed") & (runs.repeat == 0)]


def test_solvers_are_compared_over_the_seeds_that_all_have(tmp_path):
    made = synthetic.write(tmp_path / "results", ("flights",))
    runs = pd.read_parquet(made / "runs.parquet")
    full = view.read(made).problems[0]
    # stopped amid the second round of timing, whose seed is slow: only the first solver has it, and would lose its place by that
    winner = full.solvers[0].solver
    missing = (runs.stage == "timed") & ((runs.seed == 2) | ((runs.seed == 1) & (runs.solver != winner)))
    runs.loc[(runs.stage == "timed") & (runs.seed == 1), [c for c in runs if c.startswith("seconds")]] *= 1e3
    runs[~missing].to_parquet(made / "runs.parquet")
    shown = view.read(made)
    (problem,) = shown.problems
    assert problem.solvers[0].solver == winner
    assert (full.shared, full.seeds, words.unequal(full)) == (3, 3, "")
    assert (problem.shared, problem.seeds, problem.by) == (1, 3, "seconds")
    assert {solver.seeds for solver in problem.solvers} == {1}
    assert all(len(group) == 1 for group in shown.chosen.values())
    assert "so all are compared over 1 of 3 seeds, which they share." in words.doubt(problem)


def test_solvers_without_a_seed_in_common_stand_for_their_own(tmp_path):
    made = synthetic.write(tmp_path / "results", ("flights",))
    runs = pd.read_parquet(made / "runs.parquet")
    own = runs.solver.map({name: i % 2 for i, name in enumerate(runs.solver.unique())})
    runs[(runs.stage == "timed") & (runs.seed == own) | (runs.stage == "tuning")].to_parquet(made / "runs.parquet")
    (problem,) = view.read(made).problems
    assert problem.shared == 0
    assert {solver.seeds for solver in problem.solvers} == {1}
    assert "No seed has been run by all solvers yet" in words.doubt(problem)


def test_the_lowest_gap_is_named(shown, tables):
    assert words.certified(shown) == "Every optimum is certified, and no run went below it."
    runs = shown.runs.assign(relative_gap=shown.runs.relative_gap - shown.runs.relative_gap.min() - 2.5e-13)
    below = replace(shown, results=replace(shown.results, runs=runs))
    assert "the lowest relative gap of any run is -2.5e-13, which is rounding" in words.certified(below)


def failed(shown, where, **values):
    """The view with the runs of a place failed."""
    runs = shown.runs.copy()
    for name, value in ({"status": "failed", "relative_gap": np.nan} | values).items():
        runs.loc[where(runs), name] = value
    return view.build(replace(shown.results, runs=runs))


def test_a_refuted_optimum_is_not_called_certified(shown):
    reason = "an objective lies 0.5 under f* = 1.0: the certified optimum is wrong"
    below = failed(shown, lambda runs: (runs.problem == "flights") & (runs.solver == "batch gd"), reason=reason)
    lost = ((shown.runs.problem == "flights") & (shown.runs.solver == "batch gd")).sum()
    assert words.failures(below) == [f"On flights, {lost} runs failed: {reason}."]
    assert words.certified(below) == "The optimum is certified on 1 of 2 problems, and no run went below it."
    (flights,) = (problem for problem in below.problems if problem.name == "flights")
    assert "what was taken for its minimum, though runs went below it," in words.subject(flights)


def test_a_problem_without_an_optimum_is_not_called_certified(shown):
    values = {"optimum": np.nan, "objective_start": np.nan, "gap": np.nan, "reason": "no certified optimum for hinge"}
    none = failed(shown, lambda runs: runs.problem == "flights", **values)
    assert words.certified(none) == "The optimum is certified on 1 of 2 problems, and no run went below it."
    assert words.subject(none.problems[0]).endswith("; it has no certified minimum.")
    assert words.answer(none.problems[0]) == "On flights, no solver reached a gap of 1e-1 with every seed."
    values["reason"] = [f"reason {i}" for i in range(len(shown.runs))]
    nothing = failed(shown, lambda runs: runs.run_id != "", **values)
    assert words.certified(nothing) == "No optimum is certified."
    flights = (shown.runs.problem == "flights").sum()
    assert words.failures(nothing)[0].startswith(f"On flights, {flights} runs failed: reason 0; reason 1; reason 2; ")
    assert words.failures(nothing)[0].endswith(f"; and {flights - 3} other reasons.")


def test_of_a_network_no_minimum_is_claimed(shown):
    first, second = shown.problems[0], replace(shown.problems[1], model="mlp")
    mixed, alone = replace(shown, problems=[first, second]), replace(shown, problems=[second])
    claim = f"Of {second.name} no minimum is claimed, for the objective of a network is not convex: gaps count from the best "
    assert words.certified(alone) == f"{claim}value that any run found."
    assert (
        words.certified(mixed) == f"{claim}value that any run found. Every other optimum is certified, and no run went below it."
    )
    assert "network mlp, loss cross_entropy" in words.subject(second)
    assert "the best value known, from which its gaps count, is 1, and it starts at 3" in words.subject(second)
    said = words.method(mixed)
    assert "w = 0, a network at weights drawn from its seed" in said[0]
    assert said[2].endswith("Of a network it is the one with the lowest final objective.")
    assert "network" not in " ".join(words.method(shown))


def test_the_subject_is_that_of_the_runs(shown, tables):
    row = tables[0][tables[0].problem == "flights"].iloc[0]
    said = words.subject(shown.problems[0])
    assert said == (
        f"{row.n:,} rows × {row.d:,} columns, loss {row.loss}; its certified minimum is {row.optimum:g}, "
        f"and it starts at {row.objective_start:g}."
    )
    assert words.subject(shown.problems[1]).startswith("Data digits: ")


def test_alternative_texts_hold_final_gaps_and_best_rates(shown, tables):
    problem = shown.problems[0]
    gaps, rates = words.alt_convergence(problem), words.alt_rates(problem)
    own = [solver for solver in problem.featured if not solver.baseline]
    assert own
    for solver in own:
        mine = best_runs(tables, "flights", solver.label)
        assert f"{solver.label} {words.gap(mine.relative_gap.median())}" in gaps
        assert f"{solver.label} {mine.learning_rate.iloc[0]:.3g}" in rates
        grid = tables[0][(tables[0].problem == "flights") & (tables[0].solver == solver.solver) & (tables[0].stage == "tuning")]
        lost = grid[grid.status == "diverged"].learning_rate.min()
        assert (f"{solver.label} {mine.learning_rate.iloc[0]:.3g} (diverges from {lost:.3g})" in rates) == np.isfinite(lost)


def test_the_lowest_average_rank_is_named(over, tables):
    found = over.ranks
    costs = pd.DataFrame(
        {
            p.name: [
                best_runs(tables, p.name, who.label)[f"seconds_to_{target_label(p.headline)}"].median()
                if not who.baseline
                else np.inf
                for who in found.who
            ]
            for p in found.problems
        }
    )
    assert not any(np.isfinite(found.costs[i]).any() for i, who in enumerate(found.who) if who.baseline)
    mean = costs.fillna(np.inf).rank().mean(axis=1)
    said = words.ranks(found)
    assert f"Over 2 problems, {found.who[0].label} has the lowest average rank" in said
    assert f"{words.significant(mean.min())} among {len(found.who)}" in said


def test_shares_are_those_of_the_tables(over, tables):
    first = re.search(r"(.+) is the soonest on (\S+)% of", words.profile(over.profile))
    widest = max(over.profile, key=lambda line: line.middle[-1])
    said = words.profile(over.profile)
    assert said.endswith(f"solves the largest share of them, {words.percent(widest.middle[-1])}.")
    alone = words.profile([widest])
    assert alone.count(words.capital(widest.who.label)) == 1
    assert " of the problems and solves the largest" in alone
    winners = [first_by_hand(tables[0], name)[1] for name in synthetic.PROBLEMS]
    assert float(first[2]) == pytest.approx(100 * winners.count(first[1].lower()) / len(winners), abs=0.05)
    reached = re.search(
        r"(.+) reached the largest share of all targets, (\S+)%, and half of them within (\S+) (µs|ms|s)\.",
        words.distribution(over.distribution, over.by),
    )
    costs = np.concatenate(
        [
            best_runs(tables, name, reached[1])[f"seconds_to_{target_label(target)}"].to_numpy()
            for name in synthetic.PROBLEMS
            for target in synthetic.TARGETS
        ]
    )
    assert float(reached[2]) == pytest.approx(100 * np.isfinite(costs).mean(), abs=0.05)
    half = float(reached[3]) * {"µs": 1e-6, "ms": 1e-3, "s": 1.0}[reached[4]]
    grid = over.distribution[0].x[1] / over.distribution[0].x[0]
    assert (costs <= half * 1.005).mean() >= 0.5
    assert (costs <= half / grid / 1.005).mean() < 0.5


def test_one_problem_has_ranks_and_no_average(shown):
    over = across.build(replace(shown, problems=shown.problems[:1])).ranks
    assert words.ranks(over).startswith(f"On {shown.problems[0].name}, {over.who[0].label} has the first rank among")


def test_a_name_in_code_begins_no_sentence_with_a_capital():
    assert words.capital("mini-batch GD was first.") == "Mini-batch GD was first."
    assert words.capital("gdbench.estimators was first.") == "gdbench.estimators was first."


def test_bytes_are_said_in_large_units():
    assert [words.size(count) for count in (0, 1023, 32768, 25276063744)] == ["0 B", "1023 B", "32 KiB", "23.5 GiB"]


def test_a_landscape_is_no_table(shown):
    walk = replace(shown.problems[0], dataset="rosenbrock", loss="landscape", columns=2, optimum=0.0, start=24.2)
    said = words.subject(walk)
    assert said == "The landscape rosenbrock in 2 dimensions: its certified minimum is 0, and it starts at 24.2."
    assert "starts at w = 0" in words.method(shown)[0]
    assert "w = 0" not in words.method(replace(shown, problems=[walk]))[0]


@pytest.mark.parametrize(
    ("solver", "optimizer", "label"),
    [("adam", "adam", "Adam"), ("mini-batch adam", "adam", "mini-batch Adam"), ("batch gd(a=1)", "gd", "batch GD(a=1)")],
)
def test_optimizers_are_called_as_their_authors_write_them(solver, optimizer, label):
    row = pd.Series({"backend": "gdbench", "solver": solver, "optimizer": optimizer})
    assert view.label(row) == label


@pytest.mark.parametrize(
    ("on", "costs", "told"),
    [
        ("abc", [1.0, 2.0, 3.0], r"among 1\.$"),
        ("abc", [1.0, np.inf, 3.0], r"among 1; it missed the target on 1\.$"),
        ("ab", [1.0, 2.0, np.inf], r"among 1; it was not offered 1\.$"),
        ("a", [np.inf, np.inf, np.inf], r"among 1; it missed the target on 1; it was not offered 2\.$"),
    ],
)
def test_a_problem_that_a_solver_was_never_offered_is_no_miss(on, costs, told):
    who = across.Contestant("batch gd", "gd", "batch", False, dict.fromkeys(on))
    problems = [SimpleNamespace(name=name) for name in "abc"]
    found = across.Ranks([who], problems, np.ones((1, 3)), np.array([costs]), np.ones(1))
    assert re.search(told, words.ranks(found))
