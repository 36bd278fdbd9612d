"""Against pytorch-optimizer, schedulefree and prodigyopt: the rules that torch.optim has not, in float64 on the CPU."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import redirect_stdout
from importlib.metadata import version
from io import StringIO
from typing import Any

import prodigyopt
import pytorch_optimizer as library
import schedulefree

from gdbench.kernels import optimizers
from gdbench.parity import twins
from gdbench.parity.against_torch import ALONG, SCALED, runner
from gdbench.parity.case import Case
from gdbench.parity.twins import Draw, Twin

make = optimizers.registry.make


def cases(quick: bool = False) -> list[Case]:
    """Each rule of the packages that gdbench has, with random hyperparameters."""
    found = []
    for package, groups in PACKAGES.items():
        pairs = [
            twin for draw in range(1 if quick else 2) for group in groups for twin in group(Draw(package, group.__name__, draw))
        ]
        found += twins.cases("oracles", f"{package} {version(package)}", pairs, quick)
    return found


def adam_like(d: Draw) -> Iterator[Twin]:
    """Adan, AdaBelief, AdEMAMix and its warm-up, Yogi."""
    (b1, b2), eps, decay, third = d.moments(), d.eps(), d.power(-3, -1), d.uniform(0.9, 0.999)
    ours: dict[str, float] = {"beta1": b1, "beta2": b2, "eps": eps}
    theirs: dict[str, Any] = {"betas": (b1, b2), "eps": eps}
    for proximal in (True, False):
        rule = make("adan", beta3=third, weight_decay=decay, proximal=proximal, **ours)
        options = theirs | {"betas": (b1, b2, third), "weight_decay": decay, "weight_decouple": not proximal}
        yield Twin("Adan", rule, runner(library.Adan, **options), SCALED)
    rule = make("adabelief", eps_root=eps, weight_decay=decay, **ours)
    yield Twin("AdaBelief", rule, runner(library.AdaBelief, weight_decay=decay, **theirs), SCALED)
    slow, mix, warm = d.uniform(0.99, 0.9999), d.uniform(1, 8), float(round(d.uniform(100, 600)))
    for steps in (0.0, warm):
        rule = make("ademamix", beta3=slow, mix=mix, weight_decay=decay, warm_up=steps, **ours)
        options = theirs | {"betas": (b1, b2, slow), "alpha": mix, "t_alpha_beta3": steps or None}
        options |= {"weight_decay": decay, "weight_decouple": True}
        yield Twin("AdEMAMix", rule, runner(library.AdEMAMix, **options), (0.003, 3e-4))
    start = d.power(-6, -3)
    yield Twin("Yogi", make("yogi", initial=start, **ours), runner(library.Yogi, initial_accumulator=start, **theirs), SCALED)


def averaging(d: Draw) -> Iterator[Twin]:
    """MADGRAD and FTRL."""
    beta, eps = d.momentum(), d.power(-6, -3)
    yield Twin("MADGRAD", make("madgrad", beta=beta, eps=eps), runner(library.MADGRAD, momentum=beta, eps=eps), SCALED)
    offset, l1, l2 = d.uniform(0.5, 2), d.power(-3, -2), d.power(-3, -1)
    rule, options = make("ftrl", beta=offset, l1=l1, l2=l2), {"beta": offset, "lambda_1": l1, "lambda_2": l2}
    yield Twin("FTRL", rule, runner(library.FTRL, **options), (0.1, 0.01))


def quasi_hyperbolic(d: Draw) -> Iterator[Twin]:
    """QHM; the library's QHAdam corrects its means by weights in float32, which differ in the seventh digit."""
    beta, nu = d.momentum(), d.uniform(0.2, 0.9)
    yield Twin("QHM", make("qhm", beta=beta, nu=nu), runner(library.QHM, momentum=beta, nu=nu), ALONG)


