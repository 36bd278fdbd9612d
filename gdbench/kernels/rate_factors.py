"""The learning rates of the exact online descent, a stretch of steps at a time."""

from __future__ import annotations

from gdbench.kernels.jit import kernel


@kernel
def inverse_powers(first, power, out):
    """Write (first + i)^(−power) to out[i]: a power for each 16 or 128 numbers, and the binomial series around it.

    Parameters
    ----------
    first : float
    power : float
    out : ndarray of shape (n,), float64
    """
    p = -power
    c1 = p
    c2 = c1 * (p - 1.0) / 2.0
    c3 = c2 * (p - 2.0) / 3.0
    c4 = c3 * (p - 3.0) / 4.0
    c5 = c4 * (p - 4.0) / 5.0
    c6 = c5 * (p - 5.0) / 6.0
    c7 = c6 * (p - 6.0) / 7.0
    c8 = c7 * (p - 7.0) / 8.0
    i = 0
    # The series needs a step that is small beside the number: 7.5⁄512 and 63.5⁄4,352 leave an error under 1e-16, if the power
    # is none that the coefficients grow with.
    direct = abs(power) > 1.0
    while i < out.size and (direct or first + i < 512.0 or out.size - i < 16):
        out[i] = (first + i) ** p
        i += 1
    while i + 16 <= out.size:
        width = 128 if first + i >= 4352.0 and i + 128 <= out.size else 16
        half = 0.5 * (width - 1)
        centre = first + i + half
        anchor = centre**p
        inverse = 1.0 / centre
        for k in range(width):
            u = (k - half) * inverse
            tail = u * (c5 + u * (c6 + u * (c7 + u * c8)))
            out[i + k] = anchor + anchor * (u * (c1 + u * (c2 + u * (c3 + u * (c4 + tail)))))
        i += width
    while i < out.size:
        out[i] = (first + i) ** p
        i += 1


@kernel
def inverses(strength, first, out):
    """Write 1 ⁄ (strength·(first + i)) to out[i].

    Parameters
    ----------
    strength, first : float
    out : ndarray of shape (n,), float64
    """
    for i in range(out.size):
        out[i] = 1.0 / (strength * (first + i))
