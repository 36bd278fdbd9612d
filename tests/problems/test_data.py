import hashlib
import math
import socket
from dataclasses import replace
from pathlib import Path
from urllib.error import URLError

import numpy as np
import pytest
import sklearn.datasets
from scipy import sparse
from sklearn.utils import Bunch

from gdbench.errors import DatasetUnavailable, GdbenchError
from gdbench.problems import catalog, data, sources

OFFLINE = [name for name in catalog.names() if catalog.entry(name).kind != "fetcher"]
FETCHED = [name for name in catalog.names() if catalog.entry(name).kind == "fetcher"]
STANDARDISED = [name for name in OFFLINE if "standardise" in catalog.entry(name).preprocess and not catalog.entry(name).sparse]


def rows(X):
    """The rows as hashable bytes."""
    return [row.tobytes() for row in (X.toarray() if sparse.issparse(X) else X)]


@pytest.mark.parametrize("name", OFFLINE)
def test_what_the_kernels_rely_on(name):
    entry, dataset = catalog.entry(name), data.load(name)
    assert dataset.name == name
    assert dataset.task == entry.task
    assert (dataset.n + len(dataset.y_test), dataset.d) == entry.size
    assert len(dataset.feature_names) == len(set(dataset.feature_names)) == dataset.d
    assert dataset.y.shape == (dataset.n,)
    assert dataset.X_test.shape == (len(dataset.y_test), dataset.d)
    for X in (dataset.X, dataset.X_test):
        assert X.dtype == np.float64
        if sparse.issparse(X):
            assert X.format == "csr"
            assert X.has_canonical_format
            assert X.indices.dtype == X.indptr.dtype == np.int32
            assert np.isfinite(X.data).all()
        else:
            assert X.flags.c_contiguous
            assert np.isfinite(X).all()
    assert len(dataset.checksum) == 64
    assert dataset.source and "\n" not in dataset.source


@pytest.mark.parametrize("name", OFFLINE)
def test_targets_are_coded_for_their_task(name):
    dataset = data.load(name)
    if dataset.task == "regression":
        assert dataset.class_names == ()
        assert dataset.y.dtype == np.float64
        assert abs(dataset.y.mean()) < 1e-12
        assert abs(dataset.y.std() - 1) < 1e-12
    elif dataset.task == "binary":
        assert dataset.y.dtype == np.float64
        assert set(dataset.y) == set(dataset.y_test) == {-1.0, 1.0}
        assert len(dataset.class_names) == 2
    else:
        assert dataset.y.dtype == np.int64
        assert set(dataset.y) == set(dataset.y_test) == set(range(dataset.n_classes))


@pytest.mark.parametrize(("name", "n"), [("flights", 327_346), ("diamonds", 53_940), ("mnist-5000", 5_000)])
def test_shipped_rows(name, n):
    dataset = data.load(name)
    assert dataset.n + len(dataset.y_test) == n
    assert len(dataset.y_test) == pytest.approx(0.2 * n, abs=1)


def test_flights_has_full_column_rank_with_an_intercept():
    X = data.load("flights").X
    eigenvalues = np.linalg.eigvalsh(X.T @ X / len(X))
    assert eigenvalues[0] > 1e-3


def test_flights_onehot_is_seven_ones_a_row():
    X = data.load("flights-onehot").X
    assert (np.diff(X.indptr) == 7).all()
    assert (X.data == 1).all()


@pytest.mark.parametrize("name", STANDARDISED)
def test_standardised_exactly_on_the_training_rows(name):
    for column in data.load(name).X.T:
        assert abs(math.fsum(column)) < 1e-13 * len(column)
        assert abs(math.fsum(column**2) / len(column) - 1) < 1e-13


def test_test_rows_go_through_the_training_rows_statistics():
    raw = data.load("diabetes", preprocessing="none")
    dataset = data.load("diabetes")
    mean, std = raw.X.mean(axis=0), raw.X.std(axis=0)
    np.testing.assert_allclose(dataset.X_test, (raw.X_test - mean) / std, rtol=1e-10, atol=1e-12)
    np.testing.assert_allclose(dataset.y_test * dataset.target_std + dataset.target_mean, raw.y_test)


