"""Against PyTorch: torch.optim's own optimizers and schedulers, in float64 on the CPU."""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import torch

from gdbench.kernels import optimizers, schedules
from gdbench.parity import twins
from gdbench.parity.case import Case
from gdbench.parity.twins import Draw, Runner, Twin

make = optimizers.registry.make

DRAWS = 2

#: Learning rates on the logistic problem and on Rosenbrock, by the kind of step: along the gradient, or of its own length.
ALONG, SCALED = (0.1, 2e-4), (0.01, 1e-3)


def cases(quick: bool = False) -> list[Case]:
    """Each optimizer of torch.optim that gdbench has, over its options, with random hyperparameters."""
    return twins.cases("torch", torch.__version__, pairs(1 if quick else DRAWS), quick)


def pairs(number: int) -> Iterator[Twin]:
    """The twins, `number` draws each."""
    for draw in range(number):
        for group in (sgd, adagrad, rmsprop, adadelta, adam, adamax, nadam, radam, adamw, rprop):
            yield from group(Draw("torch", group.__name__, draw))
    yield from scheduled()


def runner(cls: type, scheduler: Callable[[Any], Any] | None = None, **options: Any) -> Callable[[float], Runner]:
    """A torch optimizer, run along its own trajectory."""

    def at(rate: float) -> Runner:
        def run(gradient: Callable, x0: np.ndarray, steps: int) -> np.ndarray:
            with float64():
                x = torch.tensor(x0, requires_grad=True)
                optimizer = cls([x], lr=rate, foreach=False, **options)
                return descend(optimizer, scheduler(optimizer) if scheduler else None, x, gradient, steps)

        return run

    return at


@contextlib.contextmanager
def float64() -> Iterator[None]:
    """PyTorch's default in float64: NAdam keeps the product of its momenta, and others their counters, in the default type."""
    before = torch.get_default_dtype()
    torch.set_default_dtype(torch.float64)
    try:
        yield
    finally:
        torch.set_default_dtype(before)


def descend(optimizer: Any, pace: Any, x: torch.Tensor, gradient: Callable, steps: int) -> np.ndarray:
    """The points that an optimizer visits."""
    path = [x.detach().numpy().copy()]
    for _ in range(steps):
        x.grad = torch.from_numpy(np.array(gradient(path[-1].copy())))
        optimizer.step()
        if pace:
            pace.step()
        path.append(x.detach().numpy().copy())
    return np.array(path)


def sgd(d: Draw) -> Iterator[Twin]:
    """Momentum, dampening, Nesterov and weight decay."""
    for damped, decayed in itertools.product((False, True), repeat=2):
        beta, damp, decay = d.momentum(), damped * d.uniform(0.1, 0.9), decayed * d.power(-3, -1)
        options = {"momentum": beta, "dampening": damp, "weight_decay": decay}
        yield Twin("SGD", make("momentum", beta=beta, dampening=damp), runner(torch.optim.SGD, **options), ALONG, decay=decay)
    for decay in (0.0, d.power(-3, -1)):
        beta = d.momentum()
        options = {"momentum": beta, "nesterov": True, "weight_decay": decay}
        yield Twin("SGD", make("nesterov", beta=beta), runner(torch.optim.SGD, **options), ALONG, decay=decay)
        yield Twin("SGD", make("gd"), runner(torch.optim.SGD, weight_decay=decay), ALONG, decay=decay)


def adagrad(d: Draw) -> Iterator[Twin]:
    """Initial accumulator, weight decay, and a rate that falls as 1 ⁄ (1 + λ(t − 1)): the schedule ``optimal``, t₀ = 1 ⁄ λ."""
    for decayed, slowing in itertools.product((False, True), repeat=2):
        initial, eps, decay, fall = d.uniform(0, 0.5), d.eps(), decayed * d.power(-3, -1), d.power(-3, -1)
        options = {"initial_accumulator_value": initial, "eps": eps, "weight_decay": decay, "lr_decay": slowing * fall}
        pace = schedules.registry.make("optimal", strength=fall, offset=1 / fall) if slowing else None
        rule = make("adagrad", eps=eps, initial=initial)
        yield Twin("Adagrad", rule, runner(torch.optim.Adagrad, **options), (0.1, 0.01), pace, decay)


def rmsprop(d: Draw) -> Iterator[Twin]:
    """Centred, momentum and weight decay."""
    for centred, fast, decayed in itertools.product((False, True), repeat=3):
        # where gradients hardly change, centring leaves a difference of equals under the root: a large ε keeps the step sane
        eps = d.power(-1, 0) if centred else d.power(-5, -3)
        beta, push, decay = d.uniform(0.8, 0.99), fast * d.uniform(0.3, 0.9), decayed * d.power(-3, -1)
        options = {"alpha": beta, "eps": eps, "momentum": push, "centered": centred, "weight_decay": decay}
        rule = make("rmsprop", beta=beta, eps=eps, momentum=push, centred=centred)
        yield Twin("RMSprop", rule, runner(torch.optim.RMSprop, **options), (0.001, 1e-4), decay=decay)


def adadelta(d: Draw) -> Iterator[Twin]:
    """Weight decay."""
    for decay in (0.0, d.power(-3, -1)):
        beta, eps = d.uniform(0.8, 0.99), d.power(-6, -3)
        options = {"rho": beta, "eps": eps, "weight_decay": decay}
        rule = make("adadelta", beta=beta, eps=eps)
        yield Twin("Adadelta", rule, runner(torch.optim.Adadelta, **options), (1.0, 0.01), decay=decay)


