"""The controls of the frame picker: what to choose, by hand, ranges, the region of interest, extraction."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

import ipywidgets

from dlcnb.widgets.base.html import Html, heading, muted
from dlcnb.widgets.base.quiet import Quiet
from dlcnb.widgets.base.view import button, row
from dlcnb.widgets.frames.state import HOW, SHOW

if TYPE_CHECKING:
    from dlcnb.widgets.frames.frame_picker import FramePicker
    from dlcnb.widgets.frames.player import PickingPlayer
    from dlcnb.widgets.frames.state import PickingState

__all__ = ["Controls"]

_Field = TypeVar("_Field", bound=ipywidgets.Widget)


class Controls:
    """The rows around the player and the gallery; they call the methods of a `FramePicker`.

    ``rows`` are: what to choose, with what is under way and came of it; by hand; the heading of the gallery.
    """

    def __init__(self, state: PickingState, picker: FramePicker) -> None:
        self.state, self.picker, self._quiet = state, picker, Quiet()
        self.rows = [self._choosing(), self._by_hand(), self._heading()]

    # --- what it is made of ---

    def _choosing(self) -> ipywidgets.VBox:
        state, picker = self.state, self.picker
        self.videos = {name: self._video_box(name, n) for name, n in state.lengths.items()}
        boxes = ipywidgets.HBox(list(self.videos.values()))
        boxes.add_class("dlcnb-choices")
        every = button("check-square-o", "Tick all videos", lambda: self._tick(True))
        none = button("square-o", "Tick no video", lambda: self._tick(False))
        several = ipywidgets.VBox(
            [row([Html(heading("Videos to choose from")), every, none]), boxes],
            layout=_layout(display=None if len(self.videos) > 1 else "none"),
        )
        ways = [(f"{name}: {words}", name) for name, words in HOW.items()]
        self.how = _linked(state, "how", ipywidgets.Dropdown(options=ways, layout=_layout(width="215px")))
        self.how.tooltip = "Which frames are picked, and how"
        self.count = _linked(state, "count", ipywidgets.BoundedIntText(min=1, max=100000, layout=_layout(width="72px")))
        self.seed = _linked(
            state, "seed", ipywidgets.BoundedIntText(min=0, max=2**31 - 1, layout=_layout(width="60px"))
        )
        self.seed.tooltip = "The same seed chooses the same frames; Choose once more takes the next one, for others"
        self.choose = button(
            "magic", "Pick frames from the ticked videos, to look at them", picker.choose, "Choose", "120px",
            button_style="primary",
        )  # fmt: skip
        named = {"how": self.how, "frames per video": self.count, "seed (chance)": self.seed}
        settings = row([*(_labeled(name, field) for name, field in named.items()), self._under_way()])
        settings.add_class("dlcnb-fields")
        return ipywidgets.VBox([several, settings])

    def _video_box(self, name: str, n: int) -> ipywidgets.Checkbox:
        box = ipywidgets.Checkbox(
            value=True, indent=False, description=f"{name} ({n} frames)", layout=_layout(width="auto")
        )
        box.observe(self._quiet.ignored(self._on_tick), "value")
        return box

    def _by_hand(self) -> ipywidgets.VBox:
        picker, state = self.picker, self.state
        self.video = _linked(state, "video", ipywidgets.Dropdown(options=list(state.lengths), layout=_layout("200px")))
        self.video.tooltip = "The video that is shown"
        self.video.layout.display = None if len(state.lengths) > 1 else "none"
        self.pick = button(
            "plus", "Pick the frame shown, or take it back (p)", picker.pick_shown, "Pick frame", "120px"
        )
        first = button("", "Begin a range at the frame shown (i)", picker.range_first, "From here")
        last = button("", "End the range at the frame shown (o)", picker.range_last, "To here")
        self.range = Html()
        self.range.add_class("dlcnb-number")
        self.every = ipywidgets.BoundedIntText(value=10, min=1, max=10**6, layout=_layout(width="64px"))
        self.every.tooltip = "In the range, pick one frame in this many"
        self.pick_range = button(
            "", "Pick every n-th frame of the range; n is in the field beside",
            lambda: picker.call(state.pick_range, self.every.value), "Pick every", "92px",
        )  # fmt: skip
        self.clear_range = button(
            "times", "Clear the range: choose from the whole video", lambda: picker.call(state.clear_range)
        )
        drawing = "Draw the region of interest: drag over the picture (c)"
        self.draw = button("crop", drawing, picker.toggle_drawing, "Draw")
        self.crop = ipywidgets.Text(continuous_update=False, layout=_layout(width="150px"))
        self.crop.tooltip = "The region that k-means compares: x1, x2, y1, y2 in px"
        self.crop.observe(self._quiet.ignored(self._on_crop), "value")
        self.whole = button("arrows-alt", "Compare the whole frame", lambda: picker.set_crop(None), "Whole frame")
        region = row([Html("region"), self.draw, self.crop, self.whole])
        part = row([first, last], tight=True)  # a pair, as the button and the field that follow
        part.add_class("dlcnb-gap")
        nth = row([self.pick_range, self.every, self.clear_range], tight=True)
        hand = row([self.video, self.pick, part, nth, self.range])
        return ipywidgets.VBox([hand, region])

    def _heading(self) -> ipywidgets.HBox:
        picker, state = self.picker, self.state
        shown = [(f"show: {words}", name) for name, words in SHOW.items()]
        self.show_which = _linked(state, "show", ipywidgets.Dropdown(options=shown, layout=_layout("190px")))
        self.show_which.tooltip = "Which frames are listed below; picked ones are extracted unless they are dropped"
        self.drop_alike = button(
            "clone", "Drop picked frames that look like an earlier one",
            lambda: picker.call(state.drop_duplicates), "Drop near-duplicates", "190px",
        )  # fmt: skip
        self.clear = button(
            "trash", "Take back all that is picked; what is extracted stays", lambda: picker.call(state.clear)
        )
        return row([self.show_which, self.drop_alike, self.clear])

    def _under_way(self) -> ipywidgets.HBox:
        self.extract = button(
            "download", "Write the kept frames as images for labeling", self.picker.extract, "Extract", "170px",
            button_style="primary",
        )  # fmt: skip
        self.stop = button("stop", "Stop; what is done stays", self.picker.stop, "Stop", "90px")
        self.bar = ipywidgets.FloatProgress(min=0, max=1, layout=_layout(width="140px", height="18px"))
        self.words = Html()
        self.words.add_class("dlcnb-number")
        return row([self.choose, self.extract, self.bar, self.stop, self.words])

    def stand_back(self) -> None:
        """Let no button stand out, where somebody else's says what comes next."""
        self.choose.button_style = self.extract.button_style = ""

    # --- gestures ---

    def _on_tick(self, _: Any) -> None:
        self.picker.call(self.state.set_chosen_videos, [name for name, box in self.videos.items() if box.value])

    def _tick(self, on: bool) -> None:
        for box in self.videos.values():
            self._quiet.set(box, value=on)
        self._on_tick(None)

    def _on_crop(self, change: Any) -> None:
        if change.new != self._crop_text:
            self.picker.set_crop(change.new)

    # --- painting ---

    def show(self, player: PickingPlayer) -> None:
        """Bring the controls up to date with the state and the player."""
        state = self.state
        idle, work = state.task == "idle", sum(map(len, state.work().values()))
        self.choose.disabled = not idle
        self.extract.disabled = not idle or not work
        self.extract.description = f"Extract {work} frame{'' if work == 1 else 's'}"
        self.bar.value = state.progress if not idle else 0.0
        self.words.value = state.doing
        for there, parts in ((idle, [self.choose, self.extract]), (not idle, [self.bar, self.stop, self.words])):
            for part in parts:  # one in the place of the other
                part.layout.display = None if there else "none"
        alike = sum(not frame.extracted for frame in state.frames("near-duplicates"))
        self.drop_alike.disabled = not alike
        self.drop_alike.description = f"Drop {f'{alike} ' if alike else ''}near-duplicate{'s' * (alike != 1)}"
        self._show_frame(player)
        self._show_region(player)

    def _show_frame(self, player: PickingPlayer) -> None:
        state = self.state
        frame = state.frame(state.video, player.state.frame)
        self.pick.disabled = frame is not None and frame.extracted
        words, icon = ("Pick frame", "plus") if frame is None else ("Take back", "minus")
        if self.pick.disabled:
            words, icon = "Extracted", "check"
        self.pick.description, self.pick.icon = words, icon
        ends = state.ranges[state.video]
        text = "no range" if ends is None else f"range {ends[0]}–{ends[1]}"
        self.range.value = muted(text)
        self.pick_range.disabled = self.clear_range.disabled = ends is None

    def _show_region(self, player: PickingPlayer) -> None:
        height, width = player.state.image_size
        self._crop_text = ", ".join(map(str, player.crop or (0, width, 0, height)))
        self._quiet.set(self.crop, value=self._crop_text)
        self.draw.button_style = "warning" if player.drawing else ""

    _crop_text = ""


def _layout(width: str | None = None, **more: Any) -> ipywidgets.Layout:
    return ipywidgets.Layout(margin="0", **({"width": width} if width else {}), **more)


def _linked(state: PickingState, name: str, widget: _Field) -> _Field:
    """A field that shows a trait of the state and sets it."""
    widget.value = getattr(state, name)
    widget.observe(lambda change: setattr(state, name, change.new), "value")
    state.observe(lambda change: setattr(widget, "value", change.new), name)
    return widget


def _labeled(text: str, widget: ipywidgets.Widget) -> ipywidgets.VBox:
    """A field with its name above it."""
    name = Html(muted(text), layout=ipywidgets.Layout(margin="0", height="20px"))
    return ipywidgets.VBox([name, widget], layout=ipywidgets.Layout(margin="0 8px 0 0", overflow="visible"))
