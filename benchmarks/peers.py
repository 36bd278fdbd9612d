"""gdbench against its peers, in pairs within one process: ``python benchmarks/peers.py [--quick] [--json FILE] [--table FILE]``.

Each row of the table is one piece of work. A and B are run in turn, several rounds, and what counts is the ratio B ⁄ A
pair by pair: its median, and its spread. The noise is the same figure with A on both sides. Times are marginal: the time of
a long run minus that of a short one, over the epochs between, so that start-up, validation and compilation cancel. A run that
does not count goes before, of A as of B: what the other one drove out of the caches is no part of an epoch.
"""

from __future__ import annotations

import os

for _name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(_name, "1")

import argparse
import json
import statistics
import subprocess
import tempfile
import time
import warnings
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

import gdbench as gd
from gdbench.kernels.bandwidth import total_of_rows
from gdbench.kernels.caches import last_level, level_of, second_level
from gdbench.kernels.data import Dense
from gdbench.suite import machine

RATE = 1e-4

#: From an argument (how many epochs) to the seconds that many take.
Timer = Callable[[int], float]


@dataclass
class Row:
    """A line of the table: milliseconds an epoch, the median ratio with its quartiles, the A/A noise, GB/s.

    The speed is given as a share of what a plain sum reads of an array in the same level of memory and, where rows come in random
    order, of what a plain sum over rows of that length in random order reads; 0 otherwise.
    """

    work: str
    peer: str
    ours_ms: float
    peer_ms: float
    ratio: float
    low: float
    high: float
    noise: float
    gb_per_second: float
    share_of_bandwidth: float
    share_of_random_rows: float
    level: str
    level_gb_per_second: float


def marginal(timer: Timer, epochs: int) -> float:
    """Seconds an epoch, from runs of `epochs` and of 3·`epochs`, after one that is not counted."""
    timer(epochs)
    return max((timer(3 * epochs) - timer(epochs)) / (2 * epochs), 1e-9)


def compare(work: str, peer: str, ours: Timer, theirs: Timer, epochs: tuple[int, int], rounds: int, size: tuple[int, int]) -> Row:
    """Time the pair in turn; `size` is the bytes of the data, and of a row where rows are read in random order, or 0."""
    ours(1), theirs(1)
    a, b, again = [], [], []
    for _ in range(rounds):
        a.append(marginal(ours, epochs[0]))
        b.append(marginal(theirs, epochs[1]))
        again.append(marginal(ours, epochs[0]))
    ratios = sorted(y / x for x, y in zip(a, b, strict=True))
    noise = statistics.median(abs(y / x - 1) for x, y in zip(a, again, strict=True))
    best, quarter = statistics.median(a), len(ratios) // 4
    speed = size[0] / best / 1e9
    return Row(
        work=work,
        peer=peer,
        ours_ms=best * 1e3,
        peer_ms=statistics.median(b) * 1e3,
        ratio=statistics.median(ratios),
        low=ratios[quarter],
        high=ratios[-1 - quarter],
        noise=noise,
        gb_per_second=speed,
        share_of_bandwidth=speed / bandwidth(level_of(size[0])),
        share_of_random_rows=speed / random_rows(*size) if size[1] else 0.0,
        level=level_of(size[0]),
        level_gb_per_second=bandwidth(level_of(size[0])),
    )


def bandwidth(level: str = "memory", _known: dict[str, float] = {}) -> float:  # noqa: B006 - measured once
    """What one core reads in GB/s of an array in that level, "L2", "L3" or "memory"."""
    if not _known:
        _known.update(machine.read_bandwidth_by_level())
    return _known[level]


