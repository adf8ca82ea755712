"""Labeler: place bodyparts on frames by mouse, touch and keys; every edit is on disk before it is shown as made."""

from __future__ import annotations

import logging
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from dlcnb.labels import LabelError
from dlcnb.render import palette
from dlcnb.widgets.base.canvas import Painter
from dlcnb.widgets.base.frame_images import FrameImages
from dlcnb.widgets.base.html import Html, markup, muted
from dlcnb.widgets.base.quiet import Quiet
from dlcnb.widgets.base.view import View, shown
from dlcnb.widgets.base.zoom import canvas_size
from dlcnb.widgets.labeler.bar import progress_html
from dlcnb.widgets.labeler.bodypart_list import BodypartList
from dlcnb.widgets.labeler.context import Context
from dlcnb.widgets.labeler.crosshair import Crosshair
from dlcnb.widgets.labeler.follower import Follower
from dlcnb.widgets.labeler.keeper import Keeper
from dlcnb.widgets.labeler.keys import ACTIONS, HELD, KEYS, REPEATING
from dlcnb.widgets.labeler.parts import ConflictBox, Controls, beside, marks_html, saved_html
from dlcnb.widgets.labeler.screen import Screen
from dlcnb.widgets.labeler.state import LabelSession
from dlcnb.widgets.labeler.suggest import Suggester
from dlcnb.widgets.labeler.view import LabelView, Message, Pointer

if TYPE_CHECKING:
    from PIL import Image

    from dlcnb.labels import Conflict
    from dlcnb.project import Project

__all__ = ["Labeler"]

log = logging.getLogger(__name__)

