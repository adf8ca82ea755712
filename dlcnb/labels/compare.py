"""How far apart two people (or one person twice) place the same bodyparts: the human variability.

Mathis et al., Nature Neuroscience 2018, Supplementary Fig. 1.
"""

from __future__ import annotations

import math
from contextlib import suppress
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from dlcnb.labels.core import table_paths
from dlcnb.labels.current import current_labels
from dlcnb.labels.errors import LabelError
from dlcnb.labels.journal import journals
from dlcnb.project import nearest

if TYPE_CHECKING:
    from dlcnb.labels.core import Labels
    from dlcnb.project import Project

__all__ = ["Spread", "Variability", "Worst", "compare_scorers", "scorers", "variability"]

RESAMPLES = 2000


@dataclass(frozen=True)
class Spread:
    """Distances in px: mean, root mean square (each with a 95 % interval) and median, of ``n`` points; NaN if none."""

    mean_px: float
    mean_ci95: tuple[float, float]
    rms_px: float
    rms_ci95: tuple[float, float]
    median_px: float
    n: int

    def to_json(self) -> dict[str, Any]:
        """The same as a dict; None for NaN."""
        return {key: _plain(value) for key, value in asdict(self).items()}


@dataclass(frozen=True)
class Worst:
    """A frame: its mean distance in px, and the bodypart that is farthest apart in it, with its distance."""

    image: str
    mean_px: float
    bodypart: str
    max_px: float


@dataclass(frozen=True, eq=False)
class Variability:
    """Two labelings of the same frames.

    Attributes
    ----------
    scorers : the two. bodyparts : K names that both have.
    images : T images that both labeled.
    points : float64 ``(2, T, K, 2)``, px, NaN = not placed.
    distances : float64 ``(T, K)``, px, NaN where not both placed the bodypart.
    only : number of labeled images that the first alone, and the second alone, has.
    """

    scorers: tuple[str, str]
    bodyparts: tuple[str, ...]
    images: tuple[str, ...]
    points: NDArray[np.float64]
    distances: NDArray[np.float64]
    only: tuple[int, int]

    @property
    def spread(self) -> Spread:
        """`Spread` over all bodyparts."""
        return _spread(self.distances)

    @property
    def by_bodypart(self) -> dict[str, Spread]:
        """{bodypart: `Spread`}."""
        return {part: _spread(self.distances[:, [k]]) for k, part in enumerate(self.bodyparts)}

    @property
    def one_sided(self) -> dict[str, tuple[int, int]]:
        """{bodypart: (frames where only the first placed it, where only the second did)}."""
        placed = ~np.isnan(self.points[..., 0])  # (2, T, K)
        first, second = (placed[0] & ~placed[1]).sum(0), (placed[1] & ~placed[0]).sum(0)
        return {part: (int(first[k]), int(second[k])) for k, part in enumerate(self.bodyparts)}

    def worst(self, count: int = 10) -> list[Worst]:
        """The frames that are farthest apart on average, worst first; list of `Worst`."""
        some = np.flatnonzero(np.isfinite(self.distances).any(1))
        means = np.nanmean(self.distances[some], axis=1) if len(some) else np.empty(0)
        found = []
        for n in np.argsort(-means, kind="stable")[:count]:
            t = some[n]
            k = int(np.nanargmax(self.distances[t]))
            found.append(Worst(self.images[t], float(means[n]), self.bodyparts[k], float(self.distances[t, k])))
        return found

    def to_json(self) -> dict[str, Any]:
        """Everything but the points, as plain values."""
        return {
            "scorers": list(self.scorers),
            "frames": len(self.images),
            "only": list(self.only),
            **self.spread.to_json(),
            "bodyparts": {
                part: {**spread.to_json(), "one_sided": list(self.one_sided[part])}
                for part, spread in self.by_bodypart.items()
            },
            "worst": [asdict(frame) for frame in self.worst()],
        }


