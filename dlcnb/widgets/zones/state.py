"""What ZoneEditor shows, without pixels: the zones of one video, what of them is chosen, what is being drawn, undo."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray
from traitlets import Enum, HasTraits, Int, Unicode

from dlcnb.widgets.base.zoom import Zoomable
from dlcnb.zones import PRESETS, Zone, ZoneError, around, inner_box
from dlcnb.zones.shapes import named

__all__ = ["HOW", "POINTS", "TOOLS", "ZoneState"]

TOOLS = ("choose", "rectangle", "ellipse", "polygon", "length", "corners")
POINTS = {"length": 2, "corners": 4}  # of a scale
REACH = 10.0  # canvas px around a corner that count as on it
HOW = {  # to measure centimetres
    "length": "Click both ends of a length that you know, or drag along it; type its cm, then press Keep.",
    "corners": "Click the four corners of a rectangle on the ground, in order; type its sides in cm, then press Keep.",
}
LEAST = 4.0  # canvas px that a rectangle is drawn across at least
REMEMBERED = 200  # changes
Place: TypeAlias = tuple[float, float]
Zones: TypeAlias = tuple[Zone, ...]


class ZoneState(HasTraits, Zoomable):
    """The zones of a video under the hand.

    Places that come in are canvas pixels; zones are in pixels of the frame.

    Parameters
    ----------
    image_size, canvas_size : (height, width)
    changed : callable
        Called without arguments after each change of the zones that is to be kept.
    """

    tool = Enum(TOOLS, "choose")
    frame = Int(0)
    message = Unicode("", help="A hint for the user; empty when all is well.")
    revision = Int(0, help="Counts what changes the picture.")
    drawn = Int(0, help="Counts the zones that were drawn, to be named.")

    def __init__(
        self, image_size: tuple[int, int], canvas_size: tuple[int, int], changed: Callable[[], object] = lambda: None
    ) -> None:
        super().__init__()
        self._changed = changed
        self.ruler: tuple[Place, ...] = ()  # px of the frame: what is measured for a scale, with another tool too,
        self.measure = "length"  # and with which one
        self._set_sizes(image_size, canvas_size)
        self.observe(lambda _: self._forget_draft(), "tool")
        self.load((), image_size)

    def load(self, zones: Iterable[Zone], image_size: tuple[int, int]) -> None:
        """Show other zones, on frames of this size; what was before can't be undone any more."""
        self.zones: Zones = tuple(zones)
        self.chosen: tuple[int, ...] = ()  # places of the chosen ones in ``zones``
        self.handle: int | None = None  # of a single chosen one: the corner that keys move
        self.draft: tuple[Place, ...] = ()  # px of the frame: corners that are placed so far
        self.undoable: list[Zones] = []
        self.redoable: list[Zones] = []
        self._grip: tuple[str, Place, Zones] | None = None  # what is dragged, from where, the zones before
        self._set_sizes(image_size, self.canvas_size)
        self.tool = "choose"
        self._show()

    @property
    def zone(self) -> Zone | None:
        """The chosen zone, if it is a single one."""
        return self.zones[self.chosen[0]] if len(self.chosen) == 1 and self.chosen[0] < len(self.zones) else None

    @property
    def measured(self) -> bool:
        """Whether all points of a scale are placed, for the tool in hand unless that is one that does not measure."""
        return len(self.ruler) == POINTS[self.measure] and (self.tool == self.measure or self.tool not in POINTS)

    def drop_ruler(self) -> None:
        """Forget what is measured."""
        self.ruler = ()
        self._show()

    # --- choosing ---

    def choose(self, chosen: Iterable[int] = (), handle: int | None = None) -> None:
        """Choose zones by their places in the list."""
        self.chosen = tuple(sorted({n for n in chosen if 0 <= n < len(self.zones)}))
        self.handle = handle if len(self.chosen) == 1 else None
        self._show()

    def choose_all(self) -> None:
        """Choose all zones, to move and resize them together."""
        self.choose(range(len(self.zones)))

    def step(self, count: int) -> None:
        """Choose the next zone (1) or the one before (-1)."""
        if self.zones:
            first = self.chosen[0] if self.chosen else (-1 if count > 0 else 0)
            self.choose([(first + count) % len(self.zones)])

    def step_handle(self, count: int) -> None:
        """Choose the next corner (1) or the one before (-1) of the chosen zone, for the arrow keys."""
        if self.zone is None:
            self._hint("Select a zone first: click it, or press n.")
        else:
            following = count - (count > 0) if self.handle is None else self.handle + count
            self.choose(self.chosen, following % len(self.zone.handles()))

    # --- the pointer ---

    def press(self, at: Place) -> None:
        """The pointer goes down at a canvas place."""
        self.message, place = "", self._place(at)
        if self.tool in ("rectangle", "ellipse"):
            self.draft = (place, place)
            self._grip = "draw", at, self.zones
        elif self.tool == "choose":
            self._take(at, place)
        elif self.tool in POINTS:
            before = self.ruler if self.tool == self.measure else ()
            again = len(before) == POINTS["length"] and not self._near(at, before[-1])  # a drag is another length
            self.measure, self.ruler = self.tool, (*before[: POINTS[self.tool] - 1], place)
            self._grip = ("line" if again else "length", at, self.zones) if self.tool == "length" else None
        elif len(self.draft) > 2 and self._near(at, self.draft[0]):
            return self.finish()
        else:
            self.draft = (*self.draft, place)
        return self._show()

    def _take(self, at: Place, place: Place) -> None:
        """Take hold of a corner, a zone, or the picture."""
        if self.zone is not None:
            handles = self.fit.to_canvas(self.zone.handles())
            distance = np.hypot(*(handles - at).T)
            if distance.min() <= REACH:
                self.handle = int(distance.argmin())
                self._grip = "handle", at, self.zones
                return
        self.handle = None
        under = [n for n, zone in enumerate(self.zones) if bool(zone.inside(place))]
        if under and not set(under) & set(self.chosen):
            self.chosen = (min(under, key=lambda n: self.zones[n].polygon.area),)
        elif not under:
            self.chosen = ()
        self._grip = ("move" if under else "pan"), at, self.zones

    def drag(self, at: Place) -> None:
        """The pointer moves while it is down."""
        if self._grip is None:
            return
        what, (x, y), before = self._grip
        dx, dy = (at[0] - x) / self.fit.zoom, (at[1] - y) / self.fit.zoom
        if what == "pan":
            self._grip = what, at, before
            self.pan(at[0] - x, at[1] - y)
            return
        try:
            if what == "draw":
                self.draft = (self.draft[0], self._place(at))
            elif what in ("line", "length"):
                if np.hypot(at[0] - x, at[1] - y) >= LEAST:
                    kept = self.ruler[:1] if what == "length" else ()  # none after Delete, too
                    self.ruler = (*(kept or (self._place((x, y)),)), self._place(at))
                    self._grip = "length", (x, y), before
            elif what == "move":
                self.zones = tuple(z.moved(dx, dy) if n in self.chosen else z for n, z in enumerate(before))
            elif self.handle is not None:
                (n,) = self.chosen
                self.zones = _with(before, n, before[n].with_handle(self.handle, self._place(at)))
        except ZoneError:
            pass  # a rectangle that is flat at the moment
        self._show()

    def release(self) -> None:
        """The pointer goes up."""
        if self._grip is None:
            return None
        (what, _, before), self._grip = self._grip, None
        if what == "draw":
            a, b = self.draft
            self.draft = ()
            if min(abs(a[0] - b[0]), abs(a[1] - b[1])) * self.fit.zoom < LEAST:
                return self._hint(f"Drag from one corner of the {self.tool} to the opposite one.")
            return self._add(Zone(self._new_name(), self.tool, (a, b)))
        if self.zones != before:
            after, self.zones = self.zones, before
            self._set(after)
        return None

    def cancel(self) -> None:
        """Forget what is drawn, dragged or measured with the tool in hand; with nothing of that, choose nothing."""
        if self._grip is not None:
            self.zones, self._grip = self._grip[2], None
        elif not self.draft and self.tool == "choose":
            self.chosen = ()
        if self.tool == self.measure:
            self.ruler = ()
        self.handle, self.draft = None, ()
        self.tool = "choose"
        self._show()

    def finish(self) -> None:
        """Close the polygon; with another tool, put a shape into the middle of the frame, to be moved by keys."""
        if self.tool in POINTS or self.tool == "choose":
            return self._hint("Choose a tool first: rectangle (r), ellipse (e), polygon (p).")
        if self.tool != "polygon":
            return self._add(Zone(self._new_name(), self.tool, self._middle()))
        if not self.draft:
            (x1, y1), (x2, y2) = self._middle()
            return self._add(Zone(self._new_name(), "polygon", ((x1, y1), (x2, y1), (x2, y2), (x1, y2))))
        if len(self.draft) < 3:
            return self._hint("A polygon has at least three corners: click once more.")
        corners, self.draft = self.draft, ()
        return self._add(Zone(self._new_name(), "polygon", corners))

    # --- changing ---

    def nudge(self, dx: float, dy: float) -> None:
        """Move the chosen corner, or the chosen zones, by px of the frame."""
        if not self.chosen:
            return self._hint("Select a zone first: click it, or press n.")
        if self.zone is not None and self.handle is not None:
            x, y = self.zone.handles()[self.handle]
            return self._set(_with(self.zones, self.chosen[0], self.zone.with_handle(self.handle, (x + dx, y + dy))))
        return self._set(tuple(z.moved(dx, dy) if n in self.chosen else z for n, z in enumerate(self.zones)))

    def resize(self, factor: float) -> None:
        """Resize the chosen zones, together about their middle."""
        if not self.chosen:
            return self._hint("Select a zone first: click it, or press n.")
        boxes = np.array([self.zones[n].box for n in self.chosen])
        low, high = boxes[:, :2].min(axis=0), boxes[:, 2:].max(axis=0)
        about = float(low[0] + high[0]) / 2, float(low[1] + high[1]) / 2
        return self._set(tuple(z.resized(factor, about) if n in self.chosen else z for n, z in enumerate(self.zones)))

    def insert_corner(self) -> None:
        """Give the chosen polygon a corner behind the chosen one, halfway to the next."""
        zone = self.zone
        if zone is None or zone.kind != "polygon" or self.handle is None or self.handle >= len(zone.points):
            return self._hint("Choose a polygon, and a corner of it (h), first.")
        n, points = self.handle, zone.points
        (x1, y1), (x2, y2) = points[n], points[(n + 1) % len(points)]
        more = (*points[: n + 1], ((x1 + x2) / 2, (y1 + y2) / 2), *points[n + 1 :])
        self.handle = n + 1
        return self._set(_with(self.zones, self.chosen[0], replace(zone, points=more)))

    def delete(self) -> None:
        """Take back the last corner drawn or measured, or delete the chosen corner of a polygon, or the zones."""
        zone = self.zone
        if self.draft or (self.ruler and self.tool == self.measure):
            self.draft, self.ruler = (self.draft[:-1], self.ruler) if self.draft else ((), self.ruler[:-1])
            return self._show()
        if not self.chosen:
            return self._hint("Select a zone first: click it, or press n.")
        if zone is not None and zone.kind == "polygon" and self.handle is not None and self.handle < len(zone.points):
            if len(zone.points) == 3:
                return self._hint("A polygon has at least three corners. Esc, then Delete, deletes all of it.")
            points = tuple(p for n, p in enumerate(zone.points) if n != self.handle)
            self.handle = self.handle % len(points)
            return self._set(_with(self.zones, self.chosen[0], replace(zone, points=points)))
        left = tuple(z for n, z in enumerate(self.zones) if n not in self.chosen)
        return self._set(left, chosen=())

    def rename(self, name: str) -> None:
        """Give the chosen zone another name; raises `ZoneError` for one that another has."""
        zone, name = self.zone, name.strip()
        if zone is None or name == zone.name:
            return
        if name in [z.name for z in self.zones]:
            raise ZoneError(f"there is a zone '{name}' already; choose another name")
        self._set(_with(self.zones, self.chosen[0], replace(zone, name=name)))

    def preset(self, name: str, share: float | None = None, shown: NDArray[np.uint8] | None = None) -> None:
        """Make the zones of one of `PRESETS` in the box of the chosen zones, else in the whole frame.

        Of the frame without its plain borders, where ``shown``, uint8 (H, W, 3), is what it shows.
        """
        make, _, usual = PRESETS[name]
        height, width = self.image_size
        whole = (-0.5, -0.5, width - 0.5, height - 0.5) if shown is None else inner_box(shown)
        boxes = np.array([self.zones[n].box for n in self.chosen] or [whole])
        box = tuple(map(float, (*boxes[:, :2].min(axis=0), *boxes[:, 2:].max(axis=0))))
        kept = [z for n, z in enumerate(self.zones) if n not in self.chosen]
        made = make(box) if usual is None else make(box, usual if share is None else share)
        found = list(kept)
        for zone in made:
            found.append(replace(zone, name=named(zone.name, found)))
        self._set(tuple(found), chosen=tuple(range(len(kept), len(found))))

    def grow(self, margin: float) -> None:
        """Make a zone around the chosen one, with so many px of margin."""
        if self.zone is None:
            return self._hint("Select the zone of the object first.")
        made = around(self.zone, margin)
        return self._add(replace(made, name=named(made.name, self.zones)))

    # --- undo ---

    def undo(self) -> None:
        """Take the last change back."""
        self._swap(self.undoable, self.redoable, "There is nothing to undo.")

    def redo(self) -> None:
        """Make the change again that was taken back."""
        self._swap(self.redoable, self.undoable, "There is nothing to redo.")

    def _swap(self, source: list[Zones], target: list[Zones], nothing: str) -> None:
        if not source:
            return self._hint(nothing)
        target.append(self.zones)
        self.zones = source.pop()
        self.choose(self.chosen)
        return self._changed_now()

    def _set(self, zones: Zones, chosen: tuple[int, ...] | None = None) -> None:
        """Change the zones so that it can be undone; with ``chosen`` others are chosen, and no corner."""
        if zones == self.zones:
            return
        self.undoable = [*self.undoable, self.zones][-REMEMBERED:]
        self.redoable, self.zones = [], zones
        if chosen is not None:
            self.chosen, self.handle = chosen, None
        self._changed_now()

    def _add(self, zone: Zone) -> None:
        self.tool = "choose"
        self._set((*self.zones, zone), chosen=(len(self.zones),))
        self.drawn += 1

    def _changed_now(self) -> None:
        problems = [problem for zone in self.zones if (problem := zone.problem())]
        self.message = problems[0] if problems else ""
        self._show()
        self._changed()

    # --- the rest ---

    def _new_name(self) -> str:
        taken = {zone.name for zone in self.zones}
        return next(name for n in range(1, len(taken) + 2) if (name := f"zone {n}") not in taken)

    def _middle(self) -> tuple[Place, Place]:
        """Corners of a box in the middle of what is seen, a third of it in size."""
        (height, width), x = self.canvas_size, 3
        a, b = self.fit.to_image([(width / x, height / x), (width - width / x, height - height / x)]).round()
        return (float(a[0]), float(a[1])), (float(b[0]), float(b[1]))

    def _place(self, at: Place) -> Place:
        x, y = self.fit.to_image(at)
        return round(float(x), 2), round(float(y), 2)

    def _near(self, at: Place, corner: Place) -> bool:
        return math.dist(at, self.fit.to_canvas(corner)) <= REACH

    def _forget_draft(self) -> None:
        self.draft, self._grip = (), None
        self._show()

    def _hint(self, text: str) -> None:
        self.message = text
        self._show()

    def _show(self) -> None:
        self.revision += 1


def _with(zones: Zones, n: int, zone: Zone) -> Zones:
    return (*zones[:n], zone, *zones[n + 1 :])
