"""Cases drawn from several axes: every combination of their values, or few in which each two values meet."""

import itertools
import random


def always(case):
    """Every combination of values is a case."""
    return True


def product(axes, is_valid=always):
    """Every valid combination, each a dict from an axis to its value."""
    for values in itertools.product(*axes.values()):
        case = dict(zip(axes, values, strict=True))
        if is_valid(case):
            yield case


def pairs_of(case):
    """Each two values of different axes that meet in a case."""
    return set(itertools.combinations(sorted(case.items(), key=str), 2))


def pairwise(axes, is_valid=always, seed=0):
    """Cases in which each two values of different axes meet at least once."""
    draw = random.Random(seed)

    def drawn(fixed=()):
        for _ in range(1000):
            case = {name: draw.choice(values) for name, values in axes.items()} | dict(fixed)
            if is_valid(case):
                return case
        raise ValueError(f"no case has {fixed}")

    every = [
        pair
        for (a, xs), (b, ys) in itertools.combinations(axes.items(), 2)
        for pair in (tuple(sorted(((a, x), (b, y)), key=str)) for x in xs for y in ys)
    ]
    missing, found = set(every), []
    for pair in every:
        if pair in missing:
            best = max((drawn(pair) for _ in range(100)), key=lambda case: len(pairs_of(case) & missing))
            found.append(best)
            missing -= pairs_of(best)
    return found
