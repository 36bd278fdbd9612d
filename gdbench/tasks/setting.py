"""A setting: everything that determines a descent, checked and resolved from a user's words."""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypedDict, TypeVar

import numpy as np

from gdbench.errors import GdbenchError, unknown
from gdbench.kernels import losses, optimizers, order, penalties, schedules
from gdbench.kernels.optimizers import looker, looks, loop_form
from gdbench.kernels.registry import checked, in_dtype, name_of
from gdbench.tasks.model import MLP, model_of

VARIANTS = ("batch", "stochastic", "mini-batch")

#: The fields of a penalty that are options too, as they are where nothing is said of them.
UNSAID = {"alpha": 0.0, "l1_ratio": 0.15}


@dataclass(frozen=True)
class Setting:
    """A solver and its budget, without data.

    Attributes
    ----------
    model : MLP or None
        None is the linear model.
    loss, penalty, optimizer, schedule : tags
    variant : str
    batch_size : int or None
        Rows a step; None stands for all.
    shuffle : str
    window : int or None
        Chunks that are mixed at a time, where data is read chunk by chunk; None mixes rows as in memory.
    learning_rates : tuple of float
        One lane each.
    epochs : int
        The budget, in passes over the data.
    tol : float or None
        Stop when `PATIENCE` epochs together lower the objective by less than this.
    fit_intercept : bool
    seed : int
    record : int
        Points recorded along the way.
    threads : int
        For batch gradients, and for the lanes of a sweep; the result does not depend on it.
    time_limit : float
        Seconds on the clock of the kernels after which the run ends as ``timeout``.
    """

    model: MLP | None
    loss: Any
    penalty: Any
    optimizer: Any
    schedule: Any
    variant: str
    batch_size: int | None
    shuffle: str
    window: int | None
    learning_rates: tuple[float, ...]
    epochs: int
    tol: float | None
    fit_intercept: bool
    seed: int
    record: int
    threads: int
    time_limit: float

    def rule(self, dtype: np.dtype) -> Any:
        """The optimizer as the loops run it, its fields in `dtype`."""
        return in_dtype(loop_form(self.optimizer), dtype)

    @property
    def solver(self) -> str:
        """A short name for messages and tables."""
        return f"{self.variant} {name_of(self.optimizer)}"


def settle(
    *,
    model: Any = "linear",
    loss: Any = "squared_error",
    penalty: Any = None,
    alpha: float = UNSAID["alpha"],
    l1_ratio: float = UNSAID["l1_ratio"],
    optimizer: Any = "gd",
    variant: str = "mini-batch",
    batch_size: int = 32,
    learning_rate: Any = 0.01,
    learning_rates: Any = None,
    epochs: int = 100,
    tol: float | None = None,
    shuffle: str = "epoch",
    window: int | None = None,
    fit_intercept: bool = True,
    seed: int = 0,
    record: int = 40,
    threads: int = 1,
    time_limit: float = math.inf,
    **others: Any,
) -> Setting:
    """Check a user's words for a solver and return the setting they mean.

    Raises
    ------
    GdbenchError
        An unknown name, with the valid ones; a number out of range, with the range.
    """
    if others:
        raise unknown("option", next(iter(others)), OPTIONS)
    if variant not in VARIANTS:
        raise unknown("variant", variant, list(VARIANTS))
    schedule = schedule_of(learning_rate)
    rates = [schedule.learning_rate] if learning_rates is None else learning_rates
    size = {"batch": None, "stochastic": 1, "mini-batch": whole("batch_size", batch_size, 1)}[variant]
    if shuffle not in order.registry:
        raise unknown("shuffle", shuffle, order.registry.names())
    loss, penalty = losses.registry.make(loss), penalty_of(penalty, alpha, l1_ratio)
    if hasattr(schedule, "bind"):
        schedule = schedule.bind(loss, penalty)
    rule = optimizers.registry.make(optimizer)
    if getattr(schedule, "listens", "") == "step":
        check_line_search(name_of(schedule), variant, rule, penalty)
    if hasattr(rule, "estimator"):
        check_estimator(rule, variant, model, penalty)
    return Setting(
        model=model_of(model),
        loss=loss,
        penalty=penalty,
        optimizer=rule,
        schedule=schedule,
        variant=variant,
        batch_size=size,
        shuffle=shuffle,
        window=None if window is None else window_of(window, variant, shuffle),
        learning_rates=rates_of(rates),
        epochs=whole("epochs", epochs, 1),
        tol=None if tol is None else real("tol", tol, 0.0, math.inf),
        fit_intercept=flag("fit_intercept", fit_intercept),
        seed=whole("seed", seed, 0, 2**32 - 1),
        record=whole("record", record, 2, 10**6),
        threads=whole("threads", threads, 1, 1024),
        time_limit=real("time_limit", time_limit, 0.0, math.inf),
    )


