"""TrajectoryView: what its state computes, and what gestures do, without a browser."""

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from support.widgets import painted
from traitlets import TraitError

from dlcnb import Player, TrajectoryView, sampledata
from dlcnb.poses import Poses
from dlcnb.trajectories import speed
from dlcnb.widgets.base.axes import ticks
from dlcnb.widgets.base.envelope import Envelope, extreme_frames
from dlcnb.widgets.trajectories.plots import few
from dlcnb.widgets.trajectories.state import KINDS, POINTS, TrajectoryState
from dlcnb.widgets.trajectories.steps import BINS

SIZE, FRAMES, SPIKE = (120, 160), 60, 41


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    arena = sampledata.Arena(seed=0, n_frames=FRAMES, size=SIZE)
    made = sampledata.synthetic_project(tmp_path_factory.mktemp("tiny"), n_label=4, arena=arena)
    made.poses = poses_of(sampledata.arena_poses(arena), made.bodyparts)
    made.poses.write(made.videos[0])
    return made


def poses_of(truth, bodyparts):
    """Good poses but for one frame, in which the snout is far off and unlikely."""
    likelihood = np.full(truth.shape[:2], 0.95)
    points = truth + 0.25
    points[SPIKE, 0] += (30, -20)
    likelihood[SPIKE, 0] = 0.1
    return Poses(bodyparts, "DLC_test", points, likelihood)


@pytest.fixture
def state(project):
    return TrajectoryState(project.poses, np.arange(FRAMES) / 30)


@pytest.fixture
def view(project):
    yield from painted(TrajectoryView(project))


def send(view, **message):
    view.input._handle_custom_msg(message, [])


def click(view, plot, x, y):
    """Click at a place in a plot's own units."""
    made = {"plane": view.plots.plane, "step-0": view.plots.steps[0], **view.plots.over_time}[plot]
    share = [(v - s.min) / (s.max - s.min) for v, s in ((x, made.x), (y, made.y))]
    y = share[1] if made.y.reverse else 1 - share[1]
    send(view, type="click", plot=plot, x=share[0], y=y, width=600, height=100)


class TestEnvelope:
    @pytest.mark.parametrize("part", [(0, 300_000), (1234, 250_001), (99_000, 130_000), (5, 900)])
    def test_no_extreme_is_lost(self, part):
        rng = np.random.default_rng(0)
        values = rng.normal(0, 1, 300_000)
        values[rng.random(300_000) < 0.3] = np.nan
        values[123_456] = 50
        x, y = Envelope(values).between(*part, 2000)
        inside = values[part[0] : part[1]]
        assert len(x) == len(y) <= 2000
        assert part[0] <= x[0] <= x[-1] < part[1]
        assert (np.diff(x) >= 0).all()
        assert np.nanmin(y) <= np.float32(np.nanmin(inside))
        assert np.nanmax(y) >= np.float32(np.nanmax(inside))
        if part[0] < 123_456 < part[1]:
            assert abs(x[np.nanargmax(y)] - 123_456) <= 2 * (part[1] - part[0]) / 900

    def test_few_frames_are_drawn_one_by_one(self):
        values = np.array([1, np.nan, 3, 4])
        x, y = Envelope(values).between(1, 4)
        assert x.tolist() == [1, 2, 3]
        np.testing.assert_array_equal(y, [np.nan, 3, 4])

    def test_gaps_stay_gaps(self):
        values = np.ones(100_000)
        values[40_000:60_000] = np.nan
        x, y = Envelope(values).between(0, 100_000)
        assert np.isnan(y[(x > 41_000) & (x < 59_000)]).all()
        assert np.isfinite(y[(x < 39_000) | (x > 61_000)]).all()

    def test_a_path_reaches_as_far_as_the_points(self):
        points = np.random.default_rng(1).normal(0, 1, (2, 50_001)).cumsum(axis=1).astype(np.float32)
        points[:, 100:300] = np.nan
        frames = extreme_frames(*points, 1000)
        assert len(frames) <= 1000
        for way in (np.nanmin, np.nanmax):
            np.testing.assert_array_equal(way(points[:, frames], axis=1), way(points, axis=1))


