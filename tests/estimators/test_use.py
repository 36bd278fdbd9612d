"""The estimators in use: with scikit-learn's tools, on every kind of input, and with what they add."""

import inspect
import math
import pickle
import subprocess
import sys
from typing import NamedTuple

import numpy as np
import pandas as pd
import pytest
from scipy import sparse
from sklearn.base import clone
from sklearn.datasets import load_iris
from sklearn.exceptions import ConvergenceWarning, NotFittedError
from sklearn.linear_model import LogisticRegression, SGDClassifier, SGDRegressor
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import gdbench as gd
from gdbench.estimators import GDClassifier, GDRegressor
from gdbench.kernels import losses
from gdbench.kernels.optimizers import looks, loop_form
from gdbench.kernels.registry import name_of

PAIRS = [(GDRegressor, SGDRegressor), (GDClassifier, SGDClassifier)]
ADDED = {"optimizer": "gd", "batch_size": 1, "multi_class": "ovr"}


@pytest.fixture(scope="module")
def line():
    rng = np.random.default_rng(0)
    X = rng.standard_normal((200, 3))
    return X, X @ [1.0, -2.0, 0.5] + 3.0 + 0.01 * rng.standard_normal(200)


@pytest.fixture(scope="module")
def iris():
    X, y = load_iris(return_X_y=True)
    return StandardScaler().fit_transform(X), y


@pytest.mark.parametrize(("ours", "theirs"), PAIRS)
def test_parameters_are_scikit_learns(ours, theirs):
    mine, known = (inspect.signature(cls.__init__).parameters for cls in (ours, theirs))
    assert {k: p.default for k, p in mine.items() if k not in ADDED} == {k: p.default for k, p in known.items()}
    assert {k: p.default for k, p in mine.items() if k not in known}.items() <= ADDED.items()


def test_import_of_gdbench_leaves_scikit_learn_alone():
    code = "import gdbench, sys; sys.exit('sklearn' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0


class TestInScikitLearn:
    def test_pipeline_and_cross_validation(self, line, iris):
        for model, (X, y) in ((GDRegressor(random_state=0), line), (GDClassifier(random_state=0), iris)):
            assert cross_val_score(make_pipeline(StandardScaler(), model), X, y, cv=3).mean() > 0.85

    @pytest.mark.thorough
    def test_grid_search_over_optimizers_in_processes(self, line):
        grid = {"optimizer": ["gd", gd.optimizers.Adam(beta2=0.99)], "batch_size": [1, 16]}
        base = GDRegressor(learning_rate="constant", random_state=0)
        search = GridSearchCV(base, grid, cv=2, n_jobs=2).fit(*line)
        assert search.best_score_ > 0.99
        assert np.isfinite(search.cv_results_["mean_test_score"]).all()

    def test_clone_and_pickle(self, line):
        model = GDRegressor(optimizer=gd.optimizers.Adam(beta2=0.99), random_state=0).fit(*line)
        copy = pickle.loads(pickle.dumps(model))
        np.testing.assert_array_equal(copy.predict(line[0]), model.predict(line[0]))
        assert clone(model).optimizer == model.optimizer
        # A model goes on where its copy does, its optimizer's state included.
        for each in (model, copy):
            each.partial_fit(*line)
        np.testing.assert_array_equal(copy.coef_, model.coef_)

    def test_set_output(self, line):
        X, y = line
        frame = pd.DataFrame(X, columns=["a", "b", "c"])
        pipeline = make_pipeline(StandardScaler(), GDRegressor(random_state=0)).set_output(transform="pandas")
        pipeline.fit(frame, y)
        assert list(pipeline[-1].feature_names_in_) == ["a", "b", "c"]

    def test_sparsify_and_densify(self, line):
        model = GDRegressor(penalty="l1", alpha=0.5, random_state=0).fit(*line)
        before = model.predict(line[0])
        assert sparse.issparse(model.sparsify().coef_)
        with pytest.raises(ValueError, match="densify"):
            model.partial_fit(*line)
        np.testing.assert_allclose(model.densify().predict(line[0]).ravel(), before)


