"""Random hyperparameters, data and gradient fields from fixed seeds: the ground that both sides of a case stand on."""

from __future__ import annotations

import itertools
import typing
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from gdbench.kernels.registry import name_of

Generator = np.random.Generator


def generator(*words: object) -> Generator:
    """A generator seeded by words, so that a case stays the same when others are added before it."""
    return np.random.default_rng(list(" ".join(map(str, words)).encode()))


def fields(cls: type, rng: Generator) -> dict[str, Any]:
    """A random value for each field of a NamedTuple that is a number or a flag, within the limits that the class declares."""
    hints = typing.get_type_hints(cls)
    limits = getattr(cls, "limits", {})
    defaults = cls._field_defaults  # type: ignore[attr-defined]
    found: dict[str, Any] = {}
    for field in cls._fields:  # type: ignore[attr-defined]
        if hints.get(field) is bool:
            found[field] = bool(rng.random() < 0.5)
        elif hints.get(field) is float:
            found[field] = number(field, limits.get(field, ""), float(defaults.get(field, 1.0)), rng)
    return found


def number(field: str, interval: str, default: float, rng: Generator) -> float:
    """A random value for a float field: spread over the part of its range that is used in practice."""
    if field.startswith("eps"):
        # never 0, so that a weight without a gradient doesn't divide 0 by 0; up to where ε matters in the 4th digit
        return float(10 ** rng.uniform(-8, -4))
    if interval.replace(" ", "") == "[0,1)":
        return float(rng.uniform(0.4, 0.99))
    if interval.replace(" ", "") in ("[0,1]", "(0,1)", "(0,1]"):
        return float(rng.uniform(0.1, 0.9))
    least = next((bound for bound in (1.0, 4.0) if interval.startswith(f"[{bound:.0f},")), 0.0)
    return float((default if 0 < default < np.inf else 0.1) * rng.uniform(0.5, 1.0) + least)


def drawn(cls: type, *words: object) -> Any:
    """A tag of class `cls` with random fields, fixed by `words`."""
    return cls(**fields(cls, generator(name_of(cls), *words)))


def described(tag: Any) -> str:
    """A tag in words, its numbers to three digits and its defaults left out."""
    defaults = type(tag)._field_defaults
    parts = []
    for field, value in tag._asdict().items():
        if field in defaults and value == defaults[field]:
            continue
        text = described(value) if hasattr(value, "_fields") else f"{value:.3g}" if isinstance(value, float) else value
        parts.append(f"{field}={text}")
    return name_of(tag) + (f"({', '.join(parts)})" if parts else "")


def gradients(steps: int, d: int, *words: object) -> np.ndarray:
    """Gradients for a replay: noise on a slow swing, with scales that differ by weight, so that each ε and β matters."""
    rng = generator("gradients", *words)
    swing = np.sin(np.arange(1, steps + 1)[:, None] / rng.uniform(5, 40, d))
    return (swing + 0.5 * rng.standard_normal((steps, d))) * 10.0 ** np.linspace(-2, 1, d)


def values(steps: int, *words: object) -> np.ndarray:
    """Values of a function for a replay: they fall, with some noise, and cross a bound of the rules that take one."""
    rng = generator("values", *words)
    return 3.0 * np.exp(-np.arange(steps) / (0.4 * steps)) + 0.3 * rng.standard_normal(steps)


def table(domain: str, n: int = 40, d: int = 5, classes: int = 3) -> tuple[np.ndarray, np.ndarray]:
    """Small data for a loss's domain: rows of a few units, targets in that domain with some noise."""
    rng = generator("table", n, d)
    X = np.ascontiguousarray(rng.standard_normal((n, d)) + 0.3)
    z = X @ rng.standard_normal((d, classes)) + 0.5 * rng.standard_normal((n, classes))
    if domain == "class":
        return X, z.argmax(axis=1).astype(np.float64)
    if domain in ("count", "positive"):  # of a mean that a link of log suits; with zeros, or none
        amount = np.exp(np.clip(0.3 * z[:, 0], -1.0, 1.0))
        return X, np.floor(amount) if domain == "count" else amount
    return X, np.where(z[:, 0] > 0, 1.0, -1.0) if domain == "sign" else z[:, 0]


