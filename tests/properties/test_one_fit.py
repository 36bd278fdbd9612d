"""One fit, however its rows are stored, cut into pieces or interrupted: over the product of all that an estimator takes."""

import itertools
import pickle
import random
import zlib

import numpy as np
import pytest
from pairs import pairwise
from scipy import sparse

from gdbench.estimators import GDClassifier

N, D, EPOCHS = 24, 8, 3

AXES = {
    "loss": ("log_loss", "hinge", "modified_huber"),
    "penalty": ("l2", None, "l1", "elasticnet"),
    "optimizer": ("gd", "momentum", "rmsprop", "adam"),
    "learning_rate": ("constant", "invscaling", "optimal", "adaptive"),
    "average": (False, 5),
    "dtype": ("float64", "float32"),
    "batch_size": (1, 7, N),
    "tol": (None, 1e-2),
    "strength": (0.01, 1.0, 3.0),  # the first rate times alpha
}

#: What the loops over sparse rows that put work off take; few cases of all have it by chance.
SCALED = AXES | {"loss": ("log_loss",), "penalty": ("l2", None), "optimizer": ("gd",), "average": (False,), "batch_size": (1,)}
LAZY = AXES | {
    "loss": ("hinge",),
    "penalty": (None,),
    "optimizer": ("momentum", "rmsprop"),
    "learning_rate": ("constant", "adaptive"),
    "average": (False,),
    "batch_size": (1,),
    "strength": (0.01,),
}
#: What compiles soon enough for every run of the tests.
SAMPLE = AXES | {"loss": ("log_loss",), "penalty": ("l2", "l1", "elasticnet"), "optimizer": ("gd", "rmsprop", "adam")}

MORE_OPTIMIZERS = ("nesterov", "adagrad", "svrg")

#: Of the largest coefficient. In float32 each of 72 steps rounds by 6e-8, which momentum (β = 0.9) multiplies by 10.
TOLERANCE = {"float64": 1e-10, "float32": 1e-4}


def is_valid(case):
    """Plain descent a row at a time is scikit-learn's own, but of a softmax; SVRG takes single rows and a smooth penalty."""
    if case["optimizer"] == "svrg":
        return case["batch_size"] == 1 and case["penalty"] in ("l2", None)
    return case["loss"] == "log_loss" or case["optimizer"] != "gd" or case["batch_size"] > 1


def compiled_cases():
    """Every combination that is compiled by itself, the other axes drawn anew for each."""
    compiled = ("loss", "penalty", "optimizer", "average", "batch_size")
    axes = AXES | {"optimizer": (*AXES["optimizer"], *MORE_OPTIMIZERS)}
    for values in itertools.product(*(axes[name] for name in compiled)):
        draw = random.Random(zlib.crc32(repr(values).encode()))
        case = {name: draw.choice(choices) for name, choices in axes.items()} | dict(zip(compiled, values, strict=True))
        if is_valid(case):
            yield case


def name_of(case):
    return "-".join(map(str, case.values()))


def rows(dtype):
    draw = np.random.default_rng(1)
    X = draw.standard_normal((N, D)) * (draw.random((N, D)) < 0.3)
    return X.astype(dtype), np.argmax(X @ draw.standard_normal((D, 3)) + draw.standard_normal((N, 3)), axis=1)


def model_of(case, epochs=EPOCHS):
    options = {name: value for name, value in case.items() if name not in ("dtype", "strength")}
    first = 1.0 if case["learning_rate"] == "optimal" else 0.02
    kind = "multinomial" if case["loss"] == "log_loss" else "ovr"
    given = {"eta0": first, "alpha": case["strength"] / first, "max_iter": epochs, "n_iter_no_change": 1}
    return GDClassifier(multi_class=kind, shuffle=False, random_state=0, **given, **options)


def assert_close(case, found, expected):
    scale = max(np.abs(expected.coef_).max(), np.abs(expected.intercept_).max(), 1e-3)
    for name in ("coef_", "intercept_"):
        a, b = getattr(found, name), getattr(expected, name)
        np.testing.assert_allclose(a / scale, b / scale, rtol=0, atol=TOLERANCE[case["dtype"]], err_msg=f"{name} of {case}")


def check(case):
    X, y = rows(case["dtype"])
    storages = X, sparse.csr_array(X)
    whole = [model_of(case).fit(data, y) for data in storages]
    assert np.isfinite(whole[0].coef_).all()
    assert np.abs(whole[0].coef_).max() > 0 or case["penalty"] in ("l1", "elasticnet")  # a strong l1 leaves nothing
    assert whole[0].n_iter_ == whole[1].n_iter_
    assert_close(case, whole[1], whole[0])
    for data, one in zip(storages, whole, strict=True):
        model = model_of(case)
        for _ in range(one.n_iter_):
            reloaded = pickle.loads(pickle.dumps(model))
            for each in (model, reloaded):
                each.partial_fit(data, y, classes=[0, 1, 2])
            np.testing.assert_array_equal(reloaded.coef_, model.coef_)
            model = reloaded
        if case["learning_rate"] != "adaptive":  # whose rate begins anew with each piece
            assert_close(case, model, one)


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize("case", [case for axes in (SCALED, LAZY, SAMPLE) for case in pairwise(axes, is_valid)], ids=name_of)
def test_a_fit_is_one_however_stored_and_cut(case):
    check(case)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize("case", compiled_cases(), ids=name_of)
def test_every_compiled_combination(case):
    check(case)
