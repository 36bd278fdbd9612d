"""From results to pages: the report of a suite as HTML and Markdown, and its figures."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from gdbench.report import across, figures, page, view


def write(folder: str | Path, parity: list[dict[str, Any]] | None = None) -> Path:
    """Write report.html, report.md and figures/ into a results folder.

    Parameters
    ----------
    folder : path
        With runs.parquet, curves.parquet and machine.json, as ``gdbench run`` leaves it.
    parity : list of dict, optional
        Rows of a parity table, shown as they are.

    Returns
    -------
    Path
        Of report.html.

    Raises
    ------
    GdbenchError
        The folder holds no results.
    """
    folder = Path(folder)
    shown = view.read(folder)
    over = across.build(shown)
    made = figures.draw(shown, over, folder / "figures", every=False)
    (folder / "report.md").write_text(page.twin(shown, over, made, parity), encoding="utf-8")
    target = folder / "report.html"
    target.write_text(page.report(shown, over, parity), encoding="utf-8")
    return target


__all__ = ["write"]
