"""Every field of every member away from its default, beside the member's plain formula.

The fields are read from the classes: a field for which no other value can be told, or that changes nothing, fails, so that none
is forgotten. The body itself runs, by the interpreter, so that nothing compiles; the parity table holds kernels against bodies.
"""

import itertools
import math
import typing

import numpy as np
import pytest

from gdbench.kernels import landscapes, losses, optimizers, order, penalties, schedules
from gdbench.kernels.landscapes import gradient as gradient_of
from gdbench.kernels.landscapes import value as value_of
from gdbench.kernels.losses import derivative, value
from gdbench.kernels.models.mlp import activations
from gdbench.kernels.optimizers import loop_form
from gdbench.kernels.penalties import after_step, penalty_value, with_penalty
from gdbench.kernels.registry import name_of
from gdbench.kernels.shares import in_whole_steps
from gdbench.parity import against_numpy, draws, oracle
from gdbench.parity.against_python import interpreted
from gdbench.parity.case import differences, run
from gdbench.tasks.model import MLP

STEPS, RATE, TOLERANCE = 60, 0.02, 1e-12

#: Values for fields that are no flag and no number within declared limits.
VALUES = {
    "rule": optimizers.Momentum(beta=0.7, dampening=0.3),
    "first": 7,
    "norm": 0.8,
    "value": 0.3,
    "momentum_decay": 0.03,
    "threshold": 6.5,
    "every": 4,
    "steps": 9,
    "patience": 2,
    "power_t": 0.6,
    "after": schedules.Cosine(steps=11, end=0.2),
    "seed": 23,
    "hidden": 5,
    "activation": "relu",
    "condition": 30.0,
    "tilt": 0.7,
    "quantile": 0.3,
    "width": 0.7,
    "power": 1.3,
    ("schedulefree", "power"): 1.5,
    "a": 2.5,
    "b": 3.5,
    "c": 4.5,
    "smallest": 0.01,
    "largest": 0.05,
    "warm_up": 40.0,
    ("adopt", "eps"): 0.05,  # a least divisor, and a least scale: of the gradients' size, they act
    ("cocob", "eps"): 0.05,
    ("lars", "eps"): 0.5,  # beside norms
    ("lamb", "eps"): 0.01,
    ("lamb", "eps_root"): 1e-3,
    ("lamb", "eps_ratio"): 0.05,
    ("dog", "eps"): 0.5,
    ("dowg", "eps"): 0.5,
    ("dadaptadam", "eps"): 0.05,
    ("prodigy", "eps"): 0.05,
    ("sps", "eps"): 5.0,
    ("momoadam", "eps"): 0.05,
    ("mechanic", "eps"): 0.05,
    ("cautious", "least"): 0.9,
    "largest_norm": 2.0,
    "growth": 1.03,
}

#: What else must be set for a field to act.
TOGETHER = {
    ("clipped", "eps"): {"norm": 0.8},
    ("optimal", "learning_rate"): {"strength": 0.1, "offset": 9.0},
    ("optimal", "strength"): {"offset": 9.0},
    ("optimal", "offset"): {"strength": 0.1},
    ("step", "gamma"): {"every": 4},
    ("warmup", "after"): {"steps": 9},
    ("truncated", "l1_ratio"): {"alpha": 0.3},
    ("elasticnet", "l1_ratio"): {"alpha": 0.3},
    ("adan", "proximal"): {"weight_decay": 0.3},
    ("lars", "apart"): {"weight_decay": 0.3},
    **{("dadaptadam", field): {"initial": 0.1} for field in ("eps", "growth", "weight_decay")},
    **{("prodigy", field): {"initial": 0.1} for field in ("eps", "weight_decay")},
    **{("prodigy", field): {"factor": 3.0} for field in ("growth", "beta3", "safeguarded")},
    **{("mechanic", field): {"initial": 0.1} for field in ("eps", "weight_decay")},
}

#: Where a field acts under rates that change only.
PACED = {("schedulefree", "power"): schedules.Warmup(steps=40, start=0.1)}


