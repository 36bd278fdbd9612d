"""Bad input to fit, sweep, minimize and replay: one clear line, or a defined result; never a crash, never a silent NaN."""

import math
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
from sklearn.base import clone

import gdbench as gd
from gdbench.tasks import inputs, memory

N, D = 12, 3
X = np.random.default_rng(0).normal(size=(N, D))
Y = X @ np.array([1.0, -2.0, 0.5]) + 0.3
SIGN = np.where(Y > 0, 1, -1)
QUICK = {"epochs": 2, "record": 2}


def changed(array, place, value):
    array = array.copy()
    array[place] = value
    return array


def broken(matrix, **parts):
    """A sparse matrix whose arrays are replaced behind SciPy's back."""
    for name, values in parts.items():
        setattr(matrix, name, values)
    return matrix


def csr():
    return sp.csr_matrix(changed(X, (slice(None), 1), 0.0))


def csr_at(place, value):
    matrix = csr()
    matrix.indices[place] = value
    return matrix


def starts_at(place, value):
    matrix = csr()
    matrix.indptr[place] = value
    return matrix


def csc_at(value):
    matrix = csr().tocsc()
    matrix.indices[0] = value
    return matrix


def bsr_at(value):
    matrix = sp.bsr_matrix(np.ones((N, 3)), blocksize=(2, 3))
    matrix.indices[0] = value
    return matrix


def coo_at(value):
    matrix = csr().tocoo()
    matrix.row[0] = value
    return matrix


def lil_at(row, columns, values):
    matrix = csr().tolil()
    matrix.rows[row], matrix.data[row] = columns, values
    return matrix


def dia_of(**parts):
    return broken(sp.dia_matrix(X), **parts)


def dok_at(place):
    matrix = csr().todok()
    dict.__setitem__(getattr(matrix, "_dict", matrix), place, 1.0)
    return matrix


def wide(columns):
    """Three stored values in a matrix of so many columns."""
    return sp.csr_matrix((np.ones(3), np.array([0, 1, 2]), np.minimum(np.arange(N + 1), 3)), shape=(N, columns))


