"""Rows that are read chunk by chunk give what the same rows in memory give, with a few chunks in memory."""

import os
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest

import gdbench as gd
from gdbench.errors import GdbenchError
from gdbench.kernels import optimizers
from gdbench.kernels.lanes import FEWEST
from gdbench.kernels.optimizers import looks, loop_form
from gdbench.kernels.registry import name_of
from gdbench.solve import chunked, chunks, descent
from gdbench.tasks.inputs import make_task
from gdbench.tasks.setting import settle

ROWS, COLUMNS = 9500, 5

#: Of the rules that look at the whole model one is enough for most days: each compiles a loop.
SLOW = {name_of(cls): pytest.mark.slow for cls in optimizers.registry if looks(loop_form(cls())) and name_of(cls) != "momo"}


@pytest.fixture(scope="module")
def data():
    random = np.random.default_rng(7)
    X = random.standard_normal((ROWS, COLUMNS))
    return X, X @ random.standard_normal(COLUMNS) + 0.1 * random.standard_normal(ROWS)


@pytest.fixture(scope="module")
def folder(data, tmp_path_factory):
    """The rows with y as the column "y", in files of several row groups; as dask and pandas do, with an index stored."""
    path = tmp_path_factory.mktemp("rows")
    frame = pd.DataFrame(data[0], columns=[f"x{j}" for j in range(COLUMNS)]).assign(y=data[1])
    frame.index = pd.Index(np.arange(ROWS)[::-1], name="number")
    for number, first in enumerate(range(0, ROWS, 900)):  # part.10 comes after part.2
        frame.iloc[first : first + 900].to_parquet(path / f"part.{number}.parquet", row_group_size=500)
    return path


def as_dask(X, rows=1100, columns=2):
    array = pytest.importorskip("dask.array", reason="the extra dask is not installed")
    return array.from_array(X, chunks=(rows, columns))


def assert_same(found, expected):
    np.testing.assert_allclose(found.coef, expected.coef, rtol=0, atol=1e-10)
    np.testing.assert_allclose(found.intercept, expected.intercept, rtol=0, atol=1e-10)
    pd.testing.assert_frame_equal(
        found.curve.drop(columns="seconds"), expected.curve.drop(columns="seconds"), rtol=1e-10, atol=1e-10
    )
    assert (found.status, found.n_updates, found.classes) == (expected.status, expected.n_updates, expected.classes)


HOW = [
    {"variant": "batch"},
    {"variant": "batch", "optimizer": "adam"},
    {"variant": "mini-batch"},
    {"variant": "mini-batch", "optimizer": "adam", "shuffle": "none"},
    {"variant": "mini-batch", "batch_size": 5000},
    {"variant": "mini-batch", "batch_size": 333, "shuffle": "once", "seed": 3},
    {"variant": "mini-batch", "shuffle": "block", "tol": 1e-9},
    {"variant": "batch", "learning_rate": "backtracking"},
    {"variant": "batch", "fit_intercept": False, "penalty": "l1", "alpha": 0.05},
]


@pytest.mark.parametrize("how", HOW, ids=str)
def test_the_results_are_those_of_the_rows_in_memory(data, folder, how):
    how = {"epochs": 4, "learning_rate": 0.05} | how
    expected = gd.fit(*data, **how)
    assert_same(gd.fit(folder, "y", **how), expected)
    assert_same(gd.fit(as_dask(data[0]), data[1], **how), expected)


@pytest.mark.parametrize(
    "name",
    [
        pytest.param(name, marks=SLOW.get(name, ()))
        for name in optimizers.registry.names()
        if name not in ("sag", "saga", "svrg", "rprop")
    ],
)
def test_every_optimizer_descends_over_chunks(data, name):
    X, y = data[0][:300], data[1][:300]
    how = {"optimizer": name, "epochs": 3, "learning_rate": 0.01}
    assert_same(gd.fit(as_dask(X, 130), y, **how), gd.fit(X, y, **how))


