"""Landscapes: gradients against differences, minima against their gradient and value, compiled against plain Python."""

import numpy as np
import pytest

import gdbench as gd
from gdbench.kernels import landscapes
from gdbench.kernels.compile.jit import kernel
from gdbench.kernels.registry import name_of

NAMES = landscapes.registry.names()
EXTRA = {
    "quadratic-rotated": landscapes.registry["quadratic"](condition=30.0, rotated=True),
    "double-well-level": landscapes.registry["double-well"](tilt=0.0),
    "rosenbrock-2": landscapes.registry["rosenbrock"](a=2.0, b=10.0),
}
TAGS = {name: landscapes.registry.make(name) for name in NAMES} | EXTRA
CASES = [
    pytest.param(tag, d, id=f"{name}-{d}")
    for name, tag in TAGS.items()
    for d in ([tag.dimension] if tag.dimension else [d for d in (1, 2, 3, 7) if d >= getattr(tag, "least", 1)])
]


def gradient(tag, x):
    g = np.full(x.size, np.nan)
    tag.gradient(x, g)
    return g


def points(tag, d, number, seed=0):
    """Random points in the landscape's box."""
    low, high = np.array([tag.box[min(j, len(tag.box) - 1)] for j in range(d)]).T
    return np.random.default_rng(seed).uniform(low, high, (number, d))


def differences(tag, x, weights, h):
    """The gradient by central differences with the given weights of f(x + kh) − f(x − kh)."""
    total = np.zeros(x.size)
    for k, weight in enumerate(weights, start=1):
        total += [weight * (tag.value(x + k * h * e) - tag.value(x - k * h * e)) for e in np.eye(x.size)]
    return total / h


@pytest.mark.parametrize(("tag", "d"), CASES)
def test_gradient_is_that_of_the_value(tag, d):
    for x in points(tag, d, 12):
        g = gradient(tag, x)
        scale = max(1.0, np.abs(g).max())
        np.testing.assert_allclose(differences(tag, x, [1 / 2], 1e-5) / scale, g / scale, atol=2e-5)
        sixth = differences(tag, x, [3 / 4, -3 / 20, 1 / 60], 1e-3)
        np.testing.assert_allclose(sixth / scale, g / scale, atol=1e-9)


@pytest.mark.parametrize(("tag", "d"), CASES)
@pytest.mark.parametrize("kind", ["minima", "local_minima", "saddles"])
def test_flat_points_are_flat_and_have_their_value(tag, d, kind):
    for x, value in getattr(tag, kind, lambda d: [])(d):
        assert x.shape == (d,)
        assert np.abs(gradient(tag, x)).max() <= 2e-14 * max(1.0, np.abs(x).max()) * d
        assert tag.value(x) == pytest.approx(value, rel=1e-14, abs=1e-28)


@pytest.mark.parametrize(("tag", "d"), CASES)
def test_minima_are_minima(tag, d):
    """No point nearby is lower, no point anywhere in the box is lower than the global one, and a saddle has a lower one."""
    rng = np.random.default_rng(1)
    for x, value in [*tag.minima(d), *getattr(tag, "local_minima", lambda d: [])(d)]:
        assert all(tag.value(x + 1e-3 * step) >= value for step in rng.normal(size=(50, d)))
    for x, value in getattr(tag, "saddles", lambda d: [])(d):
        assert any(tag.value(x + 1e-3 * step) < value for step in rng.normal(size=(50, d)))
        assert any(tag.value(x + 1e-3 * step) > value for step in rng.normal(size=(50, d)))
    if tag.minima(d):
        lowest = min(value for _, value in tag.minima(d))
        assert all(tag.value(x) >= lowest for x in points(tag, d, 300))
        assert all(value > lowest for _, value in getattr(tag, "local_minima", lambda d: [])(d))


@kernel
def value_and_gradient(tag, x, g):
    landscapes.gradient(tag, x, g)
    return landscapes.value(tag, x)


@pytest.mark.parametrize("name", TAGS)
def test_compiled_is_plain_python(name):
    tag = TAGS[name]
    for x in points(tag, tag.dimension or 3, 5, seed=2):
        g = np.empty_like(x)
        value = value_and_gradient(tag, x, g)
        expected = gradient(tag, x)
        assert value == pytest.approx(tag.value(x), rel=1e-12, abs=1e-12)
        np.testing.assert_allclose(g, expected, rtol=1e-12, atol=1e-12 * max(1.0, np.abs(expected).max()))


@pytest.mark.parametrize("name", NAMES)
def test_every_landscape_says_where_it_is_from(name):
    cls = landscapes.registry[name]
    start = np.array(cls.start)
    assert cls.source and cls.__doc__ and name_of(cls) == name
    assert start.size == (cls.dimension or start.size)
    low, high = np.array([cls.box[min(j, len(cls.box) - 1)] for j in range(start.size)]).T
    assert ((low <= start) & (start <= high)).all()


def test_the_brief_is_covered():
    assert {
        *("parabola", "quadratic", "rosenbrock", "beale", "himmelblau", "booth", "matyas", "three-hump-camel"),
        *("six-hump-camel", "rastrigin", "ackley", "griewank", "styblinski-tang", "levy", "saddle", "monkey-saddle"),
        "double-well",
    } <= set(NAMES)