def rows_in_memory(d: int, quick: bool) -> int:
    """How many rows of d numbers take four times the last cache, but no more than an eighth of the memory: peers copy them."""
    size = min(4 * last_level(), (machine.memory_bytes() or 2**33) // 8)
    return max(1, round(size / (8 * d) / (5 if quick else 1) / 1000)) * 1000


def random_rows(size: int, row: int, _known: dict[tuple[int, int], float] = {}) -> float:  # noqa: B006 - measured once
    """What one core reads of rows of that many bytes, `size` bytes of them, in random order, in GB/s: the best of several."""
    if (size, row) not in _known:
        data = Dense(np.ones((max(1, size // row), max(1, row // 8))))
        order = np.random.default_rng(0).permutation(len(data.values)).astype(np.int32)
        total_of_rows(data, order)
        _known[size, row] = max(data.values.nbytes / timed(lambda: total_of_rows(data, order)) / 1e9 for _ in range(7))
    return _known[size, row]


def timed(work: Callable[[], object]) -> float:
    """The seconds that a call takes."""
    begin = time.perf_counter()
    work()
    return time.perf_counter() - begin


def regression(n: int, d: int, dtype=np.float64) -> tuple[np.ndarray, np.ndarray]:
    """Gaussian rows and a noisy linear target."""
    generator = np.random.default_rng(0)
    X = generator.standard_normal((n, d)).astype(dtype)
    y = (X @ generator.standard_normal(d) + generator.standard_normal(n)).astype(dtype)
    return X, y


def sparse(n: int, d: int, stored: int):
    """Rows of `stored` Gaussian values in random columns."""
    from scipy.sparse import csr_matrix

    generator = np.random.default_rng(0)
    columns = np.sort(generator.integers(0, d, (n, stored)), axis=1).astype(np.int32)
    pointers = np.arange(0, n * stored + 1, stored, dtype=np.int32)
    X = csr_matrix((generator.standard_normal(n * stored), columns.ravel(), pointers), shape=(n, d))
    X.sum_duplicates()
    return X, np.asarray(X @ generator.standard_normal(d))


def gdbench_timer(X, y, **options) -> Timer:
    """Seconds on the clock of a fit."""
    options = {"learning_rate": RATE, "record": 2, **options}
    return lambda epochs: gd.fit(X, y, epochs=epochs, **options).seconds


def sklearn_timer(X, y) -> Timer:
    """Seconds of SGDRegressor's fit."""
    from sklearn.linear_model import SGDRegressor

    def run(epochs: int) -> float:
        model = SGDRegressor(penalty=None, tol=None, max_iter=epochs, learning_rate="constant", eta0=RATE, random_state=0)
        return timed(lambda: model.fit(X, y))

    return run


def estimator_timer(cls: type, X, y, **options) -> Timer:
    """Seconds of an estimator's whole fit."""

    def run(epochs: int) -> float:
        model = cls(max_iter=epochs, tol=None, random_state=0, **options)
        return timed(lambda: model.fit(X, y))

    return run


def numpy_batch_timer(X, y) -> Timer:
    """Seconds of batch descent as two passes of BLAS."""

    def run(epochs: int) -> float:
        w = np.zeros(X.shape[1])

        def work() -> None:
            nonlocal w
            for _ in range(epochs):
                w -= RATE * (X.T @ (X @ w - y)) / len(y)

        return timed(work)

    return run


def numpy_adam_timer(X, y, batch: int) -> Timer:
    """Seconds of mini-batch Adam in NumPy."""

    def run(epochs: int) -> float:
        w, m, v, t = np.zeros(X.shape[1]), np.zeros(X.shape[1]), np.zeros(X.shape[1]), 0
        generator = np.random.default_rng(0)

        def work() -> None:
            nonlocal w, m, v, t
            for _ in range(epochs):
                order = generator.permutation(len(y))
                for first in range(0, len(y), batch):
                    rows = order[first : first + batch]
                    A = X[rows]
                    g = A.T @ (A @ w - y[rows]) / len(rows)
                    t += 1
                    m = 0.9 * m + 0.1 * g
                    v = 0.999 * v + 0.001 * g * g
                    w = w - RATE * (m / (1 - 0.9**t)) / (np.sqrt(v / (1 - 0.999**t)) + 1e-8)

        return timed(work)

    return run


def torch_epochs(epochs: int, n: int, batch: int, rule, loss: Callable) -> None:
    """Epochs of mini-batch descent in PyTorch, eager, on a loss of the rows of a batch."""
    import torch

    for _ in range(epochs):
        order = torch.randperm(n)
        for first in range(0, n, batch):
            rule.zero_grad()
            loss(order[first : first + batch]).backward()
            rule.step()


def torch_adam_timer(X, y, batch: int) -> Timer:
    """Seconds of mini-batch Adam in PyTorch, eager."""
    import torch

    torch.set_num_threads(1)
    A, b = torch.from_numpy(X), torch.from_numpy(y)

    def run(epochs: int) -> float:
        w = torch.zeros(X.shape[1], dtype=A.dtype, requires_grad=True)
        rule = torch.optim.Adam([w], lr=RATE)

        def loss(rows):
            return 0.5 * ((A[rows] @ w - b[rows]) ** 2).mean()

        return timed(lambda: torch_epochs(epochs, len(b), batch, rule, loss))

    return run


def optax_adam_timer(X, y, batch: int) -> Timer:
    """Seconds of mini-batch Adam in optax, an epoch as one jitted scan."""
    import jax
    import jax.numpy as jnp
    import optax

    jax.config.update("jax_enable_x64", True)
    A, b, rule = jnp.asarray(X), jnp.asarray(y), optax.adam(RATE)
    steps = len(y) // batch

    def loss(w, rows):
        return 0.5 * jnp.mean((A[rows] @ w - b[rows]) ** 2)

    def step(carry, rows):
        w, state = carry
        change, state = rule.update(jax.grad(loss)(w, rows), state)
        return (optax.apply_updates(w, change), state), None

    @jax.jit
    def epoch(carry, order):
        return jax.lax.scan(step, carry, order.reshape(steps, batch))[0]

    def run(epochs: int) -> float:
        w = jnp.zeros(X.shape[1])
        carry, generator = (w, rule.init(w)), np.random.default_rng(0)

        def work() -> None:
            nonlocal carry
            for _ in range(epochs):
                carry = epoch(carry, jnp.asarray(generator.permutation(len(y))[: steps * batch]))
            jax.block_until_ready(carry[0])

        return timed(work)

    return run


def torch_mlp_timer(X, y, hidden: int, batch: int) -> Timer:
    """Seconds of mini-batch descent on a network of one hidden layer in PyTorch, eager."""
    import torch

    torch.set_num_threads(1)
    A, b = torch.from_numpy(X), torch.from_numpy(y)
    real = b.is_floating_point()
    out = 1 if real else int(b.max()) + 1

    def run(epochs: int) -> float:
        kind = {"dtype": A.dtype}
        layers = torch.nn.Linear(X.shape[1], hidden, **kind), torch.nn.Tanh(), torch.nn.Linear(hidden, out, **kind)
        network = torch.nn.Sequential(*layers)
        rule = torch.optim.SGD(network.parameters(), lr=RATE)

        def loss(rows):
            z = network(A[rows])
            return 0.5 * ((z[:, 0] - b[rows]) ** 2).mean() if real else torch.nn.functional.cross_entropy(z, b[rows])

        return timed(lambda: torch_epochs(epochs, len(b), batch, rule, loss))

    return run


def vowpal_timer(X, y) -> Timer:
    """Seconds of Vowpal Wabbit's passes over its cached input."""
    folder = Path(tempfile.mkdtemp())
    lines = (f"{t} | " + " ".join(f"f{j}:{v:.6g}" for j, v in enumerate(row)) for t, row in zip(y, X, strict=True))
    (folder / "data.vw").write_text("\n".join(lines))
    words = ["vw", "--quiet", "--sgd", "-d", folder / "data.vw", "--cache_file", folder / "cache", "--holdout_off"]

    def run(epochs: int) -> float:
        return timed(lambda: subprocess.run([*words, "--passes", str(epochs + 1)], check=True, capture_output=True))

    return run


def sweep_timer(X, y, lanes: int, threads: int = 1) -> Timer:
    """Seconds of a sweep of many rates."""
    options = {"learning_rates": np.geomspace(1e-6, 1e-4, lanes), "variant": "stochastic", "record": 2, "threads": threads}
    return lambda epochs: gd.sweep(X, y, epochs=epochs, **options).seconds


def fits_timer(X, y, lanes: int) -> Timer:
    """Seconds of as many single fits; four of them stand for all."""
    rates = np.geomspace(1e-6, 1e-4, lanes)
    options = {"variant": "stochastic", "record": 2}
    some = rates[:: max(1, lanes // 4)]
    one = lambda rate, epochs: gd.fit(X, y, learning_rate=rate, epochs=epochs, **options).seconds
    return lambda epochs: sum(one(rate, epochs) for rate in some) * lanes / len(some)


def cases(quick: bool, absent: set[str]):
    """Each piece of work: its name, the peer's, both timers, the epochs of each, the bytes of the data and of a random row.

    Peers that are not installed are left out and added to `absent`.
    """
    n = 20_000 if quick else 100_000
    for d in (20, 100):
        X, y = regression(n, d)
        yield from dense_cases(X, y, f"{n // 1000}k×{d}", absent)
        for rows in (second_level() // 3 // (8 * d), last_level() // 3 // (8 * d), rows_in_memory(d, quick)):
            X, y = regression(rows, d)
            yield from few_dense_cases(X, y, f"{rows / 1000:.3g}k×{d}", absent)
    yield from estimator_cases(n)
    batch = {"variant": "batch"}
    X32, y32 = regression(n, 100, np.float32)
    X64, y64 = X32.astype(np.float64), y32.astype(np.float64)
    yield (
        "batch gradient, float32",
        "float64",
        gdbench_timer(X32, y32, **batch),
        gdbench_timer(X64, y64, **batch),
        (8, 8),
        (X32.nbytes, 0),
    )
    yield from network_cases(quick, absent)
    for rows in (n, rows_in_memory(92, quick)):  # a sparse row has 61 values and their columns
        yield from sparse_cases(*sparse(rows, 50_000, 61), f"{rows // 1000}k×50k")
    flights = gd.load_problem("flights-onehot")
    rows = len(flights.y) // (5 if quick else 1)
    yield from sparse_cases(flights.X[:rows], flights.y[:rows], f"flights one-hot, {rows // 1000}k×{flights.X.shape[1]:,}")


def estimator_cases(n: int):
    """The work of the estimators: a regression with the defaults, and ten classes, one against the rest, each over all rows."""
    from sklearn.datasets import load_digits
    from sklearn.linear_model import SGDClassifier, SGDRegressor

    for d in (20, 100):
        X, y = regression(n, d)
        pair = estimator_timer(gd.GDRegressor, X, y), estimator_timer(SGDRegressor, X, y)
        yield f"GDRegressor, {n // 1000}k×{d}", "SGDRegressor", *pair, (5, 5), (X.nbytes, X.nbytes // n)
    pixels = gd.load_problem("mnist-5000")
    few, digits = load_digits(return_X_y=True)
    for X, y, epochs in ((few / 16, digits, 20), (pixels.X, pixels.y.astype(int), 4)):
        for loss in ("hinge", "log_loss"):
            pair = estimator_timer(gd.GDClassifier, X, y, loss=loss), estimator_timer(SGDClassifier, X, y, loss=loss)
            work = f"GDClassifier, {loss}, ten classes, {len(X)}×{X.shape[1]}"
            yield work, "SGDClassifier", *pair, (epochs, epochs), (10 * X.nbytes, 0)


def sparse_cases(X, y, name: str):
    """The work on sparse rows."""
    size = X.data.nbytes + X.indices.nbytes
    for order in ("sklearn", "block"):
        ours = gdbench_timer(X, y, variant="stochastic", shuffle=order)
        row = size // X.shape[0] if order == "sklearn" else 0
        yield f"CSR stochastic, {name}, {order} order", "scikit-learn", ours, sklearn_timer(X, y), (2, 2), (size, row)


def network_cases(quick: bool, absent: set[str]):
    """The work on networks: a small one on few columns, and one that is mostly matrix products."""
    few, y = regression(2_000 if quick else 10_000, 20)
    digits = gd.load_problem("mnist-5000")
    for X, target, hidden, loss in ((few, y, 16, "squared_error"), (digits.X, digits.y, 64, "cross_entropy")):
        network = gd.MLP(hidden=hidden, activation="tanh")
        ours = gdbench_timer(X, target, model=network, loss=loss, variant="mini-batch", batch_size=32)
        work = f"MLP of {hidden}, mini-batch 32, {len(X)}×{X.shape[1]}"
        try:
            yield work, "PyTorch", ours, torch_mlp_timer(X, target, hidden, 32), (2, 1), (X.nbytes, X.nbytes // len(X))
        except ImportError:
            absent.add("PyTorch")


def few_dense_cases(X, y, name: str, absent: set[str]):
    """The work on dense rows that shows in which level of memory they are."""
    size, in_sequence = (X.nbytes, X.nbytes // len(X)), (X.nbytes, 0)
    often = max(2, (16 << 20) // X.nbytes)
    for order in ("sklearn", "block"):
        ours = gdbench_timer(X, y, variant="stochastic", shuffle=order)
        read = size if order == "sklearn" else in_sequence
        yield f"stochastic, {name}, {order} order", "scikit-learn", ours, sklearn_timer(X, y), (2 * often, often), read
    adam = gdbench_timer(X, y, variant="mini-batch", batch_size=32, optimizer="adam")
    try:
        yield f"mini-batch 32 Adam, {name}", "optax", adam, optax_adam_timer(X, y, 32), (2 * often, often), size
    except ImportError:
        absent.add("optax")
    batch = gdbench_timer(X, y, variant="batch"), numpy_batch_timer(X, y)
    yield f"batch gradient, {name}", "NumPy", *batch, (2 * often, often), in_sequence


def dense_cases(X, y, name: str, absent: set[str]):
    """The work on dense rows."""
    size, in_sequence = (X.nbytes, X.nbytes // len(X)), (X.nbytes, 0)
    for order in ("sklearn", "block"):
        ours = gdbench_timer(X, y, variant="stochastic", shuffle=order)
        read = size if order == "sklearn" else in_sequence
        yield f"stochastic, {name}, {order} order", "scikit-learn", ours, sklearn_timer(X, y), (4, 2), read
    adam = gdbench_timer(X, y, variant="mini-batch", batch_size=32, optimizer="adam")
    yield f"mini-batch 32 Adam, {name}", "NumPy", adam, numpy_adam_timer(X, y, 32), (4, 1), size
    for peer, maker in (("optax", optax_adam_timer), ("PyTorch", torch_adam_timer)):
        try:
            yield f"mini-batch 32 Adam, {name}", peer, adam, maker(X, y, 32), (4, 1), size
        except ImportError:
            absent.add(peer)
    yield f"batch gradient, {name}", "NumPy", gdbench_timer(X, y, variant="batch"), numpy_batch_timer(X, y), (8, 8), in_sequence
    sweep = sweep_timer(X, y, 32)
    yield f"sweep of 32 rates, {name}", "32 single fits", sweep, fits_timer(X, y, 32), (1, 1), size
    if (os.cpu_count() or 1) > 1:
        yield f"sweep of 32 rates on two threads, {name}", "on one", sweep_timer(X, y, 32, threads=2), sweep, (1, 1), size
    try:
        subprocess.run(["vw", "--version"], check=True, capture_output=True)
        yield f"one pass, {name}", "Vowpal Wabbit", gdbench_timer(X, y, variant="stochastic"), vowpal_timer(X, y), (4, 2), size
    except (OSError, subprocess.CalledProcessError):
        absent.add("Vowpal Wabbit")


def table(rows: list[Row]) -> str:
    """The rows in Markdown."""
    lines = [
        "| work | gdbench | peer | | ratio | A/A noise | rows in | GB/s | of bandwidth | of random rows |",
        "|---|---|---|---|---|---|---|---|---|---|",
    ]
    for r in rows:
        ratio = f"{r.ratio:.1f}× [{r.low:.1f}, {r.high:.1f}]"
        rest = f"{r.noise:.0%} | {r.level} | {r.gb_per_second:.1f} | {r.share_of_bandwidth:.0%} | "
        rest += f"{r.share_of_random_rows:.0%}" if r.share_of_random_rows else "–"
        lines.append(f"| {r.work} | {r.ours_ms:.2f} | {r.peer} | {r.peer_ms:.2f} | {ratio} | {rest} |")
    return "\n".join(lines)


def page(rows: list[Row], absent: set[str], rounds: int) -> str:
    """The table with what was measured, where and how, in Markdown."""
    here = machine.describe(bandwidth=False)
    with_ = ", ".join(f"{name} {version}" for name, version in here["versions"].items())
    said = [
        "# gdbench beside its peers",
        f"Milliseconds an epoch, on one thread unless said otherwise, on {here['cpu']} ({here['llvm_cpu']}, {here['cores']} "
        f"cores, {here['os']}), {here['python']}, with {with_}; in one process, A and B in turn, {rounds} rounds. The ratio is "
        "the median of the pairs' with its quartiles in brackets; the noise is the median difference of a pair of A with "
        f"itself. At its best, one core reads in sequence {bandwidth('L2'):.1f} GB/s of an array in L2, "
        f"{bandwidth('L3'):.1f} in L3, "
        f"{bandwidth():.1f} from memory; the last columns are the share of that of the level that the rows are in, and of what a "
        "plain sum over rows of that length in random order reads at its best. Rows in memory take four times the last cache, "
        f"{last_level() / 2**20:.0f} MB, but no more than an eighth of the memory.",
        table(rows),
    ]
    if absent:
        said.append(f"Not installed, so not measured: {', '.join(sorted(absent))}.")
    return "\n\n".join(said) + "\n"


def main() -> None:
    """Measure, print the table, and write the figures as JSON where asked."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="a fifth of the rows, three rounds")
    parser.add_argument("--json", type=Path, help="write the figures here too")
    parser.add_argument("--table", type=Path, help="write the table, with the machine and the versions, as Markdown here")
    parser.add_argument("--only", default="", help="only the work whose name or peer holds these letters")
    given = parser.parse_args()
    warnings.simplefilter("ignore")
    rows, absent, rounds = [], set[str](), 3 if given.quick else 9
    for work, peer, ours, theirs, epochs, size in cases(given.quick, absent):
        if given.only.lower() in f"{work} {peer}".lower():
            rows.append(compare(work, peer, ours, theirs, epochs, rounds, size))
            print(f"{work}: {rows[-1].ratio:.1f}× {peer}", flush=True)
    written = page(rows, absent, rounds)
    print("\n" + written)
    if given.table:
        given.table.write_text(written, encoding="utf-8")
    if given.json:
        found = {"bandwidth": bandwidth(), "absent": sorted(absent), "rows": [asdict(row) for row in rows]}
        given.json.write_text(json.dumps(found, indent=1), encoding="utf-8")


if __name__ == "__main__":
    main()