def test_labels_weights_and_float32(data):
    X = data[0].astype(np.float32)
    y = np.where(data[1] > 0, "up", "down")
    how = {"loss": "log_loss", "variant": "batch", "epochs": 3, "sample_weight": 1.0 + (data[1] > 1)}
    found, expected = gd.fit(as_dask(X), y, **how), gd.fit(X, y, **how)
    assert found.coef.dtype == np.float32
    np.testing.assert_array_equal(found.coef, expected.coef)
    assert found.classes == ("down", "up")


def test_a_sweep_over_chunks(data, folder):
    how = {"learning_rates": [0.001, 0.1, 50.0], "variant": "batch", "epochs": 5}
    found, expected = gd.sweep(folder, "y", **how, threads=2), gd.sweep(*data, **how)
    np.testing.assert_allclose(found.coef[:2], expected.coef[:2], rtol=0, atol=1e-10)
    assert found.status == expected.status == ("budget", "budget", "diverged")


@pytest.mark.parametrize("variant", ["batch", "mini-batch"])
def test_rates_enough_to_lie_side_by_side_over_chunks(data, folder, variant):
    how = {"learning_rates": np.geomspace(1e-4, 0.1, FEWEST + 1), "variant": variant, "epochs": 3}
    found, expected = gd.sweep(folder, "y", **how), gd.sweep(*data, **how)
    np.testing.assert_array_equal(found.coef, expected.coef)
    np.testing.assert_array_equal(found.intercept, expected.intercept)


def test_a_network_over_chunks(data):
    how = {"model": gd.MLP(hidden=3), "optimizer": "adam", "epochs": 2}
    assert_same(gd.fit(as_dask(data[0]), data[1], **how), gd.fit(*data, **how))


def test_chunks_of_unknown_length(data):
    X = as_dask(data[0])
    kept = X[X[:, 0] > 0]
    inside = data[0][:, 0] > 0
    assert_same(gd.fit(kept, data[1][inside], epochs=2), gd.fit(data[0][inside], data[1][inside], epochs=2))


def test_progress_is_told_in_rows(data, folder, capsys):
    heard = []
    gd.fit(folder, "y", variant="batch", epochs=3, progress=lambda done, total: heard.append((done, total)))
    assert [done for done, _ in heard] == sorted(done for done, _ in heard)
    assert heard[-1] == (7 * ROWS, 7 * ROWS)  # three steps, and J at the start and after each
    told = []
    gd.fit(*data, variant="batch", epochs=3, progress=lambda *how: told.append(how))
    assert told == [(1, 3), (2, 3), (3, 3)]
    gd.fit(folder, "y", variant="batch", epochs=3, progress=True)
    with pytest.raises(GdbenchError, match="progress must be True, False or a function"):
        gd.fit(*data, progress="yes")


