"""What the buttons beside the line on top of a Studio do."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from dlcnb.outliers import refinement
from dlcnb.project import missing_words
from dlcnb.widgets.studio.state import ANEW, GO_ON, LONGER

if TYPE_CHECKING:
    from dlcnb.widgets.frames.frame_picker import FramePicker
    from dlcnb.widgets.labeler.labeler import Labeler
    from dlcnb.widgets.studio.state import Overview
    from dlcnb.widgets.studio.studio import Studio

__all__ = ["do_next", "planned"]

BEFORE = (
    "Start trains a new network from the beginning, so that its test frames are new to it. To go on from the network "
    "of before, tick Go on from the network of iteration … first."
)


def do_next(studio: Studio, other: bool = False) -> None:
    """Open the tab of the next step, or of the ``other`` one, and do there what its words say."""
    seen = studio.overview
    tab, words = seen.other_step if other else seen.next_step
    before = studio.tab
    studio.go_to(tab)
    if seen.awaited == tab:
        return
    if words == ANEW and before != tab:  # there is a choice to be made first
        studio.tell(BEFORE)
        return
    if tab == "Trajectories":  # which has nothing to show before
        studio.bar.start(studio.bar.open_videos)
    elif tab == "Frames" and not seen.videos:
        studio.adding.show_chooser(True)
        studio.tell(missing_words(studio.project), "error")
    else:
        _do_there(studio.widget(tab), tab, seen)  # where it can't be made, this says why


def _do_there(made: Any, tab: str, seen: Overview) -> None:
    """Do the step in the widget of its tab."""
    if tab == "Frames":
        _frames(made, seen)
    elif tab == "Label":
        _label(made, corrects=seen.outliers > seen.refined)
    elif tab == "Train" and seen.next_step == GO_ON:
        made.go_on()
    elif tab == "Train" and seen.judged_bad and not seen.many_since:
        made.train_on(LONGER)
    elif tab == "Train":
        made.start()
    elif tab == "Evaluate":
        made.evaluate()
    elif tab == "Refine":
        made.merge_frames() if seen.outliers else made.fill()


def _frames(picker: FramePicker, seen: Overview) -> None:
    """Extract what is picked; else choose frames, the first ones at once for good."""
    if seen.picked:
        picker.extract()
    elif seen.extracted:
        picker.choose()
    else:
        picker.choose_and_extract()


def _label(labeler: Labeler, corrects: bool) -> None:
    """Open the first frame to be labeled, or that the network got wrong; one of them that is open already stays."""
    session = labeler.session
    wanted: Iterable[str] = session.images
    if corrects:
        wanted = (image for found in refinement(labeler.project).values() for image in found)
    left = [image for image in wanted if image in session.images and session.state(image) != "done"]
    if left and session.cursor.image not in left:
        labeler.go_to(left[0])


def planned(widgets: Mapping[str, Any]) -> dict[str, Any]:
    """What the widgets of a Studio are set to do, as `Overview` has it: frames to extract, minutes of training,
    and which of them is at work by itself.
    """
    frames, train, refine = widgets.get("Frames"), widgets.get("Train"), widgets.get("Refine")
    picking, seeking = frames is not None and frames.state.doing, refine is not None and refine.state.doing
    return {
        "picked": 0 if frames is None or picking else frames.state.waiting,
        "at_work": "Frames" if picking else "Refine" if seeking else "",
        **({} if train is None else {"minutes": train.settings.minutes}),
    }
