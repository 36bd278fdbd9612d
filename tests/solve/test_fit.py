"""fit: the brief's numbers, curves, statuses, dtypes, containers."""

import inspect

import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp

import gdbench as gd
from gdbench.tasks.inputs import as_data

HOURS, SCORES = np.arange(1.0, 6.0)[:, None], np.array([2.0, 4.0, 5.0, 4.0, 5.0])
RNG = np.random.default_rng(7)
N, D = 90, 5
X = RNG.normal(size=(N, D))
Y = X @ RNG.normal(size=D) + 0.5 + 0.1 * RNG.normal(size=N)


def line(epochs):
    """The brief's item 3: its MSE is twice our squared error, so its rate of 0.01 is 0.02 here."""
    return gd.fit(HOURS, SCORES, variant="batch", learning_rate=0.02, epochs=epochs)


# The brief's numbers -------------------------------------------------------------------------------------------------


def test_parabola():
    steps = [10, 8, 6.4, 5.12, 4.096, 3.2768, 2.62144, 2.097152, 1.6777216, 1.34217728, 1.073741824]
    path = gd.minimize("parabola", [10.0], "gd", learning_rate=0.1, steps=10)
    np.testing.assert_allclose(path.x[:, 0], steps, rtol=1e-8)
    np.testing.assert_allclose(path.value, np.square(steps), rtol=1e-8)
    np.testing.assert_allclose(path.gradient[:, 0], 2 * np.array(steps), rtol=1e-8)


@pytest.mark.parametrize(
    ("epoch", "loss", "slope", "intercept"),
    [(0, 17.2, 0.2640, 0.08), (100, 0.8099, 0.9716, 0.8583), (500, 0.5020, 0.6959, 1.8538), (900, 0.4815, 0.6247, 2.1107)],
)
def test_line_on_the_way(epoch, loss, slope, intercept):
    after = line(epoch + 1)
    before = line(epoch).objective if epoch else after.curve.objective[0]
    digits = 0.5e-4 + 1e-8
    assert 2 * before == pytest.approx(loss, abs=digits)
    assert after.coef[0] == pytest.approx(slope, abs=digits)
    assert after.intercept == pytest.approx(intercept, abs=digits)


def test_line_at_its_end():
    result = line(1000)
    assert result.coef[0] == pytest.approx(0.6176946148762643, rel=1e-10)
    assert result.intercept == pytest.approx(2.136116825825789, rel=1e-10)
    assert 6 * result.coef[0] + result.intercept == pytest.approx(5.842284515083374, rel=1e-10)


def test_line_reaches_least_squares_later():
    result = gd.fit(HOURS, SCORES, variant="batch", learning_rate=0.1, epochs=5000, tol=1e-16)
    assert result.status == "converged" and 2 * result.objective == pytest.approx(0.48, abs=1e-12)
    np.testing.assert_allclose([result.coef[0], result.intercept], [0.6, 2.2], atol=1e-6)


def three(variant, **options):
    options = {"learning_rate": 0.01, "epochs": 100, "fit_intercept": False, **options}
    return gd.fit(HOURS, SCORES, variant=variant, **options).coef[0]


def test_three_variants():
    batch, stochastic = three("batch"), three("stochastic", shuffle="none")
    assert batch == pytest.approx(1.19998957, abs=1e-8)
    assert stochastic == pytest.approx(1.14552953, abs=1e-8)
    between = [three("mini-batch", batch_size=2, seed=seed) for seed in range(5)]
    assert len(set(between)) == 5 and np.abs(np.subtract(between, 1.2)).max() < 1.2 - stochastic


@pytest.mark.parametrize(("rate", "status"), [(1.0, "diverged"), (0.01, "budget"), (0.0001, "budget")])
def test_learning_rate_impact(rate, status):
    result = gd.fit(HOURS, SCORES, variant="batch", learning_rate=rate, epochs=100)
    assert result.status == status
    start, end = result.curve.objective.iloc[0], result.objective
    assert {1.0: end > 1e6 * start, 0.01: end < 0.1 * start, 0.0001: 0.7 * start < end < start}[rate]


