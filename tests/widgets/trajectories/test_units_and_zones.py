"""TrajectoryView in centimetres, and its section on zones."""

import numpy as np
import pandas as pd
import pytest
from support.projects import copy_of
from support.widgets import painted
from traitlets import TraitError

from dlcnb import TrajectoryView
from dlcnb.poses import Poses
from dlcnb.project import Scale, set_scale, undo_scale
from dlcnb.tables.errors import TableError
from dlcnb.video import VideoReader
from dlcnb.widgets.trajectories.plots import hex_colors
from dlcnb.widgets.trajectories.state import TrajectoryState
from dlcnb.zones import ZoneFile, quadrants, zones_path

COUNT, PX_PER_CM = 40, 4.0


@pytest.fixture
def project(arena_project, tmp_path):
    return copy_of(arena_project, tmp_path)


@pytest.fixture
def view(project):
    """The first bodypart goes 60 px/s to the right; the others rest."""
    set_scale(project, Scale.by_number(PX_PER_CM))
    with VideoReader(project.videos[0]) as reader:
        times, count = reader.times, len(reader.times)
        file = ZoneFile(zones_path(project, project.videos[0]), reader.size)
        height, width = reader.size
    points = np.full((count, len(project.bodyparts), 2), 10.0)
    points[:, 0, 0] = 5 + 60 * (times - times[0])
    poses = Poses(project.bodyparts, "DLC_test", points, np.full(points.shape[:2], 0.9))
    file.read()
    file.write(quadrants((-0.5, -0.5, width - 0.5, height - 0.5)))
    yield from painted(TrajectoryView(project, poses=poses))


def test_lengths_are_in_cm_everywhere(view):
    state = view.state
    state.look(0, COUNT)
    view.controls.length.value = "px"
    in_px = state.table()
    view.controls.length.value = "cm"
    assert view.wait()
    in_cm, name = state.table(), state.bodyparts[0]
    np.testing.assert_allclose(in_cm[f"{name}_x_cm"], in_px[f"{name}_x_px"] / PX_PER_CM)
    np.testing.assert_allclose(in_cm[f"{name}_speed_cm_s"], 60 / PX_PER_CM, rtol=1e-3)
    assert view.plots.over_time["speed-0"].left.label == "speed (cm/s)"
    assert view.plots.plane.bottom.label == "x (cm)"
    assert state.trails(0)[0][-1][0] == pytest.approx(5 / PX_PER_CM)
    assert state.selection().unit == "cm"
    assert view.player.state.visible_points()[0][0] == pytest.approx(5)  # the player draws in px as ever
    view.controls.length.value = "px"
    pd.testing.assert_frame_equal(state.table(), in_px)


def test_the_unit_of_lengths_is_that_of_last_time(view, project):
    view.controls.length.value = "cm"
    again = TrajectoryView(project, poses=view.state.poses)
    assert again.state.length == again.controls.length.value == "cm"
    again.controls.length.value = "px"
    again.close()
    last = TrajectoryView(project, poses=view.state.poses)
    assert last.state.length == "px"
    last.close()


def test_lengths_are_in_cm_as_soon_as_there_is_a_scale(view, project):
    undo_scale(project)
    view.refresh()
    assert view.state.length == view.controls.length.value == "px"
    set_scale(project, Scale.by_number(PX_PER_CM))
    view.refresh()
    assert view.state.length == view.controls.length.value == "cm"
    view.controls.length.value = "px"
    set_scale(project, Scale.by_number(2 * PX_PER_CM))
    view.refresh()
    assert view.state.length == "px"  # as it was chosen


def test_cm_without_a_scale_are_refused_and_poses_in_cm_not_written(project, tmp_path):
    poses = Poses(("nose",), "DLC_test", np.zeros((3, 1, 2)), np.ones((3, 1)))
    state = TrajectoryState(poses, np.arange(3))
    with pytest.raises(TraitError, match="no scale is known"):
        state.length = "cm"
    with pytest.raises(TableError, match="expected poses in px"):
        poses.in_cm(Scale.by_number(2)).write(tmp_path / "m.mp4")


