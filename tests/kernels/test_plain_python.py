"""Under NUMBA_DISABLE_JIT the same sources run as plain Python and give the same numbers."""

import json
import os
import subprocess
import sys

import numpy as np
import pytest

import gdbench as gd

SCRIPT = """
import json
import numpy as np
import gdbench as gd
from scipy.sparse import csr_matrix

def results():
    rng = np.random.default_rng(5)
    X = rng.normal(size=(23, 3)) * (rng.random((23, 3)) < 0.7)
    y = X @ [1.0, -2.0, 0.5] + 0.1 * rng.normal(size=23)
    short = {"epochs": 2, "record": 3, "learning_rate": 0.05, "seed": 3}
    fits = {
        "mini-batch": gd.fit(X, y, batch_size=8, **short),
        "stochastic": gd.fit(X, y, variant="stochastic", **short),
        "sklearn order": gd.fit(X, y, variant="stochastic", shuffle="sklearn", **short),
        "block order": gd.fit(X, y, variant="stochastic", shuffle="block", **short),
        "sparse": gd.fit(csr_matrix(X), y, batch_size=8, **short),
    }
    found = {name: [*fit.coef.tolist(), fit.intercept, *fit.curve.objective] for name, fit in fits.items()}
    found["sweep"] = gd.sweep(X, y, learning_rates=[0.1, 0.01], epochs=2, record=2).coef.ravel().tolist()
    found["minimize"] = gd.minimize("himmelblau", [4.0, 1.0], learning_rate=0.01, steps=20).x.ravel().tolist()
    found["replay"] = gd.replay("adam", [1.0], [[1.0], [-2.0], [0.5]], 0.1).ravel().tolist()
    return found
"""


@pytest.fixture(scope="module")
def plain():
    done = subprocess.run(
        [sys.executable, "-W", "error::RuntimeWarning", "-c", SCRIPT + "print(json.dumps(results()))"],
        env={**os.environ, "NUMBA_DISABLE_JIT": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.fixture(scope="module")
def compiled():
    space = {}
    exec(SCRIPT, space)
    return space["results"]()


NAMES = ["mini-batch", "stochastic", "sklearn order", "block order", "sparse", "sweep", "minimize", "replay"]


@pytest.mark.parametrize("name", NAMES)
def test_plain_python_gives_the_same_numbers(name, plain, compiled):
    np.testing.assert_allclose(plain[name], compiled[name], rtol=1e-11, atol=1e-14)


def test_every_result_is_compared(compiled):
    assert set(compiled) == set(NAMES) and gd.__version__


def test_every_loop_s_body_agrees_with_its_formula():
    """The whole quick table against NumPy, which would take minutes to compile."""
    words = "from gdbench import parity; print([row.case for row in parity.validate('numpy', quick=True) if not row.passed])"
    done = subprocess.run(
        [sys.executable, "-c", words], env={**os.environ, "NUMBA_DISABLE_JIT": "1"}, capture_output=True, text=True, check=False
    )
    assert done.stdout == "[]\n", done.stdout + done.stderr
