"""Telling how far a suite has come."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from gdbench.suite.plan import Pass, Plan


class Reporter:
    """Hears of a suite's progress and says nothing; a base for those that speak."""

    def begin(self, plan: Plan, finished: int) -> None:
        """The plan is made; so many of its runs are done already."""

    def stage(self, name: str, estimate: float) -> None:
        """A stage begins that should take `estimate` seconds: "descending", "timing alone", "writing"."""

    def advance(self, work: Pass) -> None:
        """A pass is done and stored."""

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

    def advance(self, work: Pass) -> None:
        """Move on by the pass's share."""
        self.bar.update(self.task, advance=work.estimate, now=f"{work.case.name}: {work.solver.label}")

    def end(self, planned: int, finished: int) -> None:
        """Take the bar away."""
        self.bar.stop()
