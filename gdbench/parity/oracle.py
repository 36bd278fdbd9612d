"""Plain NumPy oracles: the textbook formula of each loss, penalty, schedule, row order and update rule, on whole arrays.

Nothing here is compiled or shared with the kernels; an entry is found by the name its member is registered under. `p` is always
the tag, read for its hyperparameters only.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from scipy.special import xlogy

from gdbench.kernels import order
from gdbench.kernels.registry import name_of
from gdbench.parity.case import NoOracle

Array = Any


class Memory(defaultdict):
    """What a rule remembers: zero until it is set.

    "value" holds the objective's value at the step, and "learnt", where it is not 0, how many of the weights are learnt.
    """

    def __init__(self) -> None:
        super().__init__(float)


def of(table: dict[str, Any], tag: Any) -> Any:
    """The entry of a tag.

    Raises
    ------
    NoOracle
        There is none: a registered member that nobody has written down a second time.
    """
    if name_of(tag) not in table:
        held = next((name for name, value in globals().items() if value is table), "a table")
        raise NoOracle(f"{name_of(tag)}: write its textbook formula into {held} of gdbench/parity/oracle.py")
    return table[name_of(tag)]


def softmax(z: Array) -> Array:
    """Probabilities of margins (n, K)."""
    e = np.exp(z - z.max(axis=-1, keepdims=True))
    return e / e.sum(axis=-1, keepdims=True)


#: loss → (value, derivative with respect to the margin), each of (p, z, y).
LOSSES: dict[str, tuple[Callable, Callable]] = {
    "squared_error": (lambda p, z, y: (z - y) ** 2 / 2, lambda p, z, y: z - y),
    "huber": (
        lambda p, z, y: np.where(np.abs(z - y) <= p.epsilon, (z - y) ** 2 / 2, p.epsilon * np.abs(z - y) - p.epsilon**2 / 2),
        lambda p, z, y: np.clip(z - y, -p.epsilon, p.epsilon),
    ),
    "epsilon_insensitive": (
        lambda p, z, y: np.maximum(np.abs(z - y) - p.epsilon, 0),
        lambda p, z, y: np.sign(z - y) * (np.abs(z - y) > p.epsilon),
    ),
    "squared_epsilon_insensitive": (
        lambda p, z, y: np.maximum(np.abs(z - y) - p.epsilon, 0) ** 2,
        lambda p, z, y: 2 * np.sign(z - y) * np.maximum(np.abs(z - y) - p.epsilon, 0),
    ),
    "pinball": (
        lambda p, z, y: np.maximum(p.quantile * (y - z), (1 - p.quantile) * (z - y)),
        lambda p, z, y: (1 - p.quantile) * (z > y) - p.quantile * (z < y),
    ),
    "smoothed_pinball": (
        lambda p, z, y: np.where(
            np.abs(z - y) < p.width,
            (z - y) ** 2 / (4 * p.width) + (0.5 - p.quantile) * (z - y) + p.width / 4,
            np.maximum(p.quantile * (y - z), (1 - p.quantile) * (z - y)),
        ),
        lambda p, z, y: np.clip((z - y + p.width) / (2 * p.width), 0, 1) - p.quantile,
    ),
    "log_cosh": (
        lambda p, z, y: np.logaddexp(z - y, y - z) - math.log(2),
        lambda p, z, y: np.tanh(z - y),
    ),
    "poisson": (lambda p, z, y: np.exp(z) - y * z + xlogy(y, y) - y, lambda p, z, y: np.exp(z) - y),
    "gamma": (lambda p, z, y: z + y / np.exp(z) - np.log(y) - 1, lambda p, z, y: 1 - y / np.exp(z)),
    "tweedie": (
        lambda p, z, y: (
            np.exp(z) ** (2 - p.power) / (2 - p.power)
            + y * np.exp(z) ** (1 - p.power) / (p.power - 1)
            - y ** (2 - p.power) / ((p.power - 1) * (2 - p.power))
        ),
        lambda p, z, y: (np.exp(z) - y) / np.exp(z) ** (p.power - 1),
    ),
    "exponential": (lambda p, z, y: np.exp(-y * z), lambda p, z, y: -y * np.exp(-y * z)),
    "log_loss": (lambda p, z, y: np.logaddexp(0, -y * z), lambda p, z, y: -y / (1 + np.exp(y * z))),
    "hinge": (lambda p, z, y: np.maximum(1 - y * z, 0), lambda p, z, y: -y * (y * z <= 1)),
    "squared_hinge": (lambda p, z, y: np.maximum(1 - y * z, 0) ** 2, lambda p, z, y: -2 * y * np.maximum(1 - y * z, 0)),
    "perceptron": (lambda p, z, y: np.maximum(-y * z, 0), lambda p, z, y: -y * (y * z <= 0)),
    "modified_huber": (
        lambda p, z, y: np.where(y * z < -1, -4 * y * z, np.maximum(1 - y * z, 0) ** 2),
        lambda p, z, y: np.where(y * z < -1, -4 * y, -2 * y * np.maximum(1 - y * z, 0)),
    ),
    "cross_entropy": (
        lambda p, z, y: np.log(np.exp(z).sum(axis=1)) - np.take_along_axis(z, y.astype(int)[:, None], 1)[:, 0],
        lambda p, z, y: softmax(z) - np.eye(z.shape[1])[y.astype(int)],
    ),
}


def shrunk(w: Array, reach: float) -> Array:
    """The soft threshold."""
    return np.sign(w) * np.maximum(np.abs(w) - reach, 0)


def truncated(p: Any, w: Array, rate: float, travelled: float, s: Memory) -> Array:
    """Tsuruoka's cumulative penalty: q is what each weight has paid so far."""
    due = travelled * p.alpha * p.l1_ratio
    paid = np.where(w > 0, np.maximum(w - (due + s["q"]), 0), np.where(w < 0, np.minimum(w + (due - s["q"]), 0), w))
    s["q"] = s["q"] + (paid - w)
    return paid


