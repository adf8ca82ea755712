"""Figures of videos: postures, trajectories, several animals, maps of frames, skeletons (3, 4, 6, 7B-F)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from dlcnb import plots
from dlcnb.figures.source import Drawing, MissingDataError, Recorded, Source
from dlcnb.plots.figure import figure_of
from dlcnb.poses import bone_edges
from dlcnb.render import palette
from dlcnb.trajectories import body_axis
from dlcnb.video import VideoReader

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["animals", "body_frame", "over_time", "posture_map", "postures", "strip", "trajectories", "way_and_steps"]

_AROUND = 30  # frames before and after, as in the paper's Fig. 3
_STRIP = 6  # frames
_MAPPED = 300  # frames of the map
_CROP = 64  # px, its pictures


def postures(source: Source) -> Drawing:
    """3: where a bodypart came from and goes to, with the body's postures."""
    one, poses = source.recorded, source.recorded.poses
    frame, part = source.moment(one, _AROUND), source.part(poses)
    look: dict[str, Any] = {"skeleton": _edges(source, one), "pcutoff": source.project.pcutoff, "both": True}
    figure, _ = plots.postures(poses, frame, bodypart=part, image=one.read(frame), **look)
    rows = np.arange(max(0, frame - _AROUND), min(len(poses), frame + _AROUND + 1))
    seconds = one.times[rows[-1]] - one.times[rows[0]]
    caption = (
        f"{part} in frames {rows[0]} to {rows[-1]} of {one.video.name} ({seconds:.2f} s), before (cyan) and after "
        f"(green) frame {frame}; the body's posture at every 6th frame before (magenta) and after (green), and now "
        f"(black). {_sure(source, one)}"
    )
    return Drawing(figure, _table(one, rows), caption)


def way_and_steps(source: Source) -> Drawing:
    """4A: trajectory in the plane, and signed differences from frame to frame."""
    one, pcutoff = source.recorded, source.project.pcutoff
    figure = figure_of((13, 3.8))
    axes = figure.subplots(1, 3, width_ratios=[1.3, 1, 1])
    plots.trajectory(one.poses, pcutoff, size=one.size, ax=axes[0])
    axes[0].get_legend().remove()
    plots.histogram(one.poses, pcutoff, ax=axes[1:])
    steps = np.diff(one.poses.masked(pcutoff), axis=0)  # (T - 1, K, 2)
    table = pd.DataFrame({"frame": np.arange(1, len(one.poses))})
    for k, part in enumerate(one.poses.bodyparts):
        table[f"{part} dx"], table[f"{part} dy"] = steps[:, k].T
    length = np.linalg.norm(steps, axis=-1)
    known = length[np.isfinite(length)]
    middle = f"{np.median(known):.2f} px, 99 % below {np.percentile(known, 99):.2f} px" if len(known) else "unknown"
    caption = (
        f"Trajectories in {one.video.name}, and signed differences from frame to frame in x and y: narrow and "
        f"symmetrical if tracking is continuous. {len(one.poses)} frames, {len(known)} steps; a step is {middle} "
        f"(median). {_sure(source, one)}"
    )
    return Drawing(figure, table, caption)


