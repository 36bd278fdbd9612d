"""Telling how far a suite has come."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from gdbench.suite.plan import Plan


class Reporter:
    """Hears of a suite's progress and says nothing; a base for those that speak."""

    def begin(self, plan: Plan, finished: int) -> None:
        """The plan is made; so many of its runs are done already."""

    def stage(self, name: str, estimate: float) -> None:
        """A stage begins that should take `estimate` seconds: "compiling", "descending", "timing alone", "writing"."""

    def advance(self, estimate: float, what: str) -> None:
        """Something of the stage is done, and stored, that should have taken `estimate` seconds."""

    def end(self, planned: int, finished: int) -> None:
        """The suite has ended; fewer finished than planned if it was stopped."""


class RichReporter(Reporter):
    """A progress bar with the time left, on a terminal.

    Parameters
    ----------
    console : rich.console.Console, optional
    """

    def __init__(self, console: Any = None):
        from rich import progress

        columns = (
            progress.SpinnerColumn(),
            progress.TextColumn("{task.description}"),
            progress.BarColumn(),
            progress.TaskProgressColumn(),
            progress.TimeRemainingColumn(),
            progress.TextColumn("{task.fields[now]}"),
        )
        self.bar = progress.Progress(*columns, console=console, transient=True)
        self.task: Any = None
        self.left = 0.0

    def begin(self, plan: Plan, finished: int) -> None:
        """Show the bar."""
        self.bar.start()

    def stage(self, name: str, estimate: float) -> None:
        """A new bar, whose length is the estimated time."""
        if self.task is not None:
            self.bar.remove_task(self.task)
        self.task = self.bar.add_task(name, total=estimate or None, now="")

    def advance(self, estimate: float, what: str) -> None:
        """Move on by its share."""
        self.bar.update(self.task, advance=estimate, now=what)

    def end(self, planned: int, finished: int) -> None:
        """Take the bar away."""
        self.bar.stop()