# Curves --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "per_epoch"),
    [({"batch_size": 16}, 6), ({"variant": "stochastic"}, N), ({"variant": "batch"}, 1), ({"batch_size": N - 1}, 2)],
    ids=str,
)
def test_curve_counts_steps_samples_and_epochs(options, per_epoch):
    result = gd.fit(X, Y, epochs=20, record=25, **options)
    curve = result.curve
    assert list(curve.columns[:6]) == ["step", "epoch", "samples", "seconds", "objective", "gradient_norm"]
    assert curve.step.iloc[0] == 0 and curve.step.iloc[-1] == result.n_updates == 20 * per_epoch
    assert (curve.step.diff()[1:] > 0).all() and (curve.seconds.diff()[1:] >= 0).all()
    size = {6: 16, N: 1, 1: N, 2: N - 1}[per_epoch]
    whole, rest = curve.step // per_epoch, curve.step % per_epoch
    np.testing.assert_array_equal(curve.samples, whole * N + np.minimum(rest * size, N))
    np.testing.assert_allclose(curve.epoch, curve.samples / N)
    assert curve.samples.iloc[-1] == 20 * N and curve.seconds.iloc[-1] == pytest.approx(result.seconds)


def test_curve_is_spaced_by_factors_and_begins_below_an_epoch():
    steps = gd.fit(X, Y, variant="stochastic", epochs=50, record=30).curve.step.to_numpy()[1:]
    assert steps[0] == 1 and (steps < N).sum() > 10
    factors = steps[1:] / steps[:-1]
    assert factors[steps[1:] > 20].max() < 1.5


def test_curve_holds_the_objective_and_its_gradient():
    result = gd.fit(X, Y, epochs=3, batch_size=16, learning_rate=0.05)
    for residual, norm, objective in [
        (-Y, result.curve.gradient_norm.iloc[0], result.curve.objective.iloc[0]),
        (X @ result.coef + result.intercept - Y, result.curve.gradient_norm.iloc[-1], result.objective),
    ]:
        g = np.append(X.T @ residual, residual.sum()) / N
        assert objective == pytest.approx(0.5 * np.mean(residual**2), rel=1e-12)
        assert norm == pytest.approx(np.linalg.norm(g), rel=1e-10)


@pytest.mark.parametrize("columns", [1, 6, 20, 33])
@pytest.mark.parametrize("optimizer", ["gd", "momentum"])
def test_recording_changes_no_bit(columns, optimizer):
    x = np.random.default_rng(5).normal(size=(N, columns))
    options = {
        "variant": "stochastic",
        "penalty": "l2",
        "alpha": 0.01,
        "learning_rate": 0.001,
        "optimizer": optimizer,
        "epochs": 7,
    }
    few, many = (gd.fit(x, Y, record=record, **options) for record in (2, 300))
    np.testing.assert_array_equal(few.coef, many.coef)
    assert len(many.curve) > 10 * len(few.curve)
    del options["learning_rate"]
    few, many = (gd.sweep(x, Y, learning_rates=np.geomspace(1e-5, 1e-3, 13), record=record, **options) for record in (2, 300))
    np.testing.assert_array_equal(few.coef, many.coef)


@pytest.mark.parametrize("loss", ["squared_error", "cross_entropy"])
@pytest.mark.parametrize("optimizer", ["gd", "momentum", "nesterov", "rmsprop", "adagrad"])
def test_recording_changes_no_bit_on_sparse_rows(optimizer, loss):
    """There the shrinking by a penalty, and what columns that a row does not have miss of a memory, is put off."""
    x = sp.random_array((N, 30), density=0.1, rng=np.random.default_rng(5), format="csr")
    y = Y if loss == "squared_error" else np.arange(N) % 3
    options = {"variant": "stochastic", "loss": loss, "learning_rate": 0.01, "optimizer": optimizer, "epochs": 7}
    if optimizer == "gd":
        options |= {"penalty": "l2", "alpha": 0.01}
    few, many = (gd.fit(x, y, record=record, **options) for record in (2, 300))
    np.testing.assert_array_equal(few.coef, many.coef)
    assert few.objective == many.objective
    assert len(many.curve) > 10 * len(few.curve)