def variability(one: Labels, two: Labels) -> Variability:
    """Compare two `Labels` of the same frames; raises `LabelError` if no frame or no bodypart is in both."""
    parts = tuple(part for part in one.bodyparts if part in two.bodyparts)
    if not parts:
        raise LabelError(
            f"nothing to compare: {one.scorer} labeled {', '.join(one.bodyparts)}, "
            f"{two.scorer} {', '.join(two.bodyparts)}"
        )
    one, two = (labels.select(~np.isnan(labels.points).all((1, 2))) for labels in (one, two))
    where = {image: t for t, image in enumerate(two.images)}
    images = tuple(image for image in one.images if image in where)
    if not images:
        raise LabelError(
            f"nothing to compare: none of the {len(one)} frames labeled by {one.scorer} "
            f"is among the {len(two)} labeled by {two.scorer}; label the same frames"
        )
    first = {image: t for t, image in enumerate(one.images)}
    points = np.stack(
        [
            one.points[[first[i] for i in images]][:, [one.bodyparts.index(part) for part in parts]],
            two.points[[where[i] for i in images]][:, [two.bodyparts.index(part) for part in parts]],
        ]
    )
    distances = np.hypot(*np.moveaxis(points[1] - points[0], -1, 0))
    only = len(one) - len(images), len(two) - len(images)
    return Variability((one.scorer, two.scorer), parts, images, points, distances, only)


def scorers(project: Project) -> dict[str, int]:
    """{scorer: number of labeled frames} of everybody who labeled in a project, the project's own scorer first.

    A table that can't be read counts as no frames here; reading it says why.
    """
    found: dict[str, int] = {}
    for folder in project.labeled_dirs():
        found.update(dict.fromkeys([*table_paths(folder), *journals(folder)], 0))
    for scorer in found:
        with suppress(LabelError):
            found[scorer] = int((~np.isnan(current_labels(project, scorer).points).all((1, 2))).sum())
    return dict(sorted(found.items(), key=lambda item: (item[0] != project.scorer, item[0])))


def compare_scorers(project: Project, one: str, two: str) -> Variability:
    """Compare two scorers' labels of a project, unsaved edits included; raises `LabelError` as `variability`."""
    known = scorers(project)
    for name in (one, two):
        if name not in known:
            who = ", ".join(known) or "nobody"
            raise LabelError(f"no labels by '{name}' in {project.root}; labeled by {who}{nearest(name, known)}")
    return variability(current_labels(project, one), current_labels(project, two))


def _spread(distances: NDArray[np.float64]) -> Spread:
    """`Spread` of distances ``(T, K)``, intervals by resampling frames."""
    known = distances[np.isfinite(distances)]
    if not known.size:
        return Spread(math.nan, (math.nan, math.nan), math.nan, (math.nan, math.nan), math.nan, 0)
    mean_ci, square_ci = _interval(distances), _interval(distances**2)
    rms = float(np.sqrt(np.mean(known**2)))
    rms_ci = math.sqrt(square_ci[0]), math.sqrt(square_ci[1])
    return Spread(float(known.mean()), mean_ci, rms, rms_ci, float(np.median(known)), int(known.size))


def _interval(values: NDArray[np.float64], seed: int = 0) -> tuple[float, float]:
    """95 % percentile interval of the mean of values ``(T, K)``; points of one frame are drawn together."""
    total, count = np.nansum(values, axis=1), np.isfinite(values).sum(1)
    total, count = total[count > 0], count[count > 0]
    if len(count) < 2:
        return math.nan, math.nan
    rng, means = np.random.default_rng(seed), np.empty(RESAMPLES)
    for n in range(RESAMPLES):
        drawn = rng.integers(0, len(count), len(count))
        means[n] = total[drawn].sum() / count[drawn].sum()
    low, high = np.percentile(means, [2.5, 97.5])
    return float(low), float(high)


def _plain(value: Any) -> Any:
    if isinstance(value, tuple):
        return [_plain(v) for v in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
