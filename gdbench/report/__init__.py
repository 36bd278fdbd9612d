"""From results to pages: the report of a suite as HTML and Markdown, and its figures."""

from __future__ import annotations

from pathlib import Path


def write(folder: str | Path, parity: Path | None = None, peers: Path | None = None) -> Path:
    """Write report.html, report.md and figures/ into a results folder.

    Parameters
    ----------
    folder : path
        With runs.parquet, curves.parquet and machine.json, as ``gdbench run`` leaves it.
    parity : path, optional
        What ``gdbench validate --out`` wrote; the folder's parity.json by default, if it has one.
    peers : path, optional
        What ``benchmarks/peers.py --json`` wrote; the folder's peers.json by default, if it has one.

    Returns
    -------
    Path
        Of report.html.

    Raises
    ------
    GdbenchError
        The folder holds no results, or a file something else.
    """
    # imported here, so that the processes that draw load no more than they need
    from gdbench.analysis import across, beside, view
    from gdbench.report import figures, page
    from gdbench.writing import write_text

    folder = Path(folder)
    shown = view.read(folder)
    over = across.build(shown)
    near = beside.build(shown, over, parity, peers)
    made = figures.draw(shown, over, near, folder / "figures", every=False)
    for name, text in {"report.md": page.twin(shown, over, near, made), "report.html": page.report(shown, over, near)}.items():
        write_text(folder / name, text)
    return folder / "report.html"


__all__ = ["write"]
