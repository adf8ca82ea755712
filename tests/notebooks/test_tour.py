"""The tour: it waits for clicks, and after them leads to a clip of the learner's own."""

import pytest
from support.books import Book

pytestmark = pytest.mark.mxnet

FRAMES = """
picker = studio.go_to("Frames")
picker.state.count = 5
picker.choose_and_extract()
picker.wait(600)
labeler = studio.go_to("Label")
for image in set(labeler.session.images) - set(given):
    labeler.go_to(image)
    for part, point in zip(project.bodyparts, truth[frame_index(image)] + [0, 2]):
        labeler.session.place(tuple(point), part)
labeler.session.save()
"""
FEW = {"minutes": 0, "steps": 20, "batch_size": 2}
TRAINING = """
monitor = studio.go_to("Train")
for name, value in {wanted}.items():
    setattr(monitor.settings, name, value)
monitor.start()
monitor.wait()
"""
EVALUATION = """
view = studio.go_to("Evaluate")
view.evaluate()
view.follower.wait()
"""
ANALYSIS = """
studio.go_to("Trajectories")
studio.bar.start()
studio.bar.wait()
"""


def test_it_waits_for_a_person_and_then_leads_to_their_clip(tmp_path, whole):
    with Book("00", tmp_path, whole) as book:
        book.run_all()
        assert "60 of 63 frames are labeled: label 3 more" in book.said("tour-08")
        assert len(book.waiting()) == 8
        assert book.do("print(len(project.runs()))") == "0\n"
        book.go_on(
            {
                "tour-08": FRAMES,
                "tour-12": TRAINING.format(wanted={"minutes": 3} if whole else FEW),
                "tour-14": EVALUATION,
                "tour-16": ANALYSIS,
                "tour-23": "player.state.frame = 120",
            }
        )
        assert "within 2.0 px of the expert" in book.said("tour-08")
        assert "image/png" in book.kinds("tour-12")
        assert "video/mp4" in book.said("tour-23") or "text/html" in book.kinds("tour-23")
