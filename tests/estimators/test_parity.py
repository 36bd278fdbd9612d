"""The same number as scikit-learn, over the product of what its SGD estimators offer.

All of it with --slow; without, cases in which each two options meet.

Two combinations cannot be asked for in one go and are covered by others: ``early_stopping`` excludes ``partial_fit``, and
``pa1`` and ``pa2`` take one loss each. Nothing else is left out.
"""

import warnings

import numpy as np
import pytest
from pairs import pairwise, product
from scipy import sparse
from sklearn.linear_model import SGDClassifier, SGDRegressor

from gdbench.estimators import GDClassifier, GDRegressor, online
from gdbench.kernels import online_rows
from gdbench.kernels.rate_factors import BLOCK

REGRESSION = ("squared_error", "huber", "epsilon_insensitive", "squared_epsilon_insensitive")
CLASSIFICATION = ("hinge", "log_loss", "modified_huber", "squared_hinge", "perceptron", *REGRESSION)
PENALTIES = (None, "l2", "l1", "elasticnet")
SCHEDULES = ("constant", "optimal", "invscaling", "adaptive")
AVERAGES = (False, 40)
KINDS = [(container, dtype) for container in ("dense", "csr") for dtype in (np.float64, np.float32)]

#: In float64 the two differ in the order of sums alone. In float32 both keep float32 weights and sum in float64, so that a
#: sum that lies next to the middle of two float32 numbers is rounded to the other one, now and then: some 1e-7 each.
TOLERANCE = {np.float64: 1e-10, np.float32: 2e-5}


def problem(classes=0, n=60, d=5, seed=0):
    """Rows short enough that no schedule overshoots, which would multiply any rounding; a third of the values 0."""
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((n, d)) * (rng.random((n, d)) < 0.67) * 0.25
    y = X @ rng.standard_normal(d) + 0.2 + 0.1 * rng.standard_normal(n)
    if classes:
        y = np.digitize(y, np.quantile(y, np.linspace(0, 1, classes + 1)[1:-1]))
    return X, y


def as_kind(X, container, dtype):
    X = X.astype(dtype)
    return sparse.csr_array(X) if container == "csr" else X


def assert_same(ours, theirs, dtype=np.float64, what=""):
    """Same coefficients and counts; the tolerance is relative to the largest coefficient above 1."""
    assert ours.n_iter_ == theirs.n_iter_, what
    assert ours.t_ == theirs.t_, what
    for name in ("coef_", "intercept_"):
        a, b = getattr(ours, name), getattr(theirs, name)
        assert (a.shape == b.shape and a.dtype == b.dtype) or name == "intercept_", what
        bound = TOLERANCE[dtype] * max(1.0, np.abs(theirs.coef_).max())
        assert np.abs(a - b).max() <= bound, (what, name, np.abs(a - b).max())


def fit_both(kind, X, y, dtype=np.float64, fit=None, **options):
    """Fit the pair alike and compare."""
    pair = (GDClassifier, SGDClassifier) if kind == "classifier" else (GDRegressor, SGDRegressor)
    fit = fit or (lambda model: model.fit(X, y))
    options = {"random_state": 3, "alpha": 0.01, "max_iter": 12, **options}
    models = [cls(**options) for cls in pair]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for model in models:
            fit(model)
    assert_same(*models, dtype, (kind, options))
    return models


#: The axes of every fit. Without --slow each two values of two axes meet in a case; with it all combinations are cases.
AXES = {"penalty": PENALTIES, "learning_rate": SCHEDULES, "average": AVERAGES, "rows": KINDS}

ESTIMATORS = {
    "regressor": dict(kind="regressor", classes=0, loss=REGRESSION),
    "two classes": dict(kind="classifier", classes=2, loss=CLASSIFICATION),
    "four classes": dict(kind="classifier", classes=4, loss=("hinge", "log_loss", "squared_error")),
}


def check_plain(estimator, case):
    """A fit of one case with nothing else given."""
    loss, schedule, (container, dtype) = case["loss"], case["learning_rate"], case["rows"]
    X, y = problem(ESTIMATORS[estimator]["classes"])
    # The first rates of "optimal" send a square beyond 1e8 unless alpha is large, and multiply rounding alike.
    alpha = 4.0 if schedule == "optimal" and loss.startswith("squared_e") else 0.01
    options = {name: value for name, value in case.items() if name != "rows"}
    fit_both(ESTIMATORS[estimator]["kind"], as_kind(X, container, dtype), y, dtype, alpha=alpha, **options)


@pytest.mark.parametrize(
    "estimator", [pytest.param(name, marks=[pytest.mark.thorough] * (name != "four classes")) for name in ESTIMATORS]
)
def test_each_two_options_meet(estimator):
    for case in pairwise({"loss": ESTIMATORS[estimator]["loss"], **AXES}):
        check_plain(estimator, case)


