"""Row orders: in which order an epoch visits the rows.

An order is a NamedTuple with one body, ``arrange(self, index, epoch)``: it rearranges the row numbers in
place for the epoch (counted from 0), given as the epoch before left them. It depends on the seed and the epoch alone, so
the same seed gives the same order on every machine.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np

from gdbench.kernels.compile.jit import inlined, kernel
from gdbench.kernels.compile.tags import operation
from gdbench.kernels.registry import Registry

arrange = operation("arrange")
registry = Registry("shuffle", "arrange")

#: Rows in a block of the "block" order: a page or more of memory each, and enough of them to mix.
BLOCK = 256

#: Row numbers that the second-level cache holds: so many are shuffled by exchanges, which are then as fast and exactly uniform.
NEAR = 1 << 15

GOLDEN = np.uint64(0x9E3779B97F4A7C15)
MIX1 = np.uint64(0xBF58476D1CE4E5B9)
MIX2 = np.uint64(0x94D049BB133111EB)


@inlined
def hashed(seed, counter):
    """64 well-mixed bits of a seed and a counter: SplitMix64 (Steele, Lea and Flood, OOPSLA 2014).

    A hash of a counter, not a chain of states, so that the processor computes several draws at once.
    """
    z = np.uint64(seed) + (np.uint64(counter) + np.uint64(1)) * GOLDEN
    z = (z ^ (z >> np.uint64(30))) * MIX1
    z = (z ^ (z >> np.uint64(27))) * MIX2
    return z ^ (z >> np.uint64(31))


@inlined
def below(bits, bound):
    """A number in 0…bound − 1 from 64 random bits (Lemire's multiplication; its bias is under bound ⁄ 2³²)."""
    return np.int64(((bits >> np.uint64(32)) * np.uint64(bound)) >> np.uint64(32))


@inlined
def swap(index, i, j):
    """Exchange index[i] and index[j], both counted from the front."""
    index[np.uintp(i)], index[np.uintp(j)] = index[np.uintp(j)], index[np.uintp(i)]


@inlined
def shuffle(index, seed, first, last):
    """Permute index[first:last] at random (Fisher and Yates), two draws from each 64 random bits."""
    for i in range(first, last - 1, 2):
        bits = hashed(seed, i)
        swap(index, i, i + below(bits, last - i))
        if i + 2 < last:
            swap(index, i + 1, i + 1 + below(bits << np.uint64(32), last - i - 1))


@inlined
def drawn(x, key, bound):
    """A number in 0…bound − 1, hashed from x and a key in 32-bit arithmetic; `bound` is at most 2¹⁶."""
    z = np.uint32((x ^ key) * np.uint32(0x7FEB352D))
    z = np.uint32(z ^ (z >> np.uint32(15)))
    z = np.uint32(z * np.uint32(0x846CA68B))
    return np.uint32(np.uint32(np.uint32(z >> np.uint32(16)) * bound) >> np.uint32(16))


@inlined
def add_modulo(x, y, bound):
    """(x + y) mod bound, of two numbers below it: the smaller of the sum and, as unsigned numbers, the sum less `bound`."""
    total = np.uint32(x + y)
    return min(total, np.uint32(total - bound))


@inlined
def mixed(high, low, rows, columns, keys):
    """Another cell of a grid for each cell, as its number row by row: an unbalanced Feistel network of six rounds."""
    high = add_modulo(high, drawn(low, keys[0], rows), rows)
    low = add_modulo(low, drawn(high, keys[1], columns), columns)
    high = add_modulo(high, drawn(low, keys[2], rows), rows)
    low = add_modulo(low, drawn(high, keys[3], columns), columns)
    high = add_modulo(high, drawn(low, keys[4], rows), rows)
    low = add_modulo(low, drawn(high, keys[5], columns), columns)
    return np.uint32(np.uint32(high * columns) + low)


@inlined
def permute_by_network(index, seed):
    """Write a pseudo-random permutation of 0, …, n − 1 to `index`, in sequence: nothing is written at random places.

    The numbers are the cells of a grid of about √n by √n, of which the last row may be incomplete. A number that lands beyond
    the n-th cell is mixed again until it does not ("cycle walking"), which leaves the map one to one.

    References
    ----------
    J. Black and P. Rogaway, "Ciphers with Arbitrary Finite Domains", CT-RSA 2002, sections 3 and 4.
    """
    n = index.size
    rows = int(math.sqrt(n))
    columns = (n + rows - 1) // rows
    a, b = np.uint32(rows), np.uint32(columns)
    keys = (
        np.uint32(hashed(seed, 0) >> np.uint64(32)),
        np.uint32(hashed(seed, 1) >> np.uint64(32)),
        np.uint32(hashed(seed, 2) >> np.uint64(32)),
        np.uint32(hashed(seed, 3) >> np.uint64(32)),
        np.uint32(hashed(seed, 4) >> np.uint64(32)),
        np.uint32(hashed(seed, 5) >> np.uint64(32)),
    )
    for high in range(rows):
        first = high * columns
        number = min(columns, n - first)
        for low in range(number):  # one without a jump, so that the compiler makes vectors of it
            index[np.uintp(first + low)] = np.int32(mixed(np.uint32(high), np.uint32(low), a, b, keys))
        for low in range(number):
            cell = np.int64(np.uint32(index[np.uintp(first + low)]))
            while cell >= n:
                cell = np.int64(mixed(np.uint32(cell // columns), np.uint32(cell % columns), a, b, keys))
            index[np.uintp(first + low)] = cell


@inlined
def permute(index, seed):
    """Write a random permutation of 0, …, n − 1 to `index`."""
    if index.size > NEAR:
        permute_by_network(index, seed)
    else:
        for i in range(index.size):
            index[i] = i
        shuffle(index, seed, 0, index.size)


@registry.register
class Sequential(NamedTuple):
    """The rows as they stand."""

    seed: int = 0
    name = "none"

    def arrange(self, index, epoch):
        pass


@registry.register
class EachEpoch(NamedTuple):
    """A new permutation each epoch."""

    seed: int = 0
    name = "epoch"

    def arrange(self, index, epoch):
        permute(index, hashed(self.seed, epoch))


@registry.register
class Once(NamedTuple):
    """One permutation for all epochs. `fit` copies the rows into that order first, so that they are read in sequence."""

    seed: int = 0
    name = "once"

    def arrange(self, index, epoch):
        if epoch == 0:
            permute(index, hashed(self.seed, 0))


@registry.register
class Block(NamedTuple):
    """Blocks of `BLOCK` neighbouring rows in random order, and the rows within each: nearly as random, read nearly in sequence.

    The last, shorter block takes part at its own place.
    """

    seed: int = 0
    name = "block"

    def arrange(self, index, epoch):
        n = index.size
        blocks = n // BLOCK
        start = hashed(self.seed, epoch)
        place = np.empty(blocks, np.int64)
        for b in range(blocks):
            place[b] = b
        shuffle(place, start, 0, blocks)
        for b in range(blocks):
            for r in range(BLOCK):
                index[b * BLOCK + r] = place[b] * BLOCK + r
            shuffle(index, hashed(start, b), b * BLOCK, (b + 1) * BLOCK)
        for r in range(blocks * BLOCK, n):
            index[r] = r
        shuffle(index, hashed(start, blocks), blocks * BLOCK, n)


@registry.register
class Replacement(NamedTuple):
    """Every row drawn anew from all rows: an epoch is n draws, some rows twice, some not at all."""

    seed: int = 0
    name = "replacement"

    def arrange(self, index, epoch):
        start = hashed(self.seed, epoch)
        for i in range(index.size):
            index[i] = below(hashed(start, i), index.size)


@registry.register
class Sklearn(NamedTuple):
    """The exact order of scikit-learn's SGD estimators for a ``random_state``.

    Each epoch shuffles the already shuffled rows with the same 32-bit xorshift (13, 17, 5) from the same start, the
    number that ``RandomState(random_state).randint(2³¹ − 1)`` draws.

    Attributes
    ----------
    seed : int
        That drawn number; a zero counts as 1.
    again, spare : ndarrays of shape (n,), int32
        What one shuffle does to 0, …, n − 1, and room for as many: to do the same to an epoch's rows takes a third of the time
        that drawing it anew takes. Empty before :meth:`for_rows`.
    """

    seed: int = 0
    again: Any = np.empty(0, np.int32)
    spare: Any = np.empty(0, np.int32)
    name = "sklearn"

    def for_rows(self, n):
        """The same, ready for n rows."""
        again = np.arange(n, dtype=np.int32)
        arrange_epoch(Sklearn(self.seed), again, 0)
        return Sklearn(self.seed, again, np.empty(n, np.int32))

    def arrange(self, index, epoch):
        if self.again.size == index.size:
            for i in range(index.size):
                self.spare[i] = index[np.uintp(self.again[i])]
            for i in range(index.size):  # as a slice it would take three times as long
                index[i] = self.spare[i]
            return
        r = np.uint32(max(self.seed, 1))
        n = index.size
        for i in range(n - 1):
            r ^= np.uint32(r << np.uint32(13))
            r ^= np.uint32(r >> np.uint32(17))
            r ^= np.uint32(r << np.uint32(5))
            j = i + np.int64(np.uint32(r & np.uint32(0x7FFFFFFF)) % np.uint32(n - i))
            index[i], index[j] = index[j], index[i]


def sklearn_seed(random_state: int, classifier: bool) -> int:
    """The start of scikit-learn's generator for an integer ``random_state``.

    SGDRegressor takes the first number drawn from it; SGDClassifier (two classes) the second, as it seeds its data set first.
    """
    generator = np.random.RandomState(random_state)
    largest = np.iinfo(np.int32).max
    if classifier:
        generator.randint(1, largest)
    return int(generator.randint(0, largest))


def make(name: str, seed: int, classifier: bool = False, rows: int = 0) -> NamedTuple:
    """The row order of that name; for ``"sklearn"`` the seed is the estimator's ``random_state``.

    It arranges any number of rows; told their number beforehand, it may be faster.
    """
    tag = registry[name](seed=sklearn_seed(seed, classifier) if name == "sklearn" else seed)
    return tag.for_rows(rows) if hasattr(tag, "for_rows") else tag


@kernel
def arrange_epochs(order, index, epoch, out):
    """Arrange `index` for epoch, epoch + 1, ... in turn and copy each to a row of `out`.

    Parameters
    ----------
    order : tag of this module
    index : ndarray of shape (n,), int32
        Changed in place; holds the last epoch's order afterwards.
    epoch : int
        The first epoch, from 0.
    out : ndarray of shape (epochs, n), int32
    """
    for e in range(out.shape[0]):
        arrange(order, index, epoch + e)
        for i in range(index.size):
            out[e, i] = index[i]


@kernel
def arrange_epoch(order, index, epoch):
    """Arrange `index` for one epoch, in place."""
    arrange(order, index, epoch)
