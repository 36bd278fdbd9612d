"""The environment variables that gdbench reads, with their meanings and what they are set to."""

from __future__ import annotations

import os

#: What each variable does.
VARIABLES = {
    "GDBENCH_CACHE_DIR": "The folder of compiled kernels and certified optima; by default gdbench's own in the user's cache.",
    "GDBENCH_SHAPES": "A file of the shapes in which rows are read, instead of what `gdbench info --tune` kept, or `default`.",
    "GDBENCH_COMMIT": "The commit that an installed copy was made from, for `machine.json`.",
    "GDBENCH_PLAIN_NUMBA": "1 compiles without gdbench's own passes, to tell a fault of theirs from one of Numba.",
    "XDG_CACHE_HOME": "The user's cache folder, where `GDBENCH_CACHE_DIR` is not set.",
    "KERAS_BACKEND": "The backend of Keras in `gdbench validate`; the first that is installed by default.",
    "NUMBA_DISABLE_JIT": "1 runs the kernels as plain Python, for a debugger.",
    "NUMBA_NUM_THREADS": "Threads of Numba, as `gdbench info` and `machine.json` tell them.",
    "SCIKIT_LEARN_DATA": "Where scikit-learn keeps the data sets that it downloads.",
}


def settings() -> dict[str, str | None]:
    """Each variable with its value; None where it is not set."""
    return {name: os.environ.get(name) for name in VARIABLES}
