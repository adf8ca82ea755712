"""What the widgets show, as plain traitlets without a widget: every gesture is a method here.

Arrays are not traits. A method that changes one raises ``revision``, and views repaint on that.
"""

from __future__ import annotations

import numpy as np
from traitlets import Bool, Float, HasTraits, Int, TraitError, Unicode, validate

from dlcnb.widgets.zoom import Zoomable

__all__ = ["PlayClock", "PlayerState", "TrainingState", "clock_text", "decimate"]

LONGEST_JUMP = 0.25  # seconds of wall time that playback may skip at once when decoding cannot keep up
RUNNING = ("starting", "running", "stopping")


def clock_text(seconds):
    """``3725.5`` -> ``'1:02:05'``; ``None`` or NaN (not known yet) -> ``'–'``."""
    if seconds is None or not np.isfinite(seconds):
        return "–"
    minutes, seconds = divmod(int(max(seconds, 0)), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{seconds:02d}" if hours else f"{minutes}:{seconds:02d}"


def decimate(x, y, limit=2000):
    """A curve as at most ``limit`` points: means over equal runs of samples, the newest sample kept as it is.

    Parameters
    ----------
    x, y : (N,) arrays
        The curve; NaN in ``y`` is left out of the means, and a run with nothing else gives NaN.
    limit : int
        At most so many points come back (at least 2).

    Returns
    -------
    x, y : float64 (M,) arrays, M <= limit
    """
    x, y = np.asarray(x, float), np.asarray(y, float)
    if len(x) <= limit:
        return x, y
    run = -(-(len(x) - 1) // (limit - 1))
    starts = np.arange(0, len(x) - 1, run)
    valid = np.isfinite(y[:-1])
    counts = np.add.reduceat(valid.astype(float), starts)
    sums = np.add.reduceat(np.where(valid, y[:-1], 0.0), starts)
    sizes = np.diff(np.append(starts, len(x) - 1))
    with np.errstate(invalid="ignore", divide="ignore"):
        means = np.where(counts > 0, sums / counts, np.nan)
    return np.append(np.add.reduceat(x[:-1], starts) / sizes, x[-1]), np.append(means, y[-1])


class PlayerState(Zoomable, HasTraits):
    """Which frame of a video is shown, how, and what is marked on its timeline.

    Parameters
    ----------
    times : (T,) array
        Time of each frame in seconds, ascending.
    image_size, canvas_size : (height, width)
        Of a video frame and of the drawing surface, in pixels.
    """

    frame = Int(0, help="The frame shown, counted from 0; a number outside the video becomes its first or last frame.")
    playing = Bool(False)
    speed = Float(1.0, help="Playback speed; 1 is the speed of the recording.")
    pcutoff = Float(0.6, help="Bodyparts with a lower likelihood are not drawn.")
    show_poses = Bool(True)
    message = Unicode("", help="An error or a hint for the user; empty when all is well.")
    revision = Int(0, help="Counts the changes of poses, marks and zoom.")

    def __init__(self, times, image_size, canvas_size):
        self.times = np.asarray(times, float)
        if not len(self.times):
            raise ValueError("a player needs at least one frame, but the video has none")
        self._set_sizes(image_size, canvas_size)
        self.points = self.likelihood = None
        self.marks = {}
        super().__init__()

    @property
    def n_frames(self):
        """Number of frames in the video."""
        return len(self.times)

    @property
    def fps(self):
        """Mean frames per second; 1 for a single frame."""
        span = self.times[-1] - self.times[0]
        return (self.n_frames - 1) / span if span > 0 else 1.0

    @validate("frame")
    def _valid_frame(self, proposal):
        return int(min(max(proposal.value, 0), self.n_frames - 1))

    @validate("speed")
    def _valid_speed(self, proposal):
        if not 0 < proposal.value <= 100:
            raise TraitError(f"speed must be above 0 and at most 100, not {proposal.value}")
        return proposal.value

    @validate("pcutoff")
    def _valid_pcutoff(self, proposal):
        if not 0 <= proposal.value <= 1:
            raise TraitError(f"pcutoff is a likelihood between 0 and 1, not {proposal.value}")
        return proposal.value

    # --- gestures ---

    def step(self, count):
        """Move by ``count`` frames (back when negative); stops playback."""
        self.go(self.frame + count)

    def go(self, frame):
        """Show ``frame`` (clipped to the video); stops playback."""
        self.playing = False
        self.frame = frame

    def home(self):
        """Show the first frame."""
        self.go(0)

    def end(self):
        """Show the last frame."""
        self.go(self.n_frames - 1)

    def toggle(self):
        """Play, or pause; playing again from the last frame starts over."""
        if not self.playing and self.frame == self.n_frames - 1:
            self.frame = 0
        self.playing = not self.playing

    def go_to_mark(self, direction):
        """Show the next (``1``) or previous (``-1``) marked frame, if there is one."""
        frames = np.unique(np.concatenate([np.empty(0, int), *self.marks.values()]))
        ahead = frames[frames > self.frame] if direction > 0 else frames[frames < self.frame][::-1]
        if len(ahead):
            self.go(int(ahead[0]))

    # --- poses and marks ---

    def set_poses(self, points, likelihood):
        """Draw these poses.

        Parameters
        ----------
        points : (T, K, 2) array
            Full-frame pixels; NaN is not drawn.
        likelihood : (T, K) array

        Frames after the last row, as when a part of a video was analyzed, have no pose.
        """
        points, likelihood = np.asarray(points, float), np.asarray(likelihood, float)
        missing = self.n_frames - len(points)
        if missing < 0:
            raise ValueError(
                f"the poses cover {len(points)} frames but the video has {self.n_frames}: "
                "give the poses that were made from this video"
            )
        points = np.concatenate([points, np.full((missing, *points.shape[1:]), np.nan)])
        likelihood = np.concatenate([likelihood, np.full((missing, *likelihood.shape[1:]), np.nan)])
        self.points, self.likelihood = points, likelihood
        self.revision += 1

    def set_marks(self, name, frames):
        """Mark ``frames`` on the timeline under ``name`` ('labeled', 'outliers'); an empty list takes them away."""
        frames = np.unique(np.asarray(frames, dtype=int))
        outside = frames[(frames < 0) | (frames >= self.n_frames)]
        if len(outside):
            raise ValueError(
                f"{name} frame {outside[0]} is not in the video, which has frames 0 to {self.n_frames - 1}"
            )
        self.marks = {**self.marks, name: frames}
        self.revision += 1

    def visible_points(self):
        """The shown frame's points, float64 (K, 2), NaN where absent or below ``pcutoff``; (0, 2) without poses."""
        if self.points is None or not self.show_poses:
            return np.empty((0, 2))
        keep = self.likelihood[self.frame] >= self.pcutoff
        return np.where(keep[:, None], self.points[self.frame], np.nan)

    def low_likelihood(self, bins):
        """Share of bodyparts below ``pcutoff`` in each of ``bins`` equal parts of the video, float64 (bins,)."""
        if self.likelihood is None:
            return np.zeros(bins)
        low = (~(self.likelihood >= self.pcutoff)).mean(axis=1)
        edges = np.linspace(0, self.n_frames, bins + 1)
        first = np.minimum(edges[:-1].astype(int), self.n_frames - 1)
        last = np.maximum(np.ceil(edges[1:]).astype(int), first + 1)
        sums = np.concatenate([[0.0], np.cumsum(low)])
        return (sums[last] - sums[first]) / (last - first)

    # --- the timeline ---

    def frame_at(self, x, width):
        """The frame under the position ``x`` of a timeline ``width`` wide."""
        return int(min(max(x / width * self.n_frames, 0), self.n_frames - 1))

    def mark_near(self, x, width, reach=5):
        """The marked frame nearest to ``x`` on a timeline ``width`` wide, at most ``reach`` away, else `frame_at`."""
        frames = np.concatenate([np.empty(0, int), *self.marks.values()])
        if len(frames):
            distance = np.abs((frames + 0.5) / self.n_frames * width - x)
            if distance.min() <= reach:
                return int(frames[distance.argmin()])
        return self.frame_at(x, width)

    def time_text(self):
        """Where we are in time, as ``'0.40 s of 77.63 s'``, counted from the first frame."""
        start = self.times[0]
        return f"{self.times[self.frame] - start:.2f} s of {self.times[-1] - start:.2f} s"


class PlayClock:
    """Which frame is due at a moment of wall time: slow decoding skips a little, then slows down, never runs away."""

    def __init__(self, state, now):
        self.state = state
        self.rebase(now)

    def rebase(self, now):
        """Start counting at the shown frame."""
        self._start, self._time, self._speed = now, self.state.times[self.state.frame], self.state.speed
        self.shown = self.state.frame

    def due(self, now):
        """The frame to show at ``now`` (seconds of a monotonic clock)."""
        if self.state.speed != self._speed or self.state.frame != self.shown:
            self.rebase(now)
        times, frame = self.state.times, self.state.frame
        wanted = self._time + (now - self._start) * self._speed
        after = times[min(frame + 1, self.state.n_frames - 1)]
        furthest = max(times[frame] + LONGEST_JUMP * self._speed, after)
        if wanted > furthest:
            self._start, self._time, wanted = now, furthest, furthest
        self.shown = max(int(np.searchsorted(times, wanted + 1e-9, side="right")) - 1, frame)
        return self.shown

    def wait(self, now):
        """Seconds until the frame after the shown one is due; None at the end of the video."""
        after = self.shown + 1
        if after >= self.state.n_frames:
            return None
        return max((self.state.times[after] - self._time) / self._speed - (now - self._start), 0.0)


class TrainingState(HasTraits):
    """A training run as its event log tells it; `apply` takes the log's events in order, in any portions."""

    status = Unicode("idle", help="idle, starting, running, stopping, or how it ended: done, stopped, failed, lost.")
    step = Int(0)
    progress = Float(0.0, help="0 to 1.")
    loss = Float(np.nan)
    seconds_left = Float(np.nan)
    steps_per_second = Float(np.nan)
    rss_mb = Float(np.nan, help="Resident memory of the worker, MB.")
    best_step = Int(-1, help="Step of the best validation so far; -1 before the first.")
    best_px = Float(np.nan, help="Mean validation error at that step, px.")
    message = Unicode("", help="The last warning or error of the run.")
    revision = Int(0, help="Counts the changes of the curves.")

    def __init__(self):
        super().__init__()
        self.reset()

    @property
    def active(self):
        """Whether the run is under way."""
        return self.status in RUNNING

    def reset(self, status="idle"):
        """Forget everything, ready for another run."""
        self._curves = {"loss": ([], []), "validation": ([], [])}
        self._recent = []
        with self.hold_trait_notifications():
            for name in ("progress", "loss", "seconds_left", "steps_per_second", "rss_mb", "best_px", "message"):
                setattr(self, name, self.traits()[name].default_value)
            self.step, self.best_step, self.status = 0, -1, status
            self.revision += 1

    def curve(self, name, limit=2000):
        """A curve ``'loss'`` or ``'validation'`` (px) as float64 (step, value), at most ``limit`` points."""
        return decimate(*self._curves[name], limit)

    def apply(self, events):
        """Take the events (dicts as in ``events.jsonl``) that the state has not seen yet; unknown kinds are skipped."""
        if not events:
            return
        with self.hold_trait_notifications():
            for event in events:
                handler = getattr(self, f"_on_{event.get('event')}", None)
                if handler:
                    handler(event)
            self.revision += 1

    def _on_start(self, event):
        self.status, self.message = "running", ""

    def _on_step(self, event):
        if self.status not in RUNNING:
            self.status = "running"
        step = int(event["step"])
        self._drop_superseded(step)
        self._append("loss", step, event.get("loss"))
        validation = event.get("validation")
        if validation:
            self._append("validation", step, validation.get("mean_px"))
        best = event.get("best")
        if best:
            self.best_step, self.best_px = int(best["step"]), float(best["val_mean_px"])
        self.step, self.loss = step, _number(event.get("loss"))
        self.progress = min(max(_number(event.get("progress"), 0.0), 0.0), 1.0)
        self.seconds_left = _number(event.get("seconds_left"))
        self.rss_mb = _number(event.get("rss_mb"), self.rss_mb)
        self._measure(step, _number(event.get("seconds")))

    def _on_warning(self, event):
        self.message = str(event.get("message", "warning"))

    def _on_done(self, event):
        self.status, self.progress, self.seconds_left = "done", 1.0, 0.0

    def _on_stopped(self, event):
        self.status, self.seconds_left = "stopped", np.nan

    def _on_error(self, event):
        self.status, self.seconds_left = "failed", np.nan
        self.message = str(event.get("message") or "the worker failed without a message")

    def _append(self, name, step, value):
        steps, values = self._curves[name]
        steps.append(step)
        values.append(_number(value))

    def _drop_superseded(self, step):
        """A resumed run goes on from an earlier snapshot: what came after that snapshot is void."""
        if step > self.step:
            return
        for steps, values in self._curves.values():
            keep = int(np.searchsorted(steps, step))
            del steps[keep:], values[keep:]
        self._recent.clear()

    def _measure(self, step, seconds):
        """Throughput over the last 20 seconds of training."""
        if self._recent and seconds <= self._recent[-1][1]:
            self._recent.clear()
        self._recent.append((step, seconds))
        while len(self._recent) > 2 and seconds - self._recent[0][1] > 20:
            self._recent.pop(0)
        (first, begin), (last, end) = self._recent[0], self._recent[-1]
        self.steps_per_second = (last - first) / (end - begin) if end > begin else np.nan


def _number(value, default=np.nan):
    return default if value is None else float(value)