PAN = 0.25  # of the canvas, for one press of a button
GESTURES = frozenset(("down", "move", "up", "cancel", "leave", "wheel", "pinch"))
DIGITS = "123456789"
UNKNOWN = (480, 640)  # px: height and width of the grey picture in place of a first frame that can't be read
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

    _painter: Painter
    _keeper: Keeper
    _ready = False  # to be painted, and to be closed
    _failed = False  # the tables could not be written, and the user was told so

    def __init__(
        self,
        project: Project | str | Path,
        videos: str | Path | list[str | Path] | None = None,
        *,
        scorer: str | None = None,
        width: int | None = None,
        suggestions: Any = None,
    ) -> None:
        self.session = LabelSession(project, videos, scorer)
        self.project, self.images = self.session.project, FrameImages(self.session.project)
        size = self.session.image_size = self.images.size(self.session.cursor.image)
        self.view = LabelView(size or UNKNOWN, canvas_size(size or UNKNOWN, width, 640, 840))
        self.pointer, self.crosshair = Pointer(self.session, self.view), Crosshair(self.session, self.view)
        self.colors = palette(len(self.session.bodyparts))
        self._told: tuple[Any, ...] | None = None
        self._quiet = Quiet()
        self._build()
        super().__init__([self.conflict_box, self._header, self._columns, self._actions, self.input.guard])
        self.add_class("dlcnb-labeler")
        self._painter = Painter(self._paint, self.fail)
        self._keeper = Keeper(self.session.save, self._look_around, self.fail)
        self._ready = True
        self._connect()
        self._keeper.touch()
        self._offer(suggestions)
        self._on_edit(None)  # a kernel that was killed leaves edits that no table has yet

    @shown
    def _offer(self, suggestions: Any) -> None:
        self.session.find_outliers()
        if isinstance(suggestions, tuple):
            self.session.set_suggestions(*suggestions)
        elif suggestions is not None:
            self.suggester.start(suggestions)
        else:
            self.session.offer_machine_labels()
        counts = self.session.counts()
        if not (counts["done"] or counts["in work"] or self.session.suggestions or self.said):
            first = " and then on ".join(self.session.bodyparts[:2])
            self.session.note(f"Click on {first} in the picture, or press C to label by keys; Done → next goes on.")

    # --- what it is made of ---

    def _build(self) -> None:
        session = self.session
        self.screen = Screen(session, self.view, self.images, self.colors, self.redraw)
        self.canvas, self.bar = self.screen.canvas, self.screen.bar
        self.input = self.screen.listen([*KEYS, *Crosshair.keys, *DIGITS], HELD, self._on_input)
        self.input.guard.repeating = list(REPEATING)
        self.context = self.screen.context = Context(session, self.redraw, self.fail)
        self.screen.pointer = self.pointer
        self.suggester = Suggester(session, self.fail)
        self.follower = Follower(session, self.fail, lambda busy: self.controls.show_following(busy))
        self.controls = Controls(session, self.view, self._on_button, self.suggester)
        self.list = BodypartList(session.bodyparts, self.colors, self._choose)
        self.marks, self.progress = Html(), Html()
        self.conflict_box = ConflictBox(self._resolve, self._show_part)
        self.help = self.controls.help()
        self._header, self._actions = self.controls.header(), self.controls.bar()
        side = [self.list, self.suggester.text, self.marks, self.progress]
        self._columns = beside(self.screen, self.controls.menus, side, self.help)

    def _connect(self) -> None:
        session, view, controls = self.session, self.view, self.controls
        session.cursor.observe(self._on_image, "image")
        session.cursor.observe(lambda _: self.crosshair.follow(), "bodypart")
        session.cursor.observe(lambda _: self.redraw(), "bodypart")
        session.observe(self._on_edit, "revision")
        session.observe(lambda _: self.redraw(), "mode")
        session.observe(lambda change: self.tell(change.new), "message")
        session.observe(lambda change: controls.show_asking(change.new), "asking")
        session.observe(lambda change: controls.show_named(change.new), "named")
        session.observe(self._on_saved, "saved")
        view.observe(lambda _: self.redraw(), [*SHOWN, *TONES])
        controls.video.observe(self._quiet.ignored(self._on_video), "value")
        controls.number.observe(self._quiet.ignored(self._on_number), "value")
        controls.mode.observe(lambda _: self._keeper.touch(), "value")

    # --- gestures ---

    @shown
    def _on_input(self, message: Message) -> None:
        self._keeper.touch()
        kind = message["type"]
        with self._painter.hold():
            if kind == "key":
                self._on_key(message["key"])
            elif kind == "release":
                self.context.stop()
            elif kind == "dismiss":
                self.controls.close_menus()
            elif kind == "down" and self.controls.close_menus():
                self.pointer.give_up()  # a press that closes a menu does nothing else
            elif message.get("surface") == 1:
                self._on_bar(message)
            elif kind in GESTURES and not (self.context.playing and kind in ("down", "up")):
                if kind == "up":
                    self.tell("")
                getattr(self.pointer, kind)(message)

    def _on_key(self, key: str) -> None:
        if self.crosshair.shown and key in Crosshair.keys:
            self.crosshair.on_key(key)
        elif key in DIGITS:
            if int(key) <= len(self.session.bodyparts):
                self._choose(int(key) - 1)
        elif key in HELD:
            self.tell("")
            self.context.start(None if self.input.guard.attached else 1)
        elif key in KEYS:
            self._act(KEYS[key])

    def _on_button(self, name: str) -> None:
        direction = name.removeprefix("nudge ")
        self._act(self.controls.nudge_name(direction) if direction != name else name)

    @shown
    def _act(self, name: str) -> None:
        self._keeper.touch()
        self.tell("")
        action = ACTIONS[name]
        owner = self if action.owner == "labeler" else getattr(self, action.owner)
        getattr(owner, action.method)(*action.arguments)
        self.crosshair.say_how()

    def _on_bar(self, message: Message) -> None:
        if message["type"] == "down" or (message["type"] == "move" and message.get("buttons")):
            count = len(self.session.by_video[self.session.video])
            self.session.go_to_number(self.bar.row_at(message["x"], count))

    @shown
    def _choose(self, index: int) -> None:
        self.session.choose(index, by_hand=True)
        self.redraw()  # what a click places may change with the same bodypart

    @shown
    def _show_part(self, image: str, bodypart: str) -> None:
        self.go_to(image, bodypart)

    @shown
    def _resolve(self, conflict: Conflict, keep: str) -> None:
        self.session.resolve(conflict, keep)

    @shown
    def _on_video(self, change: Any) -> None:
        if change.new != self.session.video:
            self.session.open_video(change.new)

    @shown
    def _on_number(self, change: Any) -> None:
        if change.new != self.session.row + 1:
            self.session.go_to_number(change.new - 1)

    def _on_image(self, change: Any) -> None:
        self.pointer.give_up()
        self.crosshair.look_back()
        self.screen.measure(change.new)
        self._look_at_animal()
        self.crosshair.aim()
        self.follower.left(change.old)
        if self.session.saved == "unsaved":
            self._keeper.save_soon(0.3)
        self.redraw()

    def _look_at_animal(self) -> None:
        """Zoomed in, look where the animal is known to be, or everywhere if that is not known.

        Where a click opens the next frame, the place of the bodypart alone matters.
        """
        session, points = self.session, self.session.known_points()
        if session.mode != "sequential":
            self.view.bring_in(points[[session.part]])
        elif np.isfinite(points).any():
            self.view.bring_in(points)
        elif self.view.zoomed:
            self.view.reset_view()

    def _on_edit(self, _: Any) -> None:
        if self.session.saved == "unsaved":
            self._keeper.save_soon()
        self.crosshair.aim_again()
        self.redraw()

    def _on_saved(self, change: Any) -> None:
        self.controls.saved.value = saved_html(change.new)
        self._failed = self._failed or change.new == "failed"
        if change.new == "saved" and self._failed:
            self._failed = False
            self.tell("")

    # --- what keys and buttons call ---

    def go_to(self, image: str | Path, bodypart: str = "", why: str = "") -> None:
        """Open a frame, by its name in the project or its path, at a bodypart, and say why."""
        self.session.go_to(image)
        self.session.choose(bodypart or self.session.cursor.bodypart)
        self.session.note(why)

    def focus(self) -> None:
        """Give the labeler the keys, on every page that shows it."""
        self.input.guard.send({"type": "focus"})

    def full_screen(self) -> None:
        """Fill the screen of the page that has the focus with the labeler, or end that."""
        self.input.guard.send({"type": "fullscreen"})

    @shown
    def refresh(self) -> None:
        """See labels that were changed and frames that were extracted elsewhere; done by itself while one labels."""
        self._look_around()
        self.redraw()

    def _look_around(self) -> None:
        if new := self.session.add_images():
            were = "1 frame was" if new == 1 else f"{new} frames were"
            self.tell(f"{were} extracted meanwhile and can be labeled now.")
        before = self.session.taken
        self.session.refresh()
        if self.session.taken != before and not self.said:
            self.tell("Labels that were changed elsewhere (in another tab, by another program or person) are shown.")

    def nudge(self, dx: float, dy: float) -> None:
        """Move the current point by pixels and look at it through the loupe."""
        self.session.nudge(dx, dy)
        x, y = self.view.fit.to_canvas(self.session.points()[self.session.part]).tolist()
        if np.isfinite(x):
            self.view.set_pointer((x, y))

    def pan(self, dx: float, dy: float) -> None:
        """Move the picture by a quarter of the canvas."""
        height, width = self.view.canvas_size
        self.view.pan(dx * PAN * width, dy * PAN * height)

    def save(self) -> None:
        """Write the tables soon, on the keeper's thread."""
        self._keeper.save_soon(0)

    def toggle_help(self) -> None:
        """Show or hide the list of keys."""
        self.help.layout.display = None if self.help.layout.display == "none" else "none"

    def escape(self) -> None:
        """Give up what is being dragged; else close the list of keys, or a menu, or put the crosshair away."""
        if self.pointer.give_up():
            return
        if self.help.layout.display != "none":
            self.help.layout.display = "none"
        elif not self.controls.close_menus():
            if not self.crosshair.shown:
                self.input.guard.send({"type": "blur"})  # nothing was open: the page has its keys again
            self.crosshair.put_away()

    # --- painting ---

    def redraw(self, after: float = 0.0) -> None:
        """Paint again, soon or after so many seconds, on the painter's thread."""
        if self._ready:
            self._painter.request(after)

    def _paint(self) -> None:
        self._tell_frame(*self.screen.paint(self.input))
        self.marks.value = marks_html(self.screen.marks)
        self.marks.layout.display = None if self.marks.value else "none"

    def _tell_frame(self, name: str, problem: str) -> None:
        """Bring list, numbers and progress up to date, after the picture."""
        session = self.session
        self.list.show(self._part_states(), session.part)
        told = (name, len(session.images), session.revision)
        if told == self._told:
            return
        if self._told is None or told[:2] != self._told[:2]:
            self._tell_place(name)
            if problem:
                self.tell(problem, "error")
        self.progress.value = progress_html(session)
        self.conflict_box.show(session.conflicts)
        self._told = told

    def _part_states(self) -> list[str]:
        hollow = np.isfinite(self.session.suggested()[0]).all(axis=1)
        states = [value.state for value in self.session.values()]
        return ["suggested" if new and state == "open" else state for state, new in zip(states, hollow, strict=True)]

    def _tell_place(self, name: str) -> None:
        session, controls, quiet = self.session, self.controls, self._quiet
        count = len(session.by_video[session.video])
        if len(controls.video.options) != len(session.stores):
            quiet.set(controls.video, options=list(session.stores))
        controls.video.layout.display = "none" if len(session.stores) == 1 else None
        quiet.set(controls.video, value=session.video)
        quiet.set(controls.number, max=count, value=session.row + 1)
        controls.of.value = markup("of {}{}", count, muted(f" · {name.rsplit('/', 1)[-1]}", "dlcnb-image"))

    # --- without a browser ---

    def wait(self, timeout: float = 10.0) -> bool:
        """Block until what was asked for is painted and saved; False after ``timeout`` seconds."""
        return self._painter.wait(timeout) and self._keeper.wait(timeout)

    def snapshot(self) -> Image.Image:
        """The frame with its labels as a `PIL.Image.Image`."""
        return self.screen.snapshot()

    def close(self) -> None:
        """Save, and take the widget off the page."""
        if self._ready:
            self._keeper.close()
            self._painter.close()
            self.images.close()
            self.suggester.close()
            self.follower.close()
            self.context.close()
            if not sys.is_finalizing():  # when Python ends nothing can be imported any more; the journal has all edits
                try:
                    self.session.save()
                except (OSError, LabelError) as error:
                    log.warning("the tables could not be saved, the journal has all edits: %s", error)
        super().close()
