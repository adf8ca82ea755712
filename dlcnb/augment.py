"""Augmentation that moves the image and its points together: scale, rotation, translation, crop, mirror, light.

One `Augmentation` draws a random crop of fixed size around (mostly) a bodypart; the crop shape never changes within a
run, so memory stays flat. Or it takes whole frames of random scale, as the paper does.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from dlcnb import geometry

__all__ = ["Augmentation", "halve"]

_SAMPLED = 0.6  # an image that shrinks to less is halved first: sampled as it is, pixels would be skipped


@dataclass(frozen=True)
class Augmentation:
    """How a training crop is drawn from a frame.

    Attributes
    ----------
    crop_size : ``(height, width)`` px of the crop; None = the whole frame, as large as its random scale makes it.
    input_scale : the scale at which the network sees frames.
    scale : (least, most) factor on top of it, drawn log-uniformly (paper: 0.5 to 1.5).
    rotation : degrees; the angle is drawn from -rotation..rotation.
    anywhere : share of crops centred anywhere rather than near a bodypart; these teach what background looks like.
    brightness : contrast changes by up to this share, brightness by up to this share of 100 grey levels.
    noise : standard deviation of pixel noise, grey levels, at most.
    mirror : index of each bodypart's mirror image (`dlcnb.trainset.mirror_order`), or None to never mirror.
    shift : frames that fit into the crop are moved by up to this share of its sides.
    """

    crop_size: tuple[int, int] | None = (256, 256)
    input_scale: float = 1.0
    scale: tuple[float, float] = (0.5, 1.5)
    rotation: float = 60.0
    anywhere: float = 0.4
    brightness: float = 0.2
    noise: float = 0.0
    mirror: NDArray[np.intp] | None = None
    shift: float = 0.1

    @property
    def halvings(self) -> int:
        """How often every frame is halved before it is drawn from: it may be kept so, which large frames need."""
        zoom, times = self.input_scale * self.scale[1], 0
        while zoom < _SAMPLED:
            zoom, times = 2 * zoom, times + 1
        return times

    def __call__(
        self, image: NDArray[np.uint8], points: NDArray[np.float64], rng: np.random.Generator, halved: int = 0
    ) -> tuple[NDArray[np.uint8], NDArray[np.float64]]:
        """Draw one crop.

        Parameters
        ----------
        image : uint8 ``(H, W, 3)``.
        points : float ``(K, 2)`` px of the frame, NaN = not there.
        rng : numpy Generator; the same state gives the same crop.
        halved : how often ``image`` is the frame halved (`halve`), at most `halvings`; the crop is the same.

        Returns
        -------
        crop : uint8 ``(*crop_size, 3)``, or of the frame's scaled size.
        points : float64 ``(K, 2)`` px of the crop; points may lie outside it.
        """
        matrix, size = self.matrix((image.shape[0] << halved, image.shape[1] << halved), points, rng)
        points = geometry.affine(points, matrix)
        if self.mirror is not None and np.linalg.det(matrix[:, :2]) < 0:
            points = points[self.mirror]
        return self._light(_warp(image, matrix, size, halved), rng), points

    def matrix(
        self, size: tuple[int, int], points: NDArray[np.float64], rng: np.random.Generator
    ) -> tuple[NDArray[np.float64], tuple[int, int]]:
        """The random ``(2, 3)`` matrix from frame to crop (mirrored: negative determinant), and the crop's size."""
        zoom = self.input_scale * np.exp(rng.uniform(*np.log(self.scale)))
        angle = np.deg2rad(rng.uniform(-self.rotation, self.rotation))
        linear = zoom * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
        if self.mirror is not None and rng.random() < 0.5:
            linear[:, 0] *= -1
        crop = self.crop_size or tuple(max(1, round(side * zoom)) for side in size)
        if self._fits(size):
            target = (0.5 + rng.uniform(-self.shift, self.shift, 2)) * crop[::-1]
            source = 0.5 * np.array(size[::-1])
        else:
            target = rng.uniform(0.1, 0.9, 2) * crop[::-1]
            source = self._center(size, points, rng)
        return np.column_stack([linear, target - linear @ source]), crop

    def _fits(self, size: tuple[int, int]) -> bool:
        """Whether a frame of this size is trained on whole."""
        return self.crop_size is None or all(
            self.input_scale * side <= 1.05 * room for side, room in zip(size, self.crop_size, strict=True)
        )

    def _center(
        self, size: tuple[int, int], points: NDArray[np.float64], rng: np.random.Generator
    ) -> NDArray[np.float64]:
        """The image point that the crop is placed by: a labeled bodypart, or anywhere on the frame."""
        present = np.flatnonzero(~np.isnan(points).any(-1))
        anywhere = rng.uniform(0.1, 0.9, 2) * size[::-1]
        pick = rng.random()
        if len(present) == 0 or pick < self.anywhere:
            return anywhere
        return points[present[rng.integers(len(present))]]

    def _light(self, crop: NDArray[np.uint8], rng: np.random.Generator) -> NDArray[np.uint8]:
        """Random contrast and brightness on every other crop, and noise."""
        if rng.random() < 0.5:
            crop = self._relight(crop, rng)
        if self.noise > 0:
            noisy = crop + rng.normal(0, rng.uniform(0, self.noise), crop.shape)
            crop = noisy.clip(0, 255).astype(np.uint8)
        return crop

    def _relight(self, crop: NDArray[np.uint8], rng: np.random.Generator) -> NDArray[np.uint8]:
        """Grey levels through a random line."""
        gain = 1 + rng.uniform(-self.brightness, self.brightness)
        offset = 100 * rng.uniform(-self.brightness, self.brightness)
        levels = np.arange(256) * gain + offset
        return np.asarray(cv2.LUT(crop, levels.clip(0, 255).astype(np.uint8)), np.uint8)


def halve(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """An image of half the size, each pixel the mean of four; an odd last row or column is left out."""
    height, width = (max(1, side // 2) for side in image.shape[:2])
    half = cv2.resize(image[: 2 * height, : 2 * width], (width, height), interpolation=cv2.INTER_AREA)
    return np.asarray(half, np.uint8)


def _warp(
    image: NDArray[np.uint8], matrix: NDArray[np.float64], size: tuple[int, int], halved: int
) -> NDArray[np.uint8]:
    """`cv2.warpAffine` of a frame to ``size = (height, width)``, of which ``image`` is halved so often.

    It is halved further while it shrinks much. Shrinking in one blurring step more than prediction does would teach
    the network on softer images than it will meet.
    """
    zoom = np.sqrt(abs(np.linalg.det(matrix[:, :2])))
    for _ in range(halved):
        matrix, zoom = _of_half(matrix), 2 * zoom
    while zoom < _SAMPLED and min(image.shape[:2]) > 2:
        image, matrix, zoom = halve(image), _of_half(matrix), 2 * zoom
    return np.asarray(cv2.warpAffine(image, matrix, size[::-1], flags=cv2.INTER_LINEAR), np.uint8)


def _of_half(matrix: NDArray[np.float64]) -> NDArray[np.float64]:
    """The matrix that does to the halved image what ``matrix`` does to the image; pixels count from their centres."""
    return np.column_stack([2 * matrix[:, :2], matrix[:, 2] + 0.5 * matrix[:, :2].sum(1)])