@pytest.mark.slow
@pytest.mark.parametrize("penalty", PENALTIES, ids=str)
@pytest.mark.parametrize(("estimator", "loss"), [(name, loss) for name, given in ESTIMATORS.items() for loss in given["loss"]])
def test_every_combination(estimator, loss, penalty):
    for case in product({"loss": (loss,), **AXES, "penalty": (penalty,)}):
        check_plain(estimator, case)


#: What else a fit may be given: each is crossed with estimators, penalties, schedules, averaging and kinds of data.
WAYS = {
    "sample_weight": dict(weighted=True),
    "early_stopping": dict(early_stopping=True, validation_fraction=0.3, n_iter_no_change=2),
    "early_stopping, weighted": dict(early_stopping=True, validation_fraction=0.3, weighted=True),
    "no intercept": dict(fit_intercept=False),
    "no shuffle": dict(shuffle=False),
    "no tolerance": dict(tol=None),
    "long": dict(max_iter=400, n_iter_no_change=2),
    "warm_start": dict(warm_start=True, fits=3),
    "partial_fit": dict(pieces=4),
    "partial_fit, weighted": dict(pieces=3, weighted=True),
    "partial_fit after fit": dict(fits=1, pieces=2),
    "initial weights": dict(initial=True),
}
#: The loss and the number of classes of each estimator to which more is given.
GIVEN_MORE = {
    "regressor": dict(kind="regressor", classes=0),
    "two classes": dict(kind="classifier", classes=2, loss="log_loss"),
    "three classes": dict(kind="classifier", classes=3, loss="hinge"),
}


def check_way(estimator, way, case):
    """A fit of one case with what `way` gives it."""
    setup, options = dict(GIVEN_MORE[estimator]), dict(WAYS[way])
    kind, classes = setup.pop("kind"), setup.pop("classes")
    weighted, fits, pieces, initial = (options.pop(k, 0) for k in ("weighted", "fits", "pieces", "initial"))
    container, dtype = case["rows"]
    X, y = problem(classes)
    data = as_kind(X, container, dtype)
    weight = np.random.default_rng(1).integers(0, 4, len(y)) * 0.5 if weighted else None
    if kind == "classifier" and not pieces:
        options["class_weight"] = "balanced" if way == "sample_weight" else {0: 2.0}
    known = {"classes": np.unique(y)} if kind == "classifier" else {}
    start = {}
    if initial:
        rows = classes if classes > 2 else 1
        start = {"coef_init": np.full((rows, X.shape[1]), 0.3), "intercept_init": np.full(rows, 0.1)}
        if kind == "regressor":
            start["coef_init"] = start["coef_init"][0]

    def fit(model):
        for _ in range(fits if fits or pieces else 1):
            model.fit(data, y, sample_weight=weight, **{k: v.copy() for k, v in start.items()})
        for part in np.array_split(np.arange(len(y)), pieces) if pieces else ():
            model.partial_fit(data[part], y[part], sample_weight=None if weight is None else weight[part], **known)

    given = {name: value for name, value in case.items() if name != "rows"}
    fit_both(kind, data, y, dtype, fit, **given, **setup, **options)


@pytest.mark.thorough
def test_each_two_ways_and_options_meet():
    for case in pairwise({"estimator": tuple(GIVEN_MORE), "way": tuple(WAYS), **AXES}):
        check_way(case.pop("estimator"), case.pop("way"), case)


@pytest.mark.slow
@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("estimator", GIVEN_MORE)
def test_every_combination_of_a_way(estimator, way):
    for case in product(AXES):
        check_way(estimator, way, case)


def check_passive_aggressive(case):
    classes, (container, dtype) = case.pop("classes"), case.pop("rows")
    X, y = problem(classes)
    X *= 10  # a short row's step overshoots by way of the intercept
    X[::9] = 0  # PA-I passes over rows without a length
    kind, loss = ("classifier", "hinge") if classes else ("regressor", "epsilon_insensitive")
    fit_both(kind, as_kind(X, container, dtype), y, dtype, loss=loss, eta0=0.5, **case)


PASSIVE_AGGRESSIVE = AXES | {"learning_rate": ("pa1", "pa2"), "classes": (0, 2, 3)}


@pytest.mark.thorough
def test_passive_aggressive():
    for case in pairwise(PASSIVE_AGGRESSIVE):
        check_passive_aggressive(case)


@pytest.mark.slow
@pytest.mark.parametrize("rate", PASSIVE_AGGRESSIVE["learning_rate"])
def test_every_combination_of_passive_aggressive(rate):
    for case in product(PASSIVE_AGGRESSIVE | {"learning_rate": (rate,)}):
        check_passive_aggressive(case)


@pytest.mark.parametrize("early", [False, True])
@pytest.mark.parametrize(("d", "container"), [(5, "dense"), (70, "dense"), (70, "csr")])
def test_more_rows_than_a_block_of_rates(d, container, early):
    X, y = problem(classes=2, n=2 * BLOCK + 300, d=d)
    X = as_kind(X, container, np.float64)
    options = dict(early_stopping=early, validation_fraction=0.2, max_iter=4, average=2 * BLOCK + 20)
    fit_both("classifier", X, y, loss="hinge", **options)
    fit_both("regressor", X, y, **options)