def away(cls, field):
    """The member with this field away from its default, and the one beside it that differs in this field alone."""
    default, hint = cls._field_defaults[field], typing.get_type_hints(cls).get(field)
    if hint is bool:
        found = not default
    elif (name_of(cls), field) in VALUES or field in VALUES:
        found = VALUES.get((name_of(cls), field), VALUES.get(field))
    elif hint is float:
        found = draws.number(field, getattr(cls, "limits", {}).get(field, ""), default, draws.generator(name_of(cls), field))
    else:
        pytest.fail(f"{cls.__name__}.{field}: no value away from its default is known; add one to VALUES")
    others = TOGETHER.get(
        (name_of(cls), field), {"eps": 1e-3} if field in ("eps_before_correction", "eps_beside_maximum") else {}
    )
    assert found != default
    return cls(**{field: found}, **others), cls(**others)


def fields_of(registry, without=()):
    """Each class with each of its fields, and once with all of them, as parameters of a test."""
    return [
        pytest.param(cls, field, id=f"{name_of(cls)}-{field}")
        for cls in against_numpy.own(registry)
        for field in cls._fields
        if (name_of(cls), field) not in without
    ]


def agree(ours, theirs, default):
    """Whether two trajectories agree, and whether they could have disagreed: the default's is another one."""
    assert differences(ours, theirs)[1] <= TOLERANCE
    assert differences(default, theirs)[1] > 1e3 * TOLERANCE


# Update rules --------------------------------------------------------------------------------------------------------

START = np.array([1.0, -2.0, 0.5, 3.0])
GRADIENTS = draws.gradients(STEPS, 4, "fields")
FUNCTION = draws.values(STEPS, "fields")
RULES = [cls for cls in against_numpy.own(optimizers.registry) if not against_numpy.with_memory(cls)]


CONSTANT = schedules.Constant()


def rate_of(rule):
    """The learning rate: 1 for the rules that find one of their own, whose estimates else never rise."""
    return 1.0 if name_of(rule) in ("dadaptadam", "prodigy") else RATE


def by_oracle(rule, pace=CONSTANT):
    return oracle.replay(rule, START, GRADIENTS, pace._replace(learning_rate=rate_of(rule)), FUNCTION)


def by_body(rule, pace=CONSTANT):
    """The rule's own body, by the interpreter."""
    rates = rate_of(rule) * np.asarray(pace.factor(np.arange(1.0, STEPS + 1)))
    return interpreted(rule, START, GRADIENTS, rates, FUNCTION)


@pytest.mark.parametrize(("cls", "field"), [case for case in fields_of(optimizers.registry) if case.values[0] in RULES])
def test_a_field_of_a_rule_acts_as_its_formula_says(cls, field):
    rule, beside = away(cls, field)
    pace = PACED.get((name_of(cls), field), CONSTANT)
    theirs = by_oracle(rule, pace)
    if field == "first":  # the path is the inner rule's; what the field decides is the mean
        theirs, default = means(rule), means(beside)
        agree(averages(rule), theirs, default)
        return
    agree(by_body(rule, pace), theirs, by_body(beside, pace))
    if loop_form(rule) is not rule:
        agree(by_body(loop_form(rule), pace), theirs, by_body(loop_form(beside), pace))


def means(rule):
    """The mean of the inner rule's points from `first` on, after each step."""
    path = by_oracle(rule.rule)
    return np.array([path[t] if t < rule.first else path[rule.first : t + 1].mean(axis=0) for t in range(1, STEPS + 1)])


def averages(rule):
    """What an averaging rule reports after each step, by its own body."""
    found = np.empty((STEPS, START.size))
    for j, w in enumerate(START):
        state = (*rule.start()[:-1], w)
        for t, g in enumerate(GRADIENTS[:, j], start=1):
            w, state = rule.step(w, g, state, RATE, float(t))
            found[t - 1, j] = rule.result(w, state)
    return found


@pytest.mark.parametrize("cls", [cls for cls in RULES if cls._fields], ids=name_of)
@pytest.mark.parametrize("draw", range(8))
def test_all_fields_of_a_rule_away_at_once(cls, draw):
    """Flags beside the numbers that they switch: eight draws hold both values of each flag."""
    rule = draws.drawn(cls, "fields", draw)
    for form in (rule, loop_form(rule)):
        assert differences(by_body(form), by_oracle(rule))[1] <= TOLERANCE


