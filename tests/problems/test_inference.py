"""When the numbers of a target are classes, and when they are quantities."""

import numpy as np
import pytest

from gdbench.problems.targets import infer


def repeated(values, times):
    return np.tile(np.asarray(values), times)


@pytest.mark.parametrize(
    ("target", "task"),
    [
        (repeated([0, 1, 2], 10), "multiclass"),
        (repeated([1.0, 2.0, 3.0], 10), "multiclass"),
        (repeated(np.arange(20), 10), "multiclass"),
        (repeated([0, 1], 2), "binary"),
        (repeated([-1, 1], 2), "binary"),
        (repeated(["a", "b", "c"], 1), "multiclass"),
        # few rows each: more likely marks or counts than classes
        (repeated([0, 1, 2], 9), "regression"),
        (repeated([1, 2, 3, 4, 5], 1), "regression"),
        # more kinds than anyone calls classes, holes, fractions, another beginning
        (repeated(np.arange(21), 50), "regression"),
        (repeated([0, 1, 3], 50), "regression"),
        (repeated([0.0, 0.5, 1.0], 50), "regression"),
        (repeated([2, 3, 4], 50), "regression"),
        (repeated([7], 50), "regression"),
    ],
)
def test_numbers_are_classes_where_they_are_few_whole_and_often(target, task):
    assert infer(target) == task
