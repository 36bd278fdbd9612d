"""The shapes of reading: no bit depends on them; and the file that keeps them is trusted no further than it can be read."""

import json

import numpy as np
import pytest
from scipy.sparse import csr_matrix

import gdbench as gd
from gdbench.errors import GdbenchError
from gdbench.kernels import shapes
from gdbench.kernels.caches import level_of, second_level
from gdbench.kernels.order import BLOCK
from gdbench.kernels.reading import ReadPlan, far_row, near_row
from gdbench.kernels.shapes import DEFAULT, Shape

#: Each field in each of its meanings, near and far alone and together, beyond the end of the data too.
SHAPES = [
    Shape(0, 0, 4),
    Shape(0, 0, 1),
    Shape(4096, 0, 1),
    Shape(4096, 0, 4),
    Shape(0, 4096, 1),
    Shape(4096, 512, 4),
    Shape(1 << 20, 1 << 20, 1),
]

#: Descents that together run every loop, and every order.
DENSE = {
    "short": {"variant": "stochastic", "shuffle": "block"},
    "plain": {"variant": "stochastic", "shuffle": "epoch", "penalty": "l2"},
    "rows": {"variant": "stochastic", "shuffle": "sklearn", "optimizer": "adam"},
    "rows with memory": {"variant": "stochastic", "optimizer": "saga", "shuffle": "epoch"},
    "rows in sequence": {"variant": "stochastic", "shuffle": "none", "optimizer": "momentum"},
    "mini-batches": {"variant": "mini-batch", "batch_size": 7, "optimizer": "adam", "shuffle": "block"},
    "batches": {"variant": "batch", "optimizer": "momentum"},
    "network": {"variant": "mini-batch", "model": gd.MLP(hidden=3), "shuffle": "epoch"},
}
SPARSE = {
    "scaled": {"variant": "stochastic", "shuffle": "block", "penalty": "l2"},
    "lazy": {"variant": "stochastic", "shuffle": "epoch", "optimizer": "momentum"},
    "mini-batches": {"variant": "mini-batch", "batch_size": 7, "optimizer": "adam", "shuffle": "epoch"},
    "batches": {"variant": "batch"},
}


def rows(columns, dtype=np.float64):
    """Two blocks of rows and some, and a target."""
    rng = np.random.default_rng(0)
    X = rng.standard_normal((2 * BLOCK + 91, columns)).astype(dtype)
    return X, (X @ rng.standard_normal(columns)).astype(dtype)


def in_all_shapes(work):
    """The arrays that `work` returns in each shape have the same bits."""
    with shapes.forced(SHAPES[0]):
        first = work()
    for shape in SHAPES[1:]:
        with shapes.forced(shape):
            for expected, found in zip(first, work(), strict=True):
                np.testing.assert_array_equal(found, expected, err_msg=str(shape))


def fitted(X, y, **options):
    found = gd.fit(X, y, **{"learning_rate": 1e-3, "epochs": 2, "record": 3, **options})
    return found.coef, np.asarray(found.intercept), found.curve["objective"].to_numpy()


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("name", DENSE)
def test_dense_rows_have_the_same_bits_in_every_shape(name, dtype):
    for columns in (5, 67):
        X, y = rows(columns, dtype)
        in_all_shapes(lambda X=X, y=y: fitted(X, y, **DENSE[name]))


@pytest.mark.parametrize("name", SPARSE)
def test_sparse_rows_have_the_same_bits_in_every_shape(name):
    X, y = rows(30)
    X = csr_matrix(X * (np.abs(X) > 1))
    in_all_shapes(lambda: fitted(X, y, **SPARSE[name]))


@pytest.mark.parametrize("variant", ["stochastic", "mini-batch", "batch"])
def test_lanes_have_the_same_bits_in_every_shape(variant):
    X, y = rows(20)
    rates = np.geomspace(1e-5, 1e-3, 16)
    in_all_shapes(lambda: [gd.sweep(X, y, learning_rates=rates, variant=variant, epochs=2, record=2).coef])


@pytest.mark.parametrize("variant", ["stochastic", "mini-batch"])
def test_classes_have_the_same_bits_in_every_shape(variant):
    X, y = rows(20)
    labels = np.digitize(y, [-2.0, 2.0])
    in_all_shapes(lambda: fitted(X, labels, loss="cross_entropy", variant=variant))