class TestInput:
    @pytest.mark.parametrize("kind", ["frame", "read-only", "memory map", "csc", "coo", "int", "bool", "fortran", "list"])
    @pytest.mark.parametrize("options", [{}, {"optimizer": "adam"}], ids=["gd", "adam"])
    def test_kinds(self, kind, options, tmp_path):
        rng = np.random.default_rng(0)
        X, y = rng.integers(0, 2, (60, 4)), rng.standard_normal(60)
        values = X.astype(float)
        if kind == "memory map":
            given = np.memmap(tmp_path / "x", float, "w+", shape=X.shape)
            given[:] = X
            given.flush()
            given = np.memmap(tmp_path / "x", float, "r", shape=X.shape)
        else:
            given = {
                "frame": lambda: pd.DataFrame(X, columns=list("abcd")),
                "read-only": lambda: values.copy(),
                "csc": lambda: sparse.csc_array(values),
                "coo": lambda: sparse.coo_array(values),
                "int": lambda: X,
                "bool": lambda: X.astype(bool),
                "fortran": lambda: np.asfortranarray(values),
                "list": lambda: X.tolist(),
            }[kind]()
        if kind == "read-only":
            given.flags.writeable = False
        theirs = sparse.csr_array(values) if kind in ("csc", "coo") else values
        model = GDRegressor(random_state=0, max_iter=5, tol=None, **options).fit(given, y)
        plain = GDRegressor(random_state=0, max_iter=5, tol=None, **options).fit(theirs, y)
        np.testing.assert_allclose(model.coef_, plain.coef_, rtol=1e-12)
        assert model.predict(given).shape == (60,)

    def test_input_is_left_as_it_is(self, line):
        X, y = (part.copy() for part in line)
        GDRegressor().fit(X, y)
        np.testing.assert_array_equal(X, line[0])
        np.testing.assert_array_equal(y, line[1])

    @pytest.mark.parametrize("y", [["ham", "spam", "eggs"] * 20, [True, False, True] * 20, [2.0, 5.0, 7.0] * 20])
    def test_labels_of_any_kind(self, y):
        X = np.random.default_rng(0).standard_normal((60, 4))
        for multi_class in ("ovr", "multinomial"):
            model = GDClassifier("log_loss", multi_class=multi_class, random_state=0).fit(X, y)
            assert set(model.predict(X)) <= set(y)
            np.testing.assert_allclose(model.predict_proba(X).sum(axis=1), 1)

    def test_read_only_coefficients_warm_start(self, line):
        model = GDRegressor(warm_start=True, random_state=0).fit(*line)
        model.coef_.flags.writeable = False
        assert model.fit(*line).coef_.flags.writeable

    def test_first_partial_fit_sets_the_type(self, line):
        X, y = line
        for options in ({}, {"optimizer": "adam"}):
            model = GDRegressor(random_state=0, **options).partial_fit(X.astype(np.float32), y)
            assert model.partial_fit(X, y).coef_.dtype == np.float32


class TestErrorsAndWarnings:
    @pytest.mark.parametrize(("ours", "theirs"), PAIRS)
    @pytest.mark.parametrize(
        "wrong",
        [
            {"alpha": -1.0},
            {"learning_rate": "fast"},
            {"max_iter": 0},
            {"penalty": "l3"},
            {"learning_rate": "optimal", "alpha": 0.0},
            {"learning_rate": "pa1", "loss": "huber"},
            {"penalty": "elasticnet", "l1_ratio": None},
            {"early_stopping": True, "validation_fraction": 0.999},
        ],
        ids=str,
    )
    def test_same_errors(self, ours, theirs, wrong):
        X, y = np.eye(6), [0, 1, 0, 1, 0, 1]
        messages = []
        for cls in (ours, theirs):
            with pytest.raises(ValueError) as caught:
                cls(**wrong).fit(X, y)
            messages.append(str(caught.value).replace(cls.__name__, "it"))
        assert messages[0] == messages[1]

    @pytest.mark.parametrize("options", [{}, {"optimizer": "adam"}])
    def test_convergence_warning(self, line, options):
        with pytest.warns(ConvergenceWarning, match="Maximum number of iteration"):
            GDRegressor(max_iter=2, **options).fit(*line)

    @pytest.mark.parametrize(
        ("wrong", "message"),
        [
            ({"optimizer": "adamm"}, "did you mean 'adam'"),
            ({"optimizer": 3}, "optimizer"),
            ({"batch_size": 0}, "batch_size"),
            ({"optimizer": "adam", "learning_rate": "pa1"}, "needs optimizer='gd'"),
            ({"multi_class": "multinomial"}, "needs loss='log_loss'"),
            ({"multi_class": "all"}, "multi_class"),
            ({"optimizer": "saga", "penalty": "l1"}, "smooth penalty"),
        ],
    )
    def test_added_parameters_are_checked(self, iris, wrong, message):
        with pytest.raises(ValueError, match=message):
            GDClassifier(**wrong).fit(*iris)

    def test_overflow(self, line):
        with pytest.raises(ValueError, match="overflow occurred at epoch"):
            GDRegressor(learning_rate="constant", eta0=1e200, batch_size=4).fit(*line)

    def test_not_fitted(self, line):
        model = GDClassifier("log_loss", multi_class="multinomial")
        with pytest.raises(NotFittedError):
            model.predict_proba(line[0])
        assert not hasattr(GDClassifier("hinge"), "predict_proba")


#: Of the rules that look at the whole model one is enough for most days: each compiles a loop.
SLOW = {name_of(cls): pytest.mark.slow for cls in gd.optimizers.registry if looks(loop_form(cls())) and name_of(cls) != "momo"}

