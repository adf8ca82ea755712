"""The state of the widgets, without a widget."""

import json
import tracemalloc

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from traitlets import TraitError

from dlcnb.widgets.player.state import PlayClock, PlayerState
from dlcnb.widgets.training.state import TrainingState, clock_text, decimate


@pytest.fixture
def state():
    return PlayerState(np.arange(100) / 25, (480, 640), (480, 640))


class TestBrowsing:
    @pytest.mark.parametrize(("asked", "shown"), [(-5, 0), (0, 0), (42, 42), (99, 99), (1000, 99)])
    def test_a_frame_outside_the_video_becomes_its_first_or_last(self, state, asked, shown):
        state.go(asked)
        assert state.frame == shown

    def test_steps_and_ends(self, state):
        state.step(10)
        state.step(-1)
        assert state.frame == 9
        state.end()
        assert state.frame == 99
        state.home()
        assert state.frame == 0

    def test_moving_stops_playback(self, state):
        state.toggle()
        state.step(1)
        assert not state.playing

    def test_playing_from_the_last_frame_starts_over(self, state):
        state.end()
        state.toggle()
        assert state.playing
        assert state.frame == 0

    def test_marked_frames_in_turn(self, state):
        state.set_marks("labeled", [30, 10])
        state.set_marks("outliers", [20])
        seen = []
        for direction in (1, 1, 1, 1, -1):
            state.go_to_mark(direction)
            seen.append(state.frame)
        assert seen == [10, 20, 30, 30, 20]

    def test_a_video_without_frames_is_refused(self):
        with pytest.raises(ValueError, match="at least one frame"):
            PlayerState([], (480, 640), (480, 640))

    @pytest.mark.parametrize(("name", "value"), [("speed", 0), ("speed", 1000), ("pcutoff", 1.5)])
    def test_values_out_of_range_are_refused(self, state, name, value):
        with pytest.raises(TraitError, match=name):
            setattr(state, name, value)

    def test_times_are_counted_from_the_first_frame(self):
        assert PlayerState([5.0, 5.5, 7.0], (4, 4), (4, 4)).time_text() == "0.00 s of 2.00 s"


class TestZoom:
    @given(st.floats(1, 30), st.floats(0, 640), st.floats(0, 480))
    def test_the_point_under_the_pointer_stays(self, factor, x, y):
        state = PlayerState([0.0], (480, 640), (480, 640))
        before = state.fit.to_image((x, y))
        state.zoom(factor, (x, y))
        np.testing.assert_allclose(state.fit.to_image((x, y)), before, atol=1e-6)

    def test_never_smaller_than_the_whole_frame_nor_without_end(self, state):
        state.zoom(0.1)
        assert not state.zoomed
        for _ in range(100):
            state.zoom(2)
        assert state.fit.zoom == pytest.approx(32)

    @given(st.floats(-1e4, 1e4), st.floats(-1e4, 1e4))
    def test_the_picture_cannot_be_dragged_away(self, dx, dy):
        state = PlayerState([0.0], (480, 640), (480, 640))
        state.zoom(2)
        state.pan(dx, dy)
        left, top = state.fit.to_image((0, 0))
        right, bottom = state.fit.to_image((640, 480))
        assert min(left, top) >= -0.501
        assert right <= 639.501
        assert bottom <= 479.501

    def test_reset(self, state):
        state.zoom(3, (10, 10))
        state.reset_view()
        assert not state.zoomed


