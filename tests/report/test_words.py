import json
import re
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import synthetic

from gdbench import report
from gdbench.analysis import across, ranks, view
from gdbench.analysis.uncertainty import Spread
from gdbench.report import words


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.1234, "0.123 s"), (12.0, "12.0 s"), (0.0123, "12.3 ms"), (1.61e-4, "161 µs"), (2e-8, "20.0 ns")],
)
def test_seconds_read_well(value, text):
    assert words.amount("seconds", value) == text


def test_seeds_that_missed_are_told():
    hit = Spread(12.0, 10.0, 15.0, 9, 9)
    assert words.taken("epochs", hit) == "12.0 epochs [10.0, 15.0 over 9 seeds]"
    assert words.taken("epochs", replace(hit, hits=7, high=np.inf)) == "12.0 epochs [7 of 9 seeds]"
    assert words.taken("epochs", replace(hit, low=12.0, high=12.0, hits=1, seeds=1)) == "12.0 epochs [1 seed]"
    assert words.taken("epochs", replace(hit, value=np.inf, hits=4)) == "not reached"


def test_numbers_keep_three_digits():
    assert words.significant(0.0012345) == "0.00123"
    assert words.significant(12345) == "12,300"
    assert words.significant(0) == "0"
    assert words.gap(2.5e-4) == "2.5e-4"
    assert words.gap(1e-3) == "1e-3"
    assert words.amount("samples", 1.2e6) == "1.20 M samples"
    assert words.amount("epochs", np.inf) == "not reached"


def first_by_hand(hits, problem):
    """The winner of a problem, from the hits alone: its name, rate, and median with the interval of its order statistics."""
    mine = hits[(hits.problem == problem) & (hits.role == "report") & (hits.target == synthetic.SPEC["headline"])]
    seconds = mine.assign(cost=mine.step_seconds.where(mine.reached, np.inf)).groupby("solver").cost
    winner = seconds.median()[np.isfinite(seconds.max())].idxmin()
    values = np.sort(seconds.get_group(winner))
    return winner, mine.learning_rate[mine.solver == winner].iloc[0], np.median(values), values[2], values[-3]  # of 13: 97.8 %


@pytest.mark.parametrize("index", range(len(synthetic.PROBLEMS)))
def test_the_answer_holds_the_numbers_of_the_hits(shown, tables, index):
    problem = shown.problems[index]
    winner, rate, middle, low, high = first_by_hand(tables[2], problem.name)
    found = re.search(
        r"On (.+), (\S+ \S+) at learning rate (\S+) reached gap (\S+) .*in (\S+) (µs|ms|s) \[(\S+), (\S+) over 13 seeds\]",
        words.answer(problem),
    )
    name, label, shown_rate, shown_target, value, unit, *ends = found.groups()
    factor = {"µs": 1e-6, "ms": 1e-3, "s": 1.0}[unit]
    assert (name, label.lower(), shown_target) == (problem.name, winner, "1e-2")
    assert float(shown_rate) == pytest.approx(rate, rel=5e-3)
    assert [float(n) * factor for n in (value, *ends)] == pytest.approx([middle, low, high], rel=5e-3)


def test_the_answer_names_what_the_baseline_took_by_both_clocks(shown, tables):
    said = words.answer(replace(shown.problems[0], headline=1e-1))
    hits = tables[2]
    mine = hits[(hits.problem == "flights") & (hits.role == "report") & (hits.target == 1e-1)].groupby("solver")
    steps, calls = (mine[column].median() for column in ("step_seconds", "call_seconds"))
    winner = shown.problems[0].solvers[0].solver
    assert f"took {words.amount('seconds', steps['SGDRegressor'])}" in said
    both = [words.amount("seconds", calls[solver]) for solver in ("SGDRegressor", winner)]
    assert f"(in a whole call {both[0]}, against {both[1]})" in said


def test_another_objective_is_compared_with_nothing(shown):
    bold = shown.problems[1]
    assert words.answer(bold).endswith("; SGDClassifier is not compared: minimises one-against-rest log loss, another objective.")
    assert bold.notes == [("SGDClassifier", "minimises one-against-rest log loss, another objective")]


def test_the_summary_counts_first_places(shown):
    winners = [problem.solvers[0].label for problem in shown.problems]
    for label in set(winners):
        assert f"{label} was first on {winners.count(label)}" in words.summary(shown)


def test_the_endings_count_the_runs(shown, tables):
    runs = tables[0][tables[0].stage != "timed"]
    status = runs.status.value_counts()
    assert words.endings(shown) == (
        f"Of {len(runs):,} runs, {status['budget']:,} used up their budget, {status['diverged']:,} diverged."
    )


def test_the_noise_is_that_of_the_repeated_timings(shown, tables):
    hits = tables[2]
    mine = hits[(hits.problem == "flights") & (hits.role == "report") & hits.step_seconds_again.notna()].drop_duplicates("solver")
    ratio = mine.step_seconds / mine.step_seconds_again
    noise = np.quantile(np.maximum(ratio, 1 / ratio), 0.9) - 1
    assert f"{words.percent(noise)} on flights" in words.noise(shown)


def test_solvers_that_are_not_known_to_be_slower_are_named(shown):
    for problem in shown.problems:
        for close in problem.peers[:4]:
            assert close.label in words.doubt(problem)
        assert ("not known to be quicker than" in words.answer(problem)) == bool(problem.peers)
    tied = sum(bool(found.peers) for found in shown.problems)
    assert (f"on {tied} of them others are not known to be slower" in words.summary(shown)) == (tied > 0)