@pytest.mark.parametrize(
    "options",
    [
        {"variant": "mini-batch", "optimizer": "adam", "penalty": "l1", "alpha": 0.01},
        {"variant": "stochastic", "optimizer": "saga"},
        {"variant": "stochastic", "optimizer": "svrg"},
        {"variant": "batch", "learning_rate": gd.schedules.Backtracking(), "epochs": 40},
        {"variant": "stochastic", "learning_rate": gd.schedules.Adaptive(0.001), "epochs": 40},
        {"model": gd.MLP(hidden=3), "variant": "mini-batch", "optimizer": "momentum"},
    ],
    ids=["a penalty's memory", "gradients remembered", "a snapshot", "line search", "a rate that falls", "network"],
)
def test_steps_tried_before_the_clock_goes_on_leave_nothing_behind(options):
    few, many = (gd.fit(X, Y, **{"learning_rate": 0.001, "epochs": 7, "record": record, **options}) for record in (2, 300))
    np.testing.assert_array_equal(few.coef, many.coef)
    assert few.objective == many.objective
    assert len(many.curve) > len(few.curve)


@pytest.mark.parametrize("rows", [1, N])
def test_a_network_learns_row_by_row(rows):
    """Also from a single row, whose batch is one row, too."""
    options = {"model": gd.MLP(hidden=3), "learning_rate": 0.01, "epochs": 20, "shuffle": "none"}
    for variant in ("stochastic", "batch")[: 2 if rows == 1 else 1]:
        found = gd.fit(X[:rows], Y[:rows], variant=variant, **options)
        assert found.n_updates == 20 * rows and found.objective < 0.5 * found.curve["objective"].iloc[0]


@pytest.mark.parametrize("classes", [2, 3, 5])
def test_a_network_s_weights_are_unpacked_whatever_its_outputs(classes):
    """Fewer outputs than hidden units, as many, and more: J from the unpacked weights is the recorded one."""
    model, y = gd.MLP(hidden=3), np.arange(N) % classes
    found = gd.fit(X, y, model=model, loss="cross_entropy", epochs=3)
    w1, w2, b1, b2 = model.unpack(found.coef, X.shape[1])
    assert (w1.shape, w2.shape, b1.shape, b2.shape) == ((3, X.shape[1]), (classes, 3), (3,), (classes,))
    z = np.tanh(X @ w1.T + b1) @ w2.T + b2
    J = np.mean(np.log(np.exp(z).sum(axis=1)) - z[np.arange(N), y])
    assert found.objective == pytest.approx(J, rel=1e-12)
    with pytest.raises(gd.GdbenchError, match=f"{found.coef.size} parameters are not those of 3 hidden units over 90 columns"):
        model.unpack(found.coef, 90)


def test_tol_watches_every_epoch():
    result = gd.fit(X, Y, epochs=2000, batch_size=16, learning_rate=0.1, tol=1e-9, record=2)
    assert set(range(1, 20)) <= set(result.curve.epoch)


# Statuses ------------------------------------------------------------------------------------------------------------


def test_converged():
    result = gd.fit(X, Y, variant="batch", learning_rate=0.5, epochs=10000, tol=1e-12)
    assert result.status == "converged" and "tol" in result.reason and result.n_updates < 10000
    least = np.linalg.lstsq(np.c_[X, np.ones(N)], Y, rcond=None)[0]
    np.testing.assert_allclose(np.append(result.coef, result.intercept), least, atol=1e-5)


def test_budget():
    result = gd.fit(X, Y, epochs=3)
    assert result.status == "budget" and result.reason == "" and result.n_updates == 9


@pytest.mark.parametrize("variant", ["batch", "stochastic", "mini-batch"])
def test_diverged_stops_early_and_says_when(variant):
    result = gd.fit(X, Y, variant=variant, learning_rate=50.0, epochs=500)
    assert result.status == "diverged" and "steps" in result.reason
    assert result.curve.step.iloc[-1] == result.n_updates < 500 * {"batch": 1, "stochastic": N, "mini-batch": 3}[variant]


def test_timeout():
    result = gd.fit(X, Y, variant="stochastic", epochs=10**9, time_limit=0.02, learning_rate=1e-3)
    assert result.status == "timeout" and "0.02 s allowed" in result.reason
    assert np.isfinite(result.coef).all()


@pytest.mark.parametrize("how", [{"variant": "stochastic"}, {"variant": "batch", "learning_rate": "backtracking"}], ids=str)
def test_time_ends_between_the_recorded_points(how):
    """The second of two points would come after a billion epochs."""
    result = gd.fit(X, Y, epochs=10**9, record=2, time_limit=0.05, **{"learning_rate": 1e-3} | how)
    assert result.status == "timeout"
    assert result.curve.step.tolist()[-1] == result.n_updates < 10**9
    assert result.seconds > 0.05


def test_compiling_is_off_the_clock():
    result = gd.fit(X, Y, epochs=1)
    assert 0 <= result.seconds < 0.5 and result.compile_seconds >= 0


