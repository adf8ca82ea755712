"""What stays the same in all frames of the synthetic arena: light, floor, trail, walls, and the animal's coat.

The coat is a texture painted in *strip coordinates*: ``u`` along the spine from the tip of the snout, ``v`` to
the right of it, both in template pixels (those of a 640 x 480 arena).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
from numpy.typing import ArrayLike, NDArray

from dlcnb.sampledata.arena import SPINE_LENGTH, floor_box, trail

if TYPE_CHECKING:
    from dlcnb.sampledata.arena import Arena


__all__ = ["FINE", "SKIN", "U0", "V1", "Scene", "fixed", "scene"]

FINE = 2  # texture pixels per template pixel
U0, U1, V1 = -8.0, SPINE_LENGTH + 10.0, 34.0  # extent of the strip, template pixels
# The animal seen from above: half its width at places along the spine.
OUTLINE_U = np.array([-8, -1, 0, 1, 4, 10, 18, 26, 34, 42, 54, 70, 86, 98, 108, 115, 119, 123, 130.0])
OUTLINE = np.array([-6, -0.8, 1.6, 2.8, 4.8, 7.6, 10.8, 12.4, 12, 13.4, 17, 20.6, 22, 20.2, 15, 8.5, 5, 2.5, -4])
SKIN = np.array([168, 148, 140], np.float32)  # RGB of tail and paws


@dataclass(frozen=True)
class Scene:
    """All that stays the same from frame to frame.

    Attributes
    ----------
    floor : numpy.ndarray
        (H, W, 3) uint8, the lit arena without animal.
    light : numpy.ndarray
        (H, W) float32, brightness relative to the mean.
    coat : numpy.ndarray
        (rows over v, columns over u, 4) float32: RGB 0..255 and coverage 0..1, in strip coordinates.
    ear : numpy.ndarray
        (S, S, 4) float32, the right ear; its centre is the true position.
    noise : numpy.ndarray
        (H + 64, W + 64, 3) int16, cut out at another place for every frame.
    lamp : numpy.ndarray
        (2,) unit direction (x, y) that shadows fall to.
    """

    floor: NDArray[np.uint8]
    light: NDArray[np.float32]
    coat: NDArray[np.float32]
    ear: NDArray[np.float32]
    noise: NDArray[np.int16]
    lamp: NDArray[np.float64]


@lru_cache(maxsize=4)
def scene(arena: Arena) -> Scene:
    """Paint what does not change (about 0.3 s for 640 x 480)."""
    light, angle = _light(arena), arena.rng(3).uniform(0, 2 * np.pi)
    return Scene(
        floor=np.clip(_floor(arena) * light[..., None], 0, 255).astype(np.uint8),
        light=light,
        coat=_coat(arena),
        ear=_ear(arena),
        noise=_noise(arena),
        lamp=np.array([np.cos(angle), np.sin(angle)]),
    )


def fixed(points: ArrayLike) -> NDArray[np.int32]:
    """Coordinates as cv2 takes them with ``shift=4``."""
    return np.round(np.asarray(points) * 16).astype(np.int32)


def _clouds(rng: np.random.Generator, size: tuple[int, int], blur: float) -> NDArray[np.float32]:
    """Smooth random field (h, w) float32 of mean 0 and deviation 1, its blobs about ``blur`` pixels wide."""
    small = [max(int(n / blur * 2), 2) for n in size]
    drawn = rng.normal(size=small).astype(np.float32)
    field = np.asarray(cv2.resize(drawn, size[::-1], interpolation=cv2.INTER_CUBIC), np.float32)
    field -= field.mean()
    return field / max(float(field.std()), 1e-6)


def _light(arena: Arena) -> NDArray[np.float32]:
    """Uneven light (H, W) float32 of mean about 1: two lamps' pools, a gradient, dark corners."""
    rng, (height, width) = arena.rng(4), arena.size
    y, x = np.mgrid[:height, :width].astype(np.float32)
    y, x = (y - height / 2) / height, (x - width / 2) / width
    light = np.ones(arena.size, np.float32)
    for _ in range(2):
        cx, cy, spread = rng.uniform(-0.5, 0.5), rng.uniform(-0.4, 0.4), rng.uniform(0.2, 0.35)
        light += rng.uniform(0.08, 0.2) * np.exp(-((x - cx) ** 2 + (y - cy) ** 2) / (2 * spread**2))
    light += rng.uniform(-0.12, 0.12) * x + rng.uniform(-0.12, 0.12) * y
    light *= 1 - arena.vignette * np.clip((x * x + y * y) / 0.5, 0, 1) ** 1.2
    return light / light.mean()


