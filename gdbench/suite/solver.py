"""A solver in words, so that it travels between processes and has a key and a label."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from gdbench.kernels import optimizers, schedules
from gdbench.suite.identity import foreign_sources
from gdbench.tasks.setting import Setting, settle

Fields = tuple[tuple[str, Any], ...]

#: Solvers that a suite may have: more is probably a typo, and would fill the memory.
MOST_SOLVERS = 5_000


@dataclass(frozen=True)
class Solver:
    """A picklable solver configuration; the learning rate and the seed belong to the run.

    Attributes
    ----------
    backend : str
        "gdbench", or the baseline's name as in :data:`gdbench.baselines.MODULES`.
    given_label : str
        The baseline's own label.
    """

    variant: str
    batch_size: int | None
    optimizer: str
    optimizer_fields: Fields = ()
    schedule: str = "constant"
    schedule_fields: Fields = ()
    shuffle: str = "epoch"
    dtype: str = "float64"
    backend: str = "gdbench"
    given_label: str = ""

    @property
    def label(self) -> str:
        """A short name, which states what differs from the defaults."""
        if self.given_label:
            return self.given_label
        size = f"({self.batch_size})" if self.variant == "mini-batch" and self.batch_size != 32 else ""
        parts = [self.variant + size, self.optimizer + listed(self.optimizer_fields, "()")]
        if self.schedule != "constant":
            parts.append(self.schedule + listed(self.schedule_fields, "()"))
        if self.shuffle not in ("epoch", "none") or (self.shuffle == "none" and self.variant != "batch"):
            parts.append(f"shuffle={self.shuffle}")
        if self.dtype != "float64":
            parts.append(self.dtype)
        return " ".join(parts)

    def setting(self, **more: Any) -> Setting:
        """The solver as the engine takes it; raises a GdbenchError on a name or field that is not valid."""
        return settle(
            optimizer=optimizers.registry.make(self.optimizer, **dict(self.optimizer_fields)),
            learning_rate=schedules.registry.make(self.schedule, **dict(self.schedule_fields)),
            variant=self.variant,
            batch_size=self.batch_size or 1,
            shuffle=self.shuffle,
            **more,
        )

    def words(self) -> dict[str, Any]:
        """What determines the solver's results, defaults written out; not to be changed."""
        own = self.backend == "gdbench"
        return _words(self, *((*optimizers.registry, *schedules.registry) if own else ()))


@lru_cache(maxsize=2 * MOST_SOLVERS)
def _words(solver: Solver, *registered: type) -> dict[str, Any]:
    """A solver's words, which each of its passes asks for; they are found again once a class is registered anew."""
    told = dataclasses.asdict(solver) | {"given_label": ""}
    if solver.backend == "gdbench":
        setting = solver.setting()
        told |= {"optimizer_fields": repr(setting.optimizer), "schedule_fields": repr(setting.schedule)}
        told["foreign"] = foreign_sources(setting.optimizer, setting.schedule)
    return told


def listed(fields: Fields, brackets: str) -> str:
    """Fields behind a name, such as "(beta1=0.8)"; nothing where there are none."""
    words = [f"{key}={value:g}" if isinstance(value, float) else f"{key}={value}" for key, value in fields]
    return f"{brackets[0]}{', '.join(words)}{brackets[1]}" if words else ""
