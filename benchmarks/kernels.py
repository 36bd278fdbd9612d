"""Speed of the descent loops: one epoch, by variant, optimizer, loss, storage, dtype and size of the data."""

from __future__ import annotations

from time import perf_counter

import gdbench as gd

from .common import (
    LANES,
    OPTIMIZERS,
    RATE,
    SIZES,
    STORAGES,
    VARIANTS,
    Compiled,
    in_order,
    named,
    regression,
    sparse,
    target,
    warmed,
)

LOSSES = (
    "squared_error",
    "huber",
    "epsilon_insensitive",
    "log_loss",
    "hinge",
    "squared_hinge",
    "modified_huber",
    "cross_entropy",
)
#: The least of all fits in so many seconds is reported: what else the machine does only ever adds to a time, and does it for
#: a second or so.
SECONDS = 1.5


class Epoch(Compiled):
    """A fit of a few epochs; its data and its compiled loops are ready before the clock starts."""

    timeout = 120
    number = 1
    repeat = (5, 100, 1.0)
    rounds = 2  # where the data lies in memory differs from process to process, and the time with it
    warmup_time = 0.0
    epochs = 4

    def prepare(self, X, y, storage="dense", dtype="float64", **options):
        options = in_order(options)
        warmed(storage=storage, dtype=dtype, **options)
        self.X, self.y = X, target(y, options.get("loss", "squared_error"))
        self.options = {**options, "learning_rate": RATE, "epochs": self.epochs, "record": 2}

    def fit(self):
        return gd.fit(self.X, self.y, **self.options)


class Optimizers(Epoch):
    # A batch step is nearly all gradient: its optimizer makes no difference that could be measured.
    params = (("mini-batch", "stochastic"), OPTIMIZERS)
    param_names = ("variant", "optimizer")

    def setup(self, variant, optimizer):
        self.prepare(*regression(20_000, 20), variant=variant, optimizer=optimizer)

    @named("fit of 4 epochs, 20,000 × 20, by optimizer", version="2")
    def time_fit(self, variant, optimizer):
        self.fit()


class Losses(Epoch):
    params = (LOSSES,)
    param_names = ("loss",)

    def setup(self, loss):
        self.prepare(*regression(20_000, 20), variant="stochastic", loss=loss)

    @named("stochastic fit of 4 epochs, 20,000 × 20, by loss", version="2")
    def time_fit(self, loss):
        self.fit()


class Storages(Epoch):
    params = (STORAGES, ("mini-batch", "stochastic"))
    param_names = ("storage", "variant")

    def setup(self, storage, variant):
        kind, dtype = storage.split()
        data = regression(20_000, 50, dtype) if kind == "dense" else sparse(dtype=dtype)
        self.prepare(*data, storage=kind, dtype=dtype, variant=variant)

    @named("fit of 4 epochs on 1,000,000 values, by storage", version="2")
    def time_fit(self, storage, variant):
        self.fit()


class Sizes(Epoch):
    """In nanoseconds a value, by the kernels' own clock: what remains is memory and arithmetic."""

    params = (tuple(SIZES), VARIANTS)
    param_names = ("fits in", "variant")

    def setup(self, size, variant):
        self.rows, self.columns = SIZES[size]
        self.epochs = max(2, 4_000_000 // (self.rows * self.columns))
        self.prepare(*regression(self.rows, self.columns), variant=variant)

    @named("time a value", unit="ns", version="2")
    def track_ns_per_value(self, size, variant):
        values = self.epochs * self.rows * self.columns
        begin, least = perf_counter(), self.fit().seconds
        while perf_counter() - begin < SECONDS:
            least = min(least, self.fit().seconds)
        return least / values * 1e9


class Recording(Epoch):
    """How much of what recording costs is left on the clock of a short fit."""

    params = ("354 × 10", "1,600 × 20"), ("mini-batch", "stochastic")
    param_names = ("data", "variant")

    def setup(self, data, variant):
        rows, columns = (int(number.replace(",", "")) for number in data.split(" × "))
        self.prepare(*regression(rows, columns), variant=variant)

    @named("seconds with 200 recorded points ÷ seconds with 2", unit="ratio")
    def track_ratio(self, data, variant):
        least = {2: float("inf"), 200: float("inf")}
        for _ in range(20):
            for record in least:
                least[record] = min(least[record], gd.fit(self.X, self.y, **self.options | {"record": record}).seconds)
        return least[200] / least[2]


class Sweeps(Epoch):
    params = (LANES,)
    param_names = ("learning rates",)

    def setup(self, lanes):
        self.prepare(*regression(20_000, 20), variant="stochastic", lanes=lanes)
        del self.options["learning_rate"], self.options["lanes"]
        self.options["learning_rates"] = [RATE * (1 + lane) / lanes for lane in range(lanes)]

    @named("sweep of learning rates, 4 epochs, 20,000 × 20", version="2")
    def time_sweep(self, lanes):
        gd.sweep(self.X, self.y, **self.options)


class Landscapes:
    timeout = 60
    number = 1
    repeat = (3, 8, 1.0)
    version = "1"
    params = (("gd", "momentum", "adam"),)
    param_names = ("optimizer",)

    def setup(self, optimizer):
        self.descend(optimizer, 2)

    def descend(self, optimizer, steps):
        gd.minimize("rosenbrock", [-1.2, 1.0], optimizer, learning_rate=1e-4, steps=steps)

    @named("200,000 steps on Rosenbrock's valley")
    def time_minimize(self, optimizer):
        self.descend(optimizer, 200_000)
