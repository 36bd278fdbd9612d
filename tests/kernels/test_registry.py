"""Registries: names, coercion, limits, and what a user registers."""

import math
from typing import NamedTuple

import numpy as np
import pytest

import gdbench as gd
from gdbench.kernels import landscapes, losses, optimizers, order, penalties, schedules
from gdbench.kernels.registry import Registry, checked, in_dtype, name_of

KINDS = {
    "optimizer": optimizers.registry,
    "loss": losses.registry,
    "penalty": penalties.registry,
    "schedule": schedules.registry,
    "landscape": landscapes.registry,
    "shuffle": order.registry,
}
MEMBERS = [pytest.param(registry, cls, id=f"{kind}-{name_of(cls)}") for kind, registry in KINDS.items() for cls in registry]


@pytest.mark.parametrize(("registry", "cls"), MEMBERS)
def test_a_member_is_made_by_name_class_and_tag(registry, cls):
    by_name = registry.make(name_of(cls))
    assert by_name == registry.make(cls) == registry.make(by_name) == registry.make(cls())
    assert type(by_name) is cls and cls.__doc__
    assert set(getattr(cls, "limits", {})) <= set(cls._fields)


@pytest.mark.parametrize(("registry", "cls"), MEMBERS)
def test_fields_are_coerced_to_their_types(registry, cls):
    """So that Adam(1) and Adam(np.float32(1)) are the type that Adam(1.0) is, and compile nothing new."""
    tag = registry.make(cls)
    numbers = {f: v for f, v in tag._asdict().items() if type(v) is float and math.isfinite(v) and v == int(v)}
    again = registry.make(tag._replace(**{field: int(value) for field, value in numbers.items()}))
    assert [type(value) for value in again] == [type(value) for value in tag] and again == tag
    narrow = registry.make(tag._replace(**{field: np.float32(value) for field, value in numbers.items()}))
    assert [type(value) for value in narrow] == [type(value) for value in tag]


@pytest.mark.parametrize(("registry", "cls"), MEMBERS)
def test_limits_are_kept(registry, cls):
    for field, interval in getattr(cls, "limits", {}).items():
        low, high = (float(bound) for bound in interval[1:-1].split(","))
        outside = [math.nan, *([low - 1] if math.isfinite(low) else []), *([high + 1] if math.isfinite(high) else [])]
        outside += [low] if interval[0] == "(" and math.isfinite(low) else []
        for value in outside:
            with pytest.raises(gd.GdbenchError, match=field):
                registry.make(cls(**{field: value}))


@pytest.mark.parametrize("kind", KINDS)
def test_unknown_names_are_answered_with_the_valid_ones(kind):
    with pytest.raises(gd.GdbenchError, match=f"unknown {kind} 'qqq'; choose from: ") as caught:
        KINDS[kind].make("qqq")
    assert ", ".join(KINDS[kind].names()) in str(caught.value)
    assert "qqq" not in KINDS[kind] and KINDS[kind].names()[0] in KINDS[kind] and ["x"] not in KINDS[kind]


def test_the_contracts_names():
    assert {*("gd", "momentum", "nesterov", "adagrad", "rmsprop", "adadelta", "adam", "amsgrad", "adamax", "nadam")} <= set(
        optimizers.registry.names()
    )
    assert {"radam", "adamw", "lion", "averaged", "clipped", "sag", "saga", "svrg"} <= set(optimizers.registry.names())
    assert set(losses.registry.names()) >= {
        *("squared_error", "huber", "epsilon_insensitive", "squared_epsilon_insensitive", "log_loss", "hinge"),
        *("squared_hinge", "modified_huber", "perceptron", "cross_entropy", "pinball"),
    }
    assert set(penalties.registry.names()) >= {"none", "l2", "l1", "elasticnet"}
    assert set(order.registry.names()) == {"none", "once", "epoch", "block", "replacement", "sklearn"}
    assert set(schedules.registry.names()) >= {
        *("constant", "invscaling", "optimal", "adaptive", "step", "exponential", "cosine", "warmup", "backtracking")
    }


def test_a_class_registered_again_replaces_the_one_before():
    registry = Registry("thing", "run")

    def define(value):
        @registry.register
        class Mine(NamedTuple):
            def run(self):
                return value

    define(1)
    define(2)
    assert registry.names() == ["mine"] and registry.make("mine").run() == 2


@pytest.mark.parametrize("thing", [3, "text", dict, type("Plain", (), {"run": print})])
def test_only_a_named_tuple_is_registered(thing):
    with pytest.raises(gd.GdbenchError, match=r"derive it from typing.NamedTuple"):
        Registry("thing", "run").register(thing)


def test_missing_methods_and_values_are_named():
    class Half(NamedTuple):
        size: float

        def run(self):
            return self.size

    with pytest.raises(gd.GdbenchError, match="Half is no thing: it has no method stop"):
        Registry("thing", "run", "stop").register(Half)
    registry = Registry("thing", "run")
    registry.register(Half)
    for choice in ("half", Half):
        with pytest.raises(gd.GdbenchError, match="thing half needs a value for size"):
            registry.make(choice)
    assert registry.make("half", size=2) == (2.0,)


def test_wrappers_take_their_rule_by_name():
    assert optimizers.registry.make(optimizers.Averaged("adam", first=3)).rule == optimizers.Adam()
    assert optimizers.registry.make("clipped", rule=optimizers.Averaged("momentum")).rule.rule == optimizers.Momentum()
    assert schedules.registry.make(schedules.Warmup(after="cosine")).after == schedules.Cosine()


def test_float_fields_take_the_dtype_of_the_data():
    tag = in_dtype(checked(optimizers.Averaged(optimizers.Momentum(0.5), first=2)), np.dtype(np.float32))
    assert type(tag.rule.beta) is np.float32 and type(tag.first) is int
