"""A descent on its way, kept and brought back: so that a point between two that were looked at can be looked at, too."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from gdbench.solve.descent import Descent

#: What a descent only reads.
FIXED = {"task", "rule", "schedule", "order", "loop", "call", "ones"}


@dataclass(frozen=True)
class Snapshot:
    """The attributes of a descent and of what adapts its rate, and copies of the arrays that its steps change."""

    attributes: list[tuple[Any, dict[str, Any]]]
    arrays: list[tuple[np.ndarray, np.ndarray]]


def take(descent: Descent) -> Snapshot:
    """All that the steps to come depend on."""
    owners = [part for part in (descent, descent.feedback, descent.search) if part is not None]
    attributes = [(owner, {key: value for key, value in vars(owner).items() if key not in FIXED}) for owner in owners]
    arrays = {id(array): array for _, values in attributes for value in values.values() for array in arrays_of(value)}
    return Snapshot(attributes, [(array, array.copy("K")) for array in arrays.values()])


def restore(snapshot: Snapshot) -> None:
    """Put the descent back to where the snapshot was taken."""
    for owner, attributes in snapshot.attributes:
        vars(owner).update(attributes)
    for array, values in snapshot.arrays:
        array[...] = values


def arrays_of(value: Any) -> Iterator[np.ndarray]:
    """The arrays that a value holds, itself or in tuples."""
    if isinstance(value, np.ndarray):
        yield value
    elif isinstance(value, tuple):
        for part in value:
            yield from arrays_of(part)
