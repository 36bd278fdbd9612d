"""Telling how far a descent has come."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from typing import Any

from gdbench.errors import GdbenchError

#: Called with what is done and what there is to do, in one unit.
Listener = Callable[[int, int], None]


@contextlib.contextmanager
def listening(progress: Any) -> Iterator[Listener | None]:
    """The listener that a user's `progress` stands for: None or False, True for a bar on stderr, or a callable."""
    if progress is None or progress is False:
        yield None
    elif progress is True:
        from rich.console import Console
        from rich.progress import Progress

        with Progress(console=Console(stderr=True), transient=True) as bar:
            task = bar.add_task("descending", total=None)
            yield lambda done, total: bar.update(task, completed=done, total=total)
    elif callable(progress):
        yield progress
    else:
        raise GdbenchError(f"progress must be True, False or a function of what is done and what there is, not {progress!r}")
