"""A user's own class is checked where it is registered: what it lacks is said there, with where it is documented."""

from typing import NamedTuple

import numpy as np
import pytest

import gdbench as gd
from gdbench.kernels import landscapes, losses, optimizers, order, penalties, schedules
from gdbench.kernels.members import approve
from gdbench.parity import oracle
from gdbench.parity.case import NoOracle

REGISTRIES = {
    registry.kind: registry for registry in (m.registry for m in (optimizers, losses, penalties, schedules, landscapes))
}


def of(base, **changes):
    """A class with the attributes of another one, but for some; None leaves one out."""
    body = {name: value for name, value in vars(base).items() if name in WHOLE} | changes
    kept = {name: value for name, value in body.items() if value is not None}
    fields = dict(base.__annotations__)
    cls = NamedTuple("Mine", list(fields.items()))
    cls.__new__.__defaults__ = tuple(base._field_defaults.values())
    cls._field_defaults = dict(base._field_defaults)
    for name, value in kept.items():
        setattr(cls, name, value)
    return cls


class Rule(NamedTuple):
    slots = ("velocity",)

    def step(self, w, g, state, rate, t):
        return w - rate * g, state


class Cost(NamedTuple):
    domain = "real"

    def value(self, z, y):
        return (z - y) ** 2

    def derivative(self, z, y):
        return 2 * (z - y)


class Charge(NamedTuple):
    slots = ("paid",)

    def penalty_value(self, w):
        return abs(w)

    def with_penalty(self, g, w):
        return g

    def after_step(self, w, rate, travelled, memory):
        return w, memory


class Fall(NamedTuple):
    learning_rate: float = 0.1

    def factor(self, t):
        return 1.0 / t


class Place(NamedTuple):
    dimension = 2
    start = (1.0, 1.0)
    box = ((-1.0, 1.0), (-1.0, 1.0))

    def value(self, x):
        return float(x @ x)

    def gradient(self, x, g):
        g[:] = 2 * x

    def minima(self, d):
        return []


BASES = {"optimizer": Rule, "loss": Cost, "penalty": Charge, "schedule": Fall, "landscape": Place}
WHOLE = {name for base in BASES.values() for name in vars(base) if not name.startswith("_")} - {"learning_rate"}


@pytest.mark.parametrize("kind", BASES)
def test_what_is_complete_is_registered(kind):
    registry = REGISTRIES[kind]
    cls = of(BASES[kind])
    try:
        assert registry.register(cls) is cls
        assert type(registry.make("mine")) is cls
    finally:
        registry._members.pop("mine", None)


def combine(self, sums, loss, kept, rate, t):
    return sums


def told(self, w, g, state, rate, t, shared):
    return w, state


#: A rule that looks at the whole model, but whose step does not take what it is told.
LOOKING = {"sums": ("g",), "reduce": lambda self, w, g, state, rate, t, kept: (g,), "combine": combine}


def group(self, z, y, first, classes):
    return 0.0


def no_group(self, z, y, c, first, classes):
    c[first] = 0.0