def window_of(window: Any, variant: str, shuffle: str) -> int:
    """A number of chunks that are mixed.

    Raises
    ------
    GdbenchError
        Unless it is a whole number from 1, and mini-batches are shuffled for each epoch.
    """
    if (variant, shuffle) != ("mini-batch", "epoch"):
        needed = "variant='mini-batch' and shuffle='epoch'"
        raise GdbenchError(f"window mixes rows anew for each epoch: it needs {needed}, not {variant!r} and {shuffle!r}")
    return whole("window", window, 1)


def check_line_search(name: str, variant: str, rule: Any, penalty: Any) -> None:
    """Raise unless the solver is one that a line search serves: batch, plain descent, a smooth penalty."""
    if variant != "batch":
        raise GdbenchError(f"schedule {name} needs variant='batch', not {variant!r}")
    if name_of(rule) != "gd":
        raise GdbenchError(f"schedule {name} needs optimizer='gd', not {name_of(rule)!r}")
    if not hasattr(penalty, "shrinkage"):
        raise GdbenchError(f"schedule {name} needs a smooth penalty (none or l2), not {name_of(penalty)}")


def check_estimator(rule: Any, variant: str, model: Any, penalty: Any) -> None:
    """Raise unless the solver is one that a memory of gradients serves: stochastic, linear, a smooth penalty."""
    name = rule.estimator
    if variant != "stochastic":
        raise GdbenchError(f"optimizer {name} needs variant='stochastic', not {variant!r}")
    if model != "linear":
        raise GdbenchError(f"optimizer {name} needs model='linear': its memory is one number a row")
    if not hasattr(penalty, "shrinkage"):
        raise GdbenchError(f"optimizer {name} needs a smooth penalty (none or l2), not {name_of(penalty)}")
    if looks(loop_form(rule)):
        other = name_of(looker(loop_form(rule)))
        hint = ": clip by value, not by norm" if other == "clipped" else ""
        raise GdbenchError(f"optimizer {name} steps before it knows the whole gradient, at which {other} looks{hint}")


#: The names of `settle`'s options.
OPTIONS = [name for name in inspect.signature(settle).parameters if name not in ("learning_rates", "others")]


class Options(TypedDict, total=False):
    """What :func:`settle` takes, for type checkers."""

    model: str | MLP
    loss: Any
    penalty: Any
    alpha: float
    l1_ratio: float
    optimizer: Any
    variant: str
    batch_size: int
    learning_rate: Any
    epochs: int
    tol: float | None
    shuffle: str
    window: int | None
    fit_intercept: bool
    seed: int
    record: int
    threads: int
    time_limit: float


Function = TypeVar("Function", bound=Callable[..., Any])


def takes_options(function: Function) -> Function:
    """Let a function's signature name the options that it hands to :func:`settle`, with their defaults."""
    signature, known = inspect.signature(function), inspect.signature(settle).parameters
    *own, _ = signature.parameters.values()
    function.__signature__ = signature.replace(parameters=[*own, *(known[name] for name in OPTIONS)])  # type: ignore[attr-defined]
    return function