def adam(d: Draw) -> Iterator[Twin]:
    """AMSGrad and weight decay."""
    for largest, decayed in itertools.product((False, True), repeat=2):
        (beta1, beta2), eps, decay = d.moments(), d.eps(), decayed * d.power(-3, -1)
        options = {"betas": (beta1, beta2), "eps": eps, "weight_decay": decay, "amsgrad": largest}
        rule = make("amsgrad" if largest else "adam", beta1=beta1, beta2=beta2, eps=eps)
        yield Twin("Adam", rule, runner(torch.optim.Adam, **options), SCALED, decay=decay)


def adamax(d: Draw) -> Iterator[Twin]:
    """Weight decay."""
    for decay in (0.0, d.power(-3, -1)):
        (beta1, beta2), eps = d.moments(), d.eps()
        options = {"betas": (beta1, beta2), "eps": eps, "weight_decay": decay}
        rule = make("adamax", beta1=beta1, beta2=beta2, eps=eps)
        yield Twin("Adamax", rule, runner(torch.optim.Adamax, **options), SCALED, decay=decay)


def nadam(d: Draw) -> Iterator[Twin]:
    """Momentum decay and weight decay."""
    for decay in (0.0, d.power(-3, -1)):
        (beta1, beta2), eps, psi = d.moments(), d.eps(), d.power(-3, -1)
        options = {"betas": (beta1, beta2), "eps": eps, "weight_decay": decay, "momentum_decay": psi}
        rule = make("nadam", beta1=beta1, beta2=beta2, eps=eps, momentum_decay=psi)
        yield Twin("NAdam", rule, runner(torch.optim.NAdam, **options), SCALED, decay=decay)
    rule = make("nadamw", beta1=beta1, beta2=beta2, eps=eps, momentum_decay=psi, weight_decay=decay)
    yield Twin("NAdam(decoupled)", rule, runner(torch.optim.NAdam, decoupled_weight_decay=True, **options), SCALED)


def rprop(d: Draw) -> Iterator[Twin]:
    """Both factors and both bounds."""
    shrink, grow, low, high = d.uniform(0.3, 0.7), d.uniform(1.1, 1.3), d.power(-5, -4), d.uniform(0.01, 0.1)
    rule = make("rprop", shrink=shrink, grow=grow, smallest=low, largest=high)
    options = {"etas": (shrink, grow), "step_sizes": (low, high)}
    yield Twin("Rprop", rule, runner(torch.optim.Rprop, **options), (0.003, 3e-4))


def radam(d: Draw) -> Iterator[Twin]:
    """Weight decay."""
    for decay in (0.0, d.power(-3, -1)):
        (beta1, beta2), eps = d.moments(), d.eps()
        options = {"betas": (beta1, beta2), "eps": eps, "weight_decay": decay}
        rule = make("radam", beta1=beta1, beta2=beta2, eps=eps)
        # before the variance is known RAdam steps along the gradient itself, so Rosenbrock takes the shorter rate
        yield Twin("RAdam", rule, runner(torch.optim.RAdam, **options), (0.01, 2e-4), decay=decay)


def adamw(d: Draw) -> Iterator[Twin]:
    """Decoupled weight decay, with AMSGrad too."""
    (beta1, beta2), eps, decay = d.moments(), d.eps(), d.power(-3, -1)
    options = {"betas": (beta1, beta2), "eps": eps, "weight_decay": decay}
    rule = make("adamw", beta1=beta1, beta2=beta2, eps=eps, weight_decay=decay)
    yield Twin("AdamW", rule, runner(torch.optim.AdamW, **options), SCALED)
    if "weight_decay" in optimizers.registry["amsgrad"]._fields:  # type: ignore[attr-defined]
        rule = make("amsgrad", beta1=beta1, beta2=beta2, eps=eps, weight_decay=decay)
        yield Twin("AdamW(amsgrad)", rule, runner(torch.optim.AdamW, amsgrad=True, **options), SCALED)


def scheduled() -> Iterator[Twin]:
    """The schedules that torch.optim.lr_scheduler has too, under plain descent."""
    pace, rate = torch.optim.lr_scheduler, schedules.registry.make
    known = schedules.registry.names()
    if "step" in known:
        yield clocked("StepLR", rate("step", gamma=0.7, every=60), lambda o: pace.StepLR(o, 60, 0.7))
    if "exponential" in known:
        yield clocked("ExponentialLR", rate("exponential", gamma=0.99, every=1), lambda o: pace.ExponentialLR(o, 0.99))
    if "cosine" in known:
        yield clocked("CosineAnnealingLR", rate("cosine", steps=STEPS), lambda o: pace.CosineAnnealingLR(o, STEPS))
    if "warmup" in known:
        yield clocked("LinearLR", rate("warmup", steps=100, start=0.1), lambda o: pace.LinearLR(o, 0.1, 1.0, 100))


STEPS = twins.STEPS


def clocked(name: str, schedule: Any, scheduler: Callable) -> Twin:
    """Plain descent under a schedule."""
    return Twin(name, make("gd"), runner(torch.optim.SGD, scheduler), ALONG, schedule)
