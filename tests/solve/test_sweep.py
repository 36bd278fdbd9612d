"""sweep: each lane is the fit at its rate."""

import numpy as np
import pandas as pd
import pytest

import gdbench as gd
from gdbench.kernels.lanes import FEWEST

RNG = np.random.default_rng(11)
N, D = 70, 6
X = RNG.normal(size=(N, D))
Y = X @ RNG.normal(size=D) - 0.3
RATES = [0.3, 0.1, 0.03, 0.01, 0.003]  # a block of four lanes, and one more
MANY = [float(rate) for rate in np.geomspace(0.003, 0.3, FEWEST + 1)]  # side by side, and not as many as they come in
VARIANTS = ["batch", "stochastic", "mini-batch"]
REMEMBER = ("sag", "saga", "svrg")  # learn row by row only


def assert_lanes_are_fits(x, y, rates, **options):
    sweep = gd.sweep(x, y, learning_rates=rates, **options)
    np.testing.assert_array_equal(sweep.learning_rates, rates)
    for lane, rate in enumerate(rates):
        alone = gd.fit(x, y, learning_rate=rate, **options)
        np.testing.assert_allclose(sweep.coef[lane], alone.coef, rtol=1e-12, atol=1e-12)
        np.testing.assert_allclose(sweep.intercept[lane], alone.intercept, rtol=1e-12, atol=1e-12)
        assert sweep.status[lane] == sweep.fits[lane].status == alone.status
        found, wanted = (np.asarray(fit.curve.objective) for fit in (sweep.fits[lane], alone))
        # Targets of about 1 leave a rounding of 1e-15 in each residual r, and f = r²/2 moves by r·1e-15 = √(2f)·1e-15.
        np.testing.assert_array_less(np.abs(found - wanted), 1e-11 * wanted + 1e-15 * np.sqrt(2 * wanted) + 1e-30)
        np.testing.assert_array_equal(sweep.fits[lane].curve.step, alone.curve.step)
    return sweep


@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize("rates", [RATES, MANY], ids=["few", "many"])
def test_each_lane_is_the_fit_at_its_rate(variant, rates):
    sweep = assert_lanes_are_fits(X, Y, rates, variant=variant, epochs=4, record=8)
    assert sweep.coef.shape == (len(rates), D) and sweep.intercept.shape == (len(rates),)
    assert len(sweep.fits) == len(sweep.reason) == len(rates)


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize(
    "options",
    [
        {"penalty": "l2", "alpha": 0.01},
        {"fit_intercept": False},
        {"sample_weight": 1 + X[:, 0] ** 2, "learning_rate": gd.schedules.InvScaling()},
        {"loss": "log_loss", "penalty": "l2"},
    ],
    ids=["l2", "no intercept", "weighted", "classes"],
)
def test_lanes_side_by_side_in_plain_descent(options, dtype):
    x, y = X.astype(dtype), (np.sign(Y) if "loss" in options else Y).astype(dtype)
    rates = MANY if "learning_rate" not in options else MANY[:FEWEST]
    sweep = gd.sweep(x, y, learning_rates=rates, variant="stochastic", epochs=4, record=8, **options)
    for lane, rate in enumerate(rates):
        shape = options.get("learning_rate")
        own = {**options, "learning_rate": shape._replace(learning_rate=rate) if shape else rate}
        alone = gd.fit(x, y, variant="stochastic", epochs=4, record=8, **own)
        eps = 1e-12 if dtype is np.float64 else 2e-5  # float32: 280 steps, each rounded another way
        np.testing.assert_allclose(sweep.coef[lane], alone.coef, rtol=eps, atol=eps)
        np.testing.assert_allclose(sweep.intercept[lane], alone.intercept, rtol=eps, atol=eps)


QUICK = ("adam",)


@pytest.mark.parametrize(
    "optimizer",
    [
        name if name in QUICK else pytest.param(name, marks=pytest.mark.slow)
        for name in gd.optimizers.registry.names()
        if name not in (*REMEMBER, "gd", "rprop")
    ],
)
def test_lanes_side_by_side_for_every_optimizer(optimizer):
    options = {"optimizer": optimizer, "penalty": "elasticnet", "alpha": 1e-3, "epochs": 2, "record": 4}
    for variant in ("stochastic", "mini-batch"):
        assert_lanes_are_fits(X, Y, MANY, variant=variant, **options)


@pytest.mark.parametrize("loss", [pytest.param(name, marks=pytest.mark.slow) for name in gd.losses.registry.names()])
def test_lanes_side_by_side_for_every_loss(loss):
    domain = gd.losses.registry[loss].domain
    if domain == "class":
        pytest.skip("lanes of classes lie one after the other")
    y = np.sign(Y) if domain == "sign" else np.abs(Y) + 0.5
    for variant in ("stochastic", "batch"):
        assert_lanes_are_fits(X, y, MANY, loss=loss, variant=variant, epochs=3, record=4, sample_weight=1 + X[:, 0] ** 2)


