"""What a run under way makes of its validation frames: read from its folder, and drawn as one picture."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from dlcnb.files import read_arrays
from dlcnb.labels import LabelError
from dlcnb.labels.images import read_image
from dlcnb.render import halos, palette
from dlcnb.run import Run
from dlcnb.targets import STRIDE

__all__ = ["Preview", "draw_marks", "draw_preview", "preview_size", "read_preview"]

CELL = (240, 320)  # (height, width) px of one frame in the picture
GAP, CAPTION, COLUMNS = 4, 20, 3
GROUND, TEXT, EMPTY = (31, 41, 51), (235, 238, 241), (52, 63, 74)
CONTEXT = 1.7  # the part of a frame that is shown, as a multiple of the animal's extent
DECADES = 5  # of probability that the logarithmic view shows

log = logging.getLogger(__name__)


@dataclass(frozen=True, eq=False)
class Preview:
    """What the network makes of n validation frames at a step.

    ``images`` n names; ``labels``, ``points`` ``(n, K, 2)`` px, NaN = not there; ``likelihood`` ``(n, K)``;
    ``score_maps`` ``(n, K, h, w)`` probabilities, or None if they were not kept; ``input_scale``: how frames were
    resized for the network.
    """

    step: int
    images: tuple[str, ...]
    labels: NDArray[np.float64]
    points: NDArray[np.float64]
    likelihood: NDArray[np.float64]
    score_maps: NDArray[np.floating[Any]] | None
    input_scale: float

    def error(self, n: int) -> float:
        """Mean distance between labels and predictions of frame ``n``, px; NaN if nothing is labeled."""
        distance = np.hypot(*np.moveaxis(self.points[n] - self.labels[n], -1, 0))
        known = distance[np.isfinite(distance)]
        return float(known.mean()) if len(known) else np.nan

    def score(self, n: int, size: tuple[int, int], *, log_view: bool = False) -> NDArray[np.float32]:
        """The highest of the K score-maps of frame ``n`` at each pixel, float32 (height, width), 0..1.

        ``log_view``: its logarithm instead (0 = 1e-5, 1 = certain), which shows what else the network thought of.
        """
        if self.score_maps is None:
            raise ValueError("The score-maps of these frames were not kept.")
        score = self.score_maps[n].max(axis=0).astype(np.float32)
        if log_view:
            score = np.clip(1 + np.log10(np.maximum(score, 1e-9)) / DECADES, 0, 1)
        height, width = size
        fx, fy = (round(side * self.input_scale) / side / STRIDE for side in (width, height))
        matrix = np.array([[fx, 0, 0.5 * fx - 0.5], [0, fy, 0.5 * fy - 0.5]])  # pixel of the frame -> cell
        flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
        warped = cv2.warpAffine(score, matrix, (width, height), flags=flags, borderMode=cv2.BORDER_REPLICATE)
        return np.asarray(warped, np.float32)


def read_preview(run: Path | str) -> Preview | None:
    """The `Preview` in a run's folder; None if there is none (yet), or it can't be read."""
    files = Run(run)
    try:
        data = read_arrays(files.preview_file)
        return Preview(
            int(data["step"]),
            tuple(map(str, data["images"])),
            np.asarray(data["labels"], float),
            np.asarray(data["points"], float),
            np.asarray(data["likelihood"], float),
            data.get("score_maps"),
            float(files.settings.get("input_scale") or 1.0),
        )
    except FileNotFoundError:
        return None
    except (OSError, TypeError, ValueError, KeyError) as error:
        log.info("No preview of %s: %s", run, error)
        return None


def draw_preview(
    preview: Preview,
    root: Path | str,
    *,
    score_maps: str = "off",
    zoomed: bool = True,
    pcutoff: float = 0.1,
    fine: int = 1,
) -> NDArray[np.uint8]:
    """The frames of a `Preview` in one picture: labels as rings, predictions as discs, lines between the two.

    Parameters
    ----------
    preview : Preview
    root : folder of the project, where the images are.
    score_maps : "off", "linear" or "log"
        Lay the score-maps over the frames.
    zoomed : bool
        Show the part of each frame with the animal, not all of it.
    pcutoff : float
        Predictions with a lower likelihood are drawn small.
    fine : int
        Pixels for each px of `preview_size`, for sharp screens.

    Returns
    -------
    uint8 (height, width, 3)
    """
    columns = _columns(len(preview.images))
    (height, width), look = preview_size(preview), _Look(score_maps, zoomed, pcutoff, fine)
    picture = np.full((height * fine, width * fine, 3), GROUND, np.uint8)
    tall, wide = (side * fine for side in (CELL[0] + CAPTION + GAP, CELL[1] + GAP))
    captions = []
    for n, name in enumerate(preview.images):
        top, left = n // columns * tall, n % columns * wide
        cell, note = _cell(preview, n, Path(root), look)
        picture[top : top + cell.shape[0], left : left + cell.shape[1]] = cell
        place = left + 4 * fine, top + cell.shape[0] + 3 * fine
        captions.append((place, note or f"{Path(name).name}   {_px(preview.error(n))}"))
    drawn = Image.fromarray(picture)
    pen = ImageDraw.Draw(drawn)
    for place, text in captions:
        pen.text(place, text, fill=TEXT, font=ImageFont.load_default(12 * fine))
    return np.asarray(drawn)


def preview_size(preview: Preview) -> tuple[int, int]:
    """(height, width) px of the picture of a `Preview`."""
    columns = _columns(len(preview.images))
    rows = max(-(-len(preview.images) // columns), 1)
    return rows * (CELL[0] + CAPTION + GAP) - GAP, columns * (CELL[1] + GAP) - GAP


def _columns(count: int) -> int:
    return max(min(COLUMNS, count), 1) if count != 4 else 2


@dataclass(frozen=True)
class _Look:
    """How `draw_preview` draws."""

    score_maps: str
    zoomed: bool
    pcutoff: float
    fine: int

    @property
    def size(self) -> tuple[int, int]:
        """(height, width) of a frame, in pixels."""
        return CELL[0] * self.fine, CELL[1] * self.fine


def _cell(preview: Preview, n: int, root: Path, look: _Look) -> tuple[NDArray[np.uint8], str]:
    """(uint8 picture of the size of a frame, a problem in words or "") for one frame."""
    try:
        image = read_image(root / preview.images[n])
    except LabelError:
        return np.full((*look.size, 3), EMPTY, np.uint8), f"{Path(preview.images[n]).name} can't be read"
    size = image.shape[0], image.shape[1]
    corner, zoom = _part(size, np.concatenate([preview.labels[n], preview.points[n]]) if look.zoomed else None)
    zoom *= look.fine
    if look.score_maps != "off" and preview.score_maps is not None:
        image = _with_score(image, preview.score(n, size, log_view=look.score_maps == "log"))
    offset = zoom * (0.5 - corner) - 0.5  # corner-origin frame -> pixel centres of the cell
    matrix = np.array([[zoom, 0, offset[0]], [0, zoom, offset[1]]])
    if zoom < 1:  # warpAffine would skip pixels
        image = np.asarray(cv2.blur(image, (max(round(1 / zoom), 1),) * 2), np.uint8)
    warped = cv2.warpAffine(image, matrix, look.size[::-1], borderMode=cv2.BORDER_CONSTANT, borderValue=EMPTY)
    cell = np.asarray(warped, np.uint8)
    labels, points = (each[n] * zoom + offset for each in (preview.labels, preview.points))
    draw_marks(cell, labels, points, preview.likelihood[n] >= look.pcutoff, palette(len(labels)), look.fine)
    return cell, ""


def _part(size: tuple[int, int], points: NDArray[np.float64] | None) -> tuple[NDArray[np.float64], float]:
    """(top-left corner (x, y) px, zoom) of what a cell shows of a frame: all of it, or the part with the points."""
    height, width = size
    low, high = np.zeros(2), np.array([width, height], float)
    points = None if points is None else points[np.isfinite(points).all(axis=1)]
    if points is not None and len(points):
        middle, extent = (points.min(0) + points.max(0)) / 2, (points.max(0) - points.min(0)) * CONTEXT
        half = np.maximum(extent / 2, max(height, width) / 12)
        low, high = middle + 0.5 - half, middle + 0.5 + half
    zoom = min(CELL[1] / (high - low)[0], CELL[0] / (high - low)[1])
    zoom = max(zoom, min(CELL[1] / width, CELL[0] / height))
    shown = np.array(CELL[::-1]) / zoom
    corner = (low + high) / 2 - shown / 2
    room = np.array([width, height]) - shown
    return np.where(room < 0, room / 2, np.clip(corner, 0, np.maximum(room, 0))), zoom


def _with_score(image: NDArray[np.uint8], score: NDArray[np.float32]) -> NDArray[np.uint8]:
    """An image with a score-map over it: from blue (low) to yellow (high), as the colour-blind see it too."""
    tint = cv2.applyColorMap(np.rint(255 * score).astype(np.uint8), cv2.COLORMAP_CIVIDIS)
    tint = cv2.cvtColor(tint, cv2.COLOR_BGR2RGB)
    gray = cv2.cvtColor(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY), cv2.COLOR_GRAY2RGB)
    alpha = 0.8 * np.minimum(1.0, 2 * score)[..., None]
    return np.rint(gray * (1 - alpha) + tint * alpha).astype(np.uint8)


def draw_marks(
    cell: NDArray[np.uint8],
    labels: NDArray[np.float64],
    points: NDArray[np.float64],
    sure: NDArray[np.bool_],
    hues: NDArray[np.uint8],
    fine: int = 1,
) -> None:
    """Draw rings at labels (K, 2) and discs at predictions, smaller where not ``sure``, in colours (K, 3), in place.

    ``fine``: how many times as large as on a picture that is shown pixel by pixel.
    """
    colors, edges = hues.tolist(), halos(hues).tolist()
    there = [np.isfinite(each).all(axis=1) for each in (labels, points)]
    for k in np.flatnonzero(there[0] & there[1]):
        cv2.line(cell, _fixed(labels[k]), _fixed(points[k]), TEXT, fine, cv2.LINE_AA, 4)
    for k in np.flatnonzero(there[0]):
        for color, width in ((edges[k], 5), (colors[k], 2)):
            cv2.circle(cell, _fixed(labels[k]), 8 * 16 * fine, color, width * fine, cv2.LINE_AA, 4)
    for k in np.flatnonzero(there[1]):
        radius = 4.0 if sure[k] else 2.0
        for color, more in ((edges[k], 1.5), (colors[k], 0.0)):
            cv2.circle(cell, _fixed(points[k]), round((radius + more) * 16 * fine), color, -1, cv2.LINE_AA, 4)


def _fixed(point: NDArray[np.float64]) -> tuple[int, ...]:
    """OpenCV's fixed-point coordinates."""
    return tuple(round(float(v) * 16) for v in np.clip(point, -1e4, 1e4))


def _px(error: float) -> str:
    return f"{error:.1f} px" if np.isfinite(error) else "nothing labeled"