@pytest.fixture
def mostly_zeros():
    """An array that is read without its zeros, targets, and the kinds of rows that were made of arrays."""
    X, y = problem(classes=2, n=3_600, d=300)
    X *= np.random.default_rng(1).random(X.shape) < 0.2
    made, rows_of = [], online.rows_of

    def seen(*args):
        made.append(rows_of(*args))
        return made[-1]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(online, "rows_of", seen)
        yield X, y, made


@pytest.mark.parametrize(
    ("dtype", "options"),
    [
        (np.float64, dict(penalty="l2", average=True)),
        (np.float64, dict(penalty=None, early_stopping=True)),
        (np.float32, dict(penalty="l2")),
    ],
)
def test_rows_without_their_zeros(dtype, options, mostly_zeros):
    X, y, made = mostly_zeros
    X = np.tile(X, 2).astype(dtype)
    before = X.copy()
    for loss in ("hinge", "squared_error"):
        fit_both("classifier", X, y, dtype, loss=loss, learning_rate="invscaling", eta0=0.02, max_iter=40, **options)
        assert isinstance(made[-1], online_rows.CompressedRows)
    np.testing.assert_array_equal(X, before)


def test_where_zeros_are_read(mostly_zeros, tmp_path):
    X, y, made = mostly_zeros
    X.tofile(tmp_path / "X")
    mapped = np.memmap(tmp_path / "X", X.dtype, "r", shape=X.shape)
    for data, options in (
        (X, dict(penalty="l1")),  # the truncation pays on every column, as scikit-learn's
        (X, dict(max_iter=2)),
        (X[:1000], {}),
        (X + 1.0, {}),
        (mapped, {}),
    ):
        GDClassifier(**{"max_iter": 40, "tol": 1.0, **options}).fit(data, y[: len(data)])
        assert not isinstance(made[-1], online_rows.CompressedRows)
    GDClassifier(max_iter=40, tol=1.0).fit(X, y)
    assert isinstance(made[-1], online_rows.CompressedRows)


def test_random_state_instance_goes_on_alike():
    for kind, classes in (("regressor", 0), ("classifier", 2), ("classifier", 3)):
        X, y = problem(classes)
        for early in (False, True):
            pair = (GDClassifier, SGDClassifier) if kind == "classifier" else (GDRegressor, SGDRegressor)
            states = [np.random.RandomState(5) for _ in pair]
            for _ in range(2):
                options = dict(max_iter=3, tol=None, early_stopping=early, learning_rate="constant")
                models = [cls(random_state=state, **options).fit(X, y) for cls, state in zip(pair, states, strict=True)]
                assert_same(*models)
            assert states[0].randint(1000) == states[1].randint(1000)


def test_where_steps_overshoot_scikit_learn_does_not_agree_with_itself():
    """Why such fits are left out above: the first steps of `optimal` throw the margins of long rows to and fro."""
    rng = np.random.default_rng(0)
    X, turned = rng.random((1_000, 200)), rng.permutation(200)
    y = rng.random(1_000) < 1 / (1 + np.exp(-(X - 0.5) @ rng.standard_normal(200)))
    options = dict(loss="log_loss", max_iter=5, tol=None, random_state=0)
    theirs = SGDClassifier(**options).fit(X, y).coef_
    again = SGDClassifier(**options).fit(np.ascontiguousarray(X[:, turned]), y).coef_
    ours = GDClassifier(**options).fit(X, y).coef_
    for other, same in ((again, theirs[:, turned]), (ours, theirs)):
        assert np.abs(other - same).max() > 1e-3 * np.abs(theirs).max()


def test_threads_do_not_change_the_classes():
    X, y = problem(classes=4)
    models = [GDClassifier(random_state=0, n_jobs=jobs).fit(X, y) for jobs in (None, 2)]
    np.testing.assert_array_equal(models[0].coef_, models[1].coef_)


def test_scale_that_underflows():
    X, y = problem(n=200)
    # 1 − ηα is 0.5 a step: scikit-learn folds its scale into the weights every 30 steps.
    fit_both("regressor", X, y, alpha=5.0, eta0=0.1, learning_rate="constant", average=True)
    # and here it is below 0, which counts as 0.
    fit_both("regressor", X, y, alpha=50.0, eta0=0.1, learning_rate="constant")


def test_overflow_is_the_same_error():
    X, y = problem()
    messages = []
    for cls in (GDRegressor, SGDRegressor):
        with pytest.raises(ValueError, match="overflow") as caught:
            cls(learning_rate="constant", eta0=1e300, random_state=0).fit(1e150 * X, y)
        messages.append(str(caught.value))
    assert messages[0] == messages[1]


def test_same_words_when_verbose(capsys):
    X, y = problem()
    for early in (False, True):
        said = []
        for cls in (GDRegressor, SGDRegressor):
            cls(verbose=1, random_state=0, max_iter=30, early_stopping=early, eta0=0.1).fit(X, y)
            said.append([line for line in capsys.readouterr().out.splitlines() if " seconds" not in line])
        assert said[0] == said[1]