@pytest.mark.parametrize("name", ["diabetes", "breast_cancer"])
def test_the_split_is_fixed_and_disjoint(name):
    first = data.load(name, preprocessing="none")
    again = data.load(name, preprocessing="none", seed=7)
    assert first.checksum == again.checksum
    assert not set(rows(first.X)) & set(rows(first.X_test))
    everything = data.load(name, preprocessing="none", test_fraction=0)
    assert sorted(rows(everything.X)) == sorted(rows(first.X) + rows(first.X_test))
    assert everything.X_test.shape == (0, everything.d)


def test_the_order_of_the_source_is_kept():
    X, y = sklearn.datasets.load_diabetes(return_X_y=True, scaled=False)
    dataset = data.load("diabetes", preprocessing="none", test_fraction=0)
    np.testing.assert_array_equal(dataset.X, X)
    np.testing.assert_array_equal(dataset.y, y)


def test_each_class_gives_its_share():
    dataset = data.load("iris")
    np.testing.assert_array_equal(np.bincount(dataset.y), [40, 40, 40])
    np.testing.assert_array_equal(np.bincount(dataset.y_test), [10, 10, 10])


def test_binary_names_the_negative_class_first():
    dataset = data.load("breast_cancer", test_fraction=0)
    assert dataset.class_names == ("malignant", "benign")
    assert (dataset.y == 1).sum() == 357


def test_float32():
    dataset = data.load("breast_cancer", dtype="float32")
    assert dataset.X.dtype == dataset.X_test.dtype == dataset.y.dtype == np.float32
    assert data.load("breast_cancer", dtype=np.float32) is dataset
    assert data.load("iris", dtype="float32").y.dtype == np.int64
    assert dataset.checksum != data.load("breast_cancer").checksum


def test_checksum_is_over_the_training_arrays():
    dataset = data.load("wine")
    digest = hashlib.sha256()
    for array in (dataset.X, dataset.y):
        digest.update(f"{array.shape} {array.dtype.str};".encode())
        digest.update(array.tobytes())
    digest.update(str(dataset.X.shape).encode())
    assert dataset.checksum == digest.hexdigest()
    shorter = sparse.csr_matrix(np.eye(3))
    wider = sparse.csr_matrix((shorter.data, shorter.indices, shorter.indptr), shape=(3, 4))
    assert data.checksum(shorter, np.ones(3)) != data.checksum(wider, np.ones(3))


def test_loading_again_costs_nothing():
    assert data.load("iris") is data.load("iris")


# Generated data


@pytest.mark.parametrize("name", ["regression", "classification", "sparse_uncorrelated", "friedman1"])
@pytest.mark.parametrize("condition", [1, 30.0, 1e6])
def test_the_condition_number_is_as_asked(name, condition):
    X = data.load(name, n_samples=300, n_features=8, condition=condition).X
    np.testing.assert_allclose(X.mean(axis=0), 0, atol=1e-12)
    eigenvalues = np.linalg.svd(X, compute_uv=False) ** 2 / len(X)
    assert eigenvalues[0] / eigenvalues[-1] == pytest.approx(condition, rel=1e-9)
    assert eigenvalues.sum() == pytest.approx(8)
    # geometric spacing
    np.testing.assert_allclose(eigenvalues[1:] / eigenvalues[:-1], condition ** (-1 / 7), rtol=1e-8)


def test_ill_conditioned_is_a_thousand():
    X = data.load("ill_conditioned").X
    assert np.linalg.cond(X.T @ X / len(X)) == pytest.approx(1e3, rel=1e-9)


def test_the_map_is_the_same_for_test_rows():
    """Without noise the target stays linear, with the same weights on both parts."""
    dataset = data.load("regression", noise=0.0, n_samples=100, n_features=5, condition=50.0)
    w, *_ = np.linalg.lstsq(dataset.X, dataset.y, rcond=None)
    np.testing.assert_allclose(dataset.X @ w, dataset.y, atol=1e-10)
    np.testing.assert_allclose(dataset.X_test @ w, dataset.y_test, atol=1e-10)


