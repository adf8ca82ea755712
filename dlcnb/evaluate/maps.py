"""Score-maps of the evaluated frames, in a file of their own beside the evaluation."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Sequence
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
from numpy.typing import ArrayLike, NDArray

from dlcnb.files import atomic_path, read_member, require_file
from dlcnb.targets import STRIDE

if TYPE_CHECKING:
    from pathlib import Path


__all__ = ["ScoreMapWriter", "ScoreMaps", "maps_path"]

_STEPS = 10  # steps per unit of the logit; int8 then reaches from probability 3e-6 to 1 - 3e-6
_DECADES = 5  # of probability that the logarithmic view shows


def maps_path(folder: Path, step: int) -> Path:
    """Where the score-maps of a snapshot's evaluation are kept (maybe)."""
    return folder / f"evaluation-{step}-maps.zip"


class ScoreMapWriter(AbstractContextManager):
    """Writes score-maps frame by frame; the file appears when the block ends without an error.

    Parameters
    ----------
    path : pathlib.Path
    bodyparts : K names.
    """

    def __init__(self, path: Path, bodyparts: Sequence[str]) -> None:
        self._moving = atomic_path(path)
        self._images: dict[str, dict[str, Any]] = {}
        self._about = {"bodyparts": list(bodyparts), "stride": STRIDE, "images": self._images}

    def __enter__(self) -> ScoreMapWriter:
        self._zip = zipfile.ZipFile(self._moving.__enter__(), "w", zipfile.ZIP_DEFLATED, compresslevel=3)
        return self

    def add(self, image: str, score: ArrayLike, ratio: Sequence[float]) -> None:
        """Add the maps of one image: score (K, h, w) probabilities; ratio (fx, fy), how the image was resized."""
        score = np.clip(np.asarray(score, np.float64), 1e-9, 1 - 1e-9)
        logit = np.clip(np.rint(_STEPS * np.log(score / (1 - score))), -127, 127).astype(np.int8)
        data = io.BytesIO()
        np.lib.format.write_array(data, logit, allow_pickle=False)
        name = f"{len(self._images)}.npy"
        self._zip.writestr(name, data.getvalue())
        self._images[image] = {"file": name, "ratio": [float(f) for f in ratio]}

    def __exit__(self, *error: Any) -> bool | None:
        if error[0] is None:
            self._zip.writestr("about.json", json.dumps(self._about))
        self._zip.close()
        return self._moving.__exit__(*error)


class ScoreMaps:
    """Score-maps that a `ScoreMapWriter` wrote; one frame at a time is read.

    Raises
    ------
    FileNotFoundError
        There is no such file.
    ValueError
        The file is damaged, or not of this kind.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            self._about = json.loads(self._read("about.json"))
            self.images, self.bodyparts = tuple(self._about["images"]), tuple(self._about["bodyparts"])
        except (LookupError, TypeError, ValueError, RecursionError) as error:
            raise self._damaged(error) from error

    def score(self, image: str) -> NDArray[np.float32]:
        """Probabilities of an image, float32 (K, h, w); raises KeyError if it was not evaluated."""
        entry = self._about["images"][image]
        try:
            logit = np.lib.format.read_array(io.BytesIO(self._read(entry["file"])), allow_pickle=False)
            if logit.ndim != 3 or len(logit) != len(self.bodyparts) or logit.dtype.kind not in "iuf":
                raise ValueError(f"expected a map for each of {len(self.bodyparts)} bodyparts")
        except (LookupError, TypeError, ValueError, MemoryError) as error:
            raise self._damaged(error) from error
        return (1 / (1 + np.exp(-logit.astype(np.float32) / _STEPS))).astype(np.float32)

    def on_frame(self, image: str, bodypart: str, size: tuple[int, int], *, log: bool = False) -> NDArray[np.float32]:
        """One bodypart's map as large as the frame.

        Parameters
        ----------
        image, bodypart : str
        size : (height, width) of the frame.
        log : bool
            The logarithm instead (0 = 1e-5, 1 = certain), which shows what else the network thought of.

        Returns
        -------
        numpy.ndarray
            float32 (height, width), 0..1.
        """
        score = self.score(image)[self.bodyparts.index(bodypart)]
        if log:
            score = np.clip(1 + np.log10(np.maximum(score, 1e-9)) / _DECADES, 0, 1)
        try:
            fx, fy = (f / self._about["stride"] for f in self._about["images"][image]["ratio"])
        except (LookupError, TypeError, ValueError, ZeroDivisionError) as error:
            raise self._damaged(error) from error
        matrix = np.array([[fx, 0, 0.5 * fx - 0.5], [0, fy, 0.5 * fy - 0.5]])  # pixel of the frame -> cell
        flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
        found = cv2.warpAffine(score, matrix, (size[1], size[0]), flags=flags, borderMode=cv2.BORDER_REPLICATE)
        return np.asarray(found, np.float32)

    def _read(self, name: str) -> bytes:
        """One file of the archive; raises ValueError, and OSError as `require_file`."""
        require_file(self.path)
        try:
            with zipfile.ZipFile(self.path) as archive:
                return read_member(archive, name)
        except zipfile.BadZipFile as error:
            raise ValueError(str(error)) from error

    def _damaged(self, error: Exception) -> ValueError:
        return ValueError(f"{self.path} holds no score-maps ({error}). Delete it and evaluate again.")
