"""The running means that the kin of Adam share."""

from __future__ import annotations

from gdbench.kernels.compile.jit import inlined


@inlined
def running(share, before, now):
    """A running mean of which `share` is kept."""
    return share * before + (1 - share) * now


@inlined
def moments(rule, g, state):
    """Adam's running means of g and of g²."""
    m, v = state
    return running(rule.beta1, m, g), rule.beta2 * v + (1 - rule.beta2) * g * g
