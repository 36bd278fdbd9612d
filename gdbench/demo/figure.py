"""A demo's pictures as an image, through Matplotlib."""

from __future__ import annotations

import io
import math
from pathlib import Path
from typing import Any

from gdbench.demo.show import Picture, Show
from gdbench.errors import GdbenchError
from gdbench.writing import whole

#: Okabe and Ito's colours, which stay apart for the colour-blind, each with a line style.
STYLES = (
    ("#0072B2", "-"),
    ("#D55E00", "--"),
    ("#009E73", "-."),
    ("#CC79A7", ":"),
    ("#E69F00", "-"),
    ("#56B4E9", "--"),
    ("#000000", ":"),
)
FORMATS = (".png", ".svg", ".pdf")


def save(show: Show, path: str | Path) -> Path:
    """Draw all pictures of a demo into one file.

    Parameters
    ----------
    show : Show
    path : path
        Ends in .png, .svg or .pdf.

    Returns
    -------
    Path

    Raises
    ------
    GdbenchError
        Another ending, or a folder that cannot be written.
    """
    path = Path(path)
    if path.suffix.lower() not in FORMATS:
        raise GdbenchError(f"cannot draw into '{path}': its name has to end in {', '.join(FORMATS)}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with whole(path) as file:
            drawn(show.pictures()).savefig(file, format=path.suffix[1:].lower(), dpi=150)
    except OSError as error:
        raise GdbenchError(f"cannot write '{path}': {error.strerror or error}") from None
    return path


def svg(picture: Picture) -> str:
    """One picture as an <svg> element."""
    buffer = io.StringIO()
    drawn([picture]).savefig(buffer, format="svg", metadata={"Date": None})
    text = buffer.getvalue()
    return text[text.index("<svg") :]


def drawn(pictures: list[Picture]) -> Any:
    """A Matplotlib figure with the pictures one under the other."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7.5, 4.2 * len(pictures)), layout="constrained")
    for axes, picture in zip(figure.subplots(len(pictures), squeeze=False)[:, 0], pictures, strict=True):
        draw(axes, picture)
    return figure


def draw(axes: Any, picture: Picture) -> None:
    """Draw one picture into a pair of axes."""
    for number, series in enumerate(picture.series):
        colour, line = STYLES[number % len(STYLES)]
        few = len(series.x) <= 60
        y = [v if math.isfinite(v) and (v > 0 or not picture.log_y) else math.nan for v in map(float, series.y)]
        marker = "o" if few or not series.joined else ""
        axes.plot(series.x, y, label=series.name, color=colour, ls=line if series.joined else "", marker=marker, ms=4)
    axes.set(title=picture.title, xlabel=picture.x_label, ylabel=picture.y_label)
    if picture.log_x:
        axes.set_xscale("log")
    if picture.log_y:
        axes.set_yscale("log")
    axes.grid(alpha=0.3)
    axes.legend()