# Label: what is passed as X, and a part of the message.
BAD_X = {
    "none": (lambda: None, "X must"),
    "text": (lambda: "abc", "X must hold numbers only, not text"),
    "bytes": (lambda: b"abc", "X must hold numbers only, not bytes"),
    "a number": (lambda: 3.0, "two dimensions"),
    "a dict": (lambda: {"a": [1, 2]}, "X must hold numbers only"),
    "an object": (object, "X must hold numbers only"),
    "a generator": (lambda: (row for row in X), "X must hold numbers only"),
    "texts": (lambda: [["1.0", "2.0"]] * N, "X must hold numbers only, not text"),
    "objects of text": (lambda: np.array([["1.0", "2.0"]] * N, dtype=object), "X must hold numbers only"),
    "objects with none": (lambda: [[1.0, None]] * N, "NaN or infinite"),
    "objects of objects": (lambda: np.array([[object(), 1]] * N), "X must hold numbers only"),
    "an integer past float64": (lambda: [[10**400, 1]] * N, "too large for float64"),
    "one dimension": (lambda: X[:, 0], r"two dimensions \(rows, columns\), not 1"),
    "three dimensions": (lambda: X[None], "two dimensions.*not 3"),
    "no rows": (lambda: X[:0], "X is empty"),
    "no columns": (lambda: X[:, :0], "X is empty"),
    "an empty list": (list, "two dimensions"),
    "a list of empty lists": (lambda: [[]] * N, "X is empty"),
    "ragged": (lambda: [[1.0, 2.0], [3.0]] * (N // 2), "X is ragged"),
    "complex": (lambda: X * 1j, "X must hold numbers only, not complex"),
    "dates": (lambda: np.full((N, D), np.datetime64("2020-01-01")), "X must hold numbers only, not dates"),
    "time spans": (lambda: np.full((N, D), np.timedelta64(1, "s")), "X must hold numbers only, not time spans"),
    "records": (lambda: np.zeros((N, D), dtype=[("a", float)]), "X must hold numbers only"),
    "nan": (lambda: changed(X, (2, 1), np.nan), "1 values that are NaN or infinite, the first at row 2, column 1"),
    "inf": (lambda: changed(X, (0, 0), np.inf), "NaN or infinite, the first at row 0, column 0"),
    "minus inf": (lambda: changed(X, (3, 2), -np.inf), "the first at row 3, column 2"),
    "inf and minus inf": (lambda: changed(X, (3, slice(2)), [np.inf, -np.inf]), "2 values that are NaN or infinite"),
    "float32 nan": (lambda: changed(X.astype(np.float32), (2, 1), np.nan), "NaN or infinite"),
    "float16 inf": (lambda: changed(X.astype(np.float16), (2, 1), np.inf), "NaN or infinite"),
    "masked": (lambda: np.ma.masked_greater(X, 1.0), "X holds masked values"),
    "a frame with text": (lambda: pd.DataFrame({"a": np.ones(N), "b": ["x"] * N}), "X must hold numbers only"),
    "a frame with missing": (lambda: pd.DataFrame({"a": [1.0] * (N - 1) + [None], "b": 1.0}), "NaN or infinite"),
    "a frame with dates": (lambda: pd.DataFrame({"a": pd.date_range("2020", periods=N)}), "X must hold numbers only"),
    "too few rows": (lambda: X[:5], "X has 5 rows but y has 12 values"),
    "sparse nan": (lambda: sp.csr_matrix(changed(X, (2, 1), np.nan)), "NaN or infinite"),
    "sparse complex": (lambda: sp.csr_matrix(X * 1j), "X must hold numbers only"),
    "sparse without rows": (lambda: sp.csr_matrix((0, 3)), "X is empty"),
    "sparse without columns": (lambda: sp.csr_matrix((N, 0)), "X is empty"),
    "sparse of one dimension": (lambda: sp.coo_array(X[:, 0]), "two dimensions"),
    "csr column too large": (lambda: csr_at(3, 10**6), "no valid sparse matrix"),
    "csr column just too large": (lambda: csr_at(-1, D), "no valid sparse matrix"),
    "csr column negative": (lambda: csr_at(0, -1), "no valid sparse matrix"),
    "csr columns not whole": (lambda: broken(csr(), indices=csr().indices + 0.5), "no valid sparse matrix"),
    "csr starts fall": (lambda: starts_at(4, 10**6), "no valid sparse matrix"),
    "csr starts negative": (lambda: starts_at(4, -5), "no valid sparse matrix"),
    "csr starts past the end": (lambda: starts_at(-1, 10**6), "no valid sparse matrix"),
    "csr starts late": (lambda: starts_at(0, 1), "no valid sparse matrix"),
    "csr with too few values": (lambda: broken(csr(), data=csr().data[:4]), "no valid sparse matrix"),
    "csr with too few starts": (lambda: broken(csr(), indptr=csr().indptr[:4]), "no valid sparse matrix"),
    "csc row too large": (lambda: csc_at(10**6), "no valid sparse matrix"),
    "csc row negative": (lambda: csc_at(-3), "no valid sparse matrix"),
    "bsr column too large": (lambda: bsr_at(10**6), "no valid sparse matrix"),
    "csr starts overflow": (lambda: starts_at(5, -(2**31)), "no valid sparse matrix"),
    "csr starts rise and fall": (lambda: starts_at(4, csr().indptr[6]), "no valid sparse matrix"),
    "csr of other byte order beyond": (
        lambda: broken(csr(), indices=(csr().indices + 3).astype(">i4")),
        "no valid sparse matrix",
    ),
    "csr columns of two dimensions": (lambda: broken(csr(), indices=csr().indices[:, None]), "no valid sparse matrix"),
    "csr values of two dimensions": (lambda: broken(csr(), data=csr().data[:, None]), "no valid sparse matrix"),
    "csr columns missing": (lambda: broken(csr(), indices=None), "no valid sparse matrix"),
    "csr columns a list": (lambda: broken(csr(), indices=csr().indices.tolist()), "no valid sparse matrix"),
    "lil column too large": (lambda: lil_at(2, [0, 10**7], [1.0, 1.0]), "no valid sparse matrix"),
    "lil column negative": (lambda: lil_at(2, [-3], [1.0]), "no valid sparse matrix"),
    "lil with too few values": (lambda: lil_at(2, [0, 1, 2], [1.0]), "no valid sparse matrix"),
    "lil with too few rows": (lambda: broken(csr().tolil(), rows=csr().tolil().rows[:5]), "no valid sparse matrix"),
    "lil with no list": (lambda: lil_at(2, None, [1.0]), "no valid sparse matrix"),
    "dia with too few diagonals": (lambda: dia_of(data=np.ones((1, 3))), "no valid sparse matrix"),
    "dia with diagonals between": (lambda: dia_of(offsets=sp.dia_matrix(X).offsets + 0.5), "no valid sparse matrix"),
    "dok column too large": (lambda: dok_at((0, 10**7)), "no valid sparse matrix"),
    "dok row negative": (lambda: dok_at((-2, 0)), "no valid sparse matrix"),
    "dok with no place": (lambda: dok_at("here"), "no valid sparse matrix"),
    "coo columns missing": (lambda: broken(csr().tocoo(), col=np.zeros(2, np.int32)), "no valid sparse matrix"),
    "csr of a trillion columns": (lambda: wide(2**40), r"1,099,511,627,776 columns .* would take [\d.]+ TB, but only"),
    "csr of too many rows": (lambda: broken(csr(), _shape=(2**40, D)), "at most 2147483647 are supported"),
    "three billion broadcast rows": (lambda: np.broadcast_to(X[0], (3 * 10**9, D)), "X has 3000000000 rows; at most"),
    "csr values masked": (lambda: broken(csr(), data=np.ma.masked_array(csr().data, csr().data > 1)), "holds masked values"),
    "csr columns masked": (
        lambda: broken(csr(), indices=np.ma.masked_array(csr().indices, csr().indices > 1)),
        "holds masked values",
    ),
    "dia values masked": (lambda: dia_of(data=np.ma.masked_greater(sp.dia_matrix(X).data, 1.0)), "holds masked values"),
    "coo row too large": (lambda: coo_at(10**6), "no valid sparse matrix"),
    "coo row negative": (lambda: coo_at(-2), "no valid sparse matrix"),
}

BAD_Y = {
    "none": (lambda: None, "y is missing: give X and y"),
    "a number": (lambda: 1.0, "y must have one dimension"),
    "too short": (lambda: Y[:5], "X has 12 rows but y has 5 values"),
    "too long": (lambda: np.r_[Y, Y], "X has 12 rows but y has 24 values"),
    "empty": (lambda: [], "y has 0 values"),
    "a column": (lambda: Y[:, None], "y must have one dimension, not 2"),
    "ragged": (lambda: [[1, 2], 3] * (N // 2), "y is ragged"),
    "text": (lambda: ["a", "b"] * (N // 2), "y must hold numbers only, not text"),
    "complex": (lambda: Y * 1j, "y must hold numbers only, not complex"),
    "dates": (lambda: pd.date_range("2020", periods=N), "y must hold numbers only, not dates"),
    "objects with none": (lambda: [1.0, None] * (N // 2), "NaN or infinite"),
    "nan": (lambda: changed(Y, 4, np.nan), "y holds 1 values that are NaN or infinite, the first at row 4"),
    "inf": (lambda: changed(Y, 4, np.inf), "NaN or infinite"),
    "masked": (lambda: np.ma.masked_greater(Y, 0.0), "y holds masked values"),
    "sparse": (lambda: sp.csr_matrix(Y[:, None]), "y must be a dense array"),
}

BAD_LABELS = {
    "three classes for two": ("log_loss", lambda: [0, 1, 2] * (N // 3), "needs two classes.*cross_entropy"),
    "real numbers for two classes": ("hinge", lambda: Y, "needs two classes"),
    "one class": ("log_loss", lambda: np.ones(N), "one class only"),
    "one class for hinge": ("hinge", lambda: ["a"] * N, "one class only .'a'."),
    "one class of many": ("cross_entropy", lambda: np.zeros(N, int), "one class only"),
    "nan": ("log_loss", lambda: changed(SIGN.astype(float), 2, np.nan), "NaN"),
    "none": ("log_loss", lambda: np.array(["a", None] * (N // 2), dtype=object), "missing"),
    "object nan": ("log_loss", lambda: np.array([1.0, math.nan] * (N // 2), dtype=object), "missing"),
    "strings with nan": (
        "cross_entropy",
        lambda: np.array(["a", "b", np.nan] * (N // 3), dtype=np.dtypes.StringDType(na_object=np.nan)),
        "missing",
    ),
    "strings with none": ("log_loss", lambda: np.array(["a", None] * 6, np.dtypes.StringDType(na_object=None)), "missing"),
    "dates with nat": ("log_loss", lambda: np.array(["2020-01-01", "NaT"] * (N // 2), "M8[D]"), "missing"),
    "time spans with nat": ("cross_entropy", lambda: np.array([1, 2, "NaT"] * (N // 3), "m8[s]"), "missing"),
    "pandas' missing": ("cross_entropy", lambda: pd.Series(["a", pd.NA] * (N // 2), dtype="object"), "missing"),
    "numbers and text": ("log_loss", lambda: np.array([1, "a"] * (N // 2), dtype=object), "cannot be sorted"),
    "complex": ("cross_entropy", lambda: SIGN * 1j, "complex"),
    "records": ("log_loss", lambda: np.zeros(N, dtype=[("a", int)]), "labels"),
    "text for a real loss": ("huber", lambda: ["yes", "no"] * (N // 2), "numbers only"),
    "a matrix of classes": ("cross_entropy", lambda: np.eye(N)[:, :4], "one dimension"),
}

BAD_WEIGHTS = {
    "too short": (lambda: np.ones(5), r"shape \(12,\), not \(5,\)"),
    "a column": (lambda: np.ones((N, 1)), r"shape \(12,\)"),
    "a number": (lambda: 1.0, r"shape \(12,\)"),
    "negative": (lambda: changed(np.ones(N), 3, -1.0), "≥ 0"),
    "all zero": (lambda: np.zeros(N), "not all 0"),
    "nan": (lambda: changed(np.ones(N), 3, np.nan), "NaN or infinite"),
    "inf": (lambda: changed(np.ones(N), 3, np.inf), "NaN or infinite"),
    "text": (lambda: ["1"] * N, "numbers only"),
    "complex": (lambda: np.ones(N) * 1j, "numbers only"),
    "sparse": (lambda: sp.csr_matrix(np.ones((N, 1))), "dense"),
}

BAD_OPTIONS = [
    ({"learning_rate": 0.0}, "learning_rate must be finite and above 0, not 0.0"),
    ({"learning_rate": -0.1}, "learning_rate must be finite and above 0, not -0.1"),
    ({"learning_rate": math.nan}, "learning_rate must be finite and above 0, not nan"),
    ({"learning_rate": math.inf}, "learning_rate must be finite and above 0, not inf"),
    ({"learning_rate": 10**400}, "learning_rate is a number beyond the largest float"),
    ({"learning_rate": "backtracking", "variant": "batch", "optimizer": "adam"}, "backtracking needs optimizer='gd', not 'adam'"),
    ({"learning_rate": "backtracking", "variant": "stochastic"}, "backtracking needs variant='batch', not 'stochastic'"),
    ({"learning_rate": True}, "True is no schedule"),
    ({"learning_rate": None}, "None is no schedule"),
    ({"learning_rate": [0.1]}, "is no schedule"),
    ({"learning_rate": 1j}, "is no schedule"),
    ({"learning_rate": "fast"}, "unknown schedule 'fast'"),
    ({"learning_rate": "constnt"}, "did you mean 'constant'"),
    ({"learning_rate": gd.schedules.InvScaling(power_t="x")}, "power_t must be a number"),
    ({"learning_rate": gd.schedules.Step(every=0)}, r"every must lie in \[1, inf\)"),
    ({"learning_rate": gd.schedules.Step(every=1.5)}, "every must be a whole number"),
    ({"learning_rate": gd.schedules.Constant(-1.0)}, "learning_rate must lie in"),
    ({"epochs": 0}, "epochs must be at least 1"),
    ({"epochs": -3}, "epochs must be at least 1"),
    ({"epochs": 1.5}, "epochs must be a whole number"),
    ({"epochs": "ten"}, "epochs must be a whole number"),
    ({"epochs": math.nan}, "epochs must be a whole number"),
    ({"epochs": True}, "epochs must be a whole number"),
    ({"epochs": None}, "epochs must be a whole number"),
    ({"batch_size": 0}, "batch_size must be at least 1"),
    ({"batch_size": -32}, "batch_size must be at least 1"),
    ({"batch_size": 2.5}, "batch_size must be a whole number"),
    ({"batch_size": "32"}, "batch_size must be a whole number"),
    ({"batch_size": None}, "batch_size must be a whole number"),
    ({"alpha": -1.0}, "alpha"),
    ({"alpha": math.nan}, "alpha"),
    ({"penalty": "l2", "alpha": math.inf}, "alpha"),
    ({"alpha": "small"}, "alpha must be a number"),
    ({"penalty": gd.penalties.L2(0.1), "alpha": 0.5}, r"alpha=0.5 is for .* but L2\(alpha=0.1\) has its own .* leave alpha out"),
    ({"penalty": gd.penalties.ElasticNet(0.1, 0.5), "l1_ratio": 0.3}, r"l1_ratio=0.3 is for .* leave l1_ratio out"),
    ({"penalty": 3, "alpha": 0.5}, "3 is no penalty"),
    ({"penalty": dict, "alpha": 0.5}, "is no penalty"),
    ({"alpha": True}, "alpha must be a number"),
    ({"l1_ratio": -0.1}, "l1_ratio"),
    ({"l1_ratio": 1.1}, "l1_ratio"),
    ({"variant": "minibatch"}, "unknown variant 'minibatch'; did you mean 'mini-batch'"),
    ({"variant": None}, "unknown variant"),
    ({"variant": ["batch"]}, "unknown variant"),
    ({"optimizer": "adamm"}, "did you mean 'adam'"),
    ({"optimizer": "Adam"}, "did you mean 'adam'"),
    ({"optimizer": ""}, "unknown optimizer"),
    ({"optimizer": None}, "None is no optimizer"),
    ({"optimizer": 3}, "3 is no optimizer"),
    ({"optimizer": dict}, "is no optimizer"),
    ({"optimizer": gd.losses.Huber()}, "is no optimizer"),
    ({"optimizer": gd.optimizers.Adam(beta1=1.0)}, r"beta1 must lie in \[0, 1\), not 1.0"),
    ({"optimizer": gd.optimizers.Adam(beta2=-0.1)}, "beta2 must lie in"),
    ({"optimizer": gd.optimizers.Adam(eps=-1e-8)}, "eps must lie in"),
    ({"optimizer": gd.optimizers.Adam(eps=math.nan)}, "eps must lie in"),
    ({"optimizer": gd.optimizers.Adam(beta1="0.9")}, "beta1 must be a number"),
    ({"optimizer": gd.optimizers.Adam(beta1=None)}, "beta1 must be a number"),
    ({"optimizer": gd.optimizers.Adam(beta1=True)}, "beta1 must be a number"),
    ({"optimizer": gd.optimizers.RMSprop(centred=1)}, "centred must be True or False"),
    ({"optimizer": gd.optimizers.Averaged(rule="adamm")}, "did you mean 'adam'"),
    ({"optimizer": gd.optimizers.Clipped(norm=0.0)}, "norm must lie in"),
    ({"loss": "mse"}, "unknown loss 'mse'"),
    ({"loss": None}, "None is no loss"),
    ({"loss": abs}, "is no loss"),
    ({"loss": gd.losses.Huber(epsilon=-1.0)}, "epsilon must lie in"),
    ({"loss": gd.losses.Huber(epsilon=math.inf)}, "epsilon must lie in"),
    ({"loss": gd.losses.Pinball(quantile=1.0)}, "quantile must lie in"),
    ({"penalty": "ridge"}, "unknown penalty 'ridge'"),
    ({"penalty": 3}, "3 is no penalty"),
    ({"penalty": gd.penalties.L2(-1.0)}, "alpha must lie in"),
    ({"penalty": gd.penalties.ElasticNet(0.1, 2.0)}, "l1_ratio must lie in"),
    ({"shuffle": "random"}, "unknown shuffle 'random'"),
    ({"shuffle": None}, "unknown shuffle"),
    ({"shuffle": True}, "unknown shuffle"),
    ({"shuffle": ["epoch"]}, "unknown shuffle"),
    ({"seed": -1}, "seed"),
    ({"seed": 2**32}, "seed"),
    ({"seed": 1.5}, "seed must be a whole number"),
    ({"seed": None}, "seed must be a whole number"),
    ({"tol": -1e-3}, "tol"),
    ({"tol": math.nan}, "tol"),
    ({"tol": "1e-3"}, "tol must be a number"),
    ({"fit_intercept": "yes"}, "fit_intercept must be True or False"),
    ({"fit_intercept": 1}, "fit_intercept must be True or False"),
    ({"fit_intercept": None}, "fit_intercept must be True or False"),
    ({"record": 1}, "record must be in .2, "),
    ({"record": "all"}, "record must be a whole number"),
    ({"threads": 0}, "threads"),
    ({"threads": 2.0}, "threads must be a whole number"),
    ({"time_limit": -1.0}, "time_limit"),
    ({"time_limit": math.nan}, "time_limit"),
    ({"model": "tree"}, "unknown model 'tree'"),
    ({"model": None}, "unknown model"),
    ({"model": gd.MLP(hidden=0)}, "hidden must lie in"),
    ({"model": gd.MLP(hidden=2.5)}, "hidden must be a whole number"),
    ({"model": gd.MLP(activation="step")}, "unknown activation 'step'"),
    ({"lr": 0.1}, "unknown option 'lr'"),
    ({"batchsize": 8}, "unknown option 'batchsize'; did you mean 'batch_size'"),
]

BAD_RATES = [
    ([], "empty"),
    (np.array([]), "empty"),
    (0.1, "must be a list of numbers"),
    (None, "must be a list of numbers"),
    ("abc", "learning_rate"),
    ([0.1, 0.0], "above 0"),
    ([0.1, -1.0], "learning_rate must be finite and above 0, not -1.0"),
    ([0.1, math.nan], "learning_rate"),
    ([math.inf], "finite"),
    ([[0.1]], "learning_rate must be a number"),
    ([True], "learning_rate must be a number"),
    ([None, 0.1], "learning_rate must be a number"),
    ([1j], "learning_rate must be a number"),
]


def refused(message, function, *arguments, **options):
    """Check that the call raises one line that says what is wrong."""
    with pytest.raises(gd.GdbenchError, match=message) as caught:
        function(*arguments, **options)
    text = str(caught.value)
    assert text and "\n" not in text, text
    assert len(text) < 600, text


def sweep(X, y, **options):
    return gd.sweep(X, y, learning_rates=[0.1, 0.01], **options)


DESCENTS = pytest.mark.parametrize("descend", [gd.fit, sweep], ids=["fit", "sweep"])


@DESCENTS
@pytest.mark.parametrize("label", BAD_X)
def test_bad_rows(descend, label):
    make, message = BAD_X[label]
    refused(message, descend, make(), Y)


@DESCENTS
@pytest.mark.parametrize("label", BAD_Y)
def test_bad_target(descend, label):
    make, message = BAD_Y[label]
    refused(message, descend, X, make())


def test_target_too_large_for_float32():
    refused("too large for float32", gd.fit, X.astype(np.float32), Y * 1e300)


@DESCENTS
@pytest.mark.parametrize("label", BAD_LABELS)
def test_bad_labels(descend, label):
    loss, make, message = BAD_LABELS[label]
    refused(message, descend, X, make(), loss=loss)


def test_a_real_target_is_no_thousand_classes():
    X, y = np.ones((2000, 1)), np.linspace(0.0, 1.0, 2000)
    refused("real target", gd.fit, X, y, loss="cross_entropy")


@DESCENTS
@pytest.mark.parametrize("label", BAD_WEIGHTS)
def test_bad_sample_weights(descend, label):
    make, message = BAD_WEIGHTS[label]
    refused(message, descend, X, Y, sample_weight=make())


@DESCENTS
@pytest.mark.parametrize(("options", "message"), BAD_OPTIONS, ids=lambda part: str(part)[:60])
def test_bad_options(descend, options, message):
    refused(message, descend, X, Y, **options)


@pytest.mark.parametrize(("rates", "message"), BAD_RATES, ids=lambda part: str(part)[:40])
def test_bad_learning_rates(rates, message):
    refused(message, gd.sweep, X, Y, learning_rates=rates)


WELL = gd.Landscape(lambda x: float(x @ x), lambda x: 2 * x)


def failing(x):
    return 1 // 0


BAD_MINIMIZE = {
    "unknown landscape": (("rosenbrok",), {}, "unknown landscape 'rosenbrok'; did you mean 'rosenbrock'"),
    "no landscape": ((None,), {}, "None is no landscape"),
    "a number": ((3, [1.0]), {}, "3 is no landscape"),
    "a function": ((failing, [1.0]), {}, "is no landscape"),
    "no functions": ((gd.Landscape(1, 2), [1.0]), {}, "two functions"),
    "no start": ((WELL,), {}, "x0 is needed"),
    "an empty start": (("parabola", []), {}, "at least one value"),
    "a start of two dimensions": (("parabola", [[1.0]]), {}, "one dimension"),
    "too many dimensions": (("beale", [1.0, 2.0, 3.0]), {}, "has 2 dimensions, but x0 has 3"),
    "too few dimensions": (("rosenbrock", [1.0]), {}, "at least 2 dimensions"),
    "nan start": (("parabola", [math.nan]), {}, "NaN or infinite"),
    "inf start": (("parabola", [math.inf]), {}, "NaN or infinite"),
    "text start": (("parabola", "x"), {}, "numbers only"),
    "complex start": (("parabola", [1j]), {}, "numbers only"),
    "ragged start": (("parabola", [[1.0], [1.0, 2.0]]), {}, "ragged"),
    "unknown optimizer": (("parabola",), {"optimizer": "sgd"}, "unknown optimizer 'sgd'"),
    "unknown field": (("parabola",), {"optimizer": "momentum", "betta": 0.9}, "'betta'; did you mean 'beta'"),
    "unknown field of gd": (("parabola",), {"beta": 0.9}, "unknown field of optimizer gd 'beta'"),
    "unknown field of a tag": (("parabola", [1.0], gd.optimizers.Momentum()), {"betta": 0.9}, "'betta'"),
    "unknown field of a class": (("parabola", [1.0], gd.optimizers.Momentum), {"betta": 0.9}, "'betta'"),
    "field out of range": (("parabola",), {"optimizer": "momentum", "beta": 1.5}, "beta must lie in"),
    "landscape field out of range": (("quadratic",), {"condition": 0.5}, "condition must lie in"),
    "landscape field of text": (("rosenbrock",), {"b": "steep"}, "b must be a number"),
    "zero rate": (("parabola",), {"learning_rate": 0.0}, "learning_rate"),
    "negative rate": (("parabola",), {"learning_rate": -0.1}, "learning_rate"),
    "nan rate": (("parabola",), {"learning_rate": math.nan}, "learning_rate"),
    "rate of text": (("parabola",), {"learning_rate": "big"}, "unknown schedule"),
    "a schedule that needs data": (("parabola",), {"learning_rate": "adaptive"}, "adaptive"),
    "a line search": (("parabola",), {"learning_rate": "backtracking"}, "backtracking"),
    "negative steps": (("parabola",), {"steps": -1}, "steps must be"),
    "half a step": (("parabola",), {"steps": 0.5}, "steps must be a whole number"),
    "too many steps": (("parabola",), {"steps": 10**15}, "steps must be in"),
    "negative tol": (("parabola",), {"tol": -1.0}, "tol"),
    "nan tol": (("parabola",), {"tol": math.nan}, "tol"),
    "negative noise": (("parabola",), {"noise": -1.0}, "noise"),
    "infinite noise": (("parabola",), {"noise": math.inf}, "noise"),
    "negative seed": (("parabola",), {"noise": 1.0, "seed": -1}, "seed"),
    "value returns two numbers": ((gd.Landscape(lambda x: x, lambda x: x), [1.0, 2.0]), {}, "must return one number"),
    "value returns none": ((gd.Landscape(lambda x: None, lambda x: x), [1.0]), {}, "must return one number"),
    "value returns complex": ((gd.Landscape(lambda x: 1j, lambda x: x), [1.0]), {}, "must return one number"),
    "value returns text": ((gd.Landscape(lambda x: "1", lambda x: x), [1.0]), {}, "must return one number"),
    "gradient is short": ((gd.Landscape(lambda x: 1.0, lambda x: x[:1]), [1.0, 2.0]), {}, "must return 2 numbers"),
    "gradient is ragged": ((gd.Landscape(lambda x: 1.0, lambda x: [[1], [1, 2]]), [1.0]), {}, "gradient"),
    "gradient is none": ((gd.Landscape(lambda x: 1.0, lambda x: None), [1.0]), {}, "must return one number"),
    "value fails": ((gd.Landscape(failing, lambda x: x), [1.0]), {}, "value.x. raised ZeroDivisionError"),
    "gradient fails": ((gd.Landscape(lambda x: 1.0, failing), [1.0]), {}, "gradient.x. raised ZeroDivisionError"),
}


@pytest.mark.parametrize("label", BAD_MINIMIZE)
def test_bad_minimize(label):
    arguments, options, message = BAD_MINIMIZE[label]
    refused(message, gd.minimize, *arguments, **options)


G = np.ones((4, 2))
BAD_REPLAY = {
    "unknown optimizer": (("sgd", [1.0, 2.0], G, 0.1), "unknown optimizer"),
    "no optimizer": ((None, [1.0, 2.0], G, 0.1), "is no optimizer"),
    "no start": (("gd", None, G, 0.1), "x0 is needed"),
    "start too short": (("gd", [1.0], G, 0.1), r"shape \(steps, 1\), not \(4, 2\)"),
    "nan start": (("gd", [1.0, math.nan], G, 0.1), "NaN or infinite"),
    "text start": (("gd", ["a", "b"], G, 0.1), "numbers only"),
    "no gradients": (("gd", [1.0, 2.0], None, 0.1), "gradients"),
    "gradients of one dimension": (("gd", [1.0, 2.0], G[0], 0.1), r"shape \(steps, 2\), not \(2,\)"),
    "gradients of three dimensions": (("gd", [1.0, 2.0], G[None], 0.1), "shape"),
    "nan gradient": (("gd", [1.0, 2.0], changed(G, (1, 1), np.nan), 0.1), "first at row 1, column 1"),
    "inf gradient": (("gd", [1.0, 2.0], changed(G, (1, 1), np.inf), 0.1), "NaN or infinite"),
    "complex gradients": (("gd", [1.0, 2.0], G * 1j, 0.1), "numbers only"),
    "ragged gradients": (("gd", [1.0, 2.0], [[1.0], [1.0, 2.0]], 0.1), "ragged"),
    "sparse gradients": (("gd", [1.0, 2.0], sp.csr_matrix(G), 0.1), "dense"),
    "zero rate": (("gd", [1.0, 2.0], G, 0.0), "learning_rate"),
    "negative rate": (("gd", [1.0, 2.0], G, -0.1), "learning_rate"),
    "no rate": (("gd", [1.0, 2.0], G, None), "is no schedule"),
    "a schedule that listens": (("gd", [1.0, 2.0], G, "adaptive"), "adaptive"),
    "a rule with a memory of rows": (("saga", [1.0, 2.0], G, 0.1), "saga"),
}


@pytest.mark.parametrize("label", BAD_REPLAY)
def test_bad_replay(label):
    arguments, message = BAD_REPLAY[label]
    refused(message, gd.replay, *arguments)


# What is unusual and yet defined -------------------------------------------------------------------------------------


def once(X, y=Y, **options):
    result = gd.fit(X, y, **(QUICK | options))
    assert result.status in ("converged", "budget", "diverged", "timeout")
    if result.status != "diverged":
        assert np.isfinite(result.coef).all() and np.isfinite(result.intercept).all()
        assert np.isfinite(result.objective)
    return result


def duplicated():
    """X with each value stored as two halves."""
    matrix = sp.csr_matrix(X)
    parts = np.repeat(matrix.data / 2, 2), np.repeat(matrix.indices, 2), matrix.indptr * 2
    return sp.csr_matrix(parts, shape=X.shape)


def unsorted():
    matrix = sp.csr_matrix(X)
    rows = np.arange(N)[:, None] * D + np.arange(D)[::-1]
    return sp.csr_matrix((matrix.data[rows.ravel()], matrix.indices[rows.ravel()], matrix.indptr), shape=X.shape)


def falsely_canonical():
    matrix = duplicated()
    matrix.has_canonical_format = True
    return matrix


def unaligned():
    buffer = np.zeros(X.nbytes + 1, np.uint8)
    view = buffer[1:].view(np.float64).reshape(X.shape)
    view[...] = X
    return view


SAME_ROWS = {
    "lists": lambda: X.tolist(),
    "tuples": lambda: tuple(map(tuple, X)),
    "fortran order": lambda: np.asfortranarray(X),
    "a view": lambda: np.repeat(X, 2, axis=0)[::2],
    "other byte order": lambda: X.astype(">f8"),
    "off the boundaries of its type": unaligned,
    "a field of records": lambda: np.rec.fromarrays([np.zeros((N, D), np.int8), X], names="flag,value")["value"],
    "objects": lambda: X.astype(object),
    "decimals": lambda: [[Decimal(value) for value in row] for row in X.tolist()],
    "fractions": lambda: [[Fraction(value) for value in row] for row in X.tolist()],
    "a matrix": lambda: X.view(np.matrix),
    "a frame": lambda: pd.DataFrame(X, columns=list("abc")),
    "unmasked": lambda: np.ma.masked_array(X),
    "read-only": lambda: np.frombuffer(X.tobytes()).reshape(X.shape),
}


def strided(matrix):
    """The same matrix, its arrays every second place of longer ones."""
    return broken(matrix, **{name: np.repeat(getattr(matrix, name), 2)[::2] for name in ("data", "indices", "indptr")})


def fields_of_records():
    """A CSR whose values and columns are the fields of one array: strided, and off the boundaries of their type."""
    matrix = csr()
    records = np.zeros(matrix.nnz, dtype=[("flag", np.int8), ("value", np.float64), ("column", np.int32)])
    records["value"], records["column"] = matrix.data, matrix.indices
    return broken(matrix, data=records["value"], indices=records["column"])


def typed(matrix, **types):
    return broken(matrix, **{name: getattr(matrix, name).astype(dtype) for name, dtype in types.items()})


# X with a column of zeros, so that nothing is stored for some places.
SAME_CSR = {
    "columns of other byte order": lambda: typed(csr(), indices=">i4"),
    "starts of other byte order": lambda: typed(csr(), indptr=">i8"),
    "values of other byte order": lambda: typed(csr(), data=">f8"),
    "all of other byte order": lambda: typed(csr(), data=">f8", indices=">i8", indptr=">i4"),
    "short columns": lambda: typed(csr(), indices=np.int8, indptr=np.uint16),
    "long columns": lambda: typed(csr(), indices=np.int64, indptr=np.int64),
    "columns longer than starts": lambda: typed(csr(), indices=np.int64),
    "unsigned": lambda: typed(csr(), indices=np.uint64, indptr=np.uint64),
    "values unmasked": lambda: broken(csr(), data=np.ma.masked_array(csr().data)),
    "strided": lambda: strided(csr()),
    "the real part of complex": lambda: (csr() * (1 + 2j)).real,
    "fields of records": fields_of_records,
    "strided csc": lambda: strided(csr().tocsc()),
    "csc of other byte order": lambda: typed(csr().tocsc(), indices=">i4"),
    "bsr of other byte order": lambda: typed(csr().tobsr((2, 3)), data=">f8", indices=">i4"),
    "coo of other byte order": lambda: broken(csr().tocoo(), row=csr().tocoo().row.astype(">i8")),
    "dia": lambda: csr().todia(),
    "dia array of other byte order": lambda: typed(sp.dia_array(csr()), data=">f8", offsets=">i4"),
    "lil array": lambda: sp.lil_array(csr()),
    "more room than values": lambda: broken(csr(), data=np.r_[csr().data, 7.0], indices=np.r_[csr().indices, np.int32(10**6)]),
}

SAME_SPARSE = {
    "csr array": lambda: sp.csr_array(X),
    "csc": lambda: sp.csc_matrix(X),
    "coo": lambda: sp.coo_matrix(X),
    "lil": lambda: sp.lil_matrix(X),
    "dok": lambda: sp.dok_array(X),
    "bsr": lambda: sp.bsr_matrix(X, blocksize=(2, 3)),
    "duplicates": duplicated,
    "unsorted": unsorted,
    "duplicates under a false flag": falsely_canonical,
}


@pytest.mark.parametrize("label", SAME_ROWS)
def test_rows_in_another_dress_give_the_same_bits(label):
    expected, found = once(X), once(SAME_ROWS[label]())
    np.testing.assert_array_equal(found.coef, expected.coef)
    assert found.intercept == expected.intercept


@pytest.mark.parametrize("label", SAME_SPARSE)
def test_sparse_rows_in_another_dress_give_the_same_bits(label):
    given = SAME_SPARSE[label]()
    before = given.copy()
    expected, found = once(sp.csr_matrix(X)), once(given)
    np.testing.assert_allclose(found.coef, expected.coef, rtol=0, atol=1e-15)
    assert (given != before).nnz == 0 and given.nnz == before.nnz  # the caller's matrix is as it was


def test_sparse_rows_may_be_empty():
    result = once(sp.csr_matrix((N, D)))
    assert (result.coef == 0).all() and result.intercept != 0


def test_sparse_values_past_the_last_start_are_ignored():
    matrix = sp.csr_matrix(X)
    longer = sp.csr_matrix(X)
    longer.data, longer.indices = np.r_[matrix.data, np.nan], np.r_[matrix.indices, 99].astype(np.int32)
    np.testing.assert_array_equal(once(longer).coef, once(matrix).coef)


@pytest.mark.parametrize("dtype", [bool, np.int8, np.uint64, np.float16, np.longdouble])
def test_other_numbers_become_float64(dtype):
    values = np.abs(X * 3).astype(dtype)
    result = once(values)
    assert result.coef.dtype == np.float64
    np.testing.assert_array_equal(result.coef, once(values.astype(np.float64)).coef)


def test_a_batch_larger_than_the_rows_is_all_rows():
    larger, batch = once(X, batch_size=10**9), once(X, variant="batch")
    np.testing.assert_allclose(larger.coef, batch.coef, rtol=1e-12)
    assert larger.n_updates == batch.n_updates == 2


def test_one_row():
    result = once(X[:1], Y[:1], epochs=3)
    assert result.n_updates == 3 and result.objective < 0.5 * Y[0] ** 2


def test_constant_and_zero_columns():
    result = once(np.c_[np.ones(N), np.zeros(N), np.ones(N)])
    assert result.coef[0] == result.coef[2] and result.coef[1] == 0


def test_constant_target_is_reached_by_the_intercept():
    result = once(X, np.full(N, 7.0), epochs=4000, learning_rate=0.1, tol=1e-14)
    assert result.status == "converged" and result.intercept == pytest.approx(7.0, abs=1e-5)


HUGE = {
    "rows": lambda: once(X * 1e200),
    "rows near the largest float": lambda: once(X * 1e307),
    "target": lambda: once(X, Y * 1e200),
    "rate": lambda: once(X, learning_rate=1e300),
    "rate past all": lambda: once(X, learning_rate=1.7e308),
    "penalty": lambda: once(X, penalty="l2", alpha=1e300, epochs=20),
    "float32 rate": lambda: once(X.astype(np.float32), learning_rate=1e200),
    "float32 rows": lambda: once((X * 1e30).astype(np.float32)),
}


@pytest.mark.parametrize("label", HUGE)
def test_huge_numbers_diverge_without_a_warning(label):
    result = HUGE[label]()
    assert result.status == "diverged" and result.reason


TINY = {
    "rows": lambda: once(X * 1e-300),
    "target": lambda: once(X, Y * 1e-300),
    "rate": lambda: once(X, learning_rate=5e-324),
    "tol": lambda: once(X, tol=5e-324),
}


@pytest.mark.parametrize("label", TINY)
def test_tiny_numbers_are_a_spent_budget(label):
    assert TINY[label]().status == "budget"


@pytest.mark.parametrize("scale", [1e-320, 1e-300, 1.0, 1e300, 1.7e308])
def test_sample_weights_count_by_their_shares(scale):
    shares = np.r_[0.0, np.full(N - 2, 0.5), 1.0]
    found, expected = once(X, sample_weight=shares * scale), once(X, sample_weight=shares)
    np.testing.assert_allclose(found.coef, expected.coef, rtol=1e-3 if scale < 1e-307 else 1e-12)


def test_options_may_be_numpy_numbers():
    given = {"learning_rate": np.float32(0.5), "epochs": np.int64(2), "seed": np.uint8(3), "tol": np.float64(0.0)}
    np.testing.assert_array_equal(once(X, **given).coef, once(X, learning_rate=0.5, epochs=2, seed=3, tol=0.0).coef)


def test_a_whole_rate_is_a_rate():
    np.testing.assert_array_equal(once(X, learning_rate=1).coef, once(X, learning_rate=1.0).coef)


@pytest.mark.parametrize("labels", [[False, True], ["no", "yes"], [-3.5, 2.0], [7, 9]], ids=str)
def test_any_two_labels_are_two_classes(labels):
    result = once(X, np.where(SIGN > 0, labels[1], labels[0]), loss="log_loss")
    assert list(result.classes) == labels
    np.testing.assert_array_equal(result.coef, once(X, SIGN, loss="log_loss").coef)
    assert (X @ result.coef) @ SIGN > 0  # a step from 0 is towards the larger label


def test_no_time_is_a_timeout():
    assert once(X, time_limit=0.0, epochs=50).status == "timeout"


PATHS = {
    "a rate too high": (("parabola", [1.0], "gd", 1.5), {"steps": 5000}),
    "a start too far": (("rosenbrock", [1e60, 1.0]), {}),
    "huge noise": (("himmelblau",), {"noise": 1e200}),
    "python overflows": ((gd.Landscape(lambda x: math.exp(x[0] ** 2), lambda x: [-math.exp(x[0])]), [9.0]), {}),
    "value is nan": ((gd.Landscape(lambda x: math.nan, lambda x: x), [1.0]), {}),
    "gradient is nan": ((gd.Landscape(lambda x: 1.0, lambda x: x * math.nan), [1.0]), {}),
}


@pytest.mark.parametrize("label", PATHS)
def test_paths_that_leave_have_diverged(label):
    arguments, options = PATHS[label]
    path = gd.minimize(*arguments, **options)
    assert path.status == "diverged" and path.reason and path.reached is None


def test_no_steps_are_a_path_of_one_point():
    path = gd.minimize("parabola", [3.0], steps=0)
    assert path.x.tolist() == [[3.0]] and path.value.tolist() == [9.0] and path.status == "budget"
    assert gd.replay("gd", [1.0, 2.0], np.empty((0, 2)), 0.1).tolist() == [[1.0, 2.0]]


def test_replayed_overflow_is_infinite_without_a_warning():
    assert np.isinf(gd.replay("gd", [1.0], [[1e308], [1e308]], 10.0)[-1]).all()


@pytest.mark.parametrize("label", SAME_CSR)
def test_the_arrays_of_a_sparse_matrix_may_be_of_any_kind(label):
    np.testing.assert_array_equal(once(SAME_CSR[label]()).coef, once(csr()).coef)


ESTIMATORS = {
    "online": gd.GDRegressor(random_state=0, max_iter=2, tol=None),
    "batches": gd.GDRegressor(random_state=0, max_iter=2, tol=None, batch_size=4),
}
UNSOUND = [label for label in BAD_X if label.startswith(("csr ", "csc ", "bsr ", "lil ", "dia ", "dok ", "coo "))]
PASSES = ("fit", "partial_fit", "predict")


@pytest.mark.parametrize("label", UNSOUND)
@pytest.mark.parametrize("name", ESTIMATORS)
def test_estimators_refuse_unsound_rows(name, label):
    fitted = clone(ESTIMATORS[name]).fit(csr(), Y)
    for method in PASSES:
        if label == "csr of a trillion columns" and method != "fit":
            continue  # scikit-learn's count of features refuses them
        target = () if method == "predict" else (Y,)
        model = fitted if method == "predict" else clone(fitted)
        with pytest.raises(ValueError) as caught:
            getattr(model, method)(BAD_X[label][0](), *target)
        assert "\n" not in str(caught.value)


#: scikit-learn's estimators take columns of 32 bits only, in whatever byte order.
LONG = ("starts of other", "all of other", "long columns", "columns longer", "unsigned")


@pytest.mark.parametrize("label", [label for label in SAME_CSR if not label.startswith(LONG)])
@pytest.mark.parametrize("name", ESTIMATORS)
def test_estimators_take_sparse_rows_of_any_kind(name, label):
    found = clone(ESTIMATORS[name]).fit(SAME_CSR[label](), Y)
    np.testing.assert_array_equal(found.coef_, clone(ESTIMATORS[name]).fit(csr(), Y).coef_)


@pytest.mark.parametrize("method", ["fit", "partial_fit"])
@pytest.mark.parametrize(
    "label", [label for label in BAD_LABELS if any(word in label for word in ("nan", "none", "nat", "missing"))]
)
def test_estimators_refuse_missing_labels(label, method):
    y = BAD_LABELS[label][1]()
    classes = {"classes": ["a", "b"]} if method == "partial_fit" else {}
    with pytest.raises(ValueError) as caught:
        getattr(gd.GDClassifier(), method)(X, y, **classes)
    assert "missing" in str(caught.value) or "NaN" in str(caught.value)


BAD_STARTS = {
    "too short": np.zeros(D - 1),
    "too long": np.zeros(D + 1),
    "empty": np.zeros(0),
    "too wide": np.zeros((2, D)),
    "complex": np.zeros(D, complex),
    "text": np.array(["1"] * D),
}


@pytest.mark.parametrize("label", BAD_STARTS)
@pytest.mark.parametrize("name", ESTIMATORS)
def test_estimators_refuse_weights_that_do_not_fit(name, label):
    for fit in ("partial_fit", "fit"):
        model = clone(ESTIMATORS[name]).set_params(warm_start=True).fit(X, Y)
        model.coef_ = BAD_STARTS[label]
        with pytest.raises((ValueError, TypeError)):
            getattr(model, fit)(X, Y)


@pytest.mark.parametrize("kind", ["other byte order", "strided", "read-only"])
@pytest.mark.parametrize("name", ESTIMATORS)
def test_estimators_go_on_from_weights_of_any_kind(name, kind):
    model, other = (clone(ESTIMATORS[name]).fit(X, Y) for _ in range(2))
    coef = model.coef_.copy()
    coef.flags.writeable = False
    made = {"other byte order": coef.astype(">f8"), "strided": np.repeat(coef, 2)[::2], "read-only": coef}
    model.coef_ = made[kind]
    np.testing.assert_array_equal(model.partial_fit(X, Y).coef_, other.partial_fit(X, Y).coef_)


class Schedule(NamedTuple):
    """A user's schedule whose factors are any array."""

    learning_rate: float = 0.1
    shape: str = "sound"

    def factor(self, t):
        return FACTORS[self.shape](t)


FACTORS = {
    "sound": lambda t: 1.0 / t,
    "one number": lambda t: 0.5,
    "too short": lambda t: np.ones(max(0, t.size - 1)),
    "too long": lambda t: np.ones(t.size + 1),
    "two dimensions": lambda t: np.ones((t.size, 1)),
    "none": lambda t: None,
    "text": lambda t: np.full(t.shape, "1"),
    "complex": lambda t: np.ones(t.shape, complex),
    "objects": lambda t: np.ones(t.shape, object),
    "nan": lambda t: np.where(t == 2, np.nan, 1.0),
    "infinite": lambda t: t * np.inf,
    "failing": lambda t: t[10**6],
    "broadcast": lambda t: np.broadcast_to(1.0, t.shape),
    "strided": lambda t: np.repeat(1.0 / t, 2)[::2],
    "other byte order": lambda t: (1.0 / t).astype(">f8"),
    "whole numbers": lambda t: np.ones(t.shape, int),
    "short floats": lambda t: np.ones(t.shape, np.float32),
    "a list": lambda t: (1.0 / t).tolist(),
}
REFUSED_FACTORS = list(FACTORS)[1:12]


@pytest.mark.parametrize("label", REFUSED_FACTORS)
def test_factors_that_are_no_rates_are_refused(label):
    schedule = Schedule(shape=label)
    refused("schedule", gd.fit, X, Y, learning_rate=schedule, variant="batch", epochs=9)
    refused("schedule", gd.replay, "gd", [1.0, 2.0], G, schedule)


@pytest.mark.parametrize("label", [label for label in FACTORS if label not in REFUSED_FACTORS])
def test_factors_may_be_arrays_of_any_kind(label):
    given = gd.fit(X, Y, learning_rate=Schedule(shape=label), variant="batch", epochs=9)
    plain = {"learning_rate": "constant"} if label in ("broadcast", "whole numbers", "short floats") else {}
    expected = gd.fit(X, Y, **({"learning_rate": 0.1} if plain else {"learning_rate": Schedule()}), variant="batch", epochs=9)
    np.testing.assert_array_equal(given.coef, expected.coef)


TOO_LARGE = {
    "columns": (lambda: gd.fit(wide(10**7), Y), "gd for 1 model of 10,000,001 weights, from 10,000,000 columns"),
    "rates": (lambda: gd.sweep(wide(10**6), Y, learning_rates=[0.1] * 9), "9 models"),
    "classes": (lambda: gd.fit(wide(10**6), range(N), loss="cross_entropy"), "of 12,000,012 weights"),
    "optimizer's state": (lambda: gd.fit(wide(10**6), Y, optimizer="adam", learning_rate=0.1), "mini-batch adam"),
    "units": (lambda: gd.fit(X, Y, model=gd.MLP(hidden=10**12)), "mini-batch gd for 1 model"),
    "memory of rows": (
        lambda: gd.sweep(np.ones((10**6, 1)), np.ones(10**6), optimizer="saga", variant="stochastic", learning_rates=[0.1] * 8),
        "stochastic saga for 8 models",
    ),
    "a copy": (lambda: gd.fit(np.broadcast_to(1.0, (10**7, 1)), np.ones(10**7)), r"X, of shape \(10000000, 1\)"),
    "a target": (lambda: gd.fit(np.ones((10**7, 1), np.float32), np.broadcast_to(1.0, 10**7)), "y, of shape"),
    "rows of coo": (lambda: gd.fit(sp.coo_array((10**8, 1)), np.zeros(1)), "where each of the 100,000,000 rows of X starts"),
    "a path": (lambda: gd.minimize("parabola", steps=10**7), "a path of 10,000,000 steps in 1 dimensions"),
    "weights": (lambda: gd.GDRegressor(tol=None).fit(wide(10**8), Y), "weights of 1 outputs for 100,000,000 columns"),
    "weights of classes": (lambda: gd.GDClassifier().fit(wide(10**7), range(N)), "weights of 12 outputs for 10,000,000 columns"),
}


@pytest.mark.parametrize("label", TOO_LARGE)
def test_what_cannot_fit_is_refused_before_it_is_allocated(label, monkeypatch):
    monkeypatch.setattr(memory, "available", lambda: 70 << 20)
    monkeypatch.setattr(memory, "SMALL", 1 << 20)
    if label in ("rates", "optimizer's state", "memory of rows"):
        monkeypatch.setattr(memory, "available", lambda: 40 << 20)
    make, message = TOO_LARGE[label]
    refused(f"{message}.* would take .* but only .* of memory are available", make)


def test_what_nobody_foresaw_is_one_line_too(monkeypatch):
    def no_memory(*_):
        raise MemoryError("Unable to allocate 8.00 TiB\nfor an array")

    monkeypatch.setattr("gdbench.solve.fit.make_task", no_memory)
    refused("does not fit in memory: Unable to allocate 8.00 TiB for an array", gd.fit, X, Y)


def test_a_sweep_on_threads_checks_and_copies_its_rows_once(monkeypatch):
    seen = []
    checked = inputs.as_rows
    monkeypatch.setattr(inputs, "as_rows", lambda X: seen.append(1) or checked(X))
    rates = np.geomspace(1e-3, 1e-1, 40)
    for shuffle in ("epoch", "once"):
        seen.clear()
        alone, several = (gd.sweep(X.tolist(), Y, learning_rates=rates, shuffle=shuffle, threads=t, **QUICK) for t in (1, 3))
        assert len(seen) == 2
        np.testing.assert_array_equal(alone.coef, several.coef)


def test_memory_is_that_of_the_machine_or_what_a_limit_leaves():
    resource = pytest.importorskip("resource")
    free = memory.available()
    assert 0 < free < 1 << 50
    before = resource.getrlimit(resource.RLIMIT_AS)
    used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    try:
        resource.setrlimit(resource.RLIMIT_AS, (used + (300 << 20), before[1]))
        assert memory.available() <= 300 << 20
    finally:
        resource.setrlimit(resource.RLIMIT_AS, before)
