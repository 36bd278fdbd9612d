"""One look for every figure: the Okabe–Ito palette, a colour an optimizer, a line style a variant."""

from __future__ import annotations

import hashlib

#: Okabe and Ito's palette, told apart with any kind of colour vision; without its yellow, which vanishes on white.
PALETTE = {
    "blue": "#0072B2",
    "orange": "#E69F00",
    "green": "#009E73",
    "sky": "#56B4E9",
    "purple": "#CC79A7",
    "vermillion": "#D55E00",
}

#: The same hues on a dark page: blue and vermillion are lifted.
PALETTE_DARK = PALETTE | {"blue": "#3D9BE0", "vermillion": "#F07A2B"}

#: The optimizers that most reports show, each with a colour of its own.
COLOUR_OF = {
    "gd": "blue",
    "momentum": "orange",
    "nesterov": "green",
    "adagrad": "sky",
    "rmsprop": "purple",
    "adam": "vermillion",
}

#: Marks tell apart the optimizers that share a colour: (Plotly, Matplotlib).
MARKS = [("circle", "o"), ("diamond", "D"), ("square", "s"), ("triangle-up", "^"), ("star", "*")]

#: Line styles: (Plotly, Matplotlib).
DASHES = {"batch": ("solid", "-"), "mini-batch": ("dash", (0, (5, 2))), "stochastic": ("dot", (0, (1.2, 1.6)))}
BASELINE_DASH = ("longdashdot", (0, (8, 2, 1.5, 2)))

#: Marks of the variants: (Plotly, Matplotlib).
VARIANT_MARKS = {
    "batch": ("square", "s"),
    "mini-batch": ("circle", "o"),
    "stochastic": ("diamond", "D"),
    "baseline": ("x", "X"),
}

VARIANTS = ("mini-batch", "stochastic", "batch")


def look(optimizer: str) -> tuple[str, int]:
    """Colour name and mark number of an optimizer, always the same."""
    if optimizer in COLOUR_OF:
        return COLOUR_OF[optimizer], 0
    digest = hashlib.sha256(optimizer.encode()).digest()
    return list(PALETTE)[digest[0] % len(PALETTE)], 1 + digest[1] % (len(MARKS) - 1)
