"""A training run as the monitor shows it, as plain traitlets without a widget."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import suppress
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from traitlets import Bool, Enum, Float, HasTraits, Int, List, Unicode

from dlcnb.evaluate import Taken

__all__ = ["MAP_VIEWS", "RUNNING", "Curve", "TrainingState", "clock_text", "decimate"]

RUNNING = ("starting", "running", "pausing", "stopping")
CURVES = ("loss", "part_loss", "locref_loss", "learning_rate", "validation", "train_error")
KEPT = 8192  # points of a curve that are kept, however long the run
MAP_VIEWS = ("off", "linear", "log")
WINDOW = 20.0  # seconds of training over which the throughput is measured
PATIENCE = 1 / 3  # share of the run's steps without a better validation after which stopping is suggested
LEAST_VALIDATIONS = 3  # without a better one, before stopping is suggested
Curve = tuple[NDArray[np.float64], NDArray[np.float64]]  # steps, values

SMALLEST_GAIN = 0.01  # share by which the error must fall to count as fallen


def clock_text(seconds: float | None) -> str:
    """``3725.5`` -> ``'1:02:05'``; ``None`` or NaN (not known yet) -> ``'–'``."""
    if seconds is None or not np.isfinite(seconds):
        return "–"
    minutes, rest = divmod(int(max(seconds, 0)), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"


def decimate(x: ArrayLike, y: ArrayLike, limit: int = 2000) -> Curve:
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
    steps, means = _means(x[:-1], y[:-1], -(-(len(x) - 1) // (limit - 1)))
    return np.append(steps, x[-1]), np.append(means, y[-1])


def _means(x: NDArray[np.float64], y: NDArray[np.float64], run: int) -> Curve:
    """Means over ``run`` samples each, those of ``y`` without its NaN; (N,) -> (ceil(N / run),)."""
    starts = np.arange(0, len(x), run)
    valid = np.isfinite(y)
    counts = np.add.reduceat(valid.astype(float), starts)
    sums = np.add.reduceat(np.where(valid, y, 0.0), starts)
    with np.errstate(invalid="ignore", divide="ignore"):
        means = np.where(counts > 0, sums / counts, np.nan)
    return np.add.reduceat(x, starts) / np.diff(np.append(starts, len(x))), means


class TrainingState(HasTraits):
    """A training run as its event log tells it; `apply` takes the log's events in order, in any portions."""

    status = Unicode(
        "idle", help="idle, starting, running, pausing, stopping, or how it ended: done, paused, stopped, failed, lost."
    )
    step = Int(0)
    waking = Bool(True, help="Whether no step was done since the run began, or went on.")
    waited = Float(0.0, help="Seconds that one has waited for the first step so far.")
    progress = Float(0.0, help="0 to 1.")
    loss = Float(np.nan)
    learning_rate = Float(np.nan)
    seconds_left = Float(np.nan)
    steps_per_second = Float(np.nan)
    rss_mb = Float(np.nan, help="Resident memory of the worker, MB.")
    best_step = Int(-1, help="Step of the snapshot taken so far; -1 before the first.")
    held_out = Int(0, help="Frames of the validation; 0 = not known.")
    lost = List(Unicode(), help="Bodyparts that the last validation did not find.")
    best_px = Float(np.nan, help="Mean validation error at that step, px.")
    message = Unicode("", help="The last warning or error of the run.")
    lower_rate = Float(np.nan, help="Learning rate offered to go on with, if the run's was too high.")
    revision = Int(0, help="Counts the changes of the curves.")
    validations = Int(0, help="Counts the validations that were seen: the preview may have changed.")
    show_parts = Bool(False, help="Whether the losses of the score-maps and of the location refinement are shown.")
    show_rate = Bool(False, help="Whether the learning rate is shown.")
    score_maps = Enum(MAP_VIEWS, "off", help="How the score-maps lie over the validation frames.")
    zoomed = Bool(True, help="Whether the validation frames show the animal or all of the frame.")
    snapshots = Bool(False, help="Whether there is a snapshot that the run can be resumed from.")

    def __init__(self) -> None:
        super().__init__()
        self.human: tuple[float, float, float] | None = None
        self.earlier: dict[str, dict[str, Curve]] = {}
        self.reset()

    @property
    def active(self) -> bool:
        """Whether the run is under way."""
        return self.status in RUNNING

    @property
    def resumable(self) -> bool:
        """Whether the run was interrupted and can go on."""
        return self.snapshots and self.status in ("paused", "stopped", "failed", "lost")

    def reset(self, status: str = "idle") -> None:
        """Forget everything about the run, ready for another one; what is shown, and the other runs, stay."""
        self._curves = {name: _Curve() for name in CURVES}
        self._recent: list[tuple[int, float]] = []
        self.warned = ""  # all that the run has warned of
        names = (
            "waking waited progress loss learning_rate seconds_left steps_per_second rss_mb best_px message lower_rate"
        )
        with self.hold_trait_notifications():
            for name in (*names.split(), "snapshots"):
                setattr(self, name, self.traits()[name].default_value)
            self.step, self.best_step, self.lost, self.status = 0, -1, [], status
            self.revision += 1
            self.validations += 1

    def curve(self, name: str, limit: int = 2000) -> Curve:
        """One of `CURVES` (the two errors in px) as float64 (step, value), at most ``limit`` points."""
        return self._curves[name].thinned(limit)

    def smooth(self, name: str = "loss", limit: int = 400) -> Curve:
        """A curve of positive values, each the geometric mean of the fortieth of the curve before it."""
        return self._curves[name].smoothed(limit)

    @property
    def taken(self) -> Taken | None:
        """The snapshot taken so far, beside the one of the lowest error; None before the first validation."""
        if self.best_step < 0 or not np.isfinite(self.best_px):
            return None
        return Taken.of(self.best_step, self.best_px, *self._curves["validation"].arrays(), frames=self.held_out)

    # --- beside the run itself ---

    def set_human(self, mean: float | None, low: float | None = None, high: float | None = None) -> None:
        """Mean distance (px) between two people's labels, and its 95 % interval if it is known; None: not known."""
        if mean is None or not np.isfinite(mean):
            self.human = None
        elif low is None or high is None or not np.isfinite([low, high]).all():
            self.human = (float(mean),) * 3
        else:
            self.human = float(mean), float(low), float(high)
        self.revision += 1

    def set_earlier(self, runs: Mapping[str, Mapping[str, NDArray[Any]]]) -> None:
        """Show other runs beside this one: {name: curves as `dlcnb.jobs.history` gives them}."""
        self.earlier = {
            name: {
                "loss": _Curve(history["step"], history["loss"]).smoothed(400),
                "validation": _Curve(history["validation_step"], history["validation_mean_px"]).thinned(400),
            }
            for name, history in runs.items()
        }
        self.revision += 1

    @property
    def stalled_since(self) -> int | None:
        """The step since which the validation error has not fallen, if that is too long ago, else None.

        Too long: a third of the run's steps, and three validations. A fall of less than 1 % is none.
        """
        steps, error = self._curves["validation"].arrays()
        there = np.isfinite(error)
        steps, error = steps[there], error[there]
        if not len(steps) or not self.progress:
            return None
        lowest, fell = np.inf, 0
        for n, value in enumerate(error):
            if value < lowest * (1 - SMALLEST_GAIN):
                lowest, fell = value, n
        patience = PATIENCE * self.step / self.progress
        late = len(steps) - 1 - fell >= LEAST_VALIDATIONS and steps[-1] - steps[fell] >= patience
        return int(steps[fell]) if late else None

    @property
    def suggestion(self) -> str:
        """What to do now, in words; empty if all is well."""
        if self.resumable and self.lower_rate > 0:
            return f"Resume goes on from the last good snapshot with learning rate {self.lower_rate:g}."
        since = self.stalled_since if self.status in ("running", "starting") else None
        if since is None:
            return ""
        return (
            f"The validation error has not fallen since step {since}, a third of the run's steps ago: Stop keeps the "
            "best snapshot. Now more labeled frames, of different kinds, help; more steps don't."
        )

    # --- the log ---

    def apply(self, events: Iterable[dict[str, Any]]) -> None:
        """Take the events (dicts as in ``events.jsonl``) that the state has not seen yet.

        Unknown kinds are skipped, and those of which a value is missing or of another type, as in a damaged log.
        """
        count = 0
        with self.hold_trait_notifications():
            for count, event in enumerate(events, 1):  # noqa: B007
                handler = getattr(self, f"_on_{event.get('event')}", None)
                if handler:
                    with suppress(AttributeError, KeyError, OverflowError, TypeError, ValueError):
                        handler(event)
            self.revision += bool(count)

    def wait(self, seconds: float) -> None:
        """Note how long the run has been followed, if it has not begun to train yet."""
        if self.status == "starting" or (self.status == "running" and self.waking):
            self.waited = seconds
            self.revision += 1

    def forget_time_left(self) -> None:
        """The run has been silent for so long that its time left is not known any more."""
        self.seconds_left = np.nan
        self.revision += 1

    def _on_start(self, event: dict[str, Any]) -> None:
        self.status, self.message, self.lower_rate = "running", "", np.nan
        self.waking, self.steps_per_second = True, np.nan
        self._recent.clear()

    def _on_step(self, event: dict[str, Any]) -> None:
        if self.status not in RUNNING:
            self.status = "running"
        step, self.waking, self.waited = int(event["step"]), False, 0.0
        self._drop_superseded(step)
        for name in CURVES[:4]:
            self._curves[name].append(step, _number(event.get(name)))
        validation = event.get("validation")
        if validation:
            self._curves["validation"].append(step, _number(validation.get("mean_px")))
            self._curves["train_error"].append(step, _number(validation.get("train_mean_px")))
            self.lost = [str(name) for name in validation.get("lost") or ()]
            self.validations += 1
        best = event.get("best")
        if best:
            self.best_step, self.best_px = int(best["step"]), _number(best["val_mean_px"])
        self.snapshots = self.snapshots or bool(event.get("snapshot"))
        self.step, self.loss = step, _number(event.get("loss"))
        self.learning_rate = _number(event.get("learning_rate"))
        self.progress = min(max(_number(event.get("progress"), 0.0), 0.0), 1.0)
        self.seconds_left = _number(event.get("seconds_left"))
        self.rss_mb = _number(event.get("rss_mb"), self.rss_mb)
        self._measure(step, _number(event.get("seconds")))

    def _on_warning(self, event: dict[str, Any]) -> None:
        self.message = str(event.get("message", "warning"))
        self.warned += self.message

    def _on_done(self, event: dict[str, Any]) -> None:
        self.status, self.progress, self.seconds_left = "done", 1.0, 0.0

    def _on_stopped(self, event: dict[str, Any]) -> None:
        paused = event.get("reason") == "pause" or self.status in ("pausing", "paused")
        self.status = "paused" if paused else "stopped"
        self.seconds_left = np.nan

    def _on_error(self, event: dict[str, Any]) -> None:
        self.status, self.seconds_left = "failed", np.nan
        self.message = str(event.get("message") or "the worker failed without a message")
        self.lower_rate = _number((event.get("offer") or {}).get("learning_rate"))

    def _drop_superseded(self, step: int) -> None:
        """A resumed run goes on from an earlier snapshot: what came after that snapshot is void."""
        if step > self.step:
            return
        for curve in self._curves.values():
            curve.drop_from(step)
        self._recent.clear()

    def _measure(self, step: int, seconds: float) -> None:
        """Throughput over the last seconds of training."""
        if self._recent and seconds <= self._recent[-1][1]:
            self._recent.clear()
        self._recent.append((step, seconds))
        while len(self._recent) > 2 and seconds - self._recent[0][1] > WINDOW:
            self._recent.pop(0)
        (first, begin), (last, end) = self._recent[0], self._recent[-1]
        self.steps_per_second = (last - first) / (end - begin) if end > begin else np.nan