#: The learning rates at which a line is learnt in 80 epochs, other than 0.02.
RATES = {"adadelta": 1.0, "adagrad": 0.3, "ftrl": 0.3, "lars": 1.0, "sps": 1.0, "momo": 0.1}
RATES |= dict.fromkeys(("dog", "dowg", "prodigy", "mechanic"), 1.0) | {"dadaptadam": 5.0}


class TestGeneral:
    @pytest.mark.parametrize(
        "optimizer", [pytest.param(name, marks=SLOW.get(name, ())) for name in gd.optimizers.registry.names()]
    )
    @pytest.mark.parametrize("batch_size", [1, 7])
    def test_every_optimizer_learns(self, line, optimizer, batch_size, request):
        if batch_size > 1 and optimizer in ("sag", "saga", "svrg"):
            pytest.skip("a memory of gradients is kept row by row")
        elif batch_size == 1 + 6 * (len(optimizer) % 2) and not request.config.getoption("--slow"):
            pytest.skip("slow: each compiles a loop; without --slow an optimizer is tested with one size of batch")
        if optimizer == "rprop":  # the signs of a batch's gradients change by chance: it is for all rows at once
            batch_size = len(line[0])
        rate = RATES.get(optimizer, 0.02)
        options = dict(learning_rate="constant", eta0=rate, alpha=0.0, tol=None, max_iter=80, random_state=0)
        model = GDRegressor(optimizer=optimizer, batch_size=batch_size, **options).fit(*line)
        assert model.score(*line) > 0.98
        assert model.loss_curve_.shape == (80,) and model.loss_curve_[-1] < 0.05 * model.loss_curve_[0]

    @pytest.mark.parametrize("penalty", [None, "l2", "l1", "elasticnet"])
    @pytest.mark.parametrize("container", [np.asarray, sparse.csr_array])
    def test_batches_of_one_agree_with_the_online_loop(self, line, penalty, container):
        """A rule that is gd by another name takes the other path: same rows, same order, same weights."""
        X, y = line
        options = dict(penalty=penalty, alpha=0.01, shuffle=False, max_iter=3, tol=None)
        if container is sparse.csr_array:
            options["fit_intercept"] = False  # scikit-learn's slow intercept of sparse rows is for its own path
        online = GDRegressor(**options).fit(container(X), y)
        general = GDRegressor(optimizer=gd.optimizers.Momentum(0.0), **options).fit(container(X), y)
        np.testing.assert_allclose(general.coef_, online.coef_, rtol=1e-9)
        np.testing.assert_allclose(general.loss_curve_, online.loss_curve_, rtol=1e-9)
        assert general.t_ == online.t_

    def test_one_against_the_rest_in_one_pass_is_each_class_alone(self, iris):
        X, y = iris
        options = dict(loss="log_loss", optimizer="adam", learning_rate="constant", shuffle=False, tol=None, max_iter=5)
        weight = {0: 1.0, 1: 3.0, 2: 0.5}
        together = GDClassifier(class_weight=weight, **options).fit(X, y)
        for k in range(3):
            alone = GDClassifier(class_weight={False: 1.0, True: weight[k]}, **options).fit(X, y == k)
            np.testing.assert_allclose(together.coef_[k], alone.coef_[0], rtol=1e-9)

    def test_softmax_finds_the_optimum_of_logistic_regression(self, iris):
        X, y = iris
        options = dict(optimizer="adam", learning_rate="constant", eta0=0.05, alpha=0.01, tol=None, max_iter=1500)
        model = GDClassifier("log_loss", multi_class="multinomial", batch_size=150, **options).fit(X, y)
        exact = LogisticRegression(C=1 / (0.01 * len(y)), tol=1e-10).fit(X, y)
        np.testing.assert_allclose(model.predict_proba(X), exact.predict_proba(X), atol=1e-6)

    def test_partial_fit_goes_on_like_fit(self, line):
        """Two epochs of fit, and two calls of partial_fit, by a rule whose steps depend on their number and its state."""
        options = dict(optimizer="adam", shuffle=False, tol=None)
        whole = GDRegressor(max_iter=2, **options).fit(*line)
        pieces = GDRegressor(**options).partial_fit(*line).partial_fit(*line)
        np.testing.assert_allclose(pieces.coef_, whole.coef_, rtol=1e-12)
        np.testing.assert_allclose(pieces.loss_curve_, whole.loss_curve_, rtol=1e-12)

    @pytest.mark.parametrize("options", [{}, {"multi_class": "multinomial"}, {"learning_rate": "adaptive"}])
    def test_early_stopping(self, iris, options):
        options = {"learning_rate": "constant", **options}
        model = GDClassifier("log_loss", optimizer="adam", early_stopping=True, random_state=0, **options).fit(*iris)
        assert model.n_iter_ < 200 and model.score(*iris) > 0.85

    def test_average_is_the_mean_of_the_iterates(self, line):
        X, y = line
        options = dict(optimizer="momentum", shuffle=False, tol=None, batch_size=50)
        iterates = [GDRegressor(**options).partial_fit(X, y)]
        path = GDRegressor(max_iter=1, average=True, **options).fit(X, y)
        steps = GDRegressor(**options)
        coefs = [steps.partial_fit(X[i : i + 50], y[i : i + 50]).coef_ for i in range(0, 200, 50)]
        np.testing.assert_allclose(iterates[0].coef_, coefs[-1], rtol=1e-9)
        np.testing.assert_allclose(path.coef_, np.mean(coefs, axis=0), rtol=1e-9)
        # from row 120 on is from the third step of 50 rows on
        late = GDRegressor(max_iter=1, average=120, **options).fit(X, y)
        np.testing.assert_allclose(late.coef_, np.mean(coefs[2:], axis=0), rtol=1e-9)

    def test_t_counts_rows_as_scikit_learns_does(self, line):
        X, y = line
        model = GDRegressor(optimizer="momentum", batch_size=50, max_iter=3, tol=None).fit(X, y)
        assert model.t_ == 1 + 3 * len(y)
        assert model.partial_fit(X, y).t_ == 1 + 4 * len(y)

    def test_verbose(self, line, capsys):
        GDRegressor(optimizer="adam", verbose=1, max_iter=2, tol=None).fit(*line)
        assert capsys.readouterr().out.count("-- Epoch") == 2