def animals(source: Source) -> Drawing:
    """4B: several animals in one frame."""
    one, apart = source.several
    found = np.isfinite(apart.points).all(axis=-1) & (apart.likelihood >= source.project.pcutoff)  # (T, A, K)
    seen = found.any(axis=2).sum(axis=1)
    frame = int(np.argmax(seen + found.mean(axis=(1, 2)))) if source.frame is None else source.moment(one)
    colors = np.repeat(palette(len(apart.individuals)) / 255, len(apart.bodyparts), axis=0)
    edges = bone_edges(one.poses.bodyparts, source.project.skeleton.edges)
    pose = one.poses.points[frame], one.poses.bodyparts
    look = {"likelihood": one.poses.likelihood[frame], "pcutoff": source.project.pcutoff, "colors": colors}
    figure, ax = plots.pose_on(one.read(frame), *pose, **look, skeleton=edges)
    for handle, name in zip(ax.lines[:: len(apart.bodyparts)], apart.individuals, strict=False):
        handle.set_label(name)
    ax.legend(ax.lines[:: len(apart.bodyparts)], apart.individuals, fontsize="x-small", framealpha=0.7)
    counts = {n: (seen == n).mean() for n in range(len(apart.individuals) + 1)}
    share = ", ".join(f"{n} in {part:.0%}" for n, part in counts.items() if part)
    caption = (
        f"Bodyparts of {len(apart.individuals)} animals in frame {frame} of {one.video.name}, a colour for each; "
        f"× is below the pcutoff {source.project.pcutoff:g}. Animals with a sure point, of {len(one.poses)} frames: "
        f"{share}."
    )
    return Drawing(figure, _table(one, np.arange(frame, frame + 1)), caption)


def strip(source: Source) -> Drawing:
    """6: poses on frames that follow each other."""
    one, poses = source.recorded, source.recorded.poses
    frame = source.moment(one)
    apart = max(1, round(0.1 / max(float(np.median(np.diff(one.times))) if len(one.times) > 1 else 0.1, 1e-6)))
    rows = frame + apart * np.arange(_STRIP)
    rows = rows[rows < len(poses)]
    figure, edges = figure_of((2.2 * len(rows), 2.6)), _edges(source, one)
    around = poses.masked(source.project.pcutoff)[rows].reshape(-1, 2)
    for ax, row in zip(np.atleast_1d(figure.subplots(1, len(rows))), rows, strict=True):
        look = {"likelihood": poses.likelihood[row], "pcutoff": source.project.pcutoff, "skeleton": edges}
        plots.pose_on(one.read(int(row)), poses.points[row], poses.bodyparts, **look, ax=ax)
        _view(ax, around, one.size)
        ax.set_title(f"{one.times[row] - one.times[rows[0]]:.2f} s", fontsize="small")
    every = "every frame" if apart == 1 else f"every {apart} frames"
    caption = (
        f"Frames {rows[0]} to {rows[-1]} of {one.video.name}, {every}, with the network's poses, frame by "
        f"frame and without smoothing; × is below the pcutoff {source.project.pcutoff:g}. {_sure(source, one)}"
    )
    return Drawing(figure, _table(one, rows), caption)


def trajectories(source: Source) -> Drawing:
    """7B: trajectories in the plane."""
    one = source.recorded
    figure, _ = plots.trajectory(one.poses, source.project.pcutoff, size=one.size)
    caption = f"Where each bodypart was in {one.video.name}, {_length(one)}, without smoothing. {_sure(source, one)}"
    return Drawing(figure, _table(one, np.arange(len(one.poses))), caption)


def over_time(source: Source) -> Drawing:
    """7D: coordinates over time."""
    one = source.recorded
    figure, _ = plots.coordinates(one.poses, one.times, source.project.pcutoff, size=one.size)
    caption = f"x and y of each bodypart in {one.video.name}, {_length(one)}, without smoothing. {_sure(source, one)}"
    return Drawing(figure, _table(one, np.arange(len(one.poses))), caption)


def posture_map(source: Source) -> Drawing:
    """7E: a map of frames, cropped around a bodypart."""
    one, part = source.recorded, source.part(source.recorded.poses)
    frames = np.unique(np.linspace(0, len(one.poses) - 1, _MAPPED).astype(int))
    with VideoReader(one.video) as reader:
        images, kept = plots.crops(reader, one.poses, part, frames, size=_CROP, pcutoff=source.project.pcutoff)
    if len(images) < 4:
        raise MissingDataError(
            f"It needs 4 frames in which {part} is above the pcutoff {source.project.pcutoff:g}, found "
            f"{len(images)} of {len(frames)}: lower the pcutoff in config.yaml, or choose another bodypart."
        )
    places = plots.embed(images)
    figure, _ = plots.embedding(places, images, values=one.times[kept], label="time (s)")
    table = pd.DataFrame({"frame": kept, "time_s": one.times[kept], "map_x": places[:, 0], "map_y": places[:, 1]})
    caption = (
        f"Map of {len(kept)} frames spread over {one.video.name}, cropped to {_CROP} px around {part}: alike ones lie "
        f"side by side (t-SNE of 50 principal components of the grey pixels). {len(frames) - len(kept)} frames are "
        f"left out, as {part} was below the pcutoff {source.project.pcutoff:g}."
    )
    return Drawing(figure, table, caption)


