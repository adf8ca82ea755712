"""Figures without pyplot's global state, and how they look."""

from __future__ import annotations

import io
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from numpy.typing import NDArray

from dlcnb.files import atomic_path, make_folder

if TYPE_CHECKING:
    from matplotlib.axes import Axes


__all__ = ["FARTHEST", "Drawn", "DrawnPair", "NotebookFigure", "axes_for", "figure_of", "named", "plain", "save"]

Drawn = tuple[Figure, "Axes"]  # what functions of one picture return
DrawnPair = tuple[Figure, NDArray[np.object_]]  # … and of two, side by side or one above the other
FARTHEST = 1e6  # px: what lies further is damage, and would leave nothing to be seen of the rest


class NotebookFigure(Figure):
    """A figure that a notebook shows, although pyplot does not know it."""

    def draw(self, renderer: Any) -> None:
        """Draw all; a letter that the font lacks becomes a box without a warning."""
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", "Glyph .* missing from", UserWarning)
            super().draw(renderer)

    def _repr_png_(self) -> bytes:
        buffer = io.BytesIO()
        self.savefig(buffer, format="png", dpi=100)
        return buffer.getvalue()


def axes_for(ax: Any, size: tuple[float, float], layout: int | tuple[int, int] | None = None) -> tuple[Figure, Any]:
    """(figure, axes), given or new; ``layout`` None = one, 2 = two rows over the same x, (1, 2) = two columns."""
    if ax is None:
        fig = figure_of(size)
        rows, columns = layout if isinstance(layout, tuple) else (layout or 1, 1)
        ax = fig.subplots(rows, columns, sharex=rows > 1, sharey=columns > 1)
    elif layout is not None:
        ax = np.asarray(ax, object).ravel()
        if len(ax) != 2:
            raise ValueError(f"This figure needs ax=None or two axes, got {len(ax)}.")
    every = np.ravel(np.asarray(ax, object))
    for one in every:
        plain(one)
    return every[0].figure, ax


def figure_of(size: tuple[float, float]) -> NotebookFigure:
    """An empty figure, (width, height) in inches, outside of pyplot."""
    fig = NotebookFigure(figsize=size, layout="constrained")
    FigureCanvasAgg(fig)
    return fig


def named(text: object) -> str:
    """A name as matplotlib shows it to the letter: a dollar begins no formula, a leading ``_`` hides nothing."""
    shown = str(text).replace("$", r"\$")
    return f" {shown}" if shown.startswith("_") else shown


def plain(ax: Axes) -> None:
    """No box, a faint grid behind the data."""
    ax.spines[["top", "right"]].set_visible(False)
    ax.grid(True, color="0.92", lw=0.6)
    ax.set_axisbelow(True)


def save(figure: Figure, path: str | Path, dpi: float = 150) -> Path:
    """Write a figure as .png, .svg or .pdf, by the ending, whole or not at all; returns its path.

    Raises
    ------
    ValueError
        The path ends in something else.
    """
    path = Path(path)
    if (kind := path.suffix.lower().lstrip(".")) not in ("png", "svg", "pdf"):
        raise ValueError(f"A figure ends in .png, .svg or .pdf; {path.name} does not. Give it one of these endings.")
    make_folder(path.parent)
    with atomic_path(path) as temporary:
        figure.savefig(temporary, dpi=dpi, format=kind)
    return path