def left(p: Any, w: Array, rate: float, travelled: float, s: Memory) -> Array:
    """No step of its own."""
    return w


def proximal(ratio: Callable[[Any], float]) -> Callable:
    """The proximal step of the l1 part."""
    return lambda p, w, rate, travelled, s: shrunk(w, rate * p.alpha * ratio(p))


#: penalty → (value, gradient of the smooth part, step after the update).
PENALTIES: dict[str, tuple[Callable, Callable, Callable]] = {
    "none": (lambda p, w: 0 * w, lambda p, w: 0 * w, left),
    "l2": (lambda p, w: p.alpha * w**2 / 2, lambda p, w: p.alpha * w, left),
    "l1": (lambda p, w: p.alpha * np.abs(w), lambda p, w: 0 * w, proximal(lambda p: 1.0)),
    "elasticnet": (
        lambda p, w: p.alpha * (p.l1_ratio * np.abs(w) + (1 - p.l1_ratio) * w**2 / 2),
        lambda p, w: p.alpha * (1 - p.l1_ratio) * w,
        proximal(lambda p: p.l1_ratio),
    ),
    "truncated": (
        lambda p, w: p.alpha * (p.l1_ratio * np.abs(w) + (1 - p.l1_ratio) * w**2 / 2),
        lambda p, w: p.alpha * (1 - p.l1_ratio) * w,
        truncated,
    ),
}


def warmup(p: Any, t: int) -> float:
    """A line up to α, then the schedule that follows, counted from there."""
    if t - 1 < p.steps:
        return p.learning_rate * (p.start + (1 - p.start) * (t - 1) / p.steps)
    if p.after is None:
        return p.learning_rate
    return of(SCHEDULES, p.after)(p.after._replace(learning_rate=p.learning_rate), t - p.steps)