def _floor(arena: Arena) -> NDArray[np.float32]:
    """Paper floor with creases, dirt and the trail, between darker walls: (H, W, 3) float32, not yet lit."""
    rng, size = arena.rng(5), arena.size
    grey = 186 + 1.8 * _clouds(rng, size, 90 * arena.scale) + 1.4 * _clouds(rng, size, 7 * arena.scale)
    for y in rng.uniform(0, size[0], 5):  # the paper's creases
        rows = np.arange(size[0])[:, None] - y - 3 * _clouds(rng, (1, size[1]), 200 * arena.scale)
        grey -= rng.uniform(2, 6) * np.exp(-((rows / (1.4 * arena.scale)) ** 2))
    marks = np.zeros(size, np.uint8)
    _draw_trail(arena, marks, rng)
    _draw_dirt(arena, marks, rng)
    grey -= cv2.GaussianBlur(marks, (0, 0), 0.8 * arena.scale + 0.2).astype(np.float32)
    grey = _walls(arena, grey, rng)
    tint = np.array([1.015, 1.0, 0.97], np.float32) + rng.normal(0, 0.005, 3).astype(np.float32)
    return grey[..., None] * tint


def _draw_trail(arena: Arena, marks: NDArray[np.uint8], rng: np.random.Generator) -> None:
    """The odor trail as an inkjet's thin line with drops, into ``marks`` (H, W) uint8, in place."""
    line = trail(arena)
    cv2.polylines(marks, [fixed(line)], False, (46,), max(1, round(2 * arena.scale)), cv2.LINE_AA, 4)
    for at in rng.integers(0, len(line), 6):
        cv2.circle(marks, fixed(line[at]).tolist(), int(16 * 4.5 * arena.scale), (38,), 1, cv2.LINE_AA, 4)


def _draw_dirt(arena: Arena, marks: NDArray[np.uint8], rng: np.random.Generator) -> None:
    """Droppings, specks and a few bristles, into ``marks``, in place."""
    left, top, right, bottom = floor_box(arena)
    for dark in rng.uniform(15, 110, 26):
        place = rng.uniform((left, top), (right, bottom))
        axes = fixed(rng.uniform((0.8, 0.6), (3.4, 1.5)) * arena.scale).tolist()
        cv2.ellipse(marks, fixed(place).tolist(), axes, rng.uniform(0, 180), 0, 360, (dark,), -1, cv2.LINE_AA, 4)


def _walls(arena: Arena, grey: NDArray[Any], rng: np.random.Generator) -> NDArray[Any]:
    """The floor ``grey`` framed by walls seen from above: (H, W) float32."""
    height, width = arena.size
    left, top, right, bottom = floor_box(arena)
    lean = 8 * arena.scale
    corners = np.array([(left + lean, top), (right - lean, top), (right, bottom), (left, bottom)])
    mask = np.zeros(arena.size, np.uint8)
    cv2.fillPoly(mask, [fixed(corners)], (255,), cv2.LINE_AA, 4)
    inside = cv2.GaussianBlur(mask, (0, 0), 1.0 * arena.scale + 0.2).astype(np.float32) / 255
    wall = 96 + 5 * _clouds(rng, arena.size, 60 * arena.scale)
    wall[: round(top)] += np.linspace(-14, 42, round(top), dtype=np.float32)[:, None]
    wall[round(bottom) :] -= 55
    for x in rng.uniform(left, right, 4):  # lamps mirrored in the near wall
        spread = rng.uniform(4, 18) * arena.scale
        columns = np.abs(np.arange(width) - x) < spread
        wall[round(bottom + 0.3 * (height - bottom)) : round(height - 0.3 * (height - bottom)), columns] = 250
    blurred = cv2.GaussianBlur(wall, (0, 0), 1.2 * arena.scale + 0.2)
    rim = cv2.GaussianBlur(inside, (0, 0), 5 * arena.scale)
    return (inside * grey + (1 - inside) * blurred) * (1 - 0.5 * inside * (1 - rim))