class TestPart:
    def test_brush_zoom_pan_reset(self, state):
        state.look(40.2, 19.6)
        assert (state.start, state.stop) == (20, 40)
        assert state.zoomed
        state.pan(0.5)
        assert (state.start, state.stop) == (30, 50)
        state.pan(5)
        assert (state.start, state.stop) == (40, 60)
        state.zoom(2, 45)
        assert state.start <= 45 < state.stop
        assert state.stop - state.start == 10
        state.zoom(0.001)
        assert not state.zoomed

    def test_never_shorter_than_ten_frames_nor_beyond_the_ends(self, state):
        state.look(58, 59)
        assert (state.start, state.stop) == (50, 60)
        state.look(-100, 3)
        assert state.start == 0

    def test_follow_brings_the_frame_into_view(self, state):
        state.look(0, 20)
        state.frame = 50
        state.follow()
        assert state.start <= 50 < state.stop
        assert state.stop - state.start == 20

    def test_wrong_values_are_refused(self, state):
        with pytest.raises(TraitError, match="snout"):
            state.bodyparts = ("snuot",)
        with pytest.raises(TraitError, match="between 0 and 1"):
            state.pcutoff = 2
        state.frame = 10_000
        assert state.frame == FRAMES - 1
        with pytest.raises(ValueError, match="poses of this video"):
            TrajectoryState(state.poses, np.arange(3))

    def test_points_far_outside_of_the_frame_blow_up_no_axis(self):
        points = np.full((50, 1, 2), 40.0)
        points[20] = (9000, -7000)
        state = TrajectoryState(Poses(("a",), "s", points, np.ones((50, 1))), np.arange(50) / 30, size=(96, 128))
        for kind in ("x", "y", "speed"):
            assert np.nanmax(np.abs(state.line(kind, 0)[1])) <= 40
        assert state.outside == 1
        state.look(30, 50)
        assert state.outside == 0


class TestSeries:
    def test_below_pcutoff_nothing_is_drawn_but_the_likelihood(self, state, project):
        assert np.isnan(state.line("x", 0)[1][SPIKE])
        assert state.line("likelihood", 0)[1][SPIKE] == pytest.approx(0.1)
        assert np.isnan(state.line("speed", 0)[1][SPIKE - 1 : SPIKE + 2]).all()
        state.pcutoff = 0.05
        assert state.line("x", 0)[1][SPIKE] == pytest.approx(project.poses.points[SPIKE, 0, 0])
        expected = speed(project.poses.points[:, 0], times=state.times)
        np.testing.assert_allclose(state.line("speed", 0)[1], expected, rtol=1e-4)

    def test_speed_is_that_of_the_masked_points(self, state, project):
        expected = speed(project.poses.masked(0.6)[:, 0], times=state.times)
        np.testing.assert_allclose(state.line("speed", 0)[1], expected, rtol=1e-4)

    def test_filtered(self, state):
        state.pcutoff = 0
        jump = abs(state.line("x", 0)[1][SPIKE] - state.line("x", 0, True)[1][SPIKE])
        assert jump > 20
        state.method = "savgol"
        assert state.line("x", 0, True)[1][SPIKE] != state.line("x", 0)[1][SPIKE]

    def test_a_million_frames_are_few_points(self):
        n = 1_000_000
        likelihood = np.ones((n, 1))
        likelihood[654_321] = 0.01
        points = np.stack([np.arange(n), np.arange(n)], axis=1)[:, None] % 1000.0
        state = TrajectoryState(Poses(("a",), "s", points, likelihood), np.arange(n) / 30)
        for kind in KINDS:
            assert len(state.line(kind, 0)[0]) <= POINTS <= 2000
        assert state.line("likelihood", 0)[1].min() == pytest.approx(0.01)
        assert len(state.path(0)) <= POINTS
        # a click on the spike as it is drawn, 2 px (2000 frames) beside, means the spike
        assert state.near("likelihood", 652_400, 0.02, (1e-3, 100)) == 654_321

    def test_trails_meet_in_the_present_frame(self, state):
        state.frame, state.trail = 10, 30
        past, future = state.trails(1)
        assert (len(past), len(future)) == (11, 31)
        np.testing.assert_array_equal(past[-1], future[0])

    def test_histogram_holds_every_step(self, state):
        state.pcutoff = 0
        edges, counts = state.histogram(0)
        assert counts.shape == (4, BINS)
        assert counts.sum() == 4 * (FRAMES - 1)
        assert edges[0] == -edges[-1]