class TestPosesAndMarks:
    def test_pcutoff_hides_points(self, state):
        points = np.ones((100, 2, 2))
        state.set_poses(points, np.tile([0.9, 0.5], (100, 1)))
        shown = state.visible_points()
        assert np.isfinite(shown[0]).all()
        assert np.isnan(shown[1]).all()
        state.pcutoff = 0.4
        assert np.isfinite(state.visible_points()).all()
        state.show_poses = False
        assert state.visible_points().shape == (0, 2)

    def test_points_far_outside_of_the_frame_are_not_drawn_but_counted(self, state):
        points = np.tile([[600.0, 470.0], [690.0, 470.0], [5000.0, 10.0], [10.0, -900.0]], (100, 1, 1))
        state.set_poses(points, np.full((100, 4), 0.9))
        assert np.isfinite(state.visible_points()[:, 0]).tolist() == [True, True, False, False]
        assert state.outside == 200

    def test_poses_of_another_video_are_refused(self, state):
        with pytest.raises(ValueError, match="cover 101 frames but the video has 100"):
            state.set_poses(np.zeros((101, 1, 2)), np.zeros((101, 1)))

    def test_poses_of_a_part_of_the_video_leave_the_rest_empty(self, state):
        state.set_poses(np.zeros((60, 1, 2)), np.ones((60, 1)))
        state.go(59)
        assert np.isfinite(state.visible_points()).all()
        state.go(60)
        assert np.isnan(state.visible_points()).all()

    def test_a_mark_outside_the_video_is_refused(self, state):
        with pytest.raises(ValueError, match="outliers frame 100 is not in the video"):
            state.set_marks("outliers", [5, 100])

    def test_clicks_on_the_timeline_catch_marks(self, state):
        state.set_marks("labeled", [50])
        assert state.mark_near(50.5 * 5 + 4, 500) == 50
        assert state.mark_near(50.5 * 5 + 20, 500) == 54
        assert state.frame_at(500, 500) == 99

    @pytest.mark.parametrize("bins", [7, 50, 100, 333])
    def test_low_likelihood_is_the_share_per_bin(self, state, bins):
        likelihood = np.ones((100, 4))
        likelihood[40:60, 0] = np.nan
        state.set_poses(np.zeros((100, 4, 2)), likelihood)
        share = state.low_likelihood(bins)
        assert share.shape == (bins,)
        assert share[bins // 2] == pytest.approx(0.25)
        assert share[0] == share[-1] == 0


class TestPlayClock:
    def shown(self, state, clock, *times):
        """The frames shown at these times, one after the other."""
        frames = []
        for now in times:
            state.frame = clock.due(now)
            frames.append(state.frame)
        return frames

    def test_frames_come_due_at_the_speed_of_the_video(self, state):
        clock = PlayClock(state, 10.0)
        assert clock.wait(10.0) == pytest.approx(0.04)
        assert self.shown(state, clock, 10.04, 10.12) == [1, 3]

    def test_half_speed(self, state):
        state.speed = 0.5
        assert PlayClock(state, 0.0).due(0.2) == 2

    def test_slow_decoding_slows_playback_down_instead_of_running_away(self, state):
        clock = PlayClock(state, 0.0)
        assert self.shown(state, clock, 2.0, 2.04) == [6, 7]  # a quarter of a second of video, not two seconds

    def test_a_jump_of_the_frame_goes_on_from_there(self, state):
        clock = PlayClock(state, 0.0)
        state.frame = 50
        clock.due(1.0)
        state.frame = clock.due(1.04)
        assert state.frame == 51

    def test_a_long_gap_between_timestamps_is_crossed(self):
        state = PlayerState([0.0, 5.0, 5.1], (4, 4), (4, 4))
        clock = PlayClock(state, 0.0)
        assert clock.wait(0.0) == pytest.approx(5.0)
        assert self.shown(state, clock, 4.9, 5.0) == [0, 1]

    def test_the_end(self, state):
        state.end()
        assert PlayClock(state, 0.0).wait(0.0) is None


class TestDecimate:
    @given(st.integers(2, 50), st.integers(0, 500))
    def test_short_enough_and_ends_with_the_newest(self, limit, n):
        x, y = decimate(np.arange(n), np.arange(n) * 2.0, limit)
        assert len(x) == len(y) <= max(limit, 2)
        if n:
            assert (x[-1], y[-1]) == (n - 1, 2 * (n - 1))
        np.testing.assert_allclose(y, 2 * x)

    def test_nan_is_left_out_of_the_means(self):
        y = np.ones(100)
        y[::2] = np.nan
        assert np.isfinite(decimate(np.arange(100), y, 10)[1]).all()
        assert np.isnan(decimate(np.arange(100), np.full(100, np.nan), 10)[1]).all()


def step(number, **more):
    record = {"event": "step", "time": 1e9 + number, "step": number, "seconds": number / 4, "loss": 1 / number}
    return {**record, "progress": number / 100, "seconds_left": 25 - number / 4, "rss_mb": 700.0, **more}


class TestTraining:
    def test_the_events_of_a_run(self):
        state = TrainingState()
        state.apply([{"event": "start", "time": 1e9}])
        assert state.status == "running"
        state.apply([step(n) for n in range(1, 41)])
        best = {"step": 40, "val_mean_px": 3.5}
        state.apply([step(41, validation={"mean_px": 3.5, "n": 8}, best=best)])
        assert (state.step, state.progress, state.best_step, state.best_px) == (41, 0.41, 40, 3.5)
        assert state.steps_per_second == pytest.approx(4)
        assert len(state.curve("loss")[0]) == 41
        assert state.curve("validation")[1].tolist() == [3.5]
        state.apply([{"event": "done", "result": {}}])
        assert (state.status, state.progress, state.active) == ("done", 1.0, False)

    def test_portions_do_not_matter(self):
        events = [step(n, loss=None if n % 3 else 1.0) for n in range(1, 30)]
        whole, parts = TrainingState(), TrainingState()
        whole.apply(events)
        for event in events:
            parts.apply([event])
        np.testing.assert_array_equal(whole.curve("loss"), parts.curve("loss"))

    def test_a_resumed_run_replaces_what_came_after_the_snapshot(self):
        state = TrainingState()
        state.apply([step(n, validation={"mean_px": 10.0 - n}) for n in range(1, 9)])
        state.apply([{"event": "start"}, step(5, validation={"mean_px": 1.0})])
        assert state.curve("loss")[0].tolist() == [1, 2, 3, 4, 5]
        assert state.curve("validation")[1].tolist() == [9, 8, 7, 6, 1]

    def test_an_error_is_kept(self):
        state = TrainingState()
        state.apply([step(1), {"event": "error", "message": "the loss is not finite"}])
        assert (state.status, state.message) == ("failed", "the loss is not finite")

    def test_unknown_events_are_skipped(self):
        state = TrainingState()
        state.apply([{"event": "party"}, {"event": "_number"}, step(3)])
        assert state.step == 3

    def test_reset_forgets(self):
        state = TrainingState()
        state.apply([step(3, best={"step": 3, "val_mean_px": 2.0})])
        state.reset("starting")
        assert (state.step, state.best_step, state.status, len(state.curve("loss")[0])) == (0, -1, "starting", 0)

    def test_every_curve_of_the_log_is_kept(self):
        state = TrainingState()
        state.apply([step(n, part_loss=0.9 / n, locref_loss=0.1 / n, learning_rate=1e-3) for n in range(1, 200)])
        assert state.curve("part_loss")[1][0] == 0.9
        assert state.curve("learning_rate")[1][-1] == state.learning_rate == 1e-3
        steps, values = state.smooth("loss", 50)
        assert len(steps) <= 50
        assert 1 / 199 <= values[-1] < 1 / 190

    def test_the_error_on_training_frames_is_a_curve_of_its_own(self):
        state = TrainingState()
        state.apply([step(1, validation={"mean_px": 3.0}), step(2, validation={"mean_px": 2.0, "train_mean_px": 1.5})])
        np.testing.assert_array_equal(state.curve("train_error")[1], [np.nan, 1.5])

    def test_a_long_run_takes_no_more_memory_and_keeps_its_shape(self):
        state, sizes = TrainingState(), []
        tracemalloc.start()
        try:
            for first in range(1, 60_000, 10_000):
                state.apply(step(n, loss=float(n)) for n in range(first, first + 10_000))
                sizes.append(tracemalloc.get_traced_memory()[0])
        finally:
            tracemalloc.stop()
        assert max(sizes) - sizes[1] < 10_000  # bytes
        steps, loss = state.curve("loss", 10**6)
        assert steps[-1] == 60_000
        assert (np.diff(steps) > 0).all()
        np.testing.assert_allclose(loss, steps)

    def test_a_resumed_long_run_drops_what_came_after_the_snapshot(self):
        state = TrainingState()
        state.apply([step(n, loss=float(n)) for n in range(1, 20_000)])
        state.apply([step(9_001, loss=0.5)])
        steps, loss = state.curve("loss", 10**6)
        assert (steps[-1], loss[-1]) == (9_001, 0.5)
        assert (np.diff(steps) > 0).all()

    def test_a_diverged_run_offers_a_lower_rate_until_it_goes_on(self):
        state = TrainingState()
        state.apply([step(1), {"event": "error", "message": "too high", "offer": {"learning_rate": 3e-4}}])
        assert (state.lower_rate, state.suggestion) == (3e-4, "")
        state.snapshots = True
        assert "Resume goes on from the last good snapshot with learning rate 0.0003" in state.suggestion
        state.apply([{"event": "start"}])
        assert np.isnan(state.lower_rate)

    def test_paused_and_stopped_are_told_apart(self):
        for status, end in (("pausing", "paused"), ("stopping", "stopped"), ("running", "stopped")):
            state = TrainingState()
            state.apply([step(1, snapshot="snapshot-1.params")])
            state.status = status
            assert state.active
            assert not state.resumable
            state.apply([{"event": "stopped"}])
            assert (state.status, state.active, state.resumable) == (end, False, True)

    def test_a_pause_is_still_one_for_who_comes_later(self):
        state = TrainingState()
        state.apply([step(1, snapshot="snapshot-1.params"), {"event": "stopped", "reason": "pause"}])
        assert state.status == "paused"

    def test_without_a_snapshot_nothing_can_be_resumed(self):
        state = TrainingState()
        state.apply([step(1), {"event": "stopped"}])
        assert not state.resumable

    @pytest.mark.parametrize(
        ("errors", "since"),
        [
            ([9, 8, 7, 6, 5, 4, 3, 2], None),  # falls
            ([9, 5, 6, 6, 6, 6], 20),  # 40 of 100 steps without a better one
            ([9, 5, 6, 6, 6], None),  # not long enough yet
            ([9, 5, 4.99, 4.98, 4.97, 4.97], 20),  # less than a hundredth is no fall
            ([9, 5, None, None, None, None], None),
        ],
    )
    def test_stopping_is_suggested_when_the_error_no_longer_falls(self, errors, since):
        state = TrainingState()
        state.apply([step(10 * n, validation={"mean_px": error}) for n, error in enumerate(errors, 1)])
        assert state.stalled_since == since
        assert bool(state.suggestion) == (since is not None)
        state.apply([{"event": "done"}])
        assert state.suggestion == ""

    def test_human_variability_and_its_band(self):
        state = TrainingState()
        state.set_human(2.5, 2.0, 3.0)
        assert state.human == (2.5, 2.0, 3.0)
        state.set_human(2.5, np.nan, np.nan)
        assert state.human == (2.5, 2.5, 2.5)
        state.reset()
        assert state.human is not None  # it belongs to the project, not to the run
        state.set_human(None)
        assert state.human is None

    def test_earlier_runs_stay_when_another_run_is_shown(self):
        steps = np.arange(1, 5001)
        history = {
            "step": steps,
            "loss": 1 / steps,
            "validation_step": steps[::100],
            "validation_mean_px": 1 / steps[::100],
        }
        state = TrainingState()
        state.set_earlier({"shuffle 1": history})
        state.reset()
        assert len(state.earlier["shuffle 1"]["loss"][0]) <= 400
        assert len(state.earlier["shuffle 1"]["validation"][0]) == 50
        state.set_earlier({})
        assert state.earlier == {}

    def test_events_are_plain_json(self):
        state = TrainingState()
        state.apply(json.loads(json.dumps([step(2, validation=None, best=None)])))
        assert state.step == 2


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(None, "–"), (float("nan"), "–"), (0, "0:00"), (75.4, "1:15"), (3725, "1:02:05"), (-3, "0:00")],
)
def test_clock_text(seconds, text):
    assert clock_text(seconds) == text