@pytest.mark.parametrize("schedule", ["adaptive", "backtracking", "barzilai-borwein", "cosine"])
def test_lanes_side_by_side_under_a_schedule(schedule):
    shape = gd.schedules.registry.make(schedule)
    rates, variant = np.linspace(0.01, 0.2, FEWEST), "batch" if getattr(shape, "listens", "") == "step" else "stochastic"
    sweep = gd.sweep(X, Y, learning_rates=rates, learning_rate=shape, variant=variant, epochs=4)
    for lane in (0, FEWEST - 1):
        alone = gd.fit(X, Y, learning_rate=shape._replace(learning_rate=float(rates[lane])), variant=variant, epochs=4)
        np.testing.assert_allclose(sweep.coef[lane], alone.coef, rtol=1e-10)  # a search divides differences


@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize("rest", [2, FEWEST], ids=["few", "many"])
def test_diverged_lanes_disturb_no_other(variant, rest):
    """The lanes beside them are the same to the bit as without them in their places."""
    options = {"variant": variant, "epochs": 30}
    wild = gd.sweep(X, Y, learning_rates=[1e6, 0.02, 1e300, 0.01] + rest * [0.01], **options)
    tame = gd.sweep(X, Y, learning_rates=[0.03, 0.02, 0.03, 0.01] + rest * [0.01], **options)
    assert wild.status[0] == wild.status[2] == "diverged" and wild.status[1] == wild.status[3] == "budget"
    np.testing.assert_array_equal(wild.coef[[1, 3]], tame.coef[[1, 3]])
    assert wild.reason[0] and not wild.reason[1]
    assert wild.fits[0].curve.step.iloc[-1] < wild.fits[1].curve.step.iloc[-1]


def test_all_lanes_diverged_end_the_pass():
    sweep = gd.sweep(X, Y, learning_rates=[1e3, 1e4], epochs=100000)
    assert sweep.status == ("diverged", "diverged") and sweep.fits[0].n_updates < 1000


def test_lanes_converge_each_in_its_time():
    sweep = gd.sweep(X, Y, learning_rates=[0.3, 0.1], variant="batch", epochs=3000, tol=1e-12)
    assert sweep.status == ("converged", "converged")
    assert sweep.fits[0].n_updates < sweep.fits[1].n_updates
    assert sweep.fits[0].n_updates == gd.fit(X, Y, learning_rate=0.3, variant="batch", epochs=3000, tol=1e-12).n_updates


def test_curve_has_the_rate_of_each_point():
    curve = gd.sweep(X, Y, learning_rates=RATES, epochs=3, record=5).curve
    assert isinstance(curve, pd.DataFrame) and set(curve.learning_rate) == set(RATES)
    assert {"step", "epoch", "samples", "seconds", "objective", "gradient_norm"} <= set(curve.columns)
    assert (curve.groupby("learning_rate").size() == curve.groupby("learning_rate").size().iloc[0]).all()


def test_a_schedule_keeps_its_shape():
    shape = gd.schedules.InvScaling(power_t=0.5)
    sweep = gd.sweep(X, Y, learning_rates=[0.2, 0.1], learning_rate=shape, epochs=3)
    alone = gd.fit(X, Y, learning_rate=gd.schedules.InvScaling(0.1, power_t=0.5), epochs=3)
    np.testing.assert_allclose(sweep.coef[1], alone.coef, rtol=1e-12)


@pytest.mark.parametrize("threads", [2, 3])
@pytest.mark.parametrize("lanes", [11, 45])
@pytest.mark.parametrize("variant", VARIANTS)
def test_threads_change_no_bit(threads, lanes, variant):
    rates = np.geomspace(0.3, 0.001, lanes)
    one, more = (gd.sweep(X, Y, learning_rates=rates, variant=variant, epochs=3, threads=number) for number in (1, threads))
    assert more.coef.shape == (lanes, D)
    np.testing.assert_array_equal(one.coef, more.coef)
    np.testing.assert_array_equal(one.learning_rates, more.learning_rates)
    assert one.status == more.status


def test_one_rate_is_a_sweep_of_one():
    sweep = gd.sweep(X, Y, learning_rates=[0.05], epochs=3)
    assert sweep.coef.shape == (1, D)
    np.testing.assert_array_equal(sweep.coef[0], gd.fit(X, Y, learning_rate=0.05, epochs=3).coef)


def test_classes_and_lanes():
    labels = np.argmax(X[:, :3], axis=1)
    sweep = gd.sweep(X, labels, learning_rates=[0.3, 0.1], loss="cross_entropy", epochs=3)
    assert sweep.coef.shape == (2, 3, D) and sweep.intercept.shape == (2, 3)
    alone = gd.fit(X, labels, learning_rate=0.1, loss="cross_entropy", epochs=3)
    np.testing.assert_allclose(sweep.coef[1], alone.coef, rtol=1e-12, atol=1e-14)
