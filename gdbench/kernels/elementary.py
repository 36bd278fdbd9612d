"""e^x, tanh x and log(1 + x) where losses and networks need them: arithmetic that is inlined, in vectors where the loop is.

All are within four units in the last place, in float64 whatever the argument's type.
"""

from __future__ import annotations

import math

import numpy as np

from gdbench.kernels.compile.jit import as_written

#: Below this e^x leaves the normal numbers; it is then taken as e^LOWEST, some 3e-308.
LOWEST = np.float64(-708.0)

#: Added to a number under 2⁵¹, this leaves its nearest integer in the sum's last bits.
ROUNDER = 1.5 * 2.0**52

#: log 2 in two parts: the first has so few digits that its multiples by an exponent are exact.
LOG2_HIGH = float.fromhex("0x1.62e42fefap-1")
LOG2_LOW = float.fromhex("0x1.cf79abc9e3b3ap-40")

PER_LOG2 = 1.0 / math.log(2.0)

#: The bits of 1.0.
ONE = np.int64(1023 << 52)

_2, _3, _4, _5, _6, _7, _8, _9, _10, _11, _12, _13 = (1.0 / math.factorial(n) for n in range(2, 14))


@as_written
def exp_parts(x):
    """e^r − 1 and 2^k of e^x = 2^k·e^r, for x ≤ 0, with |r| ≤ ½ log 2.

    e^r by its series to r¹³, whose rest is under 2⁻⁵⁷, in pairs, so that little waits for little; 2^k is put together from
    its bits.
    """
    x = np.float64(x)
    x = LOWEST if x < LOWEST else x  # NaN stays
    rounded = np.float64(x * PER_LOG2 + ROUNDER)
    k = rounded - ROUNDER
    r = (x - k * LOG2_HIGH) - k * LOG2_LOW
    r2 = r * r
    r4 = r2 * r2
    low = (_2 + _3 * r) * r2 + ((_4 + _5 * r) + (_6 + _7 * r) * r2) * r4
    high = ((_8 + _9 * r) + (_10 + _11 * r) * r2) + (_12 + _13 * r) * r4
    return r + (low + high * (r4 * r4)), np.int64((rounded.view(np.int64) << np.int64(52)) + ONE).view(np.float64)


@as_written
def exp_below(x):
    """e^x for x ≤ 0."""
    part, power = exp_parts(x)
    return power + power * part


@as_written
def exponential(x):
    """e^x; where it would overflow, and below e^LOWEST, the nearest that does not: the steps that led there have diverged."""
    e = exp_below(-abs(x))
    return 1.0 / e if x > 0.0 else e


@as_written
def hyperbolic_tangent(x):
    """tanh x = −t ⁄ (2 + t) with t = e^(−2|x|) − 1, in x's sign: small x keep their digits."""
    part, power = exp_parts(-2.0 * abs(x))
    t = power * part + (power - 1.0)
    size = (0.0 - t) / (2.0 + t)
    return -size if x < 0.0 else size


@as_written
def log_one_plus(x):
    """log(1 + x) for 0 ≤ x ≤ 1: twice the series of the inverse hyperbolic tangent of x ⁄ (2 + x) ≤ ⅓, to its 29th power."""
    x = np.float64(x)
    s = x / (2.0 + x)
    u = s * s
    u2 = u * u
    u4 = u2 * u2
    u8 = u4 * u4
    a = ((1 / 3 + u * (1 / 5)) + (1 / 7 + u * (1 / 9)) * u2) + ((1 / 11 + u * (1 / 13)) + (1 / 15 + u * (1 / 17)) * u2) * u4
    b = ((1 / 19 + u * (1 / 21)) + (1 / 23 + u * (1 / 25)) * u2) + (1 / 27 + u * (1 / 29)) * u4
    return 2.0 * (s + s * u * (a + b * u8))