@pytest.mark.parametrize("cls", [cls for cls in against_numpy.own(optimizers.registry) if cls not in RULES], ids=name_of)
def test_a_rule_behind_an_estimate_of_the_gradient_is_the_rule(cls):
    """The estimates are the loops' work, in the parity table; what the field decides is the step taken on one."""
    assert cls._fields == ("rule",)
    tag, _ = away(cls, "rule")
    assert tag.slots == tag.rule.slots and tag.start() == (0.0,)
    for t in (1.0, 2.0):
        assert tag.step(1.5, 0.4, (0.2,), RATE, t) == tag.rule.step(1.5, 0.4, (0.2,), RATE, t)


@pytest.mark.parametrize("cls", [cls for cls in RULES if "rule" not in cls._fields], ids=name_of)
def test_a_rule_that_is_wrapped_begins_and_steps_as_by_itself(cls):
    inner = draws.drawn(cls, "wrapped")
    path = interpreted(inner, START, GRADIENTS, RATE, FUNCTION)
    for outer in (optimizers.Clipped(inner), optimizers.Averaged(inner), optimizers.Averaged(optimizers.Clipped(inner))):
        np.testing.assert_allclose(interpreted(loop_form(outer), START, GRADIENTS, RATE, FUNCTION), path, rtol=1e-13)


# Losses and penalties ------------------------------------------------------------------------------------------------

MARGINS = np.linspace(-3, 3, 121) + 0.001


def places(loss):
    """Margins and targets within the loss's domain."""
    targets = {"count": (0.0, 1.0, 3.0), "positive": (0.2, 2.5)}.get(loss.domain, (-1.3, 0.0, 0.45))
    return [(float(z), float(y)) for z, y in itertools.product(MARGINS, targets)]


def loss_path(loss):
    return np.array([[value(loss, z, y), derivative(loss, z, y)] for z, y in places(loss)])


@pytest.mark.parametrize(("cls", "field"), fields_of(losses.registry))
def test_a_field_of_a_loss_acts_as_its_formula_says(cls, field):
    loss, beside = away(cls, field)
    z, y = np.array(places(loss)).T
    theirs = np.column_stack([part(loss, z, y) for part in oracle.of(oracle.LOSSES, loss)])
    agree(loss_path(loss), theirs, loss_path(beside))


@pytest.mark.parametrize(("cls", "field"), [case for case in fields_of(losses.registry) if hasattr(case.values[0], "curvature")])
def test_a_field_of_a_loss_moves_its_curvature_too(cls, field):
    loss, _ = away(cls, field)
    for z, y in places(loss):
        slopes = [derivative(loss, z + k * 1e-6, y) for k in (-1, 0, 1)]
        if abs(slopes[2] - 2 * slopes[1] + slopes[0]) < 1e-8:  # no kink between the two
            assert loss.curvature(z, y) == pytest.approx((slopes[2] - slopes[0]) / 2e-6, abs=1e-6)


def penalty_path(penalty):
    """Values, gradients and six steps from several weights, by the bodies."""
    found = []
    for w in (2.0, 0.3, -0.01, 0.0, -1.5):
        row, memory, travelled = [penalty_value(penalty, w), with_penalty(penalty, 0.25, w)], (0.0,) * len(penalty.slots), 0.0
        for rate in (0.1, 0.3, 0.05, 0.2, 0.4, 0.1):
            travelled += rate
            w, memory = after_step(penalty, w - 0.05, rate, travelled, memory)
            row.append(w)
        found.append(row)
    return np.array(found)


def penalty_formula(penalty):
    worth, slope, after = oracle.of(oracle.PENALTIES, penalty)
    w, s, travelled = np.array([2.0, 0.3, -0.01, 0.0, -1.5]), oracle.Memory(), 0.0
    columns = [worth(penalty, w), 0.25 + slope(penalty, w)]
    for rate in (0.1, 0.3, 0.05, 0.2, 0.4, 0.1):
        travelled += rate
        w = after(penalty, w - 0.05, rate, travelled, s)
        columns.append(w)
    return np.column_stack(columns)


