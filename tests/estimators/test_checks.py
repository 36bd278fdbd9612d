"""scikit-learn's own checks of an estimator."""

import os
import warnings

import pytest
from sklearn.linear_model import SGDClassifier, SGDRegressor
from sklearn.utils.estimator_checks import check_estimator

from gdbench.estimators import GDClassifier, GDRegressor

# A row of weight 2 is one step of twice the length, two equal rows are two steps: with the same coefficients as
# scikit-learn these two checks can only fail as they do for scikit-learn, which lists them as expected.
OF_SGD = {
    "check_sample_weight_equivalence_on_dense_data": "a weight scales a step, as in scikit-learn",
    "check_sample_weight_equivalence_on_sparse_data": "a weight scales a step, as in scikit-learn",
}

MODELS = [
    GDRegressor(),
    GDClassifier(),
    GDRegressor(optimizer="adam", batch_size=8),
]


def outcome(model):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        results = check_estimator(model, on_fail=None, on_skip=None)
    return {r["check_name"]: r for r in results}


@pytest.mark.parametrize("model", MODELS, ids=repr)
def test_check_estimator(model):
    results = outcome(model)
    failed = {name for name, result in results.items() if result["status"] == "failed"}
    assert failed <= set(OF_SGD), {name: results[name]["exception"] for name in failed}
    if "SCIPY_ARRAY_API" not in os.environ:
        results.pop("check_array_api_input", None)
    assert {name for name, result in results.items() if result["status"] == "skipped"} == set()


@pytest.mark.parametrize("model", [SGDRegressor(), SGDClassifier()], ids=repr)
def test_scikit_learn_fails_the_same_two(model):
    assert {name for name, result in outcome(model).items() if result["status"] == "failed"} == set(OF_SGD)
