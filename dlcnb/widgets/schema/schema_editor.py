"""SchemaEditor: bodyparts, skeleton and scorer of a project, changed in all files at once, with preview and Undo."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import ipywidgets
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from dlcnb.labels import LabelError
from dlcnb.project import Project
from dlcnb.render import draw_pose, palette
from dlcnb.widgets.base.canvas import FrameCanvas, Painter, batch
from dlcnb.widgets.base.html import Html, heading, joined, markup, muted, notice, swatch
from dlcnb.widgets.base.input_guard import Input, InputGuard
from dlcnb.widgets.base.paint import Circles, Text, Thing, on_picture, outlined
from dlcnb.widgets.base.view import View, button, gesture, row, shown
from dlcnb.widgets.gallery.label_pictures import LabelPictures, close_up
from dlcnb.widgets.gallery.thumbnails import fitted
from dlcnb.widgets.schema.state import DraftPart, SchemaState

__all__ = ["SchemaEditor"]

SIZE = (360, 480)
REACH = 18  # canvas px around a point that count as on it
ROOT = "dlcnb-skeleton"
RADIUS = 6
CHOSEN = (240, 228, 66)


class SchemaEditor(View):
    """Rename, add, remove and reorder bodyparts, edit the skeleton, rename the scorer.

    Everything is a draft until Apply, which changes config.yaml, all tables and journals together, after a backup.
    Undo takes it back.

    Parameters
    ----------
    project : Project or path
    on_changed : callable, optional
        Called without arguments after the project changed: open other widgets on it again.
    """

    _painter: Painter = None  # type: ignore[assignment]  # until all is built

    def __init__(self, project: Project | str | Path, *, on_changed: Callable[[], object] | None = None) -> None:
        self.project = project if isinstance(project, Project) else Project.open(project)
        self.state = SchemaState(self.project)
        self._on_changed = on_changed
        self._first: int | None = None
        self._rows: dict[int, ipywidgets.HBox] = {}
        self._images = LabelPictures(self.project, SIZE)
        self.guard = InputGuard(surfaces=0)
        self._build()
        columns = ipywidgets.HBox([self._left, self._right])
        columns.add_class("dlcnb-row")
        columns.add_class("dlcnb-top")
        super().__init__([columns, self.plan, self._actions, self.guard])
        self._painter = Painter(self._paint, self.fail)
        self.canvas.on_client_ready(lambda *_: self.redraw())
        self.state.observe(lambda _: self.show(), ["revision", "scorer"])
        self.show()

    # --- what it is made of ---

    def _build(self) -> None:
        layout = ipywidgets.Layout
        self.parts = ipywidgets.VBox(layout=layout(overflow="visible"))
        self.new_part = ipywidgets.Text(placeholder="new bodypart", layout=layout(width="170px", margin="0"))
        self.add = button("plus", "Add this bodypart", self._on_add)
        self.scorer = ipywidgets.Text(continuous_update=False, layout=layout(width="170px", margin="0"))
        self.scorer.tooltip = "Name of the project's scorer"
        self.scorer.observe(self._on_scorer, "value")
        new = row([Html(swatch(None)), self.new_part, self.add])
        scorer = row([Html(heading("scorer")), self.scorer])
        self._left = ipywidgets.VBox([Html(heading("bodyparts")), self.parts, new, scorer])
        self._build_skeleton()
        self.plan = Html()
        self.apply_button = button(
            "check", "Change all files of the project; a backup is kept", self.apply, "Apply", "130px",
            button_style="primary",
        )  # fmt: skip
        self.reset_button = button("refresh", "Discard the draft", self.reset, "Start over", "130px")
        self.undo_button = button("undo", "Take the last change back", self.undo, "Undo", "130px")
        self.last = Html()
        self._actions = row([self.apply_button, self.reset_button, self.undo_button, self.last])

    def _build_skeleton(self) -> None:
        layout = ipywidgets.Layout
        self.canvas = FrameCanvas(SIZE)
        self.input = Input([self.canvas], ["Escape"], self._on_input, ROOT)
        self.input.sharpen(self.redraw, self.canvas)
        self.ends = [ipywidgets.Dropdown(layout=layout(width="120px", margin="0")) for _ in range(2)]
        self.join = button("link", "Join these two in the skeleton, or separate them", self._on_join, "Join", "110px")
        self.ends[0].observe(lambda _: self._tell_join(), "value")
        self.ends[1].observe(lambda _: self._tell_join(), "value")
        hint = Html(heading("skeleton", "click two points to join or to separate them"))
        box = ipywidgets.VBox([self.canvas, self.input.guard], layout=layout(width="100%"))
        box.add_class(ROOT)
        self._right = ipywidgets.VBox(
            [hint, box, row([*self.ends, self.join])],
            layout=layout(width="100%", max_width=f"{SIZE[1] + 12}px", overflow="hidden"),
        )

    def _part_row(self, part: DraftPart) -> ipywidgets.HBox:
        name = ipywidgets.Text(
            value=part.name, continuous_update=False, layout=ipywidgets.Layout(width="170px", margin="0")
        )
        name.tooltip = f"Name of this bodypart{'' if part.old is None else f'; now {part.old}'}"
        key = part.key
        name.observe(lambda change: self._on_name(key, change.new), "value")
        up = button("arrow-up", "Move up", lambda: self._do("move", key, -1))
        down = button("arrow-down", "Move down", lambda: self._do("move", key, 1))
        remove = button("trash", "Remove this bodypart and its points", lambda: self._do("remove", key))
        return row([Html(swatch(None)), name, up, down, remove])

    # --- gestures ---

    def _do(self, name: str, *arguments: Any) -> None:
        """Call a method of the state; what it raises is shown, and the fields show the draft as it is."""
        self.tell("")
        try:
            getattr(self.state, name)(*arguments)
        except Exception as error:
            self.show()
            self.fail(error)

    def _on_add(self) -> None:
        before = self.state.revision
        self._do("add", self.new_part.value)
        if self.state.revision > before:
            self.new_part.value = ""

    @shown
    def _on_scorer(self, change: Any) -> None:
        self.state.scorer = change.new.strip()

    def _on_name(self, key: int, name: str) -> None:
        if name != next((part.name for part in self.state.parts if part.key == key), None):
            self._do("rename", key, name)

    def _on_join(self) -> None:
        self._do("toggle_edge", *(end.value for end in self.ends))

    @shown
    def _on_input(self, message: dict[str, Any]) -> None:
        if message["type"] == "key":
            self._first = None
        elif message["type"] != "down" or message.get("button", 0):
            return
        else:
            self._click((message["x"], message["y"]))
        self.redraw()

    def _click(self, at: tuple[float, float]) -> None:
        apart = {key: math.dist(place, at) for key, place in self._places().items()}
        key = min(apart, key=apart.__getitem__, default=None)
        if key is None or apart[key] > REACH:
            self._first = None
        elif self._first in (None, key):
            self._first = None if self._first == key else key
        else:
            first, self._first = self._first, None
            self._do("toggle_edge", first, key)

    @gesture
    def apply(self) -> None:
        """Change the project as drafted."""
        done = self.state.apply()
        self._told(f"{done} change{'' if done == 1 else 's'} made; a backup is in the project's folder backups.")

    @gesture
    def undo(self) -> None:
        """Take the last change back."""
        self._told(f"Undone: {self.state.undo()}.")

    def _told(self, message: str) -> None:
        self.tell(f"{message} Open other widgets on this project again.")
        if self._on_changed:
            self._on_changed()

    @shown
    def reset(self) -> None:
        """Forget the draft."""
        self.tell("")
        self.state.reset()

    # --- painting ---

    def show(self) -> None:
        """Bring everything on the page up to date with the draft."""
        state = self.state
        rows = {part.key: self._rows.get(part.key) or self._part_row(part) for part in state.parts}
        if list(rows) != list(self._rows):
            self.parts.children = list(rows.values())
        self._rows = rows
        colors = palette(len(state.parts)).tolist()
        for n, (part, color) in enumerate(zip(state.parts, colors, strict=True)):
            dot, name, up, down, remove = rows[part.key].children
            dot.value, name.value = swatch(color), part.name
            up.disabled, down.disabled = n == 0, n == len(state.parts) - 1
            remove.disabled = len(state.parts) == 1
        self.scorer.value = state.scorer
        options = [(part.name, part.key) for part in state.parts]
        for n, end in enumerate(self.ends):
            if list(end.options) != options:
                before = end.value
                end.options = options
                keys = [key for _, key in options]
                end.value = before if before in keys else keys[min(n, len(keys) - 1)]
        self._tell_join()
        self._show_plan()
        self.redraw()

    def _tell_join(self) -> None:
        joined = any(set(edge) == {end.value for end in self.ends} for edge in self.state.edges)
        self.join.description, self.join.icon = ("Separate", "unlink") if joined else ("Join", "link")
        self.join.disabled = self.ends[0].value == self.ends[1].value

    def _show_plan(self) -> None:
        try:
            lines, problem = self.state.preview(), ""
        except ValueError as error:
            lines, problem = [], str(error)
        items = joined(markup("<li>{}</li>", line) for line in lines)
        text = markup("<b>what will change</b><ul>{}</ul>", items) if lines else muted("nothing to change")
        caution = notice(self.state.caution()) if lines else markup("")
        self.plan.value = notice(problem, "error") or joined([text, caution])
        self.apply_button.disabled = not lines
        self.reset_button.disabled = not lines and not problem
        last = self.state.last_change()
        self.undo_button.disabled = not last
        self.last.value = muted(f"last change: {last}") if last else ""

    def redraw(self) -> None:
        """Paint the skeleton again, soon, on the painter's thread."""
        if self._painter is not None:
            self._painter.request()

    def _places(self) -> dict[int, tuple[float, float]]:
        """Canvas places {key: (x, y)}; bodyparts that the picture does not have stand in a row at the bottom."""
        image, points = self.state.example()
        x1, _, y1, _, zoom, left, top = self._fit(image, points)
        places = {key: (left + (x - x1 + 0.5) * zoom, top + (y - y1 + 0.5) * zoom) for key, (x, y) in points.items()}
        away = [part.key for part in self.state.parts if part.key not in places]
        for n, key in enumerate(away):
            places[key] = ((n + 1) * SIZE[1] / (len(away) + 1), SIZE[0] - 26)
        return places

    def _fit(
        self, image: str | None, points: dict[int, tuple[float, float]]
    ) -> tuple[int, int, int, int, float, float, float]:
        """The part of the image that is shown, and how: x1, x2, y1, y2, zoom, left, top."""
        height, width = SIZE if image is None else self._whole(image).shape[:2]
        x1, x2, y1, y2 = close_up(list(points.values()) or np.empty((0, 2)), (height, width), SIZE[1] / SIZE[0])
        zoom = min(SIZE[0] / (y2 - y1), SIZE[1] / (x2 - x1))
        return x1, x2, y1, y2, zoom, (SIZE[1] - (x2 - x1) * zoom) / 2, (SIZE[0] - (y2 - y1) * zoom) / 2

    def _whole(self, image: str) -> NDArray[np.uint8]:
        if getattr(self, "_read", (None,))[0] != image:
            try:
                self._read = image, self._images.read(image)
            except LabelError:
                self._read = image, np.full((*SIZE, 3), 64, np.uint8)
        return self._read[1]

    def _picture(self) -> NDArray[np.uint8]:
        """The frame with points and skeleton of the draft, uint8 (height, width, 3)."""
        (image, found), places = self.state.example(), self._places()
        if image is None:
            ground = np.full((*SIZE, 3), (31, 41, 51), np.uint8)
        else:
            x1, x2, y1, y2 = self._fit(image, found)[:4]
            ground = fitted(self._whole(image)[y1:y2, x1:x2], SIZE)
        where = {part.key: k for k, part in enumerate(self.state.parts)}
        points = np.array([places[key] for key in where]) - 0.5
        edges = np.array([[where[a], where[b]] for a, b in self.state.edges], int).reshape(-1, 2)
        return draw_pose(ground, points, skeleton=edges, radius=RADIUS)

    def _things(self) -> list[Thing]:
        """What lies over the picture: a ring around the bodypart that an edge begins at, and the names."""
        places = self._places()
        things: list[Thing] = []
        if self._first is not None and self._first in places:
            things += outlined(Circles([places[self._first]], RADIUS + 5.0, CHOSEN, width=2.0), margin=1.5)
        for part in self.state.parts:
            x, y = places[part.key]
            left = x > SIZE[1] - 90  # there is no room on the right
            place = (x - 12, y) if left else (x + 12, y)
            things.append(Text(part.name, place, outline=1.5, align="right" if left else "left"))
        return things

    def _paint(self) -> None:
        picture, things = self._picture(), self._things()
        self.input.ready()
        with batch(self.canvas):
            self.canvas.draw_frame(picture)
            self.canvas.paint(1, things)
        self.input.sent()

    def wait(self, timeout: float = 10.0) -> bool:
        """Block until what was asked for is painted; False after ``timeout`` seconds."""
        return self._painter.wait(timeout)

    def snapshot(self) -> Image.Image:
        """The labeled frame with the draft's skeleton, as a `PIL.Image.Image`."""
        return on_picture(Image.fromarray(self._picture()), self._things())

    def close(self) -> None:
        """Take the widget off the page; the draft is forgotten."""
        if self._painter is not None:
            self._painter.close()
            self.canvas.close()
        super().close()
