"""ZoneEditor without a browser: what is drawn is on disk, what is on disk is drawn, scale, copies, misfits."""

from contextlib import closing

import numpy as np
import pytest

from dlcnb import ZoneEditor
from dlcnb.project import Project, Scale, scale_of, set_scale
from dlcnb.video import VideoWriter
from dlcnb.zones import Zone, ZoneFile, read_zones, zones_path

SIZE, SMALL = (96, 128), (48, 64)
BOX = Zone("box", "rectangle", ((20, 20), (60, 50)))


@pytest.fixture
def project(tmp_path):
    for name, size in (("one", SIZE), ("two", SMALL)):
        with VideoWriter(tmp_path / f"{name}.mp4", size, 25) as writer:
            for level in (40, 90):
                writer.write(np.full((*size, 3), level, np.uint8))
    videos = [tmp_path / "one.mp4", tmp_path / "two.mp4"]
    return Project.create("maze", "ada", videos, ["nose"], parent=tmp_path)


@pytest.fixture
def editor(project):
    made = ZoneEditor(project, width=256)
    assert made.wait()
    yield made
    made.close()


def point(editor, kind, x, y):
    """The pointer at a place of the frame."""
    cx, cy = editor.state.fit.to_canvas((x, y))
    editor._on_input({"type": kind, "surface": 0, "x": float(cx), "y": float(cy), "button": 0})


def click(editor, x, y):
    point(editor, "down", x, y)
    point(editor, "up", x, y)


def drag(editor, a, b):
    point(editor, "down", *a)
    point(editor, "move", *b)
    point(editor, "up", *b)


def key(editor, name):
    editor._on_input({"type": "key", "key": name, "repeat": False})


def test_what_is_drawn_is_kept_at_once_and_there_again(project, editor):
    key(editor, "r")
    drag(editor, (20, 20), (60, 50))
    editor.controls.name.value = "box"
    assert read_zones(project, "one", SIZE) == (BOX,)
    drag(editor, (60, 50), (70, 60))
    assert read_zones(project, "one", SIZE)[0].box == (20, 20, 70, 60)
    key(editor, "Ctrl+z")
    again = ZoneEditor(project, "one")
    assert again.state.zones == (BOX,)
    again.close()


def test_another_programs_change_is_told_and_read_again(project, editor):
    file = ZoneFile(zones_path(project, "one"), SIZE)
    file.read()
    file.write([BOX])
    key(editor, "e")
    key(editor, "Enter")
    assert "changed by another program or tab" in editor.status_line.value
    assert read_zones(project, "one", SIZE) == (BOX,)
    editor.refresh()
    assert editor.state.zones == (BOX,)
    assert editor.status_line.value == ""


def test_two_clicks_and_a_length_are_the_scale(project, editor):
    key(editor, "l")
    assert editor.controls.set_scale.disabled
    click(editor, 20, 30)
    click(editor, 80, 30)
    editor.controls.width.value = 12
    editor.controls.set_scale.click()
    assert scale_of(project, "one").px_per_cm == pytest.approx(5)
    assert "5 px per cm" in editor.controls.scale.value
    editor.undo_scale()
    assert scale_of(Project.open(project.root), "one") is None


def test_a_length_can_be_dragged_and_how_is_said_where_one_looks(project, editor):
    key(editor, "l")
    assert "drag along it" in editor.status_line.value
    drag(editor, (20, 30), (80, 30))
    assert editor.state.measured
    drag(editor, (79, 30), (70, 30))  # its second end once more
    editor.controls.width.value = 10
    editor.controls.set_scale.click()
    assert scale_of(project, "one").px_per_cm == pytest.approx(5)


def test_a_second_drag_measures_another_length(project, editor):
    key(editor, "l")
    drag(editor, (20, 30), (80, 30))
    drag(editor, (40, 10), (40, 50))
    editor.controls.width.value = 10
    editor.controls.set_scale.click()
    assert scale_of(project, "one").px_per_cm == pytest.approx(4)


def test_a_length_goes_on_after_delete_in_the_middle_of_its_drag(project, editor):
    key(editor, "l")
    point(editor, "down", 20, 30)
    key(editor, "Delete")
    point(editor, "move", 80, 30)
    point(editor, "up", 80, 30)
    assert editor.state.measured
    assert not editor.failed


def test_what_was_measured_stays_with_another_tool_until_it_is_set_or_dropped(project, editor):
    key(editor, "l")
    click(editor, 20, 30)
    click(editor, 80, 30)
    key(editor, "r")
    drag(editor, (20, 20), (60, 50))
    assert len(editor.state.zones) == 1
    assert "not kept yet" in editor.controls.scale.value
    editor.controls.width.value = 12
    editor.controls.set_scale.click()
    assert editor.scale.px_per_cm == pytest.approx(5)
    assert (editor.state.ruler, editor.controls.drop.disabled) == ((), True)
    key(editor, "l")
    click(editor, 20, 30)
    key(editor, "v")
    editor.controls.drop.click()
    assert editor.state.ruler == ()


def test_points_of_a_length_are_no_corners(project, editor):
    key(editor, "l")
    click(editor, 20, 30)
    click(editor, 80, 30)
    key(editor, "c")
    assert editor.controls.set_scale.disabled
    assert "(0 of 4)" in editor.controls.scale.value
    key(editor, "l")
    assert not editor.controls.set_scale.disabled
    key(editor, "c")
    click(editor, 40, 20)
    assert len(editor.state.ruler) == 1


