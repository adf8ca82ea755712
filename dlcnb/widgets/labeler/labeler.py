"""Labeler: place bodyparts on frames by mouse, touch and keys; every edit is on disk before it is shown as made."""

from __future__ import annotations

import logging
import sys
import threading

import ipywidgets
import numpy as np

from dlcnb.labels import LabelError
from dlcnb.render import palette
from dlcnb.widgets.base.canvas import Painter, batch
from dlcnb.widgets.base.frame_images import FrameImages
from dlcnb.widgets.base.html import Html, markup, muted
from dlcnb.widgets.base.input_guard import Input
from dlcnb.widgets.base.view import View, shown
from dlcnb.widgets.base.zoom import canvas_size
from dlcnb.widgets.labeler.bar import FrameBar, progress_html
from dlcnb.widgets.labeler.bodypart_list import BodypartList
from dlcnb.widgets.labeler.draw import LabelCanvas, look, picture, scene
from dlcnb.widgets.labeler.keeper import Keeper
from dlcnb.widgets.labeler.keys import ACTIONS, KEYS
from dlcnb.widgets.labeler.parts import ConflictBox, Controls, saved_html
from dlcnb.widgets.labeler.state import LabelSession
from dlcnb.widgets.labeler.suggest import Suggester
from dlcnb.widgets.labeler.view import LabelView, Pointer

__all__ = ["Labeler"]

log = logging.getLogger(__name__)

PAN = 0.25  # of the canvas, for one press of a button
TONES = ["brightness", "contrast", "gamma"]
SHOWN = ["loupe", "ghost", "skeleton", "names", "labels", "revision"]


