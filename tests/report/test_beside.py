import json
from dataclasses import replace

import numpy as np
import pytest
import synthetic

from gdbench import parity
from gdbench.analysis import across, beside, speed, view
from gdbench.errors import GdbenchError
from gdbench.report import page, words

PEERS = {
    "bandwidth": 10.0,
    "absent": ["<i>vw</i>", "optax"],
    "rows": [{"work": "<i>batch</i>", "peer": "NumPy", "ours_ms": 2.0, "peer_ms": 5.0, "ratio": 2.5, "low": 2.4, "high": 2.75}],
}


@pytest.fixture(scope="module")
def over(shown):
    return across.build(shown)


@pytest.fixture(scope="module")
def near(shown, over):
    return beside.build(shown, over)


def test_the_noise_is_that_of_the_repeated_runs(near, tables):
    runs = tables[0]
    for one in near.noise:
        reached = set(tables[2].solver[(tables[2].problem == one.problem) & (tables[2].role == "report") & tables[2].reached])
        mine = runs[(runs.problem == one.problem) & (runs.stage == "timed") & (runs.seed == synthetic.SEEDS[0])]
        mine = mine[mine.solver.isin(reached)]
        pace = mine.assign(pace=mine.seconds / mine.n_samples).pivot(index="solver", columns="repeat", values="pace")
        np.testing.assert_allclose(one.excess, np.sort(pace.max(axis=1) / pace.min(axis=1) - 1))
        assert one.bound == pytest.approx(np.quantile(one.excess, 0.9))


def test_the_critical_difference_is_nemenyis(over):
    found = over.ranks
    # q of Demšar's table 5 (2006), two-tailed at 5 %, for 2 to 10 classifiers
    q = [1.960, 2.343, 2.569, 2.728, 2.850, 2.949, 3.031, 3.102, 3.164]
    k, n = len(found.who), len(found.problems)
    assert found.critical == pytest.approx(q[k - 2] * np.sqrt(k * (k + 1) / (6 * n)), rel=1e-3)
    assert words.significant(found.critical) in words.difference(found)


def test_the_first_is_better_beyond_the_critical_difference(over):
    found = replace(over.ranks, who=over.ranks.who[:3], mean=np.array([1.0, 2.0, 3.5]), critical=2.0, p=1e-5)
    assert found.apart == 1
    said = words.difference(found)
    assert "significantly better than 1 of the 2 others" in said
    assert "p\u00a0=\u00a01e-5" in said
    alone = words.difference(replace(found, critical=9.0))
    assert "no significant difference from any other" in alone


def test_baselines_are_paired_with_the_same_steps(near, tables):
    runs = tables[0][(tables[0].stage == "timed") & (tables[0].repeat == 0)]
    steps, calls = [pair for pair in near.speed.pairs if pair.peer == "SGDRegressor"]
    assert [pair.work for pair in (steps, calls)] == ["stochastic GD, flights, steps", "stochastic GD, flights, calls"]
    ours, theirs = (
        runs[(runs.problem == "flights") & (runs.solver == name)].set_index("seed") for name in ("stochastic gd", "SGDRegressor")
    )
    ratios = (theirs.seconds / theirs.n_samples) / (ours.seconds / ours.n_samples)
    assert steps.ratio == pytest.approx(ratios.median())
    assert steps.low <= steps.ratio <= steps.high
    assert calls.ratio == pytest.approx((theirs.call_seconds / ours.call_seconds).median())
    assert words.significant(steps.ratio) in words.peers_of([steps])


def test_a_baseline_with_another_objective_is_paired_with_nobody(near):
    assert {pair.peer for pair in near.speed.pairs} == {"SGDRegressor"}


@pytest.mark.parametrize(
    ("word", "other"), [("batch_size", 8), ("dtype", "float32"), ("schedule", "invscaling"), ("loss", "huber")]
)
def test_other_steps_are_paired_with_nobody(shown, word, other):
    runs = shown.results.runs.copy()
    runs.loc[runs.backend == "scikit-learn", word] = other
    changed = view.build(replace(shown.results, runs=runs))
    assert speed.build(changed, across.build(changed)).pairs == []


def test_peers_and_parity_are_read_from_the_folder(tmp_path):
    folder = synthetic.write(tmp_path / "results")
    rows = [
        parity.Row("numpy", "2.4", "<i>adam</i>", "weights", "passed", 1e-15, 1e-14, 1e-12, "rounding"),
        parity.Row("numpy", "2.4", "lion", "weights", "failed", 1.5e-3, 1e-2, 1e-12, "rounding"),
    ]
    (folder / "parity.json").write_text(parity.to_json(rows), encoding="utf-8")
    (folder / "peers.json").write_text(json.dumps(PEERS), encoding="utf-8")
    shown = view.read(folder)
    over = across.build(shown)
    near = beside.build(shown, over)
    assert near.speed.pairs[-1] == speed.Pair("<i>batch</i>", "NumPy", 2e-3, 5e-3, 2.5, 2.4, 2.75)
    assert words.parity(near.parity) == "2 cases against numpy 2.4: 1 of them disagrees."
    text = page.report(shown, over, near)
    assert "&lt;i&gt;adam&lt;/i&gt;" in text
    assert "<i>" not in text.split('id="data">')[0]
    assert "1.5e-03" in text
    assert "Not installed, and so left out: &lt;i&gt;vw&lt;/i&gt; and optax." in text
    assert "1 of them disagrees" in page.twin(shown, over, near, {})


def test_references_that_are_not_installed_are_named(tmp_path):
    torch = parity.Row("torch", "", "", "", "skipped", None, None, None, "no module")
    near = beside.Parity(parity.summary([torch]), [], ())
    assert words.parity(near) == "Not installed, and so left out: torch."
    numpy = parity.Row("numpy", "2.4", "lion", "weights", "passed", 1e-15, 1e-14, 1e-12, "rounding")
    both = beside.Parity(parity.summary([torch, numpy]), [], ())
    said = words.parity(both)
    assert said == "1 case against numpy 2.4: all of them agree. Not installed, and so left out: torch."
    assert [row[0] for row in page.parity_table(both)[1]] == ["numpy"]


def test_bytes_are_said_in_large_units():
    rows = dict(page.machine_rows({"caches": {"L1d": 32768, "L3": None}, "memory_bytes": 25276063744, "cores": 2}))
    assert rows == {"caches: L1d": "32 KiB", "caches: L3": "–", "memory": "23.5 GiB", "cores": "2"}


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"rows": [{"work": "a"}]}', '[{"case": 1}]'])
@pytest.mark.parametrize("kind", ["parity", "peers"])
def test_other_files_are_told(shown, over, tmp_path, content, kind):
    path = tmp_path / "file.json"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(GdbenchError, match=r"file\.json holds no result"):
        beside.build(shown, over, **{kind: path})


def test_a_ratio_is_a_positive_number(tmp_path):
    path = tmp_path / "peers.json"
    path.write_text(json.dumps({"rows": [PEERS["rows"][0] | {"ratio": 0.0}]}), encoding="utf-8")
    with pytest.raises(GdbenchError, match="no positive number"):
        speed.from_file(path)