def looking(d: Draw) -> Iterator[Twin]:
    """LAMB, whose weights' norm the package bounds, D-Adaptation, and the cautious forms of Lion and AdEMAMix."""
    (b1, b2), eps, decay, first = d.moments(), d.eps(), d.power(-3, -1), d.power(-5, -3)
    theirs: dict[str, Any] = {"betas": (b1, b2), "eps": eps}
    corrections = {"corrected": False, "largest_norm": 10.0, "eps_ratio": eps}
    rule = make("lamb", beta1=b1, beta2=b2, eps=eps, weight_decay=decay, **corrections)
    # by default the library divides the rate by 1 − β₁ᵗ, though the ratio has made up for it
    options = theirs | {"weight_decay": decay, "weight_decouple": False, "adam_debias": True}
    yield Twin("Lamb", rule, runner(library.Lamb, **options), (0.003, 3e-4))
    for corrected in (False, True):
        rule = make("dadaptadam", beta1=b1, beta2=b2, eps=eps, initial=first, growth=1.05, corrected=corrected)
        options = theirs | {"d0": first, "growth_rate": 1.05, "bias_correction": corrected}
        yield Twin("DAdaptAdam", rule, runner(library.DAdaptAdam, **options), (0.5, 0.05))
    rule = make("cautious", rule=make("lion", beta1=b1, beta2=b2))
    yield Twin("Lion(cautious)", rule, runner(library.Lion, betas=(b1, b2), weight_decay=0.0, cautious=True), (0.003, 3e-4))
    same = {"eps": eps, "weight_decay": 0.0}
    rule = make("cautious", rule=make("ademamix", beta1=b1, beta2=b2, mix=0.0, **same))
    # of the library's two means only the first is masked
    options = {"betas": (b1, b2, 0.9999), "alpha": 0.0, "cautious": True, **same}
    yield Twin("AdEMAMix(cautious)", rule, runner(library.AdEMAMix, **options), (0.003, 3e-4))


def prodigies(d: Draw) -> Iterator[Twin]:
    """The authors' Prodigy, whose growth may be bounded."""
    (b1, b2), eps, decay, first = d.moments(), d.eps(), d.power(-3, -2), d.power(-5, -3)
    beta3, factor = d.uniform(0.9, 0.999), d.uniform(0.5, 2)
    for safe, growth in ((False, float("inf")), (True, 1.05)):
        same = {"eps": eps, "beta3": beta3, "weight_decay": decay}
        rule = make(
            "prodigy", beta1=b1, beta2=b2, initial=first, factor=factor, growth=growth, corrected=safe, safeguarded=safe, **same
        )
        options: dict[str, Any] = {"betas": (b1, b2), "d0": first, "d_coef": factor, "growth_rate": growth}
        options |= {"use_bias_correction": safe, "safeguard_warmup": safe}
        yield Twin("Prodigy", rule, runner(one_by_one(prodigyopt.Prodigy), **options, **same), (0.5, 0.05))


def schedule_free(d: Draw) -> Iterator[Twin]:
    """Over plain descent and over Adam without momentum, with weight decay at the point of the gradient."""
    (_, b2), eps, beta, power, decay = d.moments(), d.eps(), d.momentum(), d.uniform(0, 3), d.power(-3, -1)
    same = {"beta": beta, "power": power, "weight_decay": decay}
    options = {"weight_lr_power": power, "weight_decay": decay}
    sgd = runner(training(schedulefree.SGDScheduleFree), momentum=beta, **options)
    yield Twin("SGDScheduleFree", make("schedulefree", **same), sgd, ALONG)
    adam = runner(training(schedulefree.AdamWScheduleFree), betas=(beta, b2), eps=eps, **options)
    rule = make("schedulefree", rule=make("adam", beta1=0.0, beta2=b2, eps=eps), **same)
    yield Twin("AdamWScheduleFree", rule, adam, SCALED)


def one_by_one(cls: Any) -> Callable:
    """The optimizer, which knows no other way than to go through its parameters one by one, and prints what it does."""

    def begun(parameters: Any, foreach: bool, **options: Any) -> Any:
        with redirect_stdout(StringIO()):
            return cls(parameters, **options)

    return begun


def training(cls: Any) -> Callable:
    """The optimizer, told that it trains: its parameters are then the points of the gradients."""

    def begun(*args: Any, **options: Any) -> Any:
        optimizer = cls(*args, **options)
        optimizer.train()
        return optimizer

    return begun


#: Each package's groups of twins.
PACKAGES = {
    "pytorch-optimizer": (adam_like, averaging, quasi_hyperbolic, looking),
    "schedulefree": (schedule_free,),
    "prodigyopt": (prodigies,),
}
