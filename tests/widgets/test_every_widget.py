"""What holds for every widget: it closes all that it is made of, and shows hostile names as they are written."""

import gc
import threading
import weakref
from collections import Counter
from html.parser import HTMLParser
from pathlib import Path

import ipywidgets
import numpy as np
import pytest
from support.waiting import until
from support.widgets import live_widgets

import dlcnb.widgets
from dlcnb import frames
from dlcnb.evaluate import Evaluation, write_details
from dlcnb.labels import LabelStore
from dlcnb.labels.journal import Edit
from dlcnb.poses import Poses
from dlcnb.project import Project
from dlcnb.teaching import HandIn, Lesson
from dlcnb.video import VideoWriter
from dlcnb.widgets.base.closing import parts_of
from dlcnb.widgets.labeler.keys import ACTIONS
from dlcnb.widgets.studio.state import TABS

SIZE, COUNT = (96, 128), 6
EVIL = "<img src=x onerror=alert({})>"
PARTS = (EVIL.format(1), 'tail" onload="alert(2)', "<script>alert(3)</script>")


def make(parent, video, parts, task, scorers):
    """A project with two scorers' labels, a run, its evaluation, and poses."""
    with VideoWriter(parent / video, SIZE, 30) as writer:
        for frame in range(COUNT):
            writer.write(np.full((*SIZE, 3), 20 + 30 * frame, np.uint8))
    project = Project.create(task, scorers[0], [parent / video], parts, parent=parent, skeleton=[parts[:2]])
    frames.extract(project, project.videos[0], range(COUNT))
    name, points = project.videos[0].stem, np.random.default_rng(0).uniform(20, 70, (COUNT, len(parts), 2))
    for n, scorer in enumerate(scorers):
        store = LabelStore(project, name, scorer=scorer)
        store.add_images()
        images = store.images
        store.apply([Edit(i, p, tuple(points[t, k] + n)) for t, i in enumerate(images) for k, p in enumerate(parts)])
        store.save()
    poses = Poses(parts, "DLC_net", points, np.full(points.shape[:2], 0.9))
    poses.write(project.videos[0])
    run = project.new_run(0.8)
    (run / "snapshot-10.params").touch()
    is_test = np.arange(COUNT) % 2 == 1
    found = Evaluation(
        parts, tuple(images), points, points + 3, np.full(points.shape[:2], 0.9), is_test, 0.6, "snapshot-10", 10
    )
    found.write(project.evaluation_dir(run))
    write_details(found, project.evaluation_dir(run))
    return project


@pytest.fixture(scope="module")
def hostile(tmp_path_factory):
    folder, lesson = tmp_path_factory.mktemp("hostile"), Lesson("monday")
    (folder / "class").mkdir()
    for n, student in enumerate((EVIL.format(5), EVIL.format(5), EVIL.format(6))):
        points = lesson.truth + 50 * n
        HandIn("monday", student, f"{n:032x}", lesson.bodyparts, lesson.images, points).write(folder / "class")
    HandIn(EVIL.format(7), EVIL.format(8), "f" * 32, PARTS, ("a",), points[:1, :3]).write(folder / "class")
    return make(folder, f"m{EVIL.format(4)}.mp4", PARTS, "a&lt;b", ("ada&amp;", "ben&lt;"))


def widget(name, project):
    """A widget of the project, painted."""
    made = getattr(dlcnb.widgets, name)
    if name == "ClassBoard":
        return made(project.root.parent / "class", Lesson("monday"))
    view = made(project.videos[0], project=project) if name == "Player" else made(project)
    for tab in TABS if name == "Studio" else ():
        view.go_to(tab)
    if hasattr(view, "wait"):
        view.wait(10)
    return view


CYCLES = 3
OF_WIDGETS = ("dlcnb.", "ipywidgets.", "anywidget.", "bqplot.", "ipycanvas.", "traitlets.", "comm.", "threading")
FONT_AWESOME = set((Path(__file__).parent / "data" / "fontawesome-4.7.txt").read_text().split())
OURS = {"a", "b", "br", "div", "i", "kbd", "li", "section", "span", "table", "tbody", "td", "th", "thead", "tr", "ul"}


class _Tags(HTMLParser):
    def __init__(self):
        super().__init__()
        self.found = []

    def handle_starttag(self, tag, attrs):
        if tag not in OURS:
            self.found.append(tag)
        self.found += [name for name, _ in attrs if name.startswith("on")]


@pytest.fixture(scope="module", params=dlcnb.widgets.__all__)
def view(hostile, request):
    """Each widget of the hostile project, to be looked at only."""
    made = widget(request.param, hostile)
    yield made
    made.close()


def test_names_are_shown_as_they_are_written(view):
    shown = [part for part in parts_of(view) if isinstance(part, ipywidgets.HTML)]
    tags = _Tags()
    for part in shown:
        tags.feed(part.value)
    assert shown
    assert not tags.found
    described = [part for part in parts_of(view) if getattr(part, "description_allow_html", False)]
    assert not described


def test_icons_are_in_every_fontawesome_since_4_7(view):
    icons = {part.icon.removeprefix("fa-") for part in parts_of(view) if getattr(part, "icon", "")}
    assert not icons - FONT_AWESOME


def test_the_icons_of_the_labelers_keys_are_too():
    assert not {action.icon for action in ACTIONS.values()} - FONT_AWESOME


def kept():
    """{name of a class: how many objects of it}, of classes that each cycle may have left an object of."""
    gc.collect()
    made = Counter(type(one) for one in gc.get_objects())
    return {kind.__name__: n for kind, n in made.items() if n >= CYCLES and kind.__module__.startswith(OF_WIDGETS)}


@pytest.mark.parametrize("name", dlcnb.widgets.__all__)
def test_a_closed_widget_leaves_nothing_open(hostile, name):
    widget(name, hostile).close()  # what is made once, such as the manager of canvases
    gc.collect()
    gc.freeze()  # what is there now is looked at no more
    before, threads, closed = set(live_widgets()), threading.active_count(), []
    for _ in range(CYCLES):
        view = widget(name, hostile)
        view.close()
        closed.append(weakref.ref(view))
    left = [one for key, one in live_widgets().items() if key not in before]
    assert not left, sorted({type(one).__name__ for one in left})
    view = None
    try:
        until(lambda: not kept())  # a thread that ends may hold some for a moment
    finally:
        gc.unfreeze()
    assert not [view for view in closed if view() is not None]
    until(lambda: threading.active_count() <= threads)