@pytest.mark.parametrize(("cls", "field"), fields_of(penalties.registry))
def test_a_field_of_a_penalty_acts_as_its_formula_says(cls, field):
    penalty, beside = away(cls, field)
    agree(penalty_path(penalty), penalty_formula(penalty), penalty_path(beside))
    strong = penalty._replace(alpha=0.7)
    assert differences(penalty_path(strong), penalty_formula(strong))[1] <= TOLERANCE


# Schedules -----------------------------------------------------------------------------------------------------------

LISTENING = [cls for cls in against_numpy.own(schedules.registry) if getattr(cls, "listens", "")]


@pytest.mark.parametrize(("cls", "field"), [case for case in fields_of(schedules.registry) if case.values[0] not in LISTENING])
def test_a_field_of_a_schedule_acts_as_its_formula_says(cls, field):
    schedule, beside = away(cls, field)
    steps = np.arange(1.0, 31.0)
    if hasattr(cls, "bind"):
        schedule, beside = (tag.bind(losses.SquaredError(), penalties.L2(0.1)) for tag in (schedule, beside))
    schedule, beside = (in_whole_steps(tag, steps.size) for tag in (schedule, beside))
    theirs = np.array([oracle.SCHEDULES[name_of(cls)](schedule, int(t)) for t in steps])
    rates = [tag.learning_rate * tag.factor(steps) for tag in (schedule, beside)]
    agree(rates[0][:, None], theirs[:, None], rates[1][:, None])


@pytest.mark.parametrize("loss", [losses.Hinge(), losses.SquaredHinge(), losses.LogLoss()], ids=name_of)
@pytest.mark.parametrize("alpha", [1e-4, 0.1])
def test_optimal_takes_what_is_left_at_zero_from_the_objective(loss, alpha):
    bound = schedules.Optimal().bind(loss, penalties.L2(alpha))
    assert bound.strength == alpha
    assert bound.offset == pytest.approx(oracle.bottou_offset(loss, alpha), rel=1e-14)
    assert schedules.Optimal(strength=0.3).bind(loss, penalties.L2(alpha)).strength == 0.3
    assert schedules.Optimal(offset=5.0).bind(loss, penalties.L2(alpha)).offset == 5.0


#: Fast enough to shrink, and slow enough to be shrunk, within the steps of a case.
PACE = {"adaptive": {"learning_rate": 0.3, "tol": 1e-2}, "backtracking": {"learning_rate": 8.0}, "barzilai-borwein": {}}
SEARCHED = {"learning_rate": 0.2, "tol": 0.1, "patience": 2, "shrink": 0.7, "slope": 0.6}


@pytest.mark.parametrize(("cls", "field"), [case for case in fields_of(schedules.registry) if case.values[0] in LISTENING])
def test_a_field_of_a_schedule_that_listens_acts_as_its_formula_says(cls, field):
    beside = cls(**PACE[name_of(cls)])
    schedule = beside._replace(**{field: SEARCHED[field]})
    assert getattr(schedule, field) not in (getattr(beside, field), cls._field_defaults[field])
    case, other = (against_numpy.search(tag, losses.SquaredError(), penalties.NoPenalty()) for tag in (schedule, beside))
    row = run(case)
    assert row.status == "passed", row
    agree(case.ours(), case.theirs(), other.ours())


# Row orders ----------------------------------------------------------------------------------------------------------


def arranged(tag, n=600, epochs=3):
    index, rows = np.arange(n, dtype=np.int32), []
    with np.errstate(over="ignore"):  # hashes wrap around
        for epoch in range(epochs):
            tag.arrange(index, epoch)
            rows.append(index.copy())
    return np.array(rows)