# The same data, otherwise given --------------------------------------------------------------------------------------


def test_same_seed_same_bits_and_another_seed_others():
    first, again, other = (gd.fit(X, Y, epochs=5, seed=seed) for seed in (3, 3, 4))
    np.testing.assert_array_equal(first.coef, again.coef)
    assert (first.curve.drop(columns="seconds") == again.curve.drop(columns="seconds")).all(axis=None)
    assert (first.coef != other.coef).any()


def test_threads_change_no_bit():
    one, two = (gd.fit(X, Y, variant="batch", epochs=5, threads=threads) for threads in (1, 2))
    np.testing.assert_array_equal(one.coef, two.coef)


@pytest.mark.parametrize("variant", ["batch", "stochastic", "mini-batch"])
def test_sparse_rows_are_the_dense_ones(variant):
    thin = X * (RNG.random(X.shape) < 0.4)
    options = {"variant": variant, "epochs": 4, "learning_rate": 0.05}
    dense = gd.fit(thin, Y, **options)
    for make in (sp.csr_matrix, sp.csr_array):
        sparse = gd.fit(make(thin), Y, **options)
        np.testing.assert_allclose(sparse.coef, dense.coef, rtol=1e-12, atol=1e-14)
        assert sparse.intercept == pytest.approx(dense.intercept, rel=1e-12)
        np.testing.assert_allclose(sparse.curve.objective, dense.curve.objective, rtol=1e-12)


def test_sparse_indices_may_be_of_64_bits():
    matrix = sp.csr_array(X)
    matrix.indices, matrix.indptr = matrix.indices.astype(np.int64), matrix.indptr.astype(np.int64)
    assert as_data(matrix).indices.dtype == np.uint64
    np.testing.assert_allclose(gd.fit(matrix, Y, epochs=2).coef, gd.fit(X, Y, epochs=2).coef, rtol=1e-12)


def test_float32_is_float64_to_its_precision():
    single, double = (gd.fit(X.astype(dtype), Y, epochs=5) for dtype in (np.float32, np.float64))
    assert single.coef.dtype == np.float32 and double.coef.dtype == np.float64
    np.testing.assert_allclose(single.coef, double.coef, rtol=2e-5, atol=2e-6)
    np.testing.assert_allclose(single.curve.objective, double.curve.objective, rtol=1e-5)


def test_whole_weights_are_repetitions():
    times = RNG.integers(0, 4, N)
    repeated = gd.fit(np.repeat(X, times, axis=0), np.repeat(Y, times), variant="batch", epochs=20)
    weighted = gd.fit(X, Y, sample_weight=times, variant="batch", epochs=20)
    np.testing.assert_allclose(weighted.coef, repeated.coef, rtol=1e-12)
    assert weighted.objective == pytest.approx(repeated.objective, rel=1e-12)


def test_weights_are_scaled_to_a_mean_of_one():
    expected = gd.fit(X, Y, epochs=3)
    np.testing.assert_allclose(gd.fit(X, Y, epochs=3, sample_weight=np.full(N, 7.0)).coef, expected.coef, rtol=1e-12)


def containers(tmp_path):
    stored = np.lib.format.open_memmap(tmp_path / "x.npy", mode="w+", dtype=float, shape=X.shape)
    stored[:] = X
    stored.flush()
    frozen = X.copy()
    frozen.flags.writeable = False
    yield "list", X.tolist(), Y.tolist()
    yield "frame", pd.DataFrame(X, columns=list("abcde")), pd.Series(Y, index=range(5, N + 5))
    yield "fortran", np.asfortranarray(X), Y
    yield "strided", np.repeat(np.repeat(X, 2, axis=0), 3, axis=1)[::2, ::3], np.repeat(Y, 2)[::2]
    yield "read-only", frozen, frozen[:, 0] * 0 + Y
    yield "memory map", np.load(tmp_path / "x.npy", mmap_mode="r"), Y


def test_containers_give_the_same_bits(tmp_path):
    expected = gd.fit(X, Y, epochs=2)
    for name, rows, target in containers(tmp_path):
        result = gd.fit(rows, target, epochs=2)
        np.testing.assert_array_equal(result.coef, expected.coef, err_msg=name)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_rows_in_c_order_are_not_copied(dtype, tmp_path):
    rows = X.astype(dtype)
    rows.flags.writeable = False
    assert np.shares_memory(as_data(rows).values, rows)
    stored = np.lib.format.open_memmap(tmp_path / "x.npy", mode="w+", dtype=dtype, shape=X.shape)
    assert np.shares_memory(as_data(stored).values, stored)
    sparse = as_data(sp.csr_matrix(rows))
    assert sparse.values.dtype == dtype


