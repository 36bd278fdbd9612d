"""How results show themselves in notebooks: what draws them is loaded when one is shown, and not before."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import plotly.graph_objects as go

#: The module that draws. It lies floors above the classes that it draws, so none of them imports it.
DRAWN_BY = "gdbench.report.notebook"


class Shown:
    """Something that shows itself in a notebook."""

    def _repr_html_(self) -> str:
        return str(_drawing().html(self))

    def plot(self) -> go.Figure:
        """Draw it.

        Returns
        -------
        plotly.graph_objects.Figure
        """
        return _drawing().plot(self)


def _drawing() -> Any:
    return import_module(DRAWN_BY)