@pytest.mark.parametrize("d", [1, 2, 5])
@pytest.mark.parametrize("rotated", [False, True])
def test_the_quadratic_has_its_condition(d, rotated):
    tag = landscapes.registry.make("quadratic", condition=50.0, rotated=rotated)
    curvature = np.array([gradient(tag, e) for e in np.eye(d)])
    expected = 50.0 ** (np.arange(d) / max(d - 1, 1))
    np.testing.assert_allclose(np.linalg.eigvalsh(curvature), expected, rtol=1e-12)
    assert (np.abs(curvature - np.diag(np.diag(curvature))).max() > 0.1) == (rotated and d > 1)


def test_known_values():
    """From the sources: Levy, Ackley, Griewank at a point off the minimum, and the lowest values of the camels."""
    make = landscapes.registry.make
    assert make("six-hump-camel").minima(2)[0][1] == pytest.approx(-1.0316284535, abs=1e-10)
    assert make("styblinski-tang").minima(3)[0][1] == pytest.approx(-39.16616570377142 * 3)
    assert make("ackley").value(np.array([1.0, 1.0])) == pytest.approx(3.6253849384403627)
    assert make("rastrigin").value(np.array([1.0, 0.5])) == pytest.approx(1.0 + 0.25 + 20.0)
    assert make("griewank").value(np.array([np.pi, 0.0])) == pytest.approx(np.pi**2 / 4000 + 2)
    assert make("levy").value(np.array([5.0])) == pytest.approx(1.0)
    assert make("beale").value(np.zeros(2)) == 14.203125


# Where paths end -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "x0", "options", "words"),
    [
        ("himmelblau", [4.0, 1.0], {"learning_rate": 0.01}, "global minimum 1 of 4 at (3, 2)"),
        ("himmelblau", [-4.0, 4.0], {"learning_rate": 0.01}, "global minimum 2 of 4 at (-2.805, 3.131)"),
        ("double-well", [-1.5], {"learning_rate": 0.02}, "global minimum at (-1.036)"),
        ("double-well", [1.5], {"learning_rate": 0.02}, "local minimum at (0.9601)"),
        ("double-well", [0.07542915523948614], {"steps": 0}, "maximum at (0.0754)"),
        ("saddle", [1.0, 0.0], {}, "saddle point at (0, 0)"),
        ("parabola", [1.0] * 6, {}, "global minimum at (0, 0, 0, 0, ...)"),
        ("quadratic", [1.0, 1.0], {"learning_rate": 1e-3, "steps": 5}, None),
    ],
)
def test_a_path_says_where_it_ended(name, x0, options, words):
    path = gd.minimize(name, x0, **({"steps": 400, "tol": 1e-7} | options))
    assert path.reached == words
    assert (path.minimum is not None) == (words is not None and words.startswith("global"))
    if path.minimum is not None:
        point, value = landscapes.registry.make(name).minima(len(x0))[path.minimum]
        np.testing.assert_allclose(path.x[-1], point, atol=1e-3)
        assert path.value[-1] == pytest.approx(value, abs=1e-5)


@pytest.mark.parametrize(
    ("bends", "words"),
    [((1.0, 2.0), "minimum"), ((1.0, -2.0), "saddle point"), ((-1.0, -2.0), "maximum"), ((0.0, 0.0), "flat point")],
)
def test_unlisted_flat_points_are_judged_by_their_curvature(bends, words):
    bends = np.array(bends)
    place = gd.Landscape(lambda x: bends @ x**2 / 2, lambda x: bends * x)
    assert gd.minimize(place, [0.0, 0.0], steps=0).reached == f"{words} at (0, 0)"


def test_noise_is_added_to_the_steps_and_seeded():
    def walk(seed, **options):
        return gd.minimize("parabola", [1.0, -1.0], steps=20000, noise=0.5, seed=seed, **options)

    first, again, other = walk(1), walk(1), walk(2)
    np.testing.assert_array_equal(first.x, again.x)
    assert (first.x[1:] != other.x[1:]).all()
    np.testing.assert_array_equal(first.gradient, 2 * first.x)  # what is recorded is exact
    jolts = (first.x[:-1] - first.x[1:]) / 0.1 - first.gradient[:-1]
    assert jolts.mean() == pytest.approx(0.0, abs=0.02) and jolts.std() == pytest.approx(0.5, abs=0.01)
    quiet = gd.minimize("parabola", [1.0, -1.0], steps=20, noise=0.0, seed=9)
    np.testing.assert_array_equal(quiet.x, gd.minimize("parabola", [1.0, -1.0], steps=20).x)


def test_noise_in_python_is_noise_in_the_kernel():
    plain = gd.Landscape(lambda x: x @ x, lambda x: 2 * x)
    found = gd.minimize(plain, [1.0, -1.0], steps=30, noise=0.5, seed=4)
    expected = gd.minimize("parabola", [1.0, -1.0], steps=30, noise=0.5, seed=4)
    np.testing.assert_allclose(found.x, expected.x, rtol=1e-14)


def test_noise_frees_from_a_saddle():
    assert gd.minimize("saddle", [1.0, 0.0], steps=100).reached == "saddle point at (0, 0)"
    assert abs(gd.minimize("saddle", [1.0, 0.0], steps=100, noise=1e-3, seed=1).x[-1, 1]) > 10