def test_too_few_seeds_decide_nothing_and_it_is_said(tmp_path):
    few = synthetic.write(tmp_path, ("flights",), lambda row: row if row["seed"] < 8 or row["stage"] == "tuning" else None)
    (problem,) = view.read(few).problems
    assert not any(verdict.decided for verdict in problem.verdicts.values())
    assert "needs at least 12 seeds; there are 8 seeds." in words.doubt(problem)


def test_two_names_for_the_same_solver_are_never_told_apart(tmp_path):
    kept = [(row, points) for row, points in synthetic.made(("flights",)) if row["solver"] == "mini-batch adam"]
    random = np.random.default_rng(0)
    found = view.read(synthetic.write(tmp_path, ("flights",))).results
    for _ in range(20):
        copies = []
        for row, points in kept:
            noise = 1 + 0.03 * random.standard_normal()
            clocks = {"step_seconds": row["step_seconds"] * noise} if row["stage"] == "timed" else {}
            copies.append((row | clocks | {"solver": "mini-batch nadam", "optimizer": "nadam"}, points))
        tables = dict(zip(("runs", "curves", "hits"), synthetic.frames(kept + copies), strict=True))
        (problem,) = view.build(replace(found, **tables)).problems
        (verdict,) = problem.verdicts.values()
        assert verdict.word in ("equal", "undecided")
        assert "first, in" not in words.answer(problem)


@pytest.mark.parametrize(("apart", "word"), [(1.2, "equal"), (3.0, "undecided")])
def test_a_clock_that_is_too_noisy_calls_nothing_equal(tmp_path, apart, word):
    """One solver under two names, whose identical timings differ by a factor."""
    rows = [
        (
            row | {"step_seconds": row["step_seconds"] * (apart if row["repeat"] else 1.0)} if row["stage"] == "timed" else row,
            points,
        )
        for row, points in synthetic.made(("flights",))
        if row["solver"] == "mini-batch adam"
    ]
    copies = [(row | {"solver": "mini-batch nadam", "optimizer": "nadam"}, points) for row, points in rows]
    tables = dict(zip(("runs", "curves", "hits"), synthetic.frames(rows + copies), strict=True))
    tables["hits"] = tables["hits"].assign(bracket_low=tables["hits"].bracket_high)
    found = view.build(replace(view.read(synthetic.write(tmp_path, ("flights",))).results, **tables))
    (verdict,) = found.problems[0].verdicts.values()
    assert verdict.word == word
    assert ("no two count as equal" in words.noise(found)) == (word == "undecided")


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
    """The counted runs of a solver, by what readers call it."""
    runs = tables[0]
    return runs[(runs.problem == problem) & (runs.solver == label.lower()) & (runs.stage == "report")]


def test_a_stopped_suite_says_how_many_seeds_are_shared(tmp_path):
    made = synthetic.write(
        tmp_path,
        ("flights",),
        lambda row: None if row["stage"] == "report" and row["seed"] > 9 and "adam" in row["solver"] else row,
    )
    (problem,) = view.read(made).problems
    assert (problem.shared, problem.seeds) == (10, 13)
    assert "Not every solver has run with every seed yet: 10 of 13 seeds are shared." in words.doubt(problem)


def test_the_lowest_gap_is_named(shown, tables):
    assert words.certified(shown) == "Every optimum is certified, and no run went below it."
    runs = shown.results.runs
    runs = runs.assign(relative_gap=runs.relative_gap - runs.relative_gap.min() - 2.5e-13)
    below = replace(shown, results=replace(shown.results, runs=runs))
    assert "the lowest relative gap of any run is -2.5e-13, which is rounding" in words.certified(below)


def failed(shown, where, **values):
    """The view with the runs of a place failed."""
    runs = shown.results.runs.copy()
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
    values["reason"] = [f"reason {i}" for i in range(len(shown.results.runs))]
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
    assert "Of a network it is the one with the lowest final objective." in said[1]
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


def test_the_lowest_average_rank_is_named(over):
    found = over.ranks
    mean = pd.DataFrame(found.costs).rank().mean(axis=1)
    said = words.ranks(found)
    assert f"Over 2 problems, {found.who[0].label} has the lowest average rank" in said
    assert f"{words.significant(mean.min())} among {len(found.who)}" in said


def test_shares_are_those_of_the_hits(over, shown, tables):
    first = re.search(r"(.+) is the soonest on (\S+)% of", words.profile(over.profile))
    widest = max(over.profile, key=lambda line: line.share[-1])
    said = words.profile(over.profile)
    assert said.endswith(f"solves the largest share of them, {words.percent(widest.share[-1])}.") or "and solves" in said
    winners = [problem.solvers[0].optimizer for problem in shown.problems]
    best = next(line for line in over.profile if words.capital(line.who.label) == first[1])
    assert float(first[2]) == pytest.approx(100 * winners.count(best.who.optimizer) / len(winners), abs=0.05)
    reached = re.search(
        r"(.+) reached the largest share of all targets, (\S+)%, and half of them within (\S+) times",
        words.distribution(over.distribution),
    )
    most = next(line for line in over.distribution if words.capital(line.who.label) == reached[1])
    hits = tables[2][tables[2].role == "report"]
    parts = [hits[(hits.problem == name) & (hits.solver == one.solver)] for name, one in most.who.on.items()]
    assert float(reached[2]) == pytest.approx(100 * pd.concat(parts).reached.mean(), abs=0.05)


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
    who = ranks.Contestant("batch gd", "gd", "batch", False, dict.fromkeys(on))
    problems = [SimpleNamespace(name=name) for name in "abc"]
    found = ranks.Ranks([who], problems, np.ones((1, 3)), np.array([costs]), np.ones(1), 1.0, np.nan)
    assert re.search(told, words.ranks(found))
