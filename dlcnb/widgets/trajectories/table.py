"""The part and the bodyparts that TrajectoryView looks at, as a table."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from dlcnb.widgets.trajectories.state import TrajectoryState

__all__ = ["selected_table"]


def selected_table(state: TrajectoryState) -> pd.DataFrame:
    """See `TrajectoryState.table`."""
    part = slice(state.start, state.stop)
    data: dict[str, ArrayLike] = {"frame": np.arange(state.start, state.stop), "time_s": state.times[part]}
    for filtered in state.sources:
        suffix = "_filtered" if filtered else ""
        length = f"{suffix}_{state.length}"
        for k, name in zip(state.columns, state.bodyparts, strict=True):
            poses = state.drawn(filtered)
            sure = poses.likelihood[part, k] >= state.pcutoff
            points = state.in_unit(np.where(sure[:, None], poses.points[part, k], np.nan))
            data[f"{name}_x{length}"], data[f"{name}_y{length}"] = points.T
            data[f"{name}_likelihood{suffix}"] = poses.likelihood[part, k]
            data[f"{name}_speed{length}_s"] = state.series("speed", k, filtered).values[part]
    return pd.DataFrame(data)
