"""How fast memory can be read: the floor under every pass over the data."""

from gdbench.kernels.compile.jit import kernel
from gdbench.kernels.data import prefetch_row


@kernel
def total(x):
    """Σ xᵢ of an array of shape (n,), which is vectorised: nothing but reading."""
    s = x[0] * 0
    for i in range(x.size):
        s += x[i]
    return s


#: Rows ahead of their use that a plain sum over rows prefetches them.
AHEAD = 8


@kernel
def total_of_rows(data, order):
    """The sum of all values of dense rows, read in that order, each asked for ahead of its turn, in one go."""
    x = data.values
    s = x[0, 0] * 0
    for r in range(order.size):
        if r + AHEAD < order.size:
            prefetch_row(data, order[r + AHEAD], order[r + AHEAD])
        for j in range(x.shape[1]):
            s += x[order[r], j]
    return s