def _coat(arena: Arena) -> NDArray[np.float32]:
    """Fur of trunk and head in strip coordinates: (rows over v, columns over u, 4) float32, RGB and coverage."""
    rng = arena.rng(6)
    u = np.arange(U0, U1, 1 / FINE, dtype=np.float32)[None, :]
    v = np.arange(-V1, V1, 1 / FINE, dtype=np.float32)[:, None]
    size = (v.size, u.size)
    half = np.interp(u, OUTLINE_U, OUTLINE).astype(np.float32)
    drawn = rng.normal(size=size).astype(np.float32)
    hairs = np.asarray(cv2.GaussianBlur(drawn, (0, 0), sigmaX=3.2, sigmaY=0.6), np.float32)
    hairs /= hairs.std()
    tufts = _clouds(rng, size, 9 * FINE)
    furry = np.clip((u - 6) / 30, 0, 1)  # the muzzle is smooth
    edge = half + furry * (0.6 * hairs + 0.9 * tufts) - np.abs(v)
    cover = np.clip(edge * 0.45 + 0.5, 0, 1)
    across = np.clip(np.abs(v) / np.maximum(half, 1), 0, 1)
    round_shade = 0.62 + 0.5 * np.sqrt(1 - across**2 * 0.96) - 0.16 * np.exp(-((v / 5) ** 2))  # darker along the back
    lightness = round_shade * (1 + 0.14 * hairs + 0.1 * tufts)
    color = np.array([66, 54, 46], np.float32) * rng.uniform(0.85, 1.15) * lightness[..., None]
    _paint(color, SKIN * 0.75, np.exp(-(((u - 1) / 2.6) ** 2) - (v / 2.6) ** 2))  # the nose
    for side in (-1, 1):
        _paint(
            color,
            np.zeros(3),
            0.9 * np.exp(-((((u - 12.5) / 1.7) ** 2 + ((v - side * 7.2) / 1.5) ** 2) ** 2)),
        )  # eyes
    _paint(color, SKIN * 0.6, 0.7 * np.clip((u - SPINE_LENGTH + 3) / 5, 0, 1))  # bare skin at the tail base
    return np.dstack([color, cover]).astype(np.float32)


def _paint(color: NDArray[Any], paint: ArrayLike, cover: NDArray[Any]) -> None:
    color += cover[..., None] * (np.asarray(paint, np.float32) - color)


def _ear(arena: Arena) -> NDArray[np.float32]:
    """An ear, x pointing outward and y backward: (S, S, 4) float32; it is brightest off its dark middle."""
    span = int(11 * FINE)
    y, x = np.mgrid[-span : span + 1, -span : span + 1].astype(np.float32) / FINE
    shell = np.sqrt((x / 7.2) ** 2 + ((y - 0.12 * x) / 5.4) ** 2)
    cover = 0.93 * np.clip((1 - shell) * 3.5 + 0.2, 0, 1)
    bowl = np.exp(-(((x + 1.4) / 4.6) ** 2 + ((y + 1.2) / 3.4) ** 2))
    tone = 0.9 - 0.34 * bowl - 0.03 * x + 0.03 * arena.rng(7).normal(size=x.shape)
    return np.dstack([SKIN * tone[..., None], cover]).astype(np.float32)


def _noise(arena: Arena) -> NDArray[np.int16]:
    """Sensor noise, mostly grey: (H + 64, W + 64, 3) int16."""
    rng, size = arena.rng(8), (arena.size[0] + 64, arena.size[1] + 64)
    grain = rng.normal(size=size) * arena.noise
    hue = rng.normal(size=(*size, 3)) * arena.noise * 0.3
    return np.round(grain[..., None] + hue).astype(np.int16)