@pytest.mark.parametrize(("name", "noise"), [("regression", 3.0), ("sparse_uncorrelated", 0.25)])
def test_noise_is_as_asked(name, noise):
    """What a linear fit leaves, in the target's own unit."""
    dataset = data.load(name, noise=noise)
    w, *_ = np.linalg.lstsq(dataset.X, dataset.y, rcond=None)
    left = (dataset.y - dataset.X @ w).std() * dataset.target_std
    assert left == pytest.approx(noise, rel=0.1)


def test_the_seed_generates():
    first, second = (data.load("regression", seed=seed, n_samples=50) for seed in (1, 2))
    assert first.checksum != second.checksum
    data._load.cache_clear()
    assert data.load("regression", seed=1, n_samples=50).checksum == first.checksum


def test_more_classes_make_it_multiclass():
    dataset = data.load("classification", n_classes=4, n_samples=400)
    assert (dataset.task, dataset.n_classes) == ("multiclass", 4)


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        ("diabtes", {}, "unknown dataset 'diabtes'; did you mean 'diabetes'"),
        ("", {}, "unknown dataset ''"),
        ("regression", {"n_sample": 5}, "unknown option of regression 'n_sample'; did you mean 'n_samples'"),
        ("regression", {"condition": 0.5}, "condition has to be a number of at least 1"),
        ("regression", {"condition": "big"}, "condition has to be a number"),
        ("regression", {"n_samples": 10}, "more training rows than columns: 8 rows, 20 columns"),
        ("regression", {"n_samples": -1}, "n_samples has to be a positive integer"),
        ("regression", {"n_features": 1}, "one column always has condition 1"),
        ("regression", {"noise": -1}, "noise has to be a number of at least 0"),
        ("regression", {"n_samples": [3]}, "n_samples has to be a number"),
        ("regression", {"preprocessing": "standardise", "condition": 2.0}, "needs the preprocessing step"),
        ("friedman1", {"n_features": 3}, "make_friedman1 refused"),
        ("sparse_uncorrelated", {"n_features": 3}, "n_features has to be at least 4"),
        ("diabetes", {"preprocessing": "standardize"}, "did you mean 'standardise'"),
        ("diabetes", {"preprocessing": "condition"}, "needs condition="),
        ("diabetes", {"dtype": "int32"}, "unknown dtype 'int32'"),
        ("diabetes", {"dtype": "f"}, "unknown dtype 'f'"),
        ("diabetes", {"seed": -1}, "seed has to be an integer"),
        ("diabetes", {"test_fraction": 1.0}, "test_fraction has to be in"),
        ("diabetes", {"test_fraction": 0.999}, "training rows are left"),
        ("diabetes", {"target": "age"}, "one target only"),
        ("linnerud", {"target": "waist"}, "unknown target of linnerud 'waist'; did you mean 'Waist'"),
        ("flights", {"target": "arrival"}, "unknown column 'arrival'"),
        ("flights-onehot", {"preprocessing": "none"}, "no columns are left"),
    ],
)
def test_a_wrong_request_is_one_clear_line(name, options, message):
    with pytest.raises(GdbenchError, match=message) as caught:
        data.load(name, **options)
    assert "\n" not in str(caught.value)


def test_another_target():
    assert data.load("linnerud", target="Waist").checksum != data.load("linnerud").checksum
    dataset = data.load("diamonds", target="carat")
    assert dataset.d == 22
    assert "carat" not in dataset.feature_names


# Shipped files


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """An empty datasets folder."""
    monkeypatch.setattr(catalog, "folder", lambda: tmp_path)
    data._load.cache_clear()
    yield tmp_path
    data._load.cache_clear()


def test_a_truncated_shipped_file_is_refused(folder):
    content = (catalog_folder() / "diamonds.parquet").read_bytes()
    (folder / "diamonds.parquet").write_bytes(content[:-1000])
    with pytest.raises(GdbenchError, match=r"diamonds\.parquet is damaged .* [0-9a-f]{64}, .*build\.py"):
        data.load("diamonds")


def test_a_wrong_checksum_shows_both_and_what_to_do(folder):
    content = (catalog_folder() / "diamonds.parquet").read_bytes() + b"more"
    (folder / "diamonds.parquet").write_bytes(content)
    with pytest.raises(GdbenchError) as caught:
        data.load("diamonds")
    message, found = str(caught.value), hashlib.sha256(content).hexdigest()
    assert f'put sha256 = "{found}" into catalog.toml' in message
    assert catalog.entry("diamonds").sha256 in message and "\n" not in message


