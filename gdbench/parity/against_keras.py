"""Against Keras 3: its own optimizers, in float64 on the torch or jax backend."""

from __future__ import annotations

import contextlib
import importlib.util
import itertools
import os
import sys
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from gdbench.kernels import optimizers
from gdbench.parity import twins
from gdbench.parity.case import Case
from gdbench.parity.twins import Draw, Runner, Twin


def import_keras() -> Any:
    """Keras, on a backend that is installed: its default is TensorFlow, without which it fails to import."""
    chosen = "KERAS_BACKEND" in os.environ or "keras" in sys.modules
    if not chosen:
        installed = [name for name in ("torch", "jax") if importlib.util.find_spec(name)]
        if not installed:
            raise ImportError("Keras needs torch or jax", name="keras")
        os.environ["KERAS_BACKEND"] = installed[0]
    try:
        import keras
    finally:
        if not chosen:
            del os.environ["KERAS_BACKEND"]
    return keras


keras = import_keras()
make = optimizers.registry.make
ALONG, SCALED = (0.1, 2e-4), (0.01, 1e-3)


def cases(quick: bool = False) -> list[Case]:
    """Each Keras optimizer that gdbench has, over its options, with random hyperparameters."""
    version = f"{keras.__version__} on {keras.backend.backend()}"
    return twins.cases("keras", version, pairs(), quick)


def pairs() -> Iterator[Twin]:
    """The twins."""
    for group in (sgd, adagrad, rmsprop, adadelta, adam, adamw, nadam, adamax, lion):
        yield from group(Draw("keras", group.__name__))


@contextlib.contextmanager
def float64() -> Iterator[None]:
    """Keras in float64, and as it was before afterwards."""
    before = keras.backend.floatx()
    keras.backend.set_floatx("float64")
    try:
        with contextlib.ExitStack() as stack:
            if keras.backend.backend() == "jax":
                import jax

                stack.enter_context(jax.enable_x64(True))
            yield
    finally:
        keras.backend.set_floatx(before)


def runner(cls: type, **options: Any) -> Callable[[float], Runner]:
    """A Keras optimizer, run along its own trajectory."""

    def at(rate: float) -> Runner:
        def run(gradient: Callable, x0: np.ndarray, steps: int) -> np.ndarray:
            with float64():
                x = keras.Variable(x0, dtype="float64")
                optimizer = cls(learning_rate=rate, **options)
                path = [x0]
                for _ in range(steps):
                    g = keras.ops.convert_to_tensor(gradient(path[-1]), dtype="float64")
                    optimizer.apply([g], [x])
                    path.append(np.array(keras.ops.convert_to_numpy(x)))
                return np.array(path)

        return run

    return at


def sgd(d: Draw) -> Iterator[Twin]:
    """Plain, momentum, Nesterov."""
    beta = d.momentum()
    yield Twin("SGD", make("gd"), runner(keras.optimizers.SGD), ALONG)
    yield Twin("SGD", make("momentum", beta=beta), runner(keras.optimizers.SGD, momentum=beta), ALONG)
    yield Twin("SGD", make("nesterov", beta=beta), runner(keras.optimizers.SGD, momentum=beta, nesterov=True), ALONG)


def adagrad(d: Draw) -> Iterator[Twin]:
    """ε under the root."""
    for _ in range(2):
        initial, eps = d.uniform(0.01, 0.5), d.eps()
        rule = make("adagrad", initial=initial, eps=0.0, eps_root=eps)
        options = {"initial_accumulator_value": initial, "epsilon": eps}
        yield Twin("Adagrad", rule, runner(keras.optimizers.Adagrad, **options), (0.1, 0.01))


def rmsprop(d: Draw) -> Iterator[Twin]:
    """ε under the root; centred, momentum."""
    for centred, fast in itertools.product((False, True), repeat=2):
        # where gradients hardly change, centring leaves a difference of equals under the root: a large ε keeps the step sane
        eps = d.power(-1, 0) if centred else d.power(-6, -4)
        beta, push = d.uniform(0.8, 0.99), fast * d.uniform(0.3, 0.9)
        rule = make("rmsprop", beta=beta, eps=0.0, eps_root=eps, centred=centred, momentum=push)
        options = {"rho": beta, "epsilon": eps, "centered": centred, "momentum": push}
        yield Twin("RMSprop", rule, runner(keras.optimizers.RMSprop, **options), (0.001, 1e-4))


def adadelta(d: Draw) -> Iterator[Twin]:
    """ε under both roots."""
    for _ in range(2):
        beta, eps = d.uniform(0.8, 0.99), d.power(-6, -3)
        rule = make("adadelta", beta=beta, eps=eps)
        yield Twin("Adadelta", rule, runner(keras.optimizers.Adadelta, rho=beta, epsilon=eps), (1.0, 0.01))


def moments(d: Draw) -> tuple[dict[str, float], dict[str, float]]:
    """β₁, β₂ and ε in gdbench's names and in Keras's."""
    (beta1, beta2), eps = d.moments(), d.eps()
    return {"beta1": beta1, "beta2": beta2, "eps": eps}, {"beta_1": beta1, "beta_2": beta2, "epsilon": eps}


def adam(d: Draw) -> Iterator[Twin]:
    """ε before the correction; AMSGrad."""
    for name in ("adam", "amsgrad"):
        ours, theirs = moments(d)
        rule = make(name, eps_before_correction=True, **ours)
        yield Twin("Adam", rule, runner(keras.optimizers.Adam, amsgrad=name == "amsgrad", **theirs), SCALED)


def adamw(d: Draw) -> Iterator[Twin]:
    """Decoupled weight decay, with AMSGrad too."""
    for name in ("adamw", "amsgrad"):
        ours, theirs = moments(d)
        decay = d.power(-3, -1)
        if "weight_decay" in optimizers.registry[name]._fields:  # type: ignore[attr-defined]
            rule = make(name, eps_before_correction=True, weight_decay=decay, **ours)
            options = {"weight_decay": decay, "amsgrad": name == "amsgrad", **theirs}
            yield Twin("AdamW", rule, runner(keras.optimizers.AdamW, **options), SCALED)


def nadam(d: Draw) -> Iterator[Twin]:
    """Dozat's warm-up at a pace of 1."""
    for _ in range(2):
        ours, theirs = moments(d)
        yield Twin("Nadam", make("nadam", momentum_decay=1.0, **ours), runner(keras.optimizers.Nadam, **theirs), SCALED)


def adamax(d: Draw) -> Iterator[Twin]:
    """ε beside the maximum."""
    for _ in range(2):
        ours, theirs = moments(d)
        yield Twin("Adamax", make("adamax", eps_beside_maximum=True, **ours), runner(keras.optimizers.Adamax, **theirs), SCALED)


def lion(d: Draw) -> Iterator[Twin]:
    """With and without decoupled weight decay."""
    for decay in (0.0, d.power(-3, -1)):
        beta1, beta2 = d.uniform(0.8, 0.95), d.uniform(0.9, 0.99)
        rule = make("lion", beta1=beta1, beta2=beta2, weight_decay=decay)
        options = {"beta_1": beta1, "beta_2": beta2, "weight_decay": decay or None}
        yield Twin("Lion", rule, runner(keras.optimizers.Lion, **options), (0.003, 3e-4))
