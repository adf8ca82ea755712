"""Centimetres: measured three ways, kept beside config.yaml, changed and undone."""

import math
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from dlcnb.project import Project, ProjectError, Scale, scale_of, set_scale, undo_scale
from dlcnb.project.scale import SCALES
from dlcnb.video import VideoWriter


def video(path, size=(48, 64)):
    with VideoWriter(path, size, 25) as writer:
        writer.write(np.zeros((*size, 3), np.uint8))
    return path


@pytest.fixture
def project(tmp_path):
    return Project.create("maze", "ada", [video(tmp_path / f"{name}.mp4") for name in "ab"], ["nose"], parent=tmp_path)


def test_a_line_of_known_length():
    scale = Scale.by_line([(10, 10), (40, 50)], 25)
    assert scale.px_per_cm == 2
    np.testing.assert_allclose(scale.to_cm([[2, 4], [np.nan, np.nan]]), [[1, 2], [np.nan, np.nan]])


def test_four_corners_straighten_what_a_slanted_camera_sees():
    ground = np.array([(0, 0), (40, 0), (40, 30), (0, 30), (20, 15), (10, 30)])
    camera = np.array([[8.0, 1.5, 100], [0.3, 5.0, 60], [0.001, 0.01, 1]])
    seen = np.column_stack([ground, np.ones(6)]) @ camera.T
    seen = seen[:, :2] / seen[:, 2:]
    scale = Scale.by_corners(seen[:4], (40, 30))
    np.testing.assert_allclose(scale.to_cm(seen), ground, atol=1e-9)
    assert np.isnan(scale.to_cm([np.nan, 3.0])).all()


def test_what_lies_beyond_the_horizon_is_nowhere():
    scale = Scale.by_corners([(40, 50), (60, 50), (90, 100), (10, 100)], (10, 10))
    assert np.isnan(scale.to_cm([50.0, -500.0])).all()
    assert np.isfinite(scale.to_cm([50.0, 90.0])).all()
    assert np.isnan(scale.to_cm([[50.0, np.inf], [-np.inf, 0.0]])).all()


def test_corners_may_be_given_in_any_turn_around_the_rectangle():
    corners = np.array([(0, 0), (40, 0), (40, 30), (0, 30)]) * 4.0 + 7
    for order in ([0, 1, 2, 3], [2, 3, 0, 1]):
        scale = Scale.by_corners(corners[order], (40, 30))
        ends = scale.to_cm(corners[[0, 2]])
        assert math.dist(*ends) == pytest.approx(50)


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: Scale.by_number(0), "above 0"),
        (lambda: Scale.by_number(math.nan), "above 0"),
        (lambda: Scale.by_line([(3, 3), (3, 3)], 10), "one point"),
        (lambda: Scale.by_line([(3, 3), (9, 3)], -1), "above 0 cm, found -1$"),
        (lambda: Scale.by_line([(3, 3)], 10), "expected 2 points"),
        (lambda: Scale.by_corners([(0, 0), (1, 1), (2, 2), (0, 5)], (1, 1)), "on a line"),
        (lambda: Scale.by_corners([(5, 5), (90, 50), (90, 5), (5, 50)], (4, 3)), "in order around it"),
        (lambda: Scale.by_corners([(5, 5), (90, 5), (30, 15), (5, 50)], (4, 3)), "in order around it"),
    ],
)
def test_what_can_be_no_scale(make, words):
    with pytest.raises(ProjectError, match=words):
        make()


def test_a_video_has_its_own_scale_or_the_projects(project):
    assert scale_of(project, "a") is None
    set_scale(project, Scale.by_number(4))
    set_scale(project, Scale.by_line([(0, 0), (30, 0)], 10), "b.mp4")
    again = Project.open(project.root)
    assert scale_of(again, "a").px_per_cm == 4
    assert scale_of(again, project.videos[1]).px_per_cm == 3
    assert str(scale_of(again, "b")) == "3 px per cm, from a line of 10 cm"


def test_two_at_once_lose_nothing(project):
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda n: set_scale(project, Scale.by_number(n)), range(1, 13)))
    assert sum(undo_scale(project) != "" for _ in range(12)) == 12
    with pytest.raises(ProjectError, match="no change"):
        undo_scale(project)


def test_undo_goes_back_step_by_step_and_says_what_is_now(project):
    set_scale(project, Scale.by_number(4))
    set_scale(project, Scale.by_corners([(0, 0), (9, 0), (9, 9), (0, 9)], (3, 3)), "a")
    set_scale(project, None, "a")
    assert undo_scale(project) == "video a: four corners of 3 × 3 cm"
    assert undo_scale(project) == "video a: no scale"
    assert undo_scale(project) == "project: no scale"
    with pytest.raises(ProjectError, match="no change of the scale"):
        undo_scale(project)


def test_the_config_has_no_key_that_deeplabcut_does_not_know(project):
    before = (project.root / "config.yaml").read_bytes()
    set_scale(project, Scale.by_number(4, (48, 64)), "a")
    assert (project.root / "config.yaml").read_bytes() == before


def test_a_scale_of_frames_of_another_size_is_refused(project):
    set_scale(project, Scale.by_number(4, (480, 640)))
    with pytest.raises(ProjectError, match="measured in frames of 640×480 px, a has 64×48"):
        scale_of(project, "a", (48, 64))


@pytest.mark.parametrize(
    "text",
    [
        *("7", "", "[", "[" * 99_999),
        *('{"project": 3}', '{"project": {"px_per_cm": "x"}}', '{"project": {"line": [1]}}'),
        f'{{"project": {{"px_per_cm": 1{"0" * 400}}}}}',
        *(f'{{"project": {{"px_per_cm": 5, "frame_size": {size}}}}}' for size in ("[5]", "[5, 5, 5]", "[5, Infinity]")),
        '{"project": {"corners": [[0, 0], [1e300, 0], [1, 1e300], [0, 1]], "size_cm": [1, 1]}}',
        *(f'{{"before": [{one}]}}' for one in ("5", "{}", '{"video": {}, "was": null}')),
    ],
)
def test_nonsense_in_the_file_is_told_with_the_cure(project, text):
    (project.root / SCALES).write_text(text)
    with pytest.raises(ProjectError, match="set the scale again"):
        scale_of(project, "a")