@pytest.mark.parametrize("size", [(442, 11), (441, 10), (10, 442)])
def test_a_wrong_size_in_the_catalog_is_refused(size, monkeypatch):
    entry = replace(catalog.entry("diabetes"), size=size)
    monkeypatch.setattr(catalog, "entry", lambda _: entry)
    data._load.cache_clear()
    with pytest.raises(GdbenchError, match=r"has 442 × 10 .* declares \d+ × \d+: correct size = \[442, 10\]"):
        data.load("diabetes")
    assert data.load("diabetes", preprocessing="none").d == 10  # what is not loaded as declared may differ
    data._load.cache_clear()


def test_a_missing_shipped_file_is_named(folder):
    with pytest.raises(DatasetUnavailable, match=r"mnist-5000\.npz is missing"):
        data.load("mnist-5000")


def catalog_folder():
    """Where catalog.folder() looks, which the fixture has replaced."""
    package = Path(catalog.__file__).parents[1]
    return next(f for f in (package / "datasets", package.parent / "datasets") if f.is_dir())


# Downloads


@pytest.mark.parametrize("name", FETCHED)
def test_without_network_there_is_one_clear_line(name, monkeypatch, tmp_path):
    timeouts = []

    def no_network(*args, **kwargs):
        timeouts.append(socket.getdefaulttimeout())
        raise URLError("no route to host")

    monkeypatch.setenv("SCIKIT_LEARN_DATA", str(tmp_path))
    monkeypatch.setattr("sklearn.datasets._base.urlretrieve", no_network)
    with pytest.raises(DatasetUnavailable) as caught:
        data.load(name)
    message = str(caught.value)
    assert "\n" not in message
    assert name in message
    assert "no route to host" in message
    assert "SCIKIT_LEARN_DATA" in message
    assert set(timeouts) == {sources.DOWNLOAD_TIMEOUT}
    assert socket.getdefaulttimeout() is None


def fake_bunch(name):
    """Thirty rows in the form in which scikit-learn returns that set."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(30, 4))
    labels = np.arange(30) % 3 + 1
    if name == "california_housing":
        names = ["MedInc", "HouseAge", "AveRooms", "AveBedrms"]
        return Bunch(data=X, target=rng.normal(size=30), target_names=["MedHouseVal"], feature_names=names)
    if name == "covtype":
        return Bunch(data=X, target=labels.astype(np.int32), target_names=["Cover_Type"], feature_names=list("abcd"))
    X = sparse.random(30, 50, density=0.2, format="csr", random_state=0)
    if name == "rcv1":
        topics = sparse.csr_matrix(np.column_stack([labels == 1, labels == 2]).astype(np.uint8))
        return Bunch(data=X, target=topics, target_names=np.array(["C11", "CCAT"], dtype=object))
    words = np.array([f"w{j}" for j in range(50)], dtype=object)
    return Bunch(data=X, target=labels - 1, target_names=["alt", "comp", "sci"], feature_names=words)


@pytest.mark.parametrize("name", FETCHED)
def test_what_a_download_gives_is_taken_apart(name, monkeypatch):
    bunch, calls = fake_bunch(name), []
    entry = replace(catalog.entry(name), size=bunch.data.shape)
    monkeypatch.setattr(catalog, "entry", lambda _: entry)

    def fetch(**options):
        calls.append(options)
        return bunch

    monkeypatch.setattr(sklearn.datasets, entry.source, fetch)
    data._load.cache_clear()
    dataset = data.load(name)
    data._load.cache_clear()
    assert dataset.task == entry.task
    assert dataset.n + len(dataset.y_test) == 30
    assert sparse.issparse(dataset.X) == entry.sparse
    assert calls == [{**entry.options, "n_retries": 1, "delay": 0.1}]
    classes = {
        "california_housing": (),
        "covtype": ("1", "2", "3"),
        "rcv1": ("other", "CCAT"),
        "20newsgroups": ("alt", "comp", "sci"),
    }
    assert dataset.class_names == classes[name]