@pytest.mark.parametrize(
    ("kind", "changes", "told"),
    [
        ("optimizer", {"step": None}, "Mine is no optimizer: it has no method step"),
        ("optimizer", {"slots": None}, r"has no slots: the names of the vectors that it remembers; \(\) for none"),
        ("optimizer", {"slots": ["velocity"]}, r"has slots = \['velocity'\]: they must be a tuple of names"),
        (
            "optimizer",
            {"step": lambda self, w, g: w},
            r"step of other arguments: it must take \(self, w, g, state, rate, t\)",
        ),
        ("optimizer", {"step": lambda self, w, g, state, rate, t: (w, ())}, r"new weight and its new state \(velocity,\), not"),
        ("optimizer", {"start": lambda self: (0.0, 0.0)}, "start gives 2 values for the 1 slots"),
        ("optimizer", {"step": lambda self, w, g, state, rate, t: nowhere}, "NameError: name 'nowhere' is not defined"),  # noqa: F821
        (
            "optimizer",
            {"settle": lambda self, w: w},
            r"settle of other arguments: it must take \(self, w, state, rate, idle\)",
        ),
        (
            "optimizer",
            {"combine": combine, "step": told},
            r"has combine, but not both of reduce\(self, w, g, state, rate, t, kept\) and sums",
        ),
        ("optimizer", {**LOOKING, "step": told, "sums": tuple("abcde")}, "has 5 sums: at most 4 are supported"),
        ("optimizer", LOOKING, r"step of other arguments: it must take \(self, w, g, state, rate, t, shared\)"),
        ("optimizer", {**LOOKING, "step": told, "by_layer": True, "kept": ("a",)}, "has by_layer and kept"),
        (
            "optimizer",
            {**LOOKING, "step": told, "reduce": lambda *given: 1.0},
            r"reduce must return a tuple of the sums' parts \(g\)",
        ),
        (
            "optimizer",
            {**LOOKING, "step": told, "combine": lambda *given: 1.0},
            "combine must return a tuple, which step is given",
        ),
        ("loss", {"derivative": None}, "Mine is no loss: it has no method derivative"),
        ("loss", {"domain": None}, "has no domain: the targets that it takes: 'real', 'count'"),
        ("loss", {"domain": "reals"}, "has domain = 'reals': choose from 'real', 'count', 'positive', 'sign'"),
        ("loss", {"domain": "class"}, r"takes classes, but has no method value_group\(self, z, y, first, classes\)"),
        ("loss", {"domain": "class", "value_group": group, "derive_group": no_group}, "derive_group must write the derivative"),
        ("loss", {"smoothness": -1.0}, "has smoothness = -1.0: it must be the largest second derivative, or None"),
        ("loss", {"value": lambda self, z: z}, r"method value of other arguments: it must take \(self, z, y\)"),
        ("loss", {"value": lambda self, z, y: None}, "value must return a number, not None"),
        ("loss", {"derivative": lambda self, z, y: [z]}, r"derivative must return a number, not \["),
        ("penalty", {"with_penalty": None}, "Mine is no penalty: it has no method with_penalty"),
        ("penalty", {"after_step": None}, "has slots but no method after_step"),
        (
            "penalty",
            {"after_step": lambda self, w, rate, travelled, memory: w},
            "must return the new weight and its 1 slots",
        ),
        ("schedule", {"factor": lambda self: 1.0}, r"method factor of other arguments: it must take \(self, t\)"),
        ("schedule", {"factor": lambda self, t: 1.0}, r"factor must return an array of t's shape \(4,\), not of \(\)"),
        ("schedule", {"factor": lambda self, t: t * np.nan}, "factor must return finite numbers"),
        ("landscape", {"dimension": None}, "has no dimension: the number of dimensions, or None for any"),
        ("landscape", {"start": None}, "has no start: a point to start from"),
        ("landscape", {"box": None}, "has no box: an interval for each dimension"),
        ("landscape", {"minima": None}, "has no minima: a method"),
        ("landscape", {"gradient": lambda self, x: 2 * x}, r"method gradient of other arguments: it must take \(self, x, g\)"),
        ("landscape", {"gradient": lambda self, x, g: 2 * x}, "gradient must write ∂f/∂x to each entry of g"),
        ("landscape", {"value": lambda self, x: x}, "value must return a number, not array"),
    ],
)
def test_what_is_missing_is_said_where_it_is_registered(kind, changes, told):
    registry = REGISTRIES[kind]
    with pytest.raises(gd.GdbenchError, match=told) as caught:
        registry.register(of(BASES[kind], **changes))
    assert "mine" not in registry.names()
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(("kind", "attribute"), [("optimizer", "slots"), ("loss", "domain"), ("landscape", "start")])
def test_where_it_is_documented_is_said_and_a_tag_that_was_never_registered_is_checked_too(kind, attribute):
    cls = of(BASES[kind], **{attribute: None})
    with pytest.raises(gd.GdbenchError, match=rf"has no {attribute}.* \(see help\(gd\.{kind.replace('ss', 'sse')}s\)\)"):
        REGISTRIES[kind].make(cls())


@pytest.mark.parametrize("kind", REGISTRIES)
def test_every_member_has_what_a_user_s_own_must_have(kind):
    for cls in REGISTRIES[kind]:
        approve(cls, kind)
    for cls in order.registry:
        approve(cls, "shuffle")


def test_a_member_without_an_oracle_is_told_the_file_where_one_belongs():
    with pytest.raises(NoOracle, match=r"^mine: write its textbook formula into RULES of gdbench/parity/oracle\.py$"):
        oracle.of(oracle.RULES, of(Rule)())