def schedule_of(choice: Any) -> Any:
    """The schedule that a number, a name or a tag stands for."""
    if isinstance(choice, (int, float, np.number)) and not isinstance(choice, bool):
        return schedules.Constant(learning_rate=rate_of(choice))
    return schedules.registry.make(choice)


def rate_of(value: Any) -> float:
    """A learning rate as a float.

    Raises
    ------
    GdbenchError
        Unless it is finite and above 0.
    """
    rate = number("learning_rate", value)
    if not 0.0 < rate < math.inf:
        raise GdbenchError(f"learning_rate must be finite and above 0, not {value!r}")
    return rate


def rates_of(values: Any) -> tuple[float, ...]:
    """The learning rates of a sweep: at least one, each finite and above 0."""
    try:
        rates = tuple(rate_of(value) for value in values)
    except TypeError:
        raise GdbenchError(f"learning_rates must be a list of numbers, not {values!r}") from None
    if not rates:
        raise GdbenchError("learning_rates is empty: give at least one rate")
    return rates


def penalty_of(choice: Any, alpha: float, l1_ratio: float) -> Any:
    """The penalty that None, a name or a class with `alpha` and `l1_ratio`, or a tag stands for.

    Raises
    ------
    GdbenchError
        An unknown name, a number out of range, `alpha` or `l1_ratio` beside a tag, which has its own.
    """
    given = {"alpha": real("alpha", alpha, 0.0, math.inf), "l1_ratio": real("l1_ratio", l1_ratio, 0.0, 1.0)}
    if choice is None or choice == "none":
        return penalties.NoPenalty()
    if isinstance(choice, str):
        return penalties.registry.make(choice, **among(penalties.registry[choice], given))
    said = {name: value for name, value in given.items() if value != UNSAID[name]}
    if isinstance(choice, type):
        return penalties.registry.make(choice, **among(choice, said))
    tag = checked(penalties.registry.make(choice), "penalty")
    if said and not isinstance(tag, penalties.NoPenalty):
        name, value = next(iter(said.items()))
        raise GdbenchError(
            f"{name}={value:g} is for a penalty that is given by name, but {tag!r} has its own fields: set them there and leave "
            f"{name} out, or give the name"
        )
    return tag


def among(cls: type, values: dict[str, Any]) -> dict[str, Any]:
    """Those of the values that are fields of a class."""
    return {name: value for name, value in values.items() if name in getattr(cls, "_fields", ())}


def whole(name: str, value: Any, low: int, high: int | None = None) -> int:
    """`value` as an int in [low, high]."""
    if isinstance(value, bool) or not isinstance(value, (int, np.integer)):
        raise GdbenchError(f"{name} must be a whole number, not {value!r}")
    if value < low or (high is not None and value > high):
        raise GdbenchError(f"{name} must be {f'at least {low}' if high is None else f'in [{low}, {high}]'}, not {value}")
    return int(value)


def number(name: str, value: Any) -> float:
    """`value` as a float."""
    if isinstance(value, bool) or not isinstance(value, (int, float, np.integer, np.floating)):
        raise GdbenchError(f"{name} must be a number, not {value!r}")
    try:
        return float(value)
    except OverflowError:
        raise GdbenchError(f"{name} is a number beyond the largest float") from None


def real(name: str, value: Any, low: float, high: float) -> float:
    """`value` as a float in [low, high]; never NaN."""
    found = number(name, value)
    if not low <= found <= high:
        raise GdbenchError(f"{name} must be in [{low:g}, {high:g}], not {value!r}")
    return found


def flag(name: str, value: Any) -> bool:
    """`value` as a bool."""
    if not isinstance(value, (bool, np.bool_)):
        raise GdbenchError(f"{name} must be True or False, not {value!r}")
    return bool(value)
