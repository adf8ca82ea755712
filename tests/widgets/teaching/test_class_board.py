"""ClassBoard: files that appear in a folder, that are uploaded, and that are spoilt."""

import hashlib
from dataclasses import replace

import numpy as np
import pytest
from support.waiting import until

from dlcnb import ClassBoard
from dlcnb.teaching import SUFFIX, HandIn

PARTS, IMAGES = ("snout", "tailbase"), tuple(f"labeled-data/a/img{n}.png" for n in range(3))
TRUTH = np.arange(12.0).reshape(3, 2, 2) * 20


class Lesson:
    name, bodyparts, images, hidden = "monday <b>", PARTS, IMAGES, TRUTH[:1]


def hand_in(student, **changes):
    return replace(
        HandIn("monday <b>", student, hashlib.md5(student.encode()).hexdigest(), PARTS, IMAGES, TRUTH), **changes
    )


@pytest.fixture
def view(tmp_path):
    made = ClassBoard(tmp_path / "class", Lesson())
    yield made
    made.close()


def test_an_empty_board_says_what_will_be_here(view):
    assert "Nobody has handed in yet" in view.students.value
    assert "monday &lt;b&gt;" in view.headline.value


def test_a_file_appears_by_itself_and_names_are_shown_as_written(view):
    hand_in("<i>Kim</i>").write(view.folder)
    until(lambda: view.board.names == ["<i>Kim</i>"])
    until(lambda: "&lt;i&gt;Kim&lt;/i&gt;" in view.students.value)
    assert "3 of 3" in view.students.value
    assert "1 students, 1 with all 3 frames" not in view.headline.value
    assert "1 student, 1 with all 3 frames" in view.headline.value


def test_an_uploaded_file_is_taken_and_a_newer_one_replaces_it(view, tmp_path):
    for made in (hand_in("Kim"), hand_in("Kim", predicted=TRUTH[:1] + [3, 4])):
        path = tmp_path / "download (1).json"
        path.write_text(made.to_text())
        view._on_arrived(path)
        assert not path.exists()
    assert len(list(view.folder.glob(f"*{SUFFIX}"))) == 1
    assert "5.0 px" in view.leaders.value


def test_half_a_file_is_one_line_and_the_rest_is_shown(view, tmp_path):
    hand_in("Lea").write(view.folder)
    path = tmp_path / "half.json"
    path.write_text(hand_in("Kim").to_text()[:100])
    view._on_arrived(path)
    other = tmp_path / "kim.json"
    other.write_text(hand_in("Kim").to_text())
    view._on_arrived(other)
    assert "half.json" in view.problems.value  # also when another one is in
    assert view.board.names == ["Kim", "Lea"]
    path.write_text(hand_in("Ada").to_text())
    view._on_arrived(path)
    assert view.problems.value == ""
    assert view.board.names == ["Ada", "Kim", "Lea"]


def test_a_still_picture_of_it(view):
    for name in "abc":
        hand_in(name).write(view.folder)
    view.refresh()
    assert np.asarray(view.snapshot()).std() > 0