#: schedule → the learning rate of step t, from 1.
SCHEDULES: dict[str, Callable[[Any, int], float]] = {
    "constant": lambda p, t: p.learning_rate,
    "invscaling": lambda p, t: p.learning_rate / t**p.power_t,
    "optimal": lambda p, t: p.learning_rate / (p.strength * (p.offset + t - 1)),
    "step": lambda p, t: p.learning_rate * p.gamma ** ((t - 1) // p.every),
    "exponential": lambda p, t: p.learning_rate * p.gamma ** ((t - 1) / p.every),
    "cosine": lambda p, t: p.learning_rate * (p.end + (1 - p.end) * (1 + math.cos(math.pi * min((t - 1) / p.steps, 1))) / 2),
    "warmup": warmup,
    "adaptive": lambda p, t: p.learning_rate,
}


def bottou_offset(loss: Any, strength: float) -> float:
    """t₀ of the schedule ``optimal``, from the loss's derivative at a margin of typical size on the wrong side."""
    typical = math.sqrt(1 / math.sqrt(strength))
    rate = typical / max(1.0, float(of(LOSSES, loss)[1](loss, np.float64(-typical), np.float64(1.0))))
    return 1 / (rate * strength)


MASK = (1 << 64) - 1

#: Neighbouring rows that the order ``block`` keeps together.
BLOCK = order.BLOCK


def splitmix(seed: int, counter: int) -> int:
    """SplitMix64 of a seed and a counter, in Python's own integers."""
    z = (seed + (counter + 1) * 0x9E3779B97F4A7C15) & MASK
    z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & MASK
    z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & MASK
    return z ^ (z >> 31)


def fisher_yates(index: list[int], seed: int, first: int = 0, last: int | None = None) -> None:
    """Permute index[first:last] in place; each number of :func:`splitmix` makes two draws, from its high half and its low one."""
    last = len(index) if last is None else last
    for i in range(first, last - 1):
        bits = splitmix(seed, i - (i - first) % 2)
        half = bits >> 32 if (i - first) % 2 == 0 else bits & 0xFFFFFFFF
        j = i + (half * (last - i) >> 32)
        index[i], index[j] = index[j], index[i]


def feistel(n: int, seed: int) -> list[int]:
    """A permutation of 0 … n − 1 by six rounds of a Feistel network on a grid, over whole arrays."""
    rows = math.isqrt(n)
    columns = -(-n // rows)

    def draw(x: Array, number: int, bound: int) -> Array:
        z = (x ^ np.uint64(splitmix(seed, number) >> 32)) * np.uint64(0x7FEB352D) % np.uint64(1 << 32)
        z = (z ^ (z >> np.uint64(15))) * np.uint64(0x846CA68B) % np.uint64(1 << 32)
        return (z >> np.uint64(16)) * np.uint64(bound) >> np.uint64(16)

    def mixed(cell: Array) -> Array:
        high, low = np.divmod(cell, np.uint64(columns))
        for number in (0, 2, 4):
            high = (high + draw(low, number, rows)) % np.uint64(rows)
            low = (low + draw(high, number + 1, columns)) % np.uint64(columns)
        return high * np.uint64(columns) + low

    found = mixed(np.arange(n, dtype=np.uint64))
    while (found >= n).any():
        found = np.where(found >= n, mixed(found), found)
    return [int(cell) for cell in found]


def permute(index: list[int], seed: int) -> None:
    """Overwrite the list with a permutation: by exchanges, or where it is long by the network."""
    if len(index) > order.NEAR:
        index[:] = feistel(len(index), seed)
        return
    index[:] = range(len(index))
    fisher_yates(index, seed)


def xorshift(index: list[int], state: int) -> None:
    """scikit-learn's shuffle: a 32-bit xorshift (13, 17, 5), taken modulo 2³¹."""
    for i in range(len(index) - 1):
        state ^= (state << 13) & 0xFFFFFFFF
        state ^= state >> 17
        state ^= (state << 5) & 0xFFFFFFFF
        j = i + (state & 0x7FFFFFFF) % (len(index) - i)
        index[i], index[j] = index[j], index[i]


def sklearn_start(seed: int, classifier: bool) -> int:
    """The start of scikit-learn's generator for a ``random_state``: a classifier has drawn one number before."""
    drawn = np.random.RandomState(seed).randint(0, 2**31 - 1, size=2)
    return max(1, int(drawn[1 if classifier else 0]))


def once(index: list[int], seed: int, epoch: int) -> None:
    """One permutation, before the first epoch."""
    if epoch == 0:
        permute(index, splitmix(seed, 0))


def block(index: list[int], seed: int, epoch: int) -> None:
    """Whole blocks in random order, each shuffled; the rest of the rows shuffled at the end."""
    start, whole = splitmix(seed, epoch), len(index) // BLOCK
    place = list(range(whole))
    fisher_yates(place, start)
    rest = range(whole * BLOCK, len(index))
    index[:] = [b * BLOCK + r for b in place for r in range(BLOCK)] + list(rest)
    for b in range(whole + 1):
        fisher_yates(index, splitmix(start, b), b * BLOCK, min((b + 1) * BLOCK, len(index)))


def replacement(index: list[int], seed: int, epoch: int) -> None:
    """Each row drawn from all rows."""
    start = splitmix(seed, epoch)
    index[:] = [(splitmix(start, i) >> 32) * len(index) >> 32 for i in range(len(index))]


#: row order → rearranges the list of row numbers for an epoch, in place, given the seed and the epoch from 0.
ORDERS: dict[str, Callable[[list[int], int, int], None]] = {
    "none": lambda index, seed, epoch: None,
    "epoch": lambda index, seed, epoch: permute(index, splitmix(seed, epoch)),
    "once": once,
    "block": block,
    "replacement": replacement,
    "sklearn": lambda index, seed, epoch: xorshift(index, seed),
}


def gd(p, w, g, s, a, t):
    """Cauchy."""
    return w - a * g


def momentum(p, w, g, s, a, t):
    """PyTorch's SGD: the first velocity is the gradient itself."""
    s["v"] = g if t == 1 else p.beta * s["v"] + (1 - p.dampening) * g
    return w - a * s["v"]


def nesterov(p, w, g, s, a, t):
    """The gradient plus the velocity's next share."""
    s["v"] = p.beta * s["v"] + g
    return w - a * g - a * p.beta * s["v"]


def adagrad(p, w, g, s, a, t):
    """The sum of squares starts at `initial`."""
    s["G"] = (p.initial if t == 1 else s["G"]) + g**2
    return w - a * g / (np.sqrt(s["G"] + p.eps_root) + p.eps)


def rmsprop(p, w, g, s, a, t):
    """Centred: a variance; with momentum: a velocity of scaled gradients."""
    s["E"] = p.beta * (p.initial if t == 1 else s["E"]) + (1 - p.beta) * g**2
    s["g"] = p.beta * s["g"] + (1 - p.beta) * g
    scaled = g / (np.sqrt(np.maximum(s["E"] - p.centred * s["g"] ** 2, 0) + p.eps_root) + p.eps)
    s["v"] = p.momentum * s["v"] + scaled
    return w - a * s["v"]


def adadelta(p, w, g, s, a, t):
    """Zeiler's algorithm 1."""
    s["E"] = p.beta * s["E"] + (1 - p.beta) * g**2
    delta = g * np.sqrt((s["D"] + p.eps) / (s["E"] + p.eps))
    s["D"] = p.beta * s["D"] + (1 - p.beta) * delta**2
    return w - a * delta


def moments(p, g, s):
    """Adam's running means of g and g²."""
    s["m"] = p.beta1 * s["m"] + (1 - p.beta1) * g
    s["v"] = p.beta2 * s["v"] + (1 - p.beta2) * g**2


def adam_like(p, w, v, s, a, t, eps_root=0.0):
    """Adam's step over a second moment v not yet corrected; ε after the correction, or before it as in Keras."""
    c1, c2 = 1 - p.beta1**t, 1 - p.beta2**t
    if p.eps_before_correction:
        return w - a * math.sqrt(c2) / c1 * s["m"] / (np.sqrt(v + c2 * eps_root) + p.eps)
    return w - a * (s["m"] / c1) / (np.sqrt(v / c2 + eps_root) + p.eps)


def adam(p, w, g, s, a, t):
    """Kingma and Ba's algorithm 1."""
    moments(p, g, s)
    return adam_like(p, w, s["v"], s, a, t, p.eps_root)


def adamw(p, w, g, s, a, t):
    """Loshchilov and Hutter's algorithm 2, the decay multiplied by the rate as in every library."""
    moments(p, g, s)
    return adam_like(p, w, s["v"], s, a, t, p.eps_root) - a * p.weight_decay * w


def amsgrad(p, w, g, s, a, t):
    """The largest v so far; optax takes the largest corrected v instead."""
    moments(p, g, s)
    c2 = 1 - p.beta2**t
    s["u"] = np.maximum(s["u"], s["v"] / c2 if p.corrected_maximum else s["v"])
    return adam_like(p, w, c2 * s["u"] if p.corrected_maximum else s["u"], s, a, t) - a * p.weight_decay * w


def adamax(p, w, g, s, a, t):
    """Kingma and Ba's algorithm 2."""
    s["m"] = p.beta1 * s["m"] + (1 - p.beta1) * g
    s["u"] = np.maximum(p.beta2 * s["u"], np.abs(g) + (0 if p.eps_beside_maximum else p.eps))
    return w - a / (1 - p.beta1**t) * s["m"] / (s["u"] + (p.eps if p.eps_beside_maximum else 0))


def nadam(p, w, g, s, a, t):
    """Dozat's momentum μ, which warms up."""
    moments(p, g, s)
    now, later = (p.beta1 * (1 - 0.96 ** (k * p.momentum_decay) / 2) for k in (t, t + 1))
    s["P"] = (1.0 if t == 1 else s["P"]) * now
    look = later * s["m"] / (1 - s["P"] * later) + (1 - now) * g / (1 - s["P"])
    return w - a * look / (np.sqrt(s["v"] / (1 - p.beta2**t)) + p.eps)


def radam(p, w, g, s, a, t):
    """Adam's step times Liu's rectification, or momentum alone while the variance is not tractable."""
    moments(p, g, s)
    end, c2 = 2 / (1 - p.beta2) - 1, 1 - p.beta2**t
    now = end - 2 * t * (1 - c2) / c2
    if now <= p.threshold:
        return w - a * s["m"] / (1 - p.beta1**t)
    rectified = math.sqrt((now - 4) * (now - 2) * end / ((end - 4) * (end - 2) * now))
    return adam_like(p, w, s["v"], s, a * rectified, t)


def lion(p, w, g, s, a, t):
    """The sign of the mixed momentum."""
    step = np.sign(p.beta1 * s["m"] + (1 - p.beta1) * g)
    s["m"] = p.beta2 * s["m"] + (1 - p.beta2) * g
    return w - a * (step + p.weight_decay * w)


def adabelief(p, w, g, s, a, t):
    """Zhuang's s, which keeps the ε that each step adds."""
    s["m"] = p.beta1 * s["m"] + (1 - p.beta1) * g
    s["v"] = p.beta2 * s["v"] + (1 - p.beta2) * (g - s["m"]) ** 2 + p.eps_root
    step = s["m"] / (1 - p.beta1**t) / (np.sqrt(s["v"] / (1 - p.beta2**t)) + p.eps)
    return w - a * step - a * p.weight_decay * w


def yogi(p, w, g, s, a, t):
    """Zaheer's v, which moves by (1 − β₂)g² at most."""
    if t == 1:
        s["m"], s["v"] = p.initial + 0 * g, p.initial + 0 * g
    s["m"] = p.beta1 * s["m"] + (1 - p.beta1) * g
    s["v"] = s["v"] - (1 - p.beta2) * np.sign(s["v"] - g**2) * g**2
    c1, c2 = (1 - p.beta1**t, 1 - p.beta2**t) if p.corrected else (1, 1)
    return w - a / c1 * s["m"] / (np.sqrt(np.maximum(s["v"], 0) / c2) + p.eps)


def nadamw(p, w, g, s, a, t):
    """Nadam's step, and the decay beside it."""
    return nadam(p, w, g, s, a, t) - a * p.weight_decay * w


def adopt(p, w, g, s, a, t):
    """Taniguchi's order: the quotient by the v of the step before, then v."""
    if t == 1:
        s["v"] = g**2
        return w - a * p.weight_decay * w
    quotient = g / np.maximum(np.sqrt(s["v"]), p.eps)
    if p.clipped:
        quotient = np.clip(quotient, -((t - 1) ** p.clip_power), (t - 1) ** p.clip_power)
    s["m"] = p.beta1 * s["m"] + (1 - p.beta1) * quotient
    s["v"] = p.beta2 * s["v"] + (1 - p.beta2) * g**2
    return w - a * s["m"] - a * p.weight_decay * w


def ademamix(p, w, g, s, a, t):
    """Pagliardini's schedules of a and of β₃, whose half-life grows in a line."""
    share = min(t / p.warm_up, 1) if p.warm_up else 1
    half = (1 - share) / math.log(p.beta1) + share / math.log(p.beta3)
    beta3 = math.exp(1 / half)
    moments(p, g, s)
    s["n"] = beta3 * s["n"] + (1 - beta3) * g
    top = s["m"] / (1 - p.beta1**t) + share * p.mix * s["n"]
    return w - a * top / (np.sqrt(s["v"] / (1 - p.beta2**t)) + p.eps) - a * p.weight_decay * w


def adan(p, w, g, s, a, t):
    """Xie's algorithm 1."""
    d = 0 * g if t == 1 else g - s["g"]
    s["g"] = g
    s["m"] = p.beta1 * s["m"] + (1 - p.beta1) * g
    s["v"] = p.beta2 * s["v"] + (1 - p.beta2) * d
    s["n"] = p.beta3 * s["n"] + (1 - p.beta3) * (g + p.beta2 * d) ** 2
    rate = a / (np.sqrt(s["n"] / (1 - p.beta3**t)) + p.eps)
    step = rate * s["m"] / (1 - p.beta1**t) + rate * p.beta2 * s["v"] / (1 - p.beta2**t)
    return (w - step) / (1 + a * p.weight_decay) if p.proximal else (1 - a * p.weight_decay) * w - step


def signum(p, w, g, s, a, t):
    """Bernstein's algorithm 2."""
    s["m"] = p.beta * s["m"] + (1 - p.beta) * g
    return (1 - a * p.weight_decay) * w - a * np.sign(s["m"])


def rprop(p, w, g, s, a, t):
    """Riedmiller's lengths, without weight-backtracking; "length" before the first step is the rate."""
    sign = np.sign(g * s["g"])
    bent = s.get("length", a) * np.where(sign > 0, p.grow, np.where(sign < 0, p.shrink, 1.0))
    s["length"] = np.clip(bent, p.smallest, p.largest)
    s["g"] = np.where(sign < 0, 0.0, g)
    return w - s["length"] * np.sign(s["g"])


def madgrad(p, w, g, s, a, t):
    """Defazio and Jelassi's algorithm 1."""
    s["w"] = w if t == 1 else s["w"]
    weight = (a + p.eps) * math.sqrt(t)
    s["s"], s["v"] = s["s"] + weight * g, s["v"] + weight * g**2
    return p.beta * w + (1 - p.beta) * (s["w"] - s["s"] / (np.cbrt(s["v"]) + p.eps))


def ftrl(p, w, g, s, a, t):
    """McMahan's algorithm 1, per coordinate; none at a rate of 0."""
    if a == 0:
        return w
    sigma = (np.sqrt(s["n"] + g**2) - np.sqrt(s["n"])) / a
    s["z"], s["n"] = s["z"] + g - sigma * w, s["n"] + g**2
    return -shrunk(s["z"], p.l1) / ((p.beta + np.sqrt(s["n"])) / a + p.l2)


def cocob(p, w, g, s, a, t):
    """Orabona and Tommasi's algorithm 2, on a·g as in optax."""
    s["w"], s["L"] = (w, p.eps) if t == 1 else (s["w"], s["L"])
    c = a * g
    s["L"], s["G"] = np.maximum(s["L"], np.abs(c)), s["G"] + np.abs(c)
    s["R"] = np.maximum(s["R"] - c * (w - s["w"]), 0)
    s["theta"] = s["theta"] - c
    return s["w"] + s["theta"] / (s["L"] * np.maximum(s["G"] + s["L"], p.fraction * s["L"])) * (s["L"] + s["R"])


def qhm(p, w, g, s, a, t):
    """Ma and Yarats's mixture, as momentum beside plain descent."""
    s["m"] = p.beta * s["m"] + (1 - p.beta) * g
    return (1 - p.nu) * (w - a * g) + p.nu * (w - a * s["m"])


def qhadam(p, w, g, s, a, t):
    """The same in both of Adam's means."""
    moments(p, g, s)
    mean = s["m"] / (1 - p.beta1**t)
    square = s["v"] / (1 - p.beta2**t)
    return w - a * (g + p.nu1 * (mean - g)) / (np.sqrt(g**2 + p.nu2 * (square - g**2)) + p.eps)


def schedulefree(p, w, g, s, a, t):
    """The rule's points z, their weighted mean x, which is the result, and the point y of the gradient."""
    if t == 1:
        s["z"], s["inner"], s["points"], s["weights"] = w, Memory(), 0.0, 0.0
    s["inner"]["value"], s["inner"]["learnt"] = s["value"], s["learnt"]
    z = of(RULES, p.rule)(p.rule, s["z"], g, s["inner"], a, t) - a * p.weight_decay * w
    s["largest"] = max(s["largest"], a)
    weight = s["largest"] ** p.power
    s["z"], s["points"], s["weights"] = z, s["points"] + weight * z, s["weights"] + weight
    s["result"] = s["points"] / s["weights"] if s["weights"] else z
    return p.beta * s["result"] + (1 - p.beta) * z


def averaged(p, w, g, s, a, t):
    """The rule's own path; the mean of its points from `first` on is kept in "result"."""
    w = of(RULES, p.rule)(p.rule, w, g, s, a, t)
    s["sum"] = s["sum"] + w if t >= p.first else 0.0
    s["result"] = s["sum"] / (t - p.first + 1) if t >= p.first else w
    return w


def clipped(p, w, g, s, a, t):
    """The rule, on a gradient shortened to `norm` and cut to ±`value`."""
    g = g * min(1.0, p.norm / (math.sqrt((g**2).sum()) + p.eps))
    return of(RULES, p.rule)(p.rule, w, np.clip(g, -p.value, p.value), s, a, t)


def norm(x):
    """The root of the sum of squares of all entries."""
    return math.sqrt((x**2).sum())


def lars(p, w, g, s, a, t):
    """You's algorithm 1 over all weights as one layer."""
    push = g + p.weight_decay * w
    size = norm(g) + p.weight_decay * norm(w) if p.apart else norm(push)
    local = p.trust * norm(w) / (size + p.eps) if norm(w) > 0 and size > 0 else 1.0
    s["v"] = p.beta * s["v"] + a * local * push
    return w - s["v"]


def lamb(p, w, g, s, a, t):
    """You's algorithm 2 over all weights as one layer."""
    moments(p, g, s)
    c1, c2 = (1 - p.beta1**t, 1 - p.beta2**t) if p.corrected else (1, 1)
    push = s["m"] / c1 / (np.sqrt(s["v"] / c2 + p.eps_root) + p.eps) + p.weight_decay * w
    size = norm(push)
    return w - a * (min(norm(w), p.largest_norm) / (size + p.eps_ratio) if norm(w) > 0 and size > 0 else 1.0) * push


def dog(p, w, g, s, a, t):
    """Ivgi's tuning-free rate: the largest distance so far over the root of the sum of all squared norms."""
    if t == 1:
        s["w"], s["r"] = w, p.initial * (1 + norm(w) if p.relative else 1)
    s["r"], s["G"] = max(s["r"], norm(w - s["w"])), s["G"] + norm(g) ** 2
    return w - a * s["r"] / math.sqrt(s["G"] + p.eps) * g


def dowg(p, w, g, s, a, t):
    """Khaled's, whose gradients are weighed by the squared distance."""
    if t == 1:
        s["w"], s["r2"] = w, p.initial
    s["r2"] = max(s["r2"], norm(w - s["w"]) ** 2)
    s["G"] += s["r2"] * norm(g) ** 2
    return w - a * s["r2"] / (math.sqrt(s["G"]) + p.eps) * g


def correction(p, t):
    """Adam's correction of both means in one factor."""
    return math.sqrt(1 - p.beta2**t) / (1 - p.beta1**t) if p.corrected else 1.0


def dadaptadam(p, w, g, s, a, t):
    """Defazio and Mishchenko's algorithm 5: d grows to the estimate Σ λ⟨g, s⟩ ⁄ ‖s‖₁ of the distance."""
    root = math.sqrt(p.beta2)
    s["d"] = s["d"] or p.initial
    rate = s["d"] * a * correction(p, t)
    inner = (g * s["s"] / (np.sqrt(s["v"]) + p.eps)).sum()
    s["s"] = root * s["s"] + (1 - root) * rate * g
    s["m"] = p.beta1 * s["m"] + (1 - p.beta1) * rate * g
    s["v"] = p.beta2 * s["v"] + (1 - p.beta2) * g**2
    s["r"] = root * s["r"] + (1 - root) * rate * inner
    total = np.abs(s["s"]).sum()
    if total > 0:
        s["d"] = max(s["d"], min(s["r"] / ((1 - root) * total), s["d"] * p.growth))
    return w - p.weight_decay * rate * w - s["m"] / (np.sqrt(s["v"]) + p.eps)


def prodigy(p, w, g, s, a, t):
    """Mishchenko and Defazio's algorithm 4, with the authors' d₀ in both terms of the quotient."""
    beta3 = p.beta3 or math.sqrt(p.beta2)
    if t == 1:
        s["w"], s["d"], s["most"] = w, p.initial, p.initial
    d = s["d"]
    rate = d * a * correction(p, t)
    s["m"] = p.beta1 * s["m"] + (1 - p.beta1) * d * g
    s["v"] = p.beta2 * s["v"] + (1 - p.beta2) * (d * g) ** 2
    s["r"] = beta3 * s["r"] + d / p.initial * rate * (g * (s["w"] - w)).sum()
    s["s"] = beta3 * s["s"] + d / p.initial * (d if p.safeguarded else rate) * g
    total = np.abs(s["s"]).sum()
    if total > 0:
        estimate = p.factor * s["r"] / total
        s["d"] = max(d, estimate) if d == p.initial else d
        s["most"] = max(s["most"], estimate)
        s["d"] = min(s["most"], s["d"] * p.growth)
    return w - p.weight_decay * rate * w - rate * s["m"] / (np.sqrt(s["v"]) + s["d"] * p.eps)


#: A squared norm up to which Polyak's quotient is taken as 0 ⁄ 0: no step.
NO_STEP = 2.0**-52


def sps(p, w, g, s, a, t):
    """Loizou's SPS_max: Polyak's step on the batch's own objective, bounded by the rate."""
    gap, square = s["value"] - p.lowest, (g**2).sum() + p.eps
    gap = max(gap, 0.0) if p.nonnegative else gap
    return w - (min(gap / (p.divisor * square), a) if square > NO_STEP else 0.0) * g


def truncated_model(p, w, s, a, t, share, push, square):
    """Schaipp's step along `push`: how far the model of the objective, cut at its lower bound, is above it; the new bound."""
    wide = 1 + a * p.weight_decay
    inner = (s["m"] * w).sum()
    s["low"] = p.lowest if t == 1 else s["low"]
    low, top = s["low"], wide * (s["f"] - s["gw"]) + inner
    if p.adapted and top < wide * share * low:
        low = max(top / (2 * wide * share), p.lowest)
    length = max(wide * (s["f"] - share * low - s["gw"]) + inner, 0.0) / square if square > NO_STEP else 0.0
    length = min(a / share, length)
    if p.adapted:
        s["low"] = max((s["f"] + inner - s["gw"] - length * square / 2) / share, p.lowest)
    return w - a * p.weight_decay / wide * w - length * push


def momo(p, w, g, s, a, t):
    """Schaipp's algorithm 1: running means of the objective, of the gradient and of its product with the weights."""
    beta = p.beta if t > 1 else 0.0
    for name, value in (("m", g), ("f", s["value"]), ("gw", (g * w).sum())):
        s[name] = beta * s[name] + (1 - beta) * value
    return truncated_model(p, w, s, a, t, 1.0, s["m"], (s["m"] ** 2).sum())


def momoadam(p, w, g, s, a, t):
    """Schaipp's algorithm 3."""
    moments(p, g, s)
    for name, value in (("f", s["value"]), ("gw", (g * w).sum())):
        s[name] = p.beta1 * s[name] + (1 - p.beta1) * value
    push = s["m"] / (np.sqrt(s["v"] / (1 - p.beta2**t)) + p.eps)
    return truncated_model(p, w, s, a, t, 1 - p.beta1**t, push, (s["m"] * push).sum())


def cautious(p, w, g, s, a, t):
    """Liang's mask: the parts of the rule's step that point against the gradient, made longer for those left out."""
    step = w - of(RULES, p.rule)(p.rule, w, g, s, a, t)
    agrees, number = step * g > 0, s["learnt"] or g.size
    return w - step * agrees * number / max(agrees.sum() + p.offset, p.least * number)


def mechanic(p, w, g, s, a, t):
    """Cutkosky's algorithm 1 over six decays, with the later bound on h; the scale of the rule's whole way from w₀."""
    if t == 1:
        s["origin"], s["inner"] = w, Memory()
        s["scale"], s["M"], s["V"], s["R"] = np.full(6, p.initial), np.zeros(6), np.zeros(6), np.zeros(6)
    s["inner"]["value"], s["inner"]["learnt"] = s["value"], s["learnt"]
    betas, total = 1 - 0.1 ** np.arange(1, 7), s["scale"].sum()
    way = (s["origin"] - w) / (total + p.eps)
    step = w - of(RULES, p.rule)(p.rule, w, g, s["inner"], a, t)
    h = ((g + p.weight_decay * total * norm(g) / (norm(w) + p.eps) * w) * way).sum()
    s["R"] = betas * s["R"] + np.clip(h, -s["M"], s["M"]) * s["scale"]
    s["M"], s["V"] = np.maximum(betas * s["M"], abs(h) + p.eps), betas**2 * s["V"] + h**2
    s["scale"] = (p.initial / 6 * s["M"] + np.maximum(s["R"], 0)) / (np.sqrt(s["V"]) + p.eps)
    return s["origin"] - s["scale"].sum() * (way + step)


def inner(p, w, g, s, a, t):
    """The rule behind an estimate of the gradient."""
    return of(RULES, p.rule)(p.rule, w, g, s, a, t)


#: optimizer → the weights after step t, from the weights, their gradient, the memory and the rate.
RULES: dict[str, Callable[[Any, Array, Array, Memory, float, int], Array]] = {
    "gd": gd,
    "momentum": momentum,
    "nesterov": nesterov,
    "adagrad": adagrad,
    "rmsprop": rmsprop,
    "adadelta": adadelta,
    "adam": adam,
    "adamw": adamw,
    "amsgrad": amsgrad,
    "adamax": adamax,
    "nadam": nadam,
    "radam": radam,
    "lion": lion,
    "adabelief": adabelief,
    "yogi": yogi,
    "nadamw": nadamw,
    "adopt": adopt,
    "ademamix": ademamix,
    "adan": adan,
    "signum": signum,
    "rprop": rprop,
    "madgrad": madgrad,
    "ftrl": ftrl,
    "cocob": cocob,
    "qhm": qhm,
    "qhadam": qhadam,
    "schedulefree": schedulefree,
    "averaged": averaged,
    "clipped": clipped,
    "lars": lars,
    "lamb": lamb,
    "dog": dog,
    "dowg": dowg,
    "dadaptadam": dadaptadam,
    "prodigy": prodigy,
    "sps": sps,
    "momo": momo,
    "momoadam": momoadam,
    "cautious": cautious,
    "mechanic": mechanic,
    "sag": inner,
    "saga": inner,
    "svrg": inner,
}


def replay(rule: Any, x0: Array, gradients: Array, schedule: Any, values: Array | None = None) -> Array:
    """The points that an update rule visits under given gradients, (steps + 1, d), where the function has the values given."""
    step, rate, s = of(RULES, rule), of(SCHEDULES, schedule), Memory()
    path = [np.asarray(x0, np.float64)]
    for t, g in enumerate(gradients, start=1):
        s["value"] = 0.0 if values is None else values[t - 1]
        path.append(step(rule, path[-1], g, s, rate(schedule, t), t))
    return np.array(path)


def batches(shuffle: str, seed: int, n: int, size: int) -> Iterator[list[int]]:
    """The rows of each step, for ever; a batch doesn't reach over the end of an epoch.

    For the order ``sklearn`` the seed is the generator's start, of :func:`sklearn_start`.
    """
    if shuffle not in ORDERS:
        raise NoOracle(f"row order {shuffle}")
    index = list(range(n))
    epoch = 0
    while True:
        ORDERS[shuffle](index, seed, epoch)
        yield from (index[first : first + size] for first in range(0, n, size))
        epoch += 1


class Rows:
    """Data, loss and row weights of a linear model, the intercept as a last column.

    Parameters
    ----------
    X : ndarray of shape (n, d)
    y : ndarray of shape (n,)
        In the loss's domain.
    loss : tag
    classes : int
    fit_intercept : bool
    weights : ndarray of shape (n,), optional
    """

    def __init__(self, X: Array, y: Array, loss: Any, classes: int = 1, fit_intercept: bool = True, weights: Array | None = None):
        self.A = np.column_stack([X, np.full(len(y), float(fit_intercept))])
        self.y, self.loss, self.classes = y, loss, classes
        self.weights = np.ones(len(y)) if weights is None else weights

    def slopes(self, w: Array, i: Any) -> Array:
        """The losses' derivatives at rows i, (len(i), K)."""
        z = self.A[i] @ w.T
        c = of(LOSSES, self.loss)[1](self.loss, z if self.classes > 1 else z[:, 0], self.y[i])
        return self.weights[i][:, None] * np.reshape(c, (len(i), self.classes))

    def gradient(self, w: Array, i: Any) -> Array:
        """The mean gradient of rows i, (K, d + 1)."""
        return self.slopes(w, i).T @ self.A[i] / len(i)

    def start(self) -> Array:
        """w = 0."""
        return np.zeros((self.classes, self.A.shape[1]))

    def objective(self, w: Array, penalty: Any, i: Any = slice(None)) -> float:
        """J, or that of the rows i alone, whose weights need not have a mean of 1."""
        z = self.A[i] @ w.T
        values = of(LOSSES, self.loss)[0](self.loss, z if self.classes > 1 else z[:, 0], self.y[i])
        return float((self.weights[i] * values).mean() + of(PENALTIES, penalty)[0](penalty, w[:, :-1]).sum())


class Remembered:
    """The gradient estimates of SAG, SAGA and SVRG: α is each row's last known derivative, ḡ the mean gradient of them all."""

    def __init__(self, rows: Rows, kind: str):
        self.rows, self.kind, self.n = rows, kind, len(rows.y)
        self.alpha, self.mean = np.zeros((self.n, rows.classes)), rows.start()

    def gradient(self, w: Array, i: list[int], t: int) -> Array:
        """The estimate at step t, which visits the one row in i."""
        if self.kind == "svrg" and (t - 1) % self.n == 0:
            self.alpha = self.rows.slopes(w, np.arange(self.n))
            self.mean = self.alpha.T @ self.rows.A / self.n
        c = self.rows.slopes(w, i)
        news = (c - self.alpha[i]).T @ self.rows.A[i]
        g = self.mean + news / (self.n if self.kind == "sag" else 1)
        if self.kind != "svrg":
            self.mean = self.mean + news / self.n
            self.alpha[i] = c
        return g


class Patience:
    """The schedule ``adaptive``: the rate shrinks once J has not fallen by `tol` for `patience` epochs."""

    def __init__(self, schedule: Any):
        self.schedule, self.factor, self.best, self.stale = schedule, 1.0, math.inf, 0

    def hear(self, objective: float) -> None:
        """Take in J after an epoch."""
        self.stale = 0 if objective < self.best - self.schedule.tol else self.stale + 1
        self.best = min(self.best, objective)
        if self.stale == self.schedule.patience:
            self.stale, self.factor = 0, self.factor * self.schedule.shrink


def descend(rows: Rows, rule: Any, penalty: Any, schedule: Any, visits: Iterator[list[int]], steps: int, epoch: int) -> Array:
    """The weights of a linear model after each step from zero, (steps + 1, K, d + 1), the intercept last.

    Parameters
    ----------
    rows : Rows
    rule, penalty, schedule : tags
    visits : iterator of lists of row numbers, one a step
    steps : int
    epoch : int
        Steps an epoch.
    """
    (_, smooth, after), step, rate = of(PENALTIES, penalty), of(RULES, rule), of(SCHEDULES, schedule)
    estimate = Remembered(rows, rule.estimator) if hasattr(rule, "estimator") else None
    patience = Patience(schedule) if name_of(schedule) == "adaptive" else None
    memory, paid, travelled = Memory(), Memory(), 0.0
    w = rows.start()
    memory["learnt"] = rows.A.any(axis=0).sum() * rows.classes
    path = [w]
    for t in range(1, steps + 1):
        i = next(visits)
        a = rate(schedule, t) * (patience.factor if patience else 1.0)
        travelled += a
        g = estimate.gradient(w, i, t) if estimate else rows.gradient(w, i)
        g[:, :-1] += smooth(penalty, w[:, :-1])
        memory["value"] = rows.objective(w, penalty, i)
        w = np.array(step(rule, w, g, memory, a, t))
        result = memory.get("result")  # an average is of the points before the penalty's own step, in scikit-learn's order too
        w[:, :-1] = after(penalty, w[:, :-1], a, travelled, paid)
        path.append(w if result is None else result)
        if patience and t % epoch == 0:
            patience.hear(rows.objective(w, penalty))
    return np.array(path)


def line_search(rows: Rows, penalty: Any, schedule: Any, steps: int) -> Array:
    """Batch descent whose step length is found anew: Armijo's backtracking, or Barzilai and Borwein's two-point length."""
    everything, length = np.arange(len(rows.y)), schedule.learning_rate

    def gradient(w: Array) -> Array:
        g = rows.gradient(w, everything)
        g[:, :-1] += of(PENALTIES, penalty)[1](penalty, w[:, :-1])
        return g

    path = [rows.start()]
    for _ in range(steps):
        w, g = path[-1], gradient(path[-1])
        if name_of(schedule) == "backtracking":
            while rows.objective(w - length * g, penalty) > rows.objective(w, penalty) - schedule.slope * length * (g**2).sum():
                length *= schedule.shrink
            path.append(w - length * g)
            length /= schedule.shrink
        else:
            path.append(w - length * g)
            s, y = path[-1] - w, gradient(path[-1]) - g
            length = (s**2).sum() / (s * y).sum() if (s * y).sum() > 0 else length
    return np.array(path)


#: activation → (function of the input, derivative from the output).
ACTIVATIONS: dict[str, tuple[Callable, Callable]] = {
    "tanh": (np.tanh, lambda h: 1 - h**2),
    "relu": (lambda a: np.maximum(a, 0), lambda h: 1.0 * (h > 0)),
    "sigmoid": (lambda a: 1 / (1 + np.exp(-a)), lambda h: h * (1 - h)),
}


def network(rows: Rows, parts: list[Array], activation: str, rule: Any, rate: float, visits: Iterator, steps: int) -> Array:
    """A network with one hidden layer, its weights W₁, W₂, b₁, b₂ after each step in one row, (steps + 1, P)."""
    if activation not in ACTIVATIONS:
        raise NoOracle(f"activation {activation}")
    act, bend = ACTIVATIONS[activation]
    shapes, memory = [p.shape for p in parts], Memory()
    w = np.concatenate([p.ravel() for p in parts])
    cuts = np.cumsum([p.size for p in parts])[:-1]
    path = [w]
    for t in range(1, steps + 1):
        i = next(visits)
        x = rows.A[i][:, :-1]
        w1, w2, b1, b2 = (p.reshape(shape) for p, shape in zip(np.split(w, cuts), shapes, strict=True))
        h = act(x @ w1.T + b1)
        z = h @ w2.T + b2
        c = of(LOSSES, rows.loss)[1](rows.loss, z if rows.classes > 1 else z[:, 0], rows.y[i])
        out = rows.weights[i][:, None] * np.reshape(c, (len(i), rows.classes)) / len(i)
        back = out @ w2 * bend(h)
        g = np.concatenate([(back.T @ x).ravel(), (out.T @ h).ravel(), back.sum(axis=0), out.sum(axis=0)])
        w = of(RULES, rule)(rule, w, g, memory, rate, t)
        path.append(w)
    return np.array(path)


def objective(X: Array, y: Array, w: Array, loss: Any, penalty: Any, weights: Array | None = None) -> float:
    """J of weights (K, d + 1)."""
    z = X @ w[:, :-1].T + w[:, -1]
    values = of(LOSSES, loss)[0](loss, z if w.shape[0] > 1 else z[:, 0], y)
    mean = np.average(values, weights=weights)
    return float(mean + of(PENALTIES, penalty)[0](penalty, w[:, :-1]).sum())