MEMORY = """
import sys
import gdbench as gd

def memory(kind):
    return int(next(line for line in open("/proc/self/status") if line.startswith(kind)).split()[1]) * 1024

how = {"variant": sys.argv[3], "epochs": 2, "batch_size": 256, "shuffle": "none", "record": 2}
gd.fit(sys.argv[1], "y", **how)  # as many chunks, of few rows: loads all that the other one needs
with open("/proc/self/clear_refs", "w") as file:
    file.write("5")  # the peak begins anew, at what is in memory now
before = memory("VmRSS")
gd.fit(sys.argv[2], "y", **how)
print(memory("VmHWM") - before)
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")
@pytest.mark.thorough
@pytest.mark.parametrize("variant", ["batch", "mini-batch"])
def test_a_few_chunks_are_in_memory_at_a_time(variant, tmp_path):
    random, rows, columns = np.random.default_rng(0), 20_000, 100
    for number in range(20):
        frame = pd.DataFrame(random.standard_normal((rows, columns)), columns=[f"x{j}" for j in range(columns)])
        for name, part in (("small", frame[:400]), ("large", frame)):
            (tmp_path / name).mkdir(exist_ok=True)
            part.assign(y=part["x0"]).to_parquet(tmp_path / name / f"{number}.parquet", compression=None)
    words = [sys.executable, "-c", MEMORY, str(tmp_path / "small"), str(tmp_path / "large"), variant]
    chunk, data = rows * columns * 8, 20 * rows * columns * 8
    assert data > 300e6
    # What counts is what is held: pyarrow's own allocator keeps some of what is freed, and so does the system's, unless each
    # large block is a mapping of its own.
    plain = {**os.environ, "ARROW_DEFAULT_MEMORY_POOL": "system", "MALLOC_MMAP_THRESHOLD_": "65536"}
    grown = int(subprocess.run(words, capture_output=True, text=True, check=True, env=plain).stdout)

    assert grown < 5 * chunk + 40 * 20 * rows  # what y, its weights and the row order take, too


def test_the_stochastic_variant_is_refused(folder):
    with pytest.raises(GdbenchError, match=r"'stochastic' needs X in memory; .* takes: batch, mini-batch"):
        gd.fit(folder, "y", variant="stochastic")
    with pytest.raises(GdbenchError, match="optimizer saga needs variant='stochastic'"):
        gd.fit(folder, "y", optimizer="saga")


def broken(folder, tmp_path, change):
    """A folder whose second file has been changed."""
    for number in (0, 1):
        frame = pd.read_parquet(folder / f"part.{number}.parquet")
        (frame if number == 0 else change(frame)).to_parquet(tmp_path / f"part.{number}.parquet")
    return tmp_path


def with_hole(frame):
    frame = frame.copy()
    frame.iloc[5, 1] = np.inf
    return frame


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda frame: frame.drop(columns="x3"), r"part\.1\.parquet and part\.0\.parquet differ in the column 'x3'"),
        (lambda frame: frame.assign(x1="a"), r"part\.1\.parquet: the column 'x1' must hold numbers only, not (large_)?string"),
        (with_hole, r"X holds 1 values .* infinite, the first at row 5, column 1 of part\.1\.parquet, row group 0"),
        (
            lambda frame: frame.assign(x2=frame["x2"].astype("Float64").mask(frame["x2"] > 0)),
            r"part\.1\.parquet: the column 'x2' lacks \d+ values",
        ),
    ],
    ids=["columns", "text", "infinity", "null"],
)
def test_a_file_that_does_not_fit_is_named(folder, tmp_path, change, message):
    with pytest.raises(GdbenchError, match=message):
        gd.fit(broken(folder, tmp_path, change), "y", variant="batch", epochs=1)


def test_wrong_words(data, folder, tmp_path):
    with pytest.raises(GdbenchError, match=r"part\.0\.parquet: unknown column 'z'; .*choose from: x0, x1"):
        gd.fit(folder, "z")
    with pytest.raises(GdbenchError, match="nowhere' is no folder of Parquet files, nor such a file"):
        gd.fit(tmp_path / "nowhere", "y")
    with pytest.raises(GdbenchError, match=r"holds no \*\.parquet file"):
        gd.fit(tmp_path, "y")
    with pytest.raises(GdbenchError, match="X has 9500 rows but y has 3 values"):
        gd.fit(as_dask(data[0]), [1.0, 2.0, 3.0])
    (tmp_path / "a.parquet").write_bytes(b"PAR1 no Parquet at all")
    with pytest.raises(GdbenchError, match=r"a\.parquet is damaged, truncated or not Parquet"):
        gd.fit(tmp_path, "y")
    frames = pytest.importorskip("dask.dataframe", reason="the extra dask is not installed")
    with pytest.raises(GdbenchError, match=r"X is a dask DataFrame: give an array, such as X\.to_dask_array"):
        gd.fit(frames.from_pandas(pd.DataFrame(data[0]), npartitions=2), data[1])


def test_rows_are_gathered_from_their_chunks(data, folder):
    source, y = chunks.opened(folder, "y")
    np.testing.assert_array_equal(y, data[1])
    random = np.random.default_rng(1)
    # among them one of a single chunk that begins and ends as a stretch of rows does
    pieces = [np.arange(950, 1000), random.permutation(ROWS)[:400], np.array([7, 7, 2]), np.array([3, 5, 4, 6]), np.arange(ROWS)]
    for piece, values in zip(pieces, chunks.gather(source, [piece.astype(np.int32) for piece in pieces]), strict=True):
        np.testing.assert_array_equal(values, data[0][piece])


class Counting(chunks.DaskRows):
    """Rows of which it is known which chunks were read."""

    def __init__(self, array):
        super().__init__(array)
        self.reads = []

    def fetch(self, number):
        self.reads.append(number)
        return super().fetch(number)


@pytest.mark.parametrize("window", [1, 3, 9, 50])
def test_a_window_reads_each_chunk_once_an_epoch_and_mixes_its_rows_alone(window):
    starts = np.array([0, 5, 9, 30, 31, 40, 52, 60, 64, 70])
    orders = [chunked.mixed_in_windows(starts, window, seed, epoch) for seed, epoch in ((0, 0), (0, 1), (1, 0), (0, 0))]
    np.testing.assert_array_equal(orders[0], orders[3])
    for order in orders:
        np.testing.assert_array_equal(np.sort(order), np.arange(70))
        places = np.searchsorted(starts, order, side="right") - 1
        seen = list(dict.fromkeys(places))
        done = 0
        for first in range(0, 9, window):
            few = sorted(set(seen[first : first + window]))
            rows = sum(starts[number + 1] - starts[number] for number in few)
            assert sorted(set(places[done : done + rows])) == few
            done += rows
    assert len({tuple(order) for order in orders}) == 3


@pytest.mark.parametrize(("window", "size"), [(2, 32), (3, 333), (4, 5000)])
def test_a_fit_in_windows_is_that_of_the_rows_in_that_order(data, window, size):
    X, y = data[0][:9000], data[1][:9000]
    rows = Counting(as_dask(X, 1000))
    how = {"variant": "mini-batch", "optimizer": "adam", "batch_size": size, "learning_rate": 0.01, "seed": 5, "record": 2}
    setting = settle(**how, window=window, epochs=2)
    found = chunked.ChunkedDescent(rows, chunked.make_task(rows, y, setting, None)[0], setting)
    found.compile()
    found.advance(2 * found.steps_per_epoch)
    if size < 1000:  # of a larger batch, a window's end and the next one's beginning are one
        assert sorted(rows.reads) == sorted([*range(9)] * 2)
    earlier, one = None, settle(**how, shuffle="none", epochs=1)
    for epoch in range(2):
        order = chunked.mixed_in_windows(rows.starts, window, 5, epoch)
        inside = descent.Descent(make_task(X[order], y[order], one, None)[0], one, earlier)
        inside.compile()
        inside.advance(inside.steps_per_epoch)
        earlier = inside.loop.progress(inside.state)
    np.testing.assert_allclose(found.weights(), inside.weights(), rtol=0, atol=1e-12)


@pytest.mark.parametrize(
    ("how", "message"),
    [
        ({"window": 2}, "window mixes chunks of data that is read chunk by chunk"),
        ({"window": 0}, "window must be at least 1, not 0"),
        ({"window": 2, "variant": "batch"}, "it needs variant='mini-batch' and shuffle='epoch', not 'batch' and 'epoch'"),
        ({"window": 2, "shuffle": "block"}, "not 'mini-batch' and 'block'"),
    ],
)
def test_where_there_is_no_window(data, how, message):
    with pytest.raises(GdbenchError, match=message):
        gd.fit(*data, **how)