def test_the_callers_arrays_are_left_as_they_are():
    rows, target, weights = X.copy(), Y.copy(), np.ones(N)
    gd.fit(rows, target, sample_weight=weights, epochs=2)
    np.testing.assert_array_equal(rows, X)
    np.testing.assert_array_equal(target, Y)


# Options -------------------------------------------------------------------------------------------------------------


def test_without_an_intercept_it_stays_at_zero():
    result = gd.fit(X, Y, epochs=3, fit_intercept=False)
    assert result.intercept == 0.0
    w, rate = np.zeros(D), 0.01
    for _ in range(3):
        w -= rate * X.T @ (X @ w - Y) / N
    batch = gd.fit(X, Y, epochs=3, fit_intercept=False, variant="batch")
    np.testing.assert_allclose(batch.coef, w, rtol=1e-12)


def test_the_intercept_is_not_penalised():
    result = gd.fit(X, Y, variant="batch", penalty="l2", alpha=1.0, learning_rate=0.2, epochs=3000, tol=1e-15)
    centred, mean = X - X.mean(axis=0), Y.mean()
    w = np.linalg.solve(centred.T @ centred / N + np.eye(D), centred.T @ (Y - mean) / N)
    np.testing.assert_allclose(result.coef, w, atol=1e-6)
    assert result.intercept == pytest.approx(mean - X.mean(axis=0) @ w, abs=1e-6)


def test_a_penalty_is_the_same_by_name_by_class_and_as_a_tag():
    ways = [{"penalty": "l2", "alpha": 0.3}, {"penalty": gd.penalties.L2, "alpha": 0.3}, {"penalty": gd.penalties.L2(0.3)}]
    first, *others = [gd.fit(X, Y, variant="batch", epochs=5, **way).coef for way in ways]
    for coef in others:
        np.testing.assert_array_equal(coef, first)


def test_a_problem_takes_no_alpha_beside_a_tag():
    with pytest.raises(gd.GdbenchError, match=r"alpha=0.5 is for .* L2\(alpha=0.1\) has its own fields"):
        gd.load_problem("diabetes", penalty=gd.penalties.L2(0.1), alpha=0.5)
    assert gd.load_problem("diabetes", penalty=gd.penalties.L2(0.1)).alpha == 0.1
    assert gd.load_problem("diabetes", penalty=gd.penalties.NoPenalty(), alpha=0.5).alpha == 0.0


def test_classes_of_a_softmax():
    labels = np.array(["ant", "bee", "cat"])[np.argmax(X[:, :3], axis=1)]
    result = gd.fit(X, labels, loss="cross_entropy", epochs=40, learning_rate=0.5)
    assert result.classes == ("ant", "bee", "cat")
    assert result.coef.shape == (3, D) and result.intercept.shape == (3,)
    found = np.array(result.classes)[np.argmax(X @ result.coef.T + result.intercept, axis=1)]
    assert (found == labels).mean() > 0.9
    np.testing.assert_allclose(result.coef.sum(axis=0), 0, atol=1e-12)  # softmax moves no common part


def test_help_names_every_option():
    from gdbench.tasks import setting

    for function in (gd.fit, gd.sweep):
        parameters = inspect.signature(function).parameters
        assert set(setting.OPTIONS) == set(setting.Options.__annotations__) <= set(parameters)
        assert parameters["epochs"].default == 100 and parameters["variant"].default == "mini-batch"
    assert "learning_rates" not in inspect.signature(gd.fit).parameters


def test_a_result_prints_on_one_line():
    X = np.random.default_rng(0).normal(size=(50, 3))
    fit = gd.fit(X, X[:, 0], epochs=3)
    assert repr(fit) == (
        f"<Fit: budget, objective {fit.objective:.6g} after 6 updates, {fit.seconds:.3g} s in the kernels; coef of shape (3,)>"
    )
    sweep = gd.sweep(X, X[:, 0], learning_rates=[0.01, 0.1, 1e6], epochs=200)
    assert repr(sweep).startswith("<Sweep: 3 learning rates from 0.01 to 1e+06, 2 budget, 1 diverged; ")