class Labeler(View):
    """Labeling of extracted frames.

    Parameters
    ----------
    project : Project or path
    videos : list of paths or names, optional
        Whose frames to label; by default all that have extracted frames.
    scorer : str, optional
        Who labels; by default the project's scorer.
    width : int, optional
        Width of the picture in px.
    suggestions : optional
        ``(snapshot, {image: (K, 3) of x, y, likelihood})`` to offer at once; a snapshot ("best", "last" or a step) of
        the project's last training run lets a worker predict them. By default what the network said of extracted
        outlier frames is offered.

    Raises
    ------
    LabelError
        If there is no frame to label, or a table is damaged.
    """

    _painter = _keeper = None
    _failed = False  # the tables could not be written, and the user was told so

    def __init__(self, project, videos=None, *, scorer=None, width=None, suggestions=None):
        self.session = LabelSession(project, videos, scorer)
        self.project, self.images = self.session.project, FrameImages(self.session.project)
        size = self._first_size()
        self.view = LabelView(size, canvas_size(size, width, 640, 840))
        self.pointer = Pointer(self.session, self.view)
        self.colors = palette(len(self.session.bodyparts))
        self._edges = np.asarray(self.project.skeleton.index_edges, int).reshape(-1, 2)
        self._drawn = self._loupe_drawn = self._bar_drawn = self._told = None
        self._quiet = None  # the thread that brings the fields up to date, whose changes are no gestures
        self._build()
        super().__init__([self.conflict_box, self._header, self._columns, self.help, self.input.guard])
        self.add_class("dlcnb-labeler")
        self._painter = Painter(self._paint, self.fail)
        self._keeper = Keeper(self.session.save, self._look_around, self.fail)
        self._connect()
        self._keeper.touch()
        self._offer(suggestions)
        self._on_edit(None)  # a kernel that was killed leaves edits that no table has yet

    @shown
    def _offer(self, suggestions):
        if isinstance(suggestions, tuple):
            self.session.set_suggestions(*suggestions)
        elif suggestions is not None:
            self.suggester.start(suggestions)
        else:
            self.session.offer_machine_labels()

    def _first_size(self):
        try:
            return self.images.read(self.session.cursor.image).shape[:2]
        except LabelError:
            return 480, 640

    # --- what it is made of ---

    def _build(self):
        session = self.session
        height, width = self.view.canvas_size
        self.canvas, self.bar = LabelCanvas((height, width)), FrameBar(width)
        self.bar.add_class("dlcnb-framebar")
        self.input = Input([self.canvas, self.bar], list(KEYS), self._on_input)
        self.input.guard.hover = True
        self.controls = Controls(session, self.view, self._on_button)
        self.suggester = Suggester(session, self.fail)
        self.list = BodypartList(session.bodyparts, self.colors, self._choose)
        self.progress = Html()
        self.conflict_box = ConflictBox(self._resolve, self._show_part)
        self.help = self.controls.help()
        self._header = self.controls.header()
        parts = {
            "picture": [self.canvas, self.bar],
            "side": [self.list, self.progress],
            "buttons": self.controls.rows(self.suggester),
            "tones": [self.controls.tones()],
        }
        boxes = [ipywidgets.VBox(children) for children in parts.values()]
        for name, box in zip(parts, boxes, strict=True):
            box.add_class(f"dlcnb-{name}")
        self._columns = ipywidgets.Box(
            boxes, layout=ipywidgets.Layout(grid_template_columns=f"minmax(0, {max(width, 560)}px) 200px")
        )
        self._columns.add_class("dlcnb-columns")

    def _connect(self):
        session, view, controls = self.session, self.view, self.controls
        for canvas in (self.canvas, self.bar):
            canvas.on_client_ready(self._on_client)
        session.cursor.observe(self._on_image, "image")
        session.cursor.observe(lambda _: self.redraw(), "bodypart")
        session.observe(self._on_edit, "revision")
        session.observe(lambda _: self.redraw(), "mode")
        session.observe(lambda change: self.tell(change.new), "message")
        session.observe(self._on_saved, "saved")
        view.observe(lambda _: self.redraw(), [*SHOWN, *TONES])
        view.observe(self._on_loupe, "loupe")
        controls.video.observe(self._on_video, "value")
        controls.number.observe(self._on_number, "value")
        controls.mode.observe(lambda _: self._keeper.touch(), "value")

    # --- gestures ---

    @shown
    def _on_input(self, message):
        self._keeper.touch()
        kind = message["type"]
        if kind == "key":
            self._act(KEYS[message["key"]])
        elif message.get("surface") == 1:
            self._on_bar(message)
        else:
            if kind == "up":
                self.tell("")
            with self.session.lock:
                self.pointer.on(message)

    def _on_button(self, name):
        direction = name.removeprefix("nudge ")
        self._act(self.controls.nudge_name(direction) if direction != name else name)

    @shown
    def _act(self, name):
        self._keeper.touch()
        self.tell("")
        action = ACTIONS[name]
        owner = {"session": self.session, "view": self.view, "labeler": self}[action.owner]
        with self.session.lock:
            getattr(owner, action.method)(*action.arguments)

    def _on_bar(self, message):
        pressed = message["type"] == "down" or (message["type"] == "move" and message.get("buttons"))
        if pressed:
            count = len(self.session.by_video[self.session.video])
            with self.session.lock:
                self.session.go_to_number(self.bar.row_at(message["x"], count))

    @shown
    def _choose(self, index):
        with self.session.lock:
            self.session.choose(index)

    @shown
    def _show_part(self, image, bodypart):
        with self.session.lock:
            self.session.go_to(image)
            self.session.choose(bodypart)

    @shown
    def _resolve(self, conflict, keep):
        self.session.resolve(conflict, keep)

    @shown
    def _on_video(self, change):
        if self._quiet != threading.get_ident() and change.new != self.session.video:
            with self.session.lock:
                self.session.open_video(change.new)

    @shown
    def _on_number(self, change):
        if self._quiet != threading.get_ident() and change.new != self.session.row + 1:
            with self.session.lock:
                self.session.go_to_number(change.new - 1)

    def _on_image(self, _):
        self.pointer.cancel()
        if self.session.saved == "unsaved":
            self._keeper.save_soon(0.3)
        self.redraw()

    def _on_edit(self, _):
        if self.session.saved == "unsaved":
            self._keeper.save_soon()
        self.redraw()

    def _on_saved(self, change):
        self.controls.saved.value = saved_html(change.new)
        self._failed = self._failed or change.new == "failed"
        if change.new == "saved" and self._failed:
            self._failed = False
            self.tell("")

    def _on_loupe(self, change):
        self.input.guard.hover = change.new

    def _on_client(self, *_):
        self._drawn = self._bar_drawn = None
        self._loupe_drawn = ()
        self.redraw()

    # --- what keys and buttons call ---

    def go_to(self, image):
        """Open a frame, by its name in the project or its path."""
        with self.session.lock:
            self.session.go_to(image)

    @shown
    def rescan(self):
        """See labels that were changed and frames that were extracted elsewhere; done by itself while one labels."""
        self._look_around()
        self.redraw()

    def _look_around(self):
        new = self.session.add_images()
        if new:
            self.tell(f"{new} frames were extracted since; they are at their places among the others.")
        self.session.refresh()

    def nudge(self, dx, dy):
        """Move the current point by pixels and look at it through the loupe."""
        self.session.nudge(dx, dy)
        point = self.session.points()[self.session.part]
        if np.isfinite(point).all():
            self.view.set_pointer(tuple(map(float, self.view.fit.to_canvas(point))))

    def pan(self, dx, dy):
        """Move the picture by a quarter of the canvas."""
        height, width = self.view.canvas_size
        self.view.pan(dx * PAN * width, dy * PAN * height)

    def save(self):
        """Write the tables soon, on the keeper's thread."""
        self._keeper.save_soon(0)

    def toggle_help(self):
        """Show or hide the list of keys."""
        self.help.layout.display = None if self.help.layout.display == "none" else "none"

    def escape(self):
        """Give up what is being dragged; else close the list of keys."""
        if not self.pointer.cancel():
            self.help.layout.display = "none"

    # --- painting ---

    def redraw(self):
        """Paint again, soon, on the painter's thread."""
        if self._painter is not None:
            self._painter.request()

    def _paint(self):
        session, view = self.session, self.view
        name = session.cursor.image
        image, problem = self._image(name)
        seen = scene(session, view, self._edges)
        frame = (name, view.fit, view.brightness, view.contrast, view.gamma, problem)
        shown = look(image, view) if frame != self._drawn else None
        loupe = seen.loupe and (seen.loupe, seen.loupe_left, frame)
        states = session.store(name).states
        self.input.ready(0 if shown is not None else 1)  # points need not wait for the loupe to arrive
        with batch(self.canvas):
            if shown is not None:
                self.canvas.draw_frame(shown)
            self.canvas.draw_labels(seen, self.colors)
            if problem:
                self.canvas.draw_problem("this image can't be read")
            if loupe != self._loupe_drawn:
                self.canvas.draw_loupe(seen, image, view)
            self._draw_bar(states, name)
        self._drawn, self._loupe_drawn = frame, loupe
        self.input.sent()
        self._tell_frame(name, problem)

    def _image(self, name):
        """(pixels, what is wrong with the file or '')."""
        try:
            image, problem = self.images.read(name), ""
            self.view.set_image_size(image.shape[:2])
            self.session.image_size = image.shape[:2]
        except LabelError as error:
            image, problem = np.full((*self.view.image_size, 3), 64, np.uint8), str(error)
        return image, problem

    def _draw_bar(self, states, name):
        row = self.session.row
        if (states, name) == self._bar_drawn:
            return
        if self._bar_drawn is None or states != self._bar_drawn[0]:
            self.bar.draw_states(states)
        self.bar.draw_place(row, len(states))
        self._bar_drawn = states, name

    def _tell_frame(self, name, problem):
        """Bring list, numbers and progress up to date, after the picture."""
        session = self.session
        self.list.show(self._part_states(), session.part)
        told = (name, len(session.images), session.revision)
        if told == self._told:
            return
        if self._told is None or told[:2] != self._told[:2]:
            self._tell_place(name)
            self._prepare()
            self.tell(problem, "error") if problem else None
        self.progress.value = progress_html(session)
        self.conflict_box.show(session.conflicts)
        self._told = told

    def _part_states(self):
        offered = np.isfinite(self.session.suggested()[0]).all(axis=1)
        states = [mark.state for mark in self.session.marks()]
        return ["suggested" if new and state == "open" else state for state, new in zip(states, offered, strict=True)]

    def _tell_place(self, name):
        session, controls = self.session, self.controls
        count = len(session.by_video[session.video])
        self._quiet = threading.get_ident()
        try:
            if len(controls.video.options) != len(session.stores):
                controls.video.options = list(session.stores)
            controls.video.value = session.video
            controls.number.max = count
            controls.number.value = session.row + 1
            controls.of.value = markup("of {} {} {}", count, muted("·"), name.rsplit("/", 1)[-1])
        finally:
            self._quiet = None

    def _prepare(self):
        """Read the frames next to this one ahead of time."""
        images = self.session.by_video[self.session.video]
        row = self.session.row
        self.images.prepare(images[max(row - 1, 0) : row] + images[row + 1 : row + 3])

    # --- without a browser ---

    def wait(self, timeout=10.0):
        """Block until what was asked for is painted and saved; False after ``timeout`` seconds."""
        return self._painter.wait(timeout) and self._keeper.wait(timeout)

    def _save_now(self):
        try:
            self.session.save()
        except (OSError, LabelError) as error:
            log.warning("the tables could not be saved, the journal has all edits: %s", error)

    def snapshot(self):
        """The frame with its labels as a `PIL.Image.Image`."""
        image, _ = self._image(self.session.cursor.image)
        return picture(image, self.view, scene(self.session, self.view, self._edges), self.colors)

    def close(self):
        """Save, and take the widget off the page."""
        if self._keeper is not None:
            self._keeper.close()
            self._painter.close()
            self.images.close()
            self.suggester.close()
            if not sys.is_finalizing():  # when Python ends nothing can be imported any more; the journal has all edits
                self._save_now()
        super().close()
