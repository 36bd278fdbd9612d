"""Against optax: its aliases, schedules and clipping, in float64."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from typing import Any

import jax
import numpy as np
import optax
import optax.contrib

from gdbench.kernels import optimizers, schedules
from gdbench.parity import twins
from gdbench.parity.case import Case
from gdbench.parity.twins import Draw, Runner, Twin

make = optimizers.registry.make
ALONG, SCALED = (0.1, 2e-4), (0.01, 1e-3)


def cases(quick: bool = False) -> list[Case]:
    """Each optax alias that gdbench has, over its options, with random hyperparameters; and the schedules."""
    return twins.cases("optax", optax.__version__, pairs(1 if quick else 2), quick)


def pairs(number: int) -> Iterator[Twin]:
    """The twins, `number` draws each."""
    for draw in range(number):
        for group in (sgd, adagrad, rmsprop, adadelta, adams, lion, clipped, adam_like, signs, from_the_start):
            yield from group(Draw("optax", group.__name__, draw))
    yield from scheduled()


def runner(alias: Callable, pace: Callable[[float], Any] | None = None, **options: Any) -> Callable[[float], Runner]:
    """An optax transformation, run along its own trajectory."""

    def at(rate: float) -> Runner:
        def run(gradient: Callable, x0: np.ndarray, steps: int) -> np.ndarray:
            with jax.enable_x64(True):
                return descend(alias(in_float64(pace(rate)) if pace else rate, **options), gradient, x0, steps)

        return run

    return at


def in_float64(pace: Any) -> Any:
    """An optax schedule, given the step's number in float64: from its own int32 jax would divide in float32."""
    return lambda count: pace(jax.numpy.asarray(count, "float64"))


def descend(rule: Any, gradient: Callable, x0: np.ndarray, steps: int) -> np.ndarray:
    """The points that a transformation visits."""

    @jax.jit
    def update(x: Any, g: Any, state: Any) -> tuple[Any, Any]:
        change, state = rule.update(g, state, x)
        return optax.apply_updates(x, change), state

    x = jax.numpy.asarray(x0, dtype="float64")
    state = rule.init(x)
    path = [x0]
    for _ in range(steps):
        x, state = update(x, gradient(np.asarray(x)), state)
        path.append(np.asarray(x))
    return np.array(path)


def sgd(d: Draw) -> Iterator[Twin]:
    """Plain, with momentum, with Nesterov's."""
    beta = d.momentum()
    yield Twin("sgd", make("gd"), runner(optax.sgd), ALONG)
    yield Twin("sgd", make("momentum", beta=beta), runner(optax.sgd, momentum=beta), ALONG)
    yield Twin("sgd", make("nesterov", beta=beta), runner(optax.sgd, momentum=beta, nesterov=True), ALONG)


def adagrad(d: Draw) -> Iterator[Twin]:
    """ε under the root."""
    initial, eps = d.uniform(0.01, 0.5), d.eps()
    rule = make("adagrad", initial=initial, eps=0.0, eps_root=eps)
    yield Twin("adagrad", rule, runner(optax.adagrad, initial_accumulator_value=initial, eps=eps), (0.1, 0.01))


def rmsprop(d: Draw) -> Iterator[Twin]:
    """ε under the root or beside it, centred, momentum."""
    for inside, centred, fast in itertools.product((False, True), repeat=3):
        # where gradients hardly change, centring leaves a difference of equals under the root: a large ε keeps the step sane
        eps = d.power(-1, 0) if centred else d.power(-6, -4)
        beta, initial, push = d.uniform(0.8, 0.99), d.uniform(0.0, 0.5), d.uniform(0.3, 0.9)
        options = {"decay": beta, "eps": eps, "initial_scale": initial, "eps_in_sqrt": inside, "centered": centred}
        rule = make(
            "rmsprop",
            beta=beta,
            eps=0.0 if inside else eps,
            eps_root=eps if inside else 0.0,
            initial=initial,
            centred=centred,
            momentum=push if fast else 0.0,
        )
        yield Twin("rmsprop", rule, runner(optax.rmsprop, momentum=push if fast else None, **options), (0.001, 1e-4))


