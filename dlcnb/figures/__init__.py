"""The paper's figures (Mathis et al., Nature Neuroscience 2018), made from a project's own data.

`FIGURES` has them by name. `draw` makes one: picture, table of the numbers behind it, and a caption that says what was
measured; `write` makes files of them. A figure whose data is missing says which command makes it.
"""

from dlcnb.figures.registry import FIGURES, PaperFigure, Written, draw, figure_names, write
from dlcnb.figures.source import Drawing, MissingDataError, Source

__all__ = [
    "FIGURES",
    "Drawing",
    "MissingDataError",
    "PaperFigure",
    "Source",
    "Written",
    "draw",
    "figure_names",
    "write",
]
