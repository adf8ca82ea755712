"""How the labeler shows a frame, as state: zoom, contrast, what is drawn, and what the pointer is doing."""

from __future__ import annotations

import math

import numpy as np
from traitlets import Bool, Float, HasTraits, Int, TraitError, validate

from dlcnb.widgets.base.zoom import Zoomable

__all__ = ["LabelView", "Pointer"]

REACH = 9.0  # canvas px from a point within which it is taken
CLICK = 4.0  # canvas px of movement up to which a press is still a click
WHEEL_ZOOM = 1.0015  # per CSS pixel of wheel travel


class LabelView(Zoomable, HasTraits):
    """What is shown and how; nothing here is ever stored.

    Parameters
    ----------
    image_size, canvas_size : (height, width)

    Attributes
    ----------
    pointer : (x, y) on the canvas where the mouse is, None if it is elsewhere.
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
    revision = Int(0, help="Counts the changes of zoom, pointer and drag.")

    def __init__(self, image_size, canvas_size):
        super().__init__()
        self.pointer = self.held = None
        self._set_sizes(image_size, canvas_size)

    @validate("brightness")
    def _valid_brightness(self, proposal):
        return _within("brightness", proposal.value, -1, 1)

    @validate("contrast", "gamma")
    def _valid_factor(self, proposal):
        return _within(proposal.trait.name, proposal.value, 0.2, 5)

    def set_image_size(self, size):
        """Show images of another size; the zoom is kept while it stays the same."""
        if tuple(size) != self.image_size:
            self._set_sizes(size, self.canvas_size)
            self.revision += 1

    def tones(self):
        """What each grey value is shown as, uint8 (256,); None if as it is."""
        if (self.brightness, self.contrast, self.gamma) == (0, 1, 1):
            return None
        value = (np.arange(256) / 255) ** (1 / self.gamma)
        value = (value - 0.5) * self.contrast + 0.5 + self.brightness
        return np.rint(np.clip(value, 0, 1) * 255).astype(np.uint8)

    def reset_tones(self):
        """Show the picture as it is."""
        self.brightness, self.contrast, self.gamma = 0.0, 1.0, 1.0

    def toggle(self, name):
        """Switch ``loupe``, ``ghost``, ``skeleton``, ``names`` or ``labels`` on or off."""
        setattr(self, name, not getattr(self, name))

    def set_pointer(self, place):
        """Note where the mouse is."""
        if place != self.pointer:
            self.pointer = place
            self.revision += 1

    def hold(self, held):
        """Show a point where it is being dragged; None ends that."""
        self.held = held
        self.revision += 1


def _within(name, value, low, high):
    if not low <= value <= high:
        raise TraitError(f"{name} must be from {low} to {high}, not {value}")
    return value


class Pointer:
    """Turns the messages of an `InputGuard` into clicks, drags, zoom and pan.

    A click places the current bodypart; on a point that is there, where the mode would not place anything or with
    Shift, it makes that bodypart the current one. Dragging a point (or a suggestion) moves it; dragging the picture,
    or anything with another button, pans.
    """

    def __init__(self, session, view):
        self.session, self.view = session, view
        self._start = self._last = self._taken = None
        self._moving = False

    def on(self, message):
        """Take a message; kinds that mean nothing here are passed over."""
        handler = getattr(self, f"_{message['type']}", None)
        if handler:
            handler(message, (message.get("x"), message.get("y")))

    def cancel(self):
        """Give up what is being dragged; True if there was something."""
        was = self.view.held is not None
        self._start = self._taken = None
        if was:
            self.view.hold(None)
        return was

    def _down(self, message, place):
        self._start = self._last = place
        self._moving, self._button = False, message.get("button", 0)
        self._taken = self._near(place) if self._button == 0 else None
        self.view.set_pointer(place)

    def _move(self, message, place):
        view = self.view
        view.set_pointer(place)
        if self._start is None:
            return
        if not self._moving and math.dist(place, self._start) <= CLICK:
            return
        self._moving = True
        if self._taken:
            view.hold((self._taken[0], self._dragged_to(place)))
        else:
            view.pan(place[0] - self._last[0], place[1] - self._last[1])
        self._last = place

    def _dragged_to(self, place):
        """Where the taken point is when the pointer is at ``place``: it keeps its distance to the pointer."""
        fit, (_, point) = self.view.fit, self._taken
        there, start = fit.to_image(place), fit.to_image(self._start)
        return self.session.clipped(tuple((point + there - start).tolist()))

    def _up(self, message, place):
        start, taken, moving = self._start, self._taken, self._moving
        self._start = self._taken = None
        if start is None:
            return
        try:
            if moving and taken:
                self._taken, self._start = taken, start
                self.session.place(self._dragged_to(place), self.session.bodyparts[taken[0]])
            elif not moving and self._button == 0:
                self._click(start, message)
        finally:
            self._start = self._taken = None
            if self.view.held is not None:
                self.view.hold(None)

    def _click(self, place, message):
        session = self.session
        mark = session.marks()[session.part]
        taken = self._near(place, placed=True)
        if taken and (message.get("shift") or (session.mode == "sequential" and mark.state == "placed")):
            session.choose(taken[0])
            return
        session.click(tuple(map(float, self.view.fit.to_image(place))))

    def _cancel(self, message, place):
        self.cancel()

    def _leave(self, message, place):
        if self._start is None:
            self.view.set_pointer(None)

    def _wheel(self, message, place):
        self.view.zoom(WHEEL_ZOOM ** -message["dy"], place)

    def _pinch(self, message, place):
        self.cancel()
        self.view.pinch(message)

    def _near(self, place, placed=False):
        """(index, point (2,)) of the nearest point in reach, of the labels or (unless ``placed``) the suggestions."""
        if not self.view.labels:
            return None
        points = self.session.points()
        if not placed:
            offered, _ = self.session.suggested()
            points = np.where(np.isfinite(points), points, offered)
        distance = np.linalg.norm(self.view.fit.to_canvas(points) - place, axis=1)
        distance[self.session.part] -= 0.5  # of two at one place, the current bodypart
        distance = np.where(np.isfinite(distance), distance, np.inf)
        nearest = int(distance.argmin())
        return (nearest, points[nearest]) if distance[nearest] <= REACH else None
