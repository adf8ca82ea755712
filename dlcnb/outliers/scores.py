"""How wrong each frame looks, as numbers that wait for a threshold: jumps, doubt, misfit, odd bones, swaps, dissent."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray

from dlcnb.project import edges_of, nearest
from dlcnb.trainset.sides import mirror_order
from dlcnb.trajectories import bone_lengths, kalman_smooth

if TYPE_CHECKING:
    from dlcnb.poses import Poses
    from dlcnb.project import Skeleton


__all__ = [
    "HOW", "Scores", "bone", "disagree", "fit", "jump", "left_right_pairs", "score", "sure", "swap", "uncertain",
]  # fmt: skip

FEW, MANY = 20, 200  # frames that are found at first: some to correct, and not most of the video

# {how: what it finds}, in the order in which to offer them
HOW = {
    "jump": "a bodypart moves further than this from one frame to the next",
    "uncertain": "the likelihood of a bodypart is below this",
    "fit": "a bodypart lies further than this from where the frames around say it is",
    "bone": "the length of a bone differs from its usual one by more than this share",
    "swap": "left and right bodyparts lie on each other's side by more than this",
    "disagree": "the networks of an ensemble lie further apart than this",
    "sure": "all bodyparts are at least this likely (for rare behaviour, not for errors)",
}


@dataclass(frozen=True, eq=False)
class Scores:
    """A number for each frame and bodypart (or bone, or pair); a threshold makes frames of them.

    Counting for another threshold sorts nothing and computes nothing again, so a slider can show the count as it moves.

    Attributes
    ----------
    how : str
        One of `HOW`.
    names : tuple of str
        Of the columns: bodyparts, bones ("a-b") or pairs ("left/right").
    values : float64 (T, C)
        NaN = nothing can be said; such frames are never found.
    unit : str
        "px", or "" for shares and likelihoods.
    above : bool
        Whether frames *above* the threshold are found, or those below it.
    threshold : float
        A usual one.
    """

    how: str
    names: tuple[str, ...]
    values: NDArray[np.float64]
    unit: str
    above: bool
    threshold: float

    @cached_property
    def worst(self) -> NDArray[np.float64]:
        """The worst value of each frame, float64 (T,); NaN where there is none."""
        bad = np.where(np.isnan(self.values), -np.inf, self.values if self.above else -self.values)
        worst = bad.max(axis=1, initial=-np.inf)
        worst = np.where(np.isneginf(worst), np.nan, worst)
        return worst if self.above else -worst

    @cached_property
    def _ordered(self) -> NDArray[np.float64]:
        return np.sort(self.worst[np.isfinite(self.worst)])

    def count(self, threshold: float | None = None) -> int:
        """How many frames a threshold finds; quick for any number of frames."""
        threshold = self.threshold if threshold is None else threshold
        if self.above:
            return len(self._ordered) - int(np.searchsorted(self._ordered, threshold, side="right"))
        return int(np.searchsorted(self._ordered, threshold, side="left"))

    def found(self, threshold: float | None = None) -> NDArray[np.int64]:
        """Frames that a threshold finds, int64, ascending."""
        threshold = self.threshold if threshold is None else threshold
        with np.errstate(invalid="ignore"):
            return np.flatnonzero(self.worst > threshold if self.above else self.worst < threshold)

    def threshold_for(self, count: int) -> float:
        """The threshold that finds the ``count`` worst frames (fewer if there are equals at the border).

        Where more frames than that share the lowest likelihood, it finds them all: they are the least sure there are.
        """
        values = self._ordered[::-1] if self.above else self._ordered
        if not len(values):
            return self.threshold
        border = float(values[min(count, len(values) - 1)])
        if count < len(values) and (self.above or count < 1 or border != values[0]):
            return border
        return float(np.nextafter(border, -np.inf if self.above else np.inf))

    @property
    def first(self) -> float:
        """Where to begin: the usual threshold, if it finds neither almost nothing nor far more than anybody corrects.

        Else where the `FEW` worst frames lie (fewer in a short video), or the `MANY` worst. "sure", which finds no
        errors, always begins at the usual one.
        """
        count, few = self.count(), min(FEW, len(self.worst) // FEW)
        if self.how == "sure" or few <= count <= MANY:
            return self.threshold
        found = self.threshold_for(min(max(count, few), MANY))
        return found if self.count(found) else self.threshold

    def limits(self) -> tuple[float, float]:
        """Least and greatest value, for the ends of a slider; (0, 1) if there is none."""
        return (float(self._ordered[0]), float(self._ordered[-1])) if len(self._ordered) else (0.0, 1.0)

    def reason(self, frame: int) -> str:
        """What is wrong in a frame, in words: 'leftear: 41.3 px'."""
        if not np.isfinite(self.worst[frame]):
            return ""
        column = int(np.flatnonzero(self.values[frame] == self.worst[frame])[0])
        return f"{self.names[column]}: {self.worst[frame]:.3g}{' ' + self.unit if self.unit else ''}"

    def only(self, names: Sequence[str]) -> Scores:
        """The same of some columns; a name that is none is a `ValueError`."""
        for name in names:
            if name not in self.names:
                raise ValueError(f"There is no '{name}'; there are {', '.join(self.names)}{nearest(name, self.names)}")
        columns = [self.names.index(name) for name in names]
        return replace(self, names=tuple(names), values=self.values[:, columns])


def score(
    poses: Poses,
    how: str,
    *,
    skeleton: Skeleton | ArrayLike | None = None,
    pcutoff: float = 0.6,
    bodyparts: Sequence[str] | None = None,
) -> Scores:
    """`Scores` of one of `HOW`.

    Parameters
    ----------
    poses : unfiltered ones.
    how : "jump", "uncertain", "fit", "bone", "swap", "disagree" or "sure".
    skeleton : for "bone".
    pcutoff : for "bone" and "swap": what counts as usual is learnt from points at least so likely.
    bodyparts : look at these only; bones and pairs are looked at if both their bodyparts are named.

    Raises `ValueError` for another word, an unknown bodypart, no skeleton, no left and right bodyparts, or no ensemble.
    """
    functions = {
        "jump": jump,
        "uncertain": uncertain,
        "fit": fit,
        "bone": lambda p: bone(p, skeleton, pcutoff),
        "swap": lambda p: swap(p, pcutoff),
        "disagree": disagree,
    }
    if how == "sure":
        return sure(poses, bodyparts)
    if how not in functions:
        raise ValueError(f"Unknown way to find outlier frames '{how}'; there are {', '.join(HOW)}{nearest(how, HOW)}")
    found = functions[how](poses)
    if bodyparts is None:
        return found
    _columns(poses, bodyparts)
    between = {"bone": "-", "swap": "/"}.get(how)
    parts = set(bodyparts)
    ends = _ends(poses, found.names, between) if between else [(name,) for name in found.names]
    return found.only([name for name, end in zip(found.names, ends, strict=True) if parts.issuperset(end)])


def jump(poses: Poses) -> Scores:
    """How far each bodypart moves from frame to frame, px; usual threshold 20, as DeepLabCut's.

    A step is counted for the less likely of its two frames (the later one if they are alike), as that is the one to
    correct; DeepLabCut counts it for the later one.
    """
    steps = np.linalg.norm(np.diff(poses.points, axis=0), axis=-1)  # (T - 1, K)
    values = np.full(poses.likelihood.shape, np.nan)
    earlier = poses.likelihood[:-1] < poses.likelihood[1:]
    values[1:] = np.where(earlier, np.nan, steps)
    values[:-1] = np.fmax(values[:-1], np.where(earlier, steps, np.nan))
    return Scores("jump", poses.bodyparts, values, "px", True, 20.0)


def uncertain(poses: Poses) -> Scores:
    """The likelihood of each bodypart; usual threshold 0.1 (as the paper's Fig. 7A; DeepLabCut's is 0.01)."""
    return Scores("uncertain", poses.bodyparts, poses.likelihood.copy(), "", False, 0.1)


def fit(poses: Poses) -> Scores:
    """How far each bodypart lies from where the smoother puts it from all *other* frames, px; usual threshold 20.

    Finds jumps of several frames too, and leaves alone an animal that is just quick. See `kalman_smooth`.
    """
    smoothed = kalman_smooth(poses.points, poses.likelihood, limit=0)
    return Scores("fit", poses.bodyparts, smoothed.deviation, "px", True, 20.0)


def disagree(poses: Poses) -> Scores:
    """How far the networks of an ensemble lie apart, px along each axis; usual threshold 5.

    Frames that networks of the same labels see differently are those that the labels do not settle.
    """
    if poses.spread is None:
        raise ValueError(
            "These poses come from one network, and 'disagree' compares several. Analyze the video with an ensemble "
            "(in a terminal: dlcnb analyze --ensemble), or use --how fit."
        )
    return Scores("disagree", poses.bodyparts, poses.spread.px.copy(), "px", True, 5.0)


def bone(poses: Poses, skeleton: Skeleton | ArrayLike | None, pcutoff: float = 0.6) -> Scores:
    """By what share each bone is longer or shorter than usual (its median length); usual threshold 0.5."""
    edges = edges_of(skeleton)
    if not len(edges):
        raise ValueError(
            "There are no bones, because the project has no skeleton. Add one to config.yaml, or use --how fit."
        )
    usual = np.array([_median(column) for column in bone_lengths(poses.masked(pcutoff), edges).T])
    usual[~(usual > 0)] = np.nan
    names = tuple(f"{poses.bodyparts[a]}-{poses.bodyparts[b]}" for a, b in edges)
    return Scores("bone", names, np.abs(bone_lengths(poses.points, edges) / usual - 1), "", True, 0.5)


def swap(poses: Poses, pcutoff: float = 0.6) -> Scores:
    """How far left and right bodyparts lie on the wrong side of the body, px; below 0 = on the right one.

    Seen from a third bodypart such as the base of the tail, the left ear is always on the same side of the right one.
    For each pair and each third bodypart that is usually on one side of the line through the pair (in 80 % of the
    likely frames), its distance from the line counts, positive if on the other side; the score is the least of these,
    as all of them must agree (but for those much nearer to the line than usual, which say little). Without any such
    bodypart it is how much nearer both would be to their places in the frame before if they were exchanged.
    Usual threshold: 3.
    """
    pairs = left_right_pairs(poses.bodyparts)
    if not pairs:
        raise ValueError(
            f"None of {', '.join(poses.bodyparts)} are a left and a right bodypart; their names must differ only in "
            "'left' and 'right'. Rename them, or use --how fit."
        )
    values = np.stack([_swapped(poses, left, right, pcutoff) for left, right in pairs], axis=1)
    names = tuple(f"{poses.bodyparts[left]}/{poses.bodyparts[right]}" for left, right in pairs)
    return Scores("swap", names, values, "px", True, 3.0)


def sure(poses: Poses, bodyparts: Sequence[str] | None = None) -> Scores:
    """The least likelihood of some bodyparts, to find frames in which all of them are surely there.

    The paper's Discussion: behaviours that are rare in the training data are found by sampling around points of high
    probability. Usual threshold: 0.9.
    """
    columns = _columns(poses, poses.bodyparts if bodyparts is None else bodyparts)
    values = poses.likelihood[:, columns].min(axis=1, keepdims=True)
    return Scores("sure", (" ".join(poses.bodyparts[k] for k in columns),), values, "", True, 0.9)


def left_right_pairs(bodyparts: Sequence[str]) -> list[tuple[int, int]]:
    """Pairs (left, right) of indices of bodyparts whose names differ in the side only, as leftear and rightear."""
    pairs = []
    for a, one in enumerate(bodyparts):
        for b, other in enumerate(bodyparts[a + 1 :], start=a + 1):
            order = mirror_order((one, other))
            if order is not None and order[0] == 1:
                pairs.append((a, b))
    return pairs


def _swapped(poses: Poses, left: int, right: int, pcutoff: float) -> NDArray[np.float64]:
    """Score (T,) of one pair: see `swap`."""
    points, likely = poses.points, poses.masked(pcutoff)
    others = [k for k in range(len(poses.bodyparts)) if k not in (left, right)]
    wrong, near = [], []
    for k in others:
        usual = _distance_from_line(likely[:, k], likely[:, left], likely[:, right])
        usual = usual[np.isfinite(usual)]
        side = np.sign(_median(usual))
        if len(usual) and side and (np.sign(usual) == side).mean() >= 0.8:
            distance = -side * _distance_from_line(points[:, k], points[:, left], points[:, right])
            near.append(np.abs(distance) < 0.6 * np.median(np.abs(usual)))
            wrong.append(distance)
    if wrong:
        clear = np.fmin.reduce(np.where(near, np.nan, wrong))
        return np.where(np.isnan(clear), np.fmin.reduce(wrong), clear)
    out = np.full(len(points), np.nan)
    one, two = points[:, left], points[:, right]
    kept = np.linalg.norm(one[1:] - one[:-1], axis=-1) + np.linalg.norm(two[1:] - two[:-1], axis=-1)
    exchanged = np.linalg.norm(one[1:] - two[:-1], axis=-1) + np.linalg.norm(two[1:] - one[:-1], axis=-1)
    out[1:] = kept - exchanged
    return out


def _distance_from_line(
    point: NDArray[np.float64], start: NDArray[np.float64], end: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Signed distance (T,) of points from the lines through two others; NaN where one is not there or both are one."""
    along, to = end - start, point - start
    length = np.linalg.norm(along, axis=-1)
    cross = along[:, 0] * to[:, 1] - along[:, 1] * to[:, 0]
    return np.divide(cross, length, out=np.full(len(length), np.nan), where=length > 0)


def _median(values: NDArray[np.float64]) -> float:
    values = values[np.isfinite(values)]
    return float(np.median(values)) if len(values) else np.nan


def _columns(poses: Poses, bodyparts: Sequence[str]) -> list[int]:
    for name in bodyparts:
        if name not in poses.bodyparts:
            known = ", ".join(poses.bodyparts)
            raise ValueError(f"There is no bodypart '{name}'; there are {known}{nearest(name, poses.bodyparts)}")
    return [poses.bodyparts.index(name) for name in bodyparts]


def _ends(poses: Poses, names: Sequence[str], between: str) -> list[tuple[str, ...]]:
    """The two bodyparts of each bone or pair, also where a bodypart's own name has what is between them in it."""
    known = {f"{a}{between}{b}": (a, b) for a in poses.bodyparts for b in poses.bodyparts}
    return [known[name] for name in names]
