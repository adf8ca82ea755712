"""Labels and predictions on a frame, as DeepLabCut draws them: + the label, a dot a prediction, × an unlikely one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np
from numpy.typing import ArrayLike, NDArray
from PIL import Image

from dlcnb.widgets.base.paint import Circles, Lines, Thing, haloed, on_picture
from dlcnb.widgets.base.pictures import beside, figure_picture
from dlcnb.widgets.gallery.thumbnails import FINE

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dlcnb.evaluate import Evaluation
    from dlcnb.widgets.evaluation.state import EvaluationState

__all__ = ["blend_map", "overlay", "plots_picture", "thumbnail"]

ARM = 7.0  # px of the arms of + and ×, on the canvas
JOIN = (235, 238, 241)
DIAGONALS = ((0.7, 0.7), (0.7, -0.7))


def overlay(
    labels: NDArray[np.float64],
    predicted: NDArray[np.float64],
    sure: NDArray[np.bool_],
    colors: NDArray[np.uint8],
    arm: float = ARM,
    fine: float = 1.0,
) -> list[Thing]:
    """What is drawn over the picture of one frame.

    Parameters
    ----------
    labels, predicted : (K, 2) in coordinates of the picture, from its corner; NaN = not there.
    sure : (K,)
        Predictions that are likely enough.
    colors : (K, 3)
    arm : float
        Length of the arms of + and ×, px.
    fine : float
        Pixels of the picture for each px.

    Returns
    -------
    list
        Lines from labels to their predictions, sure predictions as discs, labels as + and unsure predictions as ×.
    """
    unsure = np.isfinite(predicted).all(axis=-1) & ~sure
    arms, arm = [], arm * fine
    for points, shown, (u, v) in ((labels, np.ones(len(sure), bool), ((1, 0), (0, 1))), (predicted, unsure, DIAGONALS)):
        for direction in (np.array(u) * arm, np.array(v) * arm):
            arms.append(np.stack([points[shown] - direction, points[shown] + direction], axis=1))
    tints = np.concatenate([colors, colors, colors[unsure], colors[unsure]])
    return [
        Lines(np.stack([labels, predicted], axis=1), JOIN, 1.5 * fine, 0.8),
        *haloed(Circles(predicted[sure], 4.0 * fine, colors[sure]), 1.5 * fine),
        *haloed(Lines(np.concatenate(arms), tints, 2.2 * fine), 1.15 * fine),
    ]


def blend_map(image: NDArray[np.uint8], score: NDArray[np.floating]) -> NDArray[np.uint8]:
    """An image with a score-map (H, W), 0..1, over it: brighter colours where it is higher."""
    tint = cv2.cvtColor(
        cv2.applyColorMap(np.rint(255 * score).astype(np.uint8), cv2.COLORMAP_INFERNO), cv2.COLOR_BGR2RGB
    )
    alpha = 0.85 * np.minimum(1.0, 3 * score)[..., None]
    return np.rint(image * (1 - alpha) + tint * alpha).astype(np.uint8)


def thumbnail(
    image: NDArray[np.uint8],
    label: ArrayLike,
    predicted: ArrayLike,
    sure: bool,
    color: ArrayLike,
    size: Sequence[int],
) -> NDArray[np.uint8]:
    """The part of a frame around one label and its prediction.

    Parameters
    ----------
    image : uint8 (H, W, 3)
    label, predicted : (2,) px of the frame, NaN = not there; a prediction outside is drawn at the frame's edge.
    sure : bool
        Whether the prediction is likely enough.
    color : uint8 (3,)
    size : (height, width)
        Of the picture, px.

    Returns
    -------
    uint8 (H, W, 3), `FINE` times as large.
    """
    predicted = np.clip(np.asarray(predicted, float), 0, np.array(image.shape[1::-1]) - 1)  # at the edge if outside
    points = np.array([label, predicted], float)
    points = points[np.isfinite(points).all(axis=1)]
    height, width = (FINE * side for side in size)
    low, high = (points.min(axis=0), points.max(axis=0)) if len(points) else (np.zeros(2), np.array(image.shape[1::-1]))
    span = np.maximum(high - low, 1)
    side = max(1.6 * max(span[0] / width, span[1] / height), 0.35 / FINE)  # px of the frame per px of the picture
    centre = (low + high) / 2
    matrix = np.array([[side, 0, 0], [0, side, 0]])
    matrix[:, 2] = centre - side * (np.array([width, height]) - 1) / 2
    how = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    picture = cv2.warpAffine(image, matrix, (width, height), flags=how, borderMode=cv2.BORDER_CONSTANT)
    here = (np.array([label, predicted], float) - matrix[:, 2]) / side + 0.5
    drawn = overlay(here[:1], here[1:], np.array([sure]), np.asarray(color, np.uint8)[None], 6.0, FINE)
    return np.asarray(on_picture(Image.fromarray(picture), drawn))


def plots_picture(evaluation: Evaluation, state: EvaluationState, width: int) -> Image.Image:
    """The three plots drawn with matplotlib, as a picture of a given width."""
    from dlcnb import plots  # here: matplotlib takes a second to load

    drawn = [
        plots.errors(evaluation),
        plots.pck(evaluation, state.human),
        plots.calibration(evaluation, epsilon_px=state.epsilon_px),
    ]
    pictures = [figure_picture(figure, 80) for figure, _ in drawn]
    scale = width / sum(p.width for p in pictures)
    sizes = [(int(p.width * scale), max(int(p.height * scale), 1)) for p in pictures]
    return beside(*(p.resize(size, Image.Resampling.LANCZOS) for p, size in zip(pictures, sizes, strict=True)), gap=0)
