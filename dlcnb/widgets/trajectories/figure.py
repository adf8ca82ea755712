"""The part and the bodyparts that TrajectoryView looks at, as a figure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dlcnb.widgets.trajectories.state import KINDS

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from dlcnb.widgets.trajectories.state import TrajectoryState

__all__ = ["selected_figure"]


def selected_figure(state: TrajectoryState) -> Figure:
    """Plots over time, in the plane and histograms, raw and filtered side by side."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    from dlcnb import plots

    sources = state.sources
    figure = Figure(figsize=(9.5 * len(sources), 15), layout="constrained")
    FigureCanvasAgg(figure)
    grid = figure.add_gridspec(6, 2 * len(sources), height_ratios=[1, 1, 1, 1, 2.2, 1.4])
    times = state.times[state.start : state.stop] - state.times[0]
    for n, filtered in enumerate(sources):
        poses, left = state.selection(filtered), slice(2 * n, 2 * n + 2)
        rows = [figure.add_subplot(grid[i, left]) for i in range(len(KINDS))]
        plots.coordinates(poses, times, state.pcutoff, ax=rows[:2])
        plots.likelihood(poses, times, state.pcutoff, ax=rows[2])
        plots.speed(poses, times, state.pcutoff, ax=rows[3])
        plots.trajectory(poses, state.pcutoff, ax=figure.add_subplot(grid[4, left]))
        bars = [figure.add_subplot(grid[5, 2 * n + i]) for i in range(2)]
        plots.histogram(poses, state.pcutoff, ax=bars)
        rows[0].set_title(state.method if filtered else "raw")
    return figure