def adadelta(d: Draw) -> Iterator[Twin]:
    """ε under both roots; weight decay beside the step."""
    beta, eps = d.uniform(0.8, 0.99), d.power(-6, -3)
    yield Twin("adadelta", make("adadelta", beta=beta, eps=eps), runner(optax.adadelta, rho=beta, eps=eps), (1.0, 0.01))


def adams(d: Draw) -> Iterator[Twin]:
    """Adam and its kin."""
    (b1, b2), eps, root, decay = d.moments(), d.eps(), d.power(-8, -5), d.power(-3, -1)
    ours: dict[str, float] = {"beta1": b1, "beta2": b2, "eps": eps}
    theirs: dict[str, float] = {"b1": b1, "b2": b2, "eps": eps}
    yield Twin("adam", make("adam", eps_root=root, **ours), runner(optax.adam, eps_root=root, **theirs), SCALED)
    rule = make("adamw", eps_root=root, weight_decay=decay, **ours)
    yield Twin("adamw", rule, runner(optax.adamw, eps_root=root, weight_decay=decay, **theirs), SCALED)
    yield Twin("amsgrad", make("amsgrad", corrected_maximum=True, **ours), runner(optax.amsgrad, **theirs), SCALED)
    yield Twin("adamax", make("adamax", **ours), runner(optax.adamax, **theirs), SCALED)
    yield Twin("nadam", make("nadam", momentum_decay=float("inf"), **ours), runner(optax.nadam, **theirs), SCALED)
    rule = make("radam", eps_before_correction=False, **ours)
    yield Twin("radam", rule, runner(optax.radam, **theirs), (0.01, 2e-4))


def lion(d: Draw) -> Iterator[Twin]:
    """Decoupled weight decay."""
    b1, b2, decay = d.uniform(0.8, 0.95), d.uniform(0.9, 0.99), d.power(-3, -1)
    rule = make("lion", beta1=b1, beta2=b2, weight_decay=decay)
    yield Twin("lion", rule, runner(optax.lion, b1=b1, b2=b2, weight_decay=decay), (0.003, 3e-4))


def adam_like(d: Draw) -> Iterator[Twin]:
    """The rules that came after Adam."""
    (b1, b2), eps, root, decay = d.moments(), d.eps(), d.power(-8, -5), d.power(-3, -1)
    ours: dict[str, float] = {"beta1": b1, "beta2": b2, "eps": eps}
    theirs: dict[str, float] = {"b1": b1, "b2": b2, "eps": eps}
    yield Twin("adabelief", make("adabelief", eps_root=root, **ours), runner(optax.adabelief, eps_root=root, **theirs), SCALED)
    yield Twin("yogi", make("yogi", **ours), runner(optax.yogi, **theirs), SCALED)
    rule = make("nadamw", momentum_decay=float("inf"), weight_decay=decay, **ours)
    yield Twin("nadamw", rule, runner(optax.nadamw, weight_decay=decay, **theirs), SCALED)
    power = d.uniform(0.1, 0.5)
    bounded = runner(optax.contrib.adopt, clip_value_fn=lambda count: count**power, **theirs)
    yield Twin("contrib.adopt", make("adopt", clip_power=power, **ours), bounded, SCALED)
    unbounded = runner(optax.contrib.adopt, use_clipping=False, **theirs)
    yield Twin("contrib.adopt", make("adopt", clipped=False, **ours), unbounded, SCALED)
    slow, mix = d.uniform(0.99, 0.9999), d.uniform(1, 8)
    rule = make("ademamix", beta3=slow, mix=mix, weight_decay=decay, **ours)
    options = {"b3": slow, "alpha": mix, "weight_decay": decay}
    yield Twin("contrib.ademamix", rule, runner(optax.contrib.ademamix, **options, **theirs), (0.003, 3e-4))


def signs(d: Draw) -> Iterator[Twin]:
    """The rules that see only signs."""
    beta = d.momentum()
    yield Twin("signum", make("signum", beta=beta), runner(optax.signum, beta=beta), (0.003, 3e-4))
    yield Twin("sign_sgd", make("signum", beta=0.0), runner(optax.sign_sgd), (0.003, 3e-4))