def test_the_section_on_zones_measures_the_part_looked_at(view, tmp_path):
    panel, state = view.zones, view.state
    state.bodyparts = state.bodyparts[:1]
    assert panel.table.value == ""
    panel.open_button.value = True
    assert view.wait()
    assert "top left" in panel.table.value
    assert panel.bodypart.value == state.bodyparts[0]
    assert "the whole video" in panel.table.value
    assert bytes(panel.picture.value).startswith(b"\x89PNG")
    state.look(0, COUNT)
    view.controls.length.value = "cm"
    assert view.wait()
    assert f"frames 0 – {COUNT - 1}" in panel.table.value
    assert "speed (cm/s)" in panel.table.value
    view.save_csv()
    panel.csv.click()
    assert "zones" in view.said  # not the table that was saved before
    table = pd.read_csv(panel.save(tmp_path / "z.csv")).set_index("zone")
    assert table["time_s"].sum() == pytest.approx(COUNT / 30, rel=1e-3)
    np.testing.assert_allclose(table.loc["top left", "mean_speed_cm_s"], 15, rtol=1e-3)
    panel.open_button.value = False
    assert view.wait()
    assert len(panel.children) == 1


def test_without_zones_the_section_says_how_to_draw_them(view):
    zones_path(view.project, view.video).unlink()
    view.zones.open_button.value = True
    assert view.wait()
    assert "draw them (in Studio: Look, Zones" in view.zones.table.value
    view.zones.csv.click()
    assert "draw them (in Studio: Look, Zones" in view.status_line.value


def test_the_table_of_zones_says_how_long_the_bodypart_is_known(project):
    with VideoReader(project.videos[0]) as reader:
        count, (height, width) = len(reader.times), reader.size
        file = ZoneFile(zones_path(project, project.videos[0]), reader.size)
    file.read()
    file.write(quadrants((-0.5, -0.5, width - 0.5, height - 0.5)))
    points = np.full((count, len(project.bodyparts), 2), 10.0)
    likelihood = np.full(points.shape[:2], 0.9)
    likelihood[count // 4 :, 0] = 0.01  # the first one is known in a quarter of the video only
    for made in painted(TrajectoryView(project, poses=Poses(project.bodyparts, "DLC_test", points, likelihood))):
        made.zones.open_button.value = True
        assert made.wait()
        told = made.zones.table.value
        made.zones.every.value = True
        assert made.wait()
        whole = made.zones.table.value
    seconds, first, second = f"{count / 4 / 30:.2f}", *project.bodyparts[:2]
    assert f"{first}, seen for {seconds} s (25 %)" in told
    assert f"<td>{seconds}</td><td>100 %</td>" in told
    assert second not in told, "one bodypart first"
    assert f"<td>{seconds} s (25 %)</td>" in whole
    assert second in whole


def test_the_words_of_the_table_are_plain_and_explained(view):
    view.zones.open_button.value = True
    assert view.wait()
    told, fields = view.zones.table.value, [one.value for one in view.zones.fields.children[1].children[::2]]
    for jargon in ("latency", "of known s"):
        assert jargon not in told
    assert 'title="When the zone was first entered' in told
    assert fields == ["stays of at least", "s count"]


def test_the_table_warns_of_distances_of_unfiltered_poses(view):
    view.zones.open_button.value = True
    for show, warned in (("raw", True), ("filtered", False), ("raw", True)):
        view.state.show = show
        assert view.wait()
        assert ("makes distances and speeds too large" in view.zones.table.value) == warned


def test_the_map_of_the_time_has_the_unit_of_the_table(view):
    view.zones.open_button.value = True
    assert view.wait()
    for length, label in (("cm", "seconds per 5 cm square"), ("px", "seconds per 16 px square")):
        view.controls.length.value = length
        assert view.wait()
        zones, (_, stays) = view.zones.found()
        _, ground, bar = view.zones._figure(zones, stays).axes
        assert bar.get_ylabel() == label
        assert ground.get_xlabel() == f"x ({length})"


def test_lines_are_seen_in_light_pages_and_in_dark_ones(view):
    grounds = np.array([luminance(255), luminance(0x21), luminance(0x11)])
    for count in range(1, 31):
        for color in hex_colors(count):
            light = luminance(*bytes.fromhex(color[1:]))
            least = (np.maximum(grounds, light) + 0.05) / (np.minimum(grounds, light) + 0.05)
            assert least.min() >= 3, (count, color)
    assert set(view.plots.plane.paths.opacities) == {1.0}
    assert view.plots.plane.paths.stroke_width >= 1


def luminance(red, green=None, blue=None):
    """Of a colour or a grey, as sRGB defines it."""
    share = np.array([red, red if green is None else green, red if blue is None else blue]) / 255
    linear = np.where(share <= 0.04045, share / 12.92, ((share + 0.055) / 1.055) ** 2.4)
    return float(linear @ [0.2126, 0.7152, 0.0722])
