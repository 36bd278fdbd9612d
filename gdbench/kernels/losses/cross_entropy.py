"""Cross-entropy of several classes through the softmax."""

import math
from typing import NamedTuple

from gdbench.kernels.elementary import exp_below, log_one_plus


class CrossEntropy(NamedTuple):
    """log Σₖ e^(zₖ) − z_y for a class y in 0…K−1; derivative softmax(z)ₖ − [k = y].

    The largest margin is subtracted first, so that no margin overflows. The loss couples the K margins of a row, so it
    works on a group of them; ``value`` and ``derivative`` are its two-class form, with the first margin at zero.
    """

    name = "cross_entropy"
    domain = "class"
    link = "softmax"
    smoothness = 0.5

    def value(self, z, y):
        return log_one_plus(exp_below(-abs(z))) + max(z, 0.0) - z * y

    def derivative(self, z, y):
        e = exp_below(-abs(z))
        return (1.0 if z > 0.0 else e) / (1.0 + e) - y

    def value_group(self, z, y, first, classes):
        top = z[first]
        for k in range(first + 1, first + classes):
            top = max(top, z[k])
        total = 0.0
        for k in range(first, first + classes):
            total += exp_below(z[k] - top)
        return math.log(total) + top - z[first + int(y)]

    def derive_group(self, z, y, c, first, classes):
        top = z[first]
        for k in range(first + 1, first + classes):
            top = max(top, z[k])
        total = 0.0
        for k in range(first, first + classes):
            c[k] = exp_below(z[k] - top)
            total += c[k]
        for k in range(first, first + classes):
            c[k] /= total
        c[first + int(y)] -= 1.0