def from_the_start(d: Draw) -> Iterator[Twin]:
    """The rules that keep the weights they began with, or an average of all since."""
    beta, eps = d.momentum(), d.eps()
    share, least = d.uniform(50, 150), d.power(-4, -1)
    rule = make("cocob", fraction=share, eps=least)
    yield Twin("contrib.cocob", rule, runner(optax.contrib.cocob, alpha=share, eps=least), (1.0, 1e-3))
    power, (_, b2) = d.uniform(0, 3), d.moments()
    inner = {"gd": (make("gd"), optax.sgd, ALONG), "adam": (make("adam", beta1=0.0, beta2=b2, eps=eps), adam_at(b2, eps), SCALED)}
    for name, (rule, alias, rates) in inner.items():
        free = make("schedulefree", rule=rule, beta=beta, power=power)
        yield Twin(f"contrib.schedule_free, {name}", free, runner(free_of_a_schedule(alias, beta, power)), rates)


def adam_at(b2: float, eps: float) -> Callable:
    """Adam without momentum."""
    return lambda rate: optax.adam(rate, b1=0.0, b2=b2, eps=eps)


def free_of_a_schedule(alias: Callable, beta: float, power: float) -> Callable:
    """An alias inside optax's Schedule-Free."""
    return lambda rate: optax.contrib.schedule_free(alias(rate), rate, b1=beta, weight_lr_power=power)


def clipped(d: Draw) -> Iterator[Twin]:
    """Clipping by the norm of the whole gradient, and by component, in front of plain descent and of Adam."""
    if "clipped" not in optimizers.registry:
        return
    cls, norm, value = optimizers.registry["clipped"], d.uniform(0.2, 0.6), d.uniform(0.1, 0.3)
    for name, alias in (("gd", optax.sgd), ("adam", optax.adam)):
        # steps no longer than the limit times the rate allow plain descent on Rosenbrock a longer rate
        rates = (0.1, 0.002) if name == "gd" else SCALED
        yield Twin(f"clip_by_global_norm, {name}", cls(rule=make(name), norm=norm), runner(chained(alias, norm=norm)), rates)
        yield Twin(f"clip, {name}", cls(rule=make(name), value=value), runner(chained(alias, value=value)), rates)


def chained(alias: Callable, norm: float = 0.0, value: float = 0.0) -> Callable:
    """An alias behind a clipping transformation."""
    clip = optax.clip_by_global_norm(norm) if norm else optax.clip(value)
    return lambda rate: optax.chain(clip, alias(rate))


def scheduled() -> Iterator[Twin]:
    """The schedules that optax has too, under plain descent and under Adam."""
    rate, known = schedules.registry.make, schedules.registry.names()
    found: list[tuple[str, Any, Callable]] = []
    if "exponential" in known:
        pace = rate("exponential", gamma=0.7, every=60)
        found.append(("exponential_decay", pace, lambda a: optax.exponential_decay(a, 60, 0.7)))
    if "step" in known:
        pace = rate("step", gamma=0.7, every=60)
        found.append(("staircase", pace, lambda a: optax.exponential_decay(a, 60, 0.7, staircase=True)))
    if "cosine" in known:
        pace = rate("cosine", steps=400, end=0.1)
        found.append(("cosine_decay_schedule", pace, lambda a: optax.cosine_decay_schedule(a, 400, 0.1)))
    if "warmup" in known:
        found.append(("linear_schedule", rate("warmup", steps=100), lambda a: optax.linear_schedule(0.0, a, 100)))
    if {"warmup", "cosine"} <= set(known):
        after = rate("cosine", steps=300, end=0.1)
        warm = rate("warmup", steps=100, start=0.1, after=after)
        found.append(("warmup_cosine", warm, lambda a: optax.warmup_cosine_decay_schedule(0.1 * a, a, 100, 400, 0.1 * a)))
    for name, pace, theirs in found:
        yield Twin(f"sgd, {name}", make("gd"), runner(optax.sgd, theirs), ALONG, pace)
        yield Twin(f"adam, {name}", make("adam"), runner(optax.adam, theirs), SCALED, pace)
