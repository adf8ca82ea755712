"""Points <-> score-maps and location refinement (Mathis et al. 2018, Methods; DeepLabCut's pose targets).

A map cell ``(row, column)`` stands for the image point ``(stride * (column + 0.5) - 0.5, the same for row)``: the
centre of the ``stride`` x ``stride`` pixels below it. The score-map of a bodypart is 1 on the cells within
``radius`` px of it and 0 elsewhere; on those cells the location refinement (locref) holds the vector from the cell
to the bodypart, in units of `LOCREF_STDEV` px. A bodypart that is not there (NaN) has an empty score-map.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import ndimage

__all__ = ["LOCREF_STDEV", "STRIDE", "cell_centers", "decode", "encode", "grid_size", "local_maxima"]

STRIDE = 8
LOCREF_STDEV = 7.2801


def grid_size(size: tuple[int, int], stride: int = STRIDE) -> tuple[int, int]:
    """``(rows, columns)`` of the maps of an image of ``size = (height, width)`` px.

    >>> grid_size((480, 637))
    (60, 80)
    """
    return -(-size[0] // stride), -(-size[1] // stride)


def cell_centers(count: int, stride: int = STRIDE) -> NDArray[np.float64]:
    """Image coordinate (px) of each of ``count`` cells along one axis; float64 ``(count,)``."""
    centers: NDArray[np.float64] = (np.arange(count) + 0.5) * stride - 0.5
    return centers


def encode(
    points: ArrayLike, size: tuple[int, int], *, stride: int = STRIDE, radius: float = 17.0
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Score-maps and location refinement of points.

    Parameters
    ----------
    points : float ``(B, K, 2)`` or, with A animals, ``(B, A, K, 2)``
        ``(x, y)`` in px of the image; NaN = not there.
    size : ``(height, width)`` of the image in px.
    stride : px per cell.
    radius : px; the cell nearest to a point belongs to its disc however small the radius.

    Returns
    -------
    score : float32 ``(B, K, h, w)``, 1 on the discs, 0 elsewhere.
    locref : float32 ``(B, K, 2, h, w)``, ``(dx, dy) / LOCREF_STDEV`` on the discs, 0 elsewhere. Where the discs of
        two animals overlap, a cell points to the nearer one.
    """
    points = np.asarray(points, np.float64)
    if points.ndim == 3:
        return _discs(points, size, stride, radius)
    rows, columns = grid_size(size, stride)
    dx = points[..., 0, None] - cell_centers(columns, stride)  # (B, A, K, w)
    dy = points[..., 1, None] - cell_centers(rows, stride)  # (B, A, K, h)
    distance = np.square(dx)[..., None, :] + np.square(dy)[..., :, None]  # (B, A, K, h, w)
    distance[np.isnan(distance)] = np.inf
    reach = np.maximum(radius**2, distance.min((-1, -2), keepdims=True))
    inside = np.isfinite(distance) & (distance <= reach) & _within_grid(points, size)[..., None, None]
    nearest = np.where(inside, distance, np.inf).argmin(1)[:, None]  # (B, 1, K, h, w)
    score = inside.any(1)
    shape = distance.shape
    dx = np.take_along_axis(np.broadcast_to(dx[..., None, :], shape), nearest, 1)[:, 0]
    dy = np.take_along_axis(np.broadcast_to(dy[..., :, None], shape), nearest, 1)[:, 0]
    locref = np.where(score[:, :, None], np.stack([dx, dy], 2), 0.0) / LOCREF_STDEV
    return score.astype(np.float32), locref.astype(np.float32)


