"""Every number that a page says of targets, recomputed from hits.parquet by pandas and SciPy alone."""

import json
import math
import re

import numpy as np
import pandas as pd
import pytest
import synthetic
from scipy import stats

from gdbench import report
from gdbench.suite import run_suite

COLUMNS = {"epochs": "epochs", "samples": "samples", "seconds": "step_seconds", "call": "call_seconds"}


def ends(values):
    """The order statistics that enclose the median with 95 %: the smallest and the largest where none do."""
    values = np.sort(values)
    k = max((i for i in range(1, len(values) + 1) if 2 * stats.binom.cdf(i - 1, len(values), 0.5) <= 0.05), default=1)
    return values[k - 1], values[len(values) - k]


def middle(values):
    values = np.sort(values)
    return 0.5 * (values[(len(values) - 1) // 2] + values[len(values) // 2])


def payload_of(folder):
    text = (folder / "report.html").read_text(encoding="utf-8")
    begin = text.index('id="data">') + len('id="data">')
    return json.loads(text[begin : text.index("</script>", begin)])


def close(found, expected):
    """Whether a number of the page, rounded or null for infinity, is the expected one."""
    return found is None if not math.isfinite(expected) else found == pytest.approx(expected, rel=2e-5)


def costs(rows, kind):
    if kind in ("seconds", "call"):
        rows = rows[rows[COLUMNS[kind]].notna() | ~rows.reached]
    return np.where(rows.miss == "missed", np.inf, rows[COLUMNS[kind]])


def recomputed(folder):
    """Check a report; how many numbers were."""
    report.write(folder)
    spec = json.loads((folder / "spec.json").read_text())
    hits = pd.read_parquet(folder / "hits.parquet")
    hits = hits[(hits.role == "report") & (hits.miss != "not offered")]
    page, checked, headline = payload_of(folder), 0, spec["headline"]
    for problem in page["problems"]:
        mine = hits[hits.problem == problem["name"]]
        assert problem["headline"] == headline
        place = {}
        for solver in problem["solvers"]:
            rows = mine[mine.solver.str.lower() == solver["label"].lower()]
            for target, found in zip(problem["targets"], solver["costs"], strict=True):
                at = rows[rows.target == target]
                for kind, (value, low, high) in found.items():
                    values = costs(at, kind)
                    if not len(values) or np.isnan(values).any():
                        assert value is None
                        continue
                    for told, expected in zip((value, low, high), (middle(values), *ends(values)), strict=True):
                        assert close(told, expected), (problem["name"], solver["label"], target, kind)
                        checked += 1
            at = costs(rows[rows.target == headline], problem["by"])
            known = len(at) and not np.isnan(at).any()
            place[solver["label"]] = (not (known and np.isfinite(at).all()), middle(at) if known else np.inf)
        order = [place[solver["label"]] for solver in problem["solvers"]]
        assert order == sorted(order)
    checked += ranks_recomputed(page, hits, headline)
    checked += spreads_recomputed(page, hits)
    return checked + art_recomputed(folder, hits)


def ranks_recomputed(page, hits, headline):
    """The average ranks: each optimizer's best variant on each problem, among those that are comparable on all of them."""
    if page["ranks"] is None:
        return 0
    by, names = ("seconds" if page["unit"] == "seconds" else "epochs"), page["ranks"]["problems"]
    at = hits[(hits.target == headline) & hits.problem.isin(names) & (hits.miss != "not comparable")]
    at = at.assign(who=at.optimizer.where(at.backend == "gdbench", at.backend), cost=costs(at, by))
    medians = at.groupby(["who", "problem", "solver"]).cost.agg(lambda values: middle(values.to_numpy()))
    best = medians.groupby(["who", "problem"]).min().unstack()[names].dropna()
    mean = np.sort(stats.rankdata(best, axis=0).mean(axis=1))
    np.testing.assert_allclose(page["ranks"]["mean"], mean, rtol=5e-3)
    return len(mean)


def spreads_recomputed(page, hits):
    """The A/A spread of the step clock."""
    for one in page["noise"]:
        mine = hits[(hits.problem == one["problem"]) & hits.reached & hits.step_seconds_again.notna()]
        first, again = (mine.groupby("solver")[column].max() for column in ("step_seconds", "step_seconds_again"))
        ratio = (first / again).dropna()
        excess = np.maximum(ratio, 1 / ratio) - 1
        np.testing.assert_allclose(one["excess"], np.sort(excess), rtol=1e-3, atol=1e-12)
        assert one["bound"] == pytest.approx(np.quantile(excess, 0.9), rel=1e-3, abs=1e-12)
    return len(page["noise"])


def art_recomputed(folder, hits):
    """The average run times of the Markdown, in epochs: what all seeds spent over the number that reached the target."""
    text = (folder / "report.md").read_text(encoding="utf-8")
    told = sorted(float(value.replace(",", "")) for value in re.findall(r"aRT (\S+) (?:epochs|steps)", text))
    expected = []
    for _, rows in hits.groupby(["problem", "solver", "target"]):
        if rows.reached.any():
            n = (rows.samples / rows.epochs)[rows.reached].median()
            expected.append(rows.samples_spent.sum() / n / rows.reached.sum())
    assert told == pytest.approx(sorted(expected), rel=6e-3)
    return len(told)


def test_the_synthetic_page_is_recomputed(tmp_path):
    assert recomputed(synthetic.write(tmp_path / "results")) > 500


@pytest.mark.slow
def test_the_quickstart_page_is_recomputed(tmp_path):
    assert recomputed(run_suite("quickstart", tmp_path / "out", jobs=2).folder) > 8000