class TestGestures:
    def test_a_click_on_the_spike_shows_its_frame(self, view):
        click(view, "likelihood-0", SPIKE - 0.4, 0.12)
        assert view.state.frame == view.player.state.frame == SPIKE

    def test_a_click_beside_the_lines_shows_the_frame_there(self, view):
        click(view, "likelihood-0", 20.2, 0.5)
        assert view.player.state.frame == 20

    def test_a_click_in_the_plane_shows_when_the_animal_was_there(self, view, project):
        click(view, "plane", *project.poses.points[17, 2])
        np.testing.assert_allclose(
            project.poses.points[view.player.state.frame, 2], project.poses.points[17, 2], atol=1
        )

    def test_a_bar_shows_its_frames_in_turn(self, view, project):
        view.state.pcutoff = 0
        view.wait()
        click(view, "step-0", view.plots.steps[0].x.max - 0.01, 1)
        assert view.player.state.frame == SPIKE
        assert "of" in view.status_line.value
        view.state.bodyparts = ("tailbase",)
        view.wait()
        click(view, "step-0", view.plots.steps[0].x.max - 0.01, 1)
        assert "no frames" in view.status_line.value

    def test_brush_double_wheel_and_keys(self, view):
        send(view, type="brush", plot="x-0", **{"from": 0.25, "to": 0.75})
        assert (view.state.start, view.state.stop) == (15, 45)
        view.wait()
        assert view.plots.x.min == 15
        send(view, type="wheel", plot="x-0", x=0.5, y=0.5, width=600, height=100, dy=-400)
        assert view.state.stop - view.state.start < 20
        send(view, type="double", plot="x-0")
        assert not view.state.zoomed
        send(view, type="key", key="ArrowRight", plot="x-0")
        assert view.player.state.frame == 1
        send(view, type="key", key="+", plot="x-0")
        assert view.state.zoomed
        view.controls.buttons["reset"].click()
        assert not view.state.zoomed

    def test_the_plots_follow_the_player(self, view):
        view.player.state.go(33)
        view.wait()
        assert view.state.frame == 33
        assert view.plots.marker.x.tolist() == [33, 33]
        assert len(view.plots.plane.now.x) == 4

    def test_side_by_side(self, view):
        view.controls.show_choice.value = "side by side"
        view.controls.method.value = "kalman"
        view.wait()
        assert view.plots.over_time["x-1"].curves.x.shape == (4, FRAMES)
        assert view.plots.over_time["x-1"].y.max == view.plots.over_time["x-0"].y.max
        assert len(view.plots.time_box.children) == 2
        np.testing.assert_allclose(view.player.state.points, view.state.filtered().points)
        click(view, "likelihood-1", 12, 0.5)
        assert view.player.state.frame == 12

    def test_pcutoff_is_one_for_plots_and_player(self, view):
        view.controls.pcutoff.value = 0.05
        assert view.player.state.pcutoff == pytest.approx(0.05)
        view.wait()
        assert np.isfinite(view.plots.over_time["x-0"].curves.y[0, SPIKE])
        assert view.plots.over_time["likelihood-0"].level.y.tolist() == pytest.approx([0.05, 0.05])

    def test_bodyparts_by_box(self, view):
        view.controls.boxes[1][1].value = False
        assert view.state.bodyparts == ("snout", "rightear", "tailbase")
        for _, box in view.controls.boxes:
            box.value = False
        assert view.wait()
        view.controls.figure.click()
        assert "tick at least one" in view.status_line.value
        view.snapshot()

    def test_a_trail_is_drawn_on_the_frame(self, view):
        view.state.trail = 0
        view.player.state.go(30)
        view.wait()
        before = np.asarray(view.player.snapshot())
        view.state.trail = 25
        view.wait()
        assert (np.asarray(view.player.snapshot()) != before).any()


@pytest.mark.parametrize("top", [1.0, 7.3, 88.0, 104.0, 430.0, 640.0, 2100.0])
def test_the_ticks_of_a_low_plot_have_room(top):
    for low in (0.0, 0.17 * top, 0.26 * top):
        places = few(ticks(low, top, 3))
        assert 2 <= len(places) <= 3
        assert len({*np.round(np.diff(places), 9)}) == 1


class TestOut:
    def test_csv_of_the_selection(self, view, project):
        view.state.look(30, 45)
        view.state.bodyparts = ("snout",)
        view.controls.csv.click()
        path = view.export_path(".csv")
        assert path.name.endswith("-frames-30-44.csv")
        table = pd.read_csv(path)
        assert list(table) == ["frame", "time_s", "snout_x_px", "snout_y_px", "snout_likelihood", "snout_speed_px_s"]
        assert table.frame.tolist() == list(range(30, 45))
        np.testing.assert_allclose(table.snout_x_px[0], project.poses.points[30, 0, 0], atol=5e-5)
        digits = [len(word.partition(".")[2]) for line in path.read_text().splitlines()[1:] for word in line.split(",")]
        assert 0 < max(digits) <= 4  # a person may read it
        assert np.isnan(table.snout_x_px[SPIKE - 30])
        view.state.show = "both"
        assert "snout_x_filtered_px" in view.state.table()

    def test_figure_and_snapshot(self, view):
        view.controls.figure.click()
        with Image.open(view.export_path(".png")) as picture:
            assert picture.width > 1000
        assert view.snapshot().width > 900

    def test_a_player_of_the_user(self, project):
        player = Player(project.videos[0])
        view = TrajectoryView(project.root, project.videos[0].name, project.poses, player)
        click(view, "x-0", 25, 0)
        assert player.state.frame == 25
        view.wait()
        assert player.state.points is not None
        view.close()
        player.redraw()
        assert player.wait()
        player.close()

    def test_no_poses_is_told(self, project, tmp_path):
        arena = sampledata.Arena(seed=1, n_frames=8, size=SIZE)
        other = sampledata.synthetic_project(tmp_path, n_label=2, arena=arena)
        with pytest.raises(FileNotFoundError, match="dlcnb analyze"):
            TrajectoryView(other)

    def test_rows_beyond_the_end_of_the_video_are_left_out(self, project, tmp_path):
        rows = [*range(FRAMES), FRAMES - 1, FRAMES - 1]  # DeepLabCut counted two more
        long = Poses(project.bodyparts, "DLC_long", project.poses.points[rows], project.poses.likelihood[rows])
        table, _ = long.write(tmp_path / "long.h5")
        view = TrajectoryView(project, poses=table)
        assert len(view.state.poses) == FRAMES
        view.close()