class _Curve:
    """A curve that grows at its end and needs no more memory for it: a long one is kept as means over equal runs."""

    def __init__(self, steps: Iterable[float] = (), values: Iterable[float] = ()) -> None:
        self._data, self._n = np.empty((2, 64)), 0
        self._run = 1  # samples that each point is the mean of
        self._newest: list[tuple[float, float]] = []  # samples that are not in a point yet, the last one among them
        for step, value in zip(steps, values, strict=True):
            self.append(step, value)

    def append(self, step: float, value: float) -> None:
        if len(self._newest) == self._run:
            self._close_run()
        self._newest.append((step, value))

    def _close_run(self) -> None:
        if self._n == KEPT:
            self._n //= 2
            self._data[:, : self._n] = _means(self._data[0], self._data[1], 2)
            self._run *= 2
            return  # it is but half a run now
        if self._n == self._data.shape[1]:
            self._data = np.concatenate([self._data, np.empty_like(self._data)], axis=1)
        steps, values = np.array(self._newest, float).T
        self._data[:, self._n] = [mean[0] for mean in _means(steps, values, self._run)]
        self._n += 1
        self._newest.clear()

    def drop_from(self, step: int) -> None:
        self._n = int(np.searchsorted(self._data[0, : self._n], step))
        self._newest = [sample for sample in self._newest if sample[0] < step]

    def arrays(self) -> Curve:
        newest = np.array(self._newest, float).reshape(-1, 2).T
        steps, values = np.concatenate([self._data[:, : self._n], newest], axis=1)
        return steps, values

    def thinned(self, limit: int) -> Curve:
        return decimate(*self.arrays(), limit)

    def smoothed(self, limit: int) -> Curve:
        steps, values = self.thinned(4 * limit)
        keep = values > 0
        return decimate(steps[keep], np.exp(_running_mean(np.log(values[keep]))), limit)


def _running_mean(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Mean over the latest fortieth of the curve at each point, (N,) -> (N,)."""
    width = max(len(values) // 40, 1)
    sums = np.concatenate([[0.0], np.cumsum(values)])
    ends = np.arange(1, len(values) + 1)
    starts = np.maximum(ends - width, 0)
    return (sums[ends] - sums[starts]) / (ends - starts)


def _number(value: float | None, default: float = np.nan) -> float:
    return default if value is None else float(value)
