"""Memory: the peak of a fit, and how much of it the data itself is not."""

from __future__ import annotations

import resource
import sys

import gdbench as gd

from .common import Compiled, named, regression, sparse, warmed

#: 80 MB of dense values, 84 MB of sparse ones with their columns: a copy of X cannot hide.
ROWS, COLUMNS = 100_000, 100


class Peak(Compiled):
    timeout = 120
    version = "1"
    params = (("dense", "CSR"), ("batch", "stochastic"))
    param_names = ("storage", "variant")

    def setup(self, storage, variant):
        warmed(storage=storage, variant=variant)
        self.X, self.y = regression(ROWS, COLUMNS) if storage == "dense" else sparse(ROWS, 1000, 70)

    def fit(self, variant):
        gd.fit(self.X, self.y, variant=variant, epochs=1, record=2, learning_rate=1e-4)

    @named("peak memory of a process that fits 80 MB")
    def peakmem_fit(self, storage, variant):
        self.fit(variant)

    @named("peak memory over the data's own", unit="× data")
    def track_over_data(self, storage, variant):
        before = peak()
        self.fit(variant)
        return 1.0 + (peak() - before) / size(self.X)


def peak() -> int:
    """The process's peak so far, in bytes (Linux counts in KiB, macOS in bytes)."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)


def size(X) -> int:
    """Bytes of the data."""
    return X.nbytes if hasattr(X, "nbytes") else X.data.nbytes + X.indices.nbytes + X.indptr.nbytes
