"""Each notebook as a learner runs it: "Run all" waits where a person is needed, and after their work it goes on.

The work of a person is done by what a click or a key calls. A notebook that is not in the table only has to run.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from support.books import NOTEBOOKS, Book

pytestmark = pytest.mark.mxnet
APART = ("00",)  # has a file of its own

LABELING = """
def label(labeler, images, truth, off=(0, 0)):
    for image in images:
        labeler.go_to(image)
        for part, point in zip(project.bodyparts, truth[frame_index(image)] + off):
            labeler.session.place(tuple(point), part)
    labeler.session.save()
"""


@dataclass(frozen=True)
class Work:
    """What a person does in a notebook.

    Attributes
    ----------
    waits : the cells that wait after "Run all".
    work : {cell that waits: what is done before it is run again}.
    check : asserts what came of it.
    """

    waits: str
    work: dict[str, str]
    check: Callable[[Book, Path], None] = field(default=lambda *_: None)


def chose_frames(book: Book, folder: Path) -> None:
    assert "looks like" in book.said("frames-20")
    assert "changed: 0" in book.said("frames-31")
    assert "image/png" in book.kinds("frames-33")


def labeled(book: Book, folder: Path) -> None:
    assert "within 2.0 px of the expert" in book.said("label-08")
    assert "1.0 px apart" in book.said("label-hand")
    oddest = "{row.image for row in LabelReview(project, scorer='ben').state.rows()[:2]}"
    assert book.do(f"print({oddest} == set(store.images[:2]))") == "True\n"


def trained(book: Book, folder: Path) -> None:
    assert book.do("print(error['ImageNet'] < error['random'], sorted(error))") == (
        "True ['ImageNet', 'random', 'yours']\n"
    )
    assert book.do("print(sum(losses[-20:]) < sum(losses[:20]))") == "True\n"


def mended(book: Book, folder: Path) -> None:
    assert book.do("print(order.index(spoiled) < 10, after < before)") == "True True\n"
    assert "within 0.0 px of the truth" in book.said("cell-30")


def looked(book: Book, folder: Path) -> None:
    assert "Frame 60:" in book.said("analyze-29")
    assert "image/png" in book.kinds("analyze-29")


def refined(book: Book, folder: Path) -> None:
    assert " frames corrected" in book.said("refine-20")
    assert book.do("print(again.mean() < error.mean(), project.iteration)") == "True 1\n"


def own_video(book: Book, folder: Path) -> None:
    assert "60 frames of 320×240 pixels" in book.said("own-05")
    assert "at uneven times" in book.said("own-05")
    assert book.do("print(reader.size == (240, 320), (project.root / 'my-trajectory.png').exists())") == "True True\n"
    assert "my-video_labeled.mp4" in book.said("own-17")


def went_back(book: Book, folder: Path) -> None:
    assert book.do("print(5 <= len(yours) <= 10, len(labels.images) == 20 + len(yours))") == "True True\n"
    assert "frames; ['scorer', 'bodyparts', 'coords'] by truth" in book.said("dlc-19")
    assert "200 frames; ['scorer', 'bodyparts', 'coords'] ['x', 'y', 'likelihood']" in book.said("dlc-21")


def train(monitor: str, minutes: int) -> str:
    """A training of some steps, or, if the notebook is run as a whole, of the minutes that it asks for."""
    return f"""
import os
monitor = {monitor}
wanted = {{"minutes": 0, "steps": 10, "batch_size": 2}} if "DLCNB_SMALL" in os.environ else {{"minutes": {minutes}, "steps": 0}}
for name, value in wanted.items():
    setattr(monitor.settings, name, value)
monitor.start()
monitor.wait()
"""


COURSE = {
    "01": Work(
        "frames-18 frames-20 frames-27 frames-31 frames-33",
        {
            "frames-18": """
picker.state.count = 10
picker.choose()
picker.wait(600)
picker.state.add("monday", [int(picker.state.numbers("picked", "monday")[0]) + 1], "hand")
picker.wait(600)
""",
            "frames-27": "picker.state.drop_duplicates(); picker.extract(); picker.wait(600)",
        },
        chose_frames,
    ),
    "02": Work(
        "label-08 label-10 label-hand",
        {
            "label-08": LABELING + "label(labeler, labeler.session.images[:5], truth, (0, 2))",
            "label-hand": "other = Labeler(project, scorer='me again')\n"
            "label(other, other.session.images[:5], truth, (0, 3))",
        },
        labeled,
    ),
    "03": Work(
        "train-yours",
        {
            "train-yours": train("TrainingMonitor(project)", 2),
        },
        trained,
    ),
    "04": Work("cell-30", {"cell-30": LABELING + "label(labeler, [spoiled], truth)"}, mended),
    "05": Work("analyze-29", {"analyze-29": "view.go_to(60)"}, looked),
    "06": Work(
        "refine-16 refine-20 refine-22 refine-24 refine-25",
        {
            "refine-16": """
queue.state.set_how("uncertain")
queue.state.threshold = queue.state.scores.threshold_for(40)
queue.state.count = 10
queue.fill(), queue.wait(600)
queue.extract_frames(), queue.wait(600)
""",
            "refine-20": "from dlcnb.labels import frame_index\n"
            + LABELING
            + "label(labeler, queue.state.images.values(), truth)",
        },
        refined,
    ),
    "08": Work(
        "own-05 own-07 own-09 own-11 own-13 own-15 own-17",
        {
            "own-05": """
from pathlib import Path
from support.videos import phone_clip
from dlcnb import sampledata
arena = sampledata.Arena(seed=2, n_frames=60, size=(240, 320))
phone_clip(Path("phone.mp4"), arena)
studio.door.show("New project")
new = studio.door.pane.children[0]
new.videos.choose(Path("phone.mp4").absolute())
new.task_field.value, new.scorer.value = "cat", "me"
new.create()
new.task.wait()
""",
            "own-07": """
picker = studio.go_to("Frames")
picker.state.count = 10
picker.choose_and_extract()
picker.wait(600)
""",
            "own-09": LABELING
            + """
from dlcnb.labels import frame_index
labeler = studio.go_to("Label")
label(labeler, labeler.session.images, sampledata.arena_poses(arena))
""",
            "own-11": train("studio.go_to('Train')", 5),
            "own-13": "evaluation = studio.go_to('Evaluate')\nevaluation.evaluate()\nevaluation.follower.wait()",
            "own-15": "studio.go_to('Trajectories')\nstudio.bar.start()\nstudio.bar.wait()",
        },
        own_video,
    ),
    "09": Work(
        "dlc-09 dlc-11 dlc-12 dlc-16 dlc-17 dlc-19 dlc-21 dlc-23",
        {
            "dlc-09": "picker.state.count = 10\npicker.choose_and_extract()\npicker.wait(600)",
            "dlc-12": "ready.borrow_labels(project, sampledata.arena_poses(arena))",
            "dlc-16": train("monitor", 3),
        },
        went_back,
    ),
}


@pytest.mark.parametrize("name", [path.stem for path in NOTEBOOKS if not path.name.startswith(APART)])
def test_run_all_waits_for_a_person_and_then_goes_on(name, tmp_path, whole):
    known = COURSE.get(name[:2], Work("", {}))
    with Book(name, tmp_path, whole) as book:
        book.run_all()
        if name[:2] in COURSE:
            assert book.waiting() == known.waits.split()
        book.go_on(known.work)
        known.check(book, tmp_path)
