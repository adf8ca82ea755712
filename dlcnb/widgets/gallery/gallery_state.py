"""A grid of pictures, as state without pixels: pages, the cell with the focus, what is under a click."""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from dataclasses import dataclass
from typing import Any

from traitlets import HasTraits, Int

__all__ = ["Cell", "GalleryState"]

GAP = 8  # px between cells and around them
LINE = 17  # px a line of text
PAGER = 44  # px what turns the pages is high
CHECK = 28  # px the sides of a check box, in the upper right corner of a picture


@dataclass(frozen=True)
class Cell:
    """One picture with its captions.

    ``key``, hashable, is the owner's name for it. ``checked`` shows a check box (None = none). ``note`` is a second
    line of text, in the colour of a warning if ``warn``. ``dim`` cells are shown faint.
    """

    key: Any
    caption: str
    note: str = ""
    checked: bool | None = None
    dim: bool = False
    warn: bool = False


class GalleryState(HasTraits):
    """Which cells of a grid are shown, and which has the focus.

    Parameters
    ----------
    picture : (height, width)
        Of one picture, px.
    columns, rows : int
        Of one page.
    lines : int
        Of text under each picture.
    """

    focus = Int(-1, help="Position of the cell that has the focus; -1 = there are no cells.")
    revision = Int(0, help="Counts the changes of the cells and of the layout.")

    def __init__(self, picture: tuple[int, int] = (120, 160), columns: int = 5, rows: int = 3, lines: int = 2) -> None:
        super().__init__()
        self.picture, self.columns, self.rows, self.lines = picture, columns, rows, lines
        self._usual = columns * rows  # on a page
        self.cells: tuple[Cell, ...] = ()

    # --- what is there ---

    @property
    def per_page(self) -> int:
        """Cells on a full page."""
        return self.columns * self.rows

    @property
    def pages(self) -> int:
        """Number of pages, at least 1."""
        return max(-(-len(self.cells) // self.per_page), 1)

    @property
    def page(self) -> int:
        """The page shown: the one with the focus."""
        return max(self.focus, 0) // self.per_page

    @property
    def shown(self) -> range:
        """Positions of the cells on the page shown."""
        first = self.page * self.per_page
        return range(first, min(first + self.per_page, len(self.cells)))

    @property
    def size(self) -> tuple[int, int]:
        """(height, width) of the whole grid in px; a last page that is not full is no smaller."""
        height, width = self._cell_size()
        rows = min(self.rows, max(-(-len(self.cells) // self.columns), 1))
        return rows * (height + GAP) + GAP, self.columns * (width + GAP) + GAP

    def box(self, position: int) -> tuple[int, int]:
        """(left, top) of a shown cell's picture, px."""
        height, width = self._cell_size()
        row, column = divmod(position - self.page * self.per_page, self.columns)
        return GAP + column * (width + GAP), GAP + row * (height + GAP)

    def extent(self, position: int) -> tuple[float, float]:
        """Where a shown cell begins and ends, with its captions, as shares of the height of the grid."""
        top, height = self.box(position)[1], self.size[0]
        return (top - GAP) / height, (top + self._cell_size()[0] + GAP) / height

    def at(self, x: float, y: float) -> tuple[int, bool]:
        """(position, whether on its check box) of the cell under a point of the grid; (-1, False) between cells."""
        height, width = self._cell_size()
        for position in self.shown:
            left, top = self.box(position)
            if left <= x < left + width and top <= y < top + height:
                box = self.cells[position].checked is not None
                return position, box and x >= left + width - CHECK and y < top + CHECK
        return -1, False

    @property
    def focused(self) -> Cell | None:
        """The `Cell` that has the focus; None if there is none."""
        return self.cells[self.focus] if 0 <= self.focus < len(self.cells) else None

    # --- gestures ---

    def set_cells(self, cells: Iterable[Cell]) -> None:
        """Show other cells; the focus stays on the same key, or else at the same place."""
        key = self.focused.key if self.focused else None
        self.cells = tuple(cells)
        keys = [cell.key for cell in self.cells]
        focus = keys.index(key) if key in keys else self.focus
        self.focus = min(max(focus, 0), len(self.cells) - 1)
        self.revision += 1

    def fit(self, width: int, height: int = 0) -> None:
        """Arrange as many columns as fit into ``width`` px, and as many rows as into ``height`` px with the pager.

        Where no ``height`` is given, or fewer than two rows fit, there are about as many cells on a page as usual.
        """
        columns = max((width - GAP) // (self.picture[1] + GAP), 1)
        rows = (height - GAP - PAGER) // (self._cell_size()[0] + GAP)
        rows = rows if rows > 1 else max(round(self._usual / columns), 1)
        if (columns, rows) != (self.columns, self.rows):
            self.columns, self.rows = columns, rows
            self.revision += 1

    def focus_on(self, key: Hashable) -> None:
        """Put the focus on the cell with this key, if it is there."""
        for position, cell in enumerate(self.cells):
            if cell.key == key:
                self.focus = position

    def move(self, count: int) -> None:
        """Move the focus by ``count`` cells, at most to the first or last."""
        if self.cells:
            self.focus = min(max(self.focus + count, 0), len(self.cells) - 1)

    def move_rows(self, count: int) -> None:
        """Move the focus by ``count`` rows, if there is one."""
        if 0 <= self.focus + count * self.columns < len(self.cells):
            self.focus += count * self.columns

    def turn(self, count: int) -> None:
        """Turn by ``count`` pages; the focus goes to the first cell of the page."""
        page = min(max(self.page + count, 0), self.pages - 1)
        if self.cells and page != self.page:
            self.focus = page * self.per_page

    def home(self) -> None:
        """Focus on the first cell."""
        self.move(-len(self.cells))

    def end(self) -> None:
        """Focus on the last cell."""
        self.move(len(self.cells))

    def _cell_size(self) -> tuple[int, int]:
        height, width = self.picture
        return height + self.lines * LINE + 2, width
