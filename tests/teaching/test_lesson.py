"""A lesson from its name alone, a student's project, and exercises that fail before they are done and pass after."""

import json

import numpy as np
import pytest

from dlcnb.poses import Poses
from dlcnb.sampledata import arena_poses
from dlcnb.teaching import (
    EXERCISES,
    Board,
    ClassError,
    HandIn,
    Lesson,
    check,
    fill_labels,
    odd_labels,
    show_odd_labels,
    show_sure_points,
)
from dlcnb.teaching.lesson import CARD, FILE

LESSON = Lesson("monday", size=(120, 160))


@pytest.fixture(scope="module")
def started(tmp_path_factory):
    return LESSON.start(tmp_path_factory.mktemp("class"), "Kim")


def test_equal_names_give_equal_frames_and_others_other_ones():
    again, other = Lesson("monday", size=(120, 160)), Lesson("tuesday", size=(120, 160))
    assert again.images == LESSON.images
    np.testing.assert_array_equal(again.truth, LESSON.truth)
    assert Lesson(" Monday", size=(120, 160)) == LESSON  # as people type it
    assert np.abs(other.truth - LESSON.truth).max() > 5
    assert not set(LESSON.frames[0]) & set(LESSON.frames[1])


def test_a_students_project_has_the_classes_frames_and_no_label(started):
    found = {path.relative_to(started.root).as_posix() for path in started.labeled_dir(started.videos[0]).glob("*.png")}
    assert found == set(LESSON.images)
    assert not np.isfinite(LESSON.hand_in(started).points).any()


def test_starting_again_goes_on_with_the_same_copy(started):
    again = LESSON.start(started.root.parent, "Kim")
    assert again.root == started.root
    assert LESSON.hand_in(again).key == LESSON.hand_in(started).key
    assert LESSON.hand_in(LESSON.start(started.root.parent, "Lea")).key != LESSON.hand_in(started).key


def test_a_project_of_another_lesson_or_of_none_is_refused(started):
    with pytest.raises(ClassError, match="belongs to the lesson 'monday', expected 'tuesday'"):
        Lesson("tuesday").hand_in(started)
    with pytest.raises(ClassError, match="plain one"):
        LESSON.start(started.root.parent, "a/b")
    with pytest.raises(ClassError, match="plain one"):
        Lesson("../monday")


def test_a_strangers_key_leads_nowhere(tmp_path):
    project = LESSON.start(tmp_path / "a", "Kim")
    for entry in ({"student": "Kim", "key": "/../../x"}, {"student": 5, "key": "0" * 32}):
        (project.root / FILE).write_text(json.dumps({"lesson": "monday", **entry}))
        with pytest.raises(ClassError, match="expected a student's name and a key"):
            LESSON.hand_in(project)
    (project.root / FILE).write_text("[" * 99_999)
    with pytest.raises(ClassError, match="is damaged"):
        LESSON.hand_in(project)


def test_points_that_no_exercise_gives_are_left_out(started):
    path = started.root / CARD
    path.write_text('{"a": 1e999, "b": NaN, "c": -1, "d": "x", "e": 2}')
    assert HandIn.parse(LESSON.hand_in(started).to_text().encode(), "Kim.json").card == {"e": 2.0}
    path.unlink()


@pytest.mark.parametrize("name", EXERCISES)
def test_an_exercise_fails_before_it_is_done_and_passes_after_its_solution(name, tmp_path):
    project = LESSON.start(tmp_path, "Kim")
    before = check(LESSON, project, name)
    assert not before.passed
    assert LESSON.hand_in(project).card[name] == 0
    after = check(LESSON, project, name, EXERCISES[name].solution(LESSON, project))
    assert after.passed, after.words
    assert LESSON.hand_in(project).card[name] == EXERCISES[name].points
    assert "\n" not in before.words + after.words


def test_who_looks_at_the_pictures_finds_the_answers(started):
    panels = show_odd_labels().axes
    assert [ax.get_title() for ax in panels] == [str(n) for n in range(1, 21)]
    marks = [[line.get_xydata()[0] for line in ax.lines[-len(LESSON.bodyparts) :]] for ax in panels]
    np.testing.assert_allclose(marks, odd_labels()[0].points)
    (ax,) = show_sure_points().axes
    points, upright, level = (line.get_xydata() for line in ax.lines)
    seen = int(((points[:, 0] > upright[0, 0]) & (points[:, 1] > level[0, 1])).sum())
    assert check(LESSON, started, "when does the likelihood lie", seen).passed


@pytest.mark.parametrize("answer", [[12], "12", True, 12.5, {}, np.arange(3), object()])
def test_an_answer_of_another_kind_is_told_what_is_asked_for(started, answer):
    for name in ("how many frames are enough", "when does the likelihood lie"):
        verdict = check(LESSON, started, name, answer)
        assert not verdict.passed
        assert verdict.words.startswith("Answer with ")


def test_points_of_a_stage_pass_no_exercise_until_they_are_moved(tmp_path):
    project, name = LESSON.start(tmp_path, "Kim"), "label five frames"
    fill_labels(LESSON, project)
    before = check(LESSON, project, name)
    assert not before.passed
    assert "once you have moved them" in before.words
    EXERCISES[name].solution(LESSON, project)
    assert check(LESSON, project, name).passed
    assert LESSON.hand_in(project).given.sum() == LESSON.truth[..., 0].size - 5 * len(LESSON.bodyparts)


def test_a_lesson_trains_on_all_frames_as_hidden_ones_are_its_test(started):
    assert started.train_fraction == 1


def test_points_once_reached_stay(tmp_path):
    project, name = LESSON.start(tmp_path, "Kim"), "which labels are wrong"
    check(LESSON, project, name, EXERCISES[name].solution(LESSON, project))
    assert not check(LESSON, project, name, [1]).passed
    assert LESSON.hand_in(project).card[name] == EXERCISES[name].points


def test_an_unknown_exercise_names_those_there_are(started):
    with pytest.raises(KeyError, match="label five frames"):
        check(LESSON, started, "dance")


def test_the_road_from_labels_and_poses_to_the_board(tmp_path):
    project = LESSON.start(tmp_path, "Kim")
    EXERCISES["label five frames"].solution(LESSON, project)
    truth = arena_poses(LESSON.arena)
    Poses(LESSON.bodyparts, "DLC_net", truth + [3, 4], np.ones(truth.shape[:2])).write(project.videos[0])
    path = LESSON.hand_in(project).write(tmp_path)
    board = Board(LESSON.name, LESSON.bodyparts, LESSON.images, [HandIn.read(path)], LESSON.hidden)
    (standing,) = board.standings()
    assert (standing.student, standing.labeled) == ("Kim", 5)
    assert standing.network_px == pytest.approx(5, abs=0.01)
