"""Executing one pass: from words to a row and a curve for each of its runs."""

from __future__ import annotations

from gdbench.errors import GdbenchError, one_line
from gdbench.suite.execute import data, landscape, timing
from gdbench.suite.execute.rows import failed
from gdbench.suite.plan import Pass
from gdbench.suite.vocabulary import TIMED, Record


def execute(work: Pass) -> list[Record]:
    """Run a pass. What goes wrong in it is the reason of its runs, all ``failed``, and no exception."""
    if work.error:
        return [failed(work, run, work.error) for run in work.runs]
    try:
        if work.case.landscape:
            return landscape.execute(work)
        return timing.execute(work) if work.stage == TIMED else data.execute(work)
    except GdbenchError as error:
        return [failed(work, run, str(error)) for run in work.runs]
    except Exception as error:
        reason = f"{type(error).__name__}: {one_line(error)}"
        return [failed(work, run, reason) for run in work.runs]


__all__ = ["execute", "failed"]