def _discs(
    points: NDArray[np.float64], size: tuple[int, int], stride: int, radius: float
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """`encode` for one animal, ``(B, K, 2)``: only the cells near its points are looked at."""
    grid = grid_size(size, stride)
    score = np.zeros((*points.shape[:2], *grid), np.float32)
    locref = np.zeros((*points.shape[:2], 2, *grid), np.float32)
    b, k = np.nonzero(_within_grid(points, size))
    at = points[b, k][:, ::-1]  # (n, 2): y, x
    near = np.rint((at + 0.5) / stride - 0.5).astype(int)
    reach = int(np.ceil(radius / stride)) + 1
    cells = near[:, :, None] + np.arange(-reach, reach + 1)  # (n, 2, m): rows, columns
    on_grid = (cells >= 0) & (cells < np.array(grid)[:, None])
    dy, dx = np.moveaxis(at[:, :, None] - ((cells + 0.5) * stride - 0.5), 1, 0)  # (n, m)
    distance = np.square(dx)[:, None, :] + np.square(dy)[:, :, None]
    distance[~(on_grid[:, 0, :, None] & on_grid[:, 1, None, :])] = np.inf
    limit = np.maximum(radius**2, distance.min((1, 2), initial=np.inf, keepdims=True))
    n, i, j = np.nonzero(np.isfinite(distance) & (distance <= limit))
    b, k, row, column = b[n], k[n], cells[n, 0, i], cells[n, 1, j]
    score[b, k, row, column] = 1
    locref[b, k, 0, row, column] = dx[n, j] / LOCREF_STDEV
    locref[b, k, 1, row, column] = dy[n, i] / LOCREF_STDEV
    return score, locref


def _within_grid(points: NDArray[np.float64], size: tuple[int, int]) -> NDArray[np.bool_]:
    """True for points on the image; a label outside a crop must not pull the border cells."""
    height, width = size
    x, y = points[..., 0], points[..., 1]
    within: NDArray[np.bool_] = (x >= -0.5) & (x <= width - 0.5) & (y >= -0.5) & (y <= height - 0.5)
    return within


def decode(
    score: NDArray[np.floating[Any]], locref: NDArray[np.floating[Any]], *, stride: int = STRIDE, vote: int = 1
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Points and likelihood from maps: the arg-max cell plus its location refinement.

    Parameters
    ----------
    score : float ``(B, K, h, w)``, probabilities in 0..1.
    locref : float ``(B, K, 2, h, w)``, in units of `LOCREF_STDEV`.
    vote : cells around the arg-max that take part, weighted by their squared score. 0 is the paper's plain arg-max;
        1 (a 3 x 3 neighbourhood) is steadier while the network is young.

    Returns
    -------
    points : float64 ``(B, K, 2)``, ``(x, y)`` in px; never NaN (the likelihood says what to believe).
    likelihood : float64 ``(B, K)``, the score at the arg-max.
    """
    batch, parts, rows, columns = score.shape
    row, column = np.divmod(score.reshape(batch, parts, -1).argmax(-1)[..., None], columns)
    down, right = (steps.ravel() for steps in np.mgrid[-vote : vote + 1, -vote : vote + 1])
    r, c = row + down, column + right  # (B, K, n): the arg-max in the middle, and its neighbours
    on_grid = (r >= 0) & (r < rows) & (c >= 0) & (c < columns)
    r, c = r.clip(0, rows - 1), c.clip(0, columns - 1)
    b, k = (index[..., None] for index in np.ogrid[:batch, :parts])
    near = score[b, k, r, c]
    weight = np.square(near, dtype=np.float64) * on_grid
    middle = len(down) // 2
    weight[..., middle] = np.maximum(weight[..., middle], np.finfo(float).tiny)
    cells = np.stack([(c + 0.5) * stride - 0.5, (r + 0.5) * stride - 0.5], -1)
    pointed_at = cells + LOCREF_STDEV * locref[b, k, :, r, c]
    points = (weight[..., None] * pointed_at).sum(-2) / weight.sum(-1, keepdims=True)
    return points, near[..., middle].astype(np.float64)


def local_maxima(
    score: NDArray[np.floating[Any]],
    locref: NDArray[np.floating[Any]],
    *,
    count: int,
    threshold: float = 0.1,
    radius: int = 2,
    stride: int = STRIDE,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Up to ``count`` local maxima per bodypart: several animals with a single-animal network (paper Fig. 4B).

    Parameters
    ----------
    score, locref : ``(K, h, w)`` and ``(K, 2, h, w)`` maps of one image, as in `decode`.
    count : animals at most.
    threshold : least likelihood of a maximum.
    radius : cells; two maxima are further apart than this.

    Returns
    -------
    points : float64 ``(count, K, 2)``, px, by falling likelihood, NaN where there are fewer.
    likelihood : float64 ``(count, K)``, 0 where there are fewer.
    """
    parts = score.shape[0]
    points = np.full((count, parts, 2), np.nan)
    likelihood = np.zeros((count, parts))
    for k in range(parts):
        smooth = ndimage.gaussian_filter(np.asarray(score[k], np.float64), 1.0, mode="constant")
        top = (smooth == ndimage.maximum_filter(smooth, 2 * radius + 1)) & (score[k] >= threshold)
        cells = np.argwhere(top)
        cells = cells[np.argsort(-smooth[tuple(cells.T)], kind="stable")]
        for n, (r, c) in enumerate(_thin(cells, radius, count)):
            at = np.array([(c + 0.5) * stride - 0.5, (r + 0.5) * stride - 0.5])
            points[n, k] = at + LOCREF_STDEV * locref[k, :, r, c]
            likelihood[n, k] = score[k, r, c]
    return points, likelihood


def _thin(cells: NDArray[np.int64], radius: int, count: int) -> list[NDArray[np.int64]]:
    """The first ``count`` of ``cells`` (n, 2) that are more than ``radius`` cells from every earlier one."""
    kept: list[NDArray[np.int64]] = []
    for cell in cells:
        if all(np.abs(cell - other).max() > radius for other in kept):
            kept.append(cell)
            if len(kept) == count:
                break
    return kept