def body_frame(source: Source) -> Drawing:
    """7F: skeletons in the body's own frame, before and after a moment."""
    one, pcutoff = source.recorded, source.project.pcutoff
    frame = source.moment(one, _AROUND)
    rows = np.arange(max(0, frame - _AROUND), min(len(one.poses), frame + _AROUND + 1))
    try:
        back, front = (one.poses.bodyparts[k] for k in body_axis(one.poses.masked(pcutoff)))
    except ValueError as error:
        raise MissingDataError(f"It needs surer poses of {one.video.name}. {error}") from error
    figure = figure_of((12, 4.8))
    left, right = figure.subplots(1, 2)
    edges = _edges(source, one)
    plots.skeletons(one.poses, edges, rows, pcutoff=pcutoff, ax=left)
    plots.skeletons(one.poses, edges, rows, centre=back, towards=front, pcutoff=pcutoff, ax=right)
    left.set_title("where they were", fontsize="medium")
    right.set_title("in the body's own frame", fontsize="medium")
    right.get_legend().remove()
    left.get_legend().remove()
    figure.legend(*left.get_legend_handles_labels(), loc="outside right upper", frameon=False, markerscale=2)
    caption = (
        f"Skeletons of frames {rows[0]} to {rows[-1]} of {one.video.name}, before and after frame {frame}, where "
        f"they were (left), and in the body's own frame (right): {back} at (0, 0), {front} straight above. "
        f"{_sure(source, one)}"
    )
    return Drawing(figure, _table(one, rows), caption)


def _edges(source: Source, one: Recorded) -> NDArray[np.int64]:
    """Bones (E, 2) between the bodyparts of the poses: the project's, or all of them in turn where it has none."""
    edges = bone_edges(one.poses.bodyparts, source.project.skeleton.edges)
    count = len(one.poses.bodyparts)
    return np.asarray(edges if len(edges) else [(k, k + 1) for k in range(count - 1)], int).reshape(-1, 2)


def _view(ax: Axes, points: NDArray[np.float64], size: tuple[int, int], margin: float = 40.0) -> None:
    """The same part of the frame in each picture: around points (n, 2)."""
    points = points[np.isfinite(points).all(axis=1)]
    if len(points):
        (left, top), (right, bottom) = points.min(axis=0) - margin, points.max(axis=0) + margin
        ax.set(xlim=(max(left, -0.5), min(right, size[1] - 0.5)), ylim=(min(bottom, size[0] - 0.5), max(top, -0.5)))


def _table(one: Recorded, rows: NDArray[np.int64]) -> pd.DataFrame:
    """Time, points and likelihoods of some frames, a row for each."""
    table = {"frame": rows, "time_s": one.times[rows]}
    for k, part in enumerate(one.poses.bodyparts):
        table[f"{part} x"], table[f"{part} y"] = one.poses.points[rows, k].T
        table[f"{part} likelihood"] = one.poses.likelihood[rows, k]
    return pd.DataFrame(table)


def _length(one: Recorded) -> str:
    return f"{len(one.poses)} frames ({one.times[-1] - one.times[0]:.1f} s)"


def _sure(source: Source, one: Recorded) -> str:
    """How many points are shown at all, in words."""
    share = float((one.poses.likelihood >= source.project.pcutoff).mean())
    cutoff = f"above the pcutoff {source.project.pcutoff:g}"
    return f"Network {one.poses.scorer}; {share:.0%} of all points of the video are {cutoff}."