def test_loss_curve_is_continued_by_partial_fit(line):
    model = GDRegressor(random_state=0, max_iter=3, tol=None).fit(*line)
    assert model.loss_curve_.shape == (3,)
    assert model.partial_fit(*line).loss_curve_.shape == (4,)
    assert model.fit(*line).loss_curve_.shape == (3,)


def test_readme_example():
    from gdbench import GDClassifier

    X, y = load_iris(return_X_y=True)
    model = make_pipeline(StandardScaler(), GDClassifier(loss="log_loss", learning_rate="constant", random_state=0))
    grid = {"gdclassifier__optimizer": ["gd", "momentum", "adam"], "gdclassifier__eta0": [0.001, 0.01, 0.1]}
    search = GridSearchCV(model, grid, cv=5).fit(X, y)
    assert search.best_score_ > 0.94


class Counts(NamedTuple):
    """e^z − yz: a count whose mean is e^z."""

    domain = "real"
    link = "log"

    def value(self, z, y):
        return math.exp(z) - y * z

    def derivative(self, z, y):
        return math.exp(z) - y


class Boosted(NamedTuple):
    """e^(−yz), of AdaBoost."""

    domain = "sign"

    def value(self, z, y):
        return math.exp(-y * z)

    def derivative(self, z, y):
        return -y * math.exp(-y * z)


@pytest.mark.parametrize(("cls", "loss"), [(GDRegressor, Counts), (GDClassifier, Boosted)])
def test_a_registered_loss_of_a_fitting_domain_is_fitted(cls, loss):
    own = losses.registry
    own.register(loss)
    rng = np.random.default_rng(0)
    X = rng.normal(size=(30, 2))
    y = rng.poisson(np.exp(X @ [0.5, -0.3])) if cls is GDRegressor else (X[:, 0] > 0).astype(int)
    target = y if cls is GDRegressor else 2 * y - 1
    same = {"alpha": 0.0, "learning_rate": "constant", "eta0": 0.05, "max_iter": 2, "tol": None, "shuffle": False}
    try:
        for optimizer in ("gd", "momentum"):
            model = cls(loss=loss.__name__.lower(), optimizer=optimizer, **same).fit(X, y)
            w, v = np.zeros(3), np.zeros(3)
            for _ in range(2):
                for row, t in zip(np.column_stack([X, np.ones(30)]), target, strict=True):
                    v = (0.9 * v if optimizer == "momentum" else 0.0) + loss().derivative(row @ w, t) * row
                    w = w - 0.05 * v
            np.testing.assert_allclose([*model.coef_.ravel(), *model.intercept_], w, rtol=1e-10)
            margins = X @ w[:2] + w[2]
            expected = np.exp(margins) if cls is GDRegressor else (margins > 0).astype(int)
            np.testing.assert_allclose(model.predict(X), expected, rtol=1e-10)
        other = GDClassifier if cls is GDRegressor else GDRegressor
        with pytest.raises(ValueError, match=r"'loss' parameter of GD\w+ must be a str among .*registered loss with domain"):
            other(loss=loss.__name__.lower()).fit(X, (X[:, 0] > 0).astype(int))
    finally:
        del own._members[loss.__name__.lower()]
