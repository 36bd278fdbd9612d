"""Demos as one page to teach from: self-contained, nothing is loaded from anywhere."""

from __future__ import annotations

import re
from collections.abc import Sequence
from html import escape
from pathlib import Path

from gdbench.demo.figure import svg
from gdbench.demo.show import Picture, Show, Table
from gdbench.errors import GdbenchError
from gdbench.writing import write_text

STYLE = """
:root { color-scheme: light dark; }
body { font: 1rem/1.6 system-ui, sans-serif; max-width: 48rem; margin: 2rem auto; padding: 0 1rem; }
h2 { margin-top: 3rem; }
nav a { margin-right: 1rem; }
figure { margin: 1.5rem 0; background: #fff; border-radius: 6px; }
figure svg { width: 100%; height: auto; display: block; }
div { overflow-x: auto; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; margin: 1rem 0; }
caption { text-align: left; font-weight: 600; padding: .3rem 0; white-space: nowrap; }
th, td { padding: .25rem .7rem; text-align: right; border-bottom: 1px solid #8886; }
th:first-child, td:first-child { text-align: left; }
"""


def write(shows: Sequence[Show], path: str | Path) -> Path:
    """Write the demos as an HTML page.

    Parameters
    ----------
    shows : sequence of Show
    path : path
        Ends in .html.

    Returns
    -------
    Path

    Raises
    ------
    GdbenchError
        Another ending, or a folder that cannot be written.
    """
    path = Path(path)
    if path.suffix.lower() not in (".html", ".htm"):
        raise GdbenchError(f"cannot write a page into '{path}': its name has to end in .html")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_text(path, page(shows))
    except OSError as error:
        raise GdbenchError(f"cannot write '{path}': {error.strerror or error}") from None
    return path


def page(shows: Sequence[Show]) -> str:
    """The page's HTML."""
    links = "".join(f'<a href="#{escape(s.name)}">{escape(s.name)}</a> ' for s in shows)
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>Gradient descent, shown</title><style>{STYLE}</style></head><body>"
        f"<h1>Gradient descent, shown</h1><nav>{links}</nav>{''.join(map(section, shows))}</body></html>\n"
    )


def section(show: Show) -> str:
    """One demo."""
    body = "".join(map(block, show.parts))
    return f'<section><h2 id="{escape(show.name)}">{escape(show.title)}</h2>{body}</section>\n'


def _whole(cell: str) -> str:
    """A cell in which no number breaks at the sign of its exponent."""
    return re.sub(r"(?<=\de)-(?=\d)", "\u2011", escape(cell))


def block(part: str | Table | Picture) -> str:
    """One part of a demo."""
    if isinstance(part, Picture):
        names = ", ".join(s.name for s in part.series)
        label = escape(f"{part.title}: {part.y_label} over {part.x_label} of {names}")
        return f'<figure role="img" aria-label="{label}">{svg(part)}</figure>'
    if isinstance(part, Table):
        head = "".join(f'<th scope="col">{escape(c)}</th>' for c in part.columns)
        rows = "".join(f"<tr>{''.join(f'<td>{_whole(cell)}</td>' for cell in row)}</tr>" for row in part.rows)
        caption = f"<caption>{escape(part.title)}</caption>"
        return f"<div><table>{caption}<thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table></div>"
    return f"<p>{escape(part)}</p>"
