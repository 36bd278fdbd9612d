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
        for group in (
            sgd,
            adagrad,
            rmsprop,
            adadelta,
            adams,
            lion,
            clipped,
            adam_like,
            signs,
            from_the_start,
            by_norm,
            without_a_rate,
            by_value,
        ):
            yield from group(Draw("optax", group.__name__, draw))
    yield from scheduled()


def runner(alias: Callable, pace: Callable[[float], Any] | None = None, **options: Any) -> Callable[[float], Runner]:
    """An optax transformation, run along its own trajectory."""

    def at(rate: float) -> Runner:
        def run(gradient: Callable, x0: np.ndarray, steps: int, value: Callable | None = None) -> np.ndarray:
            with jax.enable_x64(True):
                return descend(alias(in_float64(pace(rate)) if pace else rate, **options), gradient, x0, steps, value)

        return run

    return at


def in_float64(pace: Any) -> Any:
    """An optax schedule, given the step's number in float64: from its own int32 jax would divide in float32."""
    return lambda count: pace(jax.numpy.asarray(count, "float64"))


def descend(rule: Any, gradient: Callable, x0: np.ndarray, steps: int, value: Callable | None = None) -> np.ndarray:
    """The points that a transformation visits; one that asks for the function's value is given it."""

    @jax.jit
    def update(x: Any, g: Any, state: Any, known: dict) -> tuple[Any, Any]:
        change, state = rule.update(g, state, x, **known)
        return optax.apply_updates(x, change), state

    x = jax.numpy.asarray(x0, dtype="float64")
    state = rule.init(x)
    path = [x0]
    for _ in range(steps):
        known = {"value": value(np.asarray(x))} if value else {}
        x, state = update(x, gradient(np.asarray(x)), state, known)
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


def by_norm(d: Draw) -> Iterator[Twin]:
    """The rules that look at a layer's norms: LARS and LAMB."""
    (b1, b2), eps, decay, root = d.moments(), d.eps(), d.power(-3, -1), d.power(-8, -5)
    beta, trust = d.momentum(), d.power(-2, -1)
    rule = make("lars", beta=beta, trust=trust, weight_decay=decay, eps=eps, apart=False)
    options = {"momentum": beta, "trust_coefficient": trust, "weight_decay": decay, "eps": eps}
    yield Twin("lars", rule, runner(optax.lars, **options), (0.1, 0.01))
    rule = make("lamb", beta1=b1, beta2=b2, eps=eps, eps_root=root, weight_decay=decay)
    yield Twin("lamb", rule, runner(optax.lamb, b1=b1, b2=b2, eps=eps, eps_root=root, weight_decay=decay), (0.003, 3e-4))


def without_a_rate(d: Draw) -> Iterator[Twin]:
    """The rules that find their own rate, of which the learning rate is a factor."""
    (b1, b2), eps, decay, first = d.moments(), d.eps(), d.power(-3, -2), d.power(-5, -3)
    contrib, same = optax.contrib, {"beta1": b1, "beta2": b2, "eps": eps, "weight_decay": decay, "initial": first}
    theirs = {"betas": (b1, b2), "eps": eps, "weight_decay": decay, "estim_lr0": first}
    yield Twin("contrib.dadapt_adamw", make("dadaptadam", **same), runner(contrib.dadapt_adamw, **theirs), (0.5, 0.05))
    beta3, factor, safe = d.uniform(0.9, 0.999), d.uniform(0.5, 2), d.uniform(0, 1) < 0.5
    rule = make("prodigy", beta3=beta3, factor=factor, safeguarded=safe, **same)
    options = theirs | {"beta3": beta3, "estim_lr_coef": factor, "safeguard_warmup": safe}
    yield Twin("contrib.prodigy", rule, runner(contrib.prodigy, **options), (0.5, 0.05))
    for relative, kind in ((True, "heuristic"), (False, "distance")):
        rule = make("dog", initial=first, relative=relative, eps=eps)
        yield Twin("contrib.dog", rule, runner(contrib.dog, init_step=(kind, first), eps=eps), (1.0, 0.05))
    rule = make("dowg", initial=first, eps=eps)
    yield Twin("contrib.dowg", rule, runner(contrib.dowg, init_estim_sq_dist=first, eps=eps), (1.0, 0.05))
    start = d.power(-6, -4)
    for name, alias in (("gd", optax.sgd), ("adam", optax.adam)):
        rule = make("mechanic", rule=make(name), initial=start, weight_decay=decay, eps=eps)
        yield Twin(f"contrib.mechanize, {name}", rule, runner(mechanized(alias, start, decay, eps)), (0.1, None))


def mechanized(alias: Callable, start: float, decay: float, eps: float) -> Callable:
    """An alias inside optax's Mechanic."""
    return lambda rate: optax.contrib.mechanize(alias(rate), weight_decay=decay, eps=eps, s_init=start)


def by_value(d: Draw) -> Iterator[Twin]:
    """The rules that look at the function's value: Polyak's step and MoMo."""
    low, eps, decay, beta, (b1, b2) = d.uniform(0.1, 0.3), d.eps(), d.power(-3, -1), d.momentum(), d.moments()
    for variant in ("sps", "sps+"):
        rule, options = make("sps", lowest=low, eps=eps, nonnegative=variant == "sps+"), {"f_min": low, "eps": eps}
        yield Twin(f"polyak_sgd, {variant}", rule, runner(optax.polyak_sgd, variant=variant, **options), (0.1, 2e-4), valued=True)
    for adapted in (False, True):
        rule = make("momo", beta=beta, lowest=low, weight_decay=decay, adapted=adapted)
        options = {"beta": beta, "lower_bound": low, "weight_decay": decay, "adapt_lower_bound": adapted}
        yield Twin("contrib.momo", rule, runner(optax.contrib.momo, **options), (0.1, 2e-4), valued=True)
        rule = make("momoadam", beta1=b1, beta2=b2, eps=eps, lowest=low, weight_decay=decay, adapted=adapted)
        options = {"b1": b1, "b2": b2, "eps": eps, "lower_bound": low, "weight_decay": decay, "adapt_lower_bound": adapted}
        yield Twin("contrib.momo_adam", rule, runner(optax.contrib.momo_adam, **options), SCALED, valued=True)


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