def test_what_was_measured_in_another_video_is_said_to_be_gone(project, editor):
    key(editor, "l")
    click(editor, 20, 30)
    editor.controls.video.value = "two"
    assert "was not kept, and is gone" in editor.status_line.value
    assert editor.state.ruler == ()


def test_four_clicks_are_the_scale_of_a_slanted_camera(project, editor):
    key(editor, "c")
    for place in ((40, 20), (80, 20), (110, 80), (10, 80)):
        click(editor, *place)
    editor.measure(30, 20, whole=True)
    assert editor.scale.size_cm == (30, 20)
    np.testing.assert_allclose(editor.scale.to_cm([(40, 20), (110, 80)]), [(0, 0), (30, 20)], atol=1e-6)


def test_the_field_has_the_centimetres_that_were_measured_by(project):
    for scale, shown in (
        (Scale.by_line([(20, 30), (70, 30)], 12.5, SIZE), (12.5, 30)),
        (Scale.by_corners([(40, 20), (80, 20), (110, 80), (10, 80)], (50, 25), SIZE), (50, 25)),
        (Scale.by_number(5), (40, 30)),
    ):
        set_scale(project, scale)
        with closing(ZoneEditor(project)) as editor:
            assert (editor.controls.width.value, editor.controls.height.value) == shown


def test_zones_are_copied_to_fit_and_shown_there(project, editor):
    key(editor, "r")
    drag(editor, (20, 20), (60, 50))
    editor.copy(["two"])
    editor.controls.video.value = "two"
    np.testing.assert_allclose(editor.state.zones[0].box, (9.75, 9.75, 29.75, 24.75))
    editor.controls.video.value = "one"
    editor.copy(["two"])
    assert "has zones already" in editor.status_line.value
    editor.controls.replace.value = True
    editor.copy(["two"])
    assert "Copied to two" in editor.status_line.value


def test_zones_of_other_frames_are_told_never_written_over_and_fitted_by_a_button(project, editor):
    file = ZoneFile(zones_path(project, "two"), SIZE)
    file.read()
    file.write([BOX])
    before = file.path.read_text()
    editor.controls.video.value = "two"
    assert "drawn on frames of 128×96 px" in editor.status_line.value
    key(editor, "r")
    key(editor, "Enter")
    assert "not written over" in editor.status_line.value
    assert file.path.read_text() == before
    editor.controls.fit.click()
    np.testing.assert_allclose(read_zones(project, "two", SMALL)[0].box, (9.75, 9.75, 29.75, 24.75))
    assert editor.controls.fit.layout.display == "none"


def test_the_picture_has_the_zones(editor):
    before = np.asarray(editor.snapshot()).copy()
    editor.make("plus maze", 0.3)
    assert (np.asarray(editor.snapshot()) != before).any()
    assert editor.controls.list.options[0][0] == "centre"
    assert editor.controls.list.value == (0, 1, 2, 3, 4)  # all that were made, as the list shows
    assert all(f"{name}</span>" in editor.controls.facts.value for name, _ in editor.controls.list.options)
    editor.controls.list.value = (2,)
    assert editor.state.zone.name == "arm right"


def test_every_key_does_something_without_a_zone(editor):
    for name in editor.input._keys:
        key(editor, name)
    assert "dlcnb-error" not in editor.status_line.value


def test_alone_it_has_no_button_to_a_table(editor):
    assert editor.controls.times.layout.display == "none"


def test_one_length_has_one_field_and_what_was_told_before_goes(editor):
    key(editor, "l")
    assert editor.controls.second.layout.visibility == "hidden"
    key(editor, "c")
    assert editor.controls.second.layout.visibility == "visible"
    key(editor, "l")
    drag(editor, (20, 30), (80, 30))
    editor.controls.set_scale.click()
    assert "Kept" in editor.status_line.value
    editor.make("quadrants", 0.5)
    assert "Kept" not in editor.status_line.value


def test_no_zone_is_made_around_one_beyond_the_horizon(project, editor):
    set_scale(project, Scale.by_corners([(63, 20), (65, 20), (110, 80), (10, 80)], (50, 25), SIZE))
    editor.refresh()
    key(editor, "r")
    drag(editor, (40, 4), (60, 12))
    editor.grow(2)
    assert len(editor.state.zones) == 1
    assert "beyond the horizon" in editor.status_line.value


def test_a_zone_around_another_one_is_wider_by_cm_where_a_scale_is_known(project, editor):
    controls, widen = editor.controls, editor.controls.around.children[0]
    key(editor, "r")
    drag(editor, (40, 40), (60, 50))
    assert (controls.margin.value, controls.margin_unit.value) == (20, "px")
    controls.margin.value = 10
    widen.click()
    assert editor.state.zones[-1].box == pytest.approx((30, 30, 70, 60), abs=0.5)
    set_scale(project, Scale.by_number(5))
    editor.refresh()
    assert (controls.margin.value, controls.margin_unit.value) == (2, "cm")
    editor.state.choose((0,))
    widen.click()
    assert editor.state.zones[-1].box == pytest.approx((30, 30, 70, 60), abs=0.5)
    set_scale(project, None)
    editor.refresh()
    assert controls.margin_unit.value == "px"