@pytest.mark.parametrize("columns", [5, 67])
@pytest.mark.parametrize("kind", [np.float64, np.float32, "sparse"])
def test_estimators_have_the_same_bits_in_every_shape(columns, kind):
    X, y = rows(columns, np.float64 if kind == "sparse" else kind)
    X = csr_matrix(X) if kind == "sparse" else X
    for estimator in (
        gd.GDRegressor(max_iter=3, tol=None, random_state=0),
        gd.GDClassifier(max_iter=3, tol=None, random_state=0),
    ):
        in_all_shapes(lambda e=estimator: [e.fit(X, y if isinstance(e, gd.GDRegressor) else y > 0).coef_])


def test_the_rows_to_prefetch():
    visited = np.array([7, 3, 5, 0, 6, 1, 4, 2], np.int32)
    assert [near_row(ReadPlan(near=2), visited, r) for r in (0, 5, 7)] == [5, 2, 2]
    assert near_row(ReadPlan(), visited, 3) == 0
    assert [far_row(ReadPlan(far=3), visited, r) for r in (0, 7)] == [0, 2]
    # Blocks of four: the next block's rows in the order of memory, wherever a call begins.
    blocks = np.array([6, 4, 7, 5, 1, 3, 0, 2], np.int32)
    plan = ReadPlan(far=4, block_mask=3)
    assert [far_row(plan, blocks, r) for r in range(4)] == [0, 1, 2, 3]
    assert sorted(far_row(plan, blocks[2:], r) for r in range(2)) == [0, 1]


def test_plans_follow_from_bytes():
    large = 1 << 40
    assert level_of(large) == "memory" and level_of(1) == "L2"
    with shapes.forced(Shape(8192, 1024, 1)):
        assert shapes.plan(large, 64, "short", "random") == ReadPlan(128, 16, 0, 1)
        assert shapes.plan(large, 32, "short", "random") == ReadPlan(256, 32, 0, 1)  # half the bytes a row, twice the rows
        assert shapes.plan(large, 64, "short", "block") == ReadPlan(BLOCK, 16, BLOCK - 1, 1)
        wide = second_level() // BLOCK
        assert shapes.plan(large, wide, "long", "block").block_mask == 0  # two blocks do not fit
    assert shapes.plan(1000, 100, "short", "random") == ReadPlan()


@pytest.fixture
def kept(tmp_path, monkeypatch):
    """The file of shapes, in a folder of its own."""
    path = tmp_path / "shapes.json"
    monkeypatch.setattr(shapes, "kept_in", lambda: path)
    monkeypatch.delenv("GDBENCH_SHAPES", raising=False)
    shapes.forget()
    yield path
    shapes.forget()


OTHERS = {name: Shape(123, 456, 1) for name in DEFAULT}


def test_shapes_are_kept(kept):
    assert shapes.chosen() == DEFAULT and shapes.source() == "default"
    shapes.keep(OTHERS)
    assert shapes.chosen() == OTHERS and shapes.source() == str(kept)
    assert shapes.described()["memory short block"] == {"far": 123, "near": 456, "rows_per_pass": 1}
    json.dumps(shapes.described())


def test_the_environment_overrides_the_file(kept, tmp_path, monkeypatch):
    shapes.keep(OTHERS)
    monkeypatch.setenv("GDBENCH_SHAPES", "default")
    shapes.forget()
    assert shapes.chosen() == DEFAULT
    other = tmp_path / "other.json"
    other.write_text(kept.read_text().replace("123", "124"))
    monkeypatch.setenv("GDBENCH_SHAPES", str(other))
    shapes.forget()
    assert shapes.chosen()["L3 short block"].far == 124
    monkeypatch.setenv("GDBENCH_SHAPES", str(tmp_path / "none.json"))
    shapes.forget()
    with pytest.raises(GdbenchError, match="GDBENCH_SHAPES"):
        shapes.chosen()


@pytest.mark.parametrize(
    "spoil",
    [
        lambda text: text[:40],
        lambda text: "[]",
        lambda text: text.replace('"format": 1', '"format": 0'),
        lambda text: text.replace('"name": "', '"name": "un'),
        lambda text: text.replace("123", "-1"),
        lambda text: text.replace("123", "1.5"),
        lambda text: text.replace('"rows_per_pass": 1', '"rows_per_pass": 2'),
        lambda text: text.replace('memory short random"', 'memory short"'),
    ],
    ids=["cut", "list", "format", "processor", "negative", "fraction", "rows", "missing"],
)
def test_a_file_that_holds_no_shapes_is_not_used(kept, spoil):
    shapes.keep(OTHERS)
    text = spoil(kept.read_text())
    assert text != kept.read_text()
    kept.write_text(text)
    shapes.forget()
    assert shapes.chosen() == DEFAULT
