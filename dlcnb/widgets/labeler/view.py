"""How the labeler shows a frame, as state: zoom, contrast, what is drawn, and what the pointer is doing."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray
from traitlets import Bool, Float, HasTraits, Int, TraitError, validate

from dlcnb.geometry import nearest_in
from dlcnb.widgets.base.zoom import Zoomable
from dlcnb.widgets.labeler.history import Point

if TYPE_CHECKING:
    from dlcnb.geometry import CanvasFit
    from dlcnb.widgets.labeler.state import LabelSession

__all__ = ["REACH", "Field", "LabelView", "Look", "Message", "Pointer"]

Message = dict[str, Any]  # see `InputGuard`
Field: TypeAlias = tuple[float, float, float, float]  # left, top, right, bottom; px of the image

REACH = 9.0  # canvas px from a point within which it is taken
RING = 6.0  # and within which a hollow one is hit
TOUCHING = 3.0  # canvas px by which one point may be nearer than another that lies on it
CLICK = 4.0  # canvas px of movement up to which a press is still a click
NUDGE = 1.5  # and up to which it is one on a point: a suggestion is corrected by little
WHEEL_ZOOM = 1.0015  # per CSS pixel of wheel travel


@dataclass(frozen=True)
class Look:
    """How an image is seen: where on a canvas of (height, width), in which tones, and how fine."""

    fit: CanvasFit
    size: tuple[int, int]
    brightness: float
    contrast: float
    gamma: float
    ratio: float

    def tones(self) -> NDArray[np.uint8] | None:
        """What each grey value is shown as, uint8 (256,); None if as it is."""
        if (self.brightness, self.contrast, self.gamma) == (0, 1, 1):
            return None
        value = (np.arange(256) / 255) ** (1 / self.gamma)
        value = (value - 0.5) * self.contrast + 0.5 + self.brightness
        return np.rint(np.clip(value, 0, 1) * 255).astype(np.uint8)


class LabelView(Zoomable, HasTraits):
    """What is shown and how; nothing here is ever stored.

    Parameters
    ----------
    image_size, canvas_size : (height, width)

    Attributes
    ----------
    pointer : (x, y) on the canvas where the mouse is, None if it is elsewhere.
    crosshair : (x, y) in the image that the arrow keys move and Enter places at, None if it is not used.
    field : what is divided into numbered fields for the crosshair, None while there are none.
    held : (index of a bodypart, (x, y) in the image) while a point is dragged, else None.
    """

    brightness = Float(0.0, help="Added to the picture; -1 is black, 1 is white.")
    contrast = Float(1.0, help="Factor about the middle grey, 0.2 to 5.")
    gamma = Float(1.0, help="Above 1 brightens the dark, 0.2 to 5.")
    loupe = Bool(True, help="Magnify what is under the pointer.")
    ghost = Bool(True, help="Show the points of the previous labeled frame.")
    skeleton = Bool(True)
    names = Bool(False, help="Write each bodypart's name beside its point.")
    labels = Bool(True, help="Show points at all.")
    revision = Int(0, help="Counts the changes of zoom, pointer, crosshair and drag.")

    def __init__(self, image_size: tuple[int, int], canvas_size: tuple[int, int]) -> None:
        super().__init__()
        self.pointer: Point | None = None
        self.crosshair: Point | None = None
        self.field: Field | None = None
        self.held: tuple[int, Point] | None = None
        self._set_sizes(image_size, canvas_size)

    @validate("brightness")
    def _valid_brightness(self, proposal: Any) -> float:
        return _within("brightness", proposal.value, -1, 1)

    @validate("contrast", "gamma")
    def _valid_factor(self, proposal: Any) -> float:
        return _within(proposal.trait.name, proposal.value, 0.2, 5)

    def set_image_size(self, size: tuple[int, int]) -> None:
        """Show images of another size; the zoom is kept while it stays the same."""
        if tuple(size) != self.image_size:
            self._set_sizes(size, self.canvas_size)
            self.set_crosshair(self.crosshair, self.field and self.seen)
            self.revision += 1

    def look(self, ratio: float = 1.0) -> Look:
        """How an image of ``image_size`` is seen now, with so many device pixels for each px of the canvas."""
        return Look(self.fit, self.canvas_size, self.brightness, self.contrast, self.gamma, ratio)

    def toggle(self, name: str) -> None:
        """Switch ``loupe``, ``ghost``, ``skeleton``, ``names`` or ``labels`` on or off."""
        setattr(self, name, not getattr(self, name))

    def set_pointer(self, place: Point | None) -> None:
        """Note where the mouse is."""
        if place != self.pointer:
            self.pointer = place
            self.revision += 1

    def set_crosshair(self, point: Point | None, field: Field | None = None) -> None:
        """Show the crosshair at (x, y), or the nearest point of the image, with a field in nine parts (None: without);
        a ``point`` of None hides it.
        """
        if point is not None:
            point = nearest_in(point, self.image_size)
        if (point, field) != (self.crosshair, self.field):
            self.crosshair, self.field = point, field
            self.revision += 1

    @property
    def seen(self) -> Field:
        """What of the image is seen."""
        (height, width), (tall, wide) = self.canvas_size, self.image_size
        (left, top), (right, bottom) = self.image_point((0, 0)), self.image_point((width, height))
        return max(left, -0.5), max(top, -0.5), min(right, wide - 0.5), min(bottom, tall - 0.5)

    def sees(self, point: Point) -> bool:
        """Whether (x, y) of the image is seen, to one canvas px."""
        x, y = self.fit.to_canvas(point).tolist()
        height, width = self.canvas_size
        return bool(-1 <= x <= width + 1 and -1 <= y <= height + 1)

    def _set_fit(self, fit: CanvasFit) -> None:
        super()._set_fit(fit)
        if self.field is not None:  # numbers that are out of sight can't be read
            (left, top, right, bottom), seen = self.field, self.seen
            cut = max(left, seen[0]), max(top, seen[1]), min(right, seen[2]), min(bottom, seen[3])
            self.field = cut if cut[0] < cut[2] and cut[1] < cut[3] else seen

    def image_point(self, place: Point) -> Point:
        """The point of the image, (x, y) px, that lies at a place on the canvas."""
        x, y = self.fit.to_image(place).tolist()
        return x, y

    def hold(self, held: tuple[int, Point] | None) -> None:
        """Show a point where it is being dragged; None ends that."""
        self.held = held
        self.revision += 1


def _within(name: str, value: float, low: float, high: float) -> float:
    if not low <= value <= high:
        raise TraitError(f"{name} must be from {low} to {high}, not {value}")
    return value


class Pointer:
    """Turns the messages of an `InputGuard` into clicks, drags, zoom and pan; a method for each type of message.

    A click places the current bodypart; where that is only the next in order, a hollow point of another one that is hit
    places that other one. On a point that is there, where the mode would not place anything or with Shift, it makes
    that bodypart the current one. Dragging a point, hollow or not, moves it; dragging the picture, or anything with
    another button, pans.
    """

    def __init__(self, session: LabelSession, view: LabelView) -> None:
        self.session, self.view = session, view
        self._start: Point | None = None  # where a press began, canvas px
        self._last: Point = (0.0, 0.0)
        self._taken: tuple[int, Point] | None = None  # bodypart that is dragged, and where it was in the image
        self._moving, self._button, self._woke = False, 0, False
        self._current = 0  # when it was pressed, as what was said then counts: the bodypart that was up,
        self._target: int | None = None  # and the one that a click places

    def give_up(self) -> bool:
        """Give up what is being dragged; True if there was something."""
        was = self.view.held is not None
        self._start = self._taken = None
        if was:
            self.view.hold(None)
        return was

    def down(self, message: Message) -> None:
        """A button is pressed, or a finger."""
        self._start = self._last = place = message["x"], message["y"]
        self._moving, self._button = False, message.get("button", 0)
        self._woke = message.get("woke", False)
        self._taken = self._near(place) if self._button == 0 else None
        self._current, self._target = self.session.part, self._aimed(place)
        self.session.begin()
        self.view.set_crosshair(None)
        self.view.set_pointer(place)

    def move(self, message: Message) -> None:
        """The pointer is elsewhere."""
        view, place = self.view, (message["x"], message["y"])
        if self._start is not None:
            self._moving = self._moving or math.dist(place, self._start) > self._slack()
        pans = self._moving and not self._taken and self._start is not None
        view.set_pointer(None if pans else place)  # nothing is to be placed meanwhile
        if self._start is None or not self._moving:
            return
        if self._taken:
            view.hold((self._taken[0], self._dragged_to(place, self._start, self._taken[1])))
        else:
            view.pan(place[0] - self._last[0], place[1] - self._last[1])
        self._last = place

    def _slack(self) -> float:
        """How far a press may move and is a click still, canvas px: less on what it moves, unless another is meant."""
        if not self._taken:
            return CLICK
        another = self._target not in (None, self._taken[0])
        return CLICK if another and (self.session.by_hand or not self._is_label(self._taken[0])) else NUDGE

    def _dragged_to(self, place: Point, start: Point, point: Point) -> Point:
        """Where a taken point is when the pointer is at ``place``: it keeps its distance to the pointer."""
        (x, y), (x0, y0) = self.view.image_point(place), self.view.image_point(start)
        return self.session.clipped((point[0] + x - x0, point[1] + y - y0))

    def up(self, message: Message) -> None:
        """The button is released: a click where it was pressed, or the end of a drag."""
        session, start, taken, image = self.session, self._start, self._taken, self.session.cursor.image
        self._start = self._taken = None
        try:
            if start is None:
                return
            if self._moving:
                self.view.set_pointer((message["x"], message["y"]))
                if taken:
                    place = message["x"], message["y"]
                    session.place(self._dragged_to(place, start, taken[1]), session.bodyparts[taken[0]])
                    session.choose_next_open()
                return
            if taken and (message.get("shift") or (self._target is None and self._is_label(taken[0]))):
                session.choose(taken[0], by_hand=True)
            elif self._woke and self._button == 0:
                session.note("the picture has the keys now; click again to place")
            elif self._button == 0 and not message.get("shift"):
                session.click(self.view.image_point(start), self._target)
                self._tell_placed(image, taken)
        finally:
            if self.view.held is not None:
                self.view.hold(None)

    def _tell_placed(self, image: str, hit: tuple[int, Point] | None) -> None:
        """Say what may not have been meant: a hollow point was clicked, or a bodypart lies on another one now."""
        session, part = self.session, self._target
        if hit is None or part is None or session.message:
            return
        (other, there), name = hit, session.bodyparts[part]
        covers = self._is_label(part, image) and self._apart(session.points(image)[part], there) <= RING
        if part == other != self._current:
            session.note(f"{name} placed: its hollow point was clicked")
        elif part != other and covers:
            how = "lies on {}" if self._is_label(other, image) else "lies where {} is suggested"
            where = "" if session.cursor.image == image else " in the frame before"
            session.note(f"{name} {how.format(session.bodyparts[other])}{where}: Undo takes it back")

    def cancel(self, message: Message) -> None:
        """The browser takes a press back."""
        self.give_up()

    def leave(self, message: Message) -> None:
        """The pointer left the picture."""
        if self._start is None:
            self.view.set_pointer(None)

    def wheel(self, message: Message) -> None:
        """Zoom to the pointer."""
        self.view.zoom(WHEEL_ZOOM ** -message["dy"], (message["x"], message["y"]))

    def pinch(self, message: Message) -> None:
        """Two fingers zoom and move."""
        self.give_up()
        self.view.pinch(message)

    def under(self) -> int | None:
        """The bodypart whose point, hollow or not, is under the pointer; None if there is none."""
        if self.view.pointer is None or self._start is not None:
            return None
        found = self._near(self.view.pointer)
        return found and found[0]

    def placing(self) -> int | None:
        """The bodypart that a click where the pointer is would place; None: the current one is placed, and stays."""
        return self._aimed(self.view.pointer)

    def _aimed(self, place: Point | None) -> int | None:
        """As `placing`: the bodypart of a hollow point that is hit, in the sequential mode, unless the current one was
        chosen by hand or has its own in reach; else the current one.
        """
        session, current = self.session, self.session.part
        if session.mode != "sequential" or (session.by_hand and not session.placed):
            return current
        hit = self._near(place) if place and self.view.crosshair is None else None
        if place and hit and not self._is_label(hit[0]):
            point, own = self.view.image_point(place), session.suggested()[0][current]
            if self._apart(point, hit[1]) <= RING and not self._apart(point, own) <= REACH:  # NaN is not
                return hit[0]
        return None if session.placed else current

    def _is_label(self, part: int, image: str | None = None) -> bool:
        """Whether a bodypart is placed in an image (default: the one that is shown)."""
        return bool(np.isfinite(self.session.points(image)[part]).all())

    def _apart(self, one: ArrayLike, other: ArrayLike) -> float:
        """How far two points of the image are apart, canvas px."""
        return math.dist(self.view.fit.to_canvas(one), self.view.fit.to_canvas(other))

    def _near(self, place: Point) -> tuple[int, Point] | None:
        """(bodypart, its point) of the nearest point in reach, of the labels and of hollow ones.

        Of some that lie on each other, the current bodypart's, else the last of the list, which is drawn on top.
        """
        if not self.view.labels:
            return None
        points = self.session.shown_points()
        distance = np.linalg.norm(self.view.fit.to_canvas(points) - place, axis=1)
        distance = np.where(distance <= REACH, distance, np.inf)  # NaN, too
        if np.isinf(distance).all():
            return None
        equal = np.flatnonzero(distance <= distance.min() + TOUCHING)
        nearest = self.session.part if self.session.part in equal else int(equal[-1])
        x, y = points[nearest].tolist()
        return nearest, (x, y)