@pytest.mark.parametrize("name", order.registry.names())
def test_the_seed_of_a_row_order_acts_as_its_formula_says(name):
    cls = order.registry[name]
    assert set(cls._fields) <= {"seed", "again", "spare"}
    tag, beside = away(cls, "seed")
    visits = oracle.batches(name, tag.seed, 600, 600)
    np.testing.assert_array_equal(arranged(tag), [next(visits) for _ in range(3)])
    assert (arranged(tag) != arranged(beside)).any() or name == "none"
    if hasattr(tag, "for_rows"):  # its other fields: what one shuffle does, drawn beforehand
        ready = tag._replace(again=arranged(tag, epochs=1)[0], spare=np.empty(600, np.int32))
        np.testing.assert_array_equal(arranged(ready), arranged(tag))
        np.testing.assert_array_equal(tag.for_rows(600).again, ready.again)


# Landscapes and models -----------------------------------------------------------------------------------------------


def quadratic(p, x):
    v = np.arange(1.0, x.size + 1)
    u = x - p.rotated * 2 * v * (v @ x) / (v @ v)
    return np.sum(p.condition ** np.linspace(0, 1, x.size) * u**2) / 2


#: Sources are named in each landscape's file.
FORMULAS = {
    "ackley": lambda p, x: -p.a * np.exp(-p.b * np.sqrt(np.mean(x**2))) - np.exp(np.mean(np.cos(p.c * x))) + p.a + math.e,
    "double-well": lambda p, x: float(x[0] ** 4 - 2 * x[0] ** 2 + p.tilt * x[0]),
    "quadratic": quadratic,
    "rastrigin": lambda p, x: p.a * x.size + np.sum(x**2 - p.a * np.cos(2 * np.pi * x)),
    "rosenbrock": lambda p, x: np.sum(p.b * (x[1:] - x[:-1] ** 2) ** 2 + (p.a - x[:-1]) ** 2),
}


@pytest.mark.parametrize(("cls", "field"), fields_of(landscapes.registry))
def test_a_field_of_a_landscape_acts_as_its_formula_says(cls, field):
    place, beside = away(cls, field)
    formula = FORMULAS[name_of(cls)]
    points = np.random.default_rng(0).uniform(-2, 2, (10, cls.dimension or 3))
    ours, default = (np.array([[value_of(tag, x)] for x in points]) for tag in (place, beside))
    agree(ours, np.array([[formula(place, x)] for x in points]), default)
    for x in points:
        g, h = np.empty_like(x), 1e-6
        gradient_of(place, x, g)
        slopes = [(formula(place, x + h * e) - formula(place, x - h * e)) / (2 * h) for e in np.eye(x.size)]
        np.testing.assert_allclose(g, slopes, rtol=1e-5, atol=1e-6 * max(1.0, np.abs(g).max()))


@pytest.mark.parametrize("field", MLP._fields)
def test_a_field_of_a_network_acts_as_its_formula_says(field):
    """Its start and its margins; the parity table holds the compiled descent of each activation."""
    model, d, outputs = MLP(hidden=4)._replace(**{field: ({"scale": 0.3} | VALUES)[field]}), 3, 2
    rng, parts = np.random.default_rng(2), []
    shapes = ((model.hidden, d), (outputs, model.hidden), (model.hidden,), (outputs,))
    for shape, inputs in zip(shapes, (d, model.hidden, d, model.hidden), strict=True):
        parts.append(rng.uniform(-1, 1, math.prod(shape)).reshape(shape) * model.scale / np.sqrt(inputs))
    start = model.initial(d, outputs, 2)
    np.testing.assert_allclose(start, np.concatenate([part.ravel() for part in parts]), rtol=1e-15)
    X, (w1, w2, b1, b2) = rng.normal(size=(9, d)), parts
    expected = oracle.ACTIVATIONS[model.activation][0](X @ w1.T + b1) @ w2.T + b2
    np.testing.assert_allclose(model.margins(X, start), expected, rtol=1e-13)


@pytest.mark.parametrize("name", activations.names())
def test_an_activation_and_its_slope_are_their_formulas(name):
    tag, (function, slope) = activations.make(name), oracle.ACTIVATIONS[name]
    for a in np.linspace(-3, 3, 25).tolist():
        assert tag.activate(a) == pytest.approx(function(a), rel=1e-14)
        assert tag.slope(tag.activate(a)) == pytest.approx(slope(function(a)), rel=1e-13)