def covering(factors: Mapping[str, Sequence[Any]], seed: int = 0) -> list[dict[str, Any]]:
    """Rows that hold every pair of values of any two factors: a covering design of strength 2, by a greedy search.

    A fault in how two parts work together (an optimizer and a penalty, a loss and the intercept) shows in the row
    that pairs them; the complete product would be a hundred times as long.
    """
    rng = np.random.default_rng(seed)
    names = list(factors)
    missing = {
        pair
        for a, b in itertools.combinations(range(len(names)), 2)
        for pair in itertools.product([a], range(len(factors[names[a]])), [b], range(len(factors[names[b]])))
    }
    rows = []
    while missing:
        row = _next_row([len(factors[name]) for name in names], missing, rng)
        missing -= _pairs(row)
        rows.append({name: factors[name][value] for name, value in zip(names, row, strict=True)})
    return rows


def _next_row(sizes: list[int], missing: set, rng: Generator) -> list[int]:
    """The values of a row: one missing pair, then for each other factor what covers the most missing pairs."""
    a, i, b, j = min(missing)
    row = {a: i, b: j}
    for factor in (int(f) for f in rng.permutation(len(sizes))):
        if factor not in row:
            values = [int(v) for v in rng.permutation(sizes[factor])]
            row[factor] = max(values, key=lambda v: sum(_pair(factor, v, f, w) in missing for f, w in row.items()))
    return [row[factor] for factor in range(len(sizes))]


def _pair(a: int, i: int, b: int, j: int) -> tuple[int, int, int, int]:
    return (a, i, b, j) if a < b else (b, j, a, i)


def _pairs(row: list[int]) -> set[tuple[int, int, int, int]]:
    return {(a, row[a], b, row[b]) for a, b in itertools.combinations(range(len(row)), 2)}


def each_once(factors: Mapping[str, Sequence[Any]]) -> list[dict[str, Any]]:
    """As many rows as the longest factor has values; each value of each factor occurs at least once."""
    length = max(len(values) for values in factors.values())
    return [{name: values[i % len(values)] for name, values in factors.items()} for i in range(length)]


def rosenbrock(x: np.ndarray) -> np.ndarray:
    """∇ of (1 − x)² + 100(y − x²)²."""
    bend = x[1] - x[0] * x[0]
    return np.array([-400.0 * bend * x[0] - 2.0 * (1.0 - x[0]), 200.0 * bend])


def rosenbrock_value(x: np.ndarray) -> float:
    """(1 − x)² + 100(y − x²)²."""
    return float((1.0 - x[0]) ** 2 + 100.0 * (x[1] - x[0] * x[0]) ** 2)


class MiniBatches:
    """The logistic problem by mini-batches: call number t returns the mean gradient of the eight rows that are t's turn.

    Noise that never dies keeps a rule that scales its steps by past gradients from ending in a dance of vanishing gradients
    around the minimum, where each step multiplies a rounding error.
    """

    def __init__(self, n: int = 200, d: int = 5, size: int = 8):
        self.X, self.y = table("sign", n, d)
        self.size, self.calls = size, 0

    def __call__(self, w: np.ndarray) -> np.ndarray:
        """The gradient of the next batch."""
        rows = (self.calls * self.size + np.arange(self.size)) % len(self.y)
        self.calls += 1
        X, y = self.X[rows], self.y[rows]
        return X.T @ (-y / (1 + np.exp(y * (X @ w)))) / self.size

    def value(self, w: np.ndarray) -> float:
        """The mean loss of all rows."""
        return float(np.logaddexp(0, -self.y * (self.X @ w)).mean())
